"""The negative binomial family: mean and dispersion of an overdispersed count.

A count is a Poisson draw whose rate is itself a gamma draw: with mean μ and dispersion α its
variance is μ + α μ². A generation draws n counts and fits both by maximum likelihood, for which
their histogram is sufficient and nothing less is: the sum of the counts is negative binomial
itself, and gives the mean alone. The histogram is drawn from its own law, a multinomial over
the counts 0, 1, 2, …; where the counts are fewer than its cells, as gamma-Poisson draws.

A sample whose variance (divisor n) is not above its mean has its maximum at the dispersion 0,
which is the Poisson law. That is not absorbing, as about every second sample of a Poisson law has
a larger variance. A sample of zeros alone has mean 0 and dispersion 0, and that is absorbing.

References
----------
Levin, Reeds, *Compound multinomial likelihood functions are unimodal*, Annals of Statistics 5
(1977) 79-87: the maximum is unique. Hilbe, *Negative Binomial Regression*, 2nd edition (2011),
chapter 8, on the parameters ("NB2").
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import betainc, gammainc, psi
from typing_extensions import override

from hayflick.chains.family import (
    MOST_COUNTED,
    FamilyData,
    MergedPools,
    NamedModel,
    ParametricChain,
    Rng,
    marginal_draws,
    subsampled,
)
from hayflick.chains.fit_checks import checked_source, dispersion_checks
from hayflick.chains.poisson import read_event_counts
from hayflick.chains.stages import Grid, Stages
from hayflick.core import checks
from hayflick.core.arrays import Floats
from hayflick.core.errors import ArgumentError
from hayflick.core.grammar import Entry, number
from hayflick.core.protocols import Model, Pools
from hayflick.core.records import Mix
from hayflick.core.source import Source
from hayflick.corpus.table_format import TableFormat

_STEPS = 60
_PRECISION = 1e-11
# Below this α m is nothing beside 1: the law is Poisson, to the last digits that can be told.
_POISSON = 1e-9
# From here on ψ by its asymptotic series is exact to 1e-13.
_SERIES = 30.0


def fitted_dispersion(counts: Floats, weights: Floats) -> Floats:
    """Return the dispersion of every histogram; 0 where its variance is not above its mean.

    Parameters
    ----------
    counts
        The counts of the cells, shape ``(replicates, cells)`` or ``(1, cells)``.
    weights
        Weight of the items of each count, shape ``(replicates, cells)``.

    Returns
    -------
    Shape ``(replicates,)``.

    Examples
    --------
    >>> counts, weights = np.arange(4.0)[None], np.array([[6.0, 2.0, 1.0, 1.0]])
    >>> fitted_dispersion(counts, weights).round(3).tolist()
    [0.942]
    """
    total = weights.sum(axis=1)
    shares = weights / total[:, None]
    mean = (counts * shares).sum(axis=1)
    variance = ((counts - mean[:, None]) ** 2 * shares).sum(axis=1)
    dispersion: Floats = np.zeros_like(mean)
    # Beyond rounding: a variance that is the mean to the last digits is the mean.
    over = variance > mean * (1.0 + 1e-12)
    if over.any():
        own = counts if len(counts) == 1 else counts[over]
        moments = (variance[over] - mean[over]) / mean[over] ** 2
        dispersion[over] = _zero(own, shares[over], mean[over], moments)
    return dispersion


def _zero(counts: Floats, shares: Floats, mean: Floats, start: Floats) -> Floats:
    """Return the zero of the slope along log α, by Ridders' method between ends around it."""

    def slope(logarithm: Floats) -> Floats:
        alpha = np.exp(logarithm)
        likelihood: Floats = (shares * _harmonic(counts, alpha)).sum(axis=1)
        return likelihood - np.log1p(alpha * mean) / alpha

    low, high = np.log(start) - 1.0, np.log(start) + 1.0
    low_slope, high_slope = slope(low), slope(high)
    floor = np.log(_POISSON / mean)
    for _ in range(_STEPS):
        too_high, too_low = (low_slope >= 0.0) & (low > floor), high_slope <= 0.0
        if not (too_high.any() or too_low.any()):
            break
        low, high = np.where(too_high, low - 2.0, low), np.where(too_low, high + 2.0, high)
        low_slope, high_slope = slope(low), slope(high)
    found = low
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        value = slope(middle)
        root = np.sqrt(value**2 - low_slope * high_slope)
        step = np.divide(value, root, out=np.zeros_like(value), where=root > 0.0)
        better = middle - (middle - low) * step * np.sign(high_slope - low_slope)
        better_value = slope(better)
        # The closest two of the four points, with the zero between them.
        for point, at in ((middle, value), (better, better_value)):
            below = at < 0.0
            inside = (point > low) & (point < high)
            lower, upper = below & inside, ~below & inside
            low, low_slope = np.where(lower, point, low), np.where(lower, at, low_slope)
            high, high_slope = np.where(upper, point, high), np.where(upper, at, high_slope)
        moved, found = np.abs(better - found), better
        if (np.minimum(moved, high - low) < _PRECISION).all():
            break
    return np.where(low <= floor, 0.0, np.exp(found))


