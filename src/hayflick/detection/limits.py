"""Control limits that hold for the baseline at hand, not only on average over baselines.

A chart standardises with the mean and the standard deviation of n baseline readings. Both are
in error, and with few readings the true run length varies wildly from one baseline to the
next. For normal readings the errors have a known law: with Z normal and C a χ² variable of
n - 1 degrees, a healthy reading is, standardised, N(Z ρ / √n, ρ²) with ρ = √((n - 1) / C). The
limit is the smallest at which the mean run length is at least the stated one with the
stated *confidence* over (Z, C).

This is what the parametric bootstrap of Gandy & Kvaløy tends to as its resamples grow in
number: for normal readings the errors do not depend on the true mean and deviation, so
nothing has to be resampled. Z is integrated over by Gauss-Hermite quadrature; in C the
run length is monotone, and its law is used in closed form.

References
----------
Gandy & Kvaløy, *Guaranteed conditional performance of control charts via bootstrap
methods*, arXiv:1111.4180, sections 2 and 3.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import gammaincc, ndtr, roots_hermitenorm

from hayflick.core.arrays import Floats

LONGEST = 1e12
"""Largest run length that is computed: beyond, the equations are ill-conditioned."""

_LEGENDRE_NODES, _LEGENDRE_WEIGHTS = np.polynomial.legendre.leggauss(64)


@dataclass(frozen=True, slots=True)
class Recursion:
    """The recursion S ← keep · S + gain · z - drift of a chart's statistic S.

    Parameters
    ----------
    keep, gain, drift
        Coefficients; z is the standardised reading.
    reflected
        Whether the statistic is kept at 0 or above; if not, its absolute value counts.
    """

    keep: float
    gain: float
    drift: float = 0.0
    reflected: bool = True

    def signs(self, direction: str) -> tuple[float, ...]:
        """Return the directions that need a statistic each: 1 up, -1 down.

        Examples
        --------
        >>> Recursion(0.0, 1.0).signs("both"), Recursion(0.9, 0.4, reflected=False).signs("both")
        ((1.0, -1.0), (1.0,))
        """
        signs = {"falls": (-1.0,), "rises": (1.0,), "both": (1.0, -1.0)}[direction]
        return signs if self.reflected else signs[:1]


def mean_run_length(
    recursion: Recursion, *, direction: str, limit: float, shift: Floats, scale: Floats
) -> Floats:
    """Return the mean run length: the number of readings up to and with the alarm.

    Parameters
    ----------
    recursion
        Recursion of the chart.
    direction
        ``falls``, ``rises`` or ``both``.
    limit
        Limit of the statistic, above 0.
    shift, scale
        Mean and standard deviation of the standardised readings, shape ``(laws,)``.

    Returns
    -------
    Mean run lengths, shape ``(laws,)``, at most 1e12.

    Examples
    --------
    >>> healthy = {"shift": np.zeros(1), "scale": np.ones(1)}
    >>> shewhart, cusum = Recursion(0.0, 1.0), Recursion(1.0, 1.0, 0.5)
    >>> mean_run_length(shewhart, direction="both", limit=3.0, **healthy).round(1).tolist()
    [370.4]
    >>> mean_run_length(cusum, direction="rises", limit=5.0, **healthy).round(1).tolist()
    [930.9]
    """
    rate = np.zeros(shift.size)
    for sign in recursion.signs(direction):
        rate += 1.0 / _one_side(recursion, limit, sign * shift, scale)
    lengths: Floats = 1.0 / rate
    return lengths


def _one_side(recursion: Recursion, limit: float, shift: Floats, scale: Floats) -> Floats:
    """Return the mean run lengths of one recursion, shape ``(laws,)``."""
    centre = recursion.gain * shift - recursion.drift
    width = recursion.gain * scale
    if recursion.keep == 0.0:
        alarm: Floats = ndtr((centre - limit) / width)
        if not recursion.reflected:
            alarm = alarm + ndtr((-centre - limit) / width)
        return 1.0 / np.maximum(alarm, 1.0 / LONGEST)
    low = 0.0 if recursion.reflected else -limit
    half = (limit - low) / 2.0
    nodes = low + half * (_LEGENDRE_NODES + 1.0)
    # The last state is 0, where every run begins.
    states = np.append(nodes, 0.0)
    mean = recursion.keep * states + centre[:, None]
    gaps = (nodes - mean[:, :, None]) / width[:, None, None]
    moves = np.zeros((shift.size, states.size, states.size))
    densities = np.exp(-0.5 * gaps**2) / np.sqrt(2.0 * np.pi) / width[:, None, None]
    moves[:, :, :-1] = half * _LEGENDRE_WEIGHTS * densities
    if recursion.reflected:
        moves[:, :, -1] = ndtr(-mean / width[:, None])
    ones = np.ones((shift.size, states.size, 1))
    lengths = np.linalg.solve(np.eye(states.size) - moves, ones)[:, -1, 0]
    # Beyond the longest run, rounding errors can make the solution negative.
    lengths[~((lengths >= 1.0) & (lengths < LONGEST))] = LONGEST
    return np.asarray(lengths, dtype=np.float64)


WIDEST = 2.0
"""A baseline is too short if its limit exceeds that for known parameters this many times."""

_HERMITE_NODES, _HERMITE_WEIGHTS = roots_hermitenorm(15)
_HERMITE_WEIGHTS = _HERMITE_WEIGHTS / _HERMITE_WEIGHTS.sum()
_BISECTIONS = 16
# Beyond, the probability is negligible, or the limit is many times the known one.
_DEVIATIONS, _LARGEST_LOG_SCALE = 8.0, math.log(8.0)
_MOST_READINGS = 1 << 30


@lru_cache(maxsize=256)
def known_limit(recursion: Recursion, *, direction: str, run_length: float) -> float:
    """Return the limit for a stated mean run length if mean and deviation are known.

    Examples
    --------
    >>> round(known_limit(Recursion(0.0, 1.0), direction="both", run_length=370.398), 4)
    3.0
    """
    from scipy.optimize import brentq

    def excess(limit: float) -> float:
        law = {"shift": np.zeros(1), "scale": np.ones(1)}
        length = mean_run_length(recursion, direction=direction, limit=limit, **law)[0]
        return math.log(length / run_length)

    high = 1.0
    while excess(high) < 0.0:
        high *= 1.5
    return float(brentq(excess, 1e-6, high, xtol=1e-8))


@lru_cache(maxsize=256)
def adjusted_limit(
    recursion: Recursion, *, direction: str, run_length: float, readings: int, confidence: float
) -> float | None:
    """Return the limit for a baseline of `readings` readings.

    Parameters
    ----------
    recursion, direction
        Recursion and direction of the chart.
    run_length
        Smallest mean number of readings up to a false alarm.
    readings
        Number of readings in the baseline, at least 2.
    confidence
        Share of baselines for which the run length holds, from 0.5 to below 1.

    Returns
    -------
    The limit; None if it would exceed `WIDEST` times that for known parameters.

    Examples
    --------
    >>> design = {"direction": "both", "run_length": 370.4, "confidence": 0.95}
    >>> limits = [adjusted_limit(Recursion(0.0, 1.0), readings=n, **design) for n in (500, 30, 5)]
    >>> [limit and round(limit, 2) for limit in limits]
    [3.17, 3.9, None]
    """
    from scipy.optimize import brentq

    known = known_limit(recursion, direction=direction, run_length=run_length)

    def lead(limit: float) -> float:
        return _coverage(recursion, direction, run_length, readings, limit) - confidence

    if lead(WIDEST * known) < 0.0:
        return None
    if lead(known) >= 0.0:
        return known
    return float(brentq(lead, known, WIDEST * known, xtol=1e-5))


def readings_needed(
    recursion: Recursion, *, direction: str, run_length: float, confidence: float
) -> int:
    """Return the number of readings in the shortest baseline that has a limit.

    Examples
    --------
    >>> design = {"direction": "both", "run_length": 370.4, "confidence": 0.95}
    >>> readings_needed(Recursion(0.0, 1.0), **design)
    8
    """
    widest = WIDEST * known_limit(recursion, direction=direction, run_length=run_length)

    def enough(readings: int) -> bool:
        return _coverage(recursion, direction, run_length, readings, widest) >= confidence

    high = 2
    while not enough(high) and high < _MOST_READINGS:
        high *= 2
    return bisect_left(range(high), x=True, lo=high // 2 + 1, key=enough)


def _coverage(
    recursion: Recursion, direction: str, run_length: float, readings: int, limit: float
) -> float:
    """Return the share of baselines for which the run length is at least the stated one."""
    freedom = readings - 1
    reach = min(_DEVIATIONS / math.sqrt(2.0 * freedom), _LARGEST_LOG_SCALE)
    low, high = np.full(_HERMITE_NODES.size, -reach), np.full(_HERMITE_NODES.size, reach)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        scale = np.exp(middle)
        shift = _HERMITE_NODES * scale / math.sqrt(readings)
        lengths = mean_run_length(
            recursion, direction=direction, limit=limit, shift=shift, scale=scale
        )
        holds = lengths >= run_length
        low, high = np.where(holds, middle, low), np.where(holds, high, middle)
    # The deviation is not underestimated by more than the factor found.
    return float(_HERMITE_WEIGHTS @ gammaincc(freedom / 2.0, freedom * np.exp(-2.0 * low) / 2.0))
