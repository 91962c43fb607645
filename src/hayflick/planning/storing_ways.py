"""Ways with a reserve: the same stored real items in every round."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

from hayflick.core.protocols import Regime
from hayflick.planning.cost import Usage
from hayflick.planning.retention import Retention
from hayflick.planning.stored_numbers import Reserve, StoredNumbers
from hayflick.planning.stored_types import StoredTypes
from hayflick.planning.way import Way
from hayflick.regimes.replace import Replace


@dataclass(frozen=True, eq=False)
class StoringWay(Way):
    """The same stored real items in every round: their number."""

    @property
    def kind(self) -> str:
        """What designs of this way are called."""
        return "anchor"

    def usage(self, number: int, kept: Retention) -> Usage:
        """Return what an average round uses where `kept` is kept."""
        forgotten = kept.missing * self.setting.goal.worth
        real = number / self.setting.generations
        return Usage(real, float(self.setting.samples - number), 1.0, 1.0, forgotten)

    def real_per_round(self, number: int, usage: Usage) -> float:  # noqa: ARG002
        """Return the real items in a training set: the same ones in every round."""
        return float(number)


@final
@dataclass(frozen=True, eq=False)
class AnchorWay(StoringWay):
    """One stored item of each of the types that are most worth it: their number.

    `ordered_by` is another anchor's order of them; None for their own.
    """

    ordered_by: StoredTypes | None = None

    @property
    def most(self) -> int:
        """All types that count, if a training set holds them."""
        return self.stored.most

    @cached_property
    def stored(self) -> StoredTypes:
        """The types in the order in which they are stored."""
        return StoredTypes(self.setting, self.ordered_by)

    def regime(self, number: int) -> Regime:
        """Return the regime."""
        return self.stored.anchor(number) if number else Replace()

    def _retention(self, number: int) -> Retention:
        # A million types are not written down for it.
        return self.stored.retention(number)


@final
@dataclass(frozen=True, eq=False)
class NumbersWay(StoringWay):
    """Stored numbers whose mean and variance are those of the data: how many."""

    @property
    def most(self) -> int:
        """The whole training set."""
        return self.setting.samples

    def regime(self, number: int) -> Regime:
        """Return the regime."""
        model = self.setting.goal.model
        reserve = Reserve(number, mean=model.mean, deviation=model.deviation)
        return StoredNumbers(reserve) if number else Replace()
