"""One way to keep something: a family of designs in which one whole number is chosen.

More of that number keeps more, so the smallest that is enough is found by search, between two
neighbours of the numbers that the frontier shows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import numpy as np

from hayflick.core.protocols import Regime
from hayflick.core.records import Mix
from hayflick.planning.cost import Usage
from hayflick.planning.problem import PlanningProblem
from hayflick.planning.retention import Retention
from hayflick.planning.search import reaches, smallest
from hayflick.planning.stored import StoredTypes
from hayflick.planning.targets import DIVERSITY, VARIANCE
from hayflick.planning.variance_target import StoredMoments, StoredNumbers
from hayflick.regimes.accumulate import Accumulate, AccumulateSubsample
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.periodic import Periodic
from hayflick.regimes.replace import Replace
from hayflick.regimes.scheduled import Scheduled

_TRIED = 12


@dataclass(frozen=True, eq=False)
class Strategy(ABC):
    """Designs of one kind, which differ in one whole number."""

    problem: PlanningProblem

    @cached_property
    def _known(self) -> dict[int, Retention]:
        return {}

    @property
    def by_law(self) -> bool:
        """Whether a law gives what such designs keep."""
        return self.kind not in self.problem.target.without_law

    @property
    @abstractmethod
    def kind(self) -> str:
        """What designs of this way are called."""

    @property
    @abstractmethod
    def maximum(self) -> int:
        """The largest number there is."""

    @property
    def minimum(self) -> int:
        """The smallest number there is."""
        return 0

    def size(self, number: int) -> int:  # noqa: ARG002
        """Return the size of a training set."""
        return self.problem.samples

    @abstractmethod
    def regime(self, number: int) -> Regime:
        """Return the regime."""

    def without_real_data(self, number: int) -> bool:
        """Return whether the design is no more than rounds without real data."""
        return number == self.minimum

    def retention(self, number: int) -> Retention:
        """Return what is kept, round by round; it is found once."""
        if number not in self._known:
            self._known[number] = self._retention(number)
        return self._known[number]

    def _retention(self, number: int) -> Retention:
        return self.problem.retention(self.regime(number), self.size(number))

    def grid(self, points: int = _TRIED) -> list[int]:
        """Return numbers from the least to the most, in even steps of their logarithm."""
        steps = np.geomspace(1.0, self.maximum - self.minimum + 1.0, points)
        numbers = np.unique(np.round(steps).astype(np.int64)) - 1 + self.minimum
        return [int(number) for number in numbers]

    def smallest(self, keep: float) -> int | None:
        """Return the smallest number that keeps enough; None where none that is tried does."""

        def kept(number: int) -> float:
            return self.retention(number).assured

        low = self.minimum
        for high in self.grid():
            if reaches(kept(high), keep):
                return smallest(kept, target=keep, low=low, high=high)
            low = high
        return None

    def mixes(self, number: int) -> list[Mix[Any]]:
        """Return what every round is trained on."""
        regime, size = self.regime(number), self.size(number)
        rounds = range(1, self.problem.generations + 1)
        return [regime.mix(generation, samples=size) for generation in rounds]

    def usage(self, number: int, kept: Retention) -> Usage:
        """Return what an average round uses where `kept` is kept."""
        forgotten = kept.missing * self.problem.target.total_weight
        return Usage.of(self.mixes(number), forgotten=forgotten)

    def real_per_round(self, number: int, usage: Usage) -> float:  # noqa: ARG002
        """Return the real items in a training set, on average over the rounds."""
        return usage.real


@dataclass(frozen=True, eq=False)
class SingleStrategy(Strategy):
    """One design alone: there is no number to choose."""

    @property
    def maximum(self) -> int:
        """There is one."""
        return 0


@dataclass(frozen=True, eq=False)
class AccumulateStrategy(SingleStrategy):
    """Everything so far is kept, and trained on.

    The N_0 real items are in every training set. They are acquired once, as stored ones are.
    """

    @property
    def kind(self) -> str:
        """What designs of this way are called."""
        return "accumulate"

    @property
    def real(self) -> int:
        """N_0, the real items that the pool begins with."""
        total: int | None = self.problem.target.model.total
        return self.problem.samples if total is None else total

    def without_real_data(self, number: int) -> bool:  # noqa: ARG002
        """Return whether the design is no more than rounds without real data: it is more."""
        return False

    def regime(self, number: int) -> Regime:  # noqa: ARG002
        """Return the regime."""
        return Accumulate()

    def usage(self, number: int, kept: Retention) -> Usage:
        """Return what an average round uses where `kept` is kept."""
        used = super().usage(number, kept)
        return replace(used, real=self.real / self.problem.generations)

    def real_per_round(self, number: int, usage: Usage) -> float:  # noqa: ARG002
        """Return the real items in a training set, on average over the rounds."""
        return float(self.real)


@final
@dataclass(frozen=True, eq=False)
class SubsampleStrategy(AccumulateStrategy):
    """Everything so far is kept; n items of it, drawn by chance, are trained on."""

    @property
    def kind(self) -> str:
        """What designs of this way are called."""
        return "accumulate-subsample"

    def regime(self, number: int) -> Regime:  # noqa: ARG002
        """Return the regime."""
        return AccumulateSubsample()

    def real_per_round(self, number: int, usage: Usage) -> float:  # noqa: ARG002
        """Return the expected real items in a training set, on average over the rounds.

        Of n items out of N_0 + k n, that is n N_0 / (N_0 + k n) in round k.
        """
        added = self.problem.samples * np.arange(1.0, self.problem.generations + 1.0)
        return float(np.mean(self.problem.samples * self.real / (self.real + added)))


@dataclass(frozen=True, eq=False)
class StoredStrategy(Strategy):
    """The same stored real items in every round: their number."""

    @property
    def kind(self) -> str:
        """What designs of this way are called."""
        return "anchor"

    def usage(self, number: int, kept: Retention) -> Usage:
        """Return what an average round uses where `kept` is kept."""
        forgotten = kept.missing * self.problem.target.total_weight
        real = number / self.problem.generations
        return Usage(real, float(self.problem.samples - number), 1.0, 1.0, forgotten)

    def real_per_round(self, number: int, usage: Usage) -> float:  # noqa: ARG002
        """Return the real items in a training set: the same ones in every round."""
        return float(number)


@final
@dataclass(frozen=True, eq=False)
class AnchorStrategy(StoredStrategy):
    """One stored item of each of the types that are most worth it: their number.

    `ordered_by` is another anchor's order of them; None for their own.
    """

    ordered_by: StoredTypes | None = None

    @property
    def maximum(self) -> int:
        """All types that count, if a training set holds them."""
        return self.stored.maximum

    @cached_property
    def stored(self) -> StoredTypes:
        """The types in the order in which they are stored."""
        return StoredTypes(self.problem, self.ordered_by)

    def regime(self, number: int) -> Regime:
        """Return the regime."""
        return self.stored.anchor(number) if number else Replace()

    def _retention(self, number: int) -> Retention:
        # A million types are not written down for it.
        return self.stored.retention(number)


@final
@dataclass(frozen=True, eq=False)
class StoredNumbersStrategy(StoredStrategy):
    """Stored numbers whose mean and variance are those of the data: how many."""

    @property
    def maximum(self) -> int:
        """The whole training set."""
        return self.problem.samples

    def regime(self, number: int) -> Regime:
        """Return the regime."""
        model = self.problem.target.model
        reserve = StoredMoments(number, mean=model.mean, deviation=model.deviation)
        return StoredNumbers(reserve) if number else Replace()


PERIODS = (2, 3, 5, 10, 20, 50)
"""Periods that a plan looks at: real data in every T-th round."""

SIZES = (1.5, 2.0, 4.0, 8.0)
"""Larger training sets that a plan looks at beside fresh data, as multiples of the size."""

GROWTH_STEPS = 10_000
"""Steps of growth from one size to twice it."""


@final
@dataclass(frozen=True, eq=False)
class ReplaceStrategy(SingleStrategy):
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
class FreshStrategy(Strategy):
    """Fresh real items in every round: their number."""

    samples: int = 0

    @property
    def kind(self) -> str:
        """What designs of this way are called."""
        return "fresh" if self.samples == self.problem.samples else "larger and fresh"

    @property
    def maximum(self) -> int:
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
class PeriodicStrategy(Strategy):
    """Fresh real items in every T-th round: their number in such a round."""

    every: int = 2

    @property
    def kind(self) -> str:
        """What designs of this way are called."""
        return "periodic"

    @property
    def maximum(self) -> int:
        """The whole training set."""
        return self.problem.samples

    def regime(self, number: int) -> Regime:
        """Return the regime."""
        return Periodic(share=number / self.problem.samples, every=self.every)


@final
@dataclass(frozen=True, eq=False)
class SampleSizeStrategy(Strategy):
    """Larger training sets, all generated: their size."""

    @property
    def kind(self) -> str:
        """What designs of this way are called."""
        return "larger"

    @property
    def minimum(self) -> int:
        """The size that is asked for."""
        return self.problem.samples

    @property
    def maximum(self) -> int:
        """Thousands of times the size, up to what a plan looks at."""
        own = self.problem.samples
        return max(own, min(self.problem.target.largest_samples, own * 4096))

    def size(self, number: int) -> int:
        """Return the size of a training set."""
        return number

    def regime(self, number: int) -> Regime:  # noqa: ARG002
        """Return the regime."""
        return Replace()


@final
@dataclass(frozen=True, eq=False)
class GrowingSizeStrategy(Strategy):
    """Training sets that grow by a factor every round, 0.01 % per step; each is `base`."""

    base: Regime = Replace()

    @property
    def kind(self) -> str:
        """What designs of this way are called."""
        return "growing"

    @property
    def maximum(self) -> int:
        """Twice the size every round, or as fast as sizes stay within what a plan looks at."""
        rounds = max(1, self.problem.generations - 1)
        fastest = min(
            2.0, (self.problem.target.largest_samples / self.problem.samples) ** (1.0 / rounds)
        )
        return max(0, int((fastest - 1.0) * GROWTH_STEPS))

    def regime(self, number: int) -> Scheduled:
        """Return the regime."""
        growth = 1.0 + number / GROWTH_STEPS
        rounds = range(self.problem.generations)
        sizes = [round(self.problem.samples * growth**k) for k in rounds]
        mixes = [self.base.mix(1, samples=size) for size in sizes]
        return Scheduled(samples=tuple(sizes), fresh=tuple(mix.fresh for mix in mixes))


def strategies_for(problem: PlanningProblem, *, larger: bool) -> Iterator[Strategy]:
    """Yield all ways there are; `larger` says whether the training set may grow."""
    yield ReplaceStrategy(problem)
    yield FreshStrategy(problem, problem.samples)
    for every in PERIODS:
        if every <= problem.generations:
            yield PeriodicStrategy(problem, every)
    yield from _keeping(problem)
    if larger:
        yield SampleSizeStrategy(problem)
        yield GrowingSizeStrategy(problem)
        for multiple in SIZES:
            yield FreshStrategy(problem, round(multiple * problem.samples))


def _keeping(problem: PlanningProblem) -> Iterator[Strategy]:
    """Yield the ways in which real items stay: a reserve, or everything so far."""
    if problem.target.kind == VARIANCE:
        yield StoredNumbersStrategy(problem)
    elif problem.target.kind != DIVERSITY:
        yield AnchorStrategy(problem)
    # Of a recorded run, what has accumulated is not known.
    if problem.elapsed is None:
        yield AccumulateStrategy(problem)
        yield SubsampleStrategy(problem)


def needs_simulation(strategy: Strategy) -> bool:
    """Return whether a way without a law is to be simulated, and can be."""
    problem = strategy.problem
    if problem.simulation is None:
        return False
    sizes = {"samples": strategy.size(strategy.maximum), "generations": problem.generations}
    return problem.target.can_simulate(strategy.kind, **sizes)
