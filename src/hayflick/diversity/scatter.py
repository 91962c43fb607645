"""Count, mean and scatter of vectors: the mergeable summary of all distances between them.

With N vectors, their mean m and M2 = Σ ‖x - m‖², the matrix D of distances has

    ‖D‖_F² = Σ_ij ‖x_i - x_j‖² = 2 N M2

so the sum over all pairs costs N d and not N² d. Rows are added up in blocks of a fixed size
around the mean of the rows before them, and merged in order: neither a mean far from 0 nor the
number of threads changes a significant digit.

References
----------
Chan, Golub, LeVeque, *Updating Formulae and a Pairwise Algorithm for Computing Sample
Variances*, COMPSTAT 1982, equations 1.5.
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing_extensions import override

from hayflick.core.arrays import Floats
from hayflick.core.checks import whole_number
from hayflick.core.errors import ArgumentError, DataError
from hayflick.diversity.metrics import Summary, defined


def vector_rows(argument: str, vectors: ArrayLike) -> NDArray[Any]:
    """Return `vectors` as an array of rows, of the type that they have.

    Raises
    ------
    ArgumentError
        If they are not real numbers of shape ``(N, d)`` with d of at least 1.

    Examples
    --------
    >>> vector_rows("vectors", [[1, 2], [3, 4]]).shape
    (2, 2)
    """
    rows = np.asanyarray(vectors)
    if rows.ndim != 2 or rows.shape[1] == 0:
        got = f"an array of shape {rows.shape}"
        raise ArgumentError(argument, got=got, takes="vectors in rows, shape (N, d)")
    if rows.dtype.kind not in "fiu":
        raise ArgumentError(argument, got=f"values of type {rows.dtype}", takes="real numbers")
    return rows


def finite_rows(argument: str, vectors: ArrayLike, *, first: int = 0) -> Floats:
    """Return `vectors` as float64 rows; refuse numbers that are not finite.

    Parameters
    ----------
    argument
        Their name in messages.
    vectors
        Shape ``(N, d)``.
    first
        The number of the first row, for messages.

    Raises
    ------
    ArgumentError
        If they are not real numbers of shape ``(N, d)`` with d of at least 1.
    DataError
        If a row holds a number that is not finite; the first such row is named.
    """
    rows: Floats = np.ascontiguousarray(vector_rows(argument, vectors), dtype=np.float64)
    refuse_not_finite(argument, rows, first=first)
    return rows


ROWS_AT_ONCE = 1 << 9
"""Rows that are worked on together where all would not fit the processor's cache."""


def unit_rows(argument: str, vectors: ArrayLike, *, first: int = 0) -> Floats:
    """Return `vectors` as float64 rows of length 1.

    Raises
    ------
    ArgumentError, DataError
        As `finite_rows`; a row of zeros has no direction and is refused too.

    Examples
    --------
    >>> unit_rows("vectors", [[3.0, 4.0]])
    array([[0.6, 0.8]])
    """
    given = vector_rows(argument, vectors)
    rows = np.empty(given.shape, np.float64)
    for begin in range(0, len(rows), ROWS_AT_ONCE):
        # A view, small enough for the processor's cache.
        block = rows[begin : begin + ROWS_AT_ONCE]
        block[:] = finite_rows(argument, given[begin : begin + ROWS_AT_ONCE], first=first + begin)
        # By the largest component first: squares of tiny or huge numbers would under- or overflow.
        largest = np.abs(block).max(axis=1, initial=0.0, keepdims=True)
        zero = np.flatnonzero(largest == 0.0)
        if zero.size:
            finite_rows(argument, given[begin:], first=first + begin)
            where = f"{argument}: row {first + begin + int(zero[0])} is a vector of zeros"
            raise DataError(f"{where}, which has no direction; leave it out")
        block /= largest
        block /= np.sqrt(np.einsum("ij,ij->i", block, block))[:, None]
    return rows


def refuse_not_finite(argument: str, rows: NDArray[Any], *, first: int = 0) -> None:
    """Refuse rows that hold a number that is not finite.

    Raises
    ------
    DataError
        If there is such a row; the first one is named, counted from `first`.
    """
    whole = np.isfinite(rows).all(axis=1)
    if not whole.all():
        row = first + int(np.argmin(whole))
        raise DataError(f"{argument}: row {row} holds a number that is not finite; leave it out")


# Fewer numbers take less time than loading compiled code.
_FEW = 1 << 19


# Fixed, so that rows are added up in the same order whatever the number of threads.
_SLAB = 1 << 14
# Slabs per thread that are submitted before the first of them is merged.
_AHEAD = 2


