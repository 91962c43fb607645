"""Degradation: errors in generated items before they enter the next training set."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias, final

import numpy as np

from hayflick.core import checks
from hayflick.core.arrays import Floats
from hayflick.core.documents import read_json
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.grammar import Entry, Term, number

LARGEST_WEIGHTS = 64 << 20
"""Bytes of a JSON file of weights or chances, which has an entry for every symbol."""

_ROUNDING = 1e-6


@final
@dataclass(frozen=True, slots=True)
class LabelNoise(Term):
    """Replace the labels of a share of the draws by others, chosen uniformly.

    Parameters
    ----------
    rate
        Share of draws whose label is wrong, from 0 to 1.

    Raises
    ------
    ArgumentError
        If `rate` is outside [0, 1].

    Examples
    --------
    >>> LabelNoise(0.1).degrade(np.array([0.9, 0.1, 0.0])).round(3).tolist()
    [0.815, 0.135, 0.05]
    """

    name: ClassVar[str] = "label-noise"

    rate: float

    def __post_init__(self) -> None:
        checks.share("rate", self.rate)

    def degrade(self, law: Floats) -> Floats:
        """Return the law of the labels that arrive, shape as given."""
        others = max(1, law.shape[-1] - 1)
        # A single symbol has no other label.
        rate = self.rate if law.shape[-1] > 1 else 0.0
        degraded: Floats = (1.0 - rate) * law + rate * (1.0 - law) / others
        return degraded


@final
@dataclass(frozen=True, eq=False)
class Confusion:
    """Label noise by a confusion matrix.

    Parameters
    ----------
    rows
        Chances of the labels that arrive, by the label that was drawn; they add up to 1. A
        label without a row arrives as it was drawn.

    Raises
    ------
    ArgumentError
        If a row is no law.

    Examples
    --------
    >>> noise = Confusion({"cat": {"cat": 0.9, "dog": 0.1}})
    >>> (np.array([0.5, 0.5]) @ noise.matrix(("cat", "dog"))).tolist()
    [0.45, 0.55]
    """

    rows: Mapping[str, Mapping[str, float]]

    def __post_init__(self) -> None:
        for label, row in self.rows.items():
            total = sum(row.values())
            if min(row.values(), default=0.0) < 0.0 or not abs(total - 1.0) < _ROUNDING:
                takes = "chances of at least 0 that add up to 1"
                got = f"{total!r} in all for {label!r}"
                raise ArgumentError("confusion", got=got, takes=takes)

    def matrix(self, symbols: tuple[str, ...]) -> Floats:
        """Return Pr(label j arrives | label i was drawn), shape ``(symbols, symbols)``.

        Raises
        ------
        ArgumentError
            If a label is none of the model's symbols.
        """
        place = {symbol: number for number, symbol in enumerate(symbols)}
        matrix = np.eye(len(symbols))
        for label, row in self.rows.items():
            unknown = sorted({label, *row} - set(symbols))
            if unknown:
                takes = "symbols of the model"
                raise ArgumentError("confusion", got=repr(unknown[0]), takes=takes)
            matrix[place[label]] = 0.0
            for other, chance in row.items():
                matrix[place[label], place[other]] = chance / sum(row.values())
        return matrix

    def describe(self) -> dict[str, Any]:
        """Return the rows, ready for JSON."""
        return {"confusion": {label: dict(row) for label, row in self.rows.items()}}


@final
@dataclass(frozen=True, eq=False)
class Contamination:
    """Draw a share of the items from another law.

    Parameters
    ----------
    share
        Share of draws that are foreign, from 0 to 1.
    law
        The foreign law by symbol; the uniform law where None.

    Raises
    ------
    ArgumentError
        If `share` is outside [0, 1].

    Examples
    --------
    >>> Contamination(0.5).degrade(np.array([1.0, 0.0])).tolist()
    [0.75, 0.25]
    """

    share: float
    law: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        checks.share("share", self.share)

    def foreign(self, symbols: tuple[str, ...]) -> Floats:
        """Return the foreign law in the order of `symbols`.

        Raises
        ------
        ArgumentError
            If it names other symbols, or none with a weight above 0.
        """
        if self.law is None:
            return np.full(len(symbols), 1.0 / len(symbols))
        unknown = sorted(set(self.law) - set(symbols))
        weights = np.array([self.law.get(symbol, 0.0) for symbol in symbols])
        if unknown or not (weights >= 0.0).all() or not weights.max() > 0.0:
            got = f"{unknown[0]!r}" if unknown else "no weight above 0"
            raise ArgumentError("contamination", got=got, takes="weights of the model's symbols")
        # Relative to the largest, so that no sum is infinite.
        weights = weights / weights.max()
        foreign: Floats = weights / weights.sum()
        return foreign

    def degrade(self, law: Floats, foreign: Floats | None = None) -> Floats:
        """Return the law of what arrives, shape as given."""
        other = 1.0 / law.shape[-1] if foreign is None else foreign
        degraded: Floats = (1.0 - self.share) * law + self.share * other
        return degraded

    def describe(self) -> Any:
        """Return share and law; in the grammar of the command line where that is uniform."""
        if self.law is None:
            return f"contamination:share={self.share!r}"
        return {"contamination": self.share, "law": dict(self.law)}


@final
@dataclass(frozen=True, slots=True)
class GaussianContamination(Term):
    """Draw a share of the numbers from another Gaussian.

    Parameters
    ----------
    share
        Share of draws that are foreign, from 0 to 1.
    mean, deviation
        Of the foreign law, in the data's units; the deviation is at least 0.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> GaussianContamination(0.05, mean=120.0, deviation=5.0).describe()
    'gaussian-contamination:share=0.05,mean=120.0,deviation=5.0'
    """

    name: ClassVar[str] = "gaussian-contamination"

    share: float
    mean: float
    deviation: float

    def __post_init__(self) -> None:
        checks.share("share", self.share)
        checks.finite_number("mean", self.mean)
        checks.number_between("deviation", self.deviation, low=0.0, high=checks.LARGEST_SIZE)


@final
@dataclass(frozen=True, slots=True)
class AdditiveNoise(Term):
    """Add independent Gaussian noise to every numeric draw.

    Parameters
    ----------
    deviation
        Standard deviation of the noise, in the data's units, at least 0.

    Raises
    ------
    ArgumentError
        If `deviation` is negative or not finite.

    Examples
    --------
    >>> AdditiveNoise(0.5).describe()
    'noise:deviation=0.5'
    """

    name: ClassVar[str] = "noise"

    deviation: float

    def __post_init__(self) -> None:
        checks.number_between("deviation", self.deviation, low=0.0, high=checks.LARGEST_SIZE)


Degradation: TypeAlias = (
    LabelNoise | Confusion | Contamination | GaussianContamination | AdditiveNoise
)

DEGRADATIONS: Mapping[str, Entry[Degradation]] = {
    "label-noise": LabelNoise.entry(None),
    "contamination": Entry(
        lambda share, file=None: Contamination(
            number("share", share), None if file is None else read_weights(file)
        ),
        ("share",),
        ("file",),
    ),
    "confusion": Entry(lambda file: Confusion(_read_rows(file)), ("file",)),
    "gaussian-contamination": GaussianContamination.entry(None),
    "noise": AdditiveNoise.entry(None),
}
"""Degradations by name."""


def read_weights(file: str) -> dict[str, float]:
    """Return a JSON object of symbol: weight.

    Raises
    ------
    DataError
        If the file is none.
    """
    read = _read_object(file)
    if not _are_weights(read):
        raise DataError(f"{file}: takes a JSON object of symbol: weight, from 0")
    return {symbol: float(weight) for symbol, weight in read.items()}


def _read_rows(file: str) -> dict[str, dict[str, float]]:
    """Return a JSON object of symbol: {symbol: chance}."""
    read = _read_object(file)
    if not all(isinstance(row, dict) and _are_weights(row) for row in read.values()):
        raise DataError(f"{file}: takes a JSON object of symbol: {{symbol: chance}}")
    return read


def _read_object(file: str) -> dict[str, Any]:
    read = read_json(file, what="a JSON object by symbol", at_most=LARGEST_WEIGHTS)
    if not isinstance(read, dict) or not read:
        raise DataError(f"{file}: takes a JSON object by symbol, with at least one")
    return read


def _are_weights(values: dict[str, Any]) -> bool:
    numbers = [v for v in values.values() if isinstance(v, int | float) and not isinstance(v, bool)]
    return len(numbers) == len(values) and all(0.0 <= v < math.inf for v in numbers)
