"""Compiled passes over a block of items: what each would add, taking some, marking symbols.

Item i's symbols are ``symbols[starts[i]:starts[i + 1]]``, and `left` is what covering each
symbol is still worth: 0 once it is covered. Every kernel releases the GIL.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hayflick.core.arrays import Floats, Integers
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
