"""Second moments of vectors, a d x d matrix, and the metrics of its eigenvalues.

The scatter has one number for the spread; the second moments have its distribution over directions.
With C = Σ (x - m)(x - m)ᵀ and eigenvalues λ of the covariance C / (N - 1), scaled to shares:

    effective rank = exp(-Σ λ log λ),   participation ratio = 1 / Σ λ²

For fewer vectors than components, the N x N matrices of inner products have the same nonzero
eigenvalues: those of the gaps x - m have those of C, those of x have those of E x xᵀ.

C / N and E x xᵀ differ in m mᵀ alone. In a basis that begins with m, the reduction of C to a
tridiagonal matrix leaves m as it is: E x xᵀ is then the same matrix with |m|² added to its first
entry. One reduction, which is nearly all of the work, gives both sets of eigenvalues.

References
----------
Roy, Vetterli, *The Effective Rank*, EUSIPCO 2007, of the covariance; Wilks, *Certain
Generalizations in the Analysis of Variance*, Biometrika 24 (1932) for its determinant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import lapack
from typing_extensions import override

from hayflick.core.arrays import Floats
from hayflick.core.checks import whole_number
from hayflick.core.errors import ArgumentError
from hayflick.diversity.hill import check_order, hill_number
from hayflick.diversity.metrics import Summary, defined
from hayflick.diversity.scatter import Scatter, finite_rows, unit_rows, vector_rows

_BLOCK = 1 << 13
_UNIT = 1e-4
"""Squared lengths this near to 1 are taken for 1 in single precision."""


@final
@dataclass(frozen=True, eq=False)
class SecondMoments(Summary):
    """Count, mean and matrix of second moments, of size d² whatever N is.

    Parameters
    ----------
    count
        Number of vectors, N.
    mean
        Shape ``(d,)``; zeros for no vector.
    matrix
        Σ (x - mean)(x - mean)ᵀ, shape ``(d, d)``.
    unit
        Whether all vectors have length 1; True for no vector.

    Examples
    --------
    >>> flat = SecondMoments.of([[0.0, 0.0], [2.0, 0.0], [4.0, 0.0]])
    >>> flat.matrix.tolist(), flat.effective_rank, flat.log_generalised_variance
    ([[8.0, 0.0], [0.0, 0.0]], 1.0, None)
    """

    count: int
    mean: Floats
    matrix: Floats
    unit: bool = field(default=False, kw_only=True)

    @classmethod
    def empty(cls, dimension: int) -> SecondMoments:
        """Return the moments of no vector of `dimension` components."""
        dimension = whole_number("dimension", dimension, at_least=1)
        return cls(0, np.zeros(dimension), np.zeros((dimension, dimension)), unit=True)

    @classmethod
    def of(cls, vectors: ArrayLike) -> SecondMoments:
        """Return the moments of vectors, shape ``(N, d)``, added up as float64.

        Raises
        ------
        ArgumentError
            If they are not real numbers of shape ``(N, d)`` with d of at least 1.
        DataError
            If a row holds a number that is not finite.
        """
        return _in_blocks(finite_rows, vectors, unit=False)

    @classmethod
    def of_directions(cls, vectors: ArrayLike) -> SecondMoments:
        """Return the moments of vectors scaled to length 1.

        Raises
        ------
        ArgumentError, DataError
            As `of`; a vector of zeros is refused too.
        """
        return _in_blocks(unit_rows, vectors, unit=True)

    @property
    def scatter(self) -> Scatter:
        """The scatter of the vectors, without directions."""
        return Scatter(self.count, self.mean, float(np.trace(self.matrix)), unit=self.unit)

    @override
    def merge(self, other: SecondMoments) -> SecondMoments:
        means = self.scatter.merge(other.scatter)
        if means.count == 0:
            return SecondMoments(0, self.mean, self.matrix, unit=means.unit)
        gap = other.mean - self.mean
        between = np.outer(gap, gap) * (self.count * (other.count / means.count))
        matrix = self.matrix + other.matrix + between
        return SecondMoments(means.count, means.mean, matrix, unit=means.unit)

    @property
    def second_moment(self) -> Floats | None:
        """E x xᵀ around 0, shape ``(d, d)``; None for no vector."""
        if self.count == 0:
            return None
        moment: Floats = self.matrix / self.count + np.outer(self.mean, self.mean)
        return moment

    @cached_property
    def _tridiagonal(self) -> tuple[Floats, Floats]:
        """The matrix reduced in a basis that begins with the mean."""
        return _tridiagonal(_reflected(_reflected(self.matrix, self.mean).T, self.mean))

    @cached_property
    def second_moment_eigenvalues(self) -> Floats | None:
        """Eigenvalues of E x xᵀ, largest first, rounding set to 0; None for no vector."""
        if self.count == 0:
            return None
        diagonal, beside = self._tridiagonal
        around_zero = diagonal / self.count
        around_zero[0] += self.mean @ self.mean
        return _positive(_eigenvalues(around_zero, beside / self.count))

    @cached_property
    def eigenvalues(self) -> Floats | None:
        """Eigenvalues of the covariance, largest first; None for fewer than two vectors."""
        if self.count < 2:
            return None
        return _positive(_eigenvalues(*self._tridiagonal) / (self.count - 1))

    @property
    def effective_rank(self) -> float | None:
        """Hill number of order 1 of the covariance's eigenvalues; None without spread."""
        return None if self.eigenvalues is None else hill_number(self.eigenvalues, order=1)

    @property
    def participation_ratio(self) -> float | None:
        """Hill number of order 2 of the covariance's eigenvalues; None without spread."""
        return None if self.eigenvalues is None else hill_number(self.eigenvalues, order=2)

    @property
    def log_generalised_variance(self) -> float | None:
        """Logarithm of the covariance's determinant; None if it is singular.

        It is singular if there are no more vectors than components, or if the vectors span fewer
        directions up to rounding.
        """
        if self.eigenvalues is None or (self.eigenvalues == 0.0).any():
            return None
        return float(np.log(self.eigenvalues).sum())

    @property
    def _vendi(self) -> float | None:
        """Vendi score of order 1; None for a single vector, whose score is always 1."""
        values = self.second_moment_eigenvalues
        if values is None or not self.unit or self.count < 2:
            return None
        return hill_number(values, order=1)

    @override
    def numbers(self) -> dict[str, float]:
        return defined(
            {
                "effective_rank": self.effective_rank,
                "participation_ratio": self.participation_ratio,
                "generalised_variance": self.log_generalised_variance,
                "vendi_1": self._vendi,
            }
        )


