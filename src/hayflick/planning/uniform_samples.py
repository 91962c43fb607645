"""Uniform samples of items, to compare a choice with: as many items, or as many tokens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from hayflick.core.arrays import Floats, Integers
from hayflick.core.seeding import stream
from hayflick.corpus.items import ItemBlock
from hayflick.planning.coverage_passes import symbols_of

SAMPLES = 20
"""Uniform samples that a reserve is compared with."""


@dataclass(frozen=True, eq=False)
class UniformSamples:
    """What uniform samples of one size cover.

    Parameters
    ----------
    items, tokens
        Size of each sample, shape ``(samples,)``.
    types
        How many symbols occur in each, shape ``(samples,)``.
    values
        Weight of those symbols, shape ``(samples,)``.
    """

    items: Integers
    tokens: Integers
    types: Integers
    values: Floats


def uniform_samples(
    blocks: Iterable[ItemBlock],
    *,
    budget: int,
    weights: Floats,
    seed: int,
    by_tokens: bool = False,
    samples: int = SAMPLES,
) -> UniformSamples:
    """Draw items without replacement, every order of them as likely, up to a budget.

    A sample of tokens ends with the item that reaches the budget: it has as many or a few more.
    One pass draws (every item has a random key, and the lowest are kept), another one counts.

    Parameters
    ----------
    blocks
        The items, iterated twice and more.
    budget
        Items, or tokens; no more than there are.
    weights
        What covering each symbol is worth, shape ``(types,)``.
    seed
        Of the samples; the same whatever the blocks.
    by_tokens
        Whether the budget is of tokens.
    samples
        How many samples.

    Examples
    --------
    >>> starts, symbols = np.array([0, 3, 5, 7]), np.array([0, 1, 2, 0, 1, 2, 3])
    >>> items = ItemBlock(np.arange(3), np.array([3, 2, 2]), starts, symbols)
    >>> drawn = uniform_samples([items], budget=1, weights=np.ones(4), seed=1, samples=5)
    >>> drawn.items.tolist(), bool(drawn.types.max() <= 3)
    ([1, 1, 1, 1, 1], True)
    """
    random = stream(seed, block=0)
    drawn = [_Lowest.nothing() for _ in range(samples)]
    for block in blocks:
        keys = random.random((block.numbers.size, samples))
        costs = block.tokens if by_tokens else np.ones_like(block.tokens)
        drawn = [
            lowest.joined(keys[:, sample], block, costs, budget)
            for sample, lowest in enumerate(drawn)
        ]
    covered = [symbols_of(blocks, np.sort(lowest.numbers), types=weights.size) for lowest in drawn]
    return UniformSamples(
        items=np.array([lowest.numbers.size for lowest in drawn]),
        tokens=np.array([lowest.tokens.sum() for lowest in drawn]),
        types=np.array([np.count_nonzero(symbols) for symbols in covered]),
        values=np.array([weights[symbols].sum() for symbols in covered]),
    )


@dataclass(frozen=True, eq=False)
class _Lowest:
    """The items with the lowest keys so far, ascending, up to a budget."""

    keys: Floats
    numbers: Integers
    tokens: Integers
    costs: Integers

    @classmethod
    def nothing(cls) -> _Lowest:
        none = np.empty(0, dtype=np.int64)
        return cls(np.empty(0), none, none, none)

    def joined(self, keys: Floats, block: ItemBlock, costs: Integers, budget: int) -> _Lowest:
        """Return the lowest of these and a block's."""
        full = int(self.costs.sum()) >= budget
        new = keys < self.keys[-1] if full else np.ones(keys.size, dtype=np.bool_)
        every = np.append(self.keys, keys[new])
        order = np.argsort(every, kind="stable")
        together = np.append(self.costs, costs[new])
        kept = order[: 1 + np.searchsorted(np.cumsum(together[order]), budget)]
        return _Lowest(
            every[kept],
            np.append(self.numbers, block.numbers[new])[kept],
            np.append(self.tokens, block.tokens[new])[kept],
            together[kept],
        )
