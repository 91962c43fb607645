"""Checks of vectors: real numbers in rows, all of them finite."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hayflick.core.arrays import Floats
from hayflick.core.errors import ArgumentError, DataError


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
    rows = finite_rows(argument, vectors, first=first)
    # By the largest component first: squares of tiny or huge numbers would under- or overflow.
    largest = np.abs(rows).max(axis=1, initial=0.0, keepdims=True)
    zero = np.flatnonzero(largest == 0.0)
    if zero.size:
        where = f"{argument}: row {first + int(zero[0])} is a vector of zeros"
        raise DataError(f"{where}, which has no direction; leave it out")
    scaled: Floats = rows / largest
    scaled /= np.sqrt(np.einsum("ij,ij->i", scaled, scaled))[:, None]
    return scaled


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
