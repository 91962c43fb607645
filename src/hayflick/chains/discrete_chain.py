"""The discrete family in motion: the stages of a round over a block of replicates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hayflick.chains import draws as kernels
from hayflick.chains.discrete import Discrete
from hayflick.chains.estimators import GoodTuring
from hayflick.chains.pools import (
    MOST_COUNTED,
    MergedPools,
    Real,
    check_pool,
    marginal_draws,
    subsampled,
)
from hayflick.chains.rounding import Grid, law_on_grid
from hayflick.chains.samplers import Temperature, TopK, TopP
from hayflick.chains.stages import (
    DISCRETE_DEGRADATIONS,
    DISCRETE_SELECTIONS,
    GeneratedLaw,
    Stages,
)
from hayflick.core.arrays import Floats, Integers
from hayflick.core.errors import ArgumentError
from hayflick.core.protocols import Recorded
from hayflick.core.records import Mix
from hayflick.corpus.counts import Counts

_MANTISSAS = np.array([1, 1.5, 2, 3, 4, 5, 6, 8])
_FIRST = np.array([1, 2, 3, 4, 5, 6, 8])


@dataclass(frozen=True, eq=False)
class CountClasses:
    """Classes of symbols by count.

    Parameters
    ----------
    lower
        Smallest count of every class, ascending, shape ``(classes,)``.
    of_symbol
        The class of every symbol, shape ``(types,)``.
    """

    lower: Integers
    of_symbol: NDArray[np.int32]

    @property
    def sizes(self) -> Integers:
        """Number of symbols in every class, shape ``(classes,)``."""
        return np.bincount(self.of_symbol, minlength=self.lower.size)


def count_classes(counts: Integers | Floats) -> CountClasses:
    """Group symbols by (expected) count; classes without a symbol are left out.

    Examples
    --------
    >>> classes = count_classes(np.array([1, 1, 7, 120]))
    >>> classes.lower.tolist(), classes.sizes.tolist()
    ([1, 6, 100], [2, 1, 1])
    """
    decades = range(1, 2 + int(np.log10(max(10.0, float(counts.max())))))
    later = np.concatenate([_MANTISSAS * 10**decade for decade in decades])
    edges = np.unique(np.concatenate([_FIRST, later]).astype(np.int64))
    # Expected counts below 1 (a law that is known, a small sample) share a class 0.
    edges = np.concatenate([[0], edges])
    place = np.searchsorted(edges, counts, side="right") - 1
    used, of_symbol = np.unique(place, return_inverse=True)
    return CountClasses(edges[used], of_symbol.astype(np.int32))


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
class AliasTable:
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
    def of(cls, law: Floats) -> AliasTable:
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


_TAKES: dict[str, tuple[type, ...]] = {
    "sampler": (Temperature, TopK, TopP),
    "degradation": DISCRETE_DEGRADATIONS,
    "selection": DISCRETE_SELECTIONS,
    "real_weight": (float,),
    "rounding": (Grid,),
}


@dataclass(frozen=True, eq=False)
class LawBlock:
    """Laws of a block, and the counts that they were fitted to.

    Parameters
    ----------
    law
        Shape ``(replicates, types)``.
    counts
        Items in the training set, unweighted, of the same shape; None for θ_0.
    """

    law: Floats
    counts: Integers | None


@dataclass(frozen=True, eq=False)
class WeightedCounts:
    """Counts of a block, generated and real apart, shape ``(replicates, types)``."""

    generated: Integers
    real: Integers


@dataclass(frozen=True, eq=False)
class StagedDiscreteChain:
    """The discrete family in motion, every stage built in; see `core.protocols.Chain`.

    Parameters
    ----------
    model
        The law, and how it is estimated.
    samples
        Size of a training set.
    stages
        What else happens in a round.
    """

    model: Discrete
    samples: int
    stages: Stages

    def __post_init__(self) -> None:
        self.stages.check("discrete", _TAKES)
        if isinstance(self.model.estimator, GoodTuring) and self.stages.real_weight != 1.0:
            takes = "1 with the estimator good-turing, which needs whole counts"
            raise ArgumentError("real_weight", got=self.stages.real_weight, takes=takes)
        _ = self._generated

    @cached_property
    def _generated(self) -> GeneratedLaw:
        return GeneratedLaw.of(self.stages, self.model.symbols)

    def check(self, mixes: Sequence[Mix[Any]]) -> None:
        """Refuse a reserve that names other symbols.

        Raises
        ------
        DataError
            If there is one.
        """
        for mix in mixes[:1]:
            self.model.align(mix.reserve)

    def start(self, replicates: int) -> LawBlock:
        """Return copies of the model fitted to the real data."""
        model = self.model
        real = model.probabilities[None]
        if model.counts is not None:
            real = self._fit(model.counts[None].astype(np.float64))
        if self.stages.rounding is not None:
            real = law_on_grid(real, self.stages.rounding)
        return LawBlock(np.repeat(real, replicates, axis=0), None)

    def generate(
        self, rng: np.random.Generator, population: LawBlock, draws: int
    ) -> WeightedCounts:
        """Draw `draws` symbols from every model, as they arrive in the training set."""
        counts = rng.multinomial(draws, self._generated.of_law(population.law))
        return WeightedCounts(counts, np.zeros_like(counts))

    def mix(self, rng: np.random.Generator, pool: WeightedCounts, mix: Mix[Any]) -> WeightedCounts:
        """Add fresh draws from the real law and the stored real items."""
        real = self.model.align(mix.reserve)[None].repeat(len(pool.real), axis=0)
        if mix.fresh:
            real += rng.multinomial(mix.fresh, self.model.probabilities, len(real))
        return WeightedCounts(pool.generated, pool.real + real)

    def pools(self, mixes: Sequence[Mix[Any]]) -> MergedPools[WeightedCounts]:
        """Return how the counts of all rounds are kept."""
        return staged_pools(self, mixes)

    def estimate(self, pool: WeightedCounts) -> LawBlock:
        """Fit every model to its weighted counts, and round it."""
        weighted = pool.generated + self.stages.real_weight * pool.real
        law = self._fit(weighted)
        if self.stages.rounding is not None:
            law = law_on_grid(law, self.stages.rounding)
        return LawBlock(law, pool.generated + pool.real)

    def _fit(self, counts: Floats) -> Floats:
        estimator = self.model.estimator
        if isinstance(estimator, GoodTuring):
            return np.stack([estimator.fit(row) for row in counts])
        smoothed = counts + estimator.delta
        law: Floats = smoothed / smoothed.sum(axis=1, keepdims=True)
        return law

    def measure(self, population: LawBlock) -> Recorded:
        """Return surviving types (in the training set) and diversity of the model."""
        types = self.model.types
        surviving = np.full(len(population.law), types)
        if population.counts is not None:
            surviving = np.count_nonzero(population.counts, axis=1)
        return {
            "surviving_types": surviving,
            "surviving_fraction": surviving / types,
            "diversity": 1.0 - np.sum(population.law**2, axis=1),
        }

    def measure_last(self, population: LawBlock) -> Recorded:  # noqa: ARG002
        """Return nothing beyond what every generation leaves behind."""
        return {}

    def coordinates(self) -> Mapping[str, tuple[str, NDArray[Any]]]:
        """Return no further dimension."""
        return {}

    def describe(self) -> dict[str, Any]:
        """Return the parameters that make the chain again, ready for JSON."""
        return {**self.model.describe(), "samples": self.samples, **self.stages.describe()}


PoolT = TypeVar("PoolT")


def sparse_pools(chain: DiscreteChain, mixes: Sequence[Mix[Any]]) -> MergedPools[BlockCounts]:
    """Return the pools of the fast chain.

    Raises
    ------
    ArgumentError
        If the pool is too large to draw from without replacement.
    """
    _check(chain.model, chain.samples, mixes)
    types = chain.model.types

    def merge(kept: BlockCounts, pool: BlockCounts) -> BlockCounts:
        sparse = kernels.merge_counts(*kept.sparse, *pool.sparse, types)
        return BlockCounts(sparse, kept.size + pool.size)

    def measured(sample: BlockCounts | None, kept: BlockCounts) -> Recorded:
        recorded = {"surviving_in_pool": np.diff(kept.sparse[2])}
        if sample is not None:
            own = chain.measure(sample)
            recorded |= {name: own[name] for name in own if name != "diversity"}
        return recorded

    real = _real(chain.model, chain.samples, chain.mix, BlockCounts.empty)
    return MergedPools(real, merge, _sparse_draws, measured)


def staged_pools(
    chain: StagedDiscreteChain, mixes: Sequence[Mix[Any]]
) -> MergedPools[WeightedCounts]:
    """Return the pools of the chain with further stages.

    Raises
    ------
    ArgumentError
        If the pool is too large to draw from without replacement.
    """
    _check(chain.model, chain.samples, mixes)
    types = chain.model.types

    def measured(sample: WeightedCounts | None, kept: WeightedCounts) -> Recorded:
        recorded = {"surviving_in_pool": _present(kept)}
        if sample is not None:
            recorded["surviving_types"] = _present(sample)
            recorded["surviving_fraction"] = recorded["surviving_types"] / types
        return recorded

    def empty(replicates: int) -> WeightedCounts:
        nothing = np.zeros((replicates, types), np.int64)
        return WeightedCounts(nothing, nothing)

    real = _real(chain.model, chain.samples, chain.mix, empty)
    return MergedPools(real, _merged, _staged_draws, measured)


def _check(model: Discrete, samples: int, mixes: Sequence[Mix[Any]]) -> None:
    if subsampled(mixes):
        check_pool(mixes, real=model.total or samples, most=MOST_COUNTED)


def _real(
    model: Discrete,
    samples: int,
    mix: Callable[[np.random.Generator, PoolT, Mix[Counts]], PoolT],
    empty: Callable[[int], PoolT],
) -> Real[PoolT]:
    counts = model.counts
    data: Mix[Counts] = Mix(generated=0, fresh=samples)
    if counts is not None:
        data = Mix(generated=0, reserve=Counts(model.symbols, counts))
    return lambda rng, replicates: mix(rng, empty(replicates), data)


def _sparse_draws(rng: np.random.Generator, kept: BlockCounts, items: int) -> BlockCounts:
    symbols, counts, offsets = kept.sparse
    drawn = [marginal_draws(rng, own[None], items)[0] for own in np.split(counts, offsets[1:-1])]
    present = np.concatenate(drawn) > 0
    ends = np.concatenate([[0], np.cumsum(present)])[offsets]
    return BlockCounts((symbols[present], np.concatenate(drawn)[present], ends), items)


def _merged(kept: WeightedCounts, pool: WeightedCounts) -> WeightedCounts:
    return WeightedCounts(kept.generated + pool.generated, kept.real + pool.real)


def _staged_draws(rng: np.random.Generator, kept: WeightedCounts, items: int) -> WeightedCounts:
    both = marginal_draws(rng, np.concatenate([kept.generated, kept.real], axis=1), items)
    return WeightedCounts(*np.split(both, 2, axis=1))


def _present(pool: WeightedCounts) -> Any:
    return np.count_nonzero(pool.generated + pool.real, axis=1)
