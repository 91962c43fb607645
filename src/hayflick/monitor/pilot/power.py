r"""The power of Welch's t test between two arms of equally many rounds: exact.

Each arm has R round numbers, normal with one variance v. With ncp = δ / √(2 v / R),

    T = (difference of means) / √((s_1² + s_2²) / R)   is noncentral t, 2 (R − 1) degrees,

and independent of u = s_1² / (s_1² + s_2²) ~ Beta((R − 1)/2, (R − 1)/2), which alone decides on
Welch's degrees of freedom, (R − 1) / (u² + (1 − u)²). So the power is the mean over u of the
chance that T is beyond the critical value for those. Where the variances of the arms differ it
is an approximation.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from hayflick.core.arrays import Floats

_NODES = 64


def welch_power(effect: float, *, variance: float, rounds: int, level: float, sides: int) -> float:
    """Return the chance that a difference is found.

    Parameters
    ----------
    effect
        The true difference of the arms, in the direction that is looked for.
    variance
        Of a round's number in an arm, above 0.
    rounds
        In each arm, at least 2.
    level
        Chance of finding a difference where there is none.
    sides
        1 or 2.

    Examples
    --------
    >>> round(welch_power(1.0, variance=1.0, rounds=17, level=0.05, sides=2), 4)
    0.8058
    >>> round(welch_power(0.0, variance=1.0, rounds=17, level=0.05, sides=1), 3)
    0.05

    References
    ----------
    Welch, Biometrika 34 (1947), 28-35; the mean over u is elementary.
    """
    half = 0.5 * (rounds - 1)
    u = stats.beta.ppf((np.arange(_NODES) + 0.5) / _NODES, half, half)
    critical = stats.t.isf(level / sides, (rounds - 1) / (u**2 + (1.0 - u) ** 2))
    degrees, shift = 2 * (rounds - 1), effect / math.sqrt(2.0 * variance / rounds)
    found = _above(critical, degrees, shift)
    if sides == 2:
        found = found + _above(critical, degrees, -shift)
    return float(found.mean())


def _above(critical: Floats, degrees: int, shift: float) -> Floats:
    # Far out the library's series no longer converge; there nothing is left to find out.
    if abs(shift) > 37.0:
        return np.full(critical.shape, float(shift > 0.0))
    chances: Floats = stats.nct.sf(critical, degrees, shift)
    return np.nan_to_num(chances, nan=float(shift > 0.0))
