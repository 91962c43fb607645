r"""Threshold greedy: items that cover the most, in passes over a stream.

The value of a set of items is the weight of the symbols that occur in it, which is monotone
and submodular: an item adds the less, the more is covered. A pass takes every item whose gain
per unit of cost reaches a threshold; the threshold falls by 1 - ε from pass to pass, and
further where no gain that was seen reaches it. No item is kept in memory but by its number.

Proven, with ``c = 1 - exp(-(1 - ε)) >= 1 - 1/e - ε``:

- every item costs 1: the value is at least c of the best possible. Every item taken gains at
  least 1 - ε of what the best remaining one would have (Badanidiyuru and Vondrák, theorem 2.1);
- costs differ: the better of the set and the best single item has at least c/2. Up to the
  first item that does not fit, the set with that item in it has at least c of the best
  possible, as above; one of the two has half of that (the argument of Khuller et al., with
  thresholds).

And for the data at hand, by submodularity: no set has more than the value reached and what
the budget would buy of the gains that are left, as if these did not overlap; the same with
nothing reached yet.

References
----------
A. Badanidiyuru and J. Vondrák, *Fast algorithms for maximizing submodular functions*,
SODA 2014. S. Khuller, A. Moss and J. Naor, *The budgeted maximum coverage problem*,
Information Processing Letters 70 (1999), 39-45. J. Leskovec et al., *Cost-effective outbreak
detection in networks*, KDD 2007 (the bound for the data at hand).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hayflick.core.arrays import Floats, Integers
from hayflick.core.errors import ArgumentError
from hayflick.core.progress import Progress, silent
from hayflick.corpus.items import ItemBlock
from hayflick.planning.coverage_passes import gains_of, sweep, symbols_of

EPSILON = 0.05
"""How far the threshold falls from pass to pass."""


@dataclass(frozen=True, eq=False)
class Cover:
    """Items that were chosen, and what is known of them.

    Parameters
    ----------
    numbers
        Places of the items in the data, ascending, shape ``(items,)``.
    covered
        Whether each symbol occurs in them, shape ``(types,)``.
    value
        Weight of the symbols that do.
    bound
        No choice within the budget has more.
    proven
        Share of the best possible value that the method reaches on any data.
    """

    numbers: Integers
    covered: NDArray[np.bool_]
    value: float
    bound: float
    proven: float

    @property
    def of_best(self) -> float:
        """Share of the best possible value that is reached for certain on these items."""
        return max(self.proven, self.value / self.bound)


def cover(
    blocks: Iterable[ItemBlock],
    *,
    weights: Floats,
    budget: int,
    by_tokens: bool = False,
    epsilon: float = EPSILON,
    progress: Progress = silent,
) -> Cover:
    """Return items within a budget that cover the most weight.

    Fewer than the budget allows are taken where those cover all that has weight.

    Parameters
    ----------
    blocks
        The items, iterated once for every pass.
    weights
        What covering each symbol is worth, at least 0, shape ``(types,)``.
    budget
        How many items, or tokens.
    by_tokens
        Whether an item costs its tokens, or 1.
    epsilon
        How far the threshold falls from pass to pass, between 0 and 1.
    progress
        Told the budget spent.

    Raises
    ------
    ArgumentError
        If `epsilon` is out of its range.

    Examples
    --------
    >>> starts, symbols = np.array([0, 3, 5, 7]), np.array([0, 1, 2, 0, 1, 2, 3])
    >>> items = ItemBlock(np.arange(3), np.array([3, 2, 2]), starts, symbols)
    >>> chosen = cover([items], weights=np.ones(4), budget=2)
    >>> chosen.numbers.tolist(), chosen.value, chosen.bound
    ([0, 2], 4.0, 4.0)
    """
    if not 0.0 < epsilon < 1.0:
        raise ArgumentError("epsilon", got=epsilon, takes="a number between 0 and 1")
    left = np.array(weights, dtype=np.float64)
    room = budget
    bound = _bound(blocks, weights, left, budget, by_tokens=by_tokens)
    threshold, single, best = _survey(blocks, left, budget, by_tokens=by_tokens)
    numbers: list[Integers] = []
    while threshold > 0.0 and room > 0:
        highest = 0.0
        for block in blocks:
            taken = np.zeros(block.numbers.size, dtype=np.bool_)
            costs = _costs(block, by_tokens=by_tokens)
            room, seen = sweep(block.starts, block.symbols, costs, left, threshold, room, taken)
            highest = max(highest, seen)
            numbers.append(block.numbers[taken])
            progress("choosing", budget - room, budget)
        threshold = min((1.0 - epsilon) * threshold, highest)
    bound = min(bound, _bound(blocks, weights, left, budget, by_tokens=by_tokens))
    proven = -math.expm1(epsilon - 1.0) / (2.0 if by_tokens else 1.0)
    chosen = np.sort(np.concatenate([np.empty(0, np.int64), *numbers]))
    covered = (left == 0.0) & (weights > 0.0)
    value = float(weights[covered].sum())
    if best > value:
        chosen, value = np.array([single], dtype=np.int64), best
    return Cover(chosen, symbols_of(blocks, chosen, types=left.size), value, bound, proven)


def _costs(block: ItemBlock, *, by_tokens: bool) -> Integers:
    return block.tokens if by_tokens else np.ones_like(block.tokens)


def _survey(
    blocks: Iterable[ItemBlock], left: Floats, budget: int, *, by_tokens: bool
) -> tuple[float, int, float]:
    """Return the highest gain per cost, and the best item that fits, with its gain."""
    densest, single, best = 0.0, -1, 0.0
    for block in blocks:
        costs = _costs(block, by_tokens=by_tokens)
        gains = np.where(costs <= budget, gains_of(block.starts, block.symbols, left), 0.0)
        densest = max(densest, float((gains / costs).max()))
        place = int(gains.argmax())
        if gains[place] > best:
            single, best = int(block.numbers[place]), float(gains[place])
    return densest, single, best


def _bound(
    blocks: Iterable[ItemBlock], weights: Floats, left: Floats, budget: int, *, by_tokens: bool
) -> float:
    """Return a value that no choice exceeds: what is covered, and the best gains left."""
    gains, costs = np.empty(0), np.empty(0, dtype=np.int64)
    for block in blocks:
        more = _costs(block, by_tokens=by_tokens)
        gained = np.where(more <= budget, gains_of(block.starts, block.symbols, left), 0.0)
        gains, costs = np.append(gains, gained), np.append(costs, more)
        order = np.argsort(-gains / costs, kind="stable")
        # What lies behind the budget's end is never bought.
        order = order[: 1 + np.searchsorted(np.cumsum(costs[order]), budget)]
        gains, costs = gains[order], costs[order]
    before = np.cumsum(costs) - costs
    bought = gains * np.clip((budget - before) / costs, 0.0, 1.0)
    reached = float(weights.sum() - left.sum())
    return min(float(weights.sum()), reached + float(bought.sum()))