def _harmonic(counts: Floats, alpha: Floats) -> Floats:
    """Return Σ_{j<x} 1 / (1 + α j) for every count x, shape ``(replicates, cells)``."""
    cells = counts.shape[1]
    alpha = alpha[:, None]
    if len(counts) == 1 and counts[0, -1] == cells - 1.0:
        terms = 1.0 / (1.0 + alpha * counts)
        return np.cumsum(terms, axis=1) - terms
    shape = 1.0 / alpha
    total: Floats = shape * np.where(
        shape > _SERIES,
        _psi_series_difference(counts, np.maximum(shape, _SERIES)),
        psi(counts + shape) - psi(shape),
    )
    return total


def _psi_series_difference(counts: Floats, shape: Floats) -> Floats:
    """Return ψ(x + r) - ψ(r) for a large r, without the digits that cancel."""
    far = counts + shape
    near, difference = 1.0 / shape, np.log1p(counts / shape)
    near2, far2 = near**2, 1.0 / far**2
    difference -= (1.0 / far - near) / 2.0 + (far2 - near2) / 12.0
    difference += (far2**2 - near2**2) / 120.0 - (far2**3 - near2**3) / 252.0
    result: Floats = difference
    return result


_MOST_CELLS = 100_000
# No count in 10^13 lies beyond the support of a histogram; all that do are in its last cell.
_TAIL = 1e-13
# Poisson draws are whole numbers of 64 bits.
_LARGEST_RATE = 1e18


