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
    given = np.asarray(counts).ravel()
    wrong = given[~((given >= 0) & (given == np.floor(given)))]
    if wrong.size:
        raise ArgumentError("counts", got=wrong[0].item(), takes="whole numbers of at least 0")
    found = float(rarefied_entropies(given.astype(np.int64), [0, given.size], size=size)[0])
    return None if math.isnan(found) else found


def rarefied_entropies(counts: Integers, bounds: ArrayLike, *, size: int) -> Floats:
    """Return `rarefied_entropy` of many sets at once, faster; nan where there are too few items.

    Parameters
    ----------
    counts
        Number of items of each kind, of one set after the other, at least 0.
    bounds
        Where the sets start in `counts`, and where the last one ends, shape ``(sets + 1,)``.
    size
        m, the number of items in the sample, at least 1.

    Raises
    ------
    ArgumentError
        If `size` is below 1.

    Examples
    --------
    >>> rarefied_entropies(np.array([2, 2, 1]), [0, 2, 3], size=2).round(4).tolist()
    [0.4621, nan]
    """
    size = whole_number("size", size, at_least=1)
    ends = np.asarray(bounds)
    totals = np.diff(np.concatenate([[0], np.cumsum(counts)])[ends])
    sets = np.repeat(np.arange(totals.size), np.diff(ends))
    used = (counts > 0) & (totals[sets] >= size)
    found: Floats = np.full(totals.size, np.nan)
    if not used.any():
        return found
    # Kinds of the same number, in sets of the same total, share an expected value.
    different, of_total = np.unique(totals, return_inverse=True)
    step = int(counts.max(initial=0)) + 1
    alike, times = np.unique(sets[used] * step + counts[used], return_counts=True)
    keys, kinds = np.unique(of_total[alike // step] * step + alike % step, return_inverse=True)
    expected = _expected(keys % step, different[keys // step], size)[kinds]
    places = np.searchsorted(alike // step, np.arange(totals.size + 1))
    for one in np.flatnonzero(totals >= size):
        part = slice(places[one], places[one + 1])
        found[one] = max(0.0, math.log(size) - float(times[part] @ expected[part]) / size)
    return found


_CELLS_AT_ONCE = 1_000_000


def _expected(numbers: Integers, totals: Integers, size: int) -> Floats:
    """Return E[K log K] of kinds with these numbers in sets of these totals."""
    low, high = _likely_range(numbers, size, totals)
    blocks = np.cumsum(high - low + 1) // _CELLS_AT_ONCE
    starts = np.flatnonzero(np.diff(blocks, prepend=-1))
    found = []
    for start, end in zip(starts, [*starts[1:], numbers.size], strict=True):
        width = (high - low + 1)[start:end]
        kinds = np.repeat(np.arange(start, end), width)
        drawn = np.arange(kinds.size) - np.repeat(np.cumsum(width) - width - low[start:end], width)
        chance = _hypergeometric(drawn, numbers[kinds], size, totals[kinds])
        kinds -= start
        # Divided by their sum, as logarithms of factorials of large totals lose digits.
        mean = np.bincount(kinds, chance * xlogy(drawn, drawn)) / np.bincount(kinds, chance)
        found.append(mean)
    return np.concatenate(found)


_DEVIATIONS = 12.0


def _likely_range(numbers: Integers, size: int, total: Integers) -> tuple[Integers, Integers]:
    """Return the numbers in the sample outside of which the probability is negligible."""
    mean = numbers * (size / total)
    spread = _DEVIATIONS * (1.0 + np.sqrt(mean * (1.0 - size / total)))
    low = np.maximum(np.floor(mean - spread), np.maximum(0, size - (total - numbers)))
    high = np.minimum(np.ceil(mean + spread), np.minimum(numbers, size))
    return low.astype(np.int64), high.astype(np.int64)


def _hypergeometric(drawn: Integers, numbers: Integers, size: int, total: Integers) -> Floats:
    """Return the probability of `drawn` items of a kind in the sample."""
    most = int(total.max())
    table = gammaln(np.arange(1.0, most + 2.0)) if most < drawn.size else None

    def log_factorial(items: Integers) -> Floats:
        logs: Floats = gammaln(items + 1.0) if table is None else table[items]
        return logs

    def log_choose(items: Integers, chosen: Integers) -> Floats:
        return log_factorial(items) - log_factorial(chosen) - log_factorial(items - chosen)

    logs = log_choose(numbers, drawn) + log_choose(total - numbers, size - drawn)
    probabilities: Floats = np.exp(logs - log_choose(total, np.array(size)))
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
