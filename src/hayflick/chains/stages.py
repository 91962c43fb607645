"""The stages of a round that are not the family's own, in one record."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from hayflick.chains.degradation import (
    AdditiveNoise,
    Confusion,
    Contamination,
    Degradation,
    GaussianContamination,
    LabelNoise,
)
from hayflick.chains.rounding import Grid
from hayflick.chains.samplers import (
    Sampler,
    Temperature,
    TopK,
    TopP,
)
from hayflick.chains.selection import (
    Interval,
    Quality,
    Selection,
    Verifier,
    select,
)
from hayflick.core.arrays import Floats
from hayflick.core.checks import number_between
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.grammar import (
    Entry,
    number,
    parse,
    whole,
)


@dataclass(frozen=True, eq=False)
class Stages:
    """What else happens in a round; a stage that is None is absent.

    Parameters
    ----------
    sampler
        Changes a model's law before it is drawn from.
    degradation
        Goes wrong with draws.
    selection
        Lets draws in, or not.
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
        """Return the stages that are not absent, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        absent = {"real_weight": 1.0}
        return {name: v for name, v in values.items() if v is not None and v != absent.get(name)}

    def check(self, family: str, takes: dict[str, tuple[type, ...]]) -> None:
        """Refuse stages that a family does not know.

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
        """Return the stages that are not absent, ready for JSON."""
        return {
            name: stage if isinstance(stage, float) else stage.describe()
            for name, stage in self.given().items()
        }


DISCRETE_DEGRADATIONS = (LabelNoise, Confusion, Contamination)
DISCRETE_SELECTIONS = (Verifier, Quality)


@dataclass(frozen=True, eq=False)
class GeneratedLaw:
    """Sampler, degradation and selection of a law over symbols.

    Parameters
    ----------
    stages
        What happens to draws.
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
        """Return the stages made ready for symbols.

        Raises
        ------
        ArgumentError
            If a stage names symbols that are not there, or is of another size.
        """
        degradation, selection = stages.degradation, stages.selection
        foreign = degradation.foreign(symbols) if isinstance(degradation, Contamination) else None
        acceptance = None
        if isinstance(selection, Verifier | Quality):
            acceptance = selection.acceptance(symbols)
        confusion = degradation.matrix(symbols) if isinstance(degradation, Confusion) else None
        return cls(stages, foreign, confusion, acceptance)

    def of_law(self, law: Floats) -> Floats:
        """Return the law of what arrives, shape ``(…, symbols)`` as given."""
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


SAMPLERS: Mapping[str, Entry[Sampler]] = {
    "temperature": Entry(lambda value: Temperature(number("temperature", value)), ("value",)),
    "top-k": Entry(lambda k: TopK(whole("top-k", k)), ("k",)),
    "top-p": Entry(lambda p: TopP(number("top-p", p)), ("p",)),
}
DEGRADATIONS: Mapping[str, Entry[Degradation]] = {
    "label-noise": Entry(lambda rate: LabelNoise(number("rate", rate)), ("rate",)),
    "contamination": Entry(
        lambda share, file=None: Contamination(number("share", share), _weights(file)),
        ("share",),
        ("file",),
    ),
    "confusion": Entry(lambda file: Confusion(_rows(file)), ("file",)),
    "gaussian-contamination": Entry(
        lambda share, mean, deviation: GaussianContamination(
            number("share", share), number("mean", mean), number("deviation", deviation)
        ),
        ("share", "mean", "deviation"),
    ),
    "noise": Entry(lambda deviation: AdditiveNoise(number("deviation", deviation)), ("deviation",)),
}
SELECTIONS: Mapping[str, Entry[Selection]] = {
    "interval": Entry(
        lambda low, high, **rates: Interval(
            number("low", low), number("high", high), **_rates(**rates)
        ),
        ("low", "high"),
        ("true-accept", "false-accept"),
    ),
    "verifier": Entry(
        lambda file, **rates: Verifier(_good(file), **_rates(**rates)),
        ("file",),
        ("true-accept", "false-accept"),
    ),
    "quality": Entry(lambda file: Quality(_weights(file) or {}), ("file",)),
}
GRIDS: Mapping[str, Entry[Grid]] = {
    "step": Entry(lambda step: Grid(step=number("step", step)), ("step",)),
    "bits": Entry(lambda bits: Grid(bits=whole("bits", bits)), ("bits",)),
}


def parse_stages(
    *,
    sampler: str | None = None,
    degradation: str | None = None,
    selection: str | None = None,
    real_weight: float = 1.0,
    rounding: str | None = None,
) -> Stages:
    """Return stages from their texts; what is None is absent.

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


def _rates(true_accept: str = "1", false_accept: str = "0") -> dict[str, float]:
    return {
        "true_accept": number("true-accept", true_accept),
        "false_accept": number("false-accept", false_accept),
    }


def _good(file: str) -> frozenset[str]:
    """Return the symbols of a list, or those of a weight above 0."""
    read = _json(file)
    if isinstance(read, list) and read and all(isinstance(symbol, str) for symbol in read):
        return frozenset(read)
    return frozenset(symbol for symbol, weight in (_weights(file) or {}).items() if weight > 0.0)


def _weights(file: str | None) -> dict[str, float] | None:
    """Return a JSON object of symbol: weight."""
    if file is None:
        return None
    read = _object(file)
    if not _are_weights(read):
        raise DataError(f"{file}: takes a JSON object of symbol: weight, from 0")
    return {symbol: float(weight) for symbol, weight in read.items()}


def _rows(file: str) -> dict[str, dict[str, float]]:
    """Return a JSON object of symbol: {symbol: chance}."""
    read = _object(file)
    if not all(isinstance(row, dict) and _are_weights(row) for row in read.values()):
        raise DataError(f"{file}: takes a JSON object of symbol: {{symbol: chance}}")
    return read


def _object(file: str) -> dict[str, Any]:
    read = _json(file)
    if not isinstance(read, dict) or not read:
        raise DataError(f"{file}: takes a JSON object by symbol, with at least one")
    return read


def _json(file: str) -> Any:
    try:
        return json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as fault:
        reason = (fault.strerror or "unreadable").lower()
        raise DataError(f"{file}: {reason}; check the path and its permissions") from None
    except (ValueError, RecursionError):
        raise DataError(f"{file}: is no JSON in UTF-8; takes an object by symbol") from None


def _are_weights(values: dict[str, Any]) -> bool:
    numbers = [v for v in values.values() if isinstance(v, int | float) and not isinstance(v, bool)]
    return len(numbers) == len(values) and all(0.0 <= v < math.inf for v in numbers)
