"""Which charts a stream gets, and what each of them says of the readings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import stdtrit

from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.notes import translatable
from hayflick.core.records import Reading
from hayflick.detection.baseline import Baseline
from hayflick.detection.control_chart import ControlChart
from hayflick.detection.dependence import DependenceTests
from hayflick.detection.early_warning import Projection, early_warning
from hayflick.detection.evidence import FALSE_ALARMS
from hayflick.detection.guaranteed import GuaranteedChart
from hayflick.detection.parsing import ChartSpec, parse_chart
from hayflick.detection.power import DetectableLoss, detectable_losses
from hayflick.detection.rank import RankChart
from hayflick.diversity.metrics import METRICS, Direction, metric_named
from hayflick.diversity.observing import BETWEEN_PROMPTS, SPREAD
from hayflick.monitor.panel import ChartPanel, shares
from hayflick.monitor.watch_result import RAREFIED, ChartHistory, MetricChange, MissingChart

SCORED = (SPREAD, BETWEEN_PROMPTS)
"""Metrics with scores of pairs, which the guaranteed chart takes."""

_HARMFUL = {Direction.HIGHER: "falls", Direction.LOWER: "rises", Direction.STEADY: "both"}


@dataclass(frozen=True)
class ChartRequest:
    """A chart that is to be made of all answers and of every group.

    Parameters
    ----------
    text
        The request in the grammar of the command line.
    metric
        Name of the metric.
    spec
        The chart, before there is a baseline.
    required
        Whether it is an error if the chart cannot be made.
    weight
        Share of the panel's rate of false alarms that the charts of this request have; None for
        a chart outside of the panel, whose rate is its own.

    Examples
    --------
    >>> ChartRequest.parsed("distinct_2=shewhart:run_length=200").metric
    'distinct_2'
    >>> ChartRequest.parsed("guaranteed:tolerance=0.02").metric
    'spread'
    """

    text: str
    metric: str
    spec: ChartSpec
    required: bool = True
    weight: float | None = None

    @classmethod
    def parsed(
        cls,
        text: str,
        *,
        values: Sequence[str] = (),
        required: bool = True,
        weight: float | None = None,
    ) -> ChartRequest:
        """Return the chart that ``[METRIC=]CHART`` names; without a metric, it is ``spread``.

        A chart without a direction alarms in the one that is not healthy for the metric.

        Parameters
        ----------
        text
            The request.
        values
            Names of further numbers that can be charted beside the metrics.
        required, weight
            See the class.

        Raises
        ------
        ArgumentError
            If there is no such metric or chart; the nearest names are offered.
        """
        metric, chart = _split(text, values)
        harmful = "both" if metric in values else _HARMFUL[metric_named(metric).healthy]
        spec = parse_chart(chart)
        if spec.kind is GuaranteedChart and metric not in SCORED:
            takes = f"{' or '.join(SCORED)} with the chart guaranteed; others take any metric"
            raise ArgumentError("chart", got=text, takes=takes)
        if spec.has_rate and harmful == "both":
            harmful = "falls"
        spec = replace(spec, settings={"direction": harmful, **spec.settings})
        return cls(text, metric, spec, required, weight)


def _split(text: str, values: Sequence[str]) -> tuple[str, str]:
    """Return metric and chart; a column's name may hold the signs of the grammar."""
    for name in sorted(values, key=len, reverse=True):
        if text.startswith(f"{name}="):
            return name, text[len(name) + 1 :]
    head, equals, rest = text.partition("=")
    return (head, rest) if equals and ":" not in head else (SPREAD, text)


def chart_requests(texts: Sequence[str], *, values: Sequence[str]) -> tuple[ChartRequest, ...]:
    """Return the charts that are requested.

    Raises
    ------
    ArgumentError
        If a chart is not understood or requested twice, or a value is named like a metric.
    """
    _check_names(values)
    requests = tuple(ChartRequest.parsed(text, values=values) for text in texts)
    repeated = [text for text in texts if list(texts).count(text) > 1]
    if repeated:
        raise ArgumentError("chart", got=repeated[0], takes="each chart once")
    return requests


