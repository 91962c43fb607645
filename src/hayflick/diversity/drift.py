"""Drift: whether answers follow another distribution than a baseline, whatever has changed.

Two distances between samples X (n) and Y (m), both 0 on average if the distributions are equal:

    MMD²   = E k(x, x') + E k(y, y') - 2 E k(x, y),   k(x, y) = exp(-‖x - y‖² / s)
    energy = 2 E ‖x - y‖ - E ‖x - x'‖ - E ‖y - y'‖

with means over pairs of different items (the unbiased forms) and s the median of all squared
distances. The p-value comes from a permutation test, which is exact for any distribution if the
answers are exchangeable.

References
----------
Gretton et al., *A Kernel Two-Sample Test*, JMLR 13 (2012), equation 3; Székely, Rizzo,
*Energy Statistics*, J. Stat. Plan. Inference 143 (2013), equation 5.1; Phipson, Smyth,
*Permutation P-values Should Never Be Zero*, SAGMB 9 (2010).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hayflick.core.arrays import Floats
from hayflick.core.checks import whole_number
from hayflick.core.errors import ArgumentError
from hayflick.diversity.scatter import finite_rows

METHODS = ("mmd", "energy")


@dataclass(frozen=True, slots=True)
class Drift:
    """The distance of answers from a baseline, and its p-value.

    Parameters
    ----------
    method
        ``mmd`` or ``energy``.
    statistic
        The distance; an unbiased estimate, so it can be below 0.
    p_value
        Probability of a distance at least as large if there is no drift.
    permutations
        Number of permutations drawn; the p-value is at least 1 / (permutations + 1).
    compared
        Numbers of answers and of baseline answers that were compared.
    """

    method: str
    statistic: float
    p_value: float
    permutations: int
    compared: tuple[int, int]

    def numbers(self) -> dict[str, float]:
        """Return the distance and its p-value by metric."""
        return {"drift": self.statistic, "drift_p": self.p_value}


def drift(
    vectors: ArrayLike,
    *,
    baseline: ArrayLike,
    rng: np.random.Generator,
    method: str = "mmd",
    permutations: int = 499,
    most: int = 1000,
) -> Drift | None:
    """Return the distance of answers from a baseline, with a permutation test.

    Parameters
    ----------
    vectors, baseline
        Shapes ``(n, d)`` and ``(m, d)``.
    rng
        Draws the permutations, and the subsamples of large samples.
    method
        ``mmd`` or ``energy``.
    permutations
        Number of permutations.
    most
        Largest number of answers to compare on either side; larger samples are subsampled.

    Returns
    -------
    None for fewer than two answers on either side, or if all are equal.

    Raises
    ------
    ArgumentError
        If an argument is out of range, or the dimensions differ.
    DataError
        If a row holds a number that is not finite.

    Examples
    --------
    >>> rng = np.random.default_rng(7)
    >>> before, after = rng.normal(size=(50, 4)), rng.normal(size=(50, 4)) / 2
    >>> result = drift(after, baseline=before, rng=rng)
    >>> result.p_value, result.compared
    (0.002, (50, 50))
    """
    if method not in METHODS:
        raise ArgumentError("method", got=method, takes=f"one of {', '.join(METHODS)}")
    whole_number("permutations", permutations, at_least=1, at_most=1_000_000)
    whole_number("most", most, at_least=2)
    one, other = finite_rows("vectors", vectors), finite_rows("baseline", baseline)
    if one.shape[1] != other.shape[1]:
        takes = f"{one.shape[1]}, as the vectors have"
        raise ArgumentError("baseline", got=f"{other.shape[1]} components", takes=takes)
    if min(len(one), len(other)) < 2:
        return None
    one, other = (_drawn(rng, rows, most) for rows in (one, other))
    similarity = _similarity(np.concatenate([one, other]), method=method)
    if similarity is None:
        return None
    member = np.concatenate([np.ones(len(one)), np.zeros(len(other))])[None]
    found = _statistics(similarity, member)[0]
    larger = _count_as_large(rng, similarity, member, found, permutations=permutations)
    p_value = (1 + larger) / (1 + permutations)
    return Drift(method, float(found), p_value, permutations, (len(one), len(other)))


def _drawn(rng: np.random.Generator, rows: Floats, most: int) -> Floats:
    if len(rows) <= most:
        return rows
    return rows[np.sort(rng.choice(len(rows), size=most, replace=False))]


def _similarity(rows: Floats, *, method: str) -> Floats | None:
    """Return the kernel, or the negative distance, with zeros on the diagonal."""
    centred = rows - rows.mean(axis=0)
    norms = np.einsum("ij,ij->i", centred, centred)
    squares = np.maximum(norms[:, None] + norms - 2.0 * (centred @ centred.T), 0.0)
    np.fill_diagonal(squares, 0.0)
    scale = float(np.median(squares[np.triu_indices(len(rows), k=1)]))
    # If half of the distances are 0, so is the median: take the mean.
    scale = scale if scale > 0.0 else float(squares.mean())
    if scale == 0.0:
        return None
    similarity: Floats = np.exp(-squares / scale) if method == "mmd" else -np.sqrt(squares)
    np.fill_diagonal(similarity, 0.0)
    return similarity


def _statistics(similarity: Floats, member: Floats) -> Floats:
    """Return the distance for every row of `member`: 1 for the first sample, 0 for the second."""
    first = member.sum(axis=1)
    second = member.shape[1] - first
    to_first = member @ similarity
    within = np.einsum("ij,ij->i", to_first, member)
    across = to_first.sum(axis=1) - within
    others = similarity.sum() - within - 2.0 * across
    distances: Floats = (
        within / (first * (first - 1.0))
        + others / (second * (second - 1.0))
        - 2.0 * across / (first * second)
    )
    return distances


def _count_as_large(
    rng: np.random.Generator, similarity: Floats, member: Floats, found: float, *, permutations: int
) -> int:
    """Count the permutations whose distance is at least `found`, up to rounding."""
    slack = 1e-12 * float(np.abs(similarity).max())
    larger = 0
    for start in range(0, permutations, 100):
        number = min(100, permutations - start)
        shuffled = rng.permuted(np.repeat(member, number, axis=0), axis=1)
        larger += int(np.count_nonzero(_statistics(similarity, shuffled) >= found - slack))
    return larger
