"""Watch a stream of answers: measure its rounds, chart them, and say what has changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from hayflick.core.checks import whole_number
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.progress import Progress, silent
from hayflick.corpus.answers import Answers
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
from hayflick.rules.rule_set import decisions, slow_metrics

if TYPE_CHECKING:
    from hayflick.rules.rule_set import RuleSet
    from hayflick.storage.embedding_cache import EmbeddingCache


_PHRASED_TEXTS = 20_000
_TEMPLATES = 20


def watch(
    answers: Answers,
    *,
    baseline: int = 10,
    charts: Sequence[str] | None = None,
    embedder: Embedder | None = None,
    cache: EmbeddingCache | None = None,
    tokenizer: str = "auto",
    must_keep: Mapping[str, float] | None = None,
    metrics: Sequence[str] = (),
    rules: RuleSet | None = None,
    seed: int = 1,
    progress: Progress = silent,
) -> WatchResult:
    """Watch answers round by round.

    All answers together are watched, and every group by itself. The charts of one
    description share its rate of false alarms evenly, so that the rate holds for all of them.

    Parameters
    ----------
    answers
        What was said; `hayflick.corpus.answers.read_answers` reads it.
    baseline
        How many rounds, the first ones, are healthy. The first fifth of them sets the scale of
        distances, the rest the limits of guaranteed charts; others take all.
    charts
        Each ``[METRIC=]CHART``, as ``guaranteed:tolerance=0.02`` or ``distinct_2=cusum``. None
        for ``guaranteed`` on the spread of the answers, and a cusum on every column of values.
    embedder
        Turns texts into vectors; the built-in one where None. Not used where the answers have
        vectors.
    cache
        Of vectors; None for none.
    tokenizer
        How texts are split into words.
    must_keep
        Words or phrases with weights; their ``retention`` is measured.
    metrics
        Slow metrics that are measured too: ``drift``, ``near_duplicate_rate``.
    rules
        Rules that decide about the readings. Their baseline is taken, and without `charts`
        nothing else is charted. None for none.
    seed
        Of the pairs and of whatever else is drawn.
    progress
        Told the answers that are done.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or there are fewer rounds than the baseline's.
    DataError
        If a chart that was asked for cannot be made; it says how many readings it takes.
    """
    if rules is not None:
        baseline, charts = rules.rules.baseline, charts or ()
        metrics = (*metrics, *slow_metrics(rules, SLOW))
    baseline = _checked_baseline(baseline, answers)
    seed = whole_number("seed", seed, at_least=0)
    asked = _asked(charts, answers)
    how = MeasurementSettings(
        baseline=baseline,
        scaling=scaling_rounds(baseline),
        embedder=_embedder(embedder, answers),
        cache=cache,
        tokenizer=tokenizer,
        must_keep=must_keep or {},
        slow=_slow(metrics, asked),
        seed=seed,
    )
    seen = observe(answers, how=how, progress=progress)
    made, missing = run_charts(seen.readings, asked, baseline=baseline, scaling=how.scaling)
    if asked and not made:
        raise DataError(f"{answers.name}: nothing can be watched: {_why(missing, seen)}")
    return WatchResult(
        name=answers.name,
        rounds=answers.rounds,
        baseline=baseline,
        readings=seen.readings,
        charts=made,
        unwatched=missing,
        templates=_templates(answers, how, made),
        typical_before=[] if seen.first is None else seen.first.typical(),
        typical_now=[] if seen.last is None else seen.last.typical(),
        answers=len(answers.frame),
        bad=answers.bad,
        rules=rules,
        decided=() if rules is None else decisions(rules, seen.readings),
        settings=_settings(answers, how, asked, rules),
        seed=seed,
    )


def _checked_baseline(baseline: int, answers: Answers) -> int:
    baseline = whole_number("baseline", baseline, at_least=2)
    if baseline >= len(answers.rounds):
        takes = f"less than the {len(answers.rounds)} rounds of {answers.name}"
        raise ArgumentError("baseline", got=baseline, takes=takes)
    return baseline


def _asked(charts: Sequence[str] | None, answers: Answers) -> tuple[ChartRequest, ...]:
    columns = answers.frame.columns
    values = [name.removeprefix(VALUE) for name in columns if name.startswith(VALUE)]
    has_vectors = "text" in columns or answers.vectors is not None
    return chart_requests(charts, values=values, has_vectors=has_vectors)


def _why(missing: Sequence[MissingChart], seen: Observation) -> str:
    """Return why there is no chart: nobody is to take silence for health."""
    if missing:
        return missing[0].reason
    if any("rms_distance" in reading.values for reading in seen.readings[""]):
        return "the first rounds' answers are all alike, so there is no spread to lose"
    return "no round has two answers that could be compared; give --text, --vectors or --value"


def _embedder(embedder: Embedder | None, answers: Answers) -> Embedder | None:
    if answers.vectors is not None or "text" not in answers.frame.columns:
        return None
    if embedder is not None:
        return embedder
    from hayflick.embed.hashing import HashingEmbedder

    return HashingEmbedder()


def _slow(metrics: Sequence[str], asked: Sequence[ChartRequest]) -> frozenset[str]:
    for name in metrics:
        if name not in SLOW:
            metric_named(name)
            takes = f"one of {', '.join(SLOW)}; all others are measured anyway"
            raise ArgumentError("metric", got=name, takes=takes)
    charted = {"drift" if one.metric == "drift_p" else one.metric for one in asked}
    return frozenset(metrics) | (charted & set(SLOW))


def _templates(
    answers: Answers, how: MeasurementSettings, made: Sequence[ChartHistory]
) -> tuple[Template, ...]:
    """Return phrases that changed between the baseline and the new state.

    The new state begins with the first alarm, else it is as long as the baseline.
    """
    if "text" not in answers.frame.columns:
        return ()
    alarms = [chart.first_alarm.round for chart in made if chart.first_alarm is not None]
    start = min(alarms, default=max(how.baseline + 1, len(answers.rounds) - how.baseline + 1))
    before = answers.frame.filter(pl.col("round") <= how.baseline)
    now = answers.frame.filter(pl.col("round") >= start)
    sides = [_phrases(frame["text"].drop_nulls(), how.seed) for frame in (now, before)]
    if not all(side.texts for side in sides):
        return ()
    return templates(sides[0], baseline=sides[1], most=_TEMPLATES)


def _phrases(texts: pl.Series, seed: int) -> PhraseCounts:
    if len(texts) > _PHRASED_TEXTS:
        texts = texts.sample(_PHRASED_TEXTS, seed=seed)
    return PhraseCounts.of(texts.to_list())


def _settings(
    answers: Answers, how: MeasurementSettings, asked: Sequence[ChartRequest], rules: RuleSet | None
) -> dict[str, Any]:
    return {
        "answers": answers.name,
        "rounds": len(answers.rounds),
        "baseline": how.baseline,
        "charts": [one.text for one in asked],
        "embedder": None if how.embedder is None else how.embedder.id,
        "tokenizer": how.tokenizer,
        "must_keep": len(how.must_keep),
        "metrics": sorted(how.slow),
        "rules": None if rules is None else rules.name,
    }
