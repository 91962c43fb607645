"""Whether the rounds of a baseline depend on one another: tests for a trend and for memory.

What charts promise holds for rounds that are exchangeable: any order is as likely as any other.
Two tests look for an order, each of which finds one by chance in one healthy baseline of twenty:

- *trend*: Mann-Kendall. S is the number of pairs of readings that rise less the number that fall;
  its law is exact up to 30 readings that all differ, else normal with the correction for ties.
  The test is two-sided: a baseline that rises is no more exchangeable than one that falls.
- *autocorrelation*: the lag-1 coefficient against that of 999 random orders of the same readings
  (with a fixed seed), or above 200 readings against its normal approximation. One-sided:
  readings that alternate make false alarms rarer.

Of independent normal readings each test finds 5 % of baselines. Autocorrelation of .5 (normal
autoregressive readings) is found in 32 % of baselines of 10 readings, 63 % of 20 and 82 % of 30.
Each number of a stream is tested by itself: a rate shared by five numbers would find 60 % at 30.

References
----------
Mann, *Nonparametric tests against trend*, Econometrica 13 (1945). Moran, *Some theorems on time
series II*, Biometrika 35 (1948): the moments of the lag-1 coefficient of random orders.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from hayflick.core.arrays import Floats
from hayflick.core.notes import Note, translatable
from hayflick.core.reproducibility import stream

CHANCE = 0.05
"""The share of healthy baselines in which a test finds something."""

_SEEN = ((5, 10, 20, 30, 50), (0.11, 0.32, 0.63, 0.82, 0.96))
"""The share of baselines, by readings, of which an autocorrelation of .5 is found."""

_LEAST = 5
_MOST_EXACT = 30
_ORDERS, _MOST_ORDERED = 999, 200
_SEED = 1


@dataclass(frozen=True, slots=True)
class DependenceTests:
    """What the readings of a baseline say of their dependence on one another.

    Parameters
    ----------
    readings
        Number of readings.
    tau
        Kendall's tau-a with the order of the rounds: negative where the readings fall. NaN for
        fewer than two.
    trend
        p-value of the trend, two-sided; NaN for fewer than five readings, or if none differ.
    autocorrelation
        The lag-1 coefficient; NaN for fewer than three readings, or if none differ.
    memory
        p-value of a coefficient as large; NaN as for `trend`.

    Examples
    --------
    >>> falling = dependence_tests(np.array([9.0, 8.5, 8.6, 8.1, 7.9, 7.0, 7.2, 6.8, 6.1, 6.0]))
    >>> falling.falls, falling.rises, round(falling.tau, 2), round(falling.trend, 5)
    (True, False, -0.91, 3e-05)
    >>> falling.notes("words")[0].values["p"]
    '3e-05'
    """

    readings: int
    tau: float
    trend: float
    autocorrelation: float
    memory: float

    @property
    def falls(self) -> bool:
        """Whether the readings fall from round to round."""
        return self.trend <= CHANCE and self.tau < 0.0

    @property
    def rises(self) -> bool:
        """Whether the readings rise from round to round."""
        return self.trend <= CHANCE and self.tau > 0.0

    @property
    def is_autocorrelated(self) -> bool:
        """Whether neighbouring readings are alike."""
        return self.memory <= CHANCE

    @property
    def found(self) -> bool:
        """Whether any test has found something."""
        return self.falls or self.rises or self.is_autocorrelated

    @property
    def was_possible(self) -> bool:
        """Whether there were enough readings that differ."""
        return not math.isnan(self.trend)

    def notes(self, subject: str) -> tuple[Note, ...]:
        """Return what was found, in sentences.

        Parameters
        ----------
        subject
            Name of the number.
        """
        found = []
        if self.falls:
            message = translatable(
                "{metric} falls already in the baseline (trend, p = {p}): the stream may be losing"
                " from its first round on, and the alarm comes late"
            )
            found.append(Note(message, metric=subject, p=f"{self.trend:.2g}"))
        if self.rises:
            message = translatable(
                "{metric} rises in the baseline (trend, p = {p}): the rate of false alarms is not"
                " the promised one"
            )
            found.append(Note(message, metric=subject, p=f"{self.trend:.2g}"))
        if self.is_autocorrelated:
            message = translatable(
                "{metric}: rounds of the baseline follow one another (autocorrelation {r}, p ="
                " {p}): false alarms can be more frequent than promised"
            )
            shown = {"r": f"{self.autocorrelation:.2f}", "p": f"{self.memory:.2g}"}
            found.append(Note(message, metric=subject, **shown))
        return tuple(found)


def share_seen(readings: int) -> float:
    """Return the share of baselines of which an autocorrelation of .5 is found, as measured.

    Examples
    --------
    >>> share_seen(10), share_seen(30)
    (0.32, 0.82)
    """
    return float(np.interp(readings, *_SEEN))


def dependence_tests(series: Floats) -> DependenceTests:
    """Return the tests of a baseline's readings, in the order of the rounds."""
    numbers = np.asarray(series, dtype=np.float64)
    enough = numbers.size >= _LEAST and np.ptp(numbers) > 0.0
    rising = _rising(numbers)
    pairs = numbers.size * (numbers.size - 1) // 2
    coefficient = lag_one(numbers)
    return DependenceTests(
        readings=numbers.size,
        tau=rising / pairs if pairs else math.nan,
        trend=_trend_chance(numbers, rising) if enough else math.nan,
        autocorrelation=coefficient,
        memory=_memory_chance(numbers, coefficient) if enough else math.nan,
    )