def panel_requests(charts: Sequence[str], *, values: Sequence[str]) -> tuple[ChartRequest, ...]:
    """Return the charts of the panel, each with the same weight.

    Parameters
    ----------
    charts
        What `hayflick.monitor.panel.panel_charts` returned.
    values
        Names of further numbers that are charted.

    Raises
    ------
    ArgumentError
        If a value is named like a metric.
    """
    _check_names(values)
    return tuple(
        ChartRequest.parsed(text, values=values, required=False, weight=1.0 / len(charts))
        for text in charts
    )


def _check_names(values: Sequence[str]) -> None:
    taken = {metric.name for metric in METRICS} & set(values)
    if taken:
        takes = "a column that is not called like a metric; rename it"
        raise ArgumentError("value", got=min(taken), takes=takes)


def run_charts(
    readings: Mapping[str, Sequence[Reading]],
    requests: Sequence[ChartRequest],
    *,
    baseline: int,
    scaling: int,
    panel: ChartPanel | None = None,
    powers: dict[str, tuple[DetectableLoss, ...]] | None = None,
) -> tuple[tuple[ChartHistory, ...], tuple[MissingChart, ...]]:
    """Return the histories of all charts, and the charts that could not be made.

    The charts of one request share its rate of false alarms evenly over the groups; requests with
    a weight share the rate of the panel.

    Parameters
    ----------
    readings
        By group, one per round; the empty name stands for all answers together.
    requests
        The charts.
    baseline
        Number of healthy rounds at the beginning.
    scaling
        How many of these set the scale of the scores, and are in no guaranteed chart.
    panel
        The rate that requests with a weight share; the default one for None.
    powers
        What charts were found to detect on this baseline, which takes half a second; what is
        found now is added.

    Raises
    ------
    DataError
        If a chart that is required cannot be made of all answers.
    """
    histories: list[ChartHistory] = []
    missing: list[MissingChart] = []
    for request in requests:
        groups = [name for name, series in readings.items() if _has_metric(series, request.metric)]
        if not groups:
            missing.append(_unread(request, readings[""], baseline=baseline, scaling=scaling))
        elif groups != [""]:
            # Some metrics are those of all answers together alone.
            lacking = [name for name in readings if name not in set(groups)]
            missing += [
                MissingChart(request.text, request.metric, name, _NO_READING) for name in lacking
            ]
        # The rounds that set the scale of the scores say nothing about their mean.
        first = scaling if request.spec.kind is GuaranteedChart else 0
        specs = _specs(request, groups, panel or ChartPanel())
        for group, (spec, weight) in specs.items():
            try:
                histories.append(
                    _history(
                        request,
                        group,
                        spec,
                        readings[group],
                        first=first,
                        baseline=baseline,
                        weight=weight,
                        groups=sum(map(bool, specs)),
                        powers={} if powers is None else powers,
                    )
                )
            except DataError as fault:
                if request.required and not group:
                    raise
                missing.append(MissingChart(request.text, request.metric, group, str(fault)))
    return tuple(histories), tuple(missing)


def _specs(
    request: ChartRequest, groups: Sequence[str], panel: ChartPanel
) -> dict[str, tuple[ChartSpec, float | None]]:
    """Return the chart of each group at its share of the rate, and its weight in the panel."""
    if request.weight is None:
        return dict.fromkeys(groups, (request.spec.shared_by(max(1, len(groups))), None))
    specs: dict[str, tuple[ChartSpec, float | None]] = {}
    for group, share in shares(groups).items():
        weight = share * request.weight
        spec = request.spec.with_rate(weight * panel.alpha)
        specs[group] = replace(spec, settings={**spec.settings, "form": panel.form}), weight
    return specs