def spectrum_numbers(vectors: ArrayLike) -> dict[str, float]:
    """Return the metrics of the second moments, from the smaller of the two matrices.

    Parameters
    ----------
    vectors
        Shape ``(N, d)``. Lengths that are 1 in single precision are scaled to 1.

    Returns
    -------
    `SecondMoments.numbers` of the vectors, with ``vendi_1`` of their directions if there are two
    or more vectors and none is zero.

    Raises
    ------
    ArgumentError, DataError
        As `SecondMoments.of`.

    Examples
    --------
    >>> {name: round(value, 6) for name, value in spectrum_numbers(np.eye(3, 300)).items()}
    {'effective_rank': 2.0, 'participation_ratio': 2.0, 'vendi_1': 3.0}
    """
    rows = vector_rows("vectors", vectors)
    lengths = np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
    unit = bool(np.abs(lengths - 1.0).max(initial=0.0) < _UNIT)
    directed = bool(rows.any(axis=1).all())
    numbers = _of_few if len(rows) < rows.shape[1] else _of_many
    return numbers(rows, unit=unit, directed=directed)


def positive_spectrum(matrix: Floats) -> Floats:
    """Return the eigenvalues of a positive semi-definite matrix, largest first.

    Eigenvalues below the largest one times d and the rounding unit are set to 0.

    Examples
    --------
    >>> positive_spectrum(np.array([[2.0, 2.0], [2.0, 2.0]]))
    array([4., 0.])
    """
    values: Floats = np.asarray(np.linalg.eigvalsh(matrix)[::-1], dtype=np.float64)
    return _positive(values)


