"""Must-keep lists: symbols that must not be lost, each with a weight and a number of examples.

A file is a text with one symbol per line, a JSON list, or a table with the columns ``symbol``,
``weight`` and ``at_least``; in Python a list is a sequence, a mapping to weights, or a frame.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast

import polars as pl

from hayflick.core.arrays import Integers
from hayflick.core.checks import positive_number
from hayflick.core.errors import ArgumentError, DataError, listed
from hayflick.core.notes import Note, translatable
from hayflick.core.source import Source
from hayflick.corpus.encodings import decoded, encoding_beside_data
from hayflick.corpus.frames import Table, as_table, holds_counts, input_path
from hayflick.corpus.normalization import normalize_text
from hayflick.corpus.reading import Corpus
from hayflick.corpus.table_kinds import LINE, FrameTable, OpenTable
from hayflick.corpus.tables import is_table, open_table
from hayflick.corpus.tokenizers import tokenizer_named

ROLE = "must-keep list"
"""Role of the file of a list among the sources of a result."""

COLUMNS = ("symbol", "weight", "at_least")
"""Columns of a table; the first is needed."""

_SOME = "at least one, or None for all"
_Number = TypeVar("_Number", int, float)


@dataclass(frozen=True)
class MustKeepList:
    """Symbols that must not be lost.

    Parameters
    ----------
    symbols
        Each once.
    weights
        What symbols are worth; 1 for one that is not there.
    at_least
        How many examples symbols need; for one that is not there what holds for all.
    source
        The file; None for a list given in Python.

    Examples
    --------
    >>> table = {"symbol": ["refund", "legal"], "weight": [1, 2.5], "at_least": [None, 10]}
    >>> found = MustKeepList.of(table)
    >>> found.symbols, dict(found.weights), dict(found.at_least)
    (('refund', 'legal'), {'refund': 1.0, 'legal': 2.5}, {'legal': 10})
    """

    symbols: tuple[str, ...]
    weights: Mapping[str, float]
    at_least: Mapping[str, int]
    source: Source | None = None

    @classmethod
    def of(cls, given: MustKeep, *, encoding: str = "utf-8") -> MustKeepList:
        """Return what a file, a sequence, a mapping from symbol to weight, or a frame holds.

        Parameters
        ----------
        given
            The list.
        encoding
            As of `read_must_keep`.

        Raises
        ------
        ArgumentError
            If the list is empty, or a weight of a mapping is not above 0.
        DataError
            If the file or the table cannot be used; the message names row and column.
        """
        if isinstance(given, MustKeepList):
            return given
        if isinstance(given, (str, os.PathLike)):
            return read_must_keep(input_path(given), encoding=encoding)
        if holds_counts(given):
            weights = cast(Mapping[str, float], given)
            if not weights:
                raise ArgumentError("must_keep", got="no symbol", takes=_SOME)
            names = {name: positive_number(f"weight of {name!r}", w) for name, w in weights.items()}
            return cls(tuple(names), names, {})
        symbols = _symbols(given)
        if symbols is not None:
            if not symbols:
                raise ArgumentError("must_keep", got="no symbol", takes=_SOME)
            return cls(tuple(dict.fromkeys(symbols)), {}, {})
        return replace(_of_table(as_table(given), "must_keep"), source=None)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The file among the sources of a result; nothing for a list given in Python."""
        return () if self.source is None else (self.source,)

    @property
    def by_symbol(self) -> dict[str, float]:
        """The weight of every symbol."""
        return {symbol: self.weights.get(symbol, 1.0) for symbol in self.symbols}

    def noting(self, note: Note) -> MustKeepList:
        """Return the list with a note on how it is used, where it was a file."""
        if self.source is None:
            return self
        return replace(self, source=replace(self.source, notes=(*self.source.notes, note)))

    def without_at_least(self, command: str) -> MustKeepList:
        """Return the list for a command that has no use for a number of examples."""
        if not self.at_least:
            return self
        message = translatable("{command} does not use the column at_least of {name}")
        name = "must_keep" if self.source is None else self.source.name
        return replace(self.noting(Note(message, command=command, name=name)), at_least={})

    def without_weights(self, command: str) -> MustKeepList:
        """Return the list for a command to which every symbol is worth the same."""
        if not self.weights:
            return self
        message = translatable("{command} does not use the column weight of {name}")
        name = "must_keep" if self.source is None else self.source.name
        return replace(self.noting(Note(message, command=command, name=name)), weights={})

    def spelled_as(self, corpus: Corpus) -> MustKeepList:
        """Return the list in the symbols of some data; of two that are one there, the larger.

        Raises
        ------
        DataError
            If some are not in the data; the message names up to ten.
        """
        names, counts = corpus.counts.symbols, corpus.counts.numbers
        places = dict(zip(self.symbols, _places(self.symbols, corpus), strict=True))
        spelled = tuple(names[place] for place in sorted(set(places.values())))
        fewer = [one for one, least in self.at_least.items() if least > int(counts[places[one]])]
        found = self
        if fewer:
            message = translatable(
                "{name}: at_least is more than the data hold of {symbols}; all that they hold "
                "are taken"
            )
            name = "must_keep" if self.source is None else self.source.name
            found = self.noting(Note(message, name=name, symbols=listed(fewer)))
        return replace(
            found,
            symbols=spelled,
            weights=_largest(self.weights, places, names),
            at_least=_largest(self.at_least, places, names),
        )

    def least_of(
        self, counts: Integers | None, usual: Integers, places: Mapping[str, int]
    ) -> Integers:
        """Return how many examples every type needs: its own number, else the usual one.

        Parameters
        ----------
        counts
            Of every type in the data, which is as many as can be asked for; None for a law.
        usual
            What every type needs that has no number of its own, shape ``(types,)``.
        places
            Of the symbols among the types.
        """
        least = usual.copy()
        for symbol, number in self.at_least.items():
            place = places[symbol]
            least[place] = number if counts is None else min(number, int(counts[place]))
        return least


