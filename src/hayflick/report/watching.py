"""One call from a table of answers to a verdict and its page."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from hayflick.core.errors import ArgumentError
from hayflick.core.output import check_page, write_text
from hayflick.core.progress import Progress, silent
from hayflick.corpus.answers import AnswerColumns, Answers, read_answers
from hayflick.corpus.must_keep import read_must_keep
from hayflick.corpus.reserves import read_reserve, reserve_header
from hayflick.corpus.source import Source
from hayflick.monitor.watch import watch as watch_answers
from hayflick.monitor.watch_result import WatchResult
from hayflick.report.language import Language
from hayflick.report.watch_page import watch_page
from hayflick.rules.loading import load_rules

if TYPE_CHECKING:
    from hayflick.embed.embedder import Embedder
    from hayflick.storage.embedding_cache import EmbeddingCache

_Path: TypeAlias = str | os.PathLike[str]


def watch(
    source: _Path | Answers,
    *,
    by: str | None = None,
    text: str | None = None,
    group: str | None = None,
    prompt: str | None = None,
    values: Sequence[str] = (),
    vectors: str | None = None,
    every: str | None = None,
    start: str | None = None,
    skip_bad: bool = False,
    encoding: str = "utf-8",
    baseline: int = 10,
    charts: Sequence[str] | None = None,
    embedder: str | Embedder = "hashing",
    cache: _Path | None = None,
    tokenizer: str = "auto",
    must_keep: _Path | Sequence[str] | Mapping[str, float] | None = None,
    metrics: Sequence[str] = (),
    rules: _Path | None = None,
    seed: int = 1,
    out: _Path | None = None,
    lang: str = "en",
    force: bool = False,
    progress: Progress = silent,
) -> WatchResult:
    """Watch what models say, round by round, and write the page if asked to.

    Parameters
    ----------
    source
        A table of answers (CSV, TSV, JSON lines, Parquet, xlsx), or answers that were read.
    by, text, group, prompt, values, vectors
        Its columns; see `hayflick.corpus.answers.AnswerColumns`.
    every, start, skip_bad, encoding
        See `hayflick.corpus.answers.read_answers`.
    baseline, charts, tokenizer, metrics, seed
        See `hayflick.monitor.watch.watch`.
    embedder
        In the grammar of `hayflick.embed.parsing`, or an embedder.
    cache
        A file that keeps vectors between calls; None for none.
    must_keep
        Words or phrases whose retention is measured: a file with one per line (or a JSON
        list), a file of ``hayflick reserve``, a sequence, or a mapping to weights.
    rules
        A rules file that decides about the readings; its baseline is taken, and without
        `charts` nothing else is charted. None for none.
    out
        File to write the page to; None for none.
    lang
        Language of the page, ``en`` or ``ja``.
    force
        Whether a file that exists is replaced.
    progress
        Told how far reading and measuring have come.

    Raises
    ------
    DataError
        If the answers cannot be used, or a chart that was asked for cannot be made.
    ArgumentError
        If an argument is out of its range, or does not fit another.
    OutputError
        If the page cannot be written where it was asked for; nothing is computed then.
    """
    Language(lang)
    inputs = [one for one in (source, must_keep, vectors, rules) if _is_path(one)]
    if out is not None:
        check_page(out, inputs=inputs, force=force)  # type: ignore[arg-type]
    rule_set = None if rules is None else load_rules(rules, progress=progress).rule_set
    chosen = _embedder(embedder)
    entries = _entries(must_keep)
    answers = source
    if not isinstance(answers, Answers):
        named = {"text": text, "group": group, "prompt": prompt, "vectors": vectors}
        columns = _columns(by, values=tuple(values), **named)
        answers = read_answers(
            answers,
            columns=columns,
            every=every,
            start=start,
            skip_bad=skip_bad,
            encoding=encoding,
            progress=progress,
        )
    with _opened(cache, chosen) as store:
        result = watch_answers(
            answers,
            baseline=baseline,
            charts=charts,
            embedder=chosen,
            cache=store,
            tokenizer=tokenizer,
            must_keep=entries,
            metrics=metrics,
            rules=rule_set,
            seed=seed,
            progress=progress,
        )
    if out is not None:
        write_text(Path(out), watch_page(result, lang=lang), force=force)
    return result


def _columns(by: str | None, **named: Any) -> AnswerColumns:
    if by is None:
        takes = "the column that says which round an answer belongs to"
        raise ArgumentError("by", got="nothing", takes=takes)
    return AnswerColumns(by=by, **named)


def _is_path(value: Any) -> bool:
    return isinstance(value, (str, os.PathLike))


def _embedder(embedder: str | Embedder) -> Embedder:
    if not isinstance(embedder, str):
        return embedder
    from hayflick.embed.parsing import parse_embedder

    return parse_embedder(embedder)


def _entries(must_keep: Any) -> Mapping[str, float] | None:
    if must_keep is None or isinstance(must_keep, Mapping):
        return must_keep
    listed = _listed(Path(must_keep)) if _is_path(must_keep) else must_keep
    return dict.fromkeys(listed, 1.0)


def _listed(path: Path) -> Sequence[str]:
    """Return the entries of a list, or the symbols of a reserve file."""
    header = reserve_header(path)
    if header is None:
        return read_must_keep(path)
    return read_reserve(path, header=header, like=Source(path.name)).counts.symbols


@contextmanager
def _opened(cache: _Path | None, embedder: Embedder) -> Iterator[EmbeddingCache | None]:
    """Yield the store of vectors; nothing where none is asked for."""
    if cache is None:
        yield None
        return
    from hayflick.storage.database import Database
    from hayflick.storage.embedding_cache import EmbeddingCache

    with Database(cache) as database:
        yield EmbeddingCache(database, embedder=embedder.id)
