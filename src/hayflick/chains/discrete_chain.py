"""The discrete family in motion: the stages of a round over a block of replicates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hayflick.chains import draws as kernels
from hayflick.chains.count_classes import CountClasses, count_classes
from hayflick.chains.discrete import Discrete
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
    symbols, counts
        Positions of the symbols that were drawn, and how often.
    offsets
        Replicate r owns ``offsets[r]`` to ``offsets[r + 1]``, shape ``(replicates + 1,)``.
    fitted
        False for the pools of a real law that no model has been fitted to yet: they stand
        for θ_0 itself, and hold no counts.
    """

    symbols: kernels.Symbols
    counts: Integers
    offsets: Integers
    fitted: bool = True

    @classmethod
    def empty(cls, replicates: int, *, fitted: bool = True) -> BlockCounts:
        """Return a block without a single count."""
        nothing = np.empty(0, np.int32), np.empty(0, np.int64)
        return cls(*nothing, np.zeros(replicates + 1, np.int64), fitted)

    @property
    def replicates(self) -> int:
        """Number of replicates."""
        return self.offsets.size - 1

    @property
    def sparse(self) -> kernels.Sparse:
        """What the kernels take."""
        return self.symbols, self.counts, self.offsets


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

    def add(self, rng: np.random.Generator, pool: BlockCounts, draws: Integers) -> BlockCounts:
        """Return the pool with ``draws[r]`` new symbols in replicate r."""
        tables = self.conditional, self.thresholds, self.pairs
        return BlockCounts(*kernels.add_draws(rng, *pool.sparse, draws, *tables))


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

    def start(self, replicates: int) -> BlockCounts:
        """Return `replicates` copies of θ_0, the fit to the real data."""
        return BlockCounts.empty(replicates, fitted=False)

    def generate(
        self, rng: np.random.Generator, population: BlockCounts, draws: int
    ) -> BlockCounts:
        """Draw `draws` symbols from every model, a multinomial each."""
        model = self.model
        share = model.initial_uniform_share
        if population.fitted:
            share = model.estimator.uniform_share(total=self.samples, types=model.types)
        replicates = population.replicates
        uniform = np.zeros(replicates, np.int64)
        if share > 0:
            uniform = rng.binomial(draws, share, replicates)
        observed = draws - uniform
        if population.fitted:
            pool = BlockCounts(*kernels.redraw(rng, *population.sparse, observed))
        else:
            pool = self._real.add(rng, BlockCounts.empty(replicates), observed)
        return self._uniform.add(rng, pool, uniform) if share > 0 else pool

    def mix(self, rng: np.random.Generator, pool: BlockCounts, mix: Mix[Counts]) -> BlockCounts:
        """Add fresh draws from the real law and the stored real items to every pool."""
        if mix.fresh:
            pool = self._real.add(rng, pool, np.full(pool.replicates, mix.fresh))
        if mix.reserve is not None:
            stored = self._stored(mix.reserve)
            pool = BlockCounts(*kernels.add_counts(*pool.sparse, *stored, self.model.types))
        return pool

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

    def estimate(self, pool: BlockCounts) -> BlockCounts:
        """Fit every model: the counts are its parameters, smoothing comes in with drawing."""
        return pool

    def measure(self, population: BlockCounts) -> Recorded:
        """Return survivors by class and the sum of squared counts."""
        if not population.fitted:
            survivors = np.tile(self.classes.sizes, (population.replicates, 1))
            return {"survivors": survivors, "squares": np.zeros(population.replicates, np.int64)}
        classes = self.classes
        tables = classes.of_symbol, classes.lower.size
        survivors, squares = kernels.summarise(*population.sparse, *tables)
        return {"survivors": survivors, "squares": squares}

    def record(self, history: Recorded, last: BlockCounts) -> Recorded:
        """Return surviving types, in all and by class, the diversity, and counts by rank.

        Diversity is Gini and Simpson's, of the estimated law: 1 - Σ p_i².
        """
        model, delta = self.model, self.model.estimator.delta
        surviving = history["survivors"].sum(axis=2)
        squared = history["squares"] + delta * (2.0 * self.samples + delta * model.types)
        diversity = 1.0 - squared / (self.samples + delta * model.types) ** 2
        share = model.initial_uniform_share
        start = (1.0 - share) * model.probabilities + share / model.types
        diversity[:, 0] = 1.0 - np.sum(start**2)
        _, counts, offsets = last.sparse
        return {
            "surviving_types": surviving,
            "surviving_fraction": surviving / model.types,
            "diversity": diversity,
            "class_survivors": history["survivors"],
            "count_by_rank": kernels.counts_at_ranks(counts, offsets, self.ranks),
        }

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
