r"""The exact law of the scale of a Gaussian that is retrained on its own draws.

With n draws a round in d dimensions, and a covariance estimated with divisor n - ddof, the
generalised variance is a product of independent chi-squared variables (Bartlett), so

    ln|S_k| - ln|S_0| = Σ_{rounds} Σ_{i=1..d} ln(χ²_{n-i} / (n - ddof)).

Exact for every n, k and d; the numerical error of a probability is below 1e-10. The law
does not depend on S_0. With n ≤ d draws the first estimate is singular: collapse at once.

References
----------
Anderson, *An Introduction to Multivariate Statistical Analysis* (2003), theorem 7.5.3;
Suresh et al., arXiv:2412.17646, section on Gaussian models, bounds the same law.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import polygamma

from hayflick.core.arrays import Floats
from hayflick.core.checks import (
    MOST_GENERATIONS,
    number_between,
    share,
    whole_number,
)
from hayflick.core.errors import ArgumentError
from hayflick.laws.inversion import Inversion
from hayflick.laws.log_gamma import Numbers, centred_cumulant, log_mean_excess

LARGEST_SAMPLE = 10**9
MOST_DIMENSIONS = 10_000
_SMALLEST_PROBABILITY = 1e-9
_MOST_CELLS = 1 << 22


@dataclass(frozen=True, slots=True)
class GaussianScale:
    """The law of ln(|S_k| / |S_0|) for k = 0 … K; made by `gaussian_scale`.

    Parameters
    ----------
    samples
        Draws per round, n.
    generations
        How many rounds, K.
    dimensions
        d.
    ddof
        What the divisor of the covariance falls short of n by: 0 or 1.
    """

    samples: int
    generations: int
    dimensions: int = 1
    ddof: int = 1
    name: str = "exact"

    @property
    def singular(self) -> bool:
        """Whether n ≤ d, so that the first estimate has no volume."""
        return self.samples <= self.dimensions

    @property
    def drift(self) -> float:
        """Mean change of ln|S| per round, Σ ψ(a_i) - ln((n - ddof)/2); -inf where singular."""
        if self.singular:
            return -np.inf
        shortfalls = (self.ddof - self._losses) / (self.samples - self.ddof)
        excess = sum(log_mean_excess(shape) for shape in self._shapes)
        return float(excess + np.log1p(shortfalls).sum())

    @property
    def variance(self) -> float:
        """Variance of the change of ln|S| per round, Σ ψ'(a_i); nan where singular."""
        return np.nan if self.singular else float(polygamma(1, self._shapes).sum())

    def survival(self, log_ratio: ArrayLike) -> Floats:
        """Return Pr(ln(|S_k| / |S_0|) > `log_ratio`), the chance of not having collapsed.

        Parameters
        ----------
        log_ratio
            Thresholds. For a standard deviation Σ in one dimension and a limit ε this is
            2 ln(ε/Σ_0); infinities are taken.

        Returns
        -------
        Probabilities by generation 0 … K, shape ``(K + 1,)`` for one threshold and
        ``(len(log_ratio), K + 1)`` for an array; absolute error below 1e-10.

        Raises
        ------
        ArgumentError
            If a threshold is nan, or they have more than one dimension.

        Examples
        --------
        >>> law = gaussian_scale(10, generations=200)
        >>> law.survival(2 * np.log(0.1))[[0, 21, 51, 101]].round(4).tolist()
        [1.0, 0.8312, 0.3644, 0.0791]
        """
        x = _thresholds(log_ratio)
        upper = np.zeros((x.size, self.generations + 1))
        upper[:, 0] = x.ravel() < 0.0
        if not self.singular:
            for rounds, block in self._blocks():
                size = max(1, _MOST_CELLS // block.nodes.size)
                for first in range(0, x.size, size):
                    rows = slice(first, first + size)
                    shifted = x.ravel()[rows, None] - self.drift * rounds
                    upper[rows, rounds] = block.above(shifted)
        return upper.reshape(*x.shape, self.generations + 1)

    def quantile(self, probability: float) -> Floats:
        """Return the quantile of ln(|S_k| / |S_0|) by generation, shape ``(K + 1,)``.

        Parameters
        ----------
        probability
            Chance of lying at or below the quantile, from 1e-9 to 1 - 1e-9.

        Returns
        -------
        Quantiles: 0 at generation 0, -inf from the first round on where n ≤ d.

        Raises
        ------
        ArgumentError
            If `probability` is out of its range.

        Examples
        --------
        >>> gaussian_scale(10, generations=3).quantile(0.5).round(4).tolist()
        [0.0, -0.0758, -0.1901, -0.305]
        """
        low = _SMALLEST_PROBABILITY
        level = number_between("probability", probability, low=low, high=1.0 - low)
        quantiles = np.full(self.generations + 1, -np.inf)
        quantiles[0] = 0.0
        if not self.singular:
            for rounds, block in self._blocks():
                quantiles[rounds] = block.quantile(level) + self.drift * rounds
        return quantiles

    def collapse_time(self, log_ratio: float, *, probability: float = 0.5) -> int | None:
        """Return the first k with Pr(not collapsed) ≤ `probability`; None beyond K.

        With the default, the first generation whose median is at or below the threshold.

        Parameters
        ----------
        log_ratio
            Threshold of ln(|S_k| / |S_0|).
        probability
            The chance of not having collapsed, from 0 to 1.

        Raises
        ------
        ArgumentError
            If `log_ratio` is nan or `probability` is out of its range.

        Examples
        --------
        >>> gaussian_scale(10, generations=200).collapse_time(2 * np.log(0.1))
        41
        """
        level = share("probability", probability)
        reached = np.flatnonzero(self.survival(float(log_ratio)) <= level)
        return int(reached[0]) if reached.size else None

    @property
    def _losses(self) -> Floats:
        return np.arange(1.0, self.dimensions + 1.0)

    @property
    def _shapes(self) -> Floats:
        return (self.samples - self._losses) / 2.0

    def _blocks(self) -> Iterator[tuple[NDArray[np.intp], Inversion]]:
        """Yield generations and the laws of ln(|S_k| / |S_0|) less its mean."""

        def cumulant(argument: Numbers) -> Numbers:
            total = np.zeros_like(argument)
            for shape in self._shapes:
                total = total + centred_cumulant(float(shape), argument)
            return total

        first = 1
        deviation, lowest = float(np.sqrt(self.variance)), -float(self._shapes[-1])
        for block in Inversion.blocks(
            cumulant, generations=self.generations, deviation=deviation, lowest=lowest
        ):
            yield np.arange(first, first + block.low.size), block
            first += block.low.size


def gaussian_scale(
    samples: int, *, generations: int, dimensions: int = 1, ddof: int = 1
) -> GaussianScale:
    """Return the exact law of the generalised variance under replace.

    Parameters
    ----------
    samples
        Draws per round, n, at least 2.
    generations
        How many rounds, K.
    dimensions
        d. With n ≤ d the first round already collapses.
    ddof
        What the divisor of the covariance falls short of n by: 1 for the unbiased
        estimate, 0 for maximum likelihood.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> law = gaussian_scale(12, generations=20, dimensions=3)
    >>> law.survival([-12, -9, -6])[:, 20].round(4).tolist()
    [0.4863, 0.1943, 0.0442]

    References
    ----------
    Anderson, *An Introduction to Multivariate Statistical Analysis* (2003), theorem 7.5.3.
    """
    return GaussianScale(
        samples=whole_number("samples", samples, at_least=2, at_most=LARGEST_SAMPLE),
        generations=whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS),
        dimensions=whole_number("dimensions", dimensions, at_least=1, at_most=MOST_DIMENSIONS),
        ddof=whole_number("ddof", ddof, at_least=0, at_most=1),
    )


def _thresholds(log_ratio: ArrayLike) -> Floats:
    x = np.asarray(log_ratio, dtype=np.float64)
    if np.isnan(x).any() or x.ndim > 1:
        takes = "numbers, or infinities, in no more than one dimension"
        raise ArgumentError("log_ratio", got=log_ratio, takes=takes)
    return x
