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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np
import polars as pl
from typing_extensions import override

from hayflick.chains.degradation import AdditiveNoise
from hayflick.chains.family import (
    MOST_KEPT,
    FamilyData,
    ItemPools,
    MergedPools,
    NamedModel,
    NumericChain,
    Rng,
    divisor_estimators,
    subsampled,
)
from hayflick.chains.fit_checks import checked_source, gaussian_checks
from hayflick.chains.stages import Grid, Stages
from hayflick.core.arrays import Floats
from hayflick.core.errors import ArgumentError
from hayflick.core.grammar import Entry, whole
from hayflick.core.protocols import Model, Pools, Recorded
from hayflick.core.records import Mix
from hayflick.core.source import Source
from hayflick.corpus.numbers import read_numbers
from hayflick.corpus.table_format import TableFormat

_LEAST_EIGENVALUE = 1e-13
MOST_DIMENSIONS = 1000


@dataclass(frozen=True, eq=False)
class MultivariateGaussian(NamedModel):
    """A mean vector and a covariance, re-estimated in every generation.

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
    source
        Where the numbers come from; None for a law that was given.

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

    family: ClassVar[str] = "multivariate-gaussian"
    described: ClassVar[tuple[str, ...]] = ("mean", "covariance", "ddof", "total")
    fitted_with: ClassVar[tuple[str, ...] | None] = ()
    smallest_round: ClassVar[int] = 2

    mean: Floats
    covariance: Floats
    total: int | None = None
    ddof: int = 1
    names: tuple[str, ...] = ()
    source: Source | None = field(default=None, repr=False, compare=False)

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
        path: str | os.PathLike[str] | pl.DataFrame,
        *,
        columns: Sequence[str],
        encoding: str = "utf-8",
        table: TableFormat | None = None,
        ddof: int = 1,
    ) -> MultivariateGaussian:
        """Return the law fitted to columns of numbers.

        Parameters and errors are those of `hayflick.corpus.numbers.read_numbers`.
        """
        read = read_numbers(path, columns=columns, given=table, encoding=encoding)
        covariance = np.atleast_2d(np.cov(read.values, rowvar=False, ddof=ddof))
        mean = read.values.mean(axis=0)
        checks = gaussian_checks(read.values, read.columns)
        source = checked_source(path, read, checks, encoding=encoding)
        known: dict[str, Any] = {"ddof": ddof, "names": read.columns, "source": source}
        return cls(mean, covariance, total=len(read.values), **known)

    @classmethod
    @override
    def entry(cls, data: FamilyData) -> Entry[Model]:
        def make(dimensions: str = "2") -> Model:
            if data.path is not None:
                return cls.from_file(
                    data.path, columns=data.columns, encoding=data.encoding, table=data.table
                )
            size = whole("dimensions", dimensions)
            if not 1 <= size <= MOST_DIMENSIONS:
                takes = f"a whole number from 1 to {MOST_DIMENSIONS}"
                raise ArgumentError("dimensions", got=size, takes=takes)
            return cls(np.zeros(size), np.eye(size))

        return Entry(make, (), ("dimensions",))

    @override
    def estimators(self) -> Mapping[str, Entry[Model]]:
        return divisor_estimators(self)

    @override
    def chain(self, samples: int, *, stages: Stages = Stages()) -> MultivariateGaussianChain:
        return MultivariateGaussianChain(self, self.training_size(samples), stages)


class Vectors(NamedTuple):
    """Means ``(replicates, d)`` and factors ``(replicates, d, rank)`` of scatter or covariance."""

    number: int
    mean: Floats
    factor: Floats

    @classmethod
    def drawn(cls, rng: Rng, mean: Floats, factor: Floats, draws: int) -> Vectors:
        """Draw mean and scatter of so many vectors; the scatter's rank is at most draws - 1."""
        replicates, _, rank = factor.shape
        if draws == 0:
            return cls(0, mean, factor[..., :0])
        spread = rng.standard_normal((replicates, rank, 1)) / np.sqrt(draws)
        new_mean = mean + (factor @ spread)[..., 0]
        if draws <= rank:
            columns = rng.standard_normal((replicates, rank, draws - 1))
            return cls(draws, new_mean, factor @ columns)
        return cls(draws, new_mean, factor @ _bartlett(rng, replicates, rank, draws - 1))

    @classmethod
    def of_items(cls, vectors: Floats) -> Vectors:
        """Return mean and scatter of vectors, shape ``(replicates, items, d)``."""
        number, dimensions = vectors.shape[1:]
        mean = vectors.mean(axis=1)
        factor = _triangular(np.swapaxes(vectors - mean[:, None, :], 1, 2))
        # One direction among few vectors is the mean's.
        return cls(number, mean, factor[..., : min(number - 1, dimensions)])

    @property
    def replicates(self) -> int:
        """Number of replicates."""
        return len(self.mean)

    def merge(self, other: Vectors) -> Vectors:
        """Return mean and scatter of both sets of vectors together, by Chan's formula."""
        if self.number == 0:
            return other
        number = self.number + other.number
        gap = other.mean - self.mean
        mean = self.mean + gap * (other.number / number)
        between = gap[..., None] * np.sqrt(self.number * other.number / number)
        columns = np.concatenate([self.factor, other.factor, between], axis=2)
        few = columns.shape[2] < columns.shape[1]
        return Vectors(number, mean, columns if few else _triangular(columns))

    def weighted(self, weight: float) -> Vectors:
        """Return the same vectors: the family takes no weights."""
        assert weight == 1.0
        return self

    def items(self, rng: Rng) -> Floats:
        """Draw vectors given their mean and scatter, shape ``(replicates, items, d)``.

        The directions from the mean are independent of both: columns that are orthonormal to
        one another and to 1, uniformly.
        """
        replicates, _, rank = self.factor.shape
        noise = rng.standard_normal((replicates, self.number, rank))
        directions, upper = np.linalg.qr(noise - noise.mean(axis=1, keepdims=True))
        directions *= np.sign(np.diagonal(upper, axis1=1, axis2=2))[:, None, :]
        vectors: Floats = self.mean[:, None, :] + directions @ np.swapaxes(self.factor, 1, 2)
        return vectors


