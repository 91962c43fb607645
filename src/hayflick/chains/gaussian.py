"""The Gaussian family: mean and standard deviation of a number.

A generation draws n numbers and fits mean and variance. The variance of the next model is
σ² χ²_{n-1} / (n - ddof): its logarithm drifts down for ever.

References
----------
Suresh, Thangaraj, Khandavally, *Rate of Model Collapse in Recursive Training*,
arXiv:2412.17646, Theorem 3 (ddof = 1). Kazdan et al., arXiv:2410.16713 (ddof = 0).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hayflick.chains.moments import Moments
from hayflick.chains.parametric import WalkingChain
from hayflick.chains.pools import (
    MOST_KEPT,
    ItemPools,
    MergedPools,
    check_pool,
    refuse_stages,
    subsampled,
)
from hayflick.chains.scalar_walks import gaussian_walk
from hayflick.chains.stages.degradation import AdditiveNoise, GaussianContamination
from hayflick.chains.stages.record import Stages
from hayflick.chains.stages.rounding import Grid
from hayflick.chains.stages.selection import Interval
from hayflick.chains.truncated import interval_draws
from hayflick.core import checks
from hayflick.core.arrays import Floats
from hayflick.core.errors import ArgumentError
from hayflick.core.records import Mix
from hayflick.corpus.numbers import read_numbers

MOST_SELECTED = 1_000_000
"""Items of a training set that is selected from."""

_TAKES: dict[str, tuple[type, ...]] = {
    "degradation": (AdditiveNoise, GaussianContamination),
    "selection": (Interval,),
    "real_weight": (float,),
    "rounding": (Grid,),
}


@dataclass(frozen=True)
class Gaussian:
    """A mean and a standard deviation, and how they are estimated in every generation.

    Parameters
    ----------
    mean, deviation
        Of the real data, in their units; the deviation is above 0.
    total
        Number of real items; None for a law that is known.
    ddof
        The variance is the scatter over n - ddof: 1 is unbiased, 0 maximum likelihood.

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

    mean: float
    deviation: float
    total: int | None = None
    ddof: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", checks.finite_number("mean", self.mean))
        deviation = checks.positive_number("deviation", self.deviation)
        object.__setattr__(self, "deviation", deviation)
        if self.ddof not in (0, 1):
            raise ArgumentError("ddof", got=self.ddof, takes="0 or 1")

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        *,
        column: str | None = None,
        encoding: str = "utf-8",
        ddof: int = 1,
    ) -> Gaussian:
        """Return the law fitted to a column of numbers.

        Parameters and errors are those of `hayflick.corpus.numbers.read_numbers`.
        """
        columns = None if column is None else [column]
        values = read_numbers(path, columns=columns, encoding=encoding).values[:, 0]
        deviation = float(values.std(ddof=ddof))
        return cls(float(values.mean()), deviation, total=values.size, ddof=ddof)

    def training_size(self, samples: int | None) -> int:
        """Return `samples`, or the size of the real data where it is None."""
        return checks.training_size(samples, total=self.total, at_least=2)

    def chain(self, samples: int, *, stages: Stages = Stages()) -> GaussianChain:
        """Return the family in motion at training sets of `samples` items."""
        return GaussianChain(self, self.training_size(samples), stages)

    def describe(self) -> dict[str, Any]:
        """Return the parameters that make the model again, ready for JSON."""
        parameters = {"mean": self.mean, "deviation": self.deviation, "ddof": self.ddof}
        return {"family": "gaussian", **parameters, "total": self.total}


