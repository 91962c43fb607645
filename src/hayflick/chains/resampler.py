"""The resampler of a trained model: how the next training set follows from the counts of the last.

An ideal resampler draws from the observed frequencies. A trained model sharpens or flattens them,
brings back what was absent, and adds noise of its own. With c_i for the counts of one training
set, those of the next one are negative binomial and independent given their means:

    N'_i = NB(mean A w(c_i) / Σ_j w(c_j), size ρ(max(c_i, 1))),   w(c) = c^b (c ≥ 1), w(0) = ν,
    ρ(c) = e^s c^u

b = 1, ν = 0 and ρ → ∞ is the ideal resampler, in its Poisson form.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.checks import number_between
from hayflick.core.errors import ArgumentError

PARAMETERS = ("sharpening", "log_size", "size_power", "return_weight")
"""The parameters in the order of the rows of a covariance."""


@final
@dataclass(frozen=True, slots=True)
class Resampler:
    """How a trained model draws its next training set from the counts of the last one.

    It takes the place of the estimator of `hayflick.Discrete`. The default is the ideal resampler.

    Parameters
    ----------
    sharpening
        b, above 0: above 1 the frequent gain (as by a temperature of 1/b), below 1 the rare.
    log_size
        s, the logarithm of the size of the negative binomial law at one occurrence; infinite for
        draws without noise of the trainer's own.
    size_power
        u, the power of the count by which that size grows.
    return_weight
        ν, from 0: the weight of an absent symbol, where one that occurs once has weight 1.
    covariance
        Of the four parameters between runs, in the order of `PARAMETERS`, shape ``(4, 4)``: every
        simulated run draws its own. None where they are known.

    Raises
    ------
    ArgumentError
        If a parameter is out of its range, or `covariance` is no covariance.

    Examples
    --------
    >>> trainer = Resampler(sharpening=1.1, log_size=1.25, size_power=0.5)
    >>> round(trainer.effective_share(10.0), 2)
    0.52
    >>> Resampler().ideal
    True
    """

    sharpening: float = 1.0
    log_size: float = math.inf
    size_power: float = 0.0
    return_weight: float = 0.0
    covariance: tuple[tuple[float, ...], ...] | None = None

    def __post_init__(self) -> None:
        number_between("sharpening", self.sharpening, low=0.01, high=100.0)
        if self.log_size != math.inf:
            number_between("log_size", self.log_size, low=-50.0, high=50.0)
        number_between("size_power", self.size_power, low=-10.0, high=10.0)
        number_between("return_weight", self.return_weight, low=0.0, high=1e6)
        if self.covariance is None:
            return
        matrix = np.array(self.covariance, dtype=np.float64)
        if (
            matrix.shape != (len(PARAMETERS),) * 2
            or not np.isfinite(matrix).all()
            or not np.allclose(matrix, matrix.T)
            or np.linalg.eigvalsh(matrix).min() < -1e-9 * max(1.0, float(np.abs(matrix).max()))
        ):
            takes = "a symmetric matrix of 4 × 4 numbers without negative eigenvalues"
            raise ArgumentError("covariance", got=matrix.tolist(), takes=takes)

    @property
    def values(self) -> Floats:
        """The four parameters, in the order of `PARAMETERS`."""
        return np.array([self.sharpening, self.log_size, self.size_power, self.return_weight])

    @property
    def ideal(self) -> bool:
        """Whether draws follow the observed frequencies, without noise of the trainer's own."""
        alone = self.covariance is None or not np.any(self.covariance)
        exact = self.sharpening == 1.0 and self.log_size == math.inf and self.return_weight == 0.0
        return exact and alone

    def weights(self, counts: Floats) -> Floats:
        """Return w(c) of counts of any shape: c^b, or the return weight where c is 0."""
        present = counts > 0
        powers = np.power(counts, self.sharpening, out=np.zeros(counts.shape), where=present)
        weights: Floats = np.where(present, powers, self.return_weight)
        return weights

    def sizes(self, counts: Floats) -> Floats:
        """Return ρ(max(c, 1)), the size of the negative binomial law, of counts of any shape."""
        sizes: Floats = np.exp(self.log_size + self.size_power * np.log(np.maximum(counts, 1.0)))
        return sizes

    def effective_share(self, count: float) -> float:
        """Return n_e(c)/n, the relative effective sample size at a count: 1/(1 + c/ρ(c))."""
        return float(1.0 / (1.0 + count / self.sizes(np.array(count, dtype=np.float64))))

    def draw_parameters(self, rng: np.random.Generator, replicates: int) -> Floats:
        """Return the parameters of each replicate, shape ``(4, replicates)``."""
        values: Floats = np.repeat(self.values[:, None], replicates, axis=1)
        if self.covariance is None:
            return values
        matrix = np.array(self.covariance)
        # An infinite size has no error; a sum with it stays infinite.
        values += rng.multivariate_normal(
            np.zeros(len(matrix)), matrix, replicates, method="eigh"
        ).T
        values[0] = np.maximum(values[0], 0.01)
        values[3] = np.maximum(values[3], 0.0)
        return values

    def to_dict(self) -> dict[str, Any]:
        """Return parameters and covariance, ready for JSON; an infinite size is null."""
        values = zip(PARAMETERS, self.values.tolist(), strict=True)
        finite = {name: value if math.isfinite(value) else None for name, value in values}
        covariance = None if self.covariance is None else [list(row) for row in self.covariance]
        return {"parameters": finite, "covariance": covariance}

    def describe(self) -> str:
        """Return the resampler in one line."""
        if self.ideal:
            return "ideal"
        return (
            f"calibrated:sharpening={self.sharpening:.4g},log_size={self.log_size:.4g},"
            f"size_power={self.size_power:.4g},return_weight={self.return_weight:.4g}"
        )
