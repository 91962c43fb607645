"""The Gaussian family: mean and standard deviation of a number.

A generation draws n numbers and fits mean and variance. The variance of the next model is
σ² χ²_{n-1} / (n - ddof): its logarithm drifts down without end.

References
----------
Suresh, Thangaraj, Khandavally, *Rate of Model Collapse in Recursive Training*,
arXiv:2412.17646, Theorem 3 (ddof = 1). Kazdan et al., arXiv:2410.16713 (ddof = 0).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from typing_extensions import override

from hayflick.chains.degradation import AdditiveNoise, GaussianContamination
from hayflick.chains.family import (
    CompiledParametricChain,
    FamilyData,
    ItemPools,
    MergedPools,
    NamedModel,
    Rng,
    divisor_estimators,
    subsampled,
)
from hayflick.chains.fit_checks import checked_source, gaussian_checks
from hayflick.chains.gaussian_resampler import GaussianResampler, effective_draws
from hayflick.chains.selection import Interval
from hayflick.chains.stages import Grid, Stages
from hayflick.core import checks
from hayflick.core.arrays import Floats
from hayflick.core.errors import ArgumentError
from hayflick.core.grammar import Entry, number
from hayflick.core.protocols import Model, Pools, Recorded
from hayflick.core.records import Mix
from hayflick.core.source import Source
from hayflick.corpus.numbers import read_numbers
from hayflick.corpus.table_format import TableFormat


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
    trainer
        Effective share and variance factor of every replicate's trainer, shape
        ``(2, replicates)``; None for ideal ones and real data.
    """

    weight: Floats
    squares: Floats
    mean: Floats
    scatter: Floats
    trainer: Floats | None = None

    @classmethod
    def drawn(cls, rng: Rng, items: NDArray[np.int64], mean: Floats, deviation: Floats) -> Moments:
        """Draw the moments of Gaussian numbers from their own laws, a normal and a χ²."""
        # Means of all replicates first, then scatters: the order of the compiled rounds.
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
    def of_items(cls, values: Floats) -> Moments:
        """Return the moments of numbers, shape ``(replicates, items)``."""
        replicates, items = values.shape
        number = np.full(replicates, float(items))
        if items == 0:
            return cls(number, number, np.zeros(replicates), np.zeros(replicates))
        mean = values.mean(axis=1)
        scatter = ((values - mean[:, None]) ** 2).sum(axis=1)
        return cls(number, number, mean, scatter)

    @property
    def replicates(self) -> int:
        """Number of replicates."""
        return self.mean.size

    def items(self, rng: Rng) -> Floats:
        """Draw unweighted Gaussian numbers given their moments, shape ``(replicates, items)``.

        Their direction from the mean is independent of mean and scatter, and uniform.
        """
        noise = rng.standard_normal((self.mean.size, int(self.weight[0])))
        noise -= noise.mean(axis=1, keepdims=True)
        length = np.sqrt((noise**2).sum(axis=1))
        scale = np.divide(
            np.sqrt(self.scatter), length, out=np.zeros_like(length), where=length > 0
        )
        values: Floats = self.mean[:, None] + scale[:, None] * noise
        return values

    def weighted(self, weight: float) -> Moments:
        """Return the same numbers, each of them weighing `weight` times as much."""
        squares = weight**2 * self.squares
        return replace(
            self, weight=weight * self.weight, squares=squares, scatter=weight * self.scatter
        )

    def merge(self, other: Moments) -> Moments:
        """Return the moments of both sets of numbers together."""
        weight = self.weight + other.weight
        # Two empty sets have no mean; any will do.
        share = np.divide(other.weight, weight, out=np.zeros_like(weight), where=weight > 0.0)
        gap = other.mean - self.mean
        mean = self.mean + gap * share
        scatter = self.scatter + other.scatter + gap**2 * self.weight * share
        trainer = other.trainer if self.trainer is None else self.trainer
        return Moments(weight, self.squares + other.squares, mean, scatter, trainer)

    def variance(self, *, ddof: int) -> Floats:
        """Return the variance; with ddof = 1 unbiased, whatever the weights."""
        variance: Floats = self.scatter / (self.weight - ddof * self.squares / self.weight)
        return variance