class MultivariateGaussianChain(NumericChain[Vectors, Vectors]):
    """A mean vector and a covariance re-estimated from their own draws."""

    takes: ClassVar = {"degradation": (AdditiveNoise,), "rounding": (Grid,)}
    model: MultivariateGaussian

    @override
    def start(self, replicates: int) -> Vectors:
        return self._copies(replicates, *self._rounded(self.model.mean, self.model.factor))

    def _copies(self, replicates: int, mean: Floats, factor: Floats) -> Vectors:
        copies = (np.repeat(array[None], replicates, axis=0) for array in (mean, factor))
        return Vectors(self.samples, *copies)

    @override
    def generate(self, rng: Rng, population: Vectors, draws: int) -> Vectors:
        factor = population.factor
        if isinstance(self.stages.degradation, AdditiveNoise):
            noise = self.stages.degradation.deviation * np.eye(self.model.mean.size)
            noises = np.broadcast_to(noise, (len(factor), *noise.shape))
            factor = _triangular(np.concatenate([factor, noises], axis=2))
        return Vectors.drawn(rng, population.mean, factor, draws)

    @override
    def draw_real(self, rng: Rng, replicates: int, items: int) -> Vectors:
        real = self._copies(replicates, self.model.mean, self.model.factor)
        return Vectors.drawn(rng, real.mean, real.factor, items)

    @override
    def real_data(self, replicates: int) -> Vectors | None:
        model = self.model
        if model.total is None or model.total <= model.mean.size:
            return None
        real = self._copies(replicates, model.mean, model.factor)
        return Vectors(model.total, real.mean, real.factor * np.sqrt(model.total - model.ddof))

    def pools(self, mixes: Sequence[Mix[Any]]) -> Pools:
        """Return how the moments of all rounds are kept.

        Raises
        ------
        ArgumentError
            If items would have to be drawn from too many.
        """
        if not subsampled(mixes):
            return MergedPools(self.real_pools)
        self.check_subsamples(mixes, most=MOST_KEPT // self.model.mean.size)
        return ItemPools(self.real_pools, Vectors.items, Vectors.of_items)

    @override
    def estimate(self, pool: Vectors) -> Vectors:
        factor = pool.factor / np.sqrt(pool.number - self.model.ddof)
        return Vectors(pool.number, *self._rounded(pool.mean, factor))

    def _rounded(self, mean: Floats, factor: Floats) -> tuple[Floats, Floats]:
        """Return mean and factor with their entries on the grid."""
        grid = self.stages.rounding
        if grid is None:
            return mean, factor
        unit = float(np.sqrt(np.diag(self.model.covariance).max()))
        return grid.rounded(mean, unit=unit), grid.rounded(factor, unit=unit)

    @override
    def measure(self, population: Vectors) -> Recorded:
        dimensions, columns = population.factor.shape[1:]
        # Of det Σ over that of the real data; -inf where the rank has fallen.
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


def _bartlett(rng: Rng, replicates: int, rank: int, freedom: int) -> Floats:
    """Draw lower triangular factors of the scatter of standard normal vectors."""
    factor = np.zeros((replicates, rank, rank))
    place = np.arange(rank)
    factor[:, place, place] = np.sqrt(rng.chisquare(freedom - place, (replicates, rank)))
    below = np.tril_indices(rank, -1)
    factor[:, below[0], below[1]] = rng.standard_normal((replicates, below[0].size))
    return factor


def _triangular(columns: Floats) -> Floats:
    """Return the lower triangular factor of the same product, shape ``(…, d, d)``."""
    upper = np.linalg.qr(np.swapaxes(columns, 1, 2), mode="r")
    lower: Floats = np.swapaxes(upper, 1, 2)
    return lower
