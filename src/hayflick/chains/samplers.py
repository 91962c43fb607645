"""Samplers: temperature, top-k and top-p, applied to a model's law before drawing.

References
----------
Holtzman et al., *The Curious Case of Neural Text Degeneration*, arXiv:1904.09751 (top-p);
Fan, Lewis, Dauphin, *Hierarchical Neural Story Generation*, arXiv:1805.04833 (top-k).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Protocol, Self, cast, final

import numpy as np
from typing_extensions import override

from hayflick.core.arrays import Floats
from hayflick.core.checks import number_between, positive_number, whole_number
from hayflick.core.grammar import Entry, Term, number, whole


class Sampler(Protocol):
    """A change of a law before anything is drawn from it."""

    def reweight(self, law: Floats) -> Floats:
        """Return the changed law, normalised, shape ``(…, symbols)`` as given."""

    def describe(self) -> str:
        """Return the sampler in the grammar of the command line."""


class _Valued(Term):
    """A sampler with one value, written without its key; messages call it by its name."""

    __slots__ = ()

    key: ClassVar[str]

    @classmethod
    @override
    def entry(cls, data: Any) -> Entry[Self]:
        (field,) = fields(cast(Any, cls))
        read = whole if field.type == "int" else number
        return Entry(lambda **texts: cls(read(cls.name, *texts.values())), (cls.key,))  # type: ignore[call-arg]

    @override
    def describe(self) -> str:
        (field,) = fields(cast(Any, self))
        return f"{self.name}:{getattr(self, field.name)!r}"


@final
@dataclass(frozen=True, slots=True)
class Temperature(_Valued):
    """Draw from p^(1/T), normalised: T below 1 favours frequent symbols, above 1 rare ones.

    Parameters
    ----------
    value
        T, above 0.

    Raises
    ------
    ArgumentError
        If `value` is not above 0.

    Examples
    --------
    >>> Temperature(0.5).reweight(np.array([0.8, 0.2, 0.0])).round(4).tolist()
    [0.9412, 0.0588, 0.0]
    """

    name: ClassVar[str] = "temperature"
    key: ClassVar[str] = "value"

    value: float

    def __post_init__(self) -> None:
        positive_number("temperature", self.value)

    def reweight(self, law: Floats) -> Floats:
        """Return the changed law."""
        # Relative to the largest, so that no power underflows to zeros alone.
        relative = law / law.max(axis=-1, keepdims=True)
        return _normalised(relative ** (1.0 / self.value))


@final
@dataclass(frozen=True, slots=True)
class TopK(_Valued):
    """Draw from the k most probable symbols; ties go to the first ones.

    Parameters
    ----------
    number
        k, at least 1.

    Raises
    ------
    ArgumentError
        If `number` is below 1: nothing would be left to draw.

    Examples
    --------
    >>> TopK(2).reweight(np.array([0.5, 0.2, 0.3])).round(3).tolist()
    [0.625, 0.0, 0.375]
    """

    name: ClassVar[str] = "top-k"
    key: ClassVar[str] = "k"

    number: int

    def __post_init__(self) -> None:
        whole_number("top-k", self.number, at_least=1)

    def reweight(self, law: Floats) -> Floats:
        """Return the changed law."""
        return _kept(law, _rank(law) < self.number)


@final
@dataclass(frozen=True, slots=True)
class TopP(_Valued):
    """Draw from the smallest set of symbols that holds a mass of at least p.

    Parameters
    ----------
    mass
        p, above 0 and at most 1.

    Raises
    ------
    ArgumentError
        If `mass` is outside of (0, 1]: nothing would be left to draw.

    Examples
    --------
    >>> TopP(0.7).reweight(np.array([0.5, 0.2, 0.3])).round(3).tolist()
    [0.625, 0.0, 0.375]
    """

    name: ClassVar[str] = "top-p"
    key: ClassVar[str] = "p"

    mass: float

    def __post_init__(self) -> None:
        number_between("top-p", self.mass, low=0.0, high=1.0)
        positive_number("top-p", self.mass)

    def reweight(self, law: Floats) -> Floats:
        """Return the changed law."""
        rank = _rank(law)
        ordered = np.take_along_axis(law, np.argsort(rank, axis=-1), axis=-1)
        before = np.cumsum(ordered, axis=-1) - ordered
        # Rounding in the sum must not admit one symbol more.
        inside = before < self.mass * (1.0 - 1e-12)
        return _kept(law, np.take_along_axis(inside, rank, axis=-1))


def _rank(law: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return every symbol's rank from 0, most probable first."""
    order = np.argsort(-law, axis=-1, kind="stable")
    return np.argsort(order, axis=-1, kind="stable")


def _kept(law: Floats, where: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Floats:
    return _normalised(np.where(where, law, 0.0))


def _normalised(weights: Floats) -> Floats:
    law: Floats = weights / weights.sum(axis=-1, keepdims=True)
    return law


SAMPLERS: Mapping[str, Entry[Sampler]] = {
    "temperature": Temperature.entry(None),
    "top-k": TopK.entry(None),
    "top-p": TopP.entry(None),
}
"""Samplers by name."""
