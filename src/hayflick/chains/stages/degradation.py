"""Degradation: what goes wrong with draws on their way into the next training set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np

from hayflick.core import checks
from hayflick.core.arrays import Floats
from hayflick.core.errors import ArgumentError


@final
@dataclass(frozen=True, slots=True)
class LabelNoise:
    """Give a share of the draws another label, each of the others alike.

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

    rate: float

    def __post_init__(self) -> None:
        checks.share("rate", self.rate)

    def degrade(self, law: Floats) -> Floats:
        """Return the law of the labels that arrive, shape as given."""
        others = max(1, law.shape[-1] - 1)
        # With one symbol there is no other label to confuse it with.
        rate = self.rate if law.shape[-1] > 1 else 0.0
        degraded: Floats = (1.0 - rate) * law + rate * (1.0 - law) / others
        return degraded

    def describe(self) -> str:
        """Return the degradation in the grammar of the command line."""
        return f"label-noise:rate={self.rate:g}"


@final
@dataclass(frozen=True, eq=False)
class Confusion:
    """Label noise by a confusion matrix.

    Parameters
    ----------
    matrix
        Pr(label j arrives | label i was drawn), shape ``(symbols, symbols)``, in the order
        of the model's symbols; every row sums to 1.

    Raises
    ------
    ArgumentError
        If it is not square, or a row is no law.

    Examples
    --------
    >>> Confusion(np.array([[0.9, 0.1], [0.0, 1.0]])).degrade(np.array([0.5, 0.5])).tolist()
    [0.45, 0.55]
    """

    matrix: Floats

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64)
        square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1]
        if not (square and (matrix >= 0).all() and np.allclose(matrix.sum(axis=1), 1.0)):
            takes = "a square matrix whose rows are laws"
            raise ArgumentError("confusion", got=f"shape {matrix.shape}", takes=takes)
        object.__setattr__(self, "matrix", matrix)

    def check(self, symbols: int) -> None:
        """Refuse a model of another number of symbols.

        Raises
        ------
        ArgumentError
            If the matrix is not of that size.
        """
        if len(self.matrix) != symbols:
            takes = f"a matrix of the model's {symbols} symbols"
            raise ArgumentError("confusion", got=f"shape {self.matrix.shape}", takes=takes)

    def degrade(self, law: Floats) -> Floats:
        """Return the law of the labels that arrive, shape as given."""
        degraded: Floats = law @ self.matrix
        return degraded

    def describe(self) -> str:
        """Return what it is."""
        return f"confusion:matrix of {len(self.matrix)} symbols"


@final
@dataclass(frozen=True, eq=False)
class Contamination:
    """Let a share of the draws come from another law.

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
        if unknown or not (weights >= 0.0).all() or not weights.sum() > 0.0:
            got = f"{unknown[0]!r}" if unknown else "no weight above 0"
            raise ArgumentError("contamination", got=got, takes="weights of the model's symbols")
        foreign: Floats = weights / weights.sum()
        return foreign

    def degrade(self, law: Floats, foreign: Floats | None = None) -> Floats:
        """Return the law of what arrives, shape as given."""
        other = 1.0 / law.shape[-1] if foreign is None else foreign
        degraded: Floats = (1.0 - self.share) * law + self.share * other
        return degraded

    def describe(self) -> str:
        """Return the degradation in the grammar of the command line."""
        return f"contamination:share={self.share:g}"


@final
@dataclass(frozen=True, slots=True)
class GaussianContamination:
    """Let a share of numeric draws come from another Gaussian.

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
    """

    share: float
    mean: float
    deviation: float

    def __post_init__(self) -> None:
        checks.share("share", self.share)
        checks.finite_number("mean", self.mean)
        checks.number_between("deviation", self.deviation, low=0.0)

    def describe(self) -> str:
        """Return the degradation in the grammar of the command line."""
        parts = f"share={self.share:g},mean={self.mean:g},deviation={self.deviation:g}"
        return f"gaussian-contamination:{parts}"


@final
@dataclass(frozen=True, slots=True)
class AdditiveNoise:
    """Add independent Gaussian noise to every numeric draw.

    Parameters
    ----------
    deviation
        Standard deviation of the noise, in the data's units, at least 0.

    Raises
    ------
    ArgumentError
        If `deviation` is negative or not finite.
    """

    deviation: float

    def __post_init__(self) -> None:
        checks.number_between("deviation", self.deviation, low=0.0)

    def describe(self) -> str:
        """Return the degradation in the grammar of the command line."""
        return f"noise:deviation={self.deviation:g}"


Degradation: TypeAlias = (
    LabelNoise | Confusion | Contamination | GaussianContamination | AdditiveNoise
)
