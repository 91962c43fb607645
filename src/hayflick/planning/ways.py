"""Ways to keep something: each a family of designs in which one whole number is chosen.

More of that number keeps more, so the smallest that is enough is found by search.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

from hayflick.core.protocols import Regime
from hayflick.core.records import Mix
from hayflick.planning.cost import Usage
from hayflick.planning.goal import DIVERSITY
from hayflick.planning.retention import Retention
from hayflick.planning.setting import Setting
from hayflick.planning.stored_types import StoredTypes
from hayflick.regimes.accumulate import Accumulate
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.periodic import Periodic
from hayflick.regimes.replace import Replace
from hayflick.regimes.scheduled import Scheduled

PERIODS = (2, 3, 5, 10, 20, 50)
"""Periods that a plan looks at: real data in every T-th round."""

SIZES = (1.5, 2.0, 4.0, 8.0)
"""Larger training sets that a plan looks at beside fresh data, as multiples of the size."""

_LARGEST = 1 << 40

GROWTH_STEPS = 10_000
"""Steps of growth from one size to twice it."""


@dataclass(frozen=True, eq=False)
class Way(ABC):
    """Designs of one kind, which differ in one whole number."""

    setting: Setting

    @property
    @abstractmethod
    def kind(self) -> str:
        """What designs of this way are called."""

    @property
    @abstractmethod
    def most(self) -> int:
        """The largest number there is."""

    @property
    def least(self) -> int:
        """The smallest number there is."""
        return 0

    def size(self, number: int) -> int:  # noqa: ARG002
        """Return the size of a training set."""
        return self.setting.samples

    @abstractmethod
    def regime(self, number: int) -> Regime:
        """Return the regime."""

    def retention(self, number: int) -> Retention:
        """Return what is kept, round by round."""
        return self.setting.retention(self.regime(number), self.size(number))

    def mixes(self, number: int) -> list[Mix[Any]]:
        """Return what every round is trained on."""
        regime, size = self.regime(number), self.size(number)
        rounds = range(1, self.setting.generations + 1)
        return [regime.mix(generation, samples=size) for generation in rounds]

    def usage(self, number: int, kept: Retention) -> Usage:
        """Return what an average round uses where `kept` is kept."""
        forgotten = (1.0 - kept.mean) * self.setting.goal.worth
        return Usage.of(self.mixes(number), forgotten=forgotten)

    def real_per_round(self, number: int, usage: Usage) -> float:  # noqa: ARG002
        """Return the real items in a training set, on average over the rounds."""
        return usage.real


@final
@dataclass(frozen=True, eq=False)
class FreshWay(Way):
    """Fresh real items in every round: their number."""

    samples: int = 0

    @property
    def kind(self) -> str:
        """What designs of this way are called."""
        return "fresh" if self.samples == self.setting.samples else "larger and fresh"

    @property
    def most(self) -> int:
        """The whole training set."""
        return self.samples

    def size(self, number: int) -> int:  # noqa: ARG002
        """Return the size of a training set."""
        return self.samples

    def regime(self, number: int) -> Regime:
        """Return the regime."""
        return Fresh(number / self.samples) if number else Replace()


@final
@dataclass(frozen=True, eq=False)
class PeriodicWay(Way):
    """Fresh real items in every T-th round: their number in such a round."""

    every: int = 2

    @property
    def kind(self) -> str:
        """What designs of this way are called."""
        return "periodic"

    @property
    def most(self) -> int:
        """The whole training set."""
        return self.setting.samples

    def regime(self, number: int) -> Regime:
        """Return the regime."""
        return Periodic(share=number / self.setting.samples, every=self.every)


@final
@dataclass(frozen=True, eq=False)
class AnchorWay(Way):
    """One stored item of each of the types that are most worth it: their number.

    `ordered_by` is another anchor's order of them; None for their own.
    """

    ordered_by: StoredTypes | None = None

    @property
    def kind(self) -> str:
        """What designs of this way are called."""
        return "anchor"

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

    def retention(self, number: int) -> Retention:
        """Return what is kept; a million types are not written down for it."""
        return self.stored.retention(number)

    def usage(self, number: int, kept: Retention) -> Usage:
        """Return what an average round uses where `kept` is kept."""
        forgotten = (1.0 - kept.mean) * self.setting.goal.worth
        real = number / self.setting.generations
        return Usage(real, float(self.setting.samples - number), 1.0, 1.0, forgotten)

    def real_per_round(self, number: int, usage: Usage) -> float:  # noqa: ARG002
        """Return the real items in a training set: the same ones in every round."""
        return float(number)


@final
@dataclass(frozen=True, eq=False)
class SizeWay(Way):
    """Larger training sets, all generated: their size."""

    @property
    def kind(self) -> str:
        """What designs of this way are called."""
        return "larger"

    @property
    def least(self) -> int:
        """The size that is asked for."""
        return self.setting.samples

    @property
    def most(self) -> int:
        """Far more than anyone has."""
        return max(self.setting.samples, min(_LARGEST, self.setting.samples * 4096))

    def size(self, number: int) -> int:
        """Return the size of a training set."""
        return number

    def regime(self, number: int) -> Regime:  # noqa: ARG002
        """Return the regime."""
        return Replace()


@final
@dataclass(frozen=True, eq=False)
class GrowingWay(Way):
    """Training sets that grow by a factor every round, 0.01 % per step; each is `base`."""

    base: Regime = Replace()

    @property
    def kind(self) -> str:
        """What designs of this way are called."""
        return "growing"

    @property
    def most(self) -> int:
        """Twice the size every round, or as fast as sizes stay below 2^40."""
        rounds = max(1, self.setting.generations - 1)
        fastest = min(2.0, (_LARGEST / self.setting.samples) ** (1.0 / rounds))
        return max(0, int((fastest - 1.0) * GROWTH_STEPS))

    def regime(self, number: int) -> Scheduled:
        """Return the regime."""
        growth = 1.0 + number / GROWTH_STEPS
        rounds = range(self.setting.generations)
        sizes = [round(self.setting.samples * growth**k) for k in rounds]
        mixes = [self.base.mix(1, samples=size) for size in sizes]
        return Scheduled(samples=tuple(sizes), fresh=tuple(mix.fresh for mix in mixes))


@final
@dataclass(frozen=True, eq=False)
class AccumulateWay(Way):
    """Whether everything so far is kept and trained on: 1 for yes. Its law is diversity's."""

    @property
    def kind(self) -> str:
        """What designs of this way are called."""
        return "accumulate"

    @property
    def most(self) -> int:
        """Yes."""
        return 1

    def regime(self, number: int) -> Regime:
        """Return the regime."""
        return Accumulate() if number else Replace()


def ways(setting: Setting, *, larger: bool) -> Iterator[Way]:
    """Yield all ways that have a law; `larger` says whether the training set may grow."""
    yield FreshWay(setting, setting.samples)
    for every in PERIODS:
        if every <= setting.generations:
            yield PeriodicWay(setting, every)
    if setting.goal.kind != DIVERSITY:
        yield AnchorWay(setting)
    elif setting.past is None:
        yield AccumulateWay(setting)
    if larger:
        yield SizeWay(setting)
        yield GrowingWay(setting)
        for multiple in SIZES:
            yield FreshWay(setting, round(multiple * setting.samples))
