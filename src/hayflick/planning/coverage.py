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
from hayflick.core.compiled import njit
from hayflick.core.errors import ArgumentError
from hayflick.core.progress import Progress, silent
from hayflick.core.reproducibility import stream
from hayflick.corpus.items import ItemBlock


def symbols_of(blocks: Iterable[ItemBlock], numbers: Integers, *, types: int) -> NDArray[np.bool_]:
    """Return which symbols occur in the items at some ascending places, shape ``(types,)``."""
    covered = np.zeros(types, dtype=np.bool_)
    for block in blocks:
        first, last = np.searchsorted(numbers, [block.numbers[0], block.numbers[-1] + 1])
        _mark(
            block.starts,
            block.symbols,
            np.searchsorted(block.numbers, numbers[first:last]),
            covered,
        )
    return covered


@njit(nogil=True, cache=True)
def _mark(
    starts: Integers, symbols: NDArray[np.int32], places: Integers, covered: NDArray[np.bool_]
) -> None:
    """Mark the symbols of a block's items at some places."""
    for item in places:
        for place in range(starts[item], starts[item + 1]):
            covered[symbols[place]] = True


@njit(nogil=True, cache=True)
def gains_of(starts: Integers, symbols: NDArray[np.int32], left: Floats) -> Floats:
    """Return what each item would add to the value."""
    gains = np.zeros(starts.size - 1)
    for item in range(gains.size):
        for place in range(starts[item], starts[item + 1]):
            gains[item] += left[symbols[place]]
    return gains


@njit(nogil=True, cache=True)
def sweep(
    starts: Integers,
    symbols: NDArray[np.int32],
    costs: Integers,
    left: Floats,
    threshold: float,
    room: int,
    taken: NDArray[np.bool_],
) -> tuple[int, float]:
    """Take the items that reach a threshold, and return the room left and the best gain seen.

    The weight of what is covered goes to 0 in `left`. An item that does not fit never will:
    its gain does not count as seen.
    """
    highest = 0.0
    for item in range(costs.size):
        if costs[item] > room:
            continue
        gain = 0.0
        for place in range(starts[item], starts[item + 1]):
            gain += left[symbols[place]]
        density = gain / costs[item]
        if density >= threshold:
            taken[item] = True
            room -= costs[item]
            for place in range(starts[item], starts[item + 1]):
                left[symbols[place]] = 0.0
        elif density > highest:
            highest = density
    return room, highest


EPSILON = 0.05
"""How far the threshold falls from pass to pass."""


@dataclass(frozen=True, eq=False)
class Coverage:
    """Items that were chosen, and what they cover.

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
        """Share of the best possible value that is certainly reached on these data."""
        return max(self.proven, self.value / self.bound)


def cover(
    blocks: Iterable[ItemBlock],
    *,
    weights: Floats,
    budget: int,
    by_tokens: bool = False,
    epsilon: float = EPSILON,
    progress: Progress = silent,
) -> Coverage:
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
        Called with the budget spent.

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
    return Coverage(chosen, symbols_of(blocks, chosen, types=left.size), value, bound, proven)


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
    """Return an upper bound on any choice: what is covered, and the best gains left."""
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
    """Draw items uniformly without replacement, up to a budget.

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
