"""The discrete family in motion: the stages of a round over a block of replicates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hayflick.chains import draws as kernels
from hayflick.chains.count_classes import CountClasses, count_classes
from hayflick.chains.discrete import Discrete
from hayflick.chains.pools import MergedPools
from hayflick.core.arrays import Floats, Integers
from hayflick.core.protocols import Recorded
from hayflick.core.records import Mix
from hayflick.corpus.counts import Counts

_RANKS = 200


@dataclass(frozen=True, eq=False)
class BlockCounts:
    """Counts of a block of replicates, extinct symbols left out.

    Parameters
    ----------
    sparse
        Symbols (as positions), counts, and offsets: replicate r owns the entries from
        ``offsets[r]`` to ``offsets[r + 1]``.
    size
        Items that each replicate holds; 0 for models fitted to the real data, which hold
        no counts of their own.
    """

    sparse: kernels.Sparse
    size: int

    @classmethod
    def empty(cls, replicates: int) -> BlockCounts:
        """Return a block without a single count."""
        nothing = np.empty(0, np.int32), np.empty(0, np.int64)
        return cls((*nothing, np.zeros(replicates + 1, np.int64)), 0)

    @property
    def replicates(self) -> int:
        """Number of replicates."""
        return self.sparse[2].size - 1


@dataclass(frozen=True, eq=False)
class AliasedLaw:
    """A law made ready for drawing.

    Parameters
    ----------
    conditional
        Probability of symbol i among the symbols from i on, shape ``(types,)``.
    thresholds, pairs
        Its alias table.
    """

    conditional: Floats
    thresholds: Floats
    pairs: kernels.Symbols

    @classmethod
    def of(cls, law: Floats) -> AliasedLaw:
        """Return the tables of a law."""
        tail = np.cumsum(law[::-1])[::-1]
        conditional = np.minimum(law / tail, 1.0)
        conditional[-1] = 1.0
        return cls(conditional, *kernels.alias_table(law))

    def add(
        self, rng: np.random.Generator, pool: kernels.Sparse, draws: Integers
    ) -> kernels.Sparse:
        """Return the pool with ``draws[r]`` new symbols in replicate r."""
        tables = self.conditional, self.thresholds, self.pairs
        return kernels.add_draws(rng, *pool, draws, *tables)


@dataclass(frozen=True, eq=False)
class DiscreteChain:
    """A discrete law retrained on its own draws; see `hayflick.core.protocols.Chain`.

    Parameters
    ----------
    model
        The law, and how it is estimated.
    samples
        Size of a training set.
    """

    model: Discrete
    samples: int

    @cached_property
    def _real(self) -> AliasedLaw:
        return AliasedLaw.of(self.model.probabilities)

    @cached_property
    def _uniform(self) -> AliasedLaw:
        return AliasedLaw.of(np.full(self.model.types, 1.0 / self.model.types))

    @cached_property
    def classes(self) -> CountClasses:
        """Symbols grouped by their count in the real data (expected, for a known law)."""
        counts = self.model.counts
        expected = self.model.probabilities * self.samples
        return count_classes(expected if counts is None else counts)

    def check(self, mixes: Sequence[Mix[Any]]) -> None:
        """Refuse a reserve that names other symbols.

        Raises
        ------
        DataError
            If there is one.
        """
        for mix in mixes[:1]:
            self.model.align(mix.reserve)

    def start(self, replicates: int) -> BlockCounts:
        """Return `replicates` copies of θ_0, the fit to the real data."""
        return BlockCounts.empty(replicates)

    def generate(
        self, rng: np.random.Generator, population: BlockCounts, draws: int
    ) -> BlockCounts:
        """Draw `draws` symbols from every model, a multinomial each."""
        # Smoothing makes a model a mixture of what it observed and the uniform law.
        share = self._uniform_share(population)
        uniform = np.zeros(population.replicates, np.int64)
        if share > 0:
            uniform = rng.binomial(draws, share, population.replicates)
        if population.size == 0:
            pool = self._real.add(rng, population.sparse, draws - uniform)
        else:
            pool = kernels.redraw(rng, *population.sparse, draws - uniform)
        if share > 0:
            pool = self._uniform.add(rng, pool, uniform)
        return BlockCounts(pool, draws)

    def _uniform_share(self, population: BlockCounts) -> float:
        if population.size == 0:
            return self.model.initial_uniform_share
        return self.model.smoothing.uniform_share(total=population.size, types=self.model.types)

    def mix(self, rng: np.random.Generator, pool: BlockCounts, mix: Mix[Counts]) -> BlockCounts:
        """Add fresh draws from the real law and the stored real items to every pool."""
        sparse = pool.sparse
        if mix.fresh:
            sparse = self._real.add(rng, sparse, np.full(pool.replicates, mix.fresh))
        if mix.reserve is not None:
            sparse = kernels.add_counts(*sparse, *self._stored(mix.reserve), self.model.types)
        return BlockCounts(sparse, pool.size + mix.fresh + mix.reserved)

    @cached_property
    def _aligned(self) -> dict[Counts, tuple[kernels.Symbols, Integers]]:
        return {}

    def _stored(self, reserve: Counts) -> tuple[kernels.Symbols, Integers]:
        # The same reserve comes back in every round: align it once.
        if reserve not in self._aligned:
            aligned = self.model.align(reserve)
            places = np.flatnonzero(aligned).astype(np.int32)
            self._aligned[reserve] = places, aligned[places]
        return self._aligned[reserve]

    def pools(self, mixes: Sequence[Mix[Any]]) -> MergedPools[BlockCounts]:
        """Return how the counts of all rounds are kept."""
        from hayflick.chains.discrete_pools import sparse_pools

        return sparse_pools(self, mixes)

    def estimate(self, pool: BlockCounts) -> BlockCounts:
        """Fit every model: the counts are its parameters, smoothing comes in with drawing."""
        return pool

    def measure(self, population: BlockCounts) -> Recorded:
        """Return surviving types, in all and by class, and the diversity of the model.

        Diversity is Gini and Simpson's, 1 - Σ p_i².
        """
        model, classes = self.model, self.classes
        if population.size == 0:
            survivors = np.tile(classes.sizes, (population.replicates, 1))
            diversity = np.full(population.replicates, 1.0 - np.sum(model.initial_law**2))
        else:
            tables = classes.of_symbol, classes.lower.size
            survivors, squares = kernels.summarise(*population.sparse, *tables)
            # With N for a count: Σ (N + δ)² = Σ N² + 2 δ n + δ² m.
            delta, size = model.smoothing.delta, float(population.size)
            squares = squares + delta * (2.0 * size + delta * model.types)
            diversity = 1.0 - squares / (size + delta * model.types) ** 2
        surviving = survivors.sum(axis=1)
        return {
            "surviving_types": surviving,
            "surviving_fraction": surviving / model.types,
            "diversity": diversity,
            "class_survivors": survivors,
        }

    def measure_last(self, population: BlockCounts) -> Recorded:
        """Return counts by rank, most frequent first, 0 beyond the last survivor."""
        _, counts, offsets = population.sparse
        return {"count_by_rank": kernels.counts_at_ranks(counts, offsets, self.ranks)}

    @cached_property
    def ranks(self) -> Integers:
        """Ranks at which the counts of the last generation are recorded, evenly in logs."""
        return np.unique(np.geomspace(1, self.model.types, _RANKS).round().astype(np.int64))

    def coordinates(self) -> Mapping[str, tuple[str, NDArray[Any]]]:
        """Return the further dimension of a recorded name, and its coordinate."""
        return {
            "class_survivors": ("count_class", self.classes.lower),
            "count_by_rank": ("rank", self.ranks),
        }

    def describe(self) -> dict[str, Any]:
        """Return the parameters that make the chain again, ready for JSON."""
        return {**self.model.describe(), "samples": self.samples}
