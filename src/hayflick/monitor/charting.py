"""Which charts a stream gets, and what each of them says of the readings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.notes import translatable
from hayflick.core.records import Reading
from hayflick.detection.control_chart import ControlChart
from hayflick.detection.early_warning import Projection, early_warning
from hayflick.detection.evidence import FALSE_ALARMS
from hayflick.detection.guaranteed import GuaranteedChart
from hayflick.detection.parsing import ChartSpec, parse_chart
from hayflick.diversity.metrics import METRICS, Direction, metric_named
from hayflick.diversity.observing import SPREAD
from hayflick.monitor.watch_result import ChartHistory, MissingChart

DEFAULT_CHART = "guaranteed"
DEFAULT_VALUE_CHART = "cusum:run_length=1000"

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
        """Return the chart that ``[METRIC=]CHART`` names; without a metric, it is ``spread``.

        A chart without a direction alarms in the one that is not healthy for the metric.

        Parameters
        ----------
        text
            The request.
        values
            Names of further numbers that can be charted beside the metrics.
        required
            Whether it is an error if the chart cannot be made.

        Raises
        ------
        ArgumentError
            If there is no such metric or chart; the nearest names are offered.
        """
        metric, chart = _split(text, values)
        harmful = "both" if metric in values else _HARMFUL[metric_named(metric).healthy]
        spec = parse_chart(chart)
        if spec.kind is GuaranteedChart and metric != SPREAD:
            takes = f"{SPREAD} with the chart guaranteed; shewhart, ewma and cusum take any metric"
            raise ArgumentError("chart", got=text, takes=takes)
        if spec.kind is not GuaranteedChart or harmful != "both":
            spec = replace(spec, settings={"direction": harmful, **spec.settings})
        return cls(text, metric, spec, required)


def _split(text: str, values: Sequence[str]) -> tuple[str, str]:
    """Return metric and chart; a column's name may hold the signs of the grammar."""
    for name in sorted(values, key=len, reverse=True):
        if text.startswith(f"{name}="):
            return name, text[len(name) + 1 :]
    head, equals, rest = text.partition("=")
    return (head, rest) if equals and ":" not in head else (SPREAD, text)


def chart_requests(
    texts: Sequence[str] | None, *, values: Sequence[str], has_vectors: bool
) -> tuple[ChartRequest, ...]:
    """Return the charts that are requested, or the default ones if `texts` is None.

    Raises
    ------
    ArgumentError
        If a chart is not understood or requested twice, or a value is named like a metric.
    """
    taken = {metric.name for metric in METRICS} & set(values)
    if taken:
        takes = "a column that is not called like a metric; rename it"
        raise ArgumentError("value", got=min(taken), takes=takes)
    if texts is None:
        defaults = [DEFAULT_CHART] if has_vectors else []
        defaults += [f"{name}={DEFAULT_VALUE_CHART}" for name in values]
        return tuple(ChartRequest.parsed(one, values=values, required=False) for one in defaults)
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
    """Return the histories of all charts, and the charts that could not be made.

    The charts of one request share its rate of false alarms evenly over the groups.

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

    Raises
    ------
    DataError
        If a chart that is required cannot be made of all answers.
    """
    histories: list[ChartHistory] = []
    missing: list[MissingChart] = []
    for request in requests:
        metric = request.metric
        groups = [name for name, series in readings.items() if _has_metric(series, metric)]
        if not groups:
            missing.append(_unread(request, readings[""]))
        elif groups != [""]:
            # Some metrics are those of all answers together alone.
            lacking = [name for name in readings if name not in set(groups)]
            missing += [MissingChart(request.text, metric, name, _NO_READING) for name in lacking]
        spec = request.spec.shared_by(max(1, len(groups)))
        # The rounds that set the scale of the scores say nothing about their mean.
        first = scaling if spec.kind is GuaranteedChart else 0
        for group in groups:
            series = readings[group]
            try:
                chart = spec.start(series[first:baseline], metric=metric)
            except DataError as fault:
                if request.required and not group:
                    raise
                missing.append(MissingChart(request.text, metric, group, str(fault)))
                continue
            verdicts = tuple(map(chart.update, series[baseline:]))
            threshold = chart.threshold if isinstance(chart, GuaranteedChart) else None
            history = ChartHistory(
                text=request.text,
                metric=metric,
                group=group,
                baseline=len(series[first:baseline]),
                verdicts=verdicts,
                threshold=threshold,
                warnings=chart.warnings,
                rate=_false_alarm_rate(spec),
                projection=_projection(chart, series, threshold, spec.settings),
            )
            histories.append(history)
    return tuple(histories), tuple(missing)


_NO_READING = translatable("no round has a reading of it")


def _unread(request: ChartRequest, readings: Sequence[Reading]) -> MissingChart:
    """Return why a chart cannot be made of a metric that no round has a reading of."""
    reason = _NO_READING
    if request.metric == SPREAD and _has_metric(readings, "rms_distance"):
        reason = translatable(
            "the first rounds' answers are all alike, so there is no spread to lose"
        )
    elif request.metric == SPREAD:
        reason = translatable("no round has two answers that could be compared")
    if request.required and reason == _NO_READING:
        remedy = "see what it is made from: hayflick watch --list-metrics"
        raise DataError(f"{request.metric}: {_NO_READING}; {remedy}")
    return MissingChart(request.text, request.metric, "", reason)


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
    """Return the false alarms per reading that a guaranteed chart of the sum form allows."""
    if spec.kind is not GuaranteedChart or spec.settings.get("form", "sum") != "sum":
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
