"""The chains of a discrete law: counts that are drawn and fitted again, round by round."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from hayflick.chains.block_counts import (
    AliasTable,
    BlockCounts,
    CountClasses,
    LawBlock,
    WeightedCounts,
    count_classes,
    recorded_ranks,
)
from hayflick.chains.estimators import AddDelta, GoodTuring
from hayflick.chains.family import MOST_COUNTED, FamilyChain, MergedPools, Rng, subsampled
from hayflick.chains.resampler import Resampler
from hayflick.chains.stages import DISCRETE_STAGES, GeneratedLaw, Stages, law_on_grid
from hayflick.core.arrays import Floats, Integers
from hayflick.core.errors import ArgumentError
from hayflick.core.protocols import PoolT, PopulationT, Recorded
from hayflick.core.records import Mix
from hayflick.corpus.counts import Counts


class SymbolLaw(Protocol):
    """What the chains take of a law over symbols; see `hayflick.Discrete`."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols."""

    @property
    def types(self) -> int:
        """Number of symbols."""

    @property
    def counts(self) -> Integers | None:
        """Counts of the real data; None for a law that is known."""

    @property
    def probabilities(self) -> Floats:
        """The real law."""

    @property
    def estimator(self) -> AddDelta | GoodTuring | Resampler:
        """What fits the law to counts."""

    @property
    def smoothing(self) -> AddDelta:
        """The estimator as add-δ smoothing."""

    @property
    def initial_law(self) -> Floats:
        """The estimate from the real data."""

    @property
    def initial_uniform_share(self) -> float:
        """Share of that estimate that smoothing spreads evenly."""

    def align(self, reserve: Counts | None) -> Integers:
        """Return the counts of a reserve in the order of the symbols."""


class SymbolChain(FamilyChain[PopulationT, PoolT]):
    """What both chains of a discrete law share."""

    takes = DISCRETE_STAGES
    model: SymbolLaw

    @abstractmethod
    def empty_pools(self, replicates: int) -> PoolT:
        """Return pools without a single item."""

    @override
    def check(self, mixes: Sequence[Mix[Any]]) -> None:
        # A reserve that names other symbols is refused.
        for mix in mixes[:1]:
            self.model.align(mix.reserve)

    @override
    def check_subsamples(
        self, mixes: Sequence[Mix[Any]], *, most: int = MOST_COUNTED, refused: Collection[str] = ()
    ) -> None:
        if subsampled(mixes):
            super().check_subsamples(mixes, most=most, refused=refused)

    def real_pools(self, rng: Rng, replicates: int) -> PoolT:
        """Return pools of the real data: the counts, or draws of a known law."""
        model = self.model
        data: Mix[Counts] = Mix(generated=0, fresh=self.samples)
        if model.counts is not None:
            data = Mix(generated=0, reserve=Counts(model.symbols, model.counts))
        return self.mix(rng, self.empty_pools(replicates), data)


