"""The source of counts, as recorded in every result."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Source:
    """The source of counts.

    Parameters
    ----------
    name
        The input's file name.
    tokenizer
        The tokenizer's name; None if a symbol is a whole cell, or the input holds counts.
    column
        The table's column; None for a text.
    encoding
        The codec that the input was read with.
    missing
        Number of empty cells, which were left out.
    """

    name: str
    tokenizer: str | None = None
    column: str | None = None
    encoding: str = "utf-8"
    missing: int = 0

    @classmethod
    def of(
        cls,
        path: Path,
        *,
        tokenizer: str | None = None,
        column: str | None = None,
        encoding: str = "utf-8",
        missing: int = 0,
    ) -> Source:
        """Return the source of a file; bytes of its name that are not UTF-8 are replaced."""
        name = os.fsencode(path.name or path.resolve().name).decode("utf-8", errors="replace")
        return cls(name, tokenizer, column, encoding, missing)

    @property
    def holds_labels(self) -> bool:
        """Whether a symbol is a whole cell or line, not a part of a text."""
        return self.tokenizer == "lines" or (self.tokenizer is None and self.column is not None)
