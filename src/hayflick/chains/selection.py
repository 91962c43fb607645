"""Selection: which draws a verifier or a detector admits to the training set.

The training set keeps its size: drawing continues until enough items are accepted.

References
----------
Feng et al., *Beyond Model Collapse: Scaling Up with Synthesized Data Requires
Verification*, arXiv:2406.07515.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias, final

import numpy as np

from hayflick.chains.degradation import LARGEST_WEIGHTS, read_weights
from hayflick.core import checks
from hayflick.core.arrays import Floats
from hayflick.core.documents import read_json
from hayflick.core.errors import ArgumentError
from hayflick.core.grammar import Entry, Term, number


@final
@dataclass(frozen=True, slots=True)
class Verifier:
    """Accept good symbols with one rate and all others with another.

    Parameters
    ----------
    good
        The symbols that should be accepted.
    true_accept, false_accept
        Rates at which good and other symbols are accepted, from 0 to 1.

    Raises
    ------
    ArgumentError
        If a rate is outside [0, 1], or both are 0: nothing would be left to train on.

    Examples
    --------
    >>> verifier = Verifier(frozenset({"a"}), true_accept=1.0, false_accept=0.5)
    >>> select(np.array([0.5, 0.5]), verifier.acceptance(("a", "b"))).round(3).tolist()
    [0.667, 0.333]
    """

    good: frozenset[str]
    true_accept: float
    false_accept: float

    def __post_init__(self) -> None:
        _rates(self.true_accept, self.false_accept)

    def acceptance(self, symbols: tuple[str, ...]) -> Floats:
        """Return every symbol's chance of being accepted.

        Raises
        ------
        ArgumentError
            If a good symbol is none of the model's.
        """
        unknown = sorted(self.good - set(symbols))
        if unknown:
            raise ArgumentError("verifier", got=repr(unknown[0]), takes="symbols of the model")
        is_good = np.array([symbol in self.good for symbol in symbols])
        return np.where(is_good, self.true_accept, self.false_accept)

    def describe(self) -> dict[str, Any]:
        """Return rates and good symbols, ready for JSON."""
        return {
            "verifier": sorted(self.good),
            "true_accept": self.true_accept,
            "false_accept": self.false_accept,
        }


@final
@dataclass(frozen=True, slots=True)
class Interval(Term):
    """Accept numbers inside an interval with one rate and all others with another.

    Parameters
    ----------
    low, high
        Ends of the interval, in the data's units; low < high.
    true_accept, false_accept
        Rates at which numbers inside and outside are accepted, from 0 to 1.

    Raises
    ------
    ArgumentError
        If the interval is empty, a rate outside [0, 1], or both are 0.

    Examples
    --------
    >>> Interval(40.0, 100.0).describe()
    'interval:low=40.0,high=100.0,true-accept=1.0,false-accept=0.0'
    """

    name: ClassVar[str] = "interval"

    low: float
    high: float
    true_accept: float = 1.0
    false_accept: float = 0.0

    def __post_init__(self) -> None:
        _rates(self.true_accept, self.false_accept)
        if not self.low < self.high:
            raise ArgumentError(
                "interval", got=f"{self.low!r} to {self.high!r}", takes="low < high"
            )


@final
@dataclass(frozen=True, eq=False)
class Quality:
    """Resample draws with weights: a symbol of quality 2 is kept twice as often as one of 1.

    Parameters
    ----------
    weights
        Quality by symbol, at least 0; 1 for symbols that are not named.

    Raises
    ------
    ArgumentError
        If a weight is negative or not finite.

    Examples
    --------
    >>> Quality({"quince": 2.0}).acceptance(("apple", "quince")).tolist()
    [1.0, 2.0]
    """

    weights: Mapping[str, float]

    def __post_init__(self) -> None:
        for symbol, weight in self.weights.items():
            checks.number_between(f"quality of {symbol!r}", weight, low=0.0)

    def acceptance(self, symbols: tuple[str, ...]) -> Floats:
        """Return every symbol's weight.

        Raises
        ------
        ArgumentError
            If a symbol is none of the model's, or none has a weight above 0.
        """
        unknown = sorted(set(self.weights) - set(symbols))
        if unknown:
            raise ArgumentError("quality", got=repr(unknown[0]), takes="symbols of the model")
        weights = np.array([float(self.weights.get(symbol, 1.0)) for symbol in symbols])
        if not weights.any():
            raise ArgumentError("quality", got="0 for every symbol", takes="one weight above 0")
        return weights

    def describe(self) -> dict[str, Any]:
        """Return the weights, ready for JSON."""
        return {"quality": dict(self.weights)}


def select(law: Floats, acceptance: Floats) -> Floats:
    """Return the law of accepted draws; a law of which nothing is accepted is unchanged.

    Parameters
    ----------
    law
        Shape ``(…, symbols)``.
    acceptance
        Chances or weights, shape ``(symbols,)``.
    """
    accepted = law * acceptance
    total = accepted.sum(axis=-1, keepdims=True)
    # A model with nothing acceptable left would draw for ever: it is not selected from.
    return np.where(total > 0.0, accepted / np.where(total > 0.0, total, 1.0), law)


def _rates(true_accept: float, false_accept: float) -> None:
    checks.share("true_accept", true_accept)
    checks.share("false_accept", false_accept)
    if true_accept == false_accept == 0.0:
        takes = "a rate above 0: nothing would be left to train on"
        raise ArgumentError("true_accept, false_accept", got="0 and 0", takes=takes)


Selection: TypeAlias = Verifier | Interval | Quality


def _read_good(file: str) -> frozenset[str]:
    """Return the symbols of a list, or those of a weight above 0."""
    read = read_json(file, what="a JSON list of symbols", at_most=LARGEST_WEIGHTS)
    if isinstance(read, list) and read and all(isinstance(symbol, str) for symbol in read):
        return frozenset(read)
    return frozenset(symbol for symbol, weight in read_weights(file).items() if weight > 0.0)


def _verifier(file: str, true_accept: str = "1", false_accept: str = "0") -> Verifier:
    rates = number("true-accept", true_accept), number("false-accept", false_accept)
    return Verifier(_read_good(file), *rates)


SELECTIONS: Mapping[str, Entry[Selection]] = {
    "interval": Interval.entry(None),
    "verifier": Entry(_verifier, ("file",), ("true-accept", "false-accept")),
    "quality": Entry(lambda file: Quality(read_weights(file)), ("file",)),
}
"""Selections by name."""