class DiscreteChain(SymbolChain[BlockCounts, BlockCounts]):
    """A discrete law retrained on its own draws: counts alone, extinct symbols left out.

    The counts are the model's parameters; smoothing comes in where they are drawn from.
    """

    @cached_property
    def _real(self) -> AliasTable:
        return AliasTable.of(self.model.probabilities)

    @cached_property
    def _uniform(self) -> AliasTable:
        return AliasTable.of(np.full(self.model.types, 1.0 / self.model.types))

    @cached_property
    def classes(self) -> CountClasses:
        """Symbols grouped by their count in the real data (expected, for a known law)."""
        counts = self.model.counts
        expected = self.model.probabilities * self.samples
        return count_classes(expected if counts is None else counts)

    @override
    def empty_pools(self, replicates: int) -> BlockCounts:
        return BlockCounts.empty(replicates)

    @override
    def start(self, replicates: int) -> BlockCounts:
        return BlockCounts.empty(replicates)

    @override
    def generate(self, rng: Rng, population: BlockCounts, draws: int) -> BlockCounts:
        # Smoothing makes a model a mixture of what it observed and the uniform law.
        share = self._uniform_share(population)
        uniform = np.zeros(population.replicates, np.int64)
        if share > 0:
            uniform = rng.binomial(draws, share, population.replicates)
        if population.size == 0:
            pool = self._real.add(rng, population, draws - uniform)
        else:
            pool = population.redraw(rng, draws - uniform)
        if share > 0:
            pool = self._uniform.add(rng, pool, uniform)
        return replace(pool, size=draws)

    def _uniform_share(self, population: BlockCounts) -> float:
        if population.size == 0:
            return self.model.initial_uniform_share
        return self.model.smoothing.uniform_share(total=population.size, types=self.model.types)

    @override
    def mix(self, rng: Rng, pool: BlockCounts, mix: Mix[Counts]) -> BlockCounts:
        if mix.fresh:
            drawn = self._real.add(rng, pool, np.full(pool.replicates, mix.fresh))
            pool = replace(drawn, size=pool.size + mix.fresh)
        return pool if mix.reserve is None else pool.merge(self._stored(mix.reserve))

    @cached_property
    def _aligned(self) -> dict[Counts, BlockCounts]:
        return {}

    def _stored(self, reserve: Counts) -> BlockCounts:
        # The same reserve comes back in every round: align it once.
        if reserve not in self._aligned:
            aligned = self.model.align(reserve)
            places = np.flatnonzero(aligned).astype(np.int32)
            sparse = places, aligned[places], np.array([0, places.size])
            self._aligned[reserve] = BlockCounts(sparse, reserve.total)
        return self._aligned[reserve]

    def pools(self, mixes: Sequence[Mix[Any]]) -> MergedPools[BlockCounts]:
        """Return how the counts of all rounds are kept.

        Raises
        ------
        ArgumentError
            If the pool is too large to draw from without replacement.
        """
        self.check_subsamples(mixes)

        def measured(sample: BlockCounts | None, kept: BlockCounts) -> Recorded:
            recorded = {"surviving_in_pool": np.diff(kept.sparse[2])}
            if sample is not None:
                own = self.measure(sample)
                recorded |= {name: own[name] for name in own if name != "diversity"}
            return recorded

        return MergedPools(self.real_pools, lambda *drawn: drawn[0].subsample(*drawn[1:]), measured)

    @override
    def estimate(self, pool: BlockCounts) -> BlockCounts:
        return pool

    @override
    def measure(self, population: BlockCounts) -> Recorded:
        model, classes = self.model, self.classes
        if population.size == 0:
            survivors = np.tile(classes.sizes, (population.replicates, 1))
            diversity = np.full(population.replicates, 1.0 - np.sum(model.initial_law**2))
        else:
            from hayflick.chains.count_kernels import summarise

            tables = classes.of_symbol, classes.lower.size
            survivors, squares = summarise(*population.sparse, *tables)
            # With N for a count: Σ (N + δ)² = Σ N² + 2 δ n + δ² m.
            delta, size = model.smoothing.delta, float(population.size)
            squares = squares + delta * (2.0 * size + delta * model.types)
            diversity = 1.0 - squares / (size + delta * model.types) ** 2
        return self.recorded(survivors, diversity)

    def recorded(self, survivors: Integers, diversity: Floats) -> Recorded:
        """Return the measurements of survivors by class, and of diversity."""
        surviving = survivors.sum(axis=1)
        return {
            "surviving_types": surviving,
            "surviving_fraction": surviving / self.model.types,
            "diversity": diversity,
            "class_survivors": survivors,
        }

    @override
    def measure_last(self, population: BlockCounts) -> Recorded:
        from hayflick.chains.count_kernels import counts_at_ranks

        _, counts, offsets = population.sparse
        return {"count_by_rank": counts_at_ranks(counts, offsets, self.ranks)}

    @cached_property
    def ranks(self) -> Integers:
        """Ranks at which the counts of the last generation are recorded, evenly in logs."""
        return recorded_ranks(self.model.types)

    @override
    def coordinates(self) -> Mapping[str, tuple[str, NDArray[Any]]]:
        return {
            "class_survivors": ("count_class", self.classes.lower),
            "count_by_rank": ("rank", self.ranks),
        }


