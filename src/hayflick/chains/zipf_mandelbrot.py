"""The family `zipf`: a law of symbols by the parameters of Zipf and Mandelbrot."""

from __future__ import annotations

from typing import ClassVar

from hayflick.chains.discrete import MOST_TYPES, Discrete
from hayflick.chains.family import FamilyData
from hayflick.core.checks import whole_number
from hayflick.core.effort import Effort, expect
from hayflick.core.grammar import Entry, number, whole
from hayflick.core.protocols import Model

# What a symbol costs, mostly as a string.
_TYPE_BYTES, _TYPE_S = 150.0, 1e-6


class ZipfMandelbrot:
    """The family `zipf` of the command line: a `Discrete` by its parameters."""

    family: ClassVar[str] = "zipf"
    fitted_with: ClassVar[tuple[str, ...] | None] = None

    @classmethod
    def entry(cls, data: FamilyData) -> Entry[Model]:
        """Return the entry of the grammar."""

        def make(types: str, exponent: str = "1", offset: str = "0") -> Discrete:
            many = whole_number("types", whole("types", types), at_least=1, at_most=MOST_TYPES)
            work = f"making a law of {many:,} symbols"
            expect(data.progress, Effort(work, many * _TYPE_S, many * _TYPE_BYTES))
            numbers = {"exponent": number("exponent", exponent), "offset": number("offset", offset)}
            return Discrete.zipf_mandelbrot(many, **numbers)

        return Entry(make, ("types",), ("exponent", "offset"))
