"""Hill numbers: the effective number of kinds.

    D_q = (Σ p_i^q)^{1/(1-q)},   D_1 = exp(-Σ p_i log p_i),   D_∞ = 1 / max p_i

Order 0 counts the kinds, order 1 weights them by frequency, order 2 hardly sees rare ones.
Hill numbers of the eigenvalues of a kernel are Vendi scores.

References
----------
Hill, *Diversity and Evenness: A Unifying Notation and Its Consequences*, Ecology 54 (1973).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, xlogy

from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import as_float, whole_number
from hayflick.core.errors import ArgumentError


def check_order(order: float) -> float:
    """Return an order of diversity as a float: a number of at least 0, or infinity.

    Raises
    ------
    ArgumentError
        If it is not such a number.
    """
    number = as_float(order)
    if not number >= 0.0:
        raise ArgumentError("order", got=order, takes="a number of at least 0, or infinity")
    return number


def hill_number(weights: ArrayLike, *, order: float) -> float | None:
    """Return the Hill number of weights, which need not add up to 1.

    Parameters
    ----------
    weights
        Abundance of each kind, shape ``(kinds,)``, at least 0: counts, shares or eigenvalues.
    order
        q, at least 0; order infinity depends on the most frequent kind alone.

    Returns
    -------
    A number from 1 to the number of kinds; None if all weights are 0.

    Raises
    ------
    ArgumentError
        If a weight is negative or not finite, or the order is negative.

    Examples
    --------
    >>> [round(hill_number([2, 1, 1], order=order), 4) for order in (0, 1, 2, float("inf"))]
    [3.0, 2.8284, 2.6667, 2.0]
    """
    q = check_order(order)
    shares = _shares(weights)
    if not shares.size:
        return None
    if q == 0.0:
        return float(shares.size)
    if math.isinf(q):
        return 1.0 / float(shares.max())
    logs = np.log(shares)
    if q == 1.0:
        return math.exp(-float(shares @ logs))
    if abs(q - 1.0) < 0.5:
        # Σ p^q = 1 + Σ p (p^{q-1} - 1), without a difference of nearly equal numbers.
        return math.exp(math.log1p(float(shares @ np.expm1((q - 1.0) * logs))) / (1.0 - q))
    # Relative to the largest share, no power underflows as a whole.
    top = float(logs.max())
    total = float(np.exp(q * (logs - top)).sum())
    return math.exp((q * top + math.log(total)) / (1.0 - q))


def shannon_entropy(weights: ArrayLike) -> float | None:
    """Return -Σ p log p of weights, in nats; None if all are 0.

    Examples
    --------
    >>> round(shannon_entropy([1, 1]), 4)
    0.6931
    """
    shares = _shares(weights)
    return max(0.0, -float(shares @ np.log(shares))) if shares.size else None


def rarefied_entropy(counts: ArrayLike, *, size: int) -> float | None:
    """Return the expected Shannon entropy of a sample without replacement, in nats.

    With K_i the number of kind i in the sample, hypergeometric with N = Σ n_i, it is
    log m - Σ E[K_i log K_i] / m: exact but for rounding. Samples of one size make counts of
    different totals comparable.

    Parameters
    ----------
    counts
        Number of items of each kind, shape ``(kinds,)``, whole numbers of at least 0.
    size
        m, the number of items in the sample, at least 1.

    Returns
    -------
    A number from 0 to log m; None if there are fewer than `size` items.

    Raises
    ------
    ArgumentError
        If a count is negative or not whole, or `size` is below 1.

    Examples
    --------
    >>> round(rarefied_entropy([2, 2], size=2), 4), rarefied_entropy([2], size=3)
    (0.4621, None)
    """
    size = whole_number("size", size, at_least=1)
    given = np.asarray(counts).ravel()
    wrong = given[~((given >= 0) & (given == np.floor(given)))]
    if wrong.size:
        raise ArgumentError("counts", got=wrong[0].item(), takes="whole numbers of at least 0")
    numbers, times = np.unique(given[given > 0].astype(np.int64), return_counts=True)
    total = int(numbers @ times)
    if size > total:
        return None
    low, high = _likely_range(numbers, size, total)
    kinds = np.repeat(np.arange(numbers.size), high - low + 1)
    starts = np.cumsum(high - low + 1) - (high - low + 1)
    drawn = np.arange(kinds.size) - starts[kinds] + low[kinds]
    chance = _hypergeometric(drawn, numbers[kinds], size, total)
    # Divided by their sum, as logarithms of factorials of large totals lose digits.
    expected = np.bincount(kinds, chance * xlogy(drawn, drawn)) / np.bincount(kinds, chance)
    return max(0.0, math.log(size) - float(times @ expected) / size)


_DEVIATIONS = 12.0


def _likely_range(numbers: Integers, size: int, total: int) -> tuple[Integers, Integers]:
    """Return the numbers in the sample outside of which the probability is negligible."""
    mean = numbers * (size / total)
    spread = _DEVIATIONS * (1.0 + np.sqrt(mean * (1.0 - size / total)))
    low = np.maximum(np.floor(mean - spread), np.maximum(0, size - (total - numbers)))
    high = np.minimum(np.ceil(mean + spread), np.minimum(numbers, size))
    return low.astype(np.int64), high.astype(np.int64)


def _hypergeometric(drawn: Integers, numbers: Integers, size: int, total: int) -> Floats:
    """Return the probability of `drawn` items of a kind in the sample."""

    def log_choose(items: Integers, chosen: Integers) -> Floats:
        logs: Floats = gammaln(items + 1.0) - gammaln(chosen + 1.0) - gammaln(items - chosen + 1.0)
        return logs

    logs = log_choose(numbers, drawn) + log_choose(total - numbers, size - drawn)
    probabilities: Floats = np.exp(logs - log_choose(np.array(total), np.array(size)))
    return probabilities


def _shares(weights: ArrayLike) -> Floats:
    """Return the positive weights, scaled to a sum of 1."""
    given = np.asarray(weights, dtype=np.float64).ravel()
    wrong = given[~(np.isfinite(given) & (given >= 0.0))]
    if wrong.size:
        raise ArgumentError("weights", got=wrong[0].item(), takes="finite numbers of at least 0")
    positive = given[given > 0.0]
    shares: Floats = positive / positive.sum()
    return shares
