"""`watch`: measure the rounds of a stream of answers, chart them and report what has changed.

How they are measured is in `hayflick.monitor.measuring`, which charts there are in
`hayflick.monitor.panel` and `hayflick.monitor.charting`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.core.checks import whole_number
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.notes import translatable
from hayflick.core.progress import Progress, silent
from hayflick.core.records import Reading
from hayflick.core.source import Source, sources_of
from hayflick.corpus.answers import AnswerColumns, Answers, read_answers
from hayflick.corpus.frames import input_path
from hayflick.corpus.normalization import normalize_text
from hayflick.corpus.table_format import TableFormat
from hayflick.detection.evidence import FALSE_ALARMS
from hayflick.diversity.metrics import metric_named
from hayflick.diversity.observing import SLOW
from hayflick.diversity.phrases import PhraseCounts, Template, templates
from hayflick.embed.embedder import Embedder
from hayflick.monitor.charting import ChartRequest, chart_requests, panel_requests, run_charts
from hayflick.monitor.measuring import (
    VALUE,
    Measurement,
    Readings,
    Sample,
    embeds,
    has_text,
    measure_rounds,
    value_columns,
)
from hayflick.monitor.panel import Panel, panel_charts
from hayflick.monitor.reference import check_reference, read_reference, with_reference
from hayflick.monitor.watch_result import ChartHistory, UnreadMetric, WatchResult

if TYPE_CHECKING:
    from hayflick.rules.rule_set import RuleSet, RulesOutcome

_Path: TypeAlias = str | os.PathLike[str]

_PHRASED_TEXTS, _PHRASED_BYTES = 20_000, 4_000_000
_MOST_TEMPLATES = 20
_TYPICAL = 5


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
    time_zone: str | None = None,
    start: str | None = None,
    skip_bad: bool = False,
    encoding: str = "utf-8",
    normalize: str = "nfc",
    table: TableFormat | None = None,
    baseline: int = 10,
    baseline_from: Any = None,
    charts: Sequence[str] | None = None,
    false_alarms: float = FALSE_ALARMS,
    form: str = "sum",
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
    every, time_zone, start, skip_bad, encoding, normalize, table
        How the table is read; see `hayflick.corpus.answers.read_answers`.
    baseline
        Number of healthy rounds at the beginning. The first fifth of them sets the scale of
        distances, the rest the limits of guaranteed charts; other charts take all of them.
    baseline_from
        A reference in place of the stream's first rounds, such as real texts or last year's
        answers, with the same columns; see `hayflick.monitor.reference`. Then all rounds of the
        stream are judged, and `baseline` is not used. None for none.
    charts
        Each ``[METRIC=]CHART``, such as ``guaranteed:tolerance=0.02`` or ``distinct_2=cusum``.
        None for the panel of `hayflick.monitor.panel`.
    false_alarms, form
        Rate of false alarms of the whole panel. ``sum``: at most so many in a round on average;
        ``product``: the chance of ever one.
    embedder
        Turns texts into vectors: an embedder, or one in the grammar of
        `hayflick.embed.embedder`. Not used if the answers have vectors.
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
    if baseline_from is not None:
        check_reference(source, baseline_from)
        _check_without_reference(rules=rules)
    embedder = _embedder(embedder)
    weights = _must_keep_weights(must_keep)
    answers = source
    if not isinstance(answers, Answers):
        named = {"text": text, "group": group, "prompt": prompt, "vectors": vectors}
        answers = read_answers(
            answers,
            columns=AnswerColumns(by=by or "", values=tuple(values), **named),
            every=every,
            time_zone=time_zone,
            start=start,
            skip_bad=skip_bad,
            encoding=encoding,
            normalize=normalize,
            table=table,
            progress=progress,
        )
    if baseline_from is not None:
        named = {"text": text, "group": group, "prompt": prompt, "vectors": vectors}
        reference = read_reference(
            baseline_from,
            columns=partial(AnswerColumns, by=by, values=tuple(values), **named),
            every=every,
            time_zone=time_zone,
            skip_bad=skip_bad,
            encoding=encoding,
            normalize=normalize,
            table=table,
            progress=progress,
        )
        answers, baseline = with_reference(answers, reference, seed=seed)
    if rule_set is not None:
        baseline, charts = rule_set.rules.baseline, charts or ()
    settings = _Settings(
        baseline=_checked_baseline(baseline, answers),
        requests=_requests(charts, answers),
        panel=Panel(false_alarms, form) if charts is None else None,
        embedder=embedder,
        tokenizer=tokenizer,
        must_keep=_spelled_as(answers, weights),
        metrics=tuple(metrics),
        rules=rule_set,
        reference=None if baseline_from is None else reference.name,
        seed=whole_number("seed", seed, at_least=0),
        sources=Source.files(("must-keep list", must_keep)),
    )
    readings, samples = measure_rounds(
        answers, settings.measurement, cache=cache, progress=progress
    )
    return _judged(answers, settings, readings, samples)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Settings:
    """How a stream is measured and charted."""

    baseline: int
    requests: tuple[ChartRequest, ...]
    panel: Panel | None
    embedder: Embedder
    tokenizer: str
    must_keep: Mapping[str, float]
    metrics: tuple[str, ...]
    rules: RuleSet | None
    reference: str | None
    seed: int
    sources: tuple[Source, ...]

    def __post_init__(self) -> None:
        # Before anything is measured.
        _slow_metrics(self.metrics, self.requests)

    @property
    def measurement(self) -> Measurement:
        """How the rounds are measured."""
        return Measurement(
            baseline=self.baseline,
            embedder=self.embedder,
            tokenizer=self.tokenizer,
            must_keep=self.must_keep,
            slow=self.slow,
            seed=self.seed,
        )

    @property
    def slow(self) -> frozenset[str]:
        """The slow metrics to measure."""
        metrics = self.metrics
        if self.rules is not None:
            from hayflick.rules.rule_set import slow_metrics

            metrics = (*metrics, *slow_metrics(self.rules, SLOW))
        return _slow_metrics(metrics, self.requests)


def _check_without_reference(*, rules: object) -> None:
    """Refuse what takes the stream's own first rounds as its baseline."""
    if rules is not None:
        takes = "no rules: the baseline of rules is the stream's own first rounds"
        raise ArgumentError("baseline_from", got="a reference with rules", takes=takes)


