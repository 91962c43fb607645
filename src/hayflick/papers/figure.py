"""A figure of a paper: its curves, the simulation behind it, and how well both agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.core.arrays import Floats
from hayflick.core.source import Source, sources_in

if TYPE_CHECKING:
    import xarray

_FEWEST_EXPECTED = 5.0


@dataclass(frozen=True, eq=False)
class Figure:
    """The numbers of a figure; `hayflick.report.gallery` draws and explains it.

    Parameters
    ----------
    name
        Identifier, and file name.
    quantity
        Quantity of the curves: ``probability``, ``deviation``, ``present`` (a probability
        of not having collapsed), ``surviving_types``, ``distance`` (|D|_F), ``silos``,
        ``share``, or ``frontier`` (what is kept at which cost).
    curves
        Columns ``generation``, ``value`` and ``series``; single runs are named ``run 1`` …
        For a frontier, its cases: `hayflick.network.mitigation.cases_table`.
    runs
        The simulation.
    agreement
        Largest distance of the simulation from the law over the generations, in standard
        errors; None if there is no law.
    logarithmic
        Whether the value axis is logarithmic.
    text
        Name of the text that was used; None for none.
    paper
        The paper, by its name on the command line.
    measured_on
        The language models that were measured, and their endpoint; None for none.
    """

    name: str
    quantity: str
    curves: pl.DataFrame
    runs: xarray.Dataset
    agreement: float | None
    logarithmic: bool = False
    text: str | None = None
    paper: str = "suresh2024"
    measured_on: str | None = None

    @property
    def sources(self) -> tuple[Source, ...]:
        """What the simulation, or the run of the language models, has read."""
        return sources_in(self.runs.attrs)


def curves(**series: Floats | None) -> pl.DataFrame:
    """Return series by generation, from 0, as one long table; None is left out.

    Examples
    --------
    >>> curves(law=np.array([1.0, 0.5]), upper=None).rows()
    [(0, 1.0, 'law'), (1, 0.5, 'law')]
    """
    parts = [
        pl.DataFrame(
            {"generation": np.arange(values.size), "value": values.astype(np.float64)}
        ).with_columns(series=pl.lit(name))
        for name, values in series.items()
        if values is not None
    ]
    return pl.concat(parts)


def single_runs(values: NDArray[np.float64]) -> pl.DataFrame:
    """Return each of some runs, shape ``(replicates, generations)``, as a series."""
    return curves(**{f"run {number}": run for number, run in enumerate(values, start=1)})


def share_agreement(observed: Floats, law: Floats, *, replicates: int) -> float:
    """Return the largest distance of observed shares from probabilities, in standard errors.

    Generations in which fewer than five runs are expected on either side are left out: the error
    is not normally distributed there.
    """
    spread = replicates * law * (1.0 - law)
    known = spread >= _FEWEST_EXPECTED
    error = np.sqrt(law[known] * (1.0 - law[known]) / replicates)
    return float(np.max(np.abs(observed[known] - law[known]) / error, initial=0.0))


def mean_agreement(values: NDArray[np.float64], law: Floats) -> float:
    """Return the largest distance of means of runs from expectations, in standard errors."""
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    moving = error > 0.0
    gap = np.abs(values.mean(axis=0) - law)[moving]
    return float(np.max(gap / error[moving], initial=0.0))