class GaussianChain(WalkingChain):
    """The Gaussian family in motion."""

    family = "gaussian"
    parameters = ("mean", "deviation")
    smallest_round = 2

    def __init__(self, model: Gaussian, samples: int, stages: Stages) -> None:
        super().__init__(model, samples, stages)
        stages.check(self.family, _TAKES)
        if isinstance(stages.degradation, GaussianContamination) and stages.selection is not None:
            takes = "no contamination beside a selection"
            raise ArgumentError("degradation", got="gaussian-contamination", takes=takes)
        if isinstance(stages.selection, Interval) and samples > MOST_SELECTED:
            takes = f"at most {MOST_SELECTED:,} with a selection, which draws them one by one"
            raise ArgumentError("samples", got=samples, takes=takes)

    @property
    def real(self) -> tuple[float, ...]:
        """θ_0, mean and deviation of the real data."""
        return (self.model.mean, self.model.deviation)

    @property
    def unit(self) -> float:
        """What a grid's bits divide: the real deviation."""
        deviation: float = self.model.deviation
        return deviation

    def walk(
        self,
        rngs: tuple[np.random.Generator, ...],
        population: Floats,
        generated: NDArray[np.int64],
        fresh: NDArray[np.int64],
    ) -> Floats:
        """Return the populations of the next generations."""
        real = np.array(self.real)
        path: Floats = gaussian_walk(
            rngs, population, generated, fresh, real, self.model.ddof, self.step
        )
        return path

    def generate(self, rng: np.random.Generator, population: Floats, draws: int) -> Moments:
        """Draw the moments of `draws` numbers, as they arrive in the training set."""
        mean, deviation = population
        degradation, selection = self.stages.degradation, self.stages.selection
        if isinstance(degradation, AdditiveNoise):
            # The sum of a Gaussian number and Gaussian noise is a Gaussian number.
            deviation = np.hypot(deviation, degradation.deviation)
        if isinstance(selection, Interval):
            return Moments.of_values(interval_draws(rng, mean, deviation, draws, selection))
        items = np.full(mean.size, draws)
        if not isinstance(degradation, GaussianContamination):
            return Moments.drawn(rng, items, mean, deviation)
        foreign = rng.binomial(draws, degradation.share, mean.size)
        own = Moments.drawn(rng, items - foreign, mean, deviation)
        at, spread = np.full(mean.size, degradation.mean), degradation.deviation
        return own.merge(Moments.drawn(rng, foreign, at, np.full(mean.size, spread)))

    def mix(self, rng: np.random.Generator, pool: Moments, mix: Mix[Any]) -> Moments:
        """Add fresh draws from the real law."""
        if not mix.fresh:
            return pool
        size = pool.mean.size
        mean, deviation = (np.full(size, value) for value in self.real)
        fresh = Moments.drawn(rng, np.full(size, mix.fresh), mean, deviation)
        return pool.merge(fresh.weighted(self.stages.real_weight))

    def pools(self, mixes: Sequence[Mix[Any]]) -> MergedPools[Moments] | ItemPools[Moments]:
        """Return how the moments of all rounds are kept; a law's real data are drawn.

        Raises
        ------
        ArgumentError
            If items would have to be drawn from weighted or not Gaussian ones, or too many.
        """
        if not subsampled(mixes):
            return MergedPools(self._data, Moments.merge)
        noisy = isinstance(self.stages.degradation, AdditiveNoise)
        known = {"rounding", "degradation"} if noisy else {"rounding"}
        refuse_stages(self.stages.given(), known, self.family)
        check_pool(mixes, real=self.model.total or self.samples, most=MOST_KEPT)
        return ItemPools(self._data, Moments.values, Moments.of_values)

    def _data(self, rng: np.random.Generator, replicates: int) -> Moments:
        model = self.model
        items = np.full(replicates, model.total or self.samples)
        mean, deviation = (np.full(replicates, value) for value in self.real)
        if model.total is None:
            return Moments.drawn(rng, items, mean, deviation).weighted(self.stages.real_weight)
        # The moments that θ_0 was fitted to.
        scatter = deviation**2 * (items - model.ddof)
        number = items.astype(np.float64)
        return Moments(number, number, mean, scatter).weighted(self.stages.real_weight)

    def estimate(self, pool: Moments) -> Floats:
        """Return mean and deviation."""
        deviation = np.sqrt(pool.variance(ddof=self.model.ddof))
        return self.rounded(np.stack([pool.mean, deviation]))
