"""The resampler of a trainer of numbers: how the next numbers' mean and variance follow.

An ideal resampler draws n independent numbers from the Gaussian law fitted to the last training
set. A trained model adds scatter of its own and narrows or widens. With mean m and variance s² of
one training set of n numbers, q numbers of the next one are generated, and theirs are

    m' = m + √(g s²/q_e) Z,   s'² = g s² χ²_{q_e - 1}/(q_e - 1),   1/q_e = 1/q + (1/e - 1)/n

e = 1, g = 1 is the ideal resampler with the unbiased variance. Where all are generated and rounds
have one size, q = n, q_e is the effective sample size n_e = e n. Else 1/q is the scatter of
drawing, and the rest that of training, which more draws do not lessen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.checks import number_between
from hayflick.core.errors import ArgumentError

FEWEST_EFFECTIVE = 2.0
"""Effective items below which there is no variance to speak of."""


@final
@dataclass(frozen=True, slots=True)
class GaussianResampler:
    """How a trained model of numbers draws its next training set from the last one.

    It takes the place of the divisor of `hayflick.Gaussian`. The default is the ideal resampler.

    Parameters
    ----------
    effective_share
        e, the effective sample size as a share of the training set's size, above 0. Below 1 the
        mean and the variance vary from round to round as those of fewer numbers would.
    variance_factor
        g, the expected factor of the variance from one training set to the next, above 0: (n - 1)/n
        for maximum likelihood, above 1 for a trainer that smooths, below 1 for one that sharpens.
    covariance
        Of ln e and ln g between runs, shape ``(2, 2)``: every simulated run draws its own. None
        where they are known.

    Raises
    ------
    ArgumentError
        If a parameter is out of its range, or `covariance` is no covariance.

    Examples
    --------
    >>> trainer = GaussianResampler(effective_share=0.5, variance_factor=0.99)
    >>> trainer.effective_size(1000)
    500.0
    >>> GaussianResampler().ideal
    True
    """

    effective_share: float = 1.0
    variance_factor: float = 1.0
    covariance: tuple[tuple[float, ...], ...] | None = None

    def __post_init__(self) -> None:
        number_between("effective_share", self.effective_share, low=1e-9, high=1e9)
        number_between("variance_factor", self.variance_factor, low=1e-6, high=1e6)
        if self.covariance is None:
            return
        matrix = np.array(self.covariance, dtype=np.float64)
        if (
            matrix.shape != (2, 2)
            or not np.isfinite(matrix).all()
            or not np.allclose(matrix, matrix.T)
            or np.linalg.eigvalsh(matrix).min() < -1e-9 * max(1.0, float(np.abs(matrix).max()))
        ):
            takes = "a symmetric matrix of 2 × 2 numbers without negative eigenvalues"
            raise ArgumentError("covariance", got=matrix.tolist(), takes=takes)

    @property
    def known(self) -> bool:
        """Whether all runs have the same parameters."""
        return self.covariance is None or not np.any(self.covariance)

    @property
    def ideal(self) -> bool:
        """Whether numbers are drawn from the fitted law, with the unbiased variance."""
        return self.known and self.effective_share == 1.0 and self.variance_factor == 1.0

    def effective_size(self, samples: int) -> float:
        """Return n_e of a training set of that many numbers, all generated."""
        return self.effective_share * samples

    @property
    def values(self) -> Floats:
        """The logarithms of e and g."""
        return np.log([self.effective_share, self.variance_factor])

    @property
    def factor(self) -> Floats:
        """Lower triangular F with F Fᵀ the covariance, shape ``(2, 2)``; zeros where known."""
        if self.covariance is None:
            return np.zeros((2, 2))
        (first, both), (_, second) = self.covariance
        root = max(first, 0.0) ** 0.5
        below = both / root if root else 0.0
        return np.array([[root, 0.0], [below, max(second - below**2, 0.0) ** 0.5]])

    def check(self, samples: int) -> None:
        """Refuse training sets that are too small to have a variance.

        Raises
        ------
        ArgumentError
            If they have fewer than two effective items.
        """
        if self.effective_size(samples) < FEWEST_EFFECTIVE:
            least = int(np.ceil(FEWEST_EFFECTIVE / self.effective_share))
            takes = f"at least {least:,}, which have two effective items for this trainer"
            raise ArgumentError("samples", got=samples, takes=takes)

    def describe(self) -> str:
        """Return the resampler in one line."""
        if self.ideal:
            return "ideal"
        return (
            f"calibrated:effective_share={self.effective_share:.4g},"
            f"variance_factor={self.variance_factor:.4g}"
        )


def effective_draws(generated: Floats, trained_on: Floats, share: Floats) -> Floats:
    """Return q_e, the effective number of generated items, at least 2.

    Parameters
    ----------
    generated
        Items that were generated, q, above 0.
    trained_on
        Items of the training set of the model that generates them, n, of a shape that fits.
    share
        e, likewise.
    """
    # Of an e above 1 only the scatter of drawing can be less: it stays above 0.
    over = np.where(share > 1.0, np.maximum(trained_on, generated), trained_on)
    draws: Floats = 1.0 / (1.0 / generated + (1.0 / share - 1.0) / over)
    return np.maximum(draws, FEWEST_EFFECTIVE)
