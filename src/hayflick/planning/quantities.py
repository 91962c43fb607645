"""What is measured in simulated runs, and how the runs of a generation are summed up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hayflick.core.arrays import Floats

if TYPE_CHECKING:
    import xarray


class Spot(NamedTuple):
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
        Its median; for a probability, itself; shape ``(K + 1,)``.
    low, high
        Its 5 and 95 % quantiles, of the same shape; None where it is a single number.
    """

    middle: Floats
    low: Floats | None = None
    high: Floats | None = None

    def at(self, generation: int) -> Spot:
        """Return the band at one generation."""
        low, high = (None if ends is None else float(ends[generation]) for ends in self._ends)
        return Spot(float(self.middle[generation]), low, high)

    def held(self, generations: int) -> Band:
        """Return generation 0, then generation 1 in every round: rounds that forget."""
        places = np.minimum(np.arange(generations + 1), 1)
        low, high = (None if ends is None else ends[places] for ends in self._ends)
        return Band(self.middle[places], low, high)

    @property
    def _ends(self) -> tuple[Floats | None, Floats | None]:
        return self.low, self.high


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
    """Return the mean of runs alone: of zeros and ones it is a share."""
    return Band(values.mean(axis=0))


def root_mean_square(values: Floats) -> Band:
    """Return the root of the mean square of runs."""
    return Band(np.sqrt(np.square(values).mean(axis=0)))


@dataclass(frozen=True)
class Quantity:
    """Something that every run leaves behind in every generation.

    Parameters
    ----------
    name
        Its identifier in records.
    of_runs
        Its values, shape ``(replicate, K + 1)``, from what `simulate` returns.
    summary
        From such values to a band.
    is_share
        Whether it is a part of a whole, shown in percent.
    needs_law
        Whether it is left out where no law gives it.
    """

    name: str
    of_runs: Callable[[xarray.Dataset], Floats]
    summary: Callable[[Floats], Band] = quantiles
    is_share: bool = True
    needs_law: bool = False


def variable(name: str) -> Callable[[xarray.Dataset], Floats]:
    """Return what reads a variable of runs as it stands."""

    def read(runs: xarray.Dataset) -> Floats:
        values: Floats = runs[name].to_numpy().astype(np.float64)
        return values

    return read
