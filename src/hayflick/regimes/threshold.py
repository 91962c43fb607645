"""The plainest rule: put real items in while a number is below its limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from hayflick.core.checks import finite_number, whole_number
from hayflick.core.records import (
    Action,
    ActionKind,
    Reading,
    State,
    Verdict,
)


@final
@dataclass(frozen=True, slots=True)
class Threshold:
    """Inject `items` new real items in the round after one in which a metric was below a limit.

    It remembers nothing, so it injects for as long as the metric stays below.

    Parameters
    ----------
    below
        The limit.
    items
        New real items.
    metric
        The number that is read; a reading without it decides nothing.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> rule = Threshold(below=0.8, items=20)
    >>> [len(rule.decide(Reading(1, {"surviving_fraction": left}))) for left in (0.9, 0.7)]
    [0, 1]
    """

    below: float
    items: int
    metric: str = "surviving_fraction"

    def __post_init__(self) -> None:
        finite_number("below", self.below)
        whole_number("items", self.items, at_least=1)

    def decide(self, reading: Reading) -> tuple[Action, ...]:
        """Return the injection, or nothing."""
        value = reading.values.get(self.metric)
        if value is None or value >= self.below:
            return ()
        verdict = Verdict(
            self.metric,
            reading.round,
            State.ALARM,
            group=reading.group,
            value=value,
            statistic=value,
            limit=self.below,
            since=reading.round,
            chart="threshold",
        )
        reason = f"{self.metric} {value:.4g} is below {self.below:g}"
        inject = ActionKind.INJECT
        return (Action(kind=inject, reason=reason, items=self.items, evidence=(verdict,)),)