def _history(
    request: ChartRequest,
    group: str,
    spec: ChartSpec,
    series: Sequence[Reading],
    *,
    first: int,
    baseline: int,
    weight: float | None,
    groups: int,
    powers: dict[str, tuple[DetectableLoss, ...]],
) -> ChartHistory:
    metric = request.metric
    healthy = series[first:baseline]
    _check_can_fall(healthy, metric)
    chart = spec.start(healthy, metric=metric)
    # Before the chart has taken up any reading.
    power: tuple[DetectableLoss, ...] = ()
    if not group and weight is not None:
        settings = f"{request.text} {sorted(spec.settings.items())}"
        power = powers[settings] = powers.get(settings) or _power(chart, healthy)
    verdicts = tuple(map(chart.update, series[baseline:]))
    dependence = Baseline.of_values(series[:baseline], metric=metric).dependence
    threshold = chart.threshold if isinstance(chart, GuaranteedChart) else None
    return ChartHistory(
        text=request.text,
        metric=metric,
        group=group,
        baseline=len(healthy),
        verdicts=verdicts,
        threshold=threshold,
        warnings=_warnings(chart, healthy, dependence),
        dependence=dependence,
        rate=_false_alarm_rate(spec) if weight is None else None,
        projection=_projection(chart, series, threshold, spec.settings),
        weight=weight,
        change=_change(series, metric, baseline, among=groups if group else 1),
        power=power,
    )


def _warnings(
    chart: ControlChart[Any], healthy: Sequence[Reading], dependence: DependenceTests
) -> tuple[str, ...]:
    """Return the warnings of a chart; what depends on the order is said of the whole baseline."""
    metric = chart.metric
    scored = isinstance(chart, GuaranteedChart)
    of_chart = (Baseline.of_scores if scored else Baseline.of_values)(healthy, metric=metric)
    said = set(map(str, of_chart.dependence.notes(metric)))
    others = [warning for warning in chart.warnings if warning not in said]
    return (*map(str, dependence.notes(metric)), *others)


def _power(chart: ControlChart[Any], healthy: Sequence[Reading]) -> tuple[DetectableLoss, ...]:
    if isinstance(chart, RankChart):
        return detectable_losses(chart, Baseline.of_values(healthy, metric=chart.metric))
    if isinstance(chart, GuaranteedChart):
        return detectable_losses(chart, Baseline.of_scores(healthy, metric=chart.metric))
    return ()


_LOWEST = {"effective_words": 1.0, "effective_answers": 1.0, SPREAD: 0.0, BETWEEN_PROMPTS: 0.0}
_ROUNDING = 1e-9


def _check_can_fall(healthy: Sequence[Reading], metric: str) -> None:
    """Refuse a baseline in which everything is lost already."""
    found = Baseline.of_values(healthy, metric=metric).series
    lowest = _LOWEST.get(metric)
    if lowest is not None and found.size and float(found.max()) <= lowest + _ROUNDING:
        reason = _without_size(healthy, metric) if metric in RAREFIED else _NO_READING
        if reason != _NO_READING:
            raise DataError(reason)
        raise DataError(
            f"every reading of {metric} is at its lowest, {lowest:g}; nothing can be lost"
        )


_LATEST = 5


def _change(
    series: Sequence[Reading], metric: str, baseline: int, *, among: int = 1
) -> MetricChange | None:
    """Return how the last readings compare with the baseline; None without either."""
    healthy = Baseline.of_values(series[:baseline], metric=metric)
    later = Baseline.of_values(series[baseline:], metric=metric).series[-_LATEST:]
    if not healthy.readings or not later.size:
        return None
    before, now = float(np.median(healthy.series)), float(np.median(later))
    # The standard error of a median of normal numbers, for both medians.
    sizes = 1.0 / healthy.readings + 1.0 / later.size
    error = math.sqrt(math.pi / 2.0 * sizes) * healthy.deviation if healthy.readings > 1 else 0.0
    return MetricChange(before, now, error, _clear_at(healthy.readings, among))


def _clear_at(readings: int, among: int) -> float:
    """Return the standard errors that one of many groups has to move for a clear change.

    Two, as of all answers, are surpassed by chance in one case of 44; of G groups, each gets a part
    of that chance, by Student's law, as the scatter of few rounds is itself uncertain.
    """
    if among == 1:
        return 2.0
    return min(_MOST_ERRORS, float(stdtrit(max(1, readings - 1), 1.0 - _CHANCE / among)))


_CHANCE, _MOST_ERRORS = 0.02275, 12.0


_NO_READING = translatable("no round has a reading of it")