def interval_draws(
    rng: Rng, mean: Floats, deviation: Floats, draws: int, interval: Interval
) -> Floats:
    """Draw accepted numbers, each from inside or outside of the interval by inversion.

    A model of which nothing would be accepted is not selected from.

    Parameters
    ----------
    rng
        The block's stream.
    mean, deviation
        Of every replicate, shape ``(replicates,)``, in the data's units.
    draws
        Accepted numbers per replicate.
    interval
        What is accepted.

    Returns
    -------
    Shape ``(replicates, draws)``.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> one = np.ones(1)
    >>> drawn = interval_draws(rng, 0.0 * one, one, 1000, Interval(0.0, 1.0))
    >>> bool((drawn >= 0.0).all() and (drawn <= 1.0).all())
    True
    """
    # A tail's probability is accurate below the mean: where the interval lies above it, draw
    # its mirror image.
    mirrored = np.where(interval.low > mean, -1.0, 1.0)
    spread = np.where(deviation > 0.0, deviation, np.finfo(np.float64).tiny)
    ends = np.sort(mirrored * (np.array([[interval.low], [interval.high]]) - mean), axis=0)
    with np.errstate(over="ignore"):
        low, high = (ndtr(end / spread)[:, None] for end in ends)
    inside = interval.true_accept * (high - low)
    outside = interval.false_accept * (1.0 - (high - low))
    nothing = inside + outside <= 0.0
    chance = np.where(nothing, high - low, inside / np.where(nothing, 1.0, inside + outside))
    uniform = rng.random((mean.size, draws))
    is_inside = rng.random((mean.size, draws)) < chance
    within = low + uniform * (high - low)
    # Outside, the two tails joined: what is left of the interval comes first.
    beyond = uniform * (1.0 - (high - low))
    beyond = np.where(beyond < low, beyond, beyond + (high - low))
    scale = (mirrored * deviation)[:, None]
    drawn = mean[:, None] + scale * ndtri(np.where(is_inside, within, beyond))
    bounded = np.clip(drawn, interval.low, interval.high)
    accepted: Floats = np.where(is_inside & ~nothing, bounded, drawn)
    return accepted


MOST_SELECTED = 1_000_000
"""Items of a training set that is selected from."""


@dataclass(frozen=True)
class Gaussian(NamedModel):
    """A mean and a standard deviation, re-estimated in every generation.

    Parameters
    ----------
    mean, deviation
        Of the real data, in their units; the deviation is above 0.
    total
        Number of real items; None for a law that is known.
    ddof
        The variance is the scatter over n - ddof: 1 is unbiased, 0 maximum likelihood.
    source
        Where the numbers come from; None for a law that was given.
    resampler
        How the trainer differs from an ideal one; None or an ideal one for no difference. It
        holds the bias of the divisor, so `ddof` is 1 beside it, and `deviation` is then that of
        the training sets.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> from hayflick.simulation.simulate import simulate
    >>> runs = simulate(Gaussian(0.0, 1.0), samples=10, generations=200, seed=1)
    >>> bool(runs["deviation"][:, -1].median() < 1e-3)
    True
    """

    family: ClassVar[str] = "gaussian"
    described: ClassVar[tuple[str, ...]] = ("mean", "deviation", "ddof", "total")
    fitted_with: ClassVar[tuple[str, ...] | None] = ()
    smallest_round: ClassVar[int] = 2

    mean: float
    deviation: float
    total: int | None = None
    ddof: int = 1
    source: Source | None = field(default=None, repr=False, compare=False)
    resampler: GaussianResampler | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", checks.finite_number("mean", self.mean))
        deviation = checks.positive_number("deviation", self.deviation)
        object.__setattr__(self, "deviation", deviation)
        if self.ddof not in (0, 1):
            raise ArgumentError("ddof", got=self.ddof, takes="0 or 1")
        if not isinstance(self.resampler, GaussianResampler | None):
            raise unfit_resampler(self.resampler)
        if self.resampler is not None and self.resampler.ideal:
            object.__setattr__(self, "resampler", None)
        if self.resampler is not None and self.ddof != 1:
            takes = (
                "1 beside a calibrated resampler, whose variance factor holds the divisor's bias"
            )
            raise ArgumentError("ddof", got=self.ddof, takes=takes)

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str] | pl.DataFrame,
        *,
        column: str | None = None,
        encoding: str = "utf-8",
        table: TableFormat | None = None,
        ddof: int = 1,
    ) -> Gaussian:
        """Return the law fitted to a column of numbers.

        Parameters and errors are those of `hayflick.corpus.numbers.read_numbers`.
        """
        columns = None if column is None else [column]
        read = read_numbers(path, columns=columns, given=table, encoding=encoding)
        values = read.values[:, 0]
        checks = gaussian_checks(read.values, read.columns)
        source = checked_source(path, read, checks, encoding=encoding)
        mean, deviation = float(values.mean()), float(values.std(ddof=ddof))
        return cls(mean, deviation, total=values.size, ddof=ddof, source=source)

    @classmethod
    @override
    def entry(cls, data: FamilyData) -> Entry[Model]:
        def make(mean: str = "0", deviation: str = "1") -> Model:
            if data.path is not None:
                return cls.from_file(
                    data.path, column=data.column, encoding=data.encoding, table=data.table
                )
            return cls(number("mean", mean), number("deviation", deviation))

        return Entry(make, (), ("mean", "deviation"))

    @override
    def estimators(self) -> Mapping[str, Entry[Model]]:
        return divisor_estimators(self)

    def with_estimator(self, estimator: GaussianResampler) -> Gaussian:
        """Return the same law with a calibrated trainer in place of the ideal one.

        Raises
        ------
        ArgumentError
            If the estimator is of another family, or `ddof` is not 1.
        """
        return replace(self, resampler=estimator)

    @override
    def describe(self) -> dict[str, Any]:
        described = super().describe()
        if self.resampler is not None:
            described["resampler"] = self.resampler.describe()
        return described

    @override
    def chain(self, samples: int, *, stages: Stages = Stages()) -> GaussianChain:
        if self.resampler is not None:
            return ResampledGaussianChain(self, self.training_size(samples), stages)
        return GaussianChain(self, self.training_size(samples), stages)


