"""How a watched stream is after its last round: what `gate` reads from a state.

An alarm that is over does not stop a pipeline for ever: what counts is how the charts stand in the
last round, as it does in the service. The verdict of a result is about all rounds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any

from hayflick.core.records import State, Verdict
from hayflick.monitor.alarms import stands
from hayflick.monitor.watch_result import ChartHistory, WatchResult


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamHealth:
    """How a stream is after its last round.

    Parameters
    ----------
    state
        ``alarm``, ``falling``, ``healthy`` or ``no reading``.
    since, silent_since
        Names of the round since which the alarm stands, and since which no chart of all answers
        has a reading; None where there is none.
    rounds, last_round
        Number of rounds, and the name of the last one.
    written
        When the call ended, in ISO 8601.
    fall
        The number that lost most, of those that alarm where there are any: ``metric``, ``group``,
        ``loss``, ``before``, ``now``, ``since``; None without charts.
    """

    state: str
    since: str | None
    silent_since: str | None
    rounds: int
    last_round: str
    written: str
    fall: Mapping[str, Any] | None

    @classmethod
    def of(cls, result: WatchResult) -> StreamHealth:
        """Return how the stream of a result is, now."""
        standing = [chart for chart in result.charts if stands(chart)]
        decided = _decided_lately(result)
        fallen = [chart for chart in result.charts if chart.has_fallen]
        if standing or decided is not None:
            state = State.ALARM
        elif fallen:
            state = State.FALLING
        else:
            judged = bool(result.charts) or result.rules is not None
            silent = result.silent_since is not None
            state = State.HEALTHY if judged and not silent else State.NO_READING
        begun = [_beginning(chart) for chart in standing]
        since = min(begun, key=lambda one: one.since or one.round, default=None)
        return cls(
            state=state.value,
            since=decided if since is None else since.since_name or since.name,
            silent_since=result.silent_since_name,
            rounds=len(result.rounds),
            last_round=result.rounds[-1],
            written=datetime.now(UTC).isoformat(timespec="seconds"),
            fall=_fall(standing or fallen or result.charts),
        )


def _decided_lately(result: WatchResult) -> str | None:
    """Return the round of the last decision of rules that may act, until they may decide again."""
    if result.rules is None or not result.calls_for_action:
        return None
    rest = max(watch.cool_down for watch in result.rules.rules.watch)
    last = result.decisions[-1]
    return last.name if last.round >= len(result.rounds) - rest else None


def _beginning(chart: ChartHistory) -> Verdict:
    """Return the verdict with which the alarm of a chart began that stands."""
    begun: Verdict | None = None
    for verdict in chart.verdicts:
        if verdict.state is not State.NO_READING:
            begun = (begun or verdict) if verdict.alarm else None
    assert begun is not None
    return begun


def _fall(charts: Sequence[ChartHistory]) -> dict[str, Any] | None:
    """Return how a number has changed, of the chart whose number lost most; None without one."""
    changes = [change for change in map(_change, charts) if change is not None]
    return max(changes, key=lambda one: one["loss"] or 0.0, default=None)


def _change(chart: ChartHistory) -> dict[str, Any] | None:
    """Return how a number has changed; of an alarm, up to the readings since the change began."""
    if chart.change is None:
        return None
    before, now, since = chart.change.before, chart.change.now, None
    if stands(chart):
        alarm = _beginning(chart)
        since = alarm.since_name or alarm.name
        first = alarm.since or alarm.round
        values = [one.value for one in chart.verdicts if one.round >= first]
        now = median([one for one in values if one is not None] or [now])
    return {
        "metric": chart.metric,
        "group": chart.group or None,
        "loss": 1.0 - now / before if before > 0.0 else None,
        "before": before,
        "now": now,
        "since": since,
    }
