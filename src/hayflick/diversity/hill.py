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

from hayflick.core.arrays import Floats
from hayflick.core.checks import as_float
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


def _shares(weights: ArrayLike) -> Floats:
    """Return the positive weights, scaled to a sum of 1."""
    given = np.asarray(weights, dtype=np.float64).ravel()
    wrong = given[~(np.isfinite(given) & (given >= 0.0))]
    if wrong.size:
        raise ArgumentError("weights", got=wrong[0].item(), takes="finite numbers of at least 0")
    positive = given[given > 0.0]
    shares: Floats = positive / positive.sum()
    return shares
