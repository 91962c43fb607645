"""Which charts a stream gets, those that are asked for or the panel, and what they lack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hayflick.core.errors import ArgumentError
from hayflick.core.notes import translatable
from hayflick.core.records import Reading
from hayflick.detection.guaranteed import GuaranteedChart
from hayflick.detection.parsing import ChartSpec, parse_chart
from hayflick.diversity.metrics import METRICS, Direction, metric_named
from hayflick.diversity.observing import BETWEEN_PROMPTS, SLOW, SPREAD
from hayflick.monitor.mix_changes import is_unread
from hayflick.monitor.panel import panel_charts
from hayflick.monitor.watch_result import UnreadMetric

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


def stream_requests(
    charts: Sequence[str] | None,
    *,
    has_vectors: bool,
    has_text: bool,
    has_prompts: bool,
    values: Sequence[str],
) -> tuple[ChartRequest, ...]:
    """Return the charts that are asked for; where None are, those of the panel.

    Parameters
    ----------
    charts
        In the grammar of the command line.
    has_vectors, has_text, has_prompts
        What answers have; texts have vectors.
    values
        Names of further numbers.

    Raises
    ------
    ArgumentError
        As `chart_requests` and `panel_requests`.
    """
    if charts is not None:
        return chart_requests(charts, values=values)
    panel = panel_charts(
        has_vectors=has_vectors or has_text,
        has_text=has_text,
        has_prompts=has_prompts,
        values=values,
    )
    return panel_requests(panel, values=values)


def slow_metrics_of(metrics: Sequence[str], requests: Sequence[ChartRequest]) -> frozenset[str]:
    """Return the slow metrics that are asked for, or charted.

    Raises
    ------
    ArgumentError
        If one is asked for that is not slow.
    """
    for name in metrics:
        if name not in SLOW:
            metric_named(name)
            takes = f"one of {', '.join(SLOW)}; all others are measured anyway"
            raise ArgumentError("metric", got=name, takes=takes)
    charted = {"drift" if request.metric == "drift_p" else request.metric for request in requests}
    return frozenset(metrics) | (charted & set(SLOW))


def unread_metrics(
    readings: Sequence[Reading],
    requests: Sequence[ChartRequest],
    *,
    metrics: Sequence[str],
    values: Sequence[str],
    must_keep: bool,
    has_text: bool,
) -> tuple[UnreadMetric, ...]:
    """Return the metrics that were asked for and lack readings, with the reason.

    Parameters
    ----------
    readings
        Those of all answers together.
    requests
        The charts.
    metrics, values
        Slow metrics that were asked for, and names of further numbers.
    must_keep, has_text
        Whether there is a list of what is to be kept, and whether there are texts.
    """
    few = translatable("too few answers to measure it")
    reasons = dict.fromkeys((*(request.metric for request in requests), *metrics), few)
    if must_keep:
        reasons["retention"] = few if has_text else translatable("there is no text")
    for name in values:
        reasons[name] = translatable("its column has no number there")
    # Rounds whose groups lack answers are named as such.
    measured = [reading.values for reading in readings if not is_unread(reading)]
    found = []
    for metric, reason in reasons.items():
        rounds = sum(metric not in one for one in measured)
        found += [UnreadMetric(metric, rounds, reason)] if rounds else []
    return tuple(found)


def _check_names(values: Sequence[str]) -> None:
    taken = {metric.name for metric in METRICS} & set(values)
    if taken:
        takes = "a column that is not called like a metric; rename it"
        raise ArgumentError("value", got=min(taken), takes=takes)
