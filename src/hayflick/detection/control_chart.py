"""What all charts have in common: what no reading does, how a verdict is made, what is kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, Self, TypeVar

from hayflick.core.errors import ArgumentError
from hayflick.core.records import Reading, State, Verdict

FORMAT_VERSION = 1
"""Of what `state` returns."""

ObservationT = TypeVar("ObservationT")


class ControlChart(ABC, Generic[ObservationT]):
    """A chart of one metric of one stream.

    A chart is its *settings*, fixed when it is made, and its *memory* of the readings since.
    A reading without the metric gives the verdict ``no reading`` and moves nothing. The
    alarm stands while the statistic is at its limit or beyond.
    """

    name: ClassVar[str]
    """What the grammar calls it."""

    warnings: tuple[str, ...] = ()
    """What speaks against the promise, found in the baseline."""

    @property
    @abstractmethod
    def metric(self) -> str:
        """Name of what it reads."""

    @property
    @abstractmethod
    def limit(self) -> float:
        """What the statistic must stay below."""

    def update(self, reading: Reading) -> Verdict:
        """Take the next reading and say how the stream stands.

        Raises
        ------
        DataError
            If the reading cannot be used.
        """
        observation = self._observe(reading)
        if observation is None:
            return self._verdict(reading, State.NO_READING)
        statistic = self._update_statistic(observation, reading.round)
        alarm = statistic >= self.limit
        return self._verdict(
            reading,
            State.ALARM if alarm else State.HEALTHY,
            value=self._value(observation),
            statistic=statistic,
            since=self._since() if alarm else None,
            evidence=self._evidence(statistic),
        )

    def _verdict(self, reading: Reading, state: State, **found: Any) -> Verdict:
        return Verdict(
            self.metric,
            round=reading.round,
            state=state,
            group=reading.group,
            limit=self.limit,
            chart=self.name,
            **found,
        )

    @abstractmethod
    def restart(self) -> None:
        """Forget the readings since the baseline, as after something was done about an alarm."""

    def state(self) -> Mapping[str, Any]:
        """Return all that it remembers, ready for JSON.

        `hayflick.detection.parsing.restore` makes the chart again, which goes on with
        the same numbers to the last bit.
        """
        return {
            "format_version": FORMAT_VERSION,
            "chart": self.name,
            "settings": self._settings(),
            "memory": self._memory(),
            "warnings": list(self.warnings),
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Self:
        """Return the chart whose `state` this is."""
        chart = cls.__new__(cls)
        chart.warnings = tuple(state["warnings"])
        chart._resume(state["settings"], state["memory"])
        return chart

    @abstractmethod
    def _observe(self, reading: Reading) -> ObservationT | None:
        """Return what the chart looks at; None where the reading has none."""

    @abstractmethod
    def _update_statistic(self, observation: ObservationT, round_number: int) -> float:
        """Remember what was seen and return the statistic."""

    @abstractmethod
    def _value(self, observation: ObservationT) -> float:
        """Return the reading's own number."""

    @abstractmethod
    def _since(self) -> int | None:
        """Return the round in which the change began, as far as the chart can tell."""

    def _evidence(self, statistic: float) -> float | None:  # noqa: ARG002
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
