"""What rounds of the discrete family keep: the counts of all symbols so far.

Counts are enough to draw items without replacement from. The real data are the data's own
counts; for a law that is known, as many draws from it as a training set has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from hayflick.chains import draws as kernels
from hayflick.chains.discrete import Discrete
from hayflick.chains.discrete_chain import BlockCounts, DiscreteChain
from hayflick.chains.pools import (
    MOST_COUNTED,
    MergedPools,
    Real,
    check_pool,
    marginal_draws,
    subsampled,
)
from hayflick.chains.staged_discrete_chain import (
    StagedDiscreteChain,
    WeightedCounts,
)
from hayflick.core.protocols import Recorded
from hayflick.core.records import Mix
from hayflick.corpus.counts import Counts

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