def _positive(values: Floats) -> Floats:
    """Return eigenvalues, largest first, with 0 for those that are nothing but rounding."""
    floor = max(float(values[0]), 0.0) * len(values) * np.finfo(np.float64).eps
    return np.where(values > floor, values, 0.0)


def _reflected(matrix: Floats, axis: Floats) -> Floats:
    """Return the rows of a matrix reflected so that `axis` becomes the first axis."""
    length = float(np.linalg.norm(axis))
    if length == 0.0:
        return matrix
    normal = axis / length
    normal[0] += np.copysign(1.0, normal[0])
    reflected: Floats = matrix - np.outer(normal, (normal @ matrix) * (2.0 / (normal @ normal)))
    return reflected


def _tridiagonal(matrix: Floats) -> tuple[Floats, Floats]:
    """Return a symmetric matrix reduced to its diagonal and the one beside it.

    The reduction leaves the first axis as it is.
    """
    work, _ = lapack.dsytrd_lwork(len(matrix), lower=1)
    _, diagonal, beside, _, _ = lapack.dsytrd(matrix, lower=1, lwork=int(work))
    return diagonal, beside


def _eigenvalues(diagonal: Floats, beside: Floats) -> Floats:
    """Return the eigenvalues of a tridiagonal matrix, largest first."""
    if not beside.size:
        return diagonal
    values, failed = lapack.dsterf(diagonal, beside)
    if failed:
        full = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
        values = np.linalg.eigvalsh(full)
    descending: Floats = values[::-1]
    return descending


def _in_blocks(prepare: Callable[..., Floats], vectors: ArrayLike, *, unit: bool) -> SecondMoments:
    rows = vector_rows("vectors", vectors)
    moments = SecondMoments.empty(rows.shape[1])
    for first in range(0, len(rows), _BLOCK):
        block = prepare("vectors", rows[first : first + _BLOCK], first=first)
        mean, gaps = _centred(block)
        moments = moments.merge(SecondMoments(len(block), mean, gaps.T @ gaps, unit=unit))
    return moments


def _centred(rows: Floats) -> tuple[Floats, Floats]:
    """Return the mean of the rows, and what each differs from it."""
    # Relative to the first row, so that equal rows have no spread at all and rounding errors are
    # relative to the gaps, not to the mean.
    gaps = rows - rows[0]
    shift = gaps.mean(axis=0)
    gaps -= shift
    return rows[0] + shift, gaps


def _of_many(rows: NDArray[Any], *, unit: bool, directed: bool) -> dict[str, float]:
    if unit:
        return SecondMoments.of_directions(rows).numbers()
    score = SecondMoments.of_directions(rows)._vendi if directed else None
    return SecondMoments.of(rows).numbers() | ({} if score is None else {"vendi_1": score})


def _of_few(rows: NDArray[Any], *, unit: bool, directed: bool) -> dict[str, float]:
    """Return the numbers of fewer vectors than components, whose covariance is singular."""
    if len(rows) < 2:
        return {}
    directions = unit_rows("vectors", rows) if directed else None
    measured = finite_rows("vectors", rows) if directions is None or not unit else directions
    mean, gaps = _centred(measured)
    # Rows of gaps add up to 0: in a basis that begins with (1, …, 1), the first of them is 0, and
    # that of the vectors themselves is √N times their mean.
    rest = _reflected(gaps, np.ones(len(gaps)))[1:]
    around_zero = np.vstack([np.sqrt(len(gaps)) * mean, rest])
    diagonal, beside = _tridiagonal(around_zero @ around_zero.T)
    spread = _positive(_eigenvalues(diagonal[1:], beside[1:]))
    numbers = {
        "effective_rank": hill_number(spread, order=1),
        "participation_ratio": hill_number(spread, order=2),
    }
    if measured is directions:
        numbers["vendi_1"] = hill_number(_positive(_eigenvalues(diagonal, beside)), order=1)
    elif directions is not None:
        numbers["vendi_1"] = hill_number(_similarities(directions), order=1)
    return defined(numbers)


