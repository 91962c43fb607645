"""Notes: what a reader decided about its input, as sentences that reports can translate."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


def translatable(message: str) -> str:
    """Return a message as it is, and mark it for the catalogues of reports.

    A text in a call of `Note`, `LeftOut` or `Source.without` needs no mark.
    """
    return message


class Note:
    """A sentence about how an input was read.

    Parameters
    ----------
    message
        The sentence in English, with the names of `values` in braces.
    values
        What stands in for the names.

    Examples
    --------
    >>> str(Note("the columns are separated by {separator}", separator="';'"))
    "the columns are separated by ';'"
    """

    __slots__ = ("message", "values")

    def __init__(self, message: str, **values: object) -> None:
        self.message = message
        self.values: Mapping[str, object] = MappingProxyType(values)

    def __str__(self) -> str:
        return self.message.format(**self.values)

    def __repr__(self) -> str:
        return f"Note({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Note) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))
