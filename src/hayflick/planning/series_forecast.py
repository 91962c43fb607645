"""A forecast of numbers or running text: quantities over the rounds, the first of which decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.corpus.source import Source
from hayflick.planning.outlook import Outlook
from hayflick.planning.quantities import Band, Quantity, Spot
from hayflick.planning.subjects import Subject
from hayflick.regimes.fresh import Fresh


@dataclass(frozen=True, eq=False)
class Series:
    """A quantity over the generations: by its law, simulated, and with real data alone.

    Parameters
    ----------
    quantity
        What it is.
    law
        By an exact law; None where there is none.
    simulated
        Over the simulated runs; None where nothing was simulated.
    alone
        After one training on real data alone.
    ends
        Values of the simulated runs after the last round; None without simulation, and for
        a probability.
    """

    quantity: Quantity
    law: Band | None
    simulated: Band | None
    alone: Spot
    ends: Floats | None = None

    @property
    def name(self) -> str:
        """The identifier of the quantity."""
        return self.quantity.name

    @property
    def best(self) -> Band:
        """The law where it is known, else the simulation."""
        band = self.law or self.simulated
        if band is None:
            raise ValueError(f"nothing is known of {self.name}")
        return band


@dataclass(frozen=True, eq=False, kw_only=True)
class SeriesForecast(Outlook):
    """What recursive training does to a numeric family or an n-gram model.

    Parameters beside those of `hayflick.planning.outlook.Outlook`, whose ``fresh_shares``
    are values of the first quantity:

    Parameters
    ----------
    subject
        What is followed in the family.
    model
        The real data's law.
    source
        Where the data come from.
    size
        Items of a training set.
    series
        The quantities over the generations, at least one; the first decides.
    simulated_runs
        Number of simulated runs that were finished.
    shares_by_law
        Whether `fresh_shares` come from a law rather than from runs of their own.
    """

    subject: Subject
    model: Any
    source: Source
    size: int
    series: tuple[Series, ...]
    simulated_runs: int
    shares_by_law: bool

    def __repr__(self) -> str:
        what = f"{self.family}, {self.source.name!r}, {self.regime.describe()!r}"
        return f"SeriesForecast({what}, generations={self.generations}, kept={self.kept:.4g})"

    @property
    def family(self) -> str:
        """The family's name."""
        return self.subject.family

    @property
    def main(self) -> Series:
        """The series that decides."""
        return self.series[0]

    @property
    def name(self) -> str:
        """What was forecast: a file, or a law."""
        return self.source.name

    @property
    def left(self) -> Floats:
        """The deciding quantity, its median where it varies; shape ``(K + 1,)``."""
        return self.main.best.middle

    @property
    def baseline(self) -> float:
        """The same after one training on real data alone."""
        return self.main.alone.middle

    @property
    def part(self) -> float:
        """The limit as a part of the baseline."""
        return self.subject.part

    @property
    def samples(self) -> int:
        """Size of a training set."""
        return self.size

    @property
    def singular(self) -> bool:
        """Whether a training set is too small to span all dimensions: n ≤ d."""
        return self.subject.dimensions >= self.samples

    @property
    def law_name(self) -> str:
        """``exact``, or ``moments`` or ``simulation`` where the deciding figures are simulated."""
        if self.main.law is not None:
            return "exact"
        return "moments" if any(series.law for series in self.series) else "simulation"

    @property
    def runs(self) -> int:
        """Number of simulated runs that were finished."""
        return self.simulated_runs

    @property
    def first_below(self) -> int | None:
        """First round in which less is left than the limit; the first of all if singular."""
        return 1 if self.singular else super().first_below

    @property
    def runs_below(self) -> float | None:
        """Share of the simulated runs that end below the limit; None for a probability."""
        if self.main.ends is None or self.singular:
            return None
        return float(np.mean(self.main.ends < self.limit))

    @property
    def smallest_holding_share(self) -> float | None:
        """Smallest of the compared shares that ends within the limit; None if none does."""
        share = None if self.singular else super().smallest_holding_share
        # What the plan has already is no advice, whatever other runs say of it.
        own = self.regime.share if isinstance(self.regime, Fresh) else -1.0
        return None if share is None or (self.first_below and share <= own) else share

    def describe_model(self) -> dict[str, Any]:
        """Return the parameters that make the model again, ready for JSON."""
        described: dict[str, Any] = self.model.describe()
        return {"input": self.source.name, "column": self.source.column, **described}
