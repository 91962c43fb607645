"""The Gaussian family in d dimensions: mean vector and covariance.

The scatter of n draws is F A Aᵀ Fᵀ for a factor F of the covariance and Bartlett's
lower triangular A. Covariances are kept as factors with as many columns as their rank:
squaring them would lose what is small. With n ≤ d draws the rank falls to n - 1 at once and
never rises again under replace.

References
----------
Anderson, *An Introduction to Multivariate Statistical Analysis* (2003), section 7.2
(Bartlett's decomposition).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hayflick.chains.degradation import AdditiveNoise
from hayflick.chains.parametric import refuse_reserves, refuse_small_rounds
from hayflick.chains.pools import (
    MOST_KEPT,
    ItemPools,
    MergedPools,
    check_pool,
    subsampled,
)
from hayflick.chains.stages import Grid, Stages
from hayflick.core import checks
from hayflick.core.arrays import Floats
from hayflick.core.errors import ArgumentError
from hayflick.core.protocols import Recorded
from hayflick.core.records import Mix
from hayflick.corpus.tables import read_numbers

_LEAST_EIGENVALUE = 1e-13
MOST_DIMENSIONS = 1000
_TAKES: dict[str, tuple[type, ...]] = {"degradation": (AdditiveNoise,), "rounding": (Grid,)}


@dataclass(frozen=True, eq=False)
class MultivariateGaussian:
    """A mean vector and a covariance, and how they are estimated in every generation.

    Parameters
    ----------
    mean
        Of the real data, shape ``(d,)``, in their units.
    covariance
        Of the real data, shape ``(d, d)``, positive definite.
    total
        Number of real items; None for a law that is known.
    ddof
        The covariance is the scatter over n - ddof: 1 is unbiased, 0 maximum likelihood.
    names
        Of the dimensions.

    Raises
    ------
    ArgumentError
        If shapes do not fit, or the covariance is not positive definite.

    Examples
    --------
    >>> from hayflick.simulation.simulate import simulate
    >>> plane = MultivariateGaussian(np.zeros(2), np.eye(2))
    >>> runs = simulate(plane, samples=12, generations=5, replicates=32, seed=1)
    >>> int(runs["rank"].min())
    2
    """

    mean: Floats
    covariance: Floats
    total: int | None = None
    ddof: int = 1
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        mean, covariance = np.array(self.mean, float), np.array(self.covariance, float)
        if mean.size > MOST_DIMENSIONS:
            takes = f"at most {MOST_DIMENSIONS} dimensions"
            raise ArgumentError("mean", got=f"{mean.size} of them", takes=takes)
        if mean.ndim != 1 or covariance.shape != (mean.size, mean.size):
            shapes = f"shapes {mean.shape} and {covariance.shape}"
            raise ArgumentError("mean, covariance", got=shapes, takes="shapes (d,) and (d, d)")
        if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
            raise ArgumentError("mean, covariance", got="NaN or infinity", takes="finite numbers")
        if not np.allclose(covariance, covariance.T, rtol=1e-9, atol=0.0):
            raise ArgumentError("covariance", got="an asymmetric matrix", takes="a symmetric one")
        if self.ddof not in (0, 1):
            raise ArgumentError("ddof", got=self.ddof, takes="0 or 1")
        _check_rank(covariance)
        for array in (mean, covariance):
            array.setflags(write=False)
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "covariance", covariance)
        object.__setattr__(self, "names", self.names or tuple(map(str, range(mean.size))))
        _ = self.factor

    @property
    def factor(self) -> Floats:
        """Lower triangular F with F Fᵀ the covariance, shape ``(d, d)``."""
        factor: Floats = np.linalg.cholesky(self.covariance).astype(np.float64)
        return factor

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        *,
        columns: Sequence[str],
        encoding: str = "utf-8",
        ddof: int = 1,
    ) -> MultivariateGaussian:
        """Return the law fitted to columns of numbers.

        Parameters and errors are those of `hayflick.corpus.tables.read_numbers`.
        """
        read = read_numbers(path, columns=columns, encoding=encoding)
        covariance = np.atleast_2d(np.cov(read.values, rowvar=False, ddof=ddof))
        mean = read.values.mean(axis=0)
        return cls(mean, covariance, total=len(read.values), ddof=ddof, names=read.columns)

    def training_size(self, samples: int | None) -> int:
        """Return `samples`, or the size of the real data where it is None."""
        return checks.training_size(samples, total=self.total, at_least=2)

    def chain(self, samples: int, *, stages: Stages = Stages()) -> MultivariateGaussianChain:
        """Return the family in motion at training sets of `samples` items."""
        return MultivariateGaussianChain(self, self.training_size(samples), stages)

    def describe(self) -> dict[str, Any]:
        """Return the parameters that make the model again, ready for JSON."""
        return {
            "family": "multivariate-gaussian",
            "mean": self.mean.tolist(),
            "covariance": self.covariance.tolist(),
            "ddof": self.ddof,
            "total": self.total,
        }


class Vectors(NamedTuple):
    """Means ``(replicates, d)`` and factors ``(replicates, d, rank)`` of scatter or covariance."""

    items: int
    mean: Floats
    factor: Floats


@dataclass(frozen=True, eq=False)
class MultivariateGaussianChain:
    """The family in motion; see `hayflick.core.protocols.Chain`."""

    model: MultivariateGaussian
    samples: int
    stages: Stages

    def __post_init__(self) -> None:
        self.stages.check("multivariate-gaussian", _TAKES)

    def check(self, mixes: Sequence[Mix[Any]]) -> None:
        """Refuse stored items, and rounds too small.

        Raises
        ------
        ArgumentError
            If a mix has some, or is.
        """
        refuse_reserves(mixes, "multivariate-gaussian")
        refuse_small_rounds(mixes, "multivariate-gaussian", at_least=2)

    def start(self, replicates: int) -> Vectors:
        """Return copies of the model fitted to the real data."""
        mean, factor = self._rounded(self.model.mean, self.model.factor)
        copies = (np.repeat(array[None], replicates, axis=0) for array in (mean, factor))
        return Vectors(self.samples, *copies)

    def generate(self, rng: np.random.Generator, population: Vectors, draws: int) -> Vectors:
        """Draw mean and scatter of `draws` vectors."""
        factor = population.factor
        if isinstance(self.stages.degradation, AdditiveNoise):
            noise = self.stages.degradation.deviation * np.eye(self.model.mean.size)
            factor = _triangular(np.concatenate([factor, _like(noise, factor)], axis=2))
        return _drawn(rng, population.mean, factor, draws)

    def mix(self, rng: np.random.Generator, pool: Vectors, mix: Mix[Any]) -> Vectors:
        """Add fresh draws from the real law."""
        if not mix.fresh:
            return pool
        mean = np.repeat(self.model.mean[None], len(pool.mean), axis=0)
        factor = np.repeat(self.model.factor[None], len(pool.mean), axis=0)
        return _merged(pool, _drawn(rng, mean, factor, mix.fresh))

    def pools(self, mixes: Sequence[Mix[Any]]) -> MergedPools[Vectors] | ItemPools[Vectors]:
        """Return how the moments of all rounds are kept; a law's real data are drawn.

        Raises
        ------
        ArgumentError
            If items would have to be drawn from too many.
        """
        if not subsampled(mixes):
            return MergedPools(self._data, _merged)
        dimensions = self.model.mean.size
        check_pool(mixes, real=self.model.total or self.samples, most=MOST_KEPT // dimensions)
        return ItemPools(self._data, _vectors, _moments)

    def _data(self, rng: np.random.Generator, replicates: int) -> Vectors:
        model, total = self.model, self.model.total
        mean, factor = (
            np.repeat(part[None], replicates, axis=0) for part in (model.mean, model.factor)
        )
        if total is None or total <= model.mean.size:
            return _drawn(rng, mean, factor, self.samples)
        # The moments that θ_0 was fitted to.
        return Vectors(total, mean, factor * np.sqrt(total - model.ddof))

    def estimate(self, pool: Vectors) -> Vectors:
        """Return mean and factor of the covariance; rounding acts on the factor's entries."""
        factor = pool.factor / np.sqrt(pool.items - self.model.ddof)
        return Vectors(pool.items, *self._rounded(pool.mean, factor))

    def _rounded(self, mean: Floats, factor: Floats) -> tuple[Floats, Floats]:
        grid = self.stages.rounding
        if grid is None:
            return mean, factor
        unit = float(np.sqrt(np.diag(self.model.covariance).max()))
        return grid.rounded(mean, unit=unit), grid.rounded(factor, unit=unit)

    def measure(self, population: Vectors) -> Recorded:
        """Return the log of the generalised variance, the rank and the mean's distance.

        The log is of det Σ over that of the real data; -inf where the rank has fallen.
        """
        dimensions, columns = population.factor.shape[1:]
        log = np.full(len(population.mean), -np.inf)
        if columns == dimensions:
            diagonal = np.abs(np.diagonal(population.factor, axis1=1, axis2=2))
            with np.errstate(divide="ignore"):
                log = 2.0 * np.log(diagonal).sum(axis=1)
        rank = np.full(len(population.mean), columns)
        if self.stages.rounding is not None:
            rank = np.linalg.matrix_rank(population.factor)
        start = 2.0 * np.log(np.diag(self.model.factor)).sum()
        distance = np.linalg.solve(self.model.factor, (population.mean - self.model.mean).T)
        return {
            "log_variance_ratio": log - start,
            "rank": rank,
            "mean_distance": np.linalg.norm(distance, axis=0),
        }

    def measure_last(self, population: Vectors) -> Recorded:  # noqa: ARG002
        """Return nothing beyond what every generation leaves behind."""
        return {}

    def coordinates(self) -> dict[str, tuple[str, NDArray[Any]]]:
        """Return no further dimension."""
        return {}

    def describe(self) -> dict[str, Any]:
        """Return the parameters that make the chain again, ready for JSON."""
        return {**self.model.describe(), "samples": self.samples, **self.stages.describe()}


