"""From a study to its cells: every combination of a grid, or the points of a Latin hypercube."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hayflick.core.errors import ArgumentError
from hayflick.sweeps.study import AXES, MOST_DESIGNED, Study, canonical

_RANGES = ("share", "samples", "generations")


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination of settings.

    Parameters
    ----------
    number
        Its place in the study, from 1.
    family, estimator, resampler, regime, share, samples, generations, seed
        Its settings; None where the study leaves one out. Of `regime` and `share` one is given.
    """

    number: int
    family: str
    estimator: str | None
    resampler: str | None
    regime: str | None
    share: float | None
    samples: int | None
    generations: int
    seed: int

    @property
    def settings(self) -> dict[str, Any]:
        """The settings by name, without those that are left out."""
        found = {name: getattr(self, name) for name in AXES}
        return {name: value for name, value in found.items() if value is not None}

    @property
    def regime_text(self) -> str:
        """The regime in the grammar of the command line."""
        if self.share is not None:
            return f"fresh:{self.share!r}"
        return self.regime or "replace"

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
        text = canonical({**common, **self.settings})
        return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()[:16]


def cells_of(study: Study) -> list[Cell]:
    """Return the cells of a study, numbered from 1.

    Raises
    ------
    ArgumentError
        If there are more than a million.

    Examples
    --------
    >>> study = Study.of({
    ...     "format_version": 1, "family": "zipf:100", "generations": 5, "samples": [50, 100],
    ... })
    >>> [str(cell) for cell in cells_of(study)][1]
    'cell 2 (family = zipf:100, samples = 100, generations = 5, seed = 1)'
    """
    number = study.number_of_cells
    if number > MOST_DESIGNED:
        sizes = {name: len(getattr(study, name)) for name in AXES}
        lists = " x ".join(f"{size} of {name}" for name, size in sizes.items() if size > 1)
        takes = f"at most {MOST_DESIGNED:,} cells"
        remedy = 'shorten a list, or take design = "latin:POINTS" over ranges'
        got = f"{number:,} cells: {lists or study.design}"
        raise ArgumentError("study", got=got, takes=takes, remedy=remedy)
    points = _grid(study) if study.number_of_points is None else _latin(study)
    return [Cell(place, **settings) for place, settings in enumerate(points, 1)]


def _values(study: Study, name: str) -> Sequence[Any]:
    return getattr(study, name) or [None]


def _grid(study: Study) -> Iterator[dict[str, Any]]:
    for values in itertools.product(*(_values(study, name) for name in AXES)):
        yield dict(zip(AXES, values, strict=True))


def _latin(study: Study) -> Iterator[dict[str, Any]]:
    """Yield the points of a Latin hypercube over the settings of several values.

    Sizes and rounds are spread evenly on the scale of logarithms; of names each comes equally
    often, but for the remainder.
    """
    from scipy.stats import qmc

    varied = [name for name in AXES if len(_values(study, name)) > 1]
    fixed = {name: _values(study, name)[0] for name in AXES}
    points = study.number_of_points or 0
    rng = np.random.default_rng(study.seed[0])
    drawn = qmc.LatinHypercube(len(varied), seed=rng).random(points) if varied else [()] * points
    for point in drawn:
        found = {
            name: _at(name, _values(study, name), float(part))
            for name, part in zip(varied, point, strict=True)
        }
        yield {**fixed, **found}


def _at(name: str, values: Sequence[Any], part: float) -> Any:
    """Return the value at a part from 0 to 1 of a setting's range, or of its list."""
    if name not in _RANGES:
        return values[int(part * len(values))]
    low, high = values
    if name == "share":
        return low + part * (high - low)
    return round(float(np.exp(np.log(low) + part * (np.log(high) - np.log(low)))))
