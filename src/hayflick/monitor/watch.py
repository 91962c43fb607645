"""`watch`: measure the rounds of a stream of answers, chart them and report what has changed.

How they are measured is in `hayflick.monitor.measuring`, which charts there are in
`hayflick.monitor.panel` and `hayflick.monitor.charting`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from hayflick.core.checks import whole_number
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.progress import Progress, silent
from hayflick.core.records import Reading
from hayflick.core.source import Source, sources_of
from hayflick.corpus.answer_columns import AnswerColumns
from hayflick.corpus.answers import Answers
from hayflick.corpus.continuing import ReadPart
from hayflick.corpus.files import InputFiles
from hayflick.corpus.must_keep import MustKeep
from hayflick.corpus.table_format import TableFormat
from hayflick.detection.evidence import FALSE_ALARMS
from hayflick.diversity.observing import SLOW
from hayflick.embed.embedder import Embedder
from hayflick.monitor.alarms import KnownAlarms
from hayflick.monitor.changed_phrases import changed_phrases
from hayflick.monitor.chart_requests import (
    ChartRequest,
    slow_metrics_of,
    stream_requests,
    unread_metrics,
)
from hayflick.monitor.charting import run_charts
from hayflick.monitor.measuring import VALUE, Measurement, Readings, embeds, has_text, value_columns
from hayflick.monitor.must_keep import fingerprint, must_keep_weights, spelled_as
from hayflick.monitor.panel import ChartPanel
from hayflick.monitor.reference import check_reference, with_reference
from hayflick.monitor.retrieved import check_all_is_read, followed
from hayflick.monitor.state import (
    MeasuredStream,
    bad_rows,
    measured_stream,
    open_part,
    state_source,
)
from hayflick.monitor.state_file import StateFile, check_state, held_state
from hayflick.monitor.stream_health import StreamHealth
from hayflick.monitor.watch_input import WatchInput
from hayflick.monitor.watch_result import ChartHistory, MissingChart, WatchResult

if TYPE_CHECKING:
    from hayflick.rules.rule_set import RuleSet, RulesOutcome

_Path: TypeAlias = str | os.PathLike[str]

_WORDS, _DISTANCE = "effective_words", "rms_distance"
_ROUNDING = 1e-9


def watch(
    source: _Path | Sequence[_Path] | Answers | Any,
    *,
    by: str | None = None,
    text: str | None = None,
    log: str | None = None,
    group: str | None = None,
    prompt: str | None = None,
    values: Sequence[str] = (),
    vectors: str | None = None,
    retrieved: str | None = None,
    pool: Any = None,
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
    must_keep: MustKeep | None = None,
    metrics: Sequence[str] = (),
    rules: _Path | RuleSet | None = None,
    seed: int = 1,
    state: _Path | None = None,
    capacity: int | None = None,
    executor: Executor | None = None,
    progress: Progress = silent,
) -> WatchResult:
    """Watch the answers of models round by round.

    All answers together are charted, and every group by itself. The charts of one
    description share its rate of false alarms evenly, so that the rate holds for all of them.

    Parameters
    ----------
    source
        A table of answers (CSV, TSV, JSON, Parquet, xlsx) or an exported log, several of them or a
        folder; data in memory; answers that were read; or summaries, see `hayflick.summarise`.
    by, text, group, prompt, values, vectors
        Columns, or paths into nested ones; see `hayflick.corpus.answer_columns.AnswerColumns`.
        Without `by`, rounds are found: windows of the times of a log, else files or blocks of
        answers; a note of the result says which.
    retrieved
        The column of what was retrieved for an answer: a list of texts or names, or of objects
        (``text``, ``id``, ``source``, and ``generated`` where it is known); or a path. Then the
        result has a `contamination`, see `hayflick.auditing.contamination`. None for none.
    pool
        A table of the documents that `retrieved` is from, with the columns ``text``, ``id``,
        ``source`` and ``generated`` as far as they are known. None where it is not known.
    log
        The tool that wrote a log, such as ``langfuse``; see `hayflick.corpus.logs.preset`. None
        looks at the input where no column is named, ``none`` does not.
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
        ``product``: the chance of ever one. Charts that are named, or those of rules, have rates
        of their own.
    embedder
        Turns texts into vectors: an embedder, or one in the grammar of
        `hayflick.embed.embedder`. Not used if the answers have vectors.
    cache
        A file that keeps vectors between calls; None for none.
    tokenizer
        How texts are split into words.
    must_keep
        Words or phrases whose retention is measured: a file with one per line, a JSON list, a
        table with the columns ``symbol`` and ``weight``, a file of ``hayflick reserve``, a
        sequence, a mapping to weights, or such a table in memory.
    metrics
        Slow metrics to measure too: ``drift``, ``near_duplicate_rate``.
    rules
        A rule file, or rules that were read, that decide about the readings. Their baseline is
        used, and without `charts` nothing else is charted. None for none.
    seed
        Seed of the pairs and of every other random draw.
    state
        A file that keeps what was measured, so that the next call reads and measures new rounds
        only; see `hayflick.monitor.state`. None to read everything again.
    capacity
        The largest number of answers of a round that are measured: of more, a sample is; see
        `hayflick.summarise`. None for all of them, or 20,000 where there is an executor.
    executor
        Where files are read, each by itself: processes or a cluster; see
        `hayflick.simulation.executors.open_executor`. What they find is merged and measured here.
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
    >>> import polars as pl
    >>> frame = pl.DataFrame({"round": [k // 30 + 1 for k in range(900)]}).with_row_index("row")
    >>> words = [f"w{k * k % 97}" if k < 750 else "same" for k in range(902)]
    >>> texts = [f"{words[k]} {words[k + 1]} {words[k + 2]}" for k in range(900)]
    >>> answers = Answers(
    ...     "talk", tuple(map(str, range(1, 31))), frame.with_columns(text=pl.Series(texts))
    ... )
    >>> watched = watch(answers, baseline=10)
    >>> watched.verdict.value, {chart.since_name for chart in watched.alarms}
    ('alarm', {'26'})
    """
    _check_rate(charts, rules, false_alarms, form)
    rule_set = _rule_set(rules, progress)
    if rule_set is not None:
        baseline, charts = rule_set.rules.baseline, charts or ()
    if baseline_from is not None:
        for path in _paths(source):
            check_reference(path, baseline_from)
        _check_without_reference(rules=rules, state=state)
    if retrieved is not None:
        check_all_is_read(source, state=state, capacity=capacity, executor=executor)
    elif pool is not None:
        takes = "none without retrieved, the column of what was retrieved from it"
        raise ArgumentError("pool", got=str(pool)[:80], takes=takes)
    weights, listed_in = must_keep_weights(must_keep, encoding=encoding)
    wanted = _Wanted(
        baseline=baseline,
        charts=charts,
        panel=ChartPanel(false_alarms, form) if charts is None else None,
        embedder=_embedder(embedder),
        tokenizer=tokenizer,
        must_keep=weights,
        metrics=tuple(metrics),
        rules=rule_set,
        seed=whole_number("seed", seed, at_least=0),
        sources=listed_in,
    )
    given = WatchInput(
        source=source,
        baseline_from=baseline_from,
        pool=pool,
        columns=partial(
            AnswerColumns,
            by=by,
            text=text,
            group=group,
            prompt=prompt,
            values=tuple(values),
            vectors=vectors,
            retrieved=retrieved,
        ),
        log=log,
        start=start,
        every=every,
        time_zone=time_zone,
        normalize=normalize,
        how={"skip_bad": skip_bad, "encoding": encoding, "table": table, "progress": progress},
    ).summarised(executor=executor, capacity=capacity, state=state, embedder=embedder, cache=cache)
    paths = (*_paths(source), must_keep, vectors, cache, rules)
    with _held(state, paths) as file:
        result = _watched(given, wanted, file, cache=cache, progress=progress)
    return given.complete(result)


def _check_rate(
    charts: Sequence[str] | None, rules: object, false_alarms: float, form: str
) -> None:
    """Refuse a rate of the panel where there is no panel."""
    if (charts is None and rules is None) or (false_alarms, form) == (FALSE_ALARMS, "sum"):
        return
    name, got = ("form", form) if false_alarms == FALSE_ALARMS else ("false_alarms", false_alarms)
    where = "in the rule file" if charts is None else f"in a chart: guaranteed:{name}={got}"
    takes = "no value where charts are named or rules decide, as there is no panel then"
    raise ArgumentError(name, got=got, takes=takes, remedy=f"set it {where}")


@dataclass(frozen=True, eq=False, kw_only=True)
class _Wanted:
    """What is to be measured and charted, whatever the answers."""

    baseline: int
    charts: Sequence[str] | None
    panel: ChartPanel | None
    embedder: Embedder
    tokenizer: str
    must_keep: Mapping[str, float]
    metrics: tuple[str, ...]
    rules: RuleSet | None
    seed: int
    sources: tuple[Source, ...]

    def settings(self, answers: Answers, reference: Answers | None, baseline: int) -> _Settings:
        """Return how a stream is measured and charted."""
        return _Settings(
            baseline=_checked_baseline(baseline, answers),
            requests=_requests(self.charts, answers),
            panel=self.panel,
            embedder=self.embedder,
            tokenizer=self.tokenizer,
            must_keep=spelled_as(answers, self.must_keep),
            metrics=self.metrics,
            rules=self.rules,
            reference=None if reference is None else reference.name,
            seed=self.seed,
            sources=self.sources,
        )

    def kept(self, *, has_vectors: bool) -> dict[str, Any]:
        """Return what a state keeps of it, by the name of the option."""
        return {
            "baseline": self.baseline,
            "tokenizer": self.tokenizer,
            "embedder": None if has_vectors else self.embedder.id,
            "must-keep": fingerprint(self.must_keep),
            "metric": sorted({*self.metrics, *_of_rules(self.rules)}),
            "seed": self.seed,
        }


def _watched(
    given: WatchInput,
    wanted: _Wanted,
    file: StateFile | None,
    *,
    cache: _Path | None,
    progress: Progress,
) -> WatchResult:
    """Read, measure and chart a stream, further than its state if there is one."""
    known = None if file is None else file.read()
    if known is not None and given.log is None:
        # What was recognised once is not looked at again.
        given = replace(given, log=known.settings.get("log"))
    kept = given.kept()
    kept |= wanted.kept(has_vectors=kept["vectors"] is not None)
    if file is not None and known is not None:
        known.check_settings(kept, name=file.name)
    answers = given.answers(None if file is None else ReadPart() if known is None else known.part)
    kept["log"] = answers.log or given.log
    earlier_bad, bad = bad_rows(answers, known)
    contamination, answers = followed(answers, pool=given.pool, how=given.how, progress=progress)
    baseline, reference = wanted.baseline, None
    if given.baseline_from is not None:
        reference = given.reference(kept["log"], answers)
        answers, baseline = with_reference(answers, reference, seed=wanted.seed)
    if file is not None:
        answers = open_part(answers, known, name=file.name)
    settings = wanted.settings(answers, reference, baseline)
    stream = measured_stream(
        answers, settings.measurement, known, bad=bad, cache=cache, progress=progress
    )
    if file is not None:
        stream = replace(stream, sources=(state_source(file.name, known),))
    result = replace(_judged(answers, settings, stream), contamination=contamination)
    if file is not None:
        alarms = KnownAlarms.of(result.charts, rounds=len(result.rounds))
        left = stream.state(answers, kept, alarms, earlier_bad=earlier_bad)
        file.write(left, known=known, health=StreamHealth.of(result))
    return result


def _paths(source: Any) -> Sequence[object]:
    """Return the paths of the files of an input that are known without reading it."""
    if isinstance(source, InputFiles):
        return [file.path for file in source.files]
    return source if isinstance(source, (list, tuple)) else [source]


@contextmanager
def _held(state: _Path | None, given: Sequence[object]) -> Iterator[StateFile | None]:
    """Hold the file of a state, which is none of the inputs; yield None without one."""
    if state is None:
        yield None
        return
    check_state(state, [one for one in given if isinstance(one, (str, os.PathLike))])
    with held_state(state) as file:
        yield file


@dataclass(frozen=True, eq=False, kw_only=True)
class _Settings:
    """How a stream is measured and charted."""

    baseline: int
    requests: tuple[ChartRequest, ...]
    panel: ChartPanel | None
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
        slow_metrics_of(self.metrics, self.requests)

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
        return slow_metrics_of((*metrics, *_of_rules(self.rules)), self.requests)


def _check_without_reference(*, rules: object, state: object) -> None:
    """Refuse what takes the stream's own first rounds as its baseline."""
    for name, given in (("rules", rules), ("state", state)):
        if given is not None:
            takes = f"no {name}: the baseline of {name} is the stream's own first rounds"
            raise ArgumentError("baseline_from", got=f"a reference with {name}", takes=takes)


def _checked_baseline(baseline: int, answers: Answers) -> int:
    baseline = whole_number("baseline", baseline, at_least=2)
    rounds = len(answers.rounds)
    if rounds < 3:
        has = f"has {rounds} round{'s' if rounds > 1 else ''}"
        takes = "two are the least baseline, and one is judged"
        remedy = "wait for more answers, or cut shorter rounds with --by and --every"
        raise DataError(f"{answers.name}: {has}, takes at least 3: {takes}; {remedy}")
    if baseline >= rounds:
        takes = (
            f"at most {rounds - 1}: {answers.name} has {rounds} rounds, and those after the"
            " baseline are judged"
        )
        remedy = "wait for more rounds, or give a smaller --baseline"
        raise ArgumentError("baseline", got=baseline, takes=takes, remedy=remedy)
    return baseline


def _requests(charts: Sequence[str] | None, answers: Answers) -> tuple[ChartRequest, ...]:
    return stream_requests(
        charts,
        has_vectors=answers.vectors is not None,
        has_text=has_text(answers),
        has_prompts="prompt" in answers.frame.columns,
        values=[name.removeprefix(VALUE) for name in value_columns(answers)],
    )


def _judged(answers: Answers, settings: _Settings, stream: MeasuredStream) -> WatchResult:
    """Return the result: what charts and rules say of the readings."""
    baseline, requests = settings.baseline, settings.requests
    readings = stream.measured.readings(answers.rounds)
    histories, missing = run_charts(
        readings,
        requests,
        baseline=baseline,
        scaling=settings.measurement.scaling,
        panel=settings.panel,
        powers=stream.powers,
    )
    outcome = _outcome(settings.rules, readings)
    healthy = readings[""][:baseline]
    _check_judged(answers.name, settings, healthy, histories, missing, outcome)
    return WatchResult(
        name=answers.name,
        rounds=answers.rounds,
        baseline=baseline,
        baseline_from=settings.reference,
        readings=readings,
        charts=histories,
        missing_charts=missing,
        unread=unread_metrics(
            readings[""],
            settings.requests,
            metrics=settings.metrics,
            values=[name.removeprefix(VALUE) for name in value_columns(answers)],
            must_keep=bool(settings.must_keep),
            has_text=has_text(answers),
        ),
        templates=changed_phrases(stream.texts, rounds=len(answers.rounds), baseline=baseline),
        typical_first=stream.typical_first,
        typical_last=stream.typical_last,
        answers=stream.answers,
        bad=stream.bad,
        rules=settings.rules,
        decisions=() if outcome is None else outcome.decisions,
        idle_watches=() if outcome is None else outcome.idle,
        panel=settings.panel,
        sources=sources_of(answers, settings.rules, settings, stream),
        known_alarms=None if stream.known is None else stream.known.alarms,
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


def _check_judged(
    name: str,
    settings: _Settings,
    healthy: Sequence[Reading],
    histories: Sequence[ChartHistory],
    missing: Sequence[MissingChart],
    outcome: RulesOutcome | None,
) -> None:
    """Refuse a stream of which nothing can be judged."""
    words_alone = all(one.metric == _WORDS for one in histories)
    if settings.panel is not None and words_alone and _are_alike(healthy):
        remedy = "name a healthy baseline: baseline_from, on the command line --baseline-from"
        raise DataError(
            f"{name}: nothing can be watched: the answers of each round of the baseline are all"
            f" alike, so there is nothing to lose; {remedy}"
        )
    if settings.requests and not histories:
        reasons = dict.fromkeys(f"{one.metric}: {one.reason}" for one in missing)
        raise DataError(f"{name}: nothing can be watched: {'; '.join(list(reasons)[:3])}")
    if outcome is not None and not histories and not outcome.active:
        one = outcome.idle[0]
        reason = f"[[watch]] {one.watch}: {one.reason}"
        raise DataError(f"{name}: the rules can judge nothing: {reason}")


def _are_alike(healthy: Sequence[Reading]) -> bool:
    """Return whether every round has the same answer to everything."""
    found = [one.values[_DISTANCE] for one in healthy if _DISTANCE in one.values]
    return bool(found) and max(found) <= _ROUNDING


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


def _of_rules(rules: RuleSet | None) -> tuple[str, ...]:
    """Return the slow metrics that rules read."""
    if rules is None:
        return ()
    from hayflick.rules.rule_set import slow_metrics

    return tuple(slow_metrics(rules, SLOW))
