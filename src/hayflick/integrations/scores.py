"""The last readings and the verdict of a watched stream as scores, for tools that keep scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hayflick.core.errors import ArgumentError
from hayflick.core.records import State
from hayflick.monitor.watch_result import WatchResult
from hayflick.report.language import Language, metric_label
from hayflick.report.rendering import significant
from hayflick.report.watch_findings import WatchFindings

VERDICT = "verdict"


@dataclass(frozen=True, kw_only=True)
class WatchScore:
    """A number or the verdict of a stream's last round.

    Parameters
    ----------
    name
        The metric, or ``verdict``.
    group
        Whose answers; empty for all together.
    round
        Name of the round.
    value
        The reading; None for the verdict, and where there is no reading.
    label
        The state: ``healthy``, ``falling``, ``alarm`` or ``no reading``.
    explanation
        A sentence for people.
    """

    name: str
    group: str
    round: str
    value: float | None
    label: str
    explanation: str


def last_scores(result: WatchResult, *, metrics: Sequence[str] | None = None) -> list[WatchScore]:
    """Return the verdict and the readings of the last round, of all answers and of every group.

    Parameters
    ----------
    result
        What `hayflick.watch` returned.
    metrics
        The metrics to take; None for those that are charted, or all where none is.

    Raises
    ------
    ArgumentError
        If a metric was not measured.
    """
    charted = list(dict.fromkeys(chart.metric for chart in result.charts))
    measured = result.metrics()
    names = (charted or measured) if metrics is None else list(metrics)
    for name in names:
        if name not in measured and name not in charted:
            raise ArgumentError("metrics", got=name, takes=f"any of {', '.join(measured)}")
    english = Language("en")
    verdict = WatchScore(
        name=VERDICT,
        group="",
        round=result.rounds[-1],
        value=None,
        label=result.verdict.value,
        explanation=f"{result.name}: {WatchFindings(result, english).verdict()}",
    )
    scores = [
        _score(result, name, group, english)
        for group in result.readings
        for name in names
        # A group may lack a metric from the first round on, as groups have no distance apart.
        if name in result.metrics(group=group)
    ]
    return [verdict, *scores]


def _score(result: WatchResult, metric: str, group: str, language: Language) -> WatchScore:
    last = result.readings[group][-1]
    value = last.values.get(metric)
    charts = [one for one in result.charts if (one.metric, one.group) == (metric, group)]
    if any(one.first_alarm is not None for one in charts):
        state = State.ALARM
    elif value is None:
        state = State.NO_READING
    else:
        state = State.FALLING if any(one.has_fallen for one in charts) else State.HEALTHY
    said = "no reading" if value is None else significant(value)
    about = f" of {group}" if group else ""
    sentence = f"{metric_label(metric, language)}{about} in round {last.name}: {said}"
    change = next((one.change for one in charts if one.change is not None), None)
    if change is not None:
        sentence += f", {significant(change.before)} in the baseline"
    return WatchScore(
        name=metric,
        group=group,
        round=last.name,
        value=value,
        label=state.value,
        explanation=sentence,
    )
