"""Counts of symbols for a block of replicates: how they are kept, drawn and grouped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hayflick.chains.family import Rng, marginal_draws
from hayflick.core.arrays import Floats, Integers

if TYPE_CHECKING:
    from hayflick.chains.count_kernels import Sparse, Symbols

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

    sparse: Sparse
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

    def redraw(self, rng: Rng, draws: Integers) -> BlockCounts:
        """Draw ``draws[r]`` symbols from the observed frequencies of replicate r."""
        from hayflick.chains import count_kernels

        return BlockCounts(count_kernels.redraw(rng, *self.sparse, draws), self.size)

    def merge(self, other: BlockCounts) -> BlockCounts:
        """Return the counts of both, replicate by replicate; one alone joins every replicate."""
        from hayflick.chains import count_kernels

        types = 1 + max(int(one.sparse[0].max(initial=-1)) for one in (self, other))
        sparse = count_kernels.merge_counts(*self.sparse, *other.sparse, types)
        return BlockCounts(sparse, self.size + other.size)

    def subsample(self, rng: Rng, items: int) -> BlockCounts:
        """Draw items without replacement from every replicate."""
        symbols, counts, offsets = self.sparse
        rows = np.split(counts, offsets[1:-1])
        drawn = np.concatenate([marginal_draws(rng, row[None], items)[0] for row in rows])
        present = drawn > 0
        ends = np.concatenate([[0], np.cumsum(present)])[offsets]
        return BlockCounts((symbols[present], drawn[present], ends), items)


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
    pairs: Symbols

    @classmethod
    def of(cls, law: Floats) -> AliasTable:
        """Return the tables of a law."""
        from hayflick.chains.count_kernels import alias_table

        tail = np.cumsum(law[::-1])[::-1]
        conditional = np.minimum(law / tail, 1.0)
        conditional[-1] = 1.0
        return cls(conditional, *alias_table(law))

    def add(self, rng: Rng, pool: BlockCounts, draws: Integers) -> BlockCounts:
        """Return the pool with ``draws[r]`` new symbols in replicate r."""
        from hayflick.chains.count_kernels import add_draws

        tables = self.conditional, self.thresholds, self.pairs
        return BlockCounts(add_draws(rng, *pool.sparse, draws, *tables), pool.size)


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

    @property
    def surviving(self) -> Integers:
        """Symbols present in every replicate, shape ``(replicates,)``."""
        return np.asarray(np.count_nonzero(self.generated + self.real, axis=1))

    def merge(self, other: WeightedCounts) -> WeightedCounts:
        """Return the counts of both, replicate by replicate."""
        return WeightedCounts(self.generated + other.generated, self.real + other.real)

    def subsample(self, rng: Rng, items: int) -> WeightedCounts:
        """Draw items without replacement from every replicate."""
        both = marginal_draws(rng, np.concatenate([self.generated, self.real], axis=1), items)
        return WeightedCounts(*np.split(both, 2, axis=1))


_RANKS = 200


def recorded_ranks(types: int) -> Integers:
    """Return the ranks at which counts are recorded, evenly in logs."""
    return np.unique(np.geomspace(1, types, _RANKS).round().astype(np.int64))
