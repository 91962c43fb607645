"""Disjoint pairs of answers to the same prompt, and a score in [0, 1] for each pair.

No answer is in two pairs, so the scores are independent if the answers are, which a chart with a
guaranteed rate of false alarms requires. With u and v the two vectors,

    y = 1 - exp(-‖u - v‖² / h)    or    y = (1 - cos(u, v)) / 2

where h is the median of the squared distances in healthy answers. The cosine depends on
directions from 0 alone: it misses vectors that contract towards a mean of 0.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import positive_number, whole_number
from hayflick.core.errors import ArgumentError
from hayflick.diversity.scatter import ROWS_AT_ONCE, finite_rows, unit_rows, vector_rows


@dataclass(frozen=True, eq=False)
class Pairs:
    """Disjoint pairs of answers.

    Parameters
    ----------
    first, second
        Positions of the two answers of each pair, shape ``(pairs,)``.
    unpaired
        Number of answers in no pair.
    """

    first: Integers
    second: Integers
    unpaired: int


def disjoint_pairs(
    count: int, *, rng: np.random.Generator, prompts: Sequence[Hashable] | None = None
) -> Pairs:
    """Pair answers at random, each at most once.

    Parameters
    ----------
    count
        Number of answers.
    rng
        Draws the pairs.
    prompts
        The prompt of each answer, shape ``(count,)``: pairs are formed within a prompt. None if
        all have the same.

    Returns
    -------
    As many pairs as possible, in the order of the prompts' first answers.

    Raises
    ------
    ArgumentError
        If `count` is not a whole number, or `prompts` has another length.

    Examples
    --------
    >>> pairs = disjoint_pairs(5, rng=np.random.default_rng(7), prompts=["a", "b", "a", "c", "b"])
    >>> sorted(zip(pairs.first.tolist(), pairs.second.tolist())), pairs.unpaired
    ([(0, 2), (1, 4)], 1)
    """
    count = whole_number("count", count, at_least=0)
    if prompts is not None and len(prompts) != count:
        takes = f"one for each of the {count} answers"
        raise ArgumentError("prompts", got=f"{len(prompts)} of them", takes=takes)
    numbers = np.zeros(count, np.int64) if prompts is None else _numbered(prompts)
    order = rng.permutation(count)
    # A stable sort by prompt leaves the answers to one prompt in random order.
    order = order[np.argsort(numbers[order], kind="stable")]
    starts = np.flatnonzero(np.diff(numbers[order], prepend=-1))
    sizes = np.diff(starts, append=count)
    place = np.arange(count) - np.repeat(starts, sizes)
    has_partner = (place % 2 == 0) & (place + 1 < np.repeat(sizes, sizes))
    at = np.flatnonzero(has_partner)
    first, second = order[at], order[at + 1]
    return Pairs(np.minimum(first, second), np.maximum(first, second), count - 2 * at.size)


def median_squared_distance(first: ArrayLike, second: ArrayLike) -> float | None:
    """Return the median of ‖u - v‖² over pairs: the scale h.

    Parameters
    ----------
    first, second
        The two vectors of every pair, both of shape ``(pairs, d)``.

    Returns
    -------
    A number above 0; None for no pair, or if the two vectors are equal in half of them.

    Examples
    --------
    >>> median_squared_distance([[0.0], [0.0], [0.0]], [[1.0], [2.0], [3.0]])
    4.0
    """
    squares = squared_distances(first, second)
    median = float(np.median(squares)) if squares.size else 0.0
    return median if median > 0.0 else None


def pair_scores(first: ArrayLike, second: ArrayLike, *, scale: float) -> Floats:
    """Return 1 - exp(-‖u - v‖² / h) of each pair, in [0, 1]: 0 if both are the same.

    Parameters
    ----------
    first, second
        The two vectors of every pair, both of shape ``(pairs, d)``.
    scale
        h, in the vectors' units squared.

    Raises
    ------
    ArgumentError
        If the shapes differ, or the scale is not above 0.
    DataError
        If a vector holds a number that is not finite.

    Examples
    --------
    >>> pair_scores([[0.0], [0.0]], [[0.0], [2.0]], scale=4.0).round(4).tolist()
    [0.0, 0.6321]
    """
    positive_number("scale", scale)
    scores: Floats = -np.expm1(-squared_distances(first, second) / scale)
    return scores


def spread(scores: Floats) -> float | None:
    """Return the mean score of pairs; None for no pair.

    Examples
    --------
    >>> spread(np.array([0.25, 0.75])), spread(np.array([]))
    (0.5, None)
    """
    return float(scores.mean()) if scores.size else None


def cosine_scores(first: ArrayLike, second: ArrayLike) -> Floats:
    """Return (1 - cos) / 2 of every pair, in [0, 1]: 0 for the same direction.

    Raises
    ------
    ArgumentError
        If the shapes differ.
    DataError
        If a vector is zero, or holds a number that is not finite.

    Examples
    --------
    >>> cosine_scores([[1.0, 0.0], [1.0, 0.0]], [[0.0, 3.0], [-2.0, 0.0]]).tolist()
    [0.5, 1.0]
    """
    one, other = unit_rows("first", first), unit_rows("second", second)
    # ‖u - v‖² = 2 - 2 cos, without the rounding of a cosine near 1.
    return np.clip(squared_distances(one, other) / 4.0, 0.0, 1.0)


def squared_distances(first: ArrayLike, second: ArrayLike) -> Floats:
    """Return ‖u - v‖² of every pair, shape ``(pairs,)``.

    Raises
    ------
    ArgumentError
        If the shapes differ.
    DataError
        If a vector holds a number that is not finite.

    Examples
    --------
    >>> squared_distances([[0.0, 0.0]], [[3.0, 4.0]]).tolist()
    [25.0]
    """
    one, other = vector_rows("first", first), vector_rows("second", second)
    if one.shape != other.shape:
        got = f"shape {other.shape} beside {one.shape}"
        raise ArgumentError("second", got=got, takes="as many vectors as first, of the same kind")
    squares = np.empty(len(one))
    for begin in range(0, len(one), ROWS_AT_ONCE):
        some = slice(begin, begin + ROWS_AT_ONCE)
        gaps = finite_rows("first", one[some], first=begin)
        gaps = gaps - finite_rows("second", other[some], first=begin)
        squares[some] = np.einsum("ij,ij->i", gaps, gaps)
    return squares


def _numbered(prompts: Sequence[Hashable]) -> Integers:
    """Return the number of each prompt, in the order of their first answers."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(prompt, len(numbers)) for prompt in prompts], np.int64)
