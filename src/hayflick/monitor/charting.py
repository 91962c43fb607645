"""Readings to the courses of charts: who is watched, from which baseline, with what result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.records import Reading
from hayflick.detection.early_warning import Projection, early_warning
from hayflick.detection.guaranteed import FALSE_ALARMS, GuaranteedChart
from hayflick.detection.parsing import ChartSpec, parse_chart
from hayflick.detection.stream_chart import StreamChart
from hayflick.diversity.metrics import METRICS, Direction, metric_named
from hayflick.diversity.observing import SPREAD
from hayflick.monitor.watch_result import ChartHistory, MissingChart

DEFAULT_CHART = "guaranteed"
DEFAULT_VALUE_CHART = "cusum:run_length=1000"

_HEALTHY = {Direction.HIGHER: "falls", Direction.LOWER: "rises", Direction.STEADY: "both"}


@dataclass(frozen=True)
class ChartRequest:
    """A chart that is asked for.

    Parameters
    ----------
    text
        As it was asked for, in the grammar of the command line.
    metric
        What it reads.
    design
        The chart, before there is a baseline.
    required
        Whether it is an error if it cannot be made.

    Examples
    --------
    >>> ChartRequest.parsed("distinct_2=shewhart:run_length=200").metric
    'distinct_2'
    >>> ChartRequest.parsed("guaranteed:tolerance=0.02").metric
    'spread'
    """

    text: str
    metric: str
    design: ChartSpec
    required: bool = True

    @classmethod
    def parsed(
        cls, text: str, *, values: Sequence[str] = (), required: bool = True
    ) -> ChartRequest:
        """Return the chart that ``[METRIC=]CHART`` names; ``spread`` is the metric without one.

        Parameters
        ----------
        text
            What was asked for.
        values
            Names of further numbers that can be charted beside the metrics.
        required
            Whether it is an error if the chart cannot be made.

        Raises
        ------
        ArgumentError
            If there is no such metric or chart; the nearest names are offered.
        """
        head, equals, rest = text.partition("=")
        named = bool(equals) and ":" not in head
        metric, chart = (head, rest) if named else (SPREAD, text)
        direction = "both"
        if metric not in values:
            direction = _HEALTHY[metric_named(metric).healthy]
        design = _directed(parse_chart(chart), direction)
        if design.kind is GuaranteedChart and metric != SPREAD:
            takes = f"{SPREAD} with the chart guaranteed; shewhart, ewma and cusum take any metric"
            raise ArgumentError("chart", got=text, takes=takes)
        return cls(text, metric, design, required)

    def shared_by(self, charts: int) -> ChartRequest:
        """Return the chart as one of several that share its rate of false alarms evenly."""
        return replace(self, design=self.design.shared_by(charts))


def _directed(design: ChartSpec, direction: str) -> ChartSpec:
    """Return the chart for the direction that is not healthy, unless one was named."""
    if "direction" in design.settings:
        return design
    if design.kind is GuaranteedChart and direction == "both":
        return design
    return replace(design, settings={**design.settings, "direction": direction})


def chart_requests(
    texts: Sequence[str] | None, *, values: Sequence[str], has_vectors: bool
) -> tuple[ChartRequest, ...]:
    """Return the charts that are asked for, or those that are kept where none is.

    Raises
    ------
    ArgumentError
        If one is not understood, one is asked for twice, or it reads what there is not.
    """
    taken = {metric.name for metric in METRICS} & set(values)
    if taken:
        takes = "a column that is not called like a metric; rename it"
        raise ArgumentError("value", got=min(taken), takes=takes)
    if texts is None:
        spread = [ChartRequest.parsed(DEFAULT_CHART, required=False)] if has_vectors else []
        series = [
            ChartRequest.parsed(f"{name}={DEFAULT_VALUE_CHART}", values=values, required=False)
            for name in values
        ]
        return (*spread, *series)
    asked = tuple(ChartRequest.parsed(text, values=values) for text in texts)
    repeated = [text for text in texts if list(texts).count(text) > 1]
    if repeated:
        raise ArgumentError("chart", got=repeated[0], takes="each chart once")
    return asked


def run_charts(
    readings: Mapping[str, Sequence[Reading]],
    asked: Sequence[ChartRequest],
    *,
    baseline: int,
    scaling: int,
) -> tuple[tuple[ChartHistory, ...], tuple[MissingChart, ...]]:
    """Return the courses of all charts, and what could not be charted.

    The charts of one description share its rate of false alarms evenly over the groups.

    Parameters
    ----------
    readings
        By group, one per round, the empty name for all answers together.
    asked
        The charts.
    baseline
        How many rounds, the first ones, are healthy.
    scaling
        How many of these set the scale of the scores, and are in no guaranteed chart.

    Raises
    ------
    DataError
        If a chart that is required cannot be made of all answers.
    """
    made: list[ChartHistory] = []
    missing: list[MissingChart] = []
    for one in asked:
        groups = [group for group, found in readings.items() if _is_read(one, found)]
        if not groups:
            _refuse(one)
        for group in groups:
            # The rounds that set the scale of the scores say nothing about their mean.
            first = scaling if one.design.kind is GuaranteedChart else 0
            try:
                shared = one.shared_by(len(groups))
                made.append(_course(shared, readings[group], group, slice(first, baseline)))
            except DataError as fault:
                if one.required and not group:
                    raise
                missing.append(MissingChart(one.text, one.metric, group, str(fault)))
    return tuple(made), tuple(missing)


def scaling_rounds(baseline: int) -> int:
    """Return how many rounds of a baseline set the scale of distances: a fifth.

    Examples
    --------
    >>> scaling_rounds(10), scaling_rounds(2)
    (2, 1)
    """
    return max(1, baseline // 5)


def _is_read(one: ChartRequest, readings: Sequence[Reading]) -> bool:
    return any(one.metric in reading.values for reading in readings)


def _refuse(one: ChartRequest) -> None:
    if one.required:
        remedy = "see what it is made from: hayflick watch --list-metrics"
        raise DataError(f"{one.metric}: no round has a reading of it; {remedy}")


def _course(
    one: ChartRequest, readings: Sequence[Reading], group: str, baseline: slice
) -> ChartHistory:
    healthy = readings[baseline]
    chart = one.design.start(healthy, metric=one.metric)
    verdicts = tuple(map(chart.update, readings[baseline.stop :]))
    threshold = _threshold(chart)
    return ChartHistory(
        text=one.text,
        metric=one.metric,
        group=group,
        baseline=len(healthy),
        verdicts=verdicts,
        threshold=threshold,
        warnings=chart.warnings,
        rate=_rate(chart, one),
        projection=_projection(chart, readings, threshold, one.design.settings),
    )


def _rate(chart: StreamChart[Any], one: ChartRequest) -> float | None:
    """Return the false alarms per reading that a chart of the sum form promises."""
    settings = one.design.settings
    if not isinstance(chart, GuaranteedChart) or settings.get("form", "sum") != "sum":
        return None
    return float(settings.get("false_alarms", FALSE_ALARMS))


def _threshold(chart: StreamChart[Any]) -> float | None:
    """Return the limit in the metric's own units, where a chart has one there."""
    return chart.threshold if isinstance(chart, GuaranteedChart) else None


def _projection(
    chart: StreamChart[Any],
    readings: Sequence[Reading],
    threshold: float | None,
    settings: Mapping[str, Any],
) -> Projection | None:
    """Return when a falling metric reaches its limit; None where there is none to fall to."""
    if threshold is None or threshold <= 0.0 or settings.get("direction") == "rises":
        return None
    ahead = early_warning(readings, metric=chart.metric, limit=threshold)
    if ahead.round is not None and ahead.round <= len(readings):
        return replace(ahead, round=None, reason="the limit is reached already, by the fit")
    return ahead
