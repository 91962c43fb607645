"""Mean and scatter of many vectors, by compiled code."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hayflick.core.arrays import Floats
from hayflick.core.compiled import njit

# A block of vectors of 384 components of 4 bytes each fits in the second-level cache.
_BLOCK = 128


@njit(nogil=True, cache=True, error_model="numpy")
def slab_scatter(rows: NDArray[Any]) -> tuple[Floats, float]:
    """Return the mean and M2 of rows, shape ``(N, d)`` with N of at least 1, in float64."""
    size, dimension = rows.shape
    sums, squares = np.empty(dimension), np.empty(dimension)
    mean = np.empty(dimension)
    for column in range(dimension):
        mean[column] = rows[0, column]
    m2 = 0.0
    for start in range(0, size, _BLOCK):
        stop = min(start + _BLOCK, size)
        number = stop - start
        _add_up(rows, start, stop, mean, sums, squares)
        around, gap = 0.0, 0.0
        for column in range(dimension):
            moved = sums[column] / number
            gap += moved * moved
            around += squares[column]
            mean[column] += sums[column] / stop
        m2 += around - number * gap + gap * start * (number / stop)
    return mean, m2


@njit(nogil=True, cache=True, error_model="numpy")
def _add_up(
    rows: NDArray[Any], start: int, stop: int, centre: Floats, sums: Floats, squares: Floats
) -> None:
    """Fill in the sums of the gaps to a centre, and of their squares, by component."""
    sums[:] = 0.0
    squares[:] = 0.0
    for row in range(start, stop):
        for column in range(centre.size):
            gap = np.float64(rows[row, column]) - centre[column]
            sums[column] += gap
            squares[column] += gap * gap
