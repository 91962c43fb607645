"""The strategies of a plan: shares, periods, reserves and sizes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Self, cast, final

import numpy as np
from typing_extensions import override

from hayflick.core.arrays import Floats, Integers
from hayflick.core.protocols import Regime
from hayflick.corpus.counts import Counts
from hayflick.laws.branching import Branching
from hayflick.laws.rounds import ChainRounds, rounds_of
from hayflick.planning.confidence import LawfulBounds
from hayflick.planning.cost import CostModel, Usage
from hayflick.planning.problem import PlanningProblem, ResumedRegime
from hayflick.planning.retention import Retention, TypeGroups, retention_by_law
from hayflick.planning.simulated_survival import ideal_of
from hayflick.planning.strategy import STEP, Change, SingleStrategy, Strategy
from hayflick.planning.targets import DIVERSITY, VARIANCE, SymbolTarget
from hayflick.planning.variance_target import StoredMoments, StoredNumbers
from hayflick.regimes.accumulate import Accumulate, AccumulateSubsample
from hayflick.regimes.anchor import Anchor
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.periodic import Periodic
from hayflick.regimes.replace import Replace
from hayflick.regimes.scheduled import Scheduled

PERIODS = (2, 3, 5, 10, 20, 50)
"""Periods that a plan looks at: real data in every T-th round."""

SIMULATED_PERIODS = (2, 5, 20)
"""Those of a trained model, of which every design is simulated."""

MULTIPLES = (1.5, 2.0, 4.0, 8.0)
"""Larger training sets that a plan looks at with fresh data, as multiples of the size."""

GROWTH_STEPS = 10_000
"""Steps of growth from one size to twice it."""


@final
@dataclass(frozen=True, eq=False)
class ReplaceStrategy(SingleStrategy):
    """No real data at all."""

    kind: ClassVar[str] = "replace"

    @override
    def regime(self, number: int) -> Regime:
        return Replace()


@dataclass(frozen=True, eq=False)
class AccumulateStrategy(SingleStrategy):
    """Everything so far is kept, and trained on.

    The N_0 real items are in every training set. They are acquired once, as stored ones are.
    """

    kind: ClassVar[str] = "accumulate"

    @property
    def real(self) -> int:
        """N_0, the real items that the pool begins with."""
        total: int | None = self.problem.target.model.total
        return self.problem.samples if total is None else total

    @override
    def without_real_data(self, number: int) -> bool:
        return False

    @override
    def regime(self, number: int) -> Regime:
        return Accumulate()

    @override
    def usage(self, number: int, kept: Retention) -> Usage:
        used = super().usage(number, kept)
        return replace(used, real=self.real / self.problem.generations)

    @override
    def real_per_round(self, number: int, usage: Usage) -> float:
        return float(self.real)


@final
@dataclass(frozen=True, eq=False)
class SubsampleStrategy(AccumulateStrategy):
    """Everything so far is kept; a random sample of n items of it is trained on."""

    kind: ClassVar[str] = "accumulate-subsample"

    @override
    def regime(self, number: int) -> Regime:
        return AccumulateSubsample()

    @override
    def real_per_round(self, number: int, usage: Usage) -> float:
        # Expected, of n items out of N_0 + k n: n N_0 / (N_0 + k n) in round k.
        added = self.problem.samples * np.arange(1.0, self.problem.generations + 1.0)
        return float(np.mean(self.problem.samples * self.real / (self.real + added)))


@final
@dataclass(frozen=True, eq=False)
class FreshStrategy(Strategy):
    """Fresh real items in every round: their number."""

    samples: int = 0

    @property
    @override
    def kind(self) -> str:
        return "fresh" if self.samples == self.problem.samples else "larger and fresh"

    @property
    @override
    def maximum(self) -> int:
        return self.samples

    @override
    def size(self, number: int) -> int:
        return self.samples

    @override
    def regime(self, number: int) -> Regime:
        return Fresh(number / self.samples) if number else Replace()

    @override
    def resized(self, samples: int) -> Self:
        return replace(super().resized(samples), samples=samples)

    @override
    def changes(self, number: int) -> Iterator[Change]:
        yield from super().changes(number)
        yield from self._fewer_fresh(number)


@final
@dataclass(frozen=True, eq=False)
class PeriodicStrategy(Strategy):
    """Fresh real items in every T-th round: their number in such a round."""

    every: int = 2

    kind: ClassVar[str] = "periodic"

    @property
    @override
    def maximum(self) -> int:
        return self.problem.samples

    @override
    def regime(self, number: int) -> Regime:
        return Periodic(share=number / self.problem.samples, every=self.every)

    @override
    def changes(self, number: int) -> Iterator[Change]:
        yield from super().changes(number)
        yield from self._fewer_fresh(number)
        if number:
            later = self.every + 1
            yield Change("period", self.every, later, replace(self, every=later), number)


@dataclass(frozen=True, eq=False)
class StoredStrategy(Strategy):
    """The same stored real items in every round: their number."""

    kind: ClassVar[str] = "anchor"

    def items(self, number: int) -> int:
        """Return how many items a design stores."""
        return number

    @override
    def usage(self, number: int, kept: Retention) -> Usage:
        stored = self.items(number)
        real, generated = stored / self.problem.generations, float(self.problem.samples - stored)
        return Usage(real, generated, 1.0, 1.0, self._forgotten(kept))

    @override
    def real_per_round(self, number: int, usage: Usage) -> float:
        return float(self.items(number))

    @override
    def changes(self, number: int) -> Iterator[Change]:
        for change in super().changes(number):
            # The reserve stays as large as it is, if it still fits in.
            if self.items(number) <= change.moved:
                yield change._replace(number=number)
        fewer = round(STEP * number)
        if fewer < number:
            yield Change("stored", number, fewer, self, fewer)


@final
@dataclass(frozen=True, eq=False)
class StoredNumbersStrategy(StoredStrategy):
    """Stored numbers whose mean and variance are those of the data: how many."""

    @property
    @override
    def maximum(self) -> int:
        return self.problem.samples

    @override
    def regime(self, number: int) -> Regime:
        model = self.problem.target.model
        reserve = StoredMoments(number, mean=model.mean, deviation=model.deviation)
        return StoredNumbers(reserve) if number else Replace()


@final
@dataclass(frozen=True, eq=False)
class AnchorStrategy(StoredStrategy):
    """Stored items of each of the types that are most worth it: the number of types.

    As many items of a type as keep it: one, or the examples that a class needs. Then it is kept in
    every training set. So storing it gains its weight times the probability that it is lost
    otherwise, and takes the room of as many generated items.

    Parameters
    ----------
    problem
        What is to be kept: all types or a list of them.
    ordered_by
        Another strategy that stores the same types first; None to order them by their gain.
    copies
        How many times the items that keep a type are stored.

    Examples
    --------
    >>> from hayflick.chains.discrete import Discrete
    >>> from hayflick.planning.problem import planning_problem
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> anchor = AnchorStrategy(planning_problem(words, generations=10))
    >>> anchor.smallest(0.9), anchor.regime(1).reserve.symbols
    (1, ('here',))
    """

    ordered_by: AnchorStrategy | None = None
    copies: int = 1

    @property
    def _target(self) -> SymbolTarget:
        return cast(SymbolTarget, self.problem.target)

    @property
    @override
    def maximum(self) -> int:
        # The sums of items stored, from no type on.
        fitting = np.searchsorted(self._stored, self.problem.samples, side="right")
        return int(fitting) - 1

    @cached_property
    def _stored(self) -> Integers:
        """Items of the first types together, from none to all of them, ``(types + 1,)``."""
        return np.concatenate([[0], np.cumsum(self._needed[self._places])])

    @property
    def _needed(self) -> Integers:
        """Items to store of every type of the model."""
        return self.copies * self._target.needed

    @override
    def items(self, number: int) -> int:
        return int(self._stored[number])

    @override
    def regime(self, number: int) -> Regime:
        if not number:
            return Replace()
        # Types of the same gain are stored in the order of the data.
        where = np.sort(self._places[:number])
        symbols = np.array(self._target.model.symbols, dtype=object)[where]
        return Anchor(Counts(tuple(symbols), self._needed[where]))

    @override
    def _retention(self, number: int) -> Retention:
        if not self.by_law:
            return super()._retention(number)
        # By groups of types: the regime itself would list a million of them.
        free = self._order.without_first(number)
        target = self._target
        kept = retention_by_law(
            target.groups, self._rounds(number), free, law=self.problem.law, chances=target.chances
        )
        kept = self.problem.from_now(kept)
        if self.problem.elapsed is None:
            return kept
        # Nothing was stored until now.
        return replace(kept, expected=np.concatenate([[self._present], kept.expected[1:]]))

    @override
    def bounds(self, number: int, keep: float) -> LawfulBounds | None:
        if not self.by_law:
            return None
        problem, elapsed = self.problem, self.problem.elapsed_rounds
        return self._target.bounds_of(
            keep,
            self._rounds(number),
            self._order.without_first(number),
            counted_from=elapsed + problem.counted_from,
            law=problem.law,
        )

    def highest_count(self, number: int) -> float:
        """Return how often the data hold the most frequent of the first `number` types.

        For a law that is known, its expected count in a training set.
        """
        weights = self._target.model.weights
        highest = float(weights[self._places[:number]].max())
        if self._target.model.total is not None:
            return highest
        return highest / float(weights.sum()) * self.problem.samples

    @override
    def resized(self, samples: int) -> Self:
        return replace(super().resized(samples), ordered_by=self)

    @cached_property
    def _present(self) -> float:
        """The share that is left at present."""
        return float(self.problem.retention(Replace(), self.problem.samples).expected[0])

    @cached_property
    def _replace(self) -> ChainRounds:
        own, elapsed = self.problem, self.problem.elapsed
        regime: Regime = Replace() if elapsed is None else ResumedRegime(elapsed, Replace())
        rounds = own.generations + (0 if elapsed is None else elapsed.rounds)
        # Those of a trained model are those of an ideal one.
        model = ideal_of(self._target.model)
        return rounds_of(model, regime=regime, samples=own.samples, generations=rounds)

    def _rounds(self, number: int) -> ChainRounds:
        """Return the rounds of the types that are not stored."""
        elapsed = self.problem.elapsed
        generated = self._replace.generated.copy()
        generated[0 if elapsed is None else elapsed.rounds :] -= self.items(number)
        return replace(self._replace, generated=generated)

    @cached_property
    def _order(self) -> TypeGroups:
        """The types that count, in groups, in the order in which they are stored."""
        if self.ordered_by is not None:
            return self.ordered_by._order
        groups = self._target.groups
        gains = self._log_gains(groups.probabilities, groups.weights, groups.least)
        return groups.reordered(np.argsort(-gains, kind="stable"))

    @cached_property
    def _places(self) -> Integers:
        """Places of the types that count in the model, in the order in which they are stored."""
        if self.ordered_by is not None:
            return self.ordered_by._places
        target = self._target
        places = np.arange(target.model.types) if target.listed is None else target.listed
        weights = np.ones(places.size) if target.listed_weights is None else target.listed_weights
        gains = self._log_gains(target.model.probabilities[places], weights, target.needed[places])
        return places[np.argsort(-gains, kind="stable")]

    def _log_gains(self, probabilities: Floats, weights: Floats, least: Integers) -> Floats:
        """Return the log of weight times probability of being lost without an anchor, an item."""
        slope = Branching.of(self._replace).slope[-1]
        gains: Floats = np.log(weights / least) - probabilities * slope
        return gains


@final
@dataclass(frozen=True, eq=False)
class SampleSizeStrategy(Strategy):
    """Larger training sets, all generated: their size."""

    kind: ClassVar[str] = "larger"

    @property
    @override
    def minimum(self) -> int:
        return self.problem.samples

    @property
    @override
    def maximum(self) -> int:
        own = self.problem.samples
        return max(own, min(self.problem.target.largest_samples, own * 4096))

    @override
    def size(self, number: int) -> int:
        return number

    @override
    def regime(self, number: int) -> Regime:
        return Replace()


@final
@dataclass(frozen=True, eq=False)
class GrowingSizeStrategy(Strategy):
    """Generated training sets that grow by a factor every round, in steps of 0.01 %."""

    kind: ClassVar[str] = "growing"

    @property
    @override
    def maximum(self) -> int:
        # Twice the size every round, or as fast as the last size allows.
        rounds = max(1, self.problem.generations - 1)
        largest = self.problem.target.largest_samples / self.problem.samples
        fastest = min(2.0, largest ** (1.0 / rounds))
        return max(0, int((fastest - 1.0) * GROWTH_STEPS))

    @override
    def regime(self, number: int) -> Scheduled:
        growth = 1.0 + number / GROWTH_STEPS
        sizes = (round(self.problem.samples * growth**k) for k in range(self.problem.generations))
        return Scheduled(samples=tuple(sizes), fresh=(0,) * self.problem.generations)

    @override
    def changes(self, number: int) -> Iterator[Change]:
        return iter(())


def strategies_for(problem: PlanningProblem, costs: CostModel | None = None) -> Iterator[Strategy]:
    """Yield every strategy; training sets may grow if a generated item has a price."""
    yield ReplaceStrategy(problem)
    yield FreshStrategy(problem, problem.samples)
    for every in SIMULATED_PERIODS if problem.calibrated else PERIODS:
        if every <= problem.generations:
            yield PeriodicStrategy(problem, every)
    if problem.target.kind == VARIANCE:
        yield StoredNumbersStrategy(problem)
    elif problem.target.kind != DIVERSITY:
        yield AnchorStrategy(problem)
    # What a recorded run has accumulated is not known.
    if problem.elapsed is None:
        yield AccumulateStrategy(problem)
        yield SubsampleStrategy(problem)
    if costs is not None and costs.generated > 0.0:
        yield SampleSizeStrategy(problem)
        yield GrowingSizeStrategy(problem)
        for multiple in MULTIPLES:
            yield FreshStrategy(problem, round(multiple * problem.samples))