_ROUNDING = 1e-8


def vendi_score(moments: SecondMoments, *, order: float = 1.0) -> float | None:
    """Return the Vendi score of vectors, with the cosine as the similarity.

    Parameters
    ----------
    moments
        Moments of vectors of length 1: `SecondMoments.of_directions`.
    order
        q, at least 0; order infinity depends on the most frequent direction alone. Order 0 counts
        all directions, however near, so more than d embeddings score nearly d.

    Returns
    -------
    A number from 1 (all the same) to the smaller of N and d; None for no vector.

    Raises
    ------
    ArgumentError
        If the vectors do not have length 1, or the order is negative.

    Examples
    --------
    >>> across = SecondMoments.of_directions([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    >>> round(vendi_score(across), 10)
    2.0
    """
    check_order(order)
    if not moments.unit:
        takes = "moments of vectors of length 1: SecondMoments.of_directions"
        raise ArgumentError("moments", got="moments of vectors of any length", takes=takes)
    values = moments.second_moment_eigenvalues
    return None if values is None else hill_number(values, order=order)


def vendi_score_of_kernel(kernel: ArrayLike, *, order: float = 1.0) -> float | None:
    """Return the Vendi score of any matrix of similarities.

    Parameters
    ----------
    kernel
        Shape ``(n, n)``, symmetric and positive semi-definite, with ones on its diagonal.
    order
        q, at least 0, or infinity.

    Returns
    -------
    A number from 1 to n; None if n is 0.

    Raises
    ------
    ArgumentError
        If the matrix is not square, not symmetric, or has no ones on its diagonal.

    Examples
    --------
    >>> [round(vendi_score_of_kernel(kernel), 9) for kernel in (np.eye(5), np.ones((5, 5)))]
    [5.0, 1.0]
    """
    check_order(order)
    matrix = np.asarray(kernel, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ArgumentError("kernel", got=f"shape {matrix.shape}", takes="a square matrix")
    if not np.allclose(matrix, matrix.T, rtol=0.0, atol=_ROUNDING):
        raise ArgumentError("kernel", got="another", takes="a symmetric matrix")
    if not np.allclose(np.diag(matrix), 1.0, rtol=0.0, atol=_ROUNDING):
        raise ArgumentError("kernel", got="another", takes="a matrix with ones on its diagonal")
    if not matrix.size:
        return None
    return hill_number(positive_spectrum(matrix / len(matrix)), order=order)


def effective_answers(vectors: ArrayLike, *, size: int, rng: np.random.Generator) -> float | None:
    """Return the Vendi score at a fixed number of answers.

    The Vendi score of a round grows with its number of answers. This is the mean score of
    disjoint random subsets of one size, as many as there are.

    Parameters
    ----------
    vectors
        Shape ``(N, d)``, none of them zero.
    size
        Number of answers of a subset, at least 1.
    rng
        Draws the subsets.

    Returns
    -------
    A number from 1 to `size`; None if there are fewer than `size` vectors.

    Raises
    ------
    ArgumentError, DataError
        As `SecondMoments.of_directions`.

    Examples
    --------
    >>> round(effective_answers(np.eye(6), size=3, rng=np.random.default_rng(1)), 6)
    3.0
    """
    size = whole_number("size", size, at_least=1)
    rows = unit_rows("vectors", vectors)
    order = rng.permutation(len(rows))
    subsets = (rows[order[first : first + size]] for first in range(0, len(rows) - size + 1, size))
    scores = [hill_number(_similarities(subset), order=1) for subset in subsets]
    known = [score for score in scores if score is not None]
    return float(np.mean(known)) if known else None


def _similarities(rows: Floats) -> Floats:
    """Return the eigenvalues of E x xᵀ of vectors of length 1, from the smaller matrix."""
    few = len(rows) < rows.shape[1]
    return positive_spectrum((rows @ rows.T if few else rows.T @ rows) / len(rows))
