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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np
import polars as pl
from typing_extensions import override

from hayflick.chains.family import (
    CompiledParametricChain,
    FamilyData,
    ItemPools,
    MergedPools,
    NamedModel,
    Rng,
    subsampled,
)
from hayflick.chains.fit_checks import checked_source, count_checks
from hayflick.chains.stages import Grid, Stages
from hayflick.core import checks
from hayflick.core.arrays import Floats
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.grammar import Entry, number
from hayflick.core.protocols import Model, Pools
from hayflick.core.records import Mix
from hayflick.core.source import Source
from hayflick.corpus.numbers import NumericTable, read_numbers
from hayflick.corpus.table_format import TableFormat

# Sums are whole numbers of 64 bits; relative to one so large they hardly move.
_LARGEST_SUM = 1e15


def read_event_counts(
    path: str | os.PathLike[str] | pl.DataFrame,
    *,
    column: str | None = None,
    encoding: str = "utf-8",
    table: TableFormat | None = None,
) -> NumericTable:
    """Return a column of counts.

    Raises
    ------
    DataError
        If a value is no whole number of at least 0, or as
        `hayflick.corpus.numbers.read_numbers`.
    """
    columns = None if column is None else [column]
    read = read_numbers(path, columns=columns, given=table, encoding=encoding)
    values = read.values[:, 0]
    bad = (values < 0) | (values != np.round(values))
    if bad.any():
        raise DataError(
            f"{read.name}: the column {read.columns[0]!r} holds {values[bad][0]:g}, takes "
            "counts: whole numbers from 0"
        )
    return read


@dataclass(frozen=True)
class Poisson(NamedModel):
    """A rate, re-estimated by the mean in every generation.

    Parameters
    ----------
    rate
        Mean of the real counts, above 0.
    total
        Number of real items; None for a law that is known.
    source
        Where the numbers come from; None for a law that was given.

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

    family: ClassVar[str] = "poisson"
    described: ClassVar[tuple[str, ...]] = ("rate", "total")
    fitted_with: ClassVar[tuple[str, ...] | None] = ()

    rate: float
    total: int | None = None
    source: Source | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", checks.positive_number("rate", self.rate))

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str] | pl.DataFrame,
        *,
        column: str | None = None,
        encoding: str = "utf-8",
        table: TableFormat | None = None,
    ) -> Poisson:
        """Return the law fitted to a column of counts.

        Raises
        ------
        DataError
            If a value is no whole number of at least 0, or as
            `hayflick.corpus.numbers.read_numbers`.
        """
        read = read_event_counts(path, column=column, encoding=encoding, table=table)
        values = read.values[:, 0]
        checks = count_checks(values, read.columns[0])
        source = checked_source(path, read, checks, encoding=encoding)
        return cls(float(values.mean()), total=values.size, source=source)

    @classmethod
    @override
    def entry(cls, data: FamilyData) -> Entry[Model]:
        def make(rate: str = "1") -> Model:
            if data.path is not None:
                return cls.from_file(
                    data.path, column=data.column, encoding=data.encoding, table=data.table
                )
            return cls(number("rate", rate))

        return Entry(make, (), ("rate",))

    @override
    def chain(self, samples: int, *, stages: Stages = Stages()) -> PoissonChain:
        return PoissonChain(self, samples, stages)


class PoissonStatistic(NamedTuple):
    """Weighted sum of the counts of every replicate, and weight of the items."""

    sums: Floats
    weight: float

    @classmethod
    def of_items(cls, items: Floats) -> PoissonStatistic:
        """Return the sum of counts, ``(replicates, items)``."""
        return cls(items.sum(axis=1), float(items.shape[1]))

    @property
    def replicates(self) -> int:
        """Number of replicates."""
        return self.sums.size

    def merge(self, other: PoissonStatistic) -> PoissonStatistic:
        """Return the sums of both."""
        return PoissonStatistic(self.sums + other.sums, self.weight + other.weight)

    def weighted(self, weight: float) -> PoissonStatistic:
        """Return the same items, each of them weighing `weight` times as much."""
        return PoissonStatistic(weight * self.sums, weight * self.weight)

    def items(self, rng: Rng) -> Floats:
        """Draw unweighted counts given their sum, ``(replicates, items)``: a multinomial."""
        number = int(self.weight)
        sums = np.round(self.sums).astype(np.int64)
        return rng.multinomial(sums, np.full(number, 1.0 / number)).astype(np.float64)


class PoissonChain(CompiledParametricChain[PoissonStatistic]):
    """A rate re-estimated from its own draws."""

    takes: ClassVar = {"real_weight": (float,), "rounding": (Grid,)}
    parameters = ("rate",)
    model: Poisson

    def __init__(self, model: Poisson, samples: int, stages: Stages = Stages()) -> None:
        super().__init__(model, samples, stages)
        if samples * model.rate > _LARGEST_SUM:
            takes = f"items whose counts add up to at most {_LARGEST_SUM:.0e}"
            raise ArgumentError("samples", got=samples, takes=takes)

    @property
    @override
    def real(self) -> tuple[float, ...]:
        return (self.model.rate,)

    @override
    def kernel(self) -> tuple[Callable[..., Floats], tuple[Any, ...]]:
        from hayflick.chains.parametric_kernels import poisson_rounds

        return poisson_rounds, self.real

    @override
    def generate(self, rng: Rng, population: Floats, draws: int) -> PoissonStatistic:
        return PoissonStatistic(rng.poisson(draws * population[0]).astype(np.float64), float(draws))

    @override
    def draw_real(self, rng: Rng, replicates: int, items: int) -> PoissonStatistic:
        sums = rng.poisson(items * self.model.rate, replicates).astype(np.float64)
        return PoissonStatistic(sums, float(items))

    @override
    def real_data(self, replicates: int) -> PoissonStatistic | None:
        total = self.model.total
        if total is None:
            return None
        return PoissonStatistic(np.full(replicates, self.model.rate * total), total)

    def pools(self, mixes: Sequence[Mix[Any]]) -> Pools:
        """Return how the sums of all rounds are kept.

        Raises
        ------
        ArgumentError
            If items would have to be drawn from weighted ones, or from too many.
        """
        if not subsampled(mixes):
            return MergedPools(self.real_pools)
        self.check_subsamples(mixes)
        return ItemPools(self.real_pools, PoissonStatistic.items, PoissonStatistic.of_items)

    @override
    def estimate(self, pool: PoissonStatistic) -> Floats:
        return self.rounded(pool.sums / pool.weight)[None]