def _check_rank(covariance: Floats) -> None:
    """Refuse dimensions that others determine, which rounding hides from a decomposition."""
    variances = np.diag(covariance)
    if (variances > 0.0).all():
        deviations = np.sqrt(variances)
        correlation = covariance / np.outer(deviations, deviations)
        if np.linalg.eigvalsh(correlation).min() > _LEAST_EIGENVALUE * variances.size:
            return
    takes = "a positive definite matrix"
    remedy = "leave out columns that others determine, and have more rows than columns"
    raise ArgumentError("covariance", got="a singular matrix", takes=takes, remedy=remedy)


def _like(matrix: Floats, block: Floats) -> Floats:
    return np.broadcast_to(matrix, (len(block), *matrix.shape))


def _drawn(rng: np.random.Generator, mean: Floats, factor: Floats, draws: int) -> Vectors:
    """Draw mean and scatter; the scatter's rank is at most draws - 1."""
    replicates, _, rank = factor.shape
    if draws == 0:
        return Vectors(0, mean, factor[..., :0])
    spread = rng.standard_normal((replicates, rank, 1)) / np.sqrt(draws)
    new_mean = mean + (factor @ spread)[..., 0]
    if draws <= rank:
        columns = rng.standard_normal((replicates, rank, draws - 1))
        return Vectors(draws, new_mean, factor @ columns)
    return Vectors(draws, new_mean, factor @ _bartlett(rng, replicates, rank, draws - 1))


