"""The mean run length of a control chart on independent normal readings.

All charts here are one recursion on standardised readings z,

    v ← keep v + gain z - drift,

from v = 0, either *reflected* (never below 0, alarm at v ≥ limit) or *plain* (alarm at
|v| ≥ limit). Shewhart: keep = 0. EWMA of weight w: keep = 1 - w, gain = √(w (2 - w)), so that
v is in standard deviations of its own stationary law. CUSUM: keep = gain = 1, drift half
the shift that is looked for. With z ~ N(shift, scale²) the mean run length solves

    A(u) = 1 + Pr(v ≤ 0 | u) A(0) + ∫ A(v) p(v | u) dv

(the atom at 0 where it is reflected), by Gauss-Legendre quadrature with 64 nodes; Shewhart's is
in closed form. Two reflected charts, one up and one down, alarm at the rate of both
together, which is exact for CUSUM and Shewhart charts.

References
----------
Page, *Continuous inspection schemes*, Biometrika 41 (1954). Crowder, *A simple method for
studying run-length distributions of EWMA charts*, Technometrics 29 (1987). Van Dobben de
Bruyn, *Cumulative Sum Tests* (1968), on two sides together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from hayflick.core.arrays import Floats

LONGEST = 1e12
"""Run lengths are told apart up to here: beyond, the equations are ill-conditioned."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)


@dataclass(frozen=True, slots=True)
class Recursion:
    """How a chart's statistic moves; the module states the formula.

    Parameters
    ----------
    keep, gain, drift
        Of the formula: what stays of the statistic, what a reading adds, what is taken off.
    reflected
        Whether the statistic never falls below 0; else both its sides count.
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
    """Return the mean number of readings up to and with the alarm.

    Parameters
    ----------
    recursion
        Of the chart.
    direction
        ``falls``, ``rises`` or ``both``.
    limit
        Of its statistic, above 0.
    shift, scale
        Mean and standard deviation of the standardised readings, shape ``(laws,)``.

    Returns
    -------
    Mean run lengths, shape ``(laws,)``, 1e12 where they are longer than that.

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
    nodes = low + half * (_NODES + 1.0)
    # The last state is 0 itself: where every run begins.
    states = np.append(nodes, 0.0)
    mean = recursion.keep * states + centre[:, None]
    gaps = (nodes - mean[:, :, None]) / width[:, None, None]
    moves = np.zeros((shift.size, states.size, states.size))
    densities = np.exp(-0.5 * gaps**2) / np.sqrt(2.0 * np.pi) / width[:, None, None]
    moves[:, :, :-1] = half * _WEIGHTS * densities
    if recursion.reflected:
        moves[:, :, -1] = ndtr(-mean / width[:, None])
    ones = np.ones((shift.size, states.size, 1))
    lengths = np.linalg.solve(np.eye(states.size) - moves, ones)[:, -1, 0]
    # Rounding can carry a run beyond the longest below 0.
    lengths[~((lengths >= 1.0) & (lengths < LONGEST))] = LONGEST
    return np.asarray(lengths, dtype=np.float64)
