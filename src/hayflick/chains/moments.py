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
    weight
        Total weight of the numbers, shape ``(replicates,)``.
    squares
        Sum of their squared weights; with weights of 1 both are how many there are.
    mean
        Weighted mean, in the data's units.
    scatter
        Weighted sum of squared distances from the mean.
    """

    weight: Floats
    squares: Floats
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
        number = items.astype(np.float64)
        return cls(number, number, at, scatter)

    @classmethod
    def of_values(cls, values: Floats) -> Moments:
        """Return the moments of numbers, shape ``(replicates, items)``."""
        replicates, items = values.shape
        number = np.full(replicates, float(items))
        if items == 0:
            return cls(number, number, np.zeros(replicates), np.zeros(replicates))
        mean = values.mean(axis=1)
        scatter = ((values - mean[:, None]) ** 2).sum(axis=1)
        return cls(number, number, mean, scatter)

    @staticmethod
    def values(rng: np.random.Generator, moments: Moments) -> Floats:
        """Draw unweighted Gaussian numbers given their moments, shape ``(replicates, items)``.

        Their direction from the mean is independent of mean and scatter, and uniform.
        """
        noise = rng.standard_normal((moments.mean.size, int(moments.weight[0])))
        noise -= noise.mean(axis=1, keepdims=True)
        length = np.sqrt((noise**2).sum(axis=1))
        scale = np.divide(
            np.sqrt(moments.scatter), length, out=np.zeros_like(length), where=length > 0
        )
        values: Floats = moments.mean[:, None] + scale[:, None] * noise
        return values

    def weighted(self, weight: float) -> Moments:
        """Return the same numbers, each of them weighing `weight` times as much."""
        squares = weight**2 * self.squares
        return Moments(weight * self.weight, squares, self.mean, weight * self.scatter)

    def merge(self, other: Moments) -> Moments:
        """Return the moments of both sets of numbers together."""
        weight = self.weight + other.weight
        # Two empty sets have no mean; any will do.
        share = np.divide(other.weight, weight, out=np.zeros_like(weight), where=weight > 0.0)
        gap = other.mean - self.mean
        mean = self.mean + gap * share
        scatter = self.scatter + other.scatter + gap**2 * self.weight * share
        return Moments(weight, self.squares + other.squares, mean, scatter)

    def variance(self, *, ddof: int) -> Floats:
        """Return the variance; with ddof = 1 unbiased, whatever the weights."""
        variance: Floats = self.scatter / (self.weight - ddof * self.squares / self.weight)
        return variance