def unfit_resampler(resampler: Any) -> ArgumentError:
    """Return the error of a resampler that was not calibrated on numbers."""
    takes = "a GaussianResampler for the family gaussian"
    remedy = "calibrate on the numbers of the rounds"
    got = resampler.describe() if hasattr(resampler, "describe") else resampler
    return ArgumentError("resampler", got=got, takes=takes, remedy=remedy)


class GaussianChain(CompiledParametricChain[Moments]):
    """A mean and a deviation re-estimated from their own draws."""

    takes: ClassVar = {
        "degradation": (AdditiveNoise, GaussianContamination),
        "selection": (Interval,),
        "real_weight": (float,),
        "rounding": (Grid,),
    }
    parameters = ("mean", "deviation")
    model: Gaussian

    def __init__(self, model: Gaussian, samples: int, stages: Stages = Stages()) -> None:
        super().__init__(model, samples, stages)
        if isinstance(stages.degradation, GaussianContamination) and stages.selection is not None:
            takes = "no contamination beside a selection"
            raise ArgumentError("degradation", got="gaussian-contamination", takes=takes)
        if isinstance(stages.selection, Interval) and samples > MOST_SELECTED:
            takes = f"at most {MOST_SELECTED:,} with a selection, which draws them one by one"
            raise ArgumentError("samples", got=samples, takes=takes)

    @property
    @override
    def real(self) -> tuple[float, ...]:
        return (self.model.mean, self.model.deviation)

    @override
    def kernel(self) -> tuple[Callable[..., Floats], tuple[Any, ...]]:
        from hayflick.chains.parametric_kernels import gaussian_rounds

        return gaussian_rounds, (np.array(self.real), self.model.ddof)

    @override
    def generate(self, rng: Rng, population: Floats, draws: int) -> Moments:
        mean, deviation = population
        degradation, selection = self.stages.degradation, self.stages.selection
        if isinstance(degradation, AdditiveNoise):
            # The sum of a Gaussian number and Gaussian noise is a Gaussian number.
            deviation = np.hypot(deviation, degradation.deviation)
        if isinstance(selection, Interval):
            return Moments.of_items(interval_draws(rng, mean, deviation, draws, selection))
        items = np.full(mean.size, draws)
        if not isinstance(degradation, GaussianContamination):
            return Moments.drawn(rng, items, mean, deviation)
        foreign = rng.binomial(draws, degradation.share, mean.size)
        own = Moments.drawn(rng, items - foreign, mean, deviation)
        at, spread = np.full(mean.size, degradation.mean), degradation.deviation
        return own.merge(Moments.drawn(rng, foreign, at, np.full(mean.size, spread)))

    @override
    def draw_real(self, rng: Rng, replicates: int, items: int) -> Moments:
        mean, deviation = (np.full(replicates, value) for value in self.real)
        return Moments.drawn(rng, np.full(replicates, items), mean, deviation)

    @override
    def real_data(self, replicates: int) -> Moments | None:
        total = self.model.total
        if total is None:
            return None
        mean, deviation = (np.full(replicates, value) for value in self.real)
        number = np.full(replicates, float(total))
        return Moments(number, number, mean, deviation**2 * (total - self.model.ddof))

    def pools(self, mixes: Sequence[Mix[Any]]) -> Pools:
        """Return how the moments of all rounds are kept.

        Raises
        ------
        ArgumentError
            If items would have to be drawn from weighted or not Gaussian ones, or too many.
        """
        if not subsampled(mixes):
            return MergedPools(self.real_pools)
        noisy = isinstance(self.stages.degradation, AdditiveNoise)
        refused = {"real_weight", "selection", *(() if noisy else ("degradation",))}
        self.check_subsamples(mixes, refused=refused)
        return ItemPools(self.real_pools, Moments.items, Moments.of_items)

    @override
    def estimate(self, pool: Moments) -> Floats:
        deviation = np.sqrt(pool.variance(ddof=self.model.ddof))
        return self.rounded(np.stack([pool.mean, deviation]))


