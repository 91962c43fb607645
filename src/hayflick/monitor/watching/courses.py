"""Readings to the courses of charts: who is watched, from which baseline, with what result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hayflick.core.errors import DataError
from hayflick.core.records import Reading
from hayflick.detection.early_warning import Projection, early_warning
from hayflick.detection.guaranteed import FALSE_ALARMS, GuaranteedChart
from hayflick.detection.stream_chart import StreamChart
from hayflick.monitor.watching.plan_of_charts import Watch
from hayflick.monitor.watching.watched import Unwatched, WatchedChart


def charted(
    readings: Mapping[str, Sequence[Reading]],
    asked: Sequence[Watch],
    *,
    baseline: int,
    scaling: int,
) -> tuple[tuple[WatchedChart, ...], tuple[Unwatched, ...]]:
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
    made: list[WatchedChart] = []
    missing: list[Unwatched] = []
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
                missing.append(Unwatched(one.text, one.metric, group, str(fault)))
    return tuple(made), tuple(missing)


def scaling_rounds(baseline: int) -> int:
    """Return how many rounds of a baseline set the scale of distances: a fifth.

    Examples
    --------
    >>> scaling_rounds(10), scaling_rounds(2)
    (2, 1)
    """
    return max(1, baseline // 5)


def _is_read(one: Watch, readings: Sequence[Reading]) -> bool:
    return any(one.metric in reading.values for reading in readings)


def _refuse(one: Watch) -> None:
    if one.required:
        remedy = "see what it is made from: hayflick watch --list-metrics"
        raise DataError(f"{one.metric}: no round has a reading of it; {remedy}")


def _course(one: Watch, readings: Sequence[Reading], group: str, baseline: slice) -> WatchedChart:
    healthy = readings[baseline]
    chart = one.design.start(healthy, metric=one.metric)
    verdicts = tuple(map(chart.update, readings[baseline.stop :]))
    threshold = _threshold(chart)
    return WatchedChart(
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


def _rate(chart: StreamChart[Any], one: Watch) -> float | None:
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
