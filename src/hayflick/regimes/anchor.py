"""Anchor: the same stored real items are part of every training set."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from hayflick.core.errors import ArgumentError
from hayflick.core.records import Mix
from hayflick.corpus.counts import Counts
from hayflick.corpus.reading import Source, read_corpus
from hayflick.corpus.tables import TABLE_SUFFIXES


@final
@dataclass(frozen=True, eq=False)
class Anchor:
    """Train on n - a draws from θ_k and the same a stored real items in every round.

    Parameters
    ----------
    reserve
        Counts of the stored items.
    source
        What the reserve is called in results.

    Examples
    --------
    >>> reserve = Counts.from_mapping({"quince": 2, "medlar": 1})
    >>> mix = Anchor(reserve).mix(1, samples=1000)
    >>> mix.generated, mix.reserved
    (997, 3)
    """

    reserve: Counts
    source: str = "counts"

    @classmethod
    def from_mapping(cls, reserve: Mapping[str, int]) -> Anchor:
        """Return the regime of a mapping from symbol to number of stored items."""
        return cls(Counts.from_mapping(reserve))

    @classmethod
    def from_file(
        cls, path: str | os.PathLike[str], *, like: Source, encoding: str = "utf-8"
    ) -> Anchor:
        """Return the regime of a reserve file, read as the data `like` were read.

        A reserve is a text (of one label per line, where the data are labels), a folder of
        texts, a table with the same column, or a JSON object of symbol: count.

        Raises
        ------
        DataError
            If the file cannot be read so.
        """
        table = os.path.splitext(path)[1].lower() in TABLE_SUFFIXES
        column = like.column if table else None
        tokenizer = like.tokenizer or (None if table else "lines")
        corpus = read_corpus(path, column=column, tokenizer=tokenizer, encoding=encoding)
        return cls(corpus.counts, corpus.source.name)

    def mix(self, generation: int, *, samples: int) -> Mix[Any]:  # noqa: ARG002
        """Return the training set of a generation.

        Raises
        ------
        ArgumentError
            If the reserve is larger than the training set.
        """
        if self.reserve.total > samples:
            takes = f"at most {samples} items, the training set's size"
            remedy = "raise samples or store fewer items"
            raise ArgumentError("reserve", got=self.reserve.total, takes=takes, remedy=remedy)
        return Mix(generated=samples - self.reserve.total, reserve=self.reserve)

    def describe(self) -> str:
        """Return the regime in the grammar of the command line."""
        return f"anchor:file={self.source}"