MustKeep: TypeAlias = (
    str
    | os.PathLike[str]
    | Sequence[str]
    | Mapping[str, float]
    | Mapping[str, Sequence[Any]]
    | pl.DataFrame
    | MustKeepList
)
"""A file, symbols, weights by symbol, or a table with the columns symbol, weight and at_least."""


def read_must_keep(path: Path, *, encoding: str = "utf-8") -> MustKeepList:
    """Return the list of a file, each entry once: a text, a JSON list (``.json``), or a table.

    Parameters
    ----------
    path
        The file.
    encoding
        Of the data that it is for, and of the file where that is not in UTF-8.

    Raises
    ------
    DataError
        If the file cannot be read, is no such list, or is empty; of a table the message names row
        and column.
    """
    encoding = encoding_beside_data(path, stated=encoding)
    if is_table(path):
        found = _of_table(path, str(path), encoding=encoding)
        source = Source.of(path, role=ROLE)
        notes = () if found.source is None else found.source.notes
        return replace(found, source=replace(source, notes=notes))
    text = "".join(decoded(path, encoding=encoding))
    entries = text.split("\n")
    if path.suffix.lower() == ".json":
        try:
            entries = json.loads(text)
        except json.JSONDecodeError as fault:
            raise DataError(f"{path}: line {fault.lineno} is no JSON ({fault.msg})") from None
        if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
            remedy = f"a table (.csv, .jsonl) has the columns {', '.join(COLUMNS)}"
            takes = f'takes a list of texts, such as ["refund", "legal"]; {remedy}'
            raise DataError(f"{path}: {takes}")
    named = tuple(dict.fromkeys(filter(None, (entry.strip() for entry in entries))))
    if not named:
        raise DataError(f"{path}: names nothing; give one symbol per line, or a JSON list")
    return MustKeepList(named, {}, {}, Source.of(path, role=ROLE))


def _symbols(given: object) -> list[str] | None:
    """Return the symbols of a sequence, a series or an array; None for anything else."""
    if isinstance(given, (Mapping, pl.DataFrame)) or not isinstance(given, Iterable):
        return None
    if getattr(given, "ndim", 1) != 1:
        return None
    symbols = list(given)
    return symbols if all(isinstance(one, str) for one in symbols) else None


def _of_table(table: Table, name: str, *, encoding: str = "utf-8") -> MustKeepList:
    """Return the list that a table holds; its `source` has the notes on how it was read."""
    with open_table(table, encoding=encoding) as opened:
        columns = _columns(opened, name)
        cells = {
            column: opened.labels(title).collect()["text"].to_list()
            for column, title in columns.items()
        }
        lines = opened.frame([LINE]).collect().to_series().to_list()
        unit = "row" if isinstance(opened, FrameTable) else "line"
        notes = opened.notes
        rows = _Rows(name, unit, lines, cells, opened.semicolons)
    return replace(rows.listed(), source=Source(name, notes=notes))


def _columns(table: OpenTable, name: str) -> dict[str, str]:
    """Return the titles of the columns of a list, by their usual names."""
    takes = f"a must-keep table has the columns {', '.join(COLUMNS)}; the first is needed"
    found: dict[str, str] = {}
    for title in table.columns:
        column = title.strip().casefold().replace(" ", "_").replace("-", "_")
        if column not in COLUMNS:
            raise DataError(f"{name}: has the column {title!r}; {takes}")
        if column in found:
            raise DataError(f"{name}: has the column {column!r} more than once; {takes}")
        found[column] = title
    if COLUMNS[0] not in found:
        got = "holds no row" if not found else f"has no column {COLUMNS[0]!r}"
        raise DataError(f"{name}: {got}; {takes}")
    return found