def _bartlett(rng: np.random.Generator, replicates: int, rank: int, freedom: int) -> Floats:
    """Draw lower triangular factors of the scatter of standard normal vectors."""
    factor = np.zeros((replicates, rank, rank))
    place = np.arange(rank)
    factor[:, place, place] = np.sqrt(rng.chisquare(freedom - place, (replicates, rank)))
    below = np.tril_indices(rank, -1)
    factor[:, below[0], below[1]] = rng.standard_normal((replicates, below[0].size))
    return factor


def _merged(one: Vectors, other: Vectors) -> Vectors:
    """Return mean and scatter of both sets of draws together, by Chan's formula."""
    if one.items == 0:
        return other
    items = one.items + other.items
    gap = other.mean - one.mean
    mean = one.mean + gap * (other.items / items)
    between = gap[..., None] * np.sqrt(one.items * other.items / items)
    columns = np.concatenate([one.factor, other.factor, between], axis=2)
    few = columns.shape[2] < columns.shape[1]
    return Vectors(items, mean, columns if few else _triangular(columns))


def _triangular(columns: Floats) -> Floats:
    """Return the lower triangular factor of the same product, shape ``(…, d, d)``."""
    upper = np.linalg.qr(np.swapaxes(columns, 1, 2), mode="r")
    lower: Floats = np.swapaxes(upper, 1, 2)
    return lower


def _vectors(rng: np.random.Generator, pool: Vectors) -> Floats:
    """Draw vectors given their mean and scatter, shape ``(replicates, items, d)``.

    The directions from the mean are independent of both: columns that are orthonormal to one
    another and to 1, uniformly.
    """
    replicates, _, rank = pool.factor.shape
    noise = rng.standard_normal((replicates, pool.items, rank))
    directions, upper = np.linalg.qr(noise - noise.mean(axis=1, keepdims=True))
    directions *= np.sign(np.diagonal(upper, axis1=1, axis2=2))[:, None, :]
    vectors: Floats = pool.mean[:, None, :] + directions @ np.swapaxes(pool.factor, 1, 2)
    return vectors


def _moments(vectors: Floats) -> Vectors:
    """Return mean and scatter of vectors, shape ``(replicates, items, d)``."""
    items, dimensions = vectors.shape[1:]
    mean = vectors.mean(axis=1)
    factor = _triangular(np.swapaxes(vectors - mean[:, None, :], 1, 2))
    # One direction among few vectors is the mean's.
    return Vectors(items, mean, factor[..., : min(items - 1, dimensions)])
