"""The Vendi score: how many answers that have nothing in common are as diverse as these.

The score of order q is the Hill number of the eigenvalues of K / n, where K is the n x n
matrix of similarities with ones on its diagonal. With the cosine as similarity, K / n and the
d x d matrix of second moments of the unit vectors have the same eigenvalues but for zeros, so
a mergeable summary gives the score of any number of answers.

References
----------
Friedman, Dieng, *The Vendi Score*, TMLR 2023, definition 3.1 and section 3.3; Pasarkar,
Dieng, *Cousins of the Vendi Score*, AISTATS 2024, for the orders.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hayflick.core.errors import ArgumentError
from hayflick.diversity.hill import check_order, hill_number
from hayflick.diversity.spectrum import Moments, positive_spectrum

_ROUNDING = 1e-8


def vendi_score(moments: Moments, *, order: float = 1.0) -> float | None:
    """Return the Vendi score of vectors with the cosine as similarity.

    Parameters
    ----------
    moments
        Of vectors of length 1: `Moments.of_directions`.
    order
        q, at least 0; infinity looks at the most frequent direction alone. Order 0 counts
        directions, near ones too, so embeddings of more answers than d have nearly d.

    Returns
    -------
    A number from 1, all the same, to the smaller of N and d; None for no vector.

    Raises
    ------
    ArgumentError
        If the vectors are of any length, or the order is negative.

    Examples
    --------
    >>> across = Moments.of_directions([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    >>> round(vendi_score(across), 10)
    2.0
    """
    check_order(order)
    if not moments.unit:
        takes = "moments of vectors of length 1: Moments.of_directions"
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
    A number from 1 to n; None where n is 0.

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