def lag_one(series: Floats) -> float:
    """Return the lag-1 autocorrelation; NaN for fewer than three numbers, or if none differ."""
    if series.size < 3 or np.ptp(series) == 0.0:
        return math.nan
    gaps = series - series.mean()
    return float(gaps[1:] @ gaps[:-1]) / float(gaps @ gaps)


def _rising(series: Floats) -> int:
    """Return the number of pairs that rise less the number that fall."""
    return int(sum(np.sign(series[place + 1 :] - one).sum() for place, one in enumerate(series)))


def _trend_chance(series: Floats, rising: int) -> float:
    """Return the probability of a trend as clear in random orders, in either direction."""
    readings = series.size
    ties = np.unique(series, return_counts=True)[1]
    if ties.max() == 1 and readings <= _MOST_EXACT:
        # Of all pairs, (pairs - S) / 2 fall.
        pairs = readings * (readings - 1) // 2
        return min(1.0, 2.0 * float(_inversions(readings)[: (pairs - abs(rising)) // 2 + 1].sum()))
    variance = sum(_spread_of(size) * sign for size, sign in [(readings, 1), *_each(ties)]) / 18.0
    gap = max(0, abs(rising) - 1) / math.sqrt(variance)
    return float(2.0 * special.ndtr(-gap))


def _each(ties: NDArray[Any]) -> list[tuple[int, int]]:
    return [(int(size), -1) for size in ties]


def _spread_of(size: int) -> int:
    return size * (size - 1) * (2 * size + 5)


@cache
def _inversions(readings: int) -> Floats:
    """Return the probabilities of each number of inversions in a random order."""
    law = np.ones(1)
    for size in range(2, readings + 1):
        law = np.convolve(law, np.full(size, 1.0 / size))
    return law


def _memory_chance(series: Floats, coefficient: float) -> float:
    """Return the probability of a lag-1 coefficient as large in random orders."""
    readings = series.size
    if readings > _MOST_ORDERED:
        deviation = (readings - 2) / (readings * math.sqrt(readings - 1))
        return float(special.ndtr(-(coefficient + 1.0 / readings) / deviation))
    gaps = (series - series.mean())[_orders(readings)]
    coefficients = (gaps[:, 1:] * gaps[:, :-1]).sum(axis=1) / float((gaps[0] ** 2).sum())
    # Sums in another order differ in their last bits.
    larger = int((coefficients >= coefficient - 1e-12).sum())
    return (1 + larger) / (1 + _ORDERS)


@cache
def _orders(readings: int) -> NDArray[np.int64]:
    """Return random orders, shape ``(orders, readings)``."""
    rng = stream(_SEED, block=readings)
    return rng.permuted(np.tile(np.arange(readings), (_ORDERS, 1)), axis=1)