@dataclass(frozen=True)
class _Rows:
    """The rows of a table: what it and a row are called, its cells, and what separates them."""

    name: str
    unit: str
    lines: Sequence[int]
    cells: Mapping[str, Sequence[str | None]]
    semicolons: bool

    def listed(self) -> MustKeepList:
        """Return the list, each symbol once."""
        weights: dict[str, float | None] = {}
        at_least: dict[str, int | None] = {}
        for row, symbol in self._symbols():
            weight, least = self._weight(row), self._least(row)
            known = weights.setdefault(symbol, weight), at_least.setdefault(symbol, least)
            if known != (weight, least):
                problem = f"{symbol!r} stands in the table twice, with different numbers"
                raise self._fault(row, COLUMNS[0], problem)
        if not weights:
            raise DataError(f"{self.name}: names nothing; give one symbol per row")
        return MustKeepList(tuple(weights), _given(weights), _given(at_least))

    def _symbols(self) -> Iterator[tuple[int, str]]:
        """Yield every row that is not blank, and its symbol."""
        for row, cell in enumerate(self.cells[COLUMNS[0]]):
            symbol = (cell or "").strip()
            if symbol:
                yield row, symbol
            elif any(self._cell(row, column) for column in COLUMNS):
                raise self._fault(row, COLUMNS[0], "is empty; give the symbol")

    def _cell(self, row: int, column: str) -> str:
        return ((self.cells[column][row] if column in self.cells else None) or "").strip()

    def _weight(self, row: int) -> float | None:
        return self._number(row, "weight", "a number above 0", comma=self.semicolons)

    def _least(self, row: int) -> int | None:
        takes = "a whole number of examples from 1 on"
        number = self._number(row, "at_least", takes, comma=False)
        if number is not None and (not number.is_integer() or number > _LARGEST):
            raise self._fault(
                row, "at_least", f"got {self._cell(row, 'at_least')!r}, takes {takes}, or nothing"
            )
        return None if number is None else int(number)

    def _number(self, row: int, column: str, takes: str, *, comma: bool) -> float | None:
        cell = self._cell(row, column)
        if not cell:
            return None
        try:
            number = float(cell.replace(",", ".") if comma else cell)
        except ValueError:
            number = math.nan
        if not (math.isfinite(number) and number > 0.0):
            raise self._fault(row, column, f"got {cell!r}, takes {takes}, or nothing")
        return number

    def _fault(self, row: int, column: str, problem: str) -> DataError:
        return DataError(
            f"{self.name}: {self.unit} {self.lines[row]}, column {column!r}: {problem}"
        )


_LARGEST = 2.0**53


def _given(numbers: Mapping[str, _Number | None]) -> dict[str, _Number]:
    return {symbol: number for symbol, number in numbers.items() if number is not None}


def _largest(
    numbers: Mapping[str, _Number], places: Mapping[str, int], names: Sequence[str]
) -> dict[str, _Number]:
    found: dict[str, _Number] = {}
    for entry, number in numbers.items():
        name = names[places[entry]]
        found[name] = max(number, found.get(name, number))
    return found


def must_keep_places(entries: Sequence[str], *, corpus: Corpus) -> list[int]:
    """Return the positions of listed symbols in the data's counts, ascending.

    Entries are normalized as the data were. One that is not a symbol itself is tokenized as they
    were too: ``Tokyo`` becomes ``tokyo`` if words are counted in lower case.

    Parameters
    ----------
    entries
        The list.
    corpus
        The data's counts and source.

    Raises
    ------
    ArgumentError
        If the list is empty.
    DataError
        If some are not in the data; the message names up to ten.

    Examples
    --------
    >>> from hayflick.corpus.counts import Counts
    >>> from hayflick.core.source import Source
    >>> counts = Counts.from_mapping({"tokyo": 2, "rain": 3})
    >>> must_keep_places(["Tokyo"], corpus=Corpus(counts, Source("a.txt", tokenizer="words")))
    [1]
    """
    if not entries:
        raise ArgumentError("must_keep", got="no symbol", takes=_SOME)
    return sorted(set(_places(entries, corpus)))


def _places(entries: Sequence[str], corpus: Corpus) -> list[int]:
    """Return the position of every entry in the data's counts."""
    places = {symbol: place for place, symbol in enumerate(corpus.counts.symbols)}
    spelled = [normalize_text(entry, corpus.source.normalization) for entry in entries]
    as_data = _split(tuple(entry for entry in spelled if entry not in places), corpus)
    found = [places.get(as_data.get(entry, entry)) for entry in spelled]
    missing = [entry for entry, place in zip(entries, found, strict=True) if place is None]
    if missing:
        fault = f"must-keep: {corpus.source.name} lacks: {listed(missing)}"
        raise DataError(f"{fault}; take them off the list, or check their spelling")
    return [place for place in found if place is not None]


def _split(entries: tuple[str, ...], corpus: Corpus) -> dict[str, str]:
    """Return the symbol of each entry that is a single token."""
    if corpus.source.tokenizer is None or not entries:
        return {}
    texts = pl.LazyFrame({"entry": entries, "text": entries})
    tokens = tokenizer_named(corpus.source.tokenizer).tokens(texts)
    single = tokens.group_by("entry").agg(pl.col("symbol")).filter(pl.col("symbol").list.len() == 1)
    return {entry: symbols[0] for entry, symbols in single.collect().iter_rows()}