def _checked_baseline(baseline: int, answers: Answers) -> int:
    baseline = whole_number("baseline", baseline, at_least=2)
    if baseline >= len(answers.rounds):
        rounds = len(answers.rounds)
        takes = (
            f"at most {rounds - 1}: {answers.name} has {rounds} rounds, and those behind the"
            " baseline are judged"
        )
        raise ArgumentError("baseline", got=baseline, takes=takes)
    return baseline


def _requests(charts: Sequence[str] | None, answers: Answers) -> tuple[ChartRequest, ...]:
    values = [name.removeprefix(VALUE) for name in value_columns(answers)]
    if charts is not None:
        return chart_requests(charts, values=values)
    charts = panel_charts(
        has_vectors=answers.vectors is not None or has_text(answers),
        has_text=has_text(answers),
        has_prompts="prompt" in answers.frame.columns,
        values=values,
    )
    return panel_requests(charts, values=values)


def _judged(
    answers: Answers, settings: _Settings, readings: Readings, samples: Sequence[Sample]
) -> WatchResult:
    """Return the result: what charts and rules say of the readings."""
    baseline, requests = settings.baseline, settings.requests
    histories, missing = run_charts(
        readings,
        requests,
        baseline=baseline,
        scaling=settings.measurement.scaling,
        panel=settings.panel,
    )
    outcome = _outcome(settings.rules, readings)
    if requests and not histories:
        reasons = dict.fromkeys(f"{one.metric}: {one.reason}" for one in missing)
        raise DataError(f"{answers.name}: nothing can be watched: {'; '.join(list(reasons)[:3])}")
    if outcome is not None and not histories and not outcome.active:
        one = outcome.idle[0]
        reason = f"[[watch]] {one.watch}: {one.reason}"
        raise DataError(f"{answers.name}: the rules can judge nothing: {reason}")
    return WatchResult(
        name=answers.name,
        rounds=answers.rounds,
        baseline=baseline,
        baseline_from=settings.reference,
        readings=readings,
        charts=histories,
        missing_charts=missing,
        unread=_unread_metrics(answers, settings, readings[""]),
        templates=_changed_phrases(answers, baseline, histories, settings.seed),
        typical_first=_typical(*samples[0]) if samples else [],
        typical_last=_typical(*samples[-1]) if samples else [],
        answers=len(answers.frame),
        bad=answers.bad,
        rules=settings.rules,
        decisions=() if outcome is None else outcome.decisions,
        idle_watches=() if outcome is None else outcome.idle,
        panel=settings.panel,
        sources=sources_of(answers, settings.rules, settings),
        settings={
            "answers": answers.name,
            "rounds": len(answers.rounds),
            "baseline": baseline,
            "baseline_from": settings.reference,
            "charts": [request.text for request in requests],
            "false_alarms": None if settings.panel is None else settings.panel.false_alarms,
            "form": None if settings.panel is None else settings.panel.form,
            "embedder": settings.embedder.id if embeds(answers) else None,
            "tokenizer": settings.tokenizer,
            "must_keep": len(settings.must_keep),
            "metrics": sorted(settings.slow),
            "rules": None if settings.rules is None else settings.rules.name,
        },
        seed=settings.seed,
    )


