"""From a study to its cells: every combination of a grid, or the points of a Latin hypercube."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hayflick.core.errors import ArgumentError
from hayflick.sweeps.study import MOST_DESIGNED, CellStudy, Range, canonical


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination of settings.

    Parameters
    ----------
    number
        Its place in the study, from 1.
    settings
        Its settings by name, without those that the study leaves out.
    """

    number: int
    settings: Mapping[str, Any]

    @property
    def seed(self) -> int:
        """The seed of its random numbers."""
        return int(self.settings["seed"])

    def __str__(self) -> str:
        shown = ", ".join(f"{name} = {value}" for name, value in self.settings.items())
        return f"cell {self.number} ({shown})"

    def identity(self, common: Mapping[str, Any]) -> str:
        """Return an identifier that depends on the settings alone, and on `common`.

        Parameters
        ----------
        common
            What holds for all cells: the content of files, how many runs are simulated.
        """
        return digest_of({**common, **self.settings})


def digest_of(values: Mapping[str, Any]) -> str:
    """Return a short hash of values, the same for the same values."""
    text = canonical(values)
    return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()[:16]


def cells_of(study: CellStudy) -> list[Cell]:
    """Return the cells of a study, numbered from 1.

    Raises
    ------
    ArgumentError
        If there are more than a million.

    Examples
    --------
    >>> from hayflick.sweeps.study import Study
    >>> study = Study.of({
    ...     "format_version": 1, "family": "zipf:100", "generations": 5, "samples": [50, 100],
    ... })
    >>> [str(cell) for cell in cells_of(study)][1]
    'cell 2 (family = zipf:100, samples = 100, generations = 5, seed = 1)'
    """
    number = study.number_of_cells
    if number > MOST_DESIGNED:
        sizes = {name: len(study.values_of(name)) for name in study.settings()}
        lists = " x ".join(f"{size} of {name}" for name, size in sizes.items() if size > 1)
        takes = f"at most {MOST_DESIGNED:,} cells"
        remedy = 'shorten a list, or take design = "latin:POINTS" over ranges'
        got = f"{number:,} cells: {lists or study.design}"
        raise ArgumentError("study", got=got, takes=takes, remedy=remedy)
    points = _grid(study) if study.number_of_points is None else _latin(study)
    return [
        Cell(place, {name: value for name, value in settings.items() if value is not None})
        for place, settings in enumerate(points, 1)
    ]


def _values(study: CellStudy, name: str) -> Sequence[Any]:
    return study.values_of(name) or [None]


def _grid(study: CellStudy) -> Iterator[dict[str, Any]]:
    names = study.settings()
    for values in itertools.product(*(_values(study, name) for name in names)):
        yield dict(zip(names, values, strict=True))


def _latin(study: CellStudy) -> Iterator[dict[str, Any]]:
    """Yield the points of a Latin hypercube over the settings of several values.

    Of names each comes equally often, but for the remainder.
    """
    from scipy.stats import qmc

    varied, ranges = study.varied, study.range_settings()
    fixed = {name: _values(study, name)[0] for name in study.settings()}
    points = study.number_of_points or 0
    rng = np.random.default_rng(study.seed[0])
    drawn = qmc.LatinHypercube(len(varied), seed=rng).random(points) if varied else [()] * points
    for point in drawn:
        found = {
            name: _at(ranges.get(name), study.values_of(name), float(part))
            for name, part in zip(varied, point, strict=True)
        }
        yield {**fixed, **found}


def _at(scale: Range | None, values: Sequence[Any], part: float) -> Any:
    """Return the value at a part from 0 to 1 of a setting's range, or of its list."""
    if scale is None:
        return values[int(part * len(values))]
    low, high = values
    if scale.log:
        value = float(np.exp(np.log(low) + part * (np.log(high) - np.log(low))))
    else:
        value = low + part * (high - low)
    return round(value) if scale.whole else value