class CountHistogram(NamedTuple):
    """How many items have which count, for every replicate.

    Parameters
    ----------
    values
        The counts, shape ``(replicates, cells)`` and increasing; None for 0, 1, 2, …
    weights
        Weight of the items of each count, of the same shape; 0 in cells that are not used.
    """

    values: Floats | None
    weights: Floats

    @classmethod
    def drawn(cls, rng: Rng, draws: int, mean: Floats, dispersion: Floats) -> CountHistogram:
        """Draw `draws` counts from every law.

        Parameters
        ----------
        rng
            The block's stream.
        draws
            Counts per replicate.
        mean, dispersion
            Of every replicate, shape ``(replicates,)``.
        """
        cells = support(mean, dispersion)
        if draws >= cells:
            chances = probabilities(mean, dispersion, cells)
            return cls(None, rng.multinomial(draws, chances).astype(np.float64))
        varied = dispersion > 0.0
        shape = 1.0 / np.where(varied, dispersion, 1.0)
        rates = rng.gamma(shape[:, None], (mean / shape)[:, None], (mean.size, draws))
        rates = np.where(varied[:, None], rates, mean[:, None])
        items = rng.poisson(np.minimum(rates, _LARGEST_RATE)).astype(np.float64)
        return cls.of_items(items)

    @classmethod
    def of_items(cls, items: Floats) -> CountHistogram:
        """Return the histogram of counts, shape ``(replicates, items)``."""
        return cls._joined(items, np.ones_like(items))

    @classmethod
    def _joined(cls, values: Floats, weights: Floats) -> CountHistogram:
        """Return a histogram in which every count has one cell."""
        order = np.argsort(values, axis=1, kind="stable")
        values = np.take_along_axis(values, order, axis=1)
        weights = np.take_along_axis(weights, order, axis=1)
        replicates = len(values)
        cell = np.zeros(values.shape, np.int64)
        cell[:, 1:] = np.cumsum(values[:, 1:] != values[:, :-1], axis=1)
        cells = int(cell.max(initial=0)) + 1
        place = (cell + cells * np.arange(replicates)[:, None]).ravel()
        summed: Floats = np.bincount(place, weights.ravel(), replicates * cells).astype(np.float64)
        # Cells that are not used repeat the largest count, so that counts increase.
        kept = np.repeat(values.max(axis=1, initial=0.0)[:, None], cells, axis=1)
        kept.ravel()[place] = values.ravel()
        return cls(kept, summed.reshape(replicates, cells))

    @property
    def replicates(self) -> int:
        """Number of replicates."""
        return len(self.weights)

    @property
    def counts(self) -> Floats:
        """The counts of the cells, shape ``(replicates, cells)`` or ``(1, cells)``."""
        if self.values is not None:
            return self.values
        return np.arange(self.weights.shape[1], dtype=np.float64)[None]

    def merge(self, other: CountHistogram) -> CountHistogram:
        """Return the histogram of both."""
        if self.values is None and other.values is None:
            few, many = sorted((self.weights, other.weights), key=lambda one: one.shape[1])
            weights = many.copy()
            weights[:, : few.shape[1]] += few
            return CountHistogram(None, weights)
        both = [
            (np.broadcast_to(one.counts, one.weights.shape), one.weights) for one in (self, other)
        ]
        values, weights = (np.concatenate(parts, axis=1) for parts in zip(*both, strict=True))
        return self._joined(values, weights)

    def weighted(self, weight: float) -> CountHistogram:
        """Return the same items, each of them weighing `weight` times as much."""
        return CountHistogram(self.values, weight * self.weights)

    def subsample(self, rng: Rng, items: int) -> CountHistogram:
        """Draw `items` items without replacement from every replicate."""
        drawn = marginal_draws(rng, np.round(self.weights).astype(np.int64), items)
        return CountHistogram(self.values, drawn.astype(np.float64))


def support(mean: Floats, dispersion: Floats) -> int:
    """Return the cells that a histogram of the laws needs: all counts but 1 in 10^13.

    Examples
    --------
    >>> support(np.array([1.0]), np.array([0.0])), support(np.array([1.0]), np.array([1.0]))
    (16, 44)
    """
    deviation = np.sqrt(mean + dispersion * mean**2)
    high = np.ceil(mean + 8.0 * deviation) + 8.0
    low = np.zeros_like(high)
    for _ in range(64):
        beyond = _beyond(high, mean, dispersion) > _TAIL
        if not beyond.any():
            break
        low, high = np.where(beyond, high, low), np.where(beyond, 2.0 * high, high)
    # Histograms are cut to what they need.
    while (high - low > 0.02 * high + 1.0).any():
        middle = np.ceil((low + high) / 2.0)
        beyond = _beyond(middle, mean, dispersion) > _TAIL
        low, high = np.where(beyond, middle, low), np.where(beyond, high, middle)
    return int(high.max(initial=0.0)) + 1


def _beyond(count: Floats, mean: Floats, dispersion: Floats) -> Floats:
    """Return the chance of a count above `count`."""
    spread = dispersion * mean
    varied = dispersion > 0.0
    shape = 1.0 / np.where(varied, dispersion, 1.0)
    chance = betainc(count + 1.0, shape, spread / (1.0 + spread))
    tail: Floats = np.where(varied, chance, gammainc(count + 1.0, mean))
    return tail