class StagedDiscreteChain(SymbolChain[LawBlock, WeightedCounts]):
    """A discrete law retrained with further stages, or another estimator than add-δ."""

    def __init__(self, model: SymbolLaw, samples: int, stages: Stages) -> None:
        super().__init__(model, samples, stages)
        if isinstance(model.estimator, GoodTuring) and stages.real_weight != 1.0:
            takes = "1 with the estimator good-turing, which needs whole counts"
            raise ArgumentError("real_weight", got=stages.real_weight, takes=takes)
        self._generated = GeneratedLaw.of(stages, model.symbols)

    @override
    def empty_pools(self, replicates: int) -> WeightedCounts:
        nothing = np.zeros((replicates, self.model.types), np.int64)
        return WeightedCounts(nothing, nothing)

    @override
    def start(self, replicates: int) -> LawBlock:
        model = self.model
        real = model.probabilities[None]
        if model.counts is not None:
            real = self._fit(model.counts[None].astype(np.float64))
        return LawBlock(np.repeat(self._rounded(real), replicates, axis=0), None)

    @override
    def generate(self, rng: Rng, population: LawBlock, draws: int) -> WeightedCounts:
        counts = rng.multinomial(draws, self._generated.of_law(population.law))
        return WeightedCounts(counts, np.zeros_like(counts))

    @override
    def mix(self, rng: Rng, pool: WeightedCounts, mix: Mix[Any]) -> WeightedCounts:
        real = self.model.align(mix.reserve)[None].repeat(len(pool.real), axis=0)
        if mix.fresh:
            real += rng.multinomial(mix.fresh, self.model.probabilities, len(real))
        return WeightedCounts(pool.generated, pool.real + real)

    def pools(self, mixes: Sequence[Mix[Any]]) -> MergedPools[WeightedCounts]:
        """Return how the counts of all rounds are kept.

        Raises
        ------
        ArgumentError
            If the pool is too large to draw from without replacement.
        """
        self.check_subsamples(mixes)

        def measured(sample: WeightedCounts | None, kept: WeightedCounts) -> Recorded:
            in_pool = {"surviving_in_pool": kept.surviving}
            return in_pool if sample is None else {**in_pool, **self._survivors(sample.surviving)}

        return MergedPools(self.real_pools, WeightedCounts.subsample, measured)

    @override
    def estimate(self, pool: WeightedCounts) -> LawBlock:
        law = self._fit(pool.generated + self.stages.real_weight * pool.real)
        return LawBlock(self._rounded(law), pool.generated + pool.real)

    def _rounded(self, law: Floats) -> Floats:
        grid = self.stages.rounding
        return law if grid is None else law_on_grid(law, grid)

    def _fit(self, counts: Floats) -> Floats:
        estimator = self.model.estimator
        if isinstance(estimator, GoodTuring):
            return np.stack([estimator.fit(row) for row in counts])
        smoothed = counts + self.model.smoothing.delta
        law: Floats = smoothed / smoothed.sum(axis=1, keepdims=True)
        return law

    @override
    def measure(self, population: LawBlock) -> Recorded:
        surviving = np.full(len(population.law), self.model.types)
        if population.counts is not None:
            surviving = np.count_nonzero(population.counts, axis=1)
        diversity = 1.0 - np.sum(population.law**2, axis=1)
        return {**self._survivors(surviving), "diversity": diversity}

    def _survivors(self, surviving: Integers) -> dict[str, NDArray[Any]]:
        return {"surviving_types": surviving, "surviving_fraction": surviving / self.model.types}
