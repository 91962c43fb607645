"""`watch`: measure the rounds of a stream of answers, chart them and report what has changed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

from hayflick.core.checks import whole_number
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.progress import Progress, silent
from hayflick.core.records import Reading
from hayflick.corpus.answers import AnswerColumns, Answers, read_answers
from hayflick.diversity.metrics import metric_named
from hayflick.diversity.observing import SLOW
from hayflick.diversity.phrases import PhraseCounts, Template, templates
from hayflick.embed.embedder import Embedder
from hayflick.monitor.charting import (
    ChartRequest,
    chart_requests,
    run_charts,
    scaling_rounds,
)
from hayflick.monitor.observation import (
    VALUE,
    MeasurementSettings,
    Observation,
    observe,
)
from hayflick.monitor.watch_result import ChartHistory, MissingChart, WatchResult

if TYPE_CHECKING:
    from hayflick.rules.rule_set import Decision, RuleSet
    from hayflick.storage.embedding_cache import EmbeddingCache

_Path: TypeAlias = str | os.PathLike[str]

_PHRASED_TEXTS = 20_000
_TEMPLATES = 20


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
    rules: _Path | RuleSet | None = None,
    seed: int = 1,
    progress: Progress = silent,
) -> WatchResult:
    """Watch the answers of models round by round.

    All answers together are charted, and every group by itself. The charts of one
    description share its rate of false alarms evenly, so that the rate holds for all of them.

    Parameters
    ----------
    source
        A table of answers (CSV, TSV, JSON lines, Parquet, xlsx), or answers that were read.
    by, text, group, prompt, values, vectors
        Columns of the table; see `hayflick.corpus.answers.AnswerColumns`.
    every, start, skip_bad, encoding
        How the table is read; see `hayflick.corpus.answers.read_answers`.
    baseline
        Number of healthy rounds at the beginning. The first fifth of them sets the scale of
        distances, the rest the limits of guaranteed charts; other charts take all of them.
    charts
        Each ``[METRIC=]CHART``, such as ``guaranteed:tolerance=0.02`` or ``distinct_2=cusum``.
        None for ``guaranteed`` on the spread of the answers, and a cusum on every column of
        values.
    embedder
        Turns texts into vectors: an embedder, or one in the grammar of
        `hayflick.embed.parsing`. Not used if the answers have vectors.
    cache
        A file that keeps vectors between calls; None for none.
    tokenizer
        How texts are split into words.
    must_keep
        Words or phrases whose retention is measured: a file with one per line (or a JSON
        list), a file of ``hayflick reserve``, a sequence, or a mapping to weights.
    metrics
        Slow metrics to measure too: ``drift``, ``near_duplicate_rate``.
    rules
        A rule file, or rules that were read, that decide about the readings. Their baseline is
        used, and without `charts` nothing else is charted. None for none.
    seed
        Seed of the pairs and of every other random draw.
    progress
        Called with how far reading and measuring have come.

    Raises
    ------
    DataError
        If the answers cannot be used, or a chart that was asked for cannot be made; the
        message says how many readings it takes.
    ArgumentError
        If an argument is out of its range or does not fit another.

    Examples
    --------
    >>> frame = pl.DataFrame({"round": [k // 30 + 1 for k in range(900)]}).with_row_index("row")
    >>> words = [f"w{k * k % 97}" if k < 750 else "same" for k in range(902)]
    >>> texts = [f"{words[k]} {words[k + 1]} {words[k + 2]}" for k in range(900)]
    >>> answers = Answers(
    ...     "talk", tuple(map(str, range(1, 31))), frame.with_columns(text=pl.Series(texts))
    ... )
    >>> watched = watch(answers, baseline=10)
    >>> watched.verdict.value, [chart.first_alarm.since for chart in watched.alarms]
    ('alarm', [26])
    """
    rule_set = _rule_set(rules, progress)
    chosen = _embedder(embedder)
    entries = _entries(must_keep)
    answers = source
    if not isinstance(answers, Answers):
        columns = AnswerColumns(
            by=by or "",
            text=text,
            group=group,
            prompt=prompt,
            values=tuple(values),
            vectors=vectors,
        )
        answers = read_answers(
            answers,
            columns=columns,
            every=every,
            start=start,
            skip_bad=skip_bad,
            encoding=encoding,
            progress=progress,
        )
    if rule_set is not None:
        from hayflick.rules.rule_set import slow_metrics

        baseline, charts = rule_set.rules.baseline, charts or ()
        metrics = (*metrics, *slow_metrics(rule_set, SLOW))
    baseline = _checked_baseline(baseline, answers)
    seed = whole_number("seed", seed, at_least=0)
    requests = _requests(charts, answers)
    has_texts = answers.vectors is None and "text" in answers.frame.columns
    with _opened(cache, chosen) as store:
        settings = MeasurementSettings(
            baseline=baseline,
            scaling=scaling_rounds(baseline),
            embedder=chosen if has_texts else None,
            cache=store,
            tokenizer=tokenizer,
            must_keep=entries,
            slow=_slow(metrics, requests),
            seed=seed,
        )
        observation = observe(answers, settings=settings, progress=progress)
    histories, missing = run_charts(
        observation.readings, requests, baseline=baseline, scaling=settings.scaling
    )
    if requests and not histories:
        raise DataError(
            f"{answers.name}: nothing can be watched: {_why_uncharted(missing, observation)}"
        )
    return WatchResult(
        name=answers.name,
        rounds=answers.rounds,
        baseline=baseline,
        readings=observation.readings,
        charts=histories,
        missing_charts=missing,
        templates=_templates(answers, settings, histories),
        typical_first=[] if observation.first is None else observation.first.typical(),
        typical_last=[] if observation.last is None else observation.last.typical(),
        answers=len(answers.frame),
        bad=answers.bad,
        rules=rule_set,
        decisions=_decisions(rule_set, observation.readings),
        settings=_parameters(answers, settings, requests, rule_set),
        seed=seed,
    )


def _rule_set(rules: _Path | RuleSet | None, progress: Progress) -> RuleSet | None:
    if rules is None or not isinstance(rules, (str, os.PathLike)):
        return rules
    from hayflick.rules.loading import load_rules

    return load_rules(rules, progress=progress).rule_set


def _decisions(
    rule_set: RuleSet | None, readings: Mapping[str, Sequence[Reading]]
) -> tuple[Decision, ...]:
    if rule_set is None:
        return ()
    from hayflick.rules.rule_set import decisions

    return decisions(rule_set, readings)


def _embedder(embedder: str | Embedder) -> Embedder:
    if not isinstance(embedder, str):
        return embedder
    from hayflick.embed.parsing import parse_embedder

    return parse_embedder(embedder)


def _entries(
    must_keep: _Path | Sequence[str] | Mapping[str, float] | None,
) -> Mapping[str, float]:
    """Return the must-keep entries with their weights."""
    if must_keep is None:
        return {}
    if isinstance(must_keep, Mapping):
        return must_keep
    if isinstance(must_keep, (str, os.PathLike)):
        from hayflick.corpus.must_keep import read_must_keep
        from hayflick.corpus.reserves import read_reserve, reserve_header
        from hayflick.corpus.source import Source

        path = Path(must_keep)
        header = reserve_header(path)
        if header is None:
            must_keep = read_must_keep(path)
        else:
            must_keep = read_reserve(path, header=header, like=Source(path.name)).counts.symbols
    return dict.fromkeys(must_keep, 1.0)


@contextmanager
def _opened(cache: _Path | None, embedder: Embedder) -> Iterator[EmbeddingCache | None]:
    """Yield the store of vectors, or None without a `cache`."""
    if cache is None:
        yield None
        return
    from hayflick.storage.database import Database
    from hayflick.storage.embedding_cache import EmbeddingCache

    with Database(cache) as database:
        yield EmbeddingCache(database, embedder=embedder.id)


def _checked_baseline(baseline: int, answers: Answers) -> int:
    baseline = whole_number("baseline", baseline, at_least=2)
    if baseline >= len(answers.rounds):
        takes = f"less than the {len(answers.rounds)} rounds of {answers.name}"
        raise ArgumentError("baseline", got=baseline, takes=takes)
    return baseline


def _requests(charts: Sequence[str] | None, answers: Answers) -> tuple[ChartRequest, ...]:
    columns = answers.frame.columns
    values = [name.removeprefix(VALUE) for name in columns if name.startswith(VALUE)]
    has_vectors = "text" in columns or answers.vectors is not None
    return chart_requests(charts, values=values, has_vectors=has_vectors)


def _why_uncharted(missing: Sequence[MissingChart], observation: Observation) -> str:
    """Return why there is no chart: nobody is to take silence for health."""
    if missing:
        return missing[0].reason
    if any("rms_distance" in reading.values for reading in observation.readings[""]):
        return "the first rounds' answers are all alike, so there is no spread to lose"
    return "no round has two answers that could be compared; give --text, --vectors or --value"


def _slow(metrics: Sequence[str], requests: Sequence[ChartRequest]) -> frozenset[str]:
    for name in metrics:
        if name not in SLOW:
            metric_named(name)
            takes = f"one of {', '.join(SLOW)}; all others are measured anyway"
            raise ArgumentError("metric", got=name, takes=takes)
    charted = {"drift" if request.metric == "drift_p" else request.metric for request in requests}
    return frozenset(metrics) | (charted & set(SLOW))


def _templates(
    answers: Answers, settings: MeasurementSettings, histories: Sequence[ChartHistory]
) -> tuple[Template, ...]:
    """Return phrases that changed between the baseline and the new state.

    The new state begins with the first alarm, else it is as long as the baseline.
    """
    if "text" not in answers.frame.columns:
        return ()
    alarms = [chart.first_alarm.round for chart in histories if chart.first_alarm is not None]
    start = min(
        alarms, default=max(settings.baseline + 1, len(answers.rounds) - settings.baseline + 1)
    )
    before = answers.frame.filter(pl.col("round") <= settings.baseline)
    now = answers.frame.filter(pl.col("round") >= start)
    sides = [_phrases(frame["text"].drop_nulls(), settings.seed) for frame in (now, before)]
    if not all(side.texts for side in sides):
        return ()
    return templates(sides[0], baseline=sides[1], most=_TEMPLATES)


def _phrases(texts: pl.Series, seed: int) -> PhraseCounts:
    if len(texts) > _PHRASED_TEXTS:
        texts = texts.sample(_PHRASED_TEXTS, seed=seed)
    return PhraseCounts.of(texts.to_list())


def _parameters(
    answers: Answers,
    settings: MeasurementSettings,
    requests: Sequence[ChartRequest],
    rules: RuleSet | None,
) -> dict[str, Any]:
    return {
        "answers": answers.name,
        "rounds": len(answers.rounds),
        "baseline": settings.baseline,
        "charts": [request.text for request in requests],
        "embedder": None if settings.embedder is None else settings.embedder.id,
        "tokenizer": settings.tokenizer,
        "must_keep": len(settings.must_keep),
        "metrics": sorted(settings.slow),
        "rules": None if rules is None else rules.name,
    }
