"""The dispersion of a negative binomial law by maximum likelihood, from histograms of counts.

With the mean at the mean of the counts, the slope of the log-likelihood along 1/α is

    Σ_x w_x Σ_{j<x} 1 / (1 + α j) - W log(1 + α m) / α

up to a positive factor. Where the variance is above the mean it has one zero.
"""

from __future__ import annotations

import numpy as np
from scipy.special import psi

from hayflick.core.arrays import Floats

_STEPS = 60
_PRECISION = 1e-11
# Below this α m is nothing beside 1: the law is Poisson, to the last digits that can be told.
_POISSON = 1e-9
# From here on ψ by its asymptotic series is exact to 1e-13.
_SERIES = 30.0


def fitted_dispersion(counts: Floats, weights: Floats) -> Floats:
    """Return the dispersion of every histogram; 0 where its variance is not above its mean.

    Parameters
    ----------
    counts
        The counts of the cells, shape ``(replicates, cells)`` or ``(1, cells)``.
    weights
        Weight of the items of each count, shape ``(replicates, cells)``.

    Returns
    -------
    Shape ``(replicates,)``.

    Examples
    --------
    >>> counts, weights = np.arange(4.0)[None], np.array([[6.0, 2.0, 1.0, 1.0]])
    >>> fitted_dispersion(counts, weights).round(3).tolist()
    [0.942]
    """
    total = weights.sum(axis=1)
    shares = weights / total[:, None]
    mean = (counts * shares).sum(axis=1)
    variance = ((counts - mean[:, None]) ** 2 * shares).sum(axis=1)
    dispersion: Floats = np.zeros_like(mean)
    # Beyond rounding: a variance that is the mean to the last digits is the mean.
    over = variance > mean * (1.0 + 1e-12)
    if over.any():
        own = counts if len(counts) == 1 else counts[over]
        moments = (variance[over] - mean[over]) / mean[over] ** 2
        dispersion[over] = _zero(own, shares[over], mean[over], moments)
    return dispersion


def _zero(counts: Floats, shares: Floats, mean: Floats, start: Floats) -> Floats:
    """Return the zero of the slope along log α, by Ridders' method between ends around it."""

    def slope(logarithm: Floats) -> Floats:
        alpha = np.exp(logarithm)
        likelihood: Floats = (shares * _harmonic(counts, alpha)).sum(axis=1)
        return likelihood - np.log1p(alpha * mean) / alpha

    low, high = np.log(start) - 1.0, np.log(start) + 1.0
    low_slope, high_slope = slope(low), slope(high)
    floor = np.log(_POISSON / mean)
    for _ in range(_STEPS):
        too_high, too_low = (low_slope >= 0.0) & (low > floor), high_slope <= 0.0
        if not (too_high.any() or too_low.any()):
            break
        low, high = np.where(too_high, low - 2.0, low), np.where(too_low, high + 2.0, high)
        low_slope, high_slope = slope(low), slope(high)
    found = low
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        value = slope(middle)
        root = np.sqrt(value**2 - low_slope * high_slope)
        step = np.divide(value, root, out=np.zeros_like(value), where=root > 0.0)
        better = middle - (middle - low) * step * np.sign(high_slope - low_slope)
        better_value = slope(better)
        # The closest two of the four points, with the zero between them.
        for point, at in ((middle, value), (better, better_value)):
            below = at < 0.0
            inside = (point > low) & (point < high)
            lower, upper = below & inside, ~below & inside
            low, low_slope = np.where(lower, point, low), np.where(lower, at, low_slope)
            high, high_slope = np.where(upper, point, high), np.where(upper, at, high_slope)
        moved, found = np.abs(better - found), better
        if (np.minimum(moved, high - low) < _PRECISION).all():
            break
    return np.where(low <= floor, 0.0, np.exp(found))


def _harmonic(counts: Floats, alpha: Floats) -> Floats:
    """Return Σ_{j<x} 1 / (1 + α j) for every count x, shape ``(replicates, cells)``."""
    cells = counts.shape[1]
    alpha = alpha[:, None]
    if len(counts) == 1 and counts[0, -1] == cells - 1.0:
        terms = 1.0 / (1.0 + alpha * counts)
        return np.cumsum(terms, axis=1) - terms
    shape = 1.0 / alpha
    total: Floats = shape * np.where(
        shape > _SERIES,
        _psi_series_difference(counts, np.maximum(shape, _SERIES)),
        psi(counts + shape) - psi(shape),
    )
    return total


def _psi_series_difference(counts: Floats, shape: Floats) -> Floats:
    """Return ψ(x + r) - ψ(r) for a large r, without the digits that cancel."""
    far = counts + shape
    near, difference = 1.0 / shape, np.log1p(counts / shape)
    near2, far2 = near**2, 1.0 / far**2
    difference -= (1.0 / far - near) / 2.0 + (far2 - near2) / 12.0
    difference += (far2**2 - near2**2) / 120.0 - (far2**3 - near2**3) / 252.0
    result: Floats = difference
    return result
