"""Where an alarm is raised: what every control chart does with a reading, and what it keeps.

A chart takes one reading after the other. The alarm stands while its statistic is at its limit or
beyond; a reading without the metric gives the verdict ``no reading`` and changes nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Generic, Self, TypeVar

from hayflick.core.checks import number_between
from hayflick.core.errors import ArgumentError
from hayflick.core.records import Reading, State, Verdict

FORMAT_VERSION = 1
"""Version of what `ControlChart.state` returns."""

ObservationT = TypeVar("ObservationT")


class ControlChart(ABC, Generic[ObservationT]):
    """A control chart of one metric of one stream.

    A chart consists of its *settings*, fixed when it is made from a baseline, and its *memory* of
    the readings since.
    """

    name: ClassVar[str]
    """Name of the chart in the grammar of the command line."""

    keys: ClassVar[tuple[str, ...]]
    """Arguments that the grammar takes, in order; all but `choices` are numbers."""

    choices: ClassVar[tuple[str, ...]] = ("form", "direction", "reference")
    """Arguments that are one of several words."""

    warnings: tuple[str, ...] = ()
    """Signs in the baseline that the guarantee may not hold."""

    _names: Mapping[int, str] = MappingProxyType({})
    """Names of the rounds in which a change may have begun, where the data name them."""

    @property
    @abstractmethod
    def metric(self) -> str:
        """Name of the metric that is read."""

    @property
    @abstractmethod
    def limit(self) -> float:
        """The alarm stands while the statistic is at least this."""

    def update(self, reading: Reading) -> Verdict:
        """Take the next reading and return the verdict.

        Raises
        ------
        DataError
            If the reading cannot be used.
        """
        observation = self._observe(reading)
        if observation is None:
            return self._verdict(reading, State.NO_READING)
        statistic = self._update_statistic(observation, reading.round)
        alarm = self._alarms(statistic)
        self._name(reading)
        since = self._since() if alarm else None
        return self._verdict(
            reading,
            State.ALARM if alarm else State.HEALTHY,
            value=self._value(observation),
            statistic=statistic,
            since=since,
            since_label="" if since is None else self._names.get(since, ""),
            evidence=self._odds(statistic),
        )

    def _name(self, reading: Reading) -> None:
        """Keep the names of the rounds in which a change may have begun, and no others."""
        if reading.label or self._names:
            names = {**self._names, reading.round: reading.label}
            self._names = {one: names[one] for one in self._starts() if names.get(one)}

    def _verdict(self, reading: Reading, state: State, **numbers: Any) -> Verdict:
        return Verdict(
            self.metric,
            round=reading.round,
            state=state,
            group=reading.group,
            limit=self.limit,
            chart=self.name,
            label=reading.label,
            **numbers,
        )

    @abstractmethod
    def restart(self) -> None:
        """Forget the readings since the baseline, for after something was done about an alarm."""

    def state(self) -> Mapping[str, Any]:
        """Return the settings and the memory, ready for JSON.

        `hayflick.detection.parsing.restore` makes the chart again, which goes on with
        the same numbers to the last bit.
        """
        return {
            "format_version": FORMAT_VERSION,
            "chart": self.name,
            "settings": self._settings(),
            "memory": self._memory(),
            "names": {str(number): name for number, name in self._names.items()},
            "warnings": list(self.warnings),
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Self:
        """Return the chart whose `state` this is."""
        chart = cls.__new__(cls)
        chart.warnings = tuple(state["warnings"])
        chart._names = {int(number): name for number, name in state.get("names", {}).items()}
        chart._resume(state["settings"], state["memory"])
        return chart

    @abstractmethod
    def _observe(self, reading: Reading) -> ObservationT | None:
        """Return what the chart uses of a reading; None if the reading lacks it."""

    @abstractmethod
    def _update_statistic(self, observation: ObservationT, round_number: int) -> float:
        """Take up an observation and return the statistic."""

    def _alarms(self, statistic: float) -> bool:
        """Return whether the alarm stands."""
        return statistic >= self.limit

    @abstractmethod
    def _value(self, observation: ObservationT) -> float:
        """Return the observation as one number, in the metric's own units."""

    @abstractmethod
    def _since(self) -> int | None:
        """Return the estimated first round of the change."""

    @abstractmethod
    def _starts(self) -> set[int]:
        """Return the rounds of which one may become the first round of a change."""

    def _odds(self, statistic: float) -> float | None:  # noqa: ARG002
        """Return the odds against a healthy stream; None for a chart that gives none."""
        return None

    @abstractmethod
    def _settings(self) -> dict[str, Any]:
        """Return what was fixed when the chart was made."""

    @abstractmethod
    def _memory(self) -> dict[str, Any]:
        """Return what the readings left behind."""

    @abstractmethod
    def _resume(self, settings: Mapping[str, Any], memory: Mapping[str, Any]) -> None:
        """Set what `_settings` and `_memory` returned."""


def one_of(argument: str, value: str, *, names: tuple[str, ...]) -> str:
    """Return `value` if it is among `names`.

    Raises
    ------
    ArgumentError
        If it is not.

    Examples
    --------
    >>> one_of("form", "sum", names=("sum", "product"))
    'sum'
    """
    if value not in names:
        raise ArgumentError(argument, got=value, takes=f"one of {', '.join(names)}")
    return value


def open_probability(argument: str, value: float) -> float:
    """Return `value` as a probability above 0 and below 1.

    Raises
    ------
    ArgumentError
        If it is no such number.

    Examples
    --------
    >>> open_probability("false_alarms", 0.001)
    0.001
    """
    number = number_between(argument, value, low=0.0, high=1.0)
    if not 0.0 < number < 1.0:
        raise ArgumentError(argument, got=value, takes="a number above 0 and below 1")
    return number
