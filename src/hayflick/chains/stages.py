"""The stages of a round that are not the family's own, in one record; rounding among them.

The range of values that an estimator can take is a cause of collapse by itself: where the
next value below is 0, a chain is absorbed there (Suresh et al., arXiv:2412.17646, section 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, final

import numpy as np

from hayflick.chains.degradation import (
    DEGRADATIONS,
    Confusion,
    Contamination,
    Degradation,
    LabelNoise,
)
from hayflick.chains.samplers import SAMPLERS, Sampler, Temperature, TopK, TopP
from hayflick.chains.selection import SELECTIONS, Quality, Selection, Verifier, select
from hayflick.core.arrays import Floats
from hayflick.core.checks import number_between, positive_number, whole_number
from hayflick.core.errors import ArgumentError
from hayflick.core.grammar import Entry, number, parse, whole

_MOST_BITS = 52


@final
@dataclass(frozen=True, slots=True)
class Grid:
    """Round parameters to the nearest multiple of a step.

    Parameters
    ----------
    step
        Distance between values, in the parameter's units; above 0.
    bits
        In its place: 2^bits values per unit of the family (1 for probabilities, the real
        data's rate or standard deviation otherwise), from 1 to 52.

    Raises
    ------
    ArgumentError
        If not exactly one of them is given, or it is out of its range.

    Examples
    --------
    >>> Grid(bits=2).rounded(np.array([0.1, 0.3, 0.9]), unit=1.0).tolist()
    [0.0, 0.25, 1.0]
    """

    step: float | None = None
    bits: int | None = None

    def __post_init__(self) -> None:
        if (self.step is None) == (self.bits is None):
            raise ArgumentError("grid", got=f"{self.step}, {self.bits}", takes="a step or bits")
        if self.step is not None:
            positive_number("step", self.step)
        else:
            whole_number("bits", self.bits, at_least=1, at_most=_MOST_BITS)

    def step_for(self, unit: float) -> float:
        """Return the distance between values, for a family of that unit."""
        return float(self.step) if self.step is not None else unit * 0.5 ** (self.bits or 0)

    def rounded(self, values: Floats, *, unit: float) -> Floats:
        """Return values on the grid."""
        step = self.step_for(unit)
        with np.errstate(over="ignore"):
            steps = values / step
        # A step too small to divide by does not round.
        return np.where(np.isfinite(steps), np.round(steps) * step, values)

    def describe(self) -> str:
        """Return the grid in the grammar of the command line."""
        return f"step:{self.step!r}" if self.step is not None else f"bits:{self.bits}"


def law_on_grid(law: Floats, grid: Grid) -> Floats:
    """Return rounded laws, normalised; one that rounds to 0 keeps its largest value.

    Parameters
    ----------
    law
        Shape ``(…, symbols)``.
    grid
        Where its values may lie.

    Examples
    --------
    >>> law_on_grid(np.array([0.6, 0.3, 0.1]), Grid(bits=2)).round(3).tolist()
    [0.667, 0.333, 0.0]
    """
    rounded = grid.rounded(law, unit=1.0)
    largest = law == law.max(axis=-1, keepdims=True)
    first = largest & (np.cumsum(largest, axis=-1) == 1)
    kept = np.where(rounded.any(axis=-1, keepdims=True), rounded, first)
    normalised: Floats = kept / kept.sum(axis=-1, keepdims=True)
    return normalised


GRIDS: Mapping[str, Entry[Grid]] = {
    "step": Entry(lambda step: Grid(step=number("step", step)), ("step",)),
    "bits": Entry(lambda bits: Grid(bits=whole("bits", bits)), ("bits",)),
}
"""Grids by name."""


@dataclass(frozen=True, eq=False)
class Stages:
    """The optional stages of a round; None leaves a stage out.

    Parameters
    ----------
    sampler
        Change of a model's law before drawing.
    degradation
        Errors in generated items.
    selection
        Which generated items are accepted.
    real_weight
        Weight of a real item in the fit, a generated one weighing 1; above 0.
    rounding
        Grid of the fitted parameters.

    Raises
    ------
    ArgumentError
        If `real_weight` is out of its range.

    Examples
    --------
    >>> from hayflick.chains.samplers import TopK
    >>> Stages(sampler=TopK(40)).describe()
    {'sampler': 'top-k:40'}
    """

    sampler: Sampler | None = None
    degradation: Degradation | None = None
    selection: Selection | None = None
    real_weight: float = 1.0
    rounding: Grid | None = None

    def __post_init__(self) -> None:
        weight = number_between("real_weight", self.real_weight, low=1e-9, high=1e9)
        object.__setattr__(self, "real_weight", weight)

    def given(self) -> dict[str, Any]:
        """Return the chosen stages by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        absent = {"real_weight": 1.0}
        return {name: v for name, v in values.items() if v is not None and v != absent.get(name)}

    def check(self, family: str, takes: Mapping[str, tuple[type, ...]]) -> None:
        """Refuse stages that a family does not take.

        Parameters
        ----------
        family
            Its name.
        takes
            The types that it takes, by stage.

        Raises
        ------
        ArgumentError
            If another is given.
        """
        for name, stage in self.given().items():
            known = takes.get(name, ())
            if not isinstance(stage, known):
                got = stage if isinstance(stage, float) else type(stage).__name__
                names = ", ".join(kind.__name__ for kind in known) or "none"
                raise ArgumentError(name, got=got, takes=f"for the family {family}: {names}")

    def describe(self) -> dict[str, Any]:
        """Return the chosen stages, ready for JSON."""
        return {
            name: stage if isinstance(stage, float) else stage.describe()
            for name, stage in self.given().items()
        }


DISCRETE_STAGES: Mapping[str, tuple[type, ...]] = {
    "sampler": (Temperature, TopK, TopP),
    "degradation": (LabelNoise, Confusion, Contamination),
    "selection": (Verifier, Quality),
    "real_weight": (float,),
    "rounding": (Grid,),
}
"""Stages of families that count symbols."""


@dataclass(frozen=True, eq=False)
class GeneratedLaw:
    """Sampler, degradation and selection of a law over symbols.

    Parameters
    ----------
    stages
        The stages of a round.
    foreign
        The contaminating law; None without contamination.
    confusion
        The confusion matrix; None without one.
    acceptance
        Chances of being accepted; None without selection.
    """

    stages: Stages
    foreign: Floats | None
    confusion: Floats | None
    acceptance: Floats | None

    @classmethod
    def of(cls, stages: Stages, symbols: tuple[str, ...]) -> GeneratedLaw:
        """Return the stages, prepared for these symbols.

        Raises
        ------
        ArgumentError
            If a stage names symbols that the model lacks.
        """
        degradation, selection = stages.degradation, stages.selection
        foreign = degradation.foreign(symbols) if isinstance(degradation, Contamination) else None
        acceptance = None
        if isinstance(selection, Verifier | Quality):
            acceptance = selection.acceptance(symbols)
        confusion = degradation.matrix(symbols) if isinstance(degradation, Confusion) else None
        return cls(stages, foreign, confusion, acceptance)

    def of_law(self, law: Floats) -> Floats:
        """Return the law of items entering the training set, shape ``(…, symbols)`` as given."""
        degradation = self.stages.degradation
        if self.stages.sampler is not None:
            law = self.stages.sampler.reweight(law)
        if isinstance(degradation, Contamination):
            law = degradation.degrade(law, self.foreign)
        elif isinstance(degradation, LabelNoise):
            law = degradation.degrade(law)
        elif self.confusion is not None:
            law = law @ self.confusion
        return law if self.acceptance is None else select(law, self.acceptance)


def parse_stages(
    *,
    sampler: str | None = None,
    degradation: str | None = None,
    selection: str | None = None,
    real_weight: float = 1.0,
    rounding: str | None = None,
) -> Stages:
    """Return the stages that texts describe; None leaves a stage out.

    Raises
    ------
    ArgumentError
        If a text is not understood, or a value out of its range.
    DataError
        If a file that a text names cannot be read.

    Examples
    --------
    >>> parse_stages(sampler="top-k:40", rounding="bits:8").describe()
    {'sampler': 'top-k:40', 'rounding': 'bits:8'}
    """
    return Stages(
        sampler=None if sampler is None else parse("sampler", sampler, SAMPLERS),
        degradation=None if degradation is None else parse("degrade", degradation, DEGRADATIONS),
        selection=None if selection is None else parse("select", selection, SELECTIONS),
        real_weight=real_weight,
        rounding=None if rounding is None else parse("round", rounding, GRIDS),
    )