@final
@dataclass(frozen=True, eq=False)
class Scatter(Summary):
    """Count, mean and scatter of vectors.

    Parameters
    ----------
    count
        Number of vectors, N.
    mean
        Shape ``(d,)``; zeros for no vector.
    m2
        Sum of the squared distances from the mean, in the vectors' units squared.
    unit
        Whether all vectors have length 1, so that distances give cosines; True for no vector.

    Examples
    --------
    >>> corners = Scatter.of([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]])
    >>> corners.mean, corners.m2
    (array([1., 1.]), 8.0)
    >>> corners.frobenius_norm, corners.merge(Scatter.of([[1.0, 1.0]])).m2
    (8.0, 8.0)
    """

    count: int
    mean: Floats
    m2: float
    unit: bool = field(default=False, kw_only=True)

    @classmethod
    def empty(cls, dimension: int) -> Scatter:
        """Return the summary of no vector of `dimension` components."""
        dimension = whole_number("dimension", dimension, at_least=1)
        return cls(0, np.zeros(dimension), 0.0, unit=True)

    @classmethod
    def of(cls, vectors: ArrayLike, *, threads: int | None = None) -> Scatter:
        """Return the summary of vectors, in one pass and in memory that does not grow with N.

        Parameters
        ----------
        vectors
            Shape ``(N, d)``, of any real type; added up as float64.
        threads
            Number of threads; None for the number of processors. The result is the same.

        Raises
        ------
        ArgumentError
            If they are not real numbers of shape ``(N, d)`` with d of at least 1.
        DataError
            If a row holds a number that is not finite, or they are too large to square.
        """
        return _in_slabs(_of_slab, vectors, threads=threads)

    @classmethod
    def of_directions(cls, vectors: ArrayLike, *, threads: int | None = None) -> Scatter:
        """Return the summary of vectors scaled to length 1, which knows their cosines.

        Raises
        ------
        ArgumentError, DataError
            As `of`; a vector of zeros is refused too.

        Examples
        --------
        >>> Scatter.of_directions([[2.0, 0.0], [0.0, 5.0]]).mean_cosine
        0.0
        """
        return _in_slabs(_of_slab_directions, vectors, threads=threads)

    @property
    def dimension(self) -> int:
        """Components of a vector, d."""
        return self.mean.size

    @override
    def merge(self, other: Scatter) -> Scatter:
        if self.dimension != other.dimension:
            dimensions = f"{other.dimension} components after {self.dimension}"
            raise DataError(f"vectors: got {dimensions}; all take the same embedder")
        count = self.count + other.count
        unit = self.unit and other.unit
        if count == 0:
            return Scatter(0, self.mean, 0.0, unit=unit)
        gap = other.mean - self.mean
        share = other.count / count
        between = float(gap @ gap) * self.count * share
        # From the mean of the larger set, so that the gap is rounded where it weighs less.
        mean = self.mean + gap * share if share <= 0.5 else other.mean - gap * (1.0 - share)
        return Scatter(count, mean, self.m2 + other.m2 + between, unit=unit)

    @property
    def frobenius_norm(self) -> float | None:
        """‖D‖_F, the root of the sum of all squared distances; None for fewer than two."""
        return math.sqrt(2.0 * self.count * self.m2) if self.count > 1 else None

    @property
    def root_mean_square_distance(self) -> float | None:
        """‖D‖_F / √(N(N-1)), which does not grow with N; None for fewer than two."""
        return math.sqrt(2.0 * self.m2 / (self.count - 1)) if self.count > 1 else None

    @property
    def variance(self) -> float | None:
        """Trace of the unbiased covariance, M2 / (N - 1); None for fewer than two."""
        return self.m2 / (self.count - 1) if self.count > 1 else None

    @property
    def mean_cosine(self) -> float | None:
        """Mean cosine of all pairs, 1 - M2 / (N - 1); None unless all lengths are 1."""
        return 1.0 - self.m2 / (self.count - 1) if self.unit and self.count > 1 else None

    @override
    def numbers(self) -> dict[str, float]:
        return defined(
            {
                "frobenius_norm": self.frobenius_norm,
                "rms_distance": self.root_mean_square_distance,
                "mean_cosine": self.mean_cosine,
            }
        )


def _mean_and_m2(rows: NDArray[Any]) -> tuple[Floats, float]:
    if rows.size > _FEW:
        from hayflick.diversity.scatter_kernel import slab_scatter

        return slab_scatter(rows)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = rows.mean(axis=0, dtype=np.float64)
        gaps = rows - mean
        # What rounding has left of the mean.
        moved = gaps.mean(axis=0)
        m2 = float(np.einsum("ij,ij->", gaps, gaps)) - len(rows) * float(moved @ moved)
        return mean + moved, m2


def _of_slab(slab: NDArray[Any], first: int) -> Scatter:
    """Return the summary of a slab of rows, the first of which has the number `first`."""
    kept = slab.dtype in (np.float32, np.float64)
    rows = np.ascontiguousarray(slab, dtype=slab.dtype.newbyteorder("=") if kept else np.float64)
    mean, m2 = _mean_and_m2(rows)
    if not math.isfinite(m2):
        refuse_not_finite("vectors", rows, first=first)
        raise DataError(f"vectors: rows from {first} on are too large to square; scale them down")
    return Scatter(len(rows), mean, m2)


def _of_slab_directions(slab: NDArray[Any], first: int) -> Scatter:
    rows = unit_rows("vectors", slab, first=first)
    mean, m2 = _mean_and_m2(rows)
    return Scatter(len(rows), mean, m2, unit=True)


def _in_slabs(
    of_slab: Callable[[NDArray[Any], int], Scatter], vectors: ArrayLike, *, threads: int | None
) -> Scatter:
    """Return the summaries of all slabs, merged in order."""
    rows = vector_rows("vectors", vectors)
    empty = Scatter.empty(rows.shape[1])

    def part(first: int) -> Scatter:
        return of_slab(rows[first : first + _SLAB], first)

    workers = os.cpu_count() or 1 if threads is None else threads
    workers = whole_number("threads", workers, at_least=1, at_most=1024)
    starts = range(0, len(rows), _SLAB)
    if workers == 1 or len(starts) < 2:
        return reduce(Scatter.merge, map(part, starts), empty)
    together = empty
    waiting: deque[Future[Scatter]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for first in starts:
            waiting.append(pool.submit(part, first))
            if len(waiting) > _AHEAD * workers:
                together = together.merge(waiting.popleft().result())
        return reduce(Scatter.merge, (job.result() for job in waiting), together)
