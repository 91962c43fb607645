"""`early_warning`: when a falling series will reach its limit.

The series is taken to fall exponentially to a floor, x_t = floor + (x_0 - floor) e^{-r t}, with
independent errors of one size. Written by the round τ at which it crosses the limit,

    x_t = limit + drop (e^{-r t} - e^{-r τ}),   floor = limit - drop e^{-r τ},

so for any τ and r the drop follows by least squares, the floor held between `lowest` and the
limit.
The interval is by profile likelihood: all τ whose best fit is not rejected against
the best of all (F test, 1 and n - 3 degrees of freedom). It is asymptotic, as all such intervals
are, and only as good as the assumed shape.

References
----------
Bates & Watts, *Nonlinear Regression Analysis and Its Applications* (1988), sections 2.2
(profiling out linear parameters) and 6.1 (profile intervals).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from hayflick.core.arrays import Floats
from hayflick.core.checks import finite_number, number_between
from hayflick.core.errors import ArgumentError
from hayflick.core.records import Reading
from hayflick.detection.baseline import value_of

_LEAST_READINGS = 6
_PARAMETERS = 3
_RATES, _RATES_NEARBY = 120, 41
_ROUNDS = 600
_LARGEST_LOG = 700.0
_ROUNDING = 1e-12
_FARTHEST_SPANS = 1000.0
"""How far ahead crossings are sought, in multiples of the observed span."""


@dataclass(frozen=True, slots=True)
class Projection:
    """The round at which a series is projected to reach its limit.

    Parameters
    ----------
    round
        The estimate, in rounds, with fractions; None if `reason` says why there is none.
    low, high
        The interval; without a `high`, it is unbounded. If the series levels off above its
        limit, `low` is the first round at which it may still cross, None if it cannot.
    floor
        Fitted floor of the series; None if nothing could be fitted.
    rate
        Fitted rate of the fall, per round; None likewise.
    reason
        Why there is no estimate; empty if there is one.
    """

    round: float | None = None
    low: float | None = None
    high: float | None = None
    floor: float | None = None
    rate: float | None = None
    reason: str = ""


def early_warning(
    readings: Sequence[Reading],
    *,
    metric: str,
    limit: float,
    confidence: float = 0.9,
    lowest: float = 0.0,
) -> Projection:
    """Return when a falling metric will cross its limit.

    Parameters
    ----------
    readings
        The series, in any order; readings without the metric are left out.
    metric
        Name of the metric.
    limit
        The limit, in the metric's units.
    confidence
        Confidence level of the interval, and of the test that the series falls at all; from
        0.5 to 0.999.
    lowest
        Lower bound of the metric.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> falls = [0.3 + 0.5 * 0.9**t + (-0.002 if t % 3 else 0.004) for t in range(12)]
    >>> readings = [Reading(t + 1, {"diversity": x}) for t, x in enumerate(falls)]
    >>> ahead = early_warning(readings, metric="diversity", limit=0.4)
    >>> round(ahead.round, 1), round(ahead.low, 1), round(ahead.high, 1)
    (16.2, 15.5, 17.2)
    >>> early_warning(readings[:3], metric="diversity", limit=0.4).reason
    '3 readings of diversity, takes at least 6'
    """
    limit, lowest = finite_number("limit", limit), finite_number("lowest", lowest)
    confidence = number_between("confidence", confidence, low=0.5, high=0.999)
    if limit <= lowest:
        raise ArgumentError("limit", got=limit, takes=f"a number above lowest, {lowest:g}")
    found = [(one.round, value_of(one, metric=metric)) for one in readings]
    series = sorted((when, value) for when, value in found if value is not None)
    if len({when for when, _ in series}) < _LEAST_READINGS:
        return Projection(
            reason=f"{len(series)} readings of {metric}, takes at least {_LEAST_READINGS}"
        )
    rounds, values = (np.array(column, dtype=np.float64) for column in zip(*series, strict=True))
    fall = _Fall(rounds, values, limit=limit, lowest=lowest)
    return fall.projection(metric, confidence)


class _Fall:
    """Fits of an exponential fall to one series, on a grid of crossings and rates."""

    def __init__(self, rounds: Floats, values: Floats, *, limit: float, lowest: float) -> None:
        self.rounds, self.values = rounds, values
        self.limit, self.lowest = limit, lowest
        span = float(np.ptp(rounds))
        self.rates = np.geomspace(0.01 / span, 20.0 / span, _RATES)

    def projection(self, metric: str, confidence: float) -> Projection:
        """Return the estimated crossing, or why there is none."""
        errors, floor, rate, drop = self._free_fit()
        freedom = self.rounds.size - _PARAMETERS
        flat = float(((self.values - self.values.mean()) ** 2).sum())
        gain = (flat - errors) / 2.0 * freedom
        if drop <= 0.0 or gain <= special.fdtri(2, freedom, confidence) * errors:
            return Projection(reason=f"{metric} shows no fall")
        worst = errors * (1.0 + special.fdtri(1, freedom, confidence) / freedom)
        worst += _ROUNDING * flat
        if floor >= self.limit:
            low, _ = self._interval(worst, ())
            reason = f"{metric} levels off at {floor:.3g}, above its limit"
            return Projection(low=low, floor=floor, rate=rate, reason=reason)
        crossing = float(self.rounds[0] + np.log(drop / (self.limit - floor)) / rate)
        low, high = self._interval(worst, (crossing,))
        return Projection(crossing, low=low, high=high, floor=floor, rate=rate)

    def _interval(
        self, worst: float, among: tuple[float, ...]
    ) -> tuple[float | None, float | None]:
        """Return the first and the last crossing whose squared error is at most `worst`.

        Crossings on a grid are tried, and those `among`.
        """
        crossings = np.sort(np.concatenate([self._grid(), among]))
        profile = np.array([self._least_error(float(crossing)) for crossing in crossings])
        inside = np.flatnonzero(profile <= worst)
        if inside.size == 0:
            return None, None

        def edge(within: int, beyond: int) -> float:
            part = (worst - profile[within]) / (profile[beyond] - profile[within])
            return float(crossings[within] + part * (crossings[beyond] - crossings[within]))

        first, last = int(inside[0]), int(inside[-1])
        low = edge(first, first - 1) if first > 0 else float(crossings[0])
        return low, edge(last, last + 1) if last < crossings.size - 1 else None

    def _free_fit(self) -> tuple[float, float, float, float]:
        """Return squared error, floor, rate and drop of the best fit with a free floor."""
        coarse = min(self._fit(rate) for rate in self.rates)
        step = self.rates[1] / self.rates[0]
        nearby = coarse[2] * np.geomspace(1.0 / step, step, _RATES_NEARBY)
        self.rates = np.concatenate([self.rates, nearby])
        return min(self._fit(rate) for rate in nearby)

    def _fit(self, rate: float) -> tuple[float, float, float, float]:
        shape = np.exp(-rate * (self.rounds - self.rounds[0]))
        design = np.column_stack([np.ones(shape.size), shape])
        floor, drop = np.linalg.lstsq(design, self.values, rcond=None)[0]
        if floor < self.lowest:
            floor = self.lowest
            drop = shape @ (self.values - floor) / (shape @ shape)
        left = self.values - floor - drop * shape
        return float(left @ left), float(floor), float(rate), float(drop)

    def _grid(self) -> Floats:
        first, span = self.rounds[0], np.ptp(self.rounds)
        ahead = np.geomspace(0.01, 1.0 + _FARTHEST_SPANS, _ROUNDS) * span
        return np.concatenate([first - ahead[ahead < span][::-1], first + ahead])

    def _least_error(self, crossing: float) -> float:
        since = crossing - self.rounds[0]
        shape = np.exp(-self.rates[:, None] * (self.rounds - self.rounds[0]))
        shape -= np.exp(-self.rates * since)[:, None]
        gaps = self.values - self.limit
        # The floor lies between the lowest and the limit.
        most = (self.limit - self.lowest) * np.exp(np.minimum(self.rates * since, _LARGEST_LOG))
        drops = np.clip((shape @ gaps) / (shape**2).sum(axis=1), 0.0, most)
        left = gaps - drops[:, None] * shape
        return float((left**2).sum(axis=1).min())
