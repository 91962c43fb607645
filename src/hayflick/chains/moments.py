"""Count, mean and scatter of numbers: the mergeable statistic of a Gaussian.

References
----------
Chan, Golub, LeVeque, *Updating Formulae and a Pairwise Algorithm for Computing Sample
Variances*, COMPSTAT 1982.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hayflick.core.arrays import Floats


@dataclass(frozen=True, eq=False)
class Moments:
    """Items, weight, mean and scatter of every replicate's numbers.

    Parameters
    ----------
    items
        How many numbers there are, shape ``(replicates,)``.
    weight
        Their total weight, shape ``(replicates,)``.
    mean
        Weighted mean, in the data's units.
    scatter
        Weighted sum of squared distances from the mean.
    """

    items: NDArray[np.int64]
    weight: Floats
    mean: Floats
    scatter: Floats

    @classmethod
    def drawn(
        cls, rng: np.random.Generator, items: NDArray[np.int64], mean: Floats, deviation: Floats
    ) -> Moments:
        """Draw the moments of Gaussian numbers from their own laws, a normal and a χ²."""
        # Means of all replicates first, then scatters: the order of the compiled walk.
        at = mean.astype(np.float64)
        drawn = items > 0
        error = deviation[drawn] / np.sqrt(items[drawn])
        at[drawn] += error * rng.standard_normal(int(drawn.sum()))
        scatter = np.zeros(at.size)
        several = items > 1
        chi = rng.chisquare(items[several] - 1)
        scatter[several] = deviation[several] ** 2 * chi
        return cls(items, items.astype(np.float64), at, scatter)

    @classmethod
    def of_values(cls, values: Floats) -> Moments:
        """Return the moments of numbers, shape ``(replicates, items)``."""
        replicates, items = values.shape
        mean = values.mean(axis=1)
        scatter = ((values - mean[:, None]) ** 2).sum(axis=1)
        return cls(np.full(replicates, items), np.full(replicates, float(items)), mean, scatter)

    def weighted(self, weight: float) -> Moments:
        """Return the same numbers, each of them weighing `weight` times as much."""
        return Moments(self.items, weight * self.weight, self.mean, weight * self.scatter)

    def merge(self, other: Moments) -> Moments:
        """Return the moments of both sets of numbers together."""
        weight = self.weight + other.weight
        gap = other.mean - self.mean
        mean = self.mean + gap * other.weight / weight
        between = gap**2 * self.weight * other.weight / weight
        scatter = self.scatter + other.scatter + between
        return Moments(self.items + other.items, weight, mean, scatter)

    def variance(self, *, ddof: int) -> Floats:
        """Return the variance, whatever the weights add up to."""
        variance: Floats = self.scatter * self.items / self.weight / (self.items - ddof)
        return variance
