"""How many types are kept: the law of a sum of independent events, the Poisson binomial law.

Survivals of different types are nearly independent and negatively dependent, because their counts
add up to the size of the training set. The law of independent events is therefore slightly too
wide: a chance to keep at least so many, fewer than the mean, is not overstated. That all are kept
is overstated a little (.574 against .562 in one exact case).

References
----------
Hong, *On computing the distribution function for the Poisson binomial distribution*, Computational
Statistics & Data Analysis 59 (2013), section 2.2: the sum over characteristic functions. Joag-Dev
& Proschan, *Negative association of random variables*, Annals of Statistics 11 (1983).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from hayflick.core.arrays import Floats

_DEVIATIONS = 12.0
_MOST_CELLS = 1 << 21


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
    law = np.fft.fft(_characteristic(chance, number, first, points)).real / points
    return sure + first, np.clip(law, 0.0, 1.0)


def _characteristic(chance: Floats, number: Floats, first: int, points: int) -> Floats:
    """Return E exp(iω(K - first)) at the Fourier frequencies of a window of `points`."""
    angles = 2.0 * np.pi * np.arange(points) / points
    logs = np.empty(points, np.complex128)
    step = max(1, _MOST_CELLS // max(1, chance.size))
    for start in range(0, points, step):
        part = slice(start, start + step)
        turned = np.expm1(1j * angles[part])
        with np.errstate(divide="ignore"):
            logs[part] = np.log1p(np.multiply.outer(turned, chance)) @ number
    found: Floats = np.exp(logs - 1j * angles * first)
    return found


def chance_to_keep(required: int, *, chances: ArrayLike, numbers: ArrayLike) -> float:
    """Return the probability that at least `required` types are kept.

    Examples
    --------
    >>> round(chance_to_keep(4, chances=[1.0, 0.4588], numbers=[3, 1]), 4)
    0.4588
    """
    first, law = number_kept(chances, numbers)
    place = required - first
    if place <= 0:
        return 1.0
    if place >= law.size:
        return 0.0
    # The smaller tail has the smaller error.
    below, above = float(law[:place].sum()), float(law[place:].sum())
    return min(1.0, above if above <= below else 1.0 - below)
