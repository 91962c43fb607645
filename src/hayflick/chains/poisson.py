"""The Poisson family: the rate of a count.

A generation draws n counts and takes their mean as the new rate; the sum of n counts is
Poisson itself. A rate of 0 is absorbing.

References
----------
Suresh, Thangaraj, Khandavally, *Rate of Model Collapse in Recursive Training*,
arXiv:2412.17646, Theorem 2.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hayflick.chains.parametric import CompiledParametricChain, poisson_walk
from hayflick.chains.pools import (
    MOST_KEPT,
    ItemPools,
    MergedPools,
    check_pool,
    refuse_stages,
    subsampled,
)
from hayflick.chains.stages import Grid, Stages
from hayflick.core import checks
from hayflick.core.arrays import Floats
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.records import Mix
from hayflick.corpus.tables import read_numbers

# Sums are whole numbers of 64 bits; relative to one so large they hardly move.
_LARGEST_SUM = 1e15
_TAKES: dict[str, tuple[type, ...]] = {"real_weight": (float,), "rounding": (Grid,)}


@dataclass(frozen=True)
class Poisson:
    """A rate, estimated by the mean in every generation.

    Parameters
    ----------
    rate
        Mean of the real counts, above 0.
    total
        Number of real items; None for a law that is known.

    Raises
    ------
    ArgumentError
        If `rate` is not above 0.

    Examples
    --------
    >>> from hayflick.simulation.simulate import simulate
    >>> runs = simulate(Poisson(1.0), samples=10, generations=500, replicates=64, seed=1)
    >>> bool((runs["rate"][:, -1] == 0).any())
    True
    """

    rate: float
    total: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", checks.positive_number("rate", self.rate))

    @classmethod
    def from_file(
        cls, path: str | os.PathLike[str], *, column: str | None = None, encoding: str = "utf-8"
    ) -> Poisson:
        """Return the law fitted to a column of counts.

        Raises
        ------
        DataError
            If a value is no whole number of at least 0, or as
            `hayflick.corpus.tables.read_numbers`.
        """
        columns = None if column is None else [column]
        read = read_numbers(path, columns=columns, encoding=encoding)
        values = read.values[:, 0]
        bad = (values < 0) | (values != np.round(values))
        if bad.any():
            raise DataError(
                f"{read.name}: the column {read.columns[0]!r} holds {values[bad][0]:g}, takes "
                "counts: whole numbers from 0"
            )
        return cls(float(values.mean()), total=values.size)

    def training_size(self, samples: int | None) -> int:
        """Return `samples`, or the size of the real data where it is None."""
        return checks.training_size(samples, total=self.total, at_least=1)

    def chain(self, samples: int, *, stages: Stages = Stages()) -> PoissonChain:
        """Return the family in motion at training sets of `samples` items."""
        return PoissonChain(self, samples, stages)

    def describe(self) -> dict[str, Any]:
        """Return the parameters that make the model again, ready for JSON."""
        return {"family": "poisson", "rate": self.rate, "total": self.total}


class PoissonStatistic(NamedTuple):
    """Weighted sum of the counts of every replicate, and weight of the items."""

    sums: Floats
    weight: float

    def merge(self, other: PoissonStatistic) -> PoissonStatistic:
        """Return both sums together."""
        return PoissonStatistic(self.sums + other.sums, self.weight + other.weight)

    @staticmethod
    def items(rng: np.random.Generator, pool: PoissonStatistic) -> Floats:
        """Draw unweighted counts given their sum, ``(replicates, items)``: a multinomial."""
        number = int(pool.weight)
        sums = np.round(pool.sums).astype(np.int64)
        return rng.multinomial(sums, np.full(number, 1.0 / number)).astype(np.float64)

    @classmethod
    def of_items(cls, items: Floats) -> PoissonStatistic:
        """Return the sum of counts, ``(replicates, items)``."""
        return cls(items.sum(axis=1), float(items.shape[1]))


class PoissonChain(CompiledParametricChain):
    """The Poisson family in motion."""

    family = "poisson"
    parameters = ("rate",)

    def __init__(self, model: Poisson, samples: int, stages: Stages) -> None:
        super().__init__(model, samples, stages)
        stages.check(self.family, _TAKES)
        if samples * model.rate > _LARGEST_SUM:
            takes = f"items whose counts add up to at most {_LARGEST_SUM:.0e}"
            raise ArgumentError("samples", got=samples, takes=takes)

    @property
    def real(self) -> tuple[float, ...]:
        """θ_0, the rate of the real data."""
        return (self.model.rate,)

    @property
    def unit(self) -> float:
        """What a grid's bits divide: the real rate."""
        rate: float = self.model.rate
        return rate

    def walk(
        self,
        rngs: tuple[np.random.Generator, ...],
        population: Floats,
        generated: NDArray[np.int64],
        fresh: NDArray[np.int64],
    ) -> Floats:
        """Return the populations of the next generations."""
        real = self.model.rate
        path: Floats = poisson_walk(rngs, population, generated, fresh, real, self.step)
        return path

    def generate(
        self, rng: np.random.Generator, population: Floats, draws: int
    ) -> PoissonStatistic:
        """Draw the sum of `draws` counts."""
        return PoissonStatistic(rng.poisson(draws * population[0]).astype(np.float64), float(draws))

    def mix(
        self, rng: np.random.Generator, pool: PoissonStatistic, mix: Mix[Any]
    ) -> PoissonStatistic:
        """Add fresh draws from the real law."""
        if not mix.fresh:
            return pool
        weight = self.stages.real_weight
        fresh = rng.poisson(mix.fresh * self.model.rate, pool.sums.size)
        return PoissonStatistic(pool.sums + weight * fresh, pool.weight + weight * mix.fresh)

    def pools(
        self, mixes: Sequence[Mix[Any]]
    ) -> MergedPools[PoissonStatistic] | ItemPools[PoissonStatistic]:
        """Return how the sums of all rounds are kept; a law's real data are drawn.

        Raises
        ------
        ArgumentError
            If items would have to be drawn from weighted ones, or from too many.
        """
        if not subsampled(mixes):
            return MergedPools(self._data, PoissonStatistic.merge)
        refuse_stages(self.stages.given(), {"rounding"}, self.family)
        check_pool(mixes, real=self.model.total or self.samples, most=MOST_KEPT)
        return ItemPools(self._data, PoissonStatistic.items, PoissonStatistic.of_items)

    def _data(self, rng: np.random.Generator, replicates: int) -> PoissonStatistic:
        model, weight = self.model, self.stages.real_weight
        if model.total is None:
            sums = rng.poisson(self.samples * model.rate, replicates).astype(np.float64)
            return PoissonStatistic(weight * sums, weight * self.samples)
        return PoissonStatistic(
            np.full(replicates, weight * model.rate * model.total), weight * model.total
        )

    def estimate(self, pool: PoissonStatistic) -> Floats:
        """Return the mean."""
        return self.rounded(pool.sums / pool.weight)[None]
