"""Which columns of a table hold answers, and what belongs to them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from hayflick.core.errors import ArgumentError


@dataclass(frozen=True, kw_only=True)
class AnswerColumns:
    """Which columns of a table are read.

    Parameters
    ----------
    text
        The answer; None where vectors stand for it.
    by
        The round: a number, a time or a name.
    group
        Who answered; None for no groups.
    prompt
        What was asked; None where all answers are to one question.
    values
        Columns of numbers that are watched beside the text, one per answer.
    vectors
        A column of lists of numbers, or the path of a ``.npy`` file with a row per answer.

    Raises
    ------
    ArgumentError
        If there is neither text nor vectors nor a value, or a column is named twice.
    """

    by: str
    text: str | None = None
    group: str | None = None
    prompt: str | None = None
    values: tuple[str, ...] = ()
    vectors: str | None = None

    def __post_init__(self) -> None:
        if self.text is None and self.vectors is None and not self.values:
            raise ArgumentError("text", got="no column", takes="a column, or vectors, or a value")
        repeated = [name for name in self.values if self.values.count(name) > 1]
        if repeated:
            raise ArgumentError("value", got=repeated[0], takes="each column once")

    @cached_property
    def labels(self) -> dict[str, str]:
        """Columns of text that are read, by what they are."""
        named = {"by": self.by, "text": self.text, "group": self.group, "prompt": self.prompt}
        return {what: name for what, name in named.items() if name is not None}

    @cached_property
    def wanted(self) -> tuple[str, ...]:
        """All columns that are read, each once."""
        vectors = () if self.vector_column is None else (self.vector_column,)
        return tuple(dict.fromkeys((*self.labels.values(), *self.values, *vectors)))

    @property
    def vector_column(self) -> str | None:
        """The column of lists; None where there is none, or a file holds them."""
        named = self.vectors
        return None if named is None or named.endswith(".npy") else named
