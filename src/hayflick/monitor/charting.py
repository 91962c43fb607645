"""Readings to the courses of charts: who is watched, from which baseline, with what result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.records import Reading
from hayflick.detection.control_chart import ControlChart
from hayflick.detection.early_warning import Projection, early_warning
from hayflick.detection.guaranteed import FALSE_ALARMS, GuaranteedChart
from hayflick.detection.parsing import ChartSpec, parse_chart
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
    spec: ChartSpec
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
        spec = _with_direction(parse_chart(chart), direction)
        if spec.kind is GuaranteedChart and metric != SPREAD:
            takes = f"{SPREAD} with the chart guaranteed; shewhart, ewma and cusum take any metric"
            raise ArgumentError("chart", got=text, takes=takes)
        return cls(text, metric, spec, required)

    def shared_by(self, charts: int) -> ChartRequest:
        """Return the chart as one of several that share its rate of false alarms evenly."""
        return replace(self, spec=self.spec.shared_by(charts))


def _with_direction(spec: ChartSpec, direction: str) -> ChartSpec:
    """Return the chart for the direction that is not healthy, unless one was named."""
    if "direction" in spec.settings:
        return spec
    if spec.kind is GuaranteedChart and direction == "both":
        return spec
    return replace(spec, settings={**spec.settings, "direction": direction})


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
    requests = tuple(ChartRequest.parsed(text, values=values) for text in texts)
    repeated = [text for text in texts if list(texts).count(text) > 1]
    if repeated:
        raise ArgumentError("chart", got=repeated[0], takes="each chart once")
    return requests


def run_charts(
    readings: Mapping[str, Sequence[Reading]],
    requests: Sequence[ChartRequest],
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
    histories: list[ChartHistory] = []
    missing: list[MissingChart] = []
    for request in requests:
        groups = [group for group, found in readings.items() if _is_read(request, found)]
        if not groups:
            _refuse_unread(request)
        for group in groups:
            # The rounds that set the scale of the scores say nothing about their mean.
            first = scaling if request.spec.kind is GuaranteedChart else 0
            try:
                shared = request.shared_by(len(groups))
                histories.append(_history(shared, readings[group], group, slice(first, baseline)))
            except DataError as fault:
                if request.required and not group:
                    raise
                missing.append(MissingChart(request.text, request.metric, group, str(fault)))
    return tuple(histories), tuple(missing)


def scaling_rounds(baseline: int) -> int:
    """Return how many rounds of a baseline set the scale of distances: a fifth.

    Examples
    --------
    >>> scaling_rounds(10), scaling_rounds(2)
    (2, 1)
    """
    return max(1, baseline // 5)


def _is_read(request: ChartRequest, readings: Sequence[Reading]) -> bool:
    return any(request.metric in reading.values for reading in readings)


def _refuse_unread(request: ChartRequest) -> None:
    if request.required:
        remedy = "see what it is made from: hayflick watch --list-metrics"
        raise DataError(f"{request.metric}: no round has a reading of it; {remedy}")


def _history(
    request: ChartRequest, readings: Sequence[Reading], group: str, baseline: slice
) -> ChartHistory:
    healthy = readings[baseline]
    chart = request.spec.start(healthy, metric=request.metric)
    verdicts = tuple(map(chart.update, readings[baseline.stop :]))
    threshold = _threshold(chart)
    return ChartHistory(
        text=request.text,
        metric=request.metric,
        group=group,
        baseline=len(healthy),
        verdicts=verdicts,
        threshold=threshold,
        warnings=chart.warnings,
        rate=_rate(chart, request),
        projection=_projection(chart, readings, threshold, request.spec.settings),
    )


def _rate(chart: ControlChart[Any], request: ChartRequest) -> float | None:
    """Return the false alarms per reading that a chart of the sum form promises."""
    settings = request.spec.settings
    if not isinstance(chart, GuaranteedChart) or settings.get("form", "sum") != "sum":
        return None
    return float(settings.get("false_alarms", FALSE_ALARMS))


def _threshold(chart: ControlChart[Any]) -> float | None:
    """Return the limit in the metric's own units, where a chart has one there."""
    return chart.threshold if isinstance(chart, GuaranteedChart) else None


def _projection(
    chart: ControlChart[Any],
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
