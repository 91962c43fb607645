"""What all charts of one number say together, in the order in which a reader asks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hayflick.core.records import State
from hayflick.monitor.watch_result import ChartHistory, MetricChange, WatchResult

_ORDER = {State.ALARM: 0, State.FALLING: 1, State.HEALTHY: 2, State.NO_READING: 3}


@dataclass(frozen=True)
class Tile:
    """A number in a few words.

    Parameters
    ----------
    subject
        Its name.
    state, state_name
        Its state, as a name of a style and in the reader's language.
    change, values
        The share that it has lost or gained; before and now.
    when
        Since when, or how near an alarm is; may be empty.
    """

    subject: str
    state: str
    state_name: str
    change: str
    values: str
    when: str


@dataclass(frozen=True, eq=False)
class WatchedNumber:
    """A number of all answers or of a group, and its charts.

    Parameters
    ----------
    metric, group
        The number; an empty group is all answers together.
    charts
        Its charts, the first to alarm first.
    """

    metric: str
    group: str
    charts: tuple[ChartHistory, ...]

    @property
    def state(self) -> State:
        """The state of the number: ``alarm`` if one of its charts has alarmed."""
        if self.alarmed is not None:
            return State.ALARM
        if all(chart.silent_since is not None for chart in self.charts):
            return State.NO_READING
        fallen = any(chart.has_fallen for chart in self.charts)
        return State.FALLING if fallen else State.HEALTHY

    @property
    def alarmed(self) -> ChartHistory | None:
        """The chart that was the first to alarm; None without an alarm."""
        return next((chart for chart in self.charts if chart.first_alarm is not None), None)

    @property
    def change(self) -> MetricChange | None:
        """How the last readings compare with the baseline; None without either."""
        return next((chart.change for chart in self.charts if chart.change is not None), None)

    @property
    def loss(self) -> float | None:
        """Share of the baseline that is lost, negative for a gain; None if it is unknown."""
        return None if self.change is None else self.change.loss

    @property
    def nearest(self) -> ChartHistory | None:
        """The chart whose evidence is nearest to its limit; None without evidence."""
        shares = [
            (math.log(max(1.0, chart.evidence)) / math.log(chart.limit), place)
            for place, chart in enumerate(self.charts)
            if chart.evidence is not None and chart.limit is not None and chart.limit > 1.0
        ]
        return self.charts[max(shares)[1]] if shares else None


def watched_numbers(result: WatchResult, *, group: str = "") -> list[WatchedNumber]:
    """Return what is charted of all answers or of a group: alarmed, falling, then the rest."""
    charts: dict[str, list[ChartHistory]] = {}
    for chart in result.alarmed_first:
        if chart.group == group:
            charts.setdefault(chart.metric, []).append(chart)
    return ordered([WatchedNumber(name, group, tuple(own)) for name, own in charts.items()])


def ordered(numbers: Sequence[WatchedNumber]) -> list[WatchedNumber]:
    """Return numbers by state; those that have fallen without an alarm by their loss."""

    def place(number: WatchedNumber) -> tuple[int, float]:
        state, chart = number.state, number.alarmed
        if chart is not None and chart.first_alarm is not None:
            return _ORDER[state], float(chart.first_alarm.round)
        return _ORDER[state], -(number.loss or 0.0) if state is State.FALLING else 0.0

    return sorted(numbers, key=place)


@dataclass(frozen=True, eq=False)
class WatchedGroup:
    """A group, and what is charted of it.

    Parameters
    ----------
    name
        Its name.
    numbers
        Its numbers, the alarmed ones first.
    """

    name: str
    numbers: tuple[WatchedNumber, ...]

    @property
    def state(self) -> State:
        """The state of its first number."""
        return self.numbers[0].state

    @property
    def worst(self) -> WatchedNumber:
        """The number that its state comes from; of a healthy group, the one that lost most."""
        if self.state in (State.ALARM, State.FALLING):
            return self.numbers[0]
        return max(self.numbers, key=lambda one: -math.inf if one.loss is None else one.loss)

    @property
    def loss(self) -> float:
        """The loss of `worst`, for an order; minus infinity if it is unknown."""
        loss = self.worst.loss
        return -math.inf if loss is None else loss


def watched_groups(result: WatchResult) -> list[WatchedGroup]:
    """Return the groups that are charted by state, alarmed ones first, then by loss."""
    charts: dict[str, dict[str, list[ChartHistory]]] = {}
    for chart in result.alarmed_first:
        if chart.group:
            charts.setdefault(chart.group, {}).setdefault(chart.metric, []).append(chart)
    groups = [
        WatchedGroup(
            name,
            tuple(ordered([WatchedNumber(one, name, tuple(own)) for one, own in found.items()])),
        )
        for name, found in charts.items()
    ]
    return sorted(groups, key=lambda one: (_ORDER[one.state], -one.loss, one.name))
