"""The ways that a plan looks at: fresh, periodic, stored and larger, and all that is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from hayflick.core.protocols import Regime
from hayflick.planning.accumulating_ways import AccumulateWay, SubsampleWay
from hayflick.planning.objective import DIVERSITY, VARIANCE
from hayflick.planning.setting import Setting
from hayflick.planning.storing_ways import AnchorWay, NumbersWay
from hayflick.planning.way import SingleWay, Way
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.periodic import Periodic
from hayflick.regimes.replace import Replace
from hayflick.regimes.scheduled import Scheduled

PERIODS = (2, 3, 5, 10, 20, 50)
"""Periods that a plan looks at: real data in every T-th round."""

SIZES = (1.5, 2.0, 4.0, 8.0)
"""Larger training sets that a plan looks at beside fresh data, as multiples of the size."""

GROWTH_STEPS = 10_000
"""Steps of growth from one size to twice it."""


@final
@dataclass(frozen=True, eq=False)
class BareWay(SingleWay):
    """No real data at all."""

    @property
    def kind(self) -> str:
        """What designs of this way are called."""
        return "replace"

    def regime(self, number: int) -> Regime:  # noqa: ARG002
        """Return the regime."""
        return Replace()


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
        """Thousands of times the size, up to what a plan looks at."""
        own = self.setting.samples
        return max(own, min(self.setting.goal.largest, own * 4096))

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
        """Twice the size every round, or as fast as sizes stay within what a plan looks at."""
        rounds = max(1, self.setting.generations - 1)
        fastest = min(2.0, (self.setting.goal.largest / self.setting.samples) ** (1.0 / rounds))
        return max(0, int((fastest - 1.0) * GROWTH_STEPS))

    def regime(self, number: int) -> Scheduled:
        """Return the regime."""
        growth = 1.0 + number / GROWTH_STEPS
        rounds = range(self.setting.generations)
        sizes = [round(self.setting.samples * growth**k) for k in rounds]
        mixes = [self.base.mix(1, samples=size) for size in sizes]
        return Scheduled(samples=tuple(sizes), fresh=tuple(mix.fresh for mix in mixes))


def ways(setting: Setting, *, larger: bool) -> Iterator[Way]:
    """Yield all ways there are; `larger` says whether the training set may grow."""
    yield BareWay(setting)
    yield FreshWay(setting, setting.samples)
    for every in PERIODS:
        if every <= setting.generations:
            yield PeriodicWay(setting, every)
    yield from _keeping(setting)
    if larger:
        yield SizeWay(setting)
        yield GrowingWay(setting)
        for multiple in SIZES:
            yield FreshWay(setting, round(multiple * setting.samples))


def _keeping(setting: Setting) -> Iterator[Way]:
    """Yield the ways in which real items stay: a reserve, or everything so far."""
    if setting.goal.kind == VARIANCE:
        yield NumbersWay(setting)
    elif setting.goal.kind != DIVERSITY:
        yield AnchorWay(setting)
    # Of a recorded run, what has accumulated is not known.
    if setting.past is None:
        yield AccumulateWay(setting)
        yield SubsampleWay(setting)


def to_simulate(way: Way) -> bool:
    """Return whether a way without a law is to be simulated, and can be."""
    setting = way.setting
    if setting.runs is None:
        return False
    sizes = {"samples": way.size(way.most), "generations": setting.generations}
    return setting.goal.can_simulate(way.kind, **sizes)