class ResampledGaussianChain(GaussianChain):
    """The mean and the deviation of training sets, each drawn by a trained model.

    A population holds the mean and the deviation of the training sets, the parameters of every
    replicate's trainer, which are drawn when it generates first, and the training sets' sizes.
    Parameters and errors are those of `GaussianChain`; a training set needs two effective items.
    """

    takes: ClassVar = {
        "degradation": (AdditiveNoise,),
        "real_weight": (float,),
        "rounding": (Grid,),
    }

    def __init__(self, model: Gaussian, samples: int, stages: Stages = Stages()) -> None:
        super().__init__(model, samples, stages)
        assert model.resampler is not None
        self.resampler: GaussianResampler = model.resampler
        self.resampler.check(samples)

    @override
    def check(self, mixes: Sequence[Mix[Any]]) -> None:
        super().check(mixes)
        for mix in mixes:
            self.resampler.check(mix.samples)

    @override
    def start(self, replicates: int) -> Floats:
        trainer = np.full((2, replicates), np.nan)
        sizes = np.full((1, replicates), float(self.samples))
        return np.concatenate([super().start(replicates), trainer, sizes])

    @override
    def kernel(self) -> tuple[Callable[..., Floats], tuple[Any, ...]]:
        from hayflick.chains.parametric_kernels import resampled_gaussian_rounds

        constants = (np.array(self.real), self.resampler.values, self.resampler.factor)
        return resampled_gaussian_rounds, constants

    @override
    def generate(self, rng: Rng, population: Floats, draws: int) -> Moments:
        mean, deviation, share, factor, size = population
        if np.isnan(share).any():
            noise = rng.standard_normal((mean.size, 2))
            share, factor = np.exp(self.resampler.values[:, None] + self.resampler.factor @ noise.T)
        trainer = np.stack([share, factor])
        deviation = np.sqrt(factor) * deviation
        if isinstance(self.stages.degradation, AdditiveNoise):
            deviation = np.hypot(deviation, self.stages.degradation.deviation)
        number = np.full(mean.size, float(draws))
        scatter = np.zeros(mean.size)
        if draws:
            effective = effective_draws(number, size, share)
            mean = mean + deviation / np.sqrt(effective) * rng.standard_normal(mean.size)
            if draws > 1:
                chi = rng.chisquare(effective - 1.0) / (effective - 1.0)
                scatter = deviation**2 * (draws - 1.0) * chi
        return Moments(number, number, mean, scatter, trainer)

    @override
    def pools(self, mixes: Sequence[Mix[Any]]) -> Pools:
        pools = super().pools(mixes)
        return TrainedItems(pools) if isinstance(pools, ItemPools) else pools

    @override
    def estimate(self, pool: Moments) -> Floats:
        assert pool.trainer is not None
        deviation = np.sqrt(pool.variance(ddof=1))
        fitted = self.rounded(np.stack([pool.mean, deviation]))
        return np.concatenate([fitted, pool.trainer, pool.weight[None]])


@dataclass(frozen=True, eq=False)
class TrainedItems(Pools):
    """Pools kept number by number, with the trainers of the replicates beside them.

    Parameters
    ----------
    items
        The pools of numbers.
    """

    items: ItemPools[Moments]

    @override
    def start(self, rng: Rng, replicates: int) -> tuple[Floats, Floats | None]:
        return self.items.start(rng, replicates), None

    @override
    def add(
        self, rng: Rng, kept: tuple[Floats, Floats | None], pool: Moments
    ) -> tuple[Floats, Floats | None]:
        return self.items.add(rng, kept[0], pool), pool.trainer

    @override
    def training_set(
        self, rng: Rng, kept: tuple[Floats, Floats | None], items: int | None
    ) -> Moments:
        return replace(self.items.training_set(rng, kept[0], items), trainer=kept[1])

    @override
    def measure(self, pool: Moments | None, kept: tuple[Floats, Floats | None]) -> Recorded:
        return {}
