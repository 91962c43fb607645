"""What rounds that accumulate keep: the statistic of all items so far, or the items.

A merged statistic is enough to train on everything. To train on some of the items, drawn
without replacement, counts are enough too; other families keep the items themselves. A
statistic that was drawn from its own law is taken apart into items by their law given it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from hayflick.core.arrays import Floats
from hayflick.core.errors import ArgumentError
from hayflick.core.protocols import Recorded
from hayflick.core.records import Mix

PoolT = TypeVar("PoolT")
Real: TypeAlias = Callable[[np.random.Generator, int], PoolT]
"""Returns the pools of real data of so many replicates."""

MOST_COUNTED = 10**9
"""Items that can be drawn from without replacement, by their counts."""

MOST_KEPT = 1 << 22
"""Items of one replicate that are kept themselves: a gigabyte for a block."""


def _nothing(_sample: Any, _kept: Any) -> Mapping[str, NDArray[Any]]:
    return {}


@dataclass(frozen=True, eq=False)
class MergedPools(Generic[PoolT]):
    """Pools kept as one statistic; see `hayflick.core.protocols.Pools`.

    Parameters
    ----------
    real
        Gives the real data.
    merge
        Adds one pool to another.
    draw
        Draws so many items without replacement from every pool; None where all are taken.
    measured
        What the newest pool and all that is kept leave behind.
    """

    real: Real[PoolT]
    merge: Callable[[PoolT, PoolT], PoolT]
    draw: Callable[[np.random.Generator, PoolT, int], PoolT] | None = None
    measured: Callable[[PoolT | None, PoolT], Recorded] = _nothing

    def start(self, rng: np.random.Generator, replicates: int) -> PoolT:
        """Return the real data."""
        return self.real(rng, replicates)

    def add(self, rng: np.random.Generator, kept: PoolT, pool: PoolT) -> PoolT:  # noqa: ARG002
        """Return what is kept, with a new pool."""
        return self.merge(kept, pool)

    def training_set(self, rng: np.random.Generator, kept: PoolT, items: int | None) -> PoolT:
        """Return `items` of what is kept, all where None."""
        if items is None or self.draw is None:
            return kept
        return self.draw(rng, kept, items)

    def measure(self, pool: PoolT | None, kept: PoolT) -> Recorded:
        """Return what the newest pool and all that is kept leave behind."""
        return self.measured(pool, kept)


@dataclass(frozen=True, eq=False)
class ItemPools(Generic[PoolT]):
    """Pools kept item by item; see `hayflick.core.protocols.Pools`.

    Parameters
    ----------
    real
        Gives the real data, as a statistic.
    items_of
        Draws the items of a statistic, shape ``(replicates, items, …)``.
    statistic_of
        The statistic of items.
    """

    real: Real[PoolT]
    items_of: Callable[[np.random.Generator, PoolT], Floats]
    statistic_of: Callable[[Floats], PoolT]

    def start(self, rng: np.random.Generator, replicates: int) -> Floats:
        """Return the real data."""
        return self.items_of(rng, self.real(rng, replicates))

    def add(self, rng: np.random.Generator, kept: Floats, pool: PoolT) -> Floats:
        """Return what is kept, with a new pool."""
        return np.concatenate([kept, self.items_of(rng, pool)], axis=1)

    def training_set(self, rng: np.random.Generator, kept: Floats, items: int | None) -> PoolT:
        """Return `items` of what is kept, all where None."""
        if items is None:
            return self.statistic_of(kept)
        number = kept.shape[1]
        rows = [own[rng.choice(number, items, replace=False, shuffle=False)] for own in kept]
        return self.statistic_of(np.stack(rows))

    def measure(self, pool: PoolT | None, kept: Floats) -> Recorded:  # noqa: ARG002
        """Return nothing: what is kept is measured by the model fitted to it."""
        return {}


def subsampled(mixes: Sequence[Mix[Any]]) -> bool:
    """Return whether a mix is trained on some of what is kept."""
    return any(mix.subsample is not None for mix in mixes)


def check_pool(mixes: Sequence[Mix[Any]], *, real: int, most: int) -> None:
    """Refuse more items than can be kept and drawn from.

    Raises
    ------
    ArgumentError
        If the pool of real and added items grows beyond `most`.
    """
    size = real + sum(mix.samples for mix in mixes)
    if size > most:
        takes = f"at most {most:,} items to draw from in this family"
        remedy = "lower samples or generations, or take accumulate"
        raise ArgumentError("pool", got=f"{size:,} items", takes=takes, remedy=remedy)


def refuse_accumulation(mixes: Sequence[Mix[Any]], family: str) -> None:
    """Refuse rounds that accumulate, for a family that does not know how.

    Raises
    ------
    ArgumentError
        If a mix is such a round.
    """
    if any(mix.accumulate for mix in mixes):
        takes = f"for the family {family}: rounds that keep nothing, such as replace or fresh"
        raise ArgumentError("regime", got="rounds that accumulate", takes=takes)


def refuse_stages(given: Mapping[str, Any], known: Collection[str], family: str) -> None:
    """Refuse stages after which the items of a statistic are not known.

    Raises
    ------
    ArgumentError
        If one beside the known ones is given.
    """
    for name in given:
        if name not in known:
            takes = f"accumulate-subsample in the family {family} without {name}"
            raise ArgumentError(name, got=str(given[name]), takes=takes)


def marginal_draws(rng: np.random.Generator, counts: NDArray[Any], items: int) -> NDArray[np.int64]:
    """Draw items without replacement from counts, shape ``(replicates, kinds)``."""
    rows = [rng.multivariate_hypergeometric(row, items, method="marginals") for row in counts]
    return np.stack(rows)
