"""Anchor: the same stored real items are part of every training set."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, final

from typing_extensions import override

from hayflick.core.errors import ArgumentError
from hayflick.core.grammar import Entry
from hayflick.core.records import Mix
from hayflick.core.source import Source
from hayflick.corpus.compression import content_suffix
from hayflick.corpus.counts import Counts
from hayflick.corpus.encodings import encoding_beside_data
from hayflick.corpus.frames import input_path
from hayflick.corpus.reading import Corpus, read_corpus, text_files
from hayflick.corpus.reserves import read_reserve, reserve_header
from hayflick.corpus.tables import is_table
from hayflick.regimes.regime import NamedRegime


@final
@dataclass(frozen=True, eq=False)
class Anchor(NamedRegime):
    """Train on n - a draws from θ_k and the same a stored real items in every round.

    Parameters
    ----------
    reserve
        Counts of the stored items.
    source
        The file that the reserve was read from; None if it was given directly.
    sources
        The same with how it was read.

    Examples
    --------
    >>> reserve = Counts.from_mapping({"quince": 2, "medlar": 1})
    >>> mix = Anchor(reserve).mix(1, samples=1000)
    >>> mix.generated, mix.reserved
    (997, 3)
    """

    name: ClassVar[str] = "anchor"

    reserve: Counts
    source: str | None = None
    sources: tuple[Source, ...] = ()

    @classmethod
    def from_mapping(cls, reserve: Mapping[str, int]) -> Anchor:
        """Return the regime of a mapping from symbol to number of stored items."""
        return cls(Counts.from_mapping(reserve))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], *, like: Source) -> Anchor:
        """Return the regime of a reserve file, read as the data `like` were read.

        A reserve is a file that ``hayflick reserve`` wrote, a text (of one label per line,
        where the data are labels), a folder of texts, a table with the same column, or a JSON
        object of symbol: count.

        Raises
        ------
        DataError
            If the file cannot be read like that.
        """
        header = reserve_header(input_path(path))
        if header is not None:
            stored = read_reserve(Path(path), header=header, like=like)
            return cls._of_corpus(stored)
        column = like.column if is_table(Path(path)) else None
        tokenizer = like.tokenizer or (None if column else "lines")
        if content_suffix(Path(path)) == ".json":
            tokenizer = None
        files = text_files(Path(path))
        encoding = encoding_beside_data(*files, stated=like.encoding)
        corpus = read_corpus(
            path,
            column=column,
            tokenizer=tokenizer,
            encoding=encoding,
            normalize=like.normalization,
        )
        return cls._of_corpus(corpus)

    @classmethod
    def _of_corpus(cls, stored: Corpus) -> Anchor:
        source = replace(stored.source, role="reserve")
        return cls(stored.counts, source.name, (source,))

    @classmethod
    @override
    def entry(cls, data: Source) -> Entry[Anchor]:
        def make(file: str) -> Anchor:
            # A list of stored items can be longer than any path.
            if file.lstrip().startswith("{") and not os.path.exists(file):
                return cls._of_json(file)
            return cls.from_file(file, like=data)

        return Entry(make, ("file",))

    @classmethod
    def _of_json(cls, text: str) -> Anchor:
        takes = 'a file, or the items themselves as in {"NC-17": 5}'
        try:
            items = json.loads(text)
        except json.JSONDecodeError as fault:
            remedy = f"the text is no JSON ({fault.msg})"
            raise ArgumentError("anchor", got=text, takes=takes, remedy=remedy) from None
        numbers = items.values()
        if not items or not all(type(number) is int and number > 0 for number in numbers):
            raise ArgumentError("anchor", got=text, takes=f"{takes}: whole numbers from 1 on")
        return cls.from_mapping(items)

    @override
    def mix(self, generation: int, *, samples: int) -> Mix[Any]:
        if self.reserve.total > samples:
            takes = f"at most {samples} items, the training set's size"
            remedy = "raise samples or store fewer items"
            raise ArgumentError("reserve", got=self.reserve.total, takes=takes, remedy=remedy)
        return Mix(generated=samples - self.reserve.total, reserve=self.reserve)

    @override
    def numbers(self) -> Mapping[str, float]:
        return {"stored": self.reserve.total}

    @override
    def describe(self) -> str:
        if self.source is None:
            return f"anchor:{self.reserve.total} items of {self.reserve.types} symbols"
        return f"anchor:file={self.source}"

    def in_full(self) -> str:
        """Return the regime with every stored item, as the command line takes it.

        Examples
        --------
        >>> Anchor.from_mapping({"quince": 2}).in_full()
        'anchor:{"quince": 2}'
        """
        items = dict(zip(self.reserve.symbols, self.reserve.numbers.tolist(), strict=True))
        return f"anchor:{json.dumps(items, ensure_ascii=False)}"
