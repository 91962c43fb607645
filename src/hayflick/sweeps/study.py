"""The file of a study, ``study.toml``: which settings are varied, and how cells are computed."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from hayflick.core.checks import MOST_GENERATIONS, MOST_REPLICATES
from hayflick.core.documents import read_small_text
from hayflick.core.errors import ArgumentError
from hayflick.core.refusals import refusal
from hayflick.core.toml import parse_toml

AXES = ("family", "estimator", "resampler", "regime", "share", "samples", "generations", "seed")
"""Settings that can be varied, in the order of the cells: the last one varies fastest."""

IDEAL = "none"
"""Name of the ideal trainer among resamplers."""

NO_LAW = "none"
"""Where a study wants no law: everything is simulated."""

AUTO, QUICK = "auto", "quick"
"""The exact law where it takes about a second, as in a forecast; where it takes milliseconds."""

MOST_CAREFUL = 100
"""Cells of a study whose laws are chosen as a forecast chooses them; of more the quick one."""

REPLICATES, MOST_ADAPTIVE = 64, 65_536
"""Simulated runs of a cell where no number is given, and at most with a standard error."""

MOST_DESIGNED = 1_000_000
"""Cells of a study at most."""


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _different(values: list[Any]) -> list[Any]:
    if not values:
        raise ValueError("at least one value; without it the study has no cells")
    if len(set(values)) < len(values):
        raise ValueError("values that differ from each other")
    return values


def _points(design: str) -> int | None:
    """Return the number of points of a Latin hypercube; None for a grid."""
    if design == "grid":
        return None
    found = re.fullmatch(r"latin:(?:points=)?([0-9]{1,9})", design)
    if found is None or not int(found[1]):
        raise ValueError("grid or latin:POINTS")
    return int(found[1])


def _checked_design(design: str) -> str:
    _points(design)
    return design


_Name = Annotated[str, Field(min_length=1)]
_Share = Annotated[float, Field(ge=0.0, le=1.0)]
_Samples = Annotated[int, Field(ge=1, lt=2**53)]
_Rounds = Annotated[int, Field(ge=1, le=MOST_GENERATIONS)]
_Seed = Annotated[int, Field(ge=0, lt=2**53)]
_Several = (BeforeValidator(_listed), AfterValidator(_different))
_Names = Annotated[list[_Name], *_Several]


class Study(BaseModel):
    """A study; `docs/sweeps.md` explains every key. A setting is a value or a list of values.

    Examples
    --------
    >>> study = Study.of({
    ...     "format_version": 1, "family": "zipf:100", "generations": 5,
    ...     "samples": [50, 100], "share": [0.0, 0.1, 0.5],
    ... })
    >>> study.samples, study.number_of_cells
    ([50, 100], 6)
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    format_version: Literal[1]
    family: _Names
    corpus: _Name | None = None
    column: _Name | None = None
    tokenizer: _Name | None = None
    estimator: _Names = Field(default_factory=list)
    resampler: _Names = Field(default_factory=list)
    regime: _Names = Field(default_factory=list)
    share: Annotated[list[_Share], *_Several] = Field(default_factory=list)
    samples: Annotated[list[_Samples], *_Several] = Field(default_factory=list)
    generations: Annotated[list[_Rounds], *_Several]
    seed: Annotated[list[_Seed], *_Several] = Field(default_factory=lambda: [1])
    replicates: int | None = Field(default=None, ge=1, le=MOST_REPLICATES)
    standard_error: float | None = Field(default=None, gt=0.0, lt=1.0)
    law: Literal["auto", "exact", "branching", "none"] = "auto"
    keep: float | None = Field(default=None, gt=0.0, lt=1.0)
    design: Annotated[str, AfterValidator(_checked_design)] = "grid"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.regime and self.share:
            raise ValueError("either regime or share, which is short for fresh:SHARE")
        if self.standard_error is not None and (self.replicates or REPLICATES) < REPLICATES:
            raise ValueError(f"at least {REPLICATES} replicates beside standard_error")
        if self.number_of_points is not None:
            self._check_ranges()
        return self

    def _check_ranges(self) -> None:
        for name in ("share", "samples", "generations"):
            values = getattr(self, name)
            if len(values) > 2 or (len(values) == 2 and values[0] >= values[1]):
                takes = f"{name}: one value, or [low, high], where design is latin"
                raise ValueError(f"{takes}; it has {values}")

    @classmethod
    def of(cls, values: Mapping[str, Any], *, name: str = "study", text: str = "") -> Self:
        """Return the study of the values of a file.

        Parameters
        ----------
        values
            By key.
        name
            Name of the values in messages.
        text
            The text of the file, in which messages find the line of a key.

        Raises
        ------
        ArgumentError
            If a key is unknown (the nearest is offered) or missing, a value is out of its range,
            or a study would have no cells, or more than a million.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as fault:
            raise refusal(_place(fault, name, text), fault, model=cls) from None

    @property
    def number_of_points(self) -> int | None:
        """Number of points of a Latin hypercube; None for a grid."""
        return _points(self.design)

    @property
    def number_of_cells(self) -> int:
        """How many cells there are, counted without making them."""
        points = self.number_of_points
        if points is not None:
            return points
        number = 1
        for name in AXES:
            number *= max(1, len(getattr(self, name)))
        return number

    @property
    def chosen_law(self) -> str:
        """The law of the cells: that of the study, and of many cells the quick one."""
        many = self.number_of_cells > MOST_CAREFUL
        return QUICK if self.law == AUTO and many else self.law

    @property
    def most_replicates(self) -> int:
        """Simulated runs of a cell; with a standard error at most so many."""
        default = REPLICATES if self.standard_error is None else MOST_ADAPTIVE
        return self.replicates or default

    def parameters(self) -> dict[str, Any]:
        """Return the settings that were given, ready for JSON; lists of one value as the value."""
        given = self.model_dump(mode="json", exclude_unset=True)
        return {
            name: value[0] if name in AXES and len(value) == 1 else value
            for name, value in given.items()
        }


def _place(fault: ValidationError, name: str, text: str) -> str:
    """Return the name of a study for a message, with the line of the key at fault."""
    faults = fault.errors(include_url=False, include_context=False)
    first = next((one for one in faults if one["type"] == "extra_forbidden"), faults[0])
    key = str(first["loc"][0]) if first["loc"] else ""
    if not key:
        # Of several keys together; the message begins with one of them where it is about one.
        key = first["msg"].removeprefix("Value error, ").partition(":")[0]
    found = re.search(rf"^[ \t]*[\"']?{re.escape(key)}[\"']?[ \t]*=", text, re.MULTILINE)
    return name if found is None else f"{name}, line {text.count(chr(10), 0, found.end()) + 1}"


def read_study(path: str | os.PathLike[str]) -> Study:
    """Return the study of a TOML file.

    Raises
    ------
    DataError
        If the file cannot be read, or is no TOML.
    ArgumentError
        If a key or a value is not understood; its line is named.
    """
    text = read_small_text(path, what="a study (.toml)")
    name = str(Path(path))
    return Study.of(parse_toml(text, name=name), name=name, text=text)


def study_in(study: Study | Mapping[str, Any] | str | os.PathLike[str]) -> tuple[Study, Path]:
    """Return a study, read if it is a file, and the folder of the files that it names.

    Raises
    ------
    DataError, ArgumentError
        As `read_study`.
    """
    if isinstance(study, Study):
        return study, Path()
    if isinstance(study, Mapping):
        return Study.of(study), Path()
    if isinstance(study, str | os.PathLike):
        return read_study(study), Path(study).parent
    takes = "a study file (.toml), its values by key, or a hayflick.Study"
    raise ArgumentError("study", got=study, takes=takes)


def canonical(values: Mapping[str, Any]) -> str:
    """Return values as JSON that is the same for the same values."""
    return json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
