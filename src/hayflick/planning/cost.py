"""What a design costs: prices, what a round uses, and totals."""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from typing import Protocol

import numpy as np

from hayflick.core.checks import number_between, positive_number
from hayflick.core.errors import ArgumentError
from hayflick.core.records import Mix

PRICES = ("real", "generated", "check", "monitoring", "loss")
"""What has a price, in the order of `CostModel` and `Usage`."""

_MONTHS = 12
_ROUNDING = 1e-9


class Checks(Protocol):
    """How often is checked, and what faults cost until they are seen."""

    @property
    def checks_per_round(self) -> float:
        """Checks in an average round."""

    @property
    def fault_cost(self) -> float:
        """Cost of unseen faults in an average round."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What an average round uses, in the units that have a price.

    Parameters
    ----------
    real
        Real items acquired: fresh ones, and stored ones once over all rounds.
    generated
        Generated items.
    check, monitoring
        Human checks, and rounds that are monitored.
    loss
        Weight that is forgotten, on average over the rounds, unseen faults included where checks
        are timed.
    """

    real: float
    generated: float
    check: float
    monitoring: float
    loss: float

    @classmethod
    def of(cls, mixes: list[Mix[object]], *, forgotten: float) -> Usage:  # type: ignore[type-var]
        """Return what rounds use, one of `mixes` each; a check and monitoring in every one."""
        rounds = len(mixes)
        fresh = sum(mix.fresh for mix in mixes)
        stored = mixes[0].reserved
        generated = sum(mix.generated for mix in mixes) / rounds
        return cls((fresh + stored) / rounds, generated, 1.0, 1.0, forgotten)

    def inspected(self, found: Checks, *, loss: float) -> Usage:
        """Return the usage with a check every T rounds, and with what unseen faults lose.

        Parameters
        ----------
        found
            How often is checked.
        loss
            The price of a unit of weight that is missing for one round, above 0.

        Examples
        --------
        >>> from hayflick.planning.inspection import inspection_of
        >>> found = inspection_of([1.0, 0.9, 0.8], check=10, loss=200, horizon=4)
        >>> used = Usage(5, 95, 1, 1, 0).inspected(found, loss=200)
        >>> found.every, used.check, round(used.loss, 5)
        (2, 0.5, 0.0125)
        """
        return replace(self, check=found.checks_per_round, loss=self.loss + found.fault_cost / loss)


@dataclass(frozen=True, slots=True)
class CostModel:
    """Prices of what a round uses; what is not given costs nothing.

    Parameters
    ----------
    real, generated
        Of a real item acquired, and of a generated one.
    check
        Of a human check of one round.
    monitoring
        Of monitoring one round.
    loss
        Of a unit of weight that is missing for one round: a type, or a must-keep weight.
    currency
        What the prices are in.
    rounds_per_month
        For totals.

    Raises
    ------
    ArgumentError
        If a price is below 0, all are 0, or `rounds_per_month` is not above 0.

    Examples
    --------
    >>> prices = CostModel(real=0.4, generated=0.002)
    >>> prices.per_round(Usage(real=100, generated=900, check=1, monitoring=1, loss=3))
    41.8
    >>> prices.per_year(41.8)
    501.59999999999997
    """

    real: float = 0.0
    generated: float = 0.0
    check: float = 0.0
    monitoring: float = 0.0
    loss: float = 0.0
    currency: str = "USD"
    rounds_per_month: float = 1.0

    def __post_init__(self) -> None:
        for name in PRICES:
            number_between(f"cost of {name}", getattr(self, name), low=0.0)
        if not any(self.prices):
            takes = "at least one above 0: there is nothing to trade"
            raise ArgumentError("costs", got="all 0", takes=takes)
        positive_number("rounds_per_month", self.rounds_per_month)

    @property
    def prices(self) -> tuple[float, ...]:
        """The prices, in the order of `PRICES`."""
        return tuple(float(getattr(self, name)) for name in PRICES)

    def per_round(self, usage: Usage) -> float:
        """Return what an average round costs."""
        return float(np.dot(self.prices, astuple(usage)))

    def per_month(self, per_round: float) -> float:
        """Return what a month costs at a cost per round."""
        return per_round * self.rounds_per_month

    def per_year(self, per_round: float) -> float:
        """Return what a year costs at a cost per round."""
        return self.per_month(per_round) * _MONTHS

    def break_even(self, one: Usage, other: Usage) -> dict[str, float]:
        """Return, by price, the value at which two designs would cost the same.

        The other prices are held fixed; a price without such a value above 0, but for rounding,
        is left out.

        Examples
        --------
        >>> prices = CostModel(real=0.4, generated=0.002)
        >>> much, little = Usage(100, 900, 1, 1, 0), Usage(0, 10_900, 1, 1, 0)
        >>> round(prices.break_even(much, little)["real"], 6)
        0.2
        """
        values = {}
        gap = self.per_round(one) - self.per_round(other)
        differences = np.subtract(astuple(one), astuple(other))
        sizes = np.maximum(astuple(one), astuple(other))
        for name, price, more, size in zip(PRICES, self.prices, differences, sizes, strict=True):
            if abs(more) <= _ROUNDING * size:
                continue
            value = price - gap / more
            if value > _ROUNDING * max(price, abs(gap / more)):
                values[name] = float(value)
        return values