def probabilities(mean: Floats, dispersion: Floats, cells: int) -> Floats:
    """Return the chances of the counts 0 … cells - 1, what lies beyond in the last one.

    Parameters
    ----------
    mean, dispersion
        Of every law, shape ``(laws,)``.
    cells
        As returned by `support`.

    Returns
    -------
    Shape ``(laws, cells)``.

    Examples
    --------
    >>> probabilities(np.array([2.0]), np.array([0.5]), 3).round(4).tolist()
    [[0.25, 0.25, 0.5]]
    """
    mean, dispersion = mean[:, None], dispersion[:, None]
    below = np.arange(cells - 1.0)[None]
    spread = dispersion * mean
    varied = dispersion > 0.0
    none = -np.where(varied, np.log1p(spread) / np.where(varied, dispersion, 1.0), mean)
    # Each chance over the one before it: the same words for the Poisson law.
    with np.errstate(divide="ignore"):
        ratios = np.log(mean * (1.0 + dispersion * below)) - np.log((1.0 + spread) * (below + 1.0))
    logarithms = np.concatenate([none, none + np.cumsum(ratios, axis=1)], axis=1)
    chances = np.exp(logarithms)
    chances[:, -1] = 0.0
    chances[:, -1] = np.maximum(1.0 - chances.sum(axis=1), 0.0)
    shares: Floats = chances / chances.sum(axis=1, keepdims=True)
    return shares


@dataclass(frozen=True)
class NegativeBinomial(NamedModel):
    """A mean and a dispersion of counts, re-estimated in every generation.

    Parameters
    ----------
    mean
        Mean of the real counts, above 0.
    dispersion
        α: the variance is mean + α mean²; 0 is the Poisson law.
    total
        Number of real items; None for a law that is known.
    histogram
        Pairs of a count and the number of real items with it; where it is not given, rounds that
        accumulate begin with `total` draws of the law.
    source
        Where the numbers come from; None for a law that was given.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> from hayflick.simulation.simulate import simulate
    >>> runs = simulate(NegativeBinomial(3.0, 1.0), samples=20, generations=200, seed=1)
    >>> bool(runs["dispersion"][:, -1].median() < 0.5)
    True
    """

    family: ClassVar[str] = "negative-binomial"
    described: ClassVar[tuple[str, ...]] = ("mean", "dispersion", "total")
    fitted_with: ClassVar[tuple[str, ...] | None] = ()
    smallest_round: ClassVar[int] = 2

    mean: float
    dispersion: float
    total: int | None = None
    histogram: tuple[tuple[int, int], ...] | None = field(default=None, repr=False)
    source: Source | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", checks.positive_number("mean", self.mean))
        dispersion = checks.finite_number("dispersion", self.dispersion)
        if dispersion < 0.0:
            raise ArgumentError("dispersion", got=self.dispersion, takes="a number of at least 0")
        object.__setattr__(self, "dispersion", dispersion)

    @property
    def deviation(self) -> float:
        """The standard deviation of a count."""
        return float(np.sqrt(self.mean + self.dispersion * self.mean**2))

    @classmethod
    def from_values(cls, values: NDArray[Any]) -> NegativeBinomial:
        """Return the law fitted to counts, shape ``(items,)``, by maximum likelihood.

        Examples
        --------
        >>> NegativeBinomial.from_values(np.array([0, 0, 0, 1, 2, 9])).mean
        2.0
        >>> NegativeBinomial.from_values(np.array([1, 2, 1, 2])).dispersion
        0.0
        """
        counts, numbers = np.unique(values, return_counts=True)
        weights = numbers[None].astype(np.float64)
        counted = counts[None].astype(np.float64)
        dispersion = float(fitted_dispersion(counted, weights)[0])
        pairs = tuple(zip(map(int, counts), map(int, numbers), strict=True))
        return cls(float(values.mean()), dispersion, total=values.size, histogram=pairs)

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str] | pl.DataFrame,
        *,
        column: str | None = None,
        encoding: str = "utf-8",
        table: TableFormat | None = None,
    ) -> NegativeBinomial:
        """Return the law fitted to a column of counts.

        Raises
        ------
        DataError
            If a value is no whole number of at least 0, or as
            `hayflick.corpus.numbers.read_numbers`.
        """
        read = read_event_counts(path, column=column, encoding=encoding, table=table)
        model = cls.from_values(read.values[:, 0])
        checks = dispersion_checks(model.dispersion, read.columns[0])
        return replace(model, source=checked_source(path, read, checks, encoding=encoding))

    @classmethod
    @override
    def entry(cls, data: FamilyData) -> Entry[Model]:
        def make(mean: str = "1", dispersion: str = "1") -> Model:
            if data.path is not None:
                return cls.from_file(
                    data.path, column=data.column, encoding=data.encoding, table=data.table
                )
            return cls(number("mean", mean), number("dispersion", dispersion))

        return Entry(make, (), ("mean", "dispersion"))

    @override
    def chain(self, samples: int, *, stages: Stages = Stages()) -> NegativeBinomialChain:
        return NegativeBinomialChain(self, self.training_size(samples), stages)


