"""What a forecast measures in simulated runs, how it is summarised, and which laws give it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hayflick.chains.gaussian_resampler import GaussianResampler
from hayflick.core.arrays import Floats
from hayflick.laws.gaussian_moments import fresh_moments
from hayflick.laws.gaussian_scale import gaussian_scale
from hayflick.laws.poisson import poisson_law

if TYPE_CHECKING:
    import xarray


class BandPoint(NamedTuple):
    """A band at one generation."""

    middle: float
    low: float | None
    high: float | None


@dataclass(frozen=True, eq=False)
class Band:
    """A quantity over the generations.

    Parameters
    ----------
    middle
        The median, or the value itself where it does not vary; shape ``(K + 1,)``.
    low, high
        The 5 and 95 % quantiles, of the same shape; None where it does not vary.
    """

    middle: Floats
    low: Floats | None = None
    high: Floats | None = None

    def at(self, generation: int) -> BandPoint:
        """Return the band at one generation."""
        low, high = (None if q is None else float(q[generation]) for q in (self.low, self.high))
        return BandPoint(float(self.middle[generation]), low, high)

    def repeated(self, generations: int) -> Band:
        """Return generation 0, then generation 1 in every round."""
        places = np.minimum(np.arange(generations + 1), 1)
        low, high = (None if q is None else q[places] for q in (self.low, self.high))
        return Band(self.middle[places], low, high)


def quantiles(values: Floats) -> Band:
    """Return median, 5 and 95 % quantile of runs, from shape ``(replicate, K + 1)``.

    Examples
    --------
    >>> quantiles(np.array([[1.0, 4.0], [1.0, 2.0], [1.0, 3.0]])).at(1).middle
    3.0
    """
    low, middle, high = np.quantile(values, (0.05, 0.5, 0.95), axis=0)
    return Band(middle, low, high)


def mean(values: Floats) -> Band:
    """Return the mean of runs; of zeros and ones it is a share."""
    return Band(values.mean(axis=0))


def root_mean_square(values: Floats) -> Band:
    """Return the root of the mean square of runs."""
    return Band(np.sqrt(np.square(values).mean(axis=0)))


@dataclass(frozen=True)
class Quantity:
    """A number that is measured in every run and generation.

    Parameters
    ----------
    name
        Its identifier in records.
    of_runs
        Returns its values, shape ``(replicate, K + 1)``, from what `simulate` returns.
    summary
        Returns the band of such values.
    is_share
        Whether it is a share, shown in percent.
    needs_law
        Whether it is left out where no law gives it.
    """

    name: str
    of_runs: Callable[[xarray.Dataset], Floats]
    summary: Callable[[Floats], Band] = quantiles
    is_share: bool = True
    needs_law: bool = False


def variable(name: str) -> Callable[[xarray.Dataset], Floats]:
    """Return a function that reads a variable of runs."""

    def read(runs: xarray.Dataset) -> Floats:
        values: Floats = runs[name].to_numpy().astype(np.float64)
        return values

    return read


def rate_laws(*, samples: int, fresh: int, generations: int, rate: float) -> Mapping[str, Band]:
    """Return the exact laws by quantity: the chance, with fresh data or without.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.
    """
    law = poisson_law(rate, samples=samples, fresh=fresh, generations=generations)
    return {"chance": Band(law.present)}


def is_alive(runs: xarray.Dataset) -> Floats:
    """Return 1 where the rate of a run is above 0, else 0; shape ``(replicate, K + 1)``."""
    return (runs["rate"].to_numpy() > 0.0).astype(np.float64)


def has_events(runs: xarray.Dataset) -> Floats:
    """Return 1 where the mean of a run is above 0, else 0; shape ``(replicate, K + 1)``."""
    return (runs["mean"].to_numpy() > 0.0).astype(np.float64)


def spread_laws(
    *,
    samples: int,
    fresh: int,
    generations: int,
    ddof: int,
    dimensions: int = 1,
    resampler: GaussianResampler | None = None,
) -> Mapping[str, Band]:
    """Return the exact laws by quantity.

    Medians and quantiles (``spread``) are known without fresh data, and where all is fresh;
    the root mean square is known with any fresh data, in one dimension and for ddof = 1. Of a
    resampler whose parameters vary between runs only the rounds of fresh data alone are known.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> spread_laws(samples=10, fresh=0, generations=41, ddof=1)["spread"].at(41).middle < 0.1
    True
    """
    laws: dict[str, Band] = {}
    if fresh == samples:
        # Every round repeats the first, whatever the trainer.
        resampler = None
    elif resampler is not None and not resampler.known:
        return laws
    if fresh in (0, samples):
        rounds = 1 if fresh else generations
        law = _quantiles(samples, rounds, ddof, dimensions, resampler)
        laws["spread"] = law.repeated(generations) if fresh else law
    if fresh and dimensions == ddof == 1:
        moments = fresh_moments(samples, fresh=fresh, generations=generations, resampler=resampler)
        laws["root_mean_square"] = Band(np.sqrt(moments.variance))
    return laws


def _quantiles(
    samples: int, generations: int, ddof: int, dimensions: int, resampler: GaussianResampler | None
) -> Band:
    law = gaussian_scale(
        samples, generations=generations, dimensions=dimensions, ddof=ddof, resampler=resampler
    )
    low, middle, high = (
        np.exp(law.quantile(level) / (2 * dimensions)) for level in (0.05, 0.5, 0.95)
    )
    return Band(middle, low, high)


def spread_of_one(runs: xarray.Dataset, *, deviation: float) -> Floats:
    """Return the spread of runs of a Gaussian, shape ``(replicate, K + 1)``."""
    spread: Floats = runs["deviation"].to_numpy() / deviation
    return spread


def spread_of_counts(runs: xarray.Dataset, *, deviation: float) -> Floats:
    """Return the spread of runs of a negative binomial law, shape ``(replicate, K + 1)``."""
    mean, dispersion = runs["mean"].to_numpy(), runs["dispersion"].to_numpy()
    spread: Floats = np.sqrt(mean + dispersion * mean**2) / deviation
    return spread


def spread_of_several(runs: xarray.Dataset, *, dimensions: int) -> Floats:
    """Return the spread of runs of a multivariate Gaussian, shape ``(replicate, K + 1)``.

    It is 0 once the first round's items do not span all dimensions.
    """
    spread: Floats = np.exp(runs["log_variance_ratio"].to_numpy() / (2 * dimensions))
    # Rounding errors leave a small volume where there is none.
    flat = runs["rank"].to_numpy()[:, 1] < dimensions
    spread[flat, 1:] = 0.0
    return spread
