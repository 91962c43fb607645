"""One watch over the readings of one group: chart, confirmation and cool-down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from hayflick.core.errors import HayflickError
from hayflick.core.records import Reading, State, Verdict
from hayflick.detection.baseline import scores_of, value_of
from hayflick.detection.control_chart import ControlChart
from hayflick.detection.guaranteed import GuaranteedChart
from hayflick.detection.parsing import ChartSpec, parse_chart, restore
from hayflick.rules.model import WatchTable, harmful_direction


@dataclass(frozen=True, slots=True)
class Limit:
    """Limits of a metric, in place of a chart.

    Parameters
    ----------
    metric
        Name of the metric.
    below, above
        Alarm below the one or above the other; None for no such limit.

    Examples
    --------
    >>> Limit("diversity", below=0.8).update(Reading(3, {"diversity": 0.7})).alarm
    True
    """

    metric: str
    below: float | None = None
    above: float | None = None

    def update(self, reading: Reading) -> Verdict:
        """Return the verdict about a reading."""
        value = value_of(reading, metric=self.metric)
        low = value is not None and self.below is not None and value < self.below
        high = value is not None and self.above is not None and value > self.above
        states = {True: State.ALARM, False: State.HEALTHY}
        return Verdict(
            self.metric,
            reading.round,
            State.NO_READING if value is None else states[low or high],
            group=reading.group,
            value=value,
            statistic=value,
            limit=self.above if high or self.below is None else self.below,
            since=reading.round if low or high else None,
            chart="limit",
            label=reading.label,
            since_label=reading.label if low or high else "",
        )

    def restart(self) -> None:
        """Do nothing: a limit has no memory."""


def chart_spec(watch: WatchTable, *, rate: float) -> ChartSpec:
    """Return the specification of a watch's chart, for a rate of false alarms per reading.

    Examples
    --------
    >>> watch = WatchTable(name="words", metric="distinct_2", chart="cusum")
    >>> chart_spec(watch, rate=0.002).settings
    {'direction': 'falls', 'run_length': 500.0}
    """
    design = parse_chart(watch.chart or "")
    if design.kind is GuaranteedChart:
        direction = harmful_direction(watch)
        own = {"direction": "falls" if direction == "both" else direction, "false_alarms": rate}
    else:
        own = {"direction": harmful_direction(watch), "run_length": 1.0 / rate}
    return replace(design, settings={**own, **design.settings})


@dataclass
class Stream:
    """The state of one watch for one group.

    Parameters
    ----------
    watch
        The watch.
    baseline
        Number of readings that a chart learns from.
    metric
        The first of the watch's metrics that the readings have; None before the first reading.
    learnt
        Baseline readings so far; empty once there is a chart.
    chart
        The chart or limit; None while it learns.
    recent
        Whether the last readings were alarms, the newest last.
    cooling_down
        Number of readings left in which nothing is decided.
    evidence
        Evidence of the last reading, if the chart has any.
    stopped
        Why nothing is decided any more: the chart could not be made, or cannot use a reading.
        Empty while the watch works.
    """

    watch: WatchTable
    baseline: int
    metric: str | None = None
    learnt: list[Reading] = field(default_factory=list)
    chart: ControlChart[Any] | Limit | None = None
    recent: list[bool] = field(default_factory=list)
    cooling_down: int = 0
    evidence: float | None = None
    stopped: str = ""

    def read(self, reading: Reading, *, rate: float) -> Verdict:
        """Return the verdict about a reading.

        There is no reading while the chart learns, nor after the watch has stopped.
        """
        if self.stopped:
            return self._no_reading(reading)
        try:
            return self._verdict(reading, rate)
        except HayflickError as fault:
            self.stopped, self.learnt = str(fault), []
            return self._no_reading(reading)

    def _verdict(self, reading: Reading, rate: float) -> Verdict:
        self.metric = self.metric or self._metric_of(reading)
        if self.metric is None:
            return self._no_reading(reading)
        if self.chart is None and self.watch.chart is None:
            self.chart = Limit(self.metric, below=self.watch.below, above=self.watch.above)
        if self.chart is None:
            self._learn(reading, rate)
            return self._no_reading(reading)
        return self.chart.update(reading)

    @property
    def waits_for(self) -> str:
        """The readings that the watch takes before it can judge one, in words."""
        if self.metric is None:
            return f"no round has a reading of {' or '.join(self.watch.metrics)}"
        found = f"and {self.metric} has {len(self.learnt)}"
        return f"the chart takes {self.baseline} readings of the baseline and one more, {found}"

    def confirm(self, *, alarm: bool) -> bool:
        """Record whether a reading was an alarm, and return whether to act."""
        self.recent = [*self.recent, alarm][-self.watch.confirm.of :]
        if self.cooling_down:
            self.cooling_down -= 1
            return False
        if not alarm or sum(self.recent) < self.watch.confirm.needed:
            return False
        self.cooling_down, self.recent = self.watch.cool_down, []
        return True

    def state(self) -> dict[str, Any]:
        """Return the state, ready for JSON."""
        chart = self.chart.state() if isinstance(self.chart, ControlChart) else None
        return {
            "metric": self.metric,
            "learnt": [_plain(reading) for reading in self.learnt],
            "chart": chart,
            "recent": self.recent,
            "resting": self.cooling_down,
            "evidence": self.evidence,
            "stopped": self.stopped,
        }

    def resume(self, state: Mapping[str, Any]) -> None:
        """Restore what `state` returned."""
        self.metric = state["metric"]
        self.learnt = [_reading(plain) for plain in state["learnt"]]
        self.chart = None if state["chart"] is None else restore(state["chart"])
        self.recent, self.cooling_down = list(state["recent"]), state["resting"]
        self.evidence = state["evidence"]
        self.stopped = state.get("stopped", "")

    def _metric_of(self, reading: Reading) -> str | None:
        for name in self.watch.metrics:
            if self._has(reading, name):
                return name
        return None

    def _has(self, reading: Reading, name: str) -> bool:
        scored = name in reading.scores and scores_of(reading, metric=name) is not None
        return scored or value_of(reading, metric=name) is not None

    def _no_reading(self, reading: Reading) -> Verdict:
        name = self.metric or self.watch.metrics[0]
        silent = State.NO_READING
        return Verdict(name, reading.round, silent, group=reading.group, label=reading.label)

    def _learn(self, reading: Reading, rate: float) -> None:
        if self.metric is None or not self._has(reading, self.metric):
            return
        self.learnt.append(reading)
        if len(self.learnt) < self.baseline:
            return
        design = chart_spec(self.watch, rate=rate)
        # The rounds that set the scale of the scores say nothing about their mean.
        first = max(1, self.baseline // 5) if design.kind is GuaranteedChart else 0
        self.chart = design.start(self.learnt[first:], metric=self.metric)
        self.learnt = []


def _plain(reading: Reading) -> dict[str, Any]:
    return {
        "round": reading.round,
        "values": dict(reading.values),
        "scores": {name: np.asarray(scores).tolist() for name, scores in reading.scores.items()},
        "group": reading.group,
        "label": reading.label,
    }


def _reading(plain: Mapping[str, Any]) -> Reading:
    scores = {name: np.array(numbers) for name, numbers in plain["scores"].items()}
    return Reading(**{**plain, "scores": scores})