class NegativeBinomialChain(ParametricChain[CountHistogram]):
    """A mean and a dispersion re-estimated from their own draws."""

    takes: ClassVar = {"real_weight": (float,), "rounding": (Grid,)}
    parameters = ("mean", "dispersion")
    model: NegativeBinomial

    def __init__(self, model: NegativeBinomial, samples: int, stages: Stages = Stages()) -> None:
        super().__init__(model, samples, stages)
        cells = support(*self._laws(1))
        if min(cells, samples) > _MOST_CELLS:
            takes = f"at most {_MOST_CELLS:,} where counts reach {cells:,}"
            raise ArgumentError("samples", got=samples, takes=takes)

    @property
    @override
    def real(self) -> tuple[float, ...]:
        return (self.model.mean, self.model.dispersion)

    @property
    @override
    def unit(self) -> float:
        return self.model.mean

    def _laws(self, replicates: int) -> tuple[Floats, Floats]:
        mean, dispersion = (np.full(replicates, value) for value in self.real)
        return mean, dispersion

    @override
    def generate(self, rng: Rng, population: Floats, draws: int) -> CountHistogram:
        return CountHistogram.drawn(rng, draws, *population)

    @override
    def draw_real(self, rng: Rng, replicates: int, items: int) -> CountHistogram:
        return CountHistogram.drawn(rng, items, *self._laws(replicates))

    @override
    def real_data(self, replicates: int) -> CountHistogram | None:
        if self.model.histogram is None:
            return None
        counts, numbers = np.array(self.model.histogram, dtype=np.float64).T
        shape = (replicates, counts.size)
        values = np.broadcast_to(counts, shape)
        return CountHistogram(values, np.broadcast_to(numbers, shape))

    @override
    def real_pools(self, rng: Rng, replicates: int) -> CountHistogram:
        if self.model.total is None or self.model.histogram is not None:
            return super().real_pools(rng, replicates)
        drawn = self.draw_real(rng, replicates, self.model.total)
        return drawn.weighted(self.stages.real_weight)

    def pools(self, mixes: Sequence[Mix[Any]]) -> Pools:
        """Return how the histograms of all rounds are kept.

        Raises
        ------
        ArgumentError
            If items would have to be drawn from weighted ones, or from too many.
        """
        if not subsampled(mixes):
            return MergedPools(self.real_pools)
        self.check_subsamples(mixes, most=MOST_COUNTED)
        return MergedPools(self.real_pools, CountHistogram.subsample)

    @override
    def estimate(self, pool: CountHistogram) -> Floats:
        counts, weights = pool.counts, pool.weights
        mean = (counts * weights).sum(axis=1) / weights.sum(axis=1)
        return self.rounded(np.stack([mean, fitted_dispersion(counts, weights)]))