def _unread(
    request: ChartRequest, readings: Sequence[Reading], *, baseline: int, scaling: int
) -> MissingChart:
    """Return why a chart cannot be made of a metric that no round has a reading of."""
    reason = _NO_READING
    if request.metric == SPREAD:
        reason = _without_spread(readings, scaling)
    elif request.metric == BETWEEN_PROMPTS and _has_metric(readings, "unpaired_answers"):
        reason = translatable("no two prompts are asked in every round of the baseline")
    elif request.metric in RAREFIED and _has_metric(readings, "answers"):
        reason = _without_size(readings[:baseline], request.metric)
    if request.required and reason == _NO_READING:
        raise DataError(f"{request.metric}: {_NO_READING}; {_remedy(request.metric)}")
    return MissingChart(request.text, request.metric, "", reason)


def _remedy(metric: str) -> str:
    """Return what to do about a metric without a reading."""
    if metric in {known.name for known in METRICS}:
        return "see what it is made from: hayflick watch --list-metrics"
    return "its column holds no number"


def _without_spread(readings: Sequence[Reading], scaling: int) -> str:
    """Return why no round has a spread: no pairs at all, none at first, or pairs without one."""
    pairs = [_pairs(reading) for reading in readings]
    if not any(pairs):
        # Without prompts, at most one answer of a round has no partner.
        if any(reading.values.get("unpaired_answers", 0.0) > 1.0 for reading in readings):
            return translatable(
                "no round has two answers to the same prompt, and pairs are within a prompt"
            )
        return translatable("no round has two answers that could be compared")
    if not any(pairs[:scaling]):
        return translatable(
            "the first rounds of the baseline, which set the scale of distances, have no two "
            "answers that could be compared"
        )
    if any(reading.values.get("rms_distance", 0.0) > 0.0 for reading in readings[:scaling]):
        return translatable(
            "at least half of the pairs of answers in the first rounds are exactly alike, so "
            "there is no distance to measure others by"
        )
    return translatable("the first rounds' answers are all alike, so there is no spread to lose")


def _pairs(reading: Reading) -> float:
    """Return the number of answers of a round that have a partner."""
    values = reading.values
    if "unpaired_answers" not in values:
        return 0.0
    left = values.get("empty_answers", 0.0) + values["unpaired_answers"]
    return values.get("answers", 0.0) - left


def _without_size(healthy: Sequence[Reading], metric: str) -> str:
    """Return why a number that is measured at one size cannot be told."""
    answers = [one.values.get("answers", 0.0) - _empty(one) for one in healthy]
    if not any(answers):
        return translatable("the rounds of the baseline have no answer that is not empty")
    if metric == "effective_answers" and min(one for one in answers if one) < _LEAST_ANSWERS:
        return translatable(
            "a round of the baseline has fewer than 4 answers, half of which are too few"
        )
    return _NO_READING


_LEAST_ANSWERS = 4.0


def _empty(reading: Reading) -> float:
    return reading.values.get("empty_answers", 0.0)


def scaling_rounds(baseline: int) -> int:
    """Return how many rounds of a baseline set the scale of distances: a fifth.

    Examples
    --------
    >>> scaling_rounds(10), scaling_rounds(2)
    (2, 1)
    """
    return max(1, baseline // 5)


def _has_metric(readings: Sequence[Reading], metric: str) -> bool:
    return any(metric in reading.values for reading in readings)


def _false_alarm_rate(spec: ChartSpec) -> float | None:
    """Return the false alarms per reading that a chart of the sum form with a rate allows."""
    if not spec.has_rate or spec.settings.get("form", "sum") != "sum":
        return None
    return float(spec.settings.get("false_alarms", FALSE_ALARMS))


def _projection(
    chart: ControlChart[Any],
    readings: Sequence[Reading],
    threshold: float | None,
    settings: Mapping[str, Any],
) -> Projection | None:
    """Return when a falling metric reaches its limit; None without a limit to fall to."""
    if threshold is None or threshold <= 0.0 or settings.get("direction") == "rises":
        return None
    projected = early_warning(readings, metric=chart.metric, limit=threshold)
    if projected.round is not None and projected.round <= len(readings):
        return replace(projected, round=None, reason="the limit is reached already, by the fit")
    return projected
