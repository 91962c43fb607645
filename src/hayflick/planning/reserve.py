"""Reserve: which real items to store, so that the most symbols are in one of them.

What is stored is part of every later training set (`hayflick.regimes.anchor`), so a symbol in
the reserve is in every one of them, whatever the models forget.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hayflick.core.errors import ArgumentError
from hayflick.core.output import write_text
from hayflick.core.provenance import provenance
from hayflick.corpus.counts import Counts
from hayflick.corpus.item_records import TEXT_COLUMN
from hayflick.corpus.reserve_files import reserve_text
from hayflick.corpus.source import Source
from hayflick.planning.coverage import Cover
from hayflick.planning.uniform_samples import UniformSamples

SUFFIXES = (".jsonl", ".ndjson", ".txt")
"""Of files that a reserve is written to; the last is plain text."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Reserve:
    """Real items that were chosen to be stored; ``hf.Anchor(reserve.counts)`` trains on them.

    Parameters
    ----------
    source
        Where the items come from.
    items
        The real items; see `hayflick.corpus.item_records.item_records`.
    counts
        Their symbols.
    types
        Different symbols of the data.
    budget, by_tokens
        What was allowed: so many items, or so many tokens.
    weights
        ``uniform`` or ``frequency``.
    must_keep
        The listed symbols, which alone had weight; empty where none were listed.
    total
        Weight of all symbols.
    cover
        What was chosen, and what is proven of it.
    same_items, same_tokens
        Uniform samples of as many items, and of as many tokens.
    seed
        Of these samples.
    """

    source: Source
    items: tuple[dict[str, Any], ...]
    counts: Counts
    types: int
    budget: int
    by_tokens: bool
    weights: str
    must_keep: tuple[str, ...]
    total: float
    cover: Cover
    same_items: UniformSamples
    same_tokens: UniformSamples
    seed: int

    def __repr__(self) -> str:
        size = f"items={len(self.items)}, tokens={self.counts.total}"
        return f"Reserve({self.source.name!r}, {size}, types={self.counts.types} of {self.types})"

    @property
    def share(self) -> float:
        """Share of all weight that is in the reserve."""
        return self.cover.value / self.total

    @property
    def kept(self) -> tuple[str, ...]:
        """The listed symbols that are in the reserve."""
        held = set(self.counts.symbols)
        return tuple(symbol for symbol in self.must_keep if symbol in held)

    def provenance(self) -> dict[str, Any]:
        """Return the record that makes the reserve again."""
        parameters = {
            "source": self.source.name,
            "tokenizer": self.source.tokenizer,
            "column": self.source.column,
            "encoding": self.source.encoding,
            "tokens" if self.by_tokens else "size": self.budget,
            "weights": self.weights,
            "must_keep": list(self.must_keep),
        }
        return provenance(parameters, seed=self.seed)

    def header(self) -> dict[str, Any]:
        """Return what a reserve file says of itself."""
        return {
            "source": self.source.name,
            "tokenizer": self.source.tokenizer,
            "column": self.source.column,
            "items": len(self.items),
            "tokens": self.counts.total,
            "types": self.counts.types,
            "provenance": self.provenance(),
        }

    def save(
        self, path: str | os.PathLike[str], *, force: bool = False, numbered: bool = False
    ) -> Path:
        """Write the items, as a reserve file (``.jsonl``) or as plain text (``.txt``).

        Parameters
        ----------
        path
            Where to.
        force
            Whether a file that exists is replaced.
        numbered
            Whether a number is added to a name that is taken.

        Returns
        -------
        The path that was written.

        Raises
        ------
        ArgumentError
            If the suffix is none of these, or the items are rows and it is ``.txt``.
        OutputError
            If the file exists, or cannot be written.
        """
        path = Path(path)
        check_suffix(path, column=self.source.column)
        if path.suffix.lower() == ".txt":
            content = "".join(f"{item[TEXT_COLUMN]}\n" for item in self.items)
        else:
            content = reserve_text(self.header(), self.items)
        return write_text(path, content, force=force, numbered=numbered)


def check_suffix(path: Path, *, column: str | None) -> None:
    """Refuse a name that no reserve is written under.

    Raises
    ------
    ArgumentError
        If it ends in none of `SUFFIXES`, or in ``.txt`` where the items are rows.
    """
    names = SUFFIXES if column is None else SUFFIXES[:-1]
    if path.suffix.lower() not in names:
        raise ArgumentError("out", got=str(path), takes=f"a name ending in {', '.join(names)}")
