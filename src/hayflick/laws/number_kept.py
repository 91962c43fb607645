"""How many types are kept: the law of a sum of independent events, the Poisson binomial law.

Survivals of different types are nearly independent and negatively dependent, because their counts
add up to the size of the training set. The law of independent events is therefore slightly too
wide: a chance to keep at least so many, fewer than the mean, is not overstated. A chance to keep
more than the mean is (that all are kept: .210 against .150 for ten equal labels); a bound by the
chances that so many are lost together is never above it.

References
----------
Hong, *On computing the distribution function for the Poisson binomial distribution*, Computational
Statistics & Data Analysis 59 (2013), section 2.2: the sum over characteristic functions; section
2.3: the refined normal approximation, after Volkova, Theory of Probability & Its Applications 40
(1996). Joag-Dev & Proschan, *Negative association of random variables*, Annals of Statistics 11
(1983).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import comb, ndtr

from hayflick.core.arrays import Floats

_DEVIATIONS = 12.0
_MOST_CELLS = 1 << 21

# From this standard deviation on, the normal law with its skewness is off by less than 1e-4.
_NORMAL = 12.0


def number_kept(chances: ArrayLike, numbers: ArrayLike) -> tuple[int, Floats]:
    """Return the law of the number of types that are kept, where it is not negligible.

    Parameters
    ----------
    chances
        Chance of a type of each group to be kept, shape ``(groups,)``.
    numbers
        Whole number of types of each group, shape ``(groups,)``.

    Returns
    -------
    first, law
        The probabilities of the numbers first, first + 1, ….

    Examples
    --------
    >>> first, law = number_kept([0.5, 1.0], [2, 3])
    >>> first, law.round(2).tolist()
    (3, [0.25, 0.5, 0.25])
    """
    chance = np.clip(np.asarray(chances, dtype=np.float64), 0.0, 1.0)
    number = np.asarray(numbers, dtype=np.float64)
    sure = int(number[chance >= 1.0].sum())
    open_ = (chance > 0.0) & (chance < 1.0) & (number > 0.0)
    chance, number = chance[open_], number[open_]
    most = int(number.sum())
    mean, variance = float(number @ chance), float(number @ (chance * (1.0 - chance)))
    reach = _DEVIATIONS * math.sqrt(variance) + _DEVIATIONS**2
    first, last = max(0, int(mean - reach)), min(most, int(mean + reach) + 1)
    points = last - first + 1
    law = np.fft.hfft(_characteristic(chance, number, first, points), points) / points
    return sure + first, np.clip(law, 0.0, 1.0)


def _characteristic(
    chance: Floats, number: Floats, first: int, points: int
) -> NDArray[np.complex128]:
    """Return E exp(iω(K - first)) at the Fourier frequencies of a window of `points`.

    Those from 0 to π alone: at the others it is the conjugate. Logarithms of real numbers take a
    fraction of the time of complex ones.
    """
    angles = 2.0 * np.pi * np.arange(points // 2 + 1) / points
    logs, turns = np.empty(angles.size), np.empty(angles.size)
    spread = 4.0 * chance * (1.0 - chance)
    step = max(1, _MOST_CELLS // max(1, chance.size))
    for start in range(0, angles.size, step):
        part = slice(start, start + step)
        sines, cosines = np.sin(angles[part]), np.cos(angles[part])
        # The squared length of 1 - p + p exp(iω) is 1 - 4p(1 - p) sin²(ω/2).
        lost = np.multiply.outer(np.sin(0.5 * angles[part]) ** 2, spread)
        with np.errstate(divide="ignore"):
            logs[part] = 0.5 * np.log1p(-lost) @ number
        real = 1.0 + np.multiply.outer(cosines - 1.0, chance)
        turns[part] = np.arctan2(np.multiply.outer(sines, chance), real) @ number
    found: NDArray[np.complex128] = np.exp(logs) * np.exp(1j * (turns - angles * first))
    return found


def chance_to_keep(required: int, *, chances: ArrayLike, numbers: ArrayLike) -> float:
    """Return the probability that at least `required` types are kept.

    Examples
    --------
    >>> round(chance_to_keep(4, chances=[1.0, 0.4588], numbers=[3, 1]), 4)
    0.4588
    """
    chance = np.clip(np.asarray(chances, dtype=np.float64), 0.0, 1.0)
    number = np.asarray(numbers, dtype=np.float64)
    each = chance * (1.0 - chance)
    deviation = math.sqrt(float(number @ each))
    if deviation >= _NORMAL:
        skewness = float(number @ (each * (1.0 - 2.0 * chance))) / deviation**3
        below = (required - 0.5 - float(number @ chance)) / deviation
        density = math.exp(-0.5 * below**2) / math.sqrt(2.0 * math.pi)
        correction = skewness * (1.0 - below**2) * density / 6.0
        return min(1.0, max(0.0, float(ndtr(-below)) - correction))
    first, law = number_kept(chance, number)
    place = required - first
    if place <= 0:
        return 1.0
    if place >= law.size:
        return 0.0
    # The smaller tail has the smaller error.
    below, above = float(law[:place].sum()), float(law[place:].sum())
    return min(1.0, above if above <= below else 1.0 - below)


_MOST_LOST = 200


def least_chance_to_keep(required: int, *, chances: ArrayLike, numbers: ArrayLike) -> float:
    """Return a lower bound of the probability that at least `required` types are kept.

    Up to the mean it is the law of independent events. Above, that more than t of negatively
    dependent types are lost is at most as likely as the sum of the products of all t + 1 of their
    chances, an elementary symmetric polynomial.

    Examples
    --------
    >>> ten = {"chances": [0.855], "numbers": [10]}
    >>> round(least_chance_to_keep(9, **ten), 3), round(chance_to_keep(9, **ten), 3)
    (0.054, 0.563)
    >>> round(least_chance_to_keep(8, **ten), 3), round(chance_to_keep(8, **ten), 3)
    (0.833, 0.833)
    """
    chance = np.clip(np.asarray(chances, dtype=np.float64), 0.0, 1.0)
    number = np.asarray(numbers, dtype=np.float64)
    if required <= float(number @ chance):
        return chance_to_keep(required, chances=chance, numbers=number)
    allowed = round(float(number.sum())) - required
    if allowed < 0 or allowed > _MOST_LOST:
        return 0.0
    orders = np.arange(allowed + 2)
    sums = np.zeros(orders.size)
    sums[0] = 1.0
    for lost, types in zip(1.0 - chance, number, strict=True):
        own = comb(types, orders) * lost**orders
        sums = np.convolve(sums, own)[: orders.size]
    return max(0.0, 1.0 - float(sums[-1]))
