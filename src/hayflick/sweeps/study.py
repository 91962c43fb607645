"""The file of a study, ``study.toml``: which settings are varied, and how cells are computed.

A study is of one of three kinds: `Study` here, and those of `hayflick.sweeps.network_study`.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from typing_extensions import override

from hayflick.core.checks import MOST_GENERATIONS, MOST_REPLICATES
from hayflick.core.refusals import refusal

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


def as_list(value: object) -> object:
    """Return a single value as the list of it."""
    return value if isinstance(value, list) else [value]


def _different(values: list[Any]) -> list[Any]:
    check_values(values)
    return values


def check_values(values: list[Any], *, of: str = "") -> None:
    """Refuse values of a setting that are none, or come twice; `of` is its name."""
    name = f"{of}: " if of else ""
    if not values:
        raise ValueError(f"{name}at least one value; without it the study has no cells")
    if len(set(values)) < len(values):
        raise ValueError(f"{name}values that differ from each other")


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


Name = Annotated[str, Field(min_length=1)]
Rounds = Annotated[int, Field(ge=1, le=MOST_GENERATIONS)]
Seed = Annotated[int, Field(ge=0, lt=2**53)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=1, lt=2**53)]
SEVERAL = (BeforeValidator(as_list), AfterValidator(_different))
"""What makes a list of a value, and wants its values to differ."""

Names = Annotated[list[Name], *SEVERAL]


@dataclass(frozen=True, slots=True)
class Range:
    """How a Latin hypercube spreads a setting from ``low`` to ``high``.

    Parameters
    ----------
    log
        Whether evenly on the scale of logarithms.
    whole
        Whether its values are whole numbers.
    """

    log: bool
    whole: bool


class CellStudy(BaseModel, ABC):
    """What studies of all kinds have in common: settings of one or several values."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    axes: ClassVar[tuple[str, ...]]
    """Settings that can be varied, in the order of the cells: the last one varies fastest."""
    ranges: ClassVar[Mapping[str, Range]]
    """Settings that are ranges where the design is a Latin hypercube."""

    format_version: Literal[1]
    seed: Annotated[list[Seed], *SEVERAL] = Field(default_factory=lambda: [1])
    keep: float | None = Field(default=None, gt=0.0, lt=1.0)
    design: Annotated[str, AfterValidator(_checked_design)] = "grid"

    @model_validator(mode="after")
    def _ranges_of_a_hypercube(self) -> Self:
        if self.number_of_points is None:
            return self
        for name in self.range_settings():
            values = self.values_of(name)
            if len(values) > 2 or (len(values) == 2 and values[0] >= values[1]):
                takes = f"{name}: one value, or [low, high], where design is latin"
                raise ValueError(f"{takes}; it has {list(values)}")
        return self

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

    def settings(self) -> tuple[str, ...]:
        """Return the names of the settings, in the order of the cells."""
        return self.axes

    def values_of(self, name: str) -> Sequence[Any]:
        """Return the values of a setting; none where it is left out."""
        values: Sequence[Any] = getattr(self, name)
        return values

    def range_settings(self) -> Mapping[str, Range]:
        """Return the settings that are ranges of a Latin hypercube."""
        return self.ranges

    @abstractmethod
    def columns(self) -> Mapping[str, type]:
        """Return the settings in the summary, and of which type they are."""

    @property
    @abstractmethod
    def real_setting(self) -> str:
        """The setting that says how much real data a round has."""

    @property
    def is_network(self) -> bool:
        """Whether a cell is a network."""
        return False

    @property
    def measures_distance(self) -> bool:
        """Whether what is kept is the distance of agents, which has a start and a noise floor."""
        return False

    @property
    def varied(self) -> tuple[str, ...]:
        """Names of the settings of several values, in the order of the cells."""
        return tuple(name for name in self.settings() if len(self.values_of(name)) > 1)

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
        for name in self.settings():
            number *= max(1, len(self.values_of(name)))
        return number

    @property
    def most_replicates(self) -> int:
        """Simulated runs of a cell; with a standard error at most so many."""
        return 1

    @property
    def wanted_error(self) -> float | None:
        """The standard error until which runs are added; None for a number of runs."""
        return None

    def parameters(self) -> dict[str, Any]:
        """Return the settings that were given, ready for JSON; lists of one value as the value."""
        given = self.model_dump(mode="json", exclude_unset=True)
        return {
            name: value[0] if name in self.axes and len(value) == 1 else value
            for name, value in given.items()
        }


class SimulatedStudy(CellStudy):
    """A study whose cells have several simulated runs."""

    replicates: int | None = Field(default=None, ge=1, le=MOST_REPLICATES)
    standard_error: float | None = Field(default=None, gt=0.0, lt=1.0)
    fewest_runs: ClassVar[int] = REPLICATES
    """Runs that a standard error is told from, and of a cell where no number is given."""
    most_runs: ClassVar[int] = MOST_ADAPTIVE
    """Runs of a cell with a standard error, at most, where no number is given."""

    @model_validator(mode="after")
    def _enough_replicates(self) -> Self:
        least = self.fewest_runs
        if self.standard_error is not None and (self.replicates or least) < least:
            raise ValueError(f"at least {least} replicates beside standard_error")
        return self

    @property
    @override
    def most_replicates(self) -> int:
        default = self.fewest_runs if self.standard_error is None else self.most_runs
        return self.replicates or default

    @property
    @override
    def wanted_error(self) -> float | None:
        return self.standard_error


class Study(SimulatedStudy):
    """A study of one line of models; `docs/sweeps.md` explains every key.

    A setting is a value or a list of values.

    Examples
    --------
    >>> study = Study.of({
    ...     "format_version": 1, "family": "zipf:100", "generations": 5,
    ...     "samples": [50, 100], "share": [0.0, 0.1, 0.5],
    ... })
    >>> study.samples, study.number_of_cells
    ([50, 100], 6)
    """

    axes = ("family", "estimator", "resampler", "regime", "share", "samples", "generations", "seed")
    ranges: ClassVar[Mapping[str, Range]] = {
        "share": Range(log=False, whole=False),
        "samples": Range(log=True, whole=True),
        "generations": Range(log=True, whole=True),
    }

    kind: Literal["chain"] = "chain"
    family: Names
    corpus: Name | None = None
    column: Name | None = None
    tokenizer: Name | None = None
    estimator: Names = Field(default_factory=list)
    resampler: Names = Field(default_factory=list)
    regime: Names = Field(default_factory=list)
    share: Annotated[list[Share], *SEVERAL] = Field(default_factory=list)
    samples: Annotated[list[Count], *SEVERAL] = Field(default_factory=list)
    generations: Annotated[list[Rounds], *SEVERAL]
    law: Literal["auto", "exact", "branching", "none"] = "auto"

    @model_validator(mode="after")
    def _one_regime(self) -> Self:
        if self.regime and self.share:
            raise ValueError("either regime or share, which is short for fresh:SHARE")
        return self

    @override
    def columns(self) -> Mapping[str, type]:
        numbers = {"share": float, "samples": int, "generations": int, "seed": int}
        return {name: numbers.get(name, str) for name in self.axes}

    @property
    @override
    def real_setting(self) -> str:
        return "share"

    @property
    def chosen_law(self) -> str:
        """The law of the cells: that of the study, and of many cells the quick one."""
        many = self.number_of_cells > MOST_CAREFUL
        return QUICK if self.law == AUTO and many else self.law


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


def canonical(values: Mapping[str, Any]) -> str:
    """Return values as JSON that is the same for the same values."""
    return json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
