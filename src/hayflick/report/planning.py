"""One call from an input to a finished plan and its page."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from hayflick.chains.discrete import Discrete
from hayflick.chains.gaussian import Gaussian
from hayflick.core.checks import MOST_GENERATIONS, whole_number
from hayflick.core.errors import ArgumentError
from hayflick.core.output import check_page, write_text
from hayflick.core.progress import Progress, silent
from hayflick.corpus.counts import Counts
from hayflick.corpus.must_keep import must_keep_places, read_must_keep
from hayflick.corpus.reading import Corpus
from hayflick.planning import plan as planning
from hayflick.planning.cost import CostModel
from hayflick.planning.inputs import InputOptions, chosen_family, read_model
from hayflick.planning.plan_result import Plan
from hayflick.planning.problem import History, check_target, read_history
from hayflick.planning.targets import VARIANCE
from hayflick.planning.variance_target import VarianceTarget
from hayflick.report.language import Language
from hayflick.report.plan_page import plan_page

if TYPE_CHECKING:
    import xarray

_Path: TypeAlias = str | os.PathLike[str]


def plan(
    source: _Path | Discrete | Gaussian,
    *,
    keep: float = 0.9,
    generations: int = 50,
    must_keep: _Path | Sequence[str] | Mapping[str, float] | None = None,
    of: str | None = None,
    costs: CostModel | None = None,
    column: str | None = None,
    tokenizer: str | None = None,
    encoding: str = "utf-8",
    samples: int | None = None,
    law: str = "auto",
    history: _Path | xarray.Dataset | None = None,
    replicates: int = 32,
    seed: int = 1,
    threads: int | None = None,
    out: _Path | None = None,
    lang: str = "en",
    force: bool = False,
    progress: Progress = silent,
) -> Plan:
    """Plan how to keep enough of a file's or a law's symbols or variance; write the page if asked.

    Parameters
    ----------
    source
        A text, a folder of texts, a table, a JSON object of symbol: count, or a law: `Discrete`
        or `Gaussian`. A table's column of numbers of which one at least is not whole is a
        Gaussian, unless `of` says otherwise.
    keep, generations, of, costs, samples, law, replicates, seed, threads
        See `hayflick.planning.plan.plan`.
    must_keep
        Symbols to keep: a file with one per line (or a JSON list), a sequence, or a mapping
        from symbol to weight.
    column, tokenizer, encoding
        How a file is read; see `hayflick.corpus.reading.read_corpus`.
    history
        A NetCDF file of ``hayflick simulate``, or its Dataset: the plan goes on from there.
    out
        File to write the page to; None for none.
    lang
        Language of the page, ``en`` or ``ja``.
    force
        Whether a file that exists is replaced.
    progress
        Told how far reading and simulating have come.

    Raises
    ------
    DataError
        If the input, the list or the history cannot be used.
    ArgumentError
        If an argument is out of its range, or does not fit another.
    OutputError
        If the page cannot be written where it was asked for; nothing is computed then.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> result = plan(words, keep=0.95, generations=10, replicates=0)
    >>> result.feasible, result.fresh.feasible, result.best.regime.reserve.symbols
    (True, False, ('sat', 'here'))
    """
    Language(lang)
    keep = check_target(keep)
    whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS)
    _check_out(out, (source, must_keep, history), force=force)
    entries = read_must_keep(Path(must_keep)) if _is_path(must_keep) else must_keep  # type: ignore[arg-type]
    reading = InputOptions(
        columns=(column,) if column else (), tokenizer=tokenizer, encoding=encoding
    )
    model = _model(source, reading, of=of, listed=must_keep is not None, progress=progress)
    if _is_path(must_keep) and isinstance(model, Discrete):
        entries = _as_counted(tuple(entries), model)  # type: ignore[arg-type]
    result = planning.plan(
        model,
        keep=keep,
        generations=generations,
        must_keep=entries,  # type: ignore[arg-type]
        of=of,
        costs=costs,
        samples=samples,
        law=law,
        history=_history(history, model),
        replicates=replicates,
        seed=seed,
        threads=threads,
        progress=progress,
    )
    if out is not None:
        write_text(Path(out), plan_page(result, lang=lang), force=force)
    return result


def _model(
    source: _Path | Discrete | Gaussian,
    reading: InputOptions,
    *,
    of: str | None,
    listed: bool,
    progress: Progress,
) -> Discrete | VarianceTarget | Gaussian:
    """Return what a plan is for: a law of symbols, or the variance of numbers."""
    if isinstance(source, (Discrete, Gaussian)):
        return source
    numbers = of == VARIANCE or (of is None and chosen_family(Path(source), reading) == "gaussian")
    if numbers and (listed or reading.tokenizer is not None):
        option, got = ("must_keep", "a list") if listed else ("tokenizer", reading.tokenizer)
        takes = "labels or words; of numbers the variance is kept"
        remedy = "of=types takes every number as a label"
        raise ArgumentError(option, got=got, takes=takes, remedy=remedy)
    if numbers:
        model, origin = read_model(Path(source), reading, family="gaussian")
        return VarianceTarget(model, origin)
    return Discrete.from_file(
        source,
        column=reading.column,
        tokenizer=reading.tokenizer,
        encoding=reading.encoding,
        progress=progress,
    )


def _is_path(value: Any) -> bool:
    return isinstance(value, (str, os.PathLike))


def _check_out(out: _Path | None, inputs: Sequence[Any], *, force: bool) -> None:
    if out is not None:
        check_page(out, inputs=[path for path in inputs if _is_path(path)], force=force)


def _as_counted(entries: tuple[str, ...], model: Discrete) -> tuple[str, ...]:
    """Return listed symbols as the data count them: in lower case, say."""
    if model.counts is None:
        return entries
    corpus = Corpus(Counts(model.symbols, model.counts), model.source)
    return tuple(model.symbols[place] for place in must_keep_places(entries, corpus=corpus))


def _history(history: _Path | xarray.Dataset | None, model: Any) -> History | None:
    if history is None:
        return None
    if not isinstance(model, Discrete):
        takes = "nothing for numbers: runs of labels and words are planned on from"
        raise ArgumentError("history", got="a recorded run", takes=takes)
    if isinstance(history, (str, os.PathLike)):
        return read_history(history, model=model)
    return History.of_runs(history, model=model)