def _unread_metrics(
    answers: Answers, settings: _Settings, readings: Sequence[Reading]
) -> tuple[UnreadMetric, ...]:
    """Return the metrics that were asked for and lack readings, with the reason."""
    asked = dict.fromkeys(request.metric for request in settings.requests)
    few = translatable("too few answers to measure it")
    reasons = dict.fromkeys((*asked, *settings.metrics), few)
    if settings.must_keep:
        reasons["retention"] = few if has_text(answers) else translatable("there is no text")
    for name in value_columns(answers):
        reasons[name.removeprefix(VALUE)] = translatable("its column has no number there")
    found = []
    for metric, reason in reasons.items():
        rounds = sum(metric not in reading.values for reading in readings)
        found += [UnreadMetric(metric, rounds, reason)] if rounds else []
    return tuple(found)


def _rule_set(rules: _Path | RuleSet | None, progress: Progress) -> RuleSet | None:
    """Return the rules; those whose charts take a longer baseline are refused."""
    if rules is None:
        return None
    if isinstance(rules, (str, os.PathLike)):
        from hayflick.rules.loading import load_rules

        rules = load_rules(rules, progress=progress).rule_set
    rules.check_baseline()
    return rules


def _outcome(rule_set: RuleSet | None, readings: Readings) -> RulesOutcome | None:
    if rule_set is None:
        return None
    from hayflick.rules.rule_set import apply_rules

    return apply_rules(rule_set, readings)


def _embedder(embedder: str | Embedder) -> Embedder:
    if not isinstance(embedder, str):
        return embedder
    from hayflick.embed.embedder import parse_embedder

    return parse_embedder(embedder)


def _must_keep_weights(
    must_keep: _Path | Sequence[str] | Mapping[str, float] | None,
) -> Mapping[str, float]:
    if must_keep is None:
        return {}
    if isinstance(must_keep, Mapping):
        return must_keep
    if isinstance(must_keep, (str, os.PathLike)):
        from hayflick.corpus.must_keep import read_must_keep
        from hayflick.corpus.reserves import read_reserve, reserve_header

        path = input_path(must_keep)
        header = reserve_header(path)
        if header is None:
            must_keep = read_must_keep(path)
        else:
            must_keep = read_reserve(path, header=header, like=Source(path.name)).counts.symbols
    return dict.fromkeys(must_keep, 1.0)


def _spelled_as(answers: Answers, weights: Mapping[str, float]) -> Mapping[str, float]:
    """Return weights by entries in the spelling of the answers; of equal ones, the largest."""
    how = answers.sources[0].normalization if answers.sources else "nfc"
    spelled: dict[str, float] = {}
    for entry, weight in weights.items():
        name = normalize_text(entry, how)
        spelled[name] = max(weight, spelled.get(name, weight))
    return spelled


def _slow_metrics(metrics: Sequence[str], requests: Sequence[ChartRequest]) -> frozenset[str]:
    for name in metrics:
        if name not in SLOW:
            metric_named(name)
            takes = f"one of {', '.join(SLOW)}; all others are measured anyway"
            raise ArgumentError("metric", got=name, takes=takes)
    charted = {"drift" if request.metric == "drift_p" else request.metric for request in requests}
    return frozenset(metrics) | (charted & set(SLOW))


def _typical(texts: Sequence[str], vectors: NDArray[Any]) -> list[str]:
    """Return the different texts that are nearest to the mean of all."""
    gaps = vectors - vectors.mean(axis=0)
    order = np.argsort(np.einsum("ij,ij->i", gaps, gaps), kind="stable")
    return list(dict.fromkeys(texts[int(place)] for place in order))[:_TYPICAL]


def _changed_phrases(
    answers: Answers, baseline: int, histories: Sequence[ChartHistory], seed: int
) -> tuple[Template, ...]:
    """Return phrases that are newly frequent or lost since the baseline.

    They are sought from the first alarm on; without one, in as many rounds as the baseline has.
    """
    if "text" not in answers.frame.columns:
        return ()
    alarms = [chart.first_alarm.round for chart in histories if chart.first_alarm is not None]
    start = min(alarms, default=max(baseline, len(answers.rounds) - baseline) + 1)
    sides = []
    for rounds in (pl.col("round") >= start, pl.col("round") <= baseline):
        texts = answers.frame.filter(rounds)["text"].drop_nulls()
        # Phrases take a hundred times as much memory as their texts.
        size = max(1, int(texts.str.len_bytes().sum()))
        most = min(_PHRASED_TEXTS, math.ceil(len(texts) * min(1.0, _PHRASED_BYTES / size)))
        if len(texts) > most:
            texts = texts.sample(most, seed=seed)
        sides.append(PhraseCounts.of(texts.to_list()))
    if not all(side.texts for side in sides):
        return ()
    return templates(sides[0], baseline=sides[1], most=_MOST_TEMPLATES)
