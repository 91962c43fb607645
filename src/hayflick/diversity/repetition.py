"""Duplicates: the share of answers that another answer repeats, word for word or nearly."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import positive_number, whole_number
from hayflick.diversity.lexical import refuse_single_text
from hayflick.diversity.scatter import Scatter, vector_rows

MOST_EXACT = 10_000
"""Largest number of answers that are all compared with all others."""

_BLOCK = 1 << 10


def duplicate_rate(texts: Sequence[str]) -> float | None:
    """Return the share of answers that another one equals, character for character.

    None for fewer than two answers.

    Raises
    ------
    ArgumentError
        If `texts` is a single string.

    Examples
    --------
    >>> duplicate_rate(["yes", "no", "yes", "Yes"])
    0.5
    """
    refuse_single_text(texts)
    if len(texts) < 2:
        return None
    repeated = sum(number for number in Counter(texts).values() if number > 1)
    return repeated / len(texts)


def near_duplicate_rate(
    vectors: ArrayLike, *, threshold: float, rng: np.random.Generator, queries: int | None = None
) -> float | None:
    """Return the share of answers whose nearest other answer is closer than a threshold.

    Parameters
    ----------
    vectors
        Shape ``(N, d)``.
    threshold
        Euclidean distance, in the vectors' units; for vectors of length 1 a cosine c is the
        distance √(2 - 2c).
    rng
        Draws the answers that are compared with all others.
    queries
        Number of these answers. None for all N up to 10,000, and beyond that for as many as take
        the same time. If it is below N, the result is an unbiased estimate of the share.

    Returns
    -------
    A share; None for fewer than two answers.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    DataError
        If a row holds a number that is not finite.

    Examples
    --------
    >>> rng = np.random.default_rng(7)
    >>> near_duplicate_rate([[0.0], [0.1], [5.0]], threshold=0.5, rng=rng)
    0.6666666666666666
    """
    rows = vector_rows("vectors", vectors)
    positive_number("threshold", threshold)
    if queries is not None:
        whole_number("queries", queries, at_least=1)
    # This also refuses rows that are not finite.
    mean, size = Scatter.of(rows).mean, len(rows)
    if size < 2:
        return None
    asked = min(size, max(1, MOST_EXACT**2 // size) if queries is None else queries)
    chosen = np.arange(size)
    if asked < size:
        chosen = np.sort(rng.choice(size, size=asked, replace=False))
    nearest = _nearest(rows, chosen, mean=mean)
    return int(np.count_nonzero(nearest < threshold**2)) / asked


def _nearest(rows: NDArray[Any], asked: Integers, *, mean: Floats) -> Floats:
    """Return the squared distance of some rows to their nearest other row."""
    queries, their_norms = _centred(rows[asked], mean)
    nearest = np.full(asked.size, np.inf)
    for first in range(0, len(rows), _BLOCK):
        others, norms = _centred(rows[first : first + _BLOCK], mean)
        for start in range(0, asked.size, _BLOCK):
            block = slice(start, start + _BLOCK)
            squares = their_norms[block, None] + norms - 2.0 * (queries[block] @ others.T)
            places = asked[block] - first
            own = np.flatnonzero((places >= 0) & (places < len(others)))
            squares[own, places[own]] = np.inf
            np.minimum(nearest[block], squares.min(axis=1), out=nearest[block])
    return nearest


def _centred(rows: NDArray[Any], mean: Floats) -> tuple[Floats, Floats]:
    """Return centred rows, so that squares do not cancel, and their squared lengths."""
    gaps: Floats = rows - mean
    return gaps, np.einsum("ij,ij->i", gaps, gaps)


_LEVEL = 6
_TOGETHER = 1000


def compression_ratio(texts: Iterable[str], *, level: int = _LEVEL) -> float | None:
    """Return the size of the texts, one per line, over their compressed size.

    Parameters
    ----------
    texts
        The answers. More text compresses better, so compare equal amounts.
    level
        Compression level of zlib, 1 to 9.

    Returns
    -------
    A ratio that rises with repetition; None if all texts are empty.

    Raises
    ------
    ArgumentError
        If `level` is out of range, or `texts` is a single string.

    Examples
    --------
    >>> compression_ratio(["the same answer"] * 100) > 30.0
    True
    >>> compression_ratio(["yes"]) < 1.0
    True
    """
    refuse_single_text(texts)
    compressor = zlib.compressobj(whole_number("level", level, at_least=1, at_most=9))
    before = after = 0
    spoken = False
    lines = iter(texts)
    while part := list(islice(lines, _TOGETHER)):
        block = "\n".join([*part, ""]).encode("utf-8", errors="replace")
        spoken = spoken or len(block) > len(part)
        before += len(block)
        after += len(compressor.compress(block))
    after += len(compressor.flush())
    return before / after if spoken else None
