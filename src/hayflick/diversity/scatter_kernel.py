"""The compiled pass over vectors: block by block around the block's own mean."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hayflick.core.arrays import Floats

# A block of 384 components of 4 bytes each stays in the second-level cache for its second pass.
_BLOCK = 128


@njit(nogil=True, cache=True, error_model="numpy")
def slab_scatter(rows: NDArray[Any]) -> tuple[Floats, float]:
    """Return the mean and M2 of rows, shape ``(N, d)``, in float64.

    A block's mean is found from its first row on, and its scatter around that mean.
    """
    size, dimension = rows.shape
    mean = np.zeros(dimension)
    squares = np.zeros(dimension)
    block_mean = np.empty(dimension)
    m2 = 0.0
    for start in range(0, size, _BLOCK):
        stop = min(start + _BLOCK, size)
        _find_mean(rows, start, stop, block_mean)
        _add_squares(rows, start, stop, block_mean, squares)
        share = (stop - start) / stop
        between = 0.0
        for column in range(dimension):
            gap = block_mean[column] - mean[column]
            between += gap * gap
            mean[column] += gap * share
        m2 += between * start * share
    for column in range(dimension):
        m2 += squares[column]
    return mean, m2


@njit(nogil=True, cache=True, error_model="numpy")
def _find_mean(rows: NDArray[Any], start: int, stop: int, mean: Floats) -> None:
    mean[:] = 0.0
    for row in range(start + 1, stop):
        for column in range(mean.size):
            mean[column] += np.float64(rows[row, column]) - np.float64(rows[start, column])
    for column in range(mean.size):
        mean[column] = np.float64(rows[start, column]) + mean[column] / (stop - start)


@njit(nogil=True, cache=True, error_model="numpy")
def _add_squares(rows: NDArray[Any], start: int, stop: int, mean: Floats, squares: Floats) -> None:
    for row in range(start, stop):
        for column in range(mean.size):
            gap = np.float64(rows[row, column]) - mean[column]
            squares[column] += gap * gap
