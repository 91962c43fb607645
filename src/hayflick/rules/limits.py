"""A plain limit: an alarm in every reading whose number is beyond it. It remembers nothing."""

from __future__ import annotations

from dataclasses import dataclass

from hayflick.core.records import Reading, State, Verdict
from hayflick.detection.baseline import value_of


@dataclass(frozen=True, slots=True)
class Limit:
    """Numbers that a metric must stay within.

    Parameters
    ----------
    metric
        Name of the number.
    below, above
        Alarm below the one, above the other; None for no such side.

    Examples
    --------
    >>> Limit("diversity", below=0.8).update(Reading(3, {"diversity": 0.7})).alarm
    True
    """

    metric: str
    below: float | None = None
    above: float | None = None

    def update(self, reading: Reading) -> Verdict:
        """Say how the stream stands."""
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
        )

    def restart(self) -> None:
        """Forget nothing: there is nothing to forget."""
