"""Answers of models from a table: who said what, to which prompt, in which round."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.core.errors import ArgumentError, DataError, listed
from hayflick.core.progress import Progress, silent
from hayflick.corpus.rounds import round_order
from hayflick.corpus.tables import (
    TABLE_SUFFIXES,
    choose_column,
    json_lines,
    refuse_line,
    table,
)


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
        If there is no round, neither text nor vectors nor a value, or a column is named twice.
    """

    by: str
    text: str | None = None
    group: str | None = None
    prompt: str | None = None
    values: tuple[str, ...] = ()
    vectors: str | None = None

    def __post_init__(self) -> None:
        if not self.by:
            takes = "the column that says which round an answer belongs to"
            raise ArgumentError("by", got="nothing", takes=takes)
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


_LINES_AT_ONCE = 20_000
_KEPT = 20


@dataclass
class BadRows:
    """Rows that were passed over: how many, and the first ones with the reason.

    Examples
    --------
    >>> bad = BadRows()
    >>> bad.add(7, "is no JSON")
    >>> bad.total, bad.first
    (1, [(7, 'is no JSON')])
    """

    total: int = 0
    first: list[tuple[int, str]] = field(default_factory=list)

    def add(self, row: int, reason: str) -> None:
        """Count a row."""
        self.total += 1
        if len(self.first) < _KEPT:
            self.first.append((row, reason))


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some rows of a table: columns by what they are, and their vectors.

    `rows` counts those that were read, the bad ones too; ``place`` in the frame is a row's
    number among all of them, from 0.
    """

    frame: pl.DataFrame
    vectors: NDArray[np.float32] | None
    rows: int


def chunks_of_lines(
    path: Path,
    *,
    columns: AnswerColumns,
    bad: BadRows,
    skip_bad: bool,
    encoding: str,
    progress: Progress,
) -> Iterator[Chunk]:
    """Yield the rows of a file of JSON lines."""
    rows = _Rows(path, columns, bad, skip_bad)
    for number, record in json_lines(path, encoding=encoding, progress=progress):
        if isinstance(record, str):
            rows.refuse(number, record)
        else:
            rows.take(number, record)
        if len(rows.kept) >= _LINES_AT_ONCE:
            yield rows.chunk()
    rows.check_columns()
    yield rows.chunk()


def chunks_of_table(
    path: Path,
    *,
    columns: AnswerColumns,
    bad: BadRows,
    skip_bad: bool,
    encoding: str,
    progress: Progress,
) -> Iterator[Chunk]:
    """Yield the rows of any other table."""
    with table(path, encoding=encoding, progress=progress) as frame:
        names = frame.collect_schema().names()
        twice = [name for name in columns.wanted if f"{name}_duplicated_0" in names]
        if twice:
            raise DataError(f"{path}: has several columns {twice[0]!r}; rename all but one")
        chosen = [choose_column(path, names, name) for name in columns.wanted]
        found = frame.select(chosen).collect()
    rows = _Rows(path, columns, bad, skip_bad)
    for first in range(0, max(1, len(found)), _LINES_AT_ONCE):
        for number, record in enumerate(
            found[first : first + _LINES_AT_ONCE].iter_rows(named=True), start=first + 1
        ):
            rows.take(number, record)
        yield rows.chunk()


@dataclass
class _Rows:
    """Rows that are taken or refused one by one, and handed over as chunks."""

    path: Path
    columns: AnswerColumns
    bad: BadRows
    skip_bad: bool
    kept: list[dict[str, Any]] = field(default_factory=list)
    vectors: list[NDArray[np.float32]] = field(default_factory=list)
    dimensions: int | None = None
    read: int = 0
    handed_over: int = 0
    seen: set[str] = field(default_factory=set)

    def take(self, number: int, record: Mapping[str, Any]) -> None:
        """Keep a record, or refuse it."""
        if len(self.seen) < len(self.columns.wanted):
            self.seen.update(name for name in self.columns.wanted if name in record)
        try:
            row = self._row(record)
            vector = self._vector(record)
        except _UnusableError as fault:
            self.refuse(number, str(fault))
            return
        self.kept.append({"row": number, "place": self.read, **row})
        self.read += 1
        if vector is not None:
            self.vectors.append(vector)

    def refuse(self, number: int, reason: str) -> None:
        """Count a row as bad, or raise."""
        if not self.skip_bad:
            raise refuse_line(self.path, number, reason)
        self.bad.add(number, reason)
        self.read += 1

    def _row(self, record: Mapping[str, Any]) -> dict[str, Any]:
        columns = self.columns
        row: dict[str, Any] = {
            what: _label(name, record.get(name)) for what, name in columns.labels.items()
        }
        if row["by"] is None:
            raise _UnusableError(f"has nothing in the column {columns.by!r}, its round")
        for name in columns.values:
            row[f"value {name}"] = _number(name, record.get(name))
        return row

    def _vector(self, record: Mapping[str, Any]) -> NDArray[np.float32] | None:
        name = self.columns.vector_column
        if name is None:
            return None
        vector = _vector(name, record.get(name))
        if vector is None:
            return np.full(self.dimensions or 0, np.nan, np.float32)
        if self.dimensions is None:
            self.dimensions = vector.size
        if vector.size != self.dimensions:
            numbers = f"a vector of {vector.size} numbers, those before have {self.dimensions}"
            raise _UnusableError(f"has {numbers}")
        return vector

    def check_columns(self) -> None:
        """Refuse a column that not one line has."""
        missing = [name for name in self.columns.wanted if name not in self.seen]
        if missing and self.read > self.bad.total:
            raise DataError(f"{self.path}: no line has the column {listed(missing)}")

    def chunk(self) -> Chunk:
        """Hand over what was kept since the last time."""
        frame = pl.DataFrame(self.kept, schema=self._schema())
        vectors = None
        if self.columns.vector_column is not None:
            # Rows without one that came before the first vector did not know its length.
            width = self.dimensions or 0
            vectors = np.full((len(self.vectors), width), np.nan, np.float32)
            for place, vector in enumerate(self.vectors):
                vectors[place, : vector.size] = vector
        rows = self.read - self.handed_over
        self.handed_over = self.read
        self.kept, self.vectors = [], []
        return Chunk(frame, vectors, rows)

    def _schema(self) -> dict[str, Any]:
        labels: dict[str, Any] = dict.fromkeys(self.columns.labels, pl.String)
        values = dict.fromkeys((f"value {name}" for name in self.columns.values), pl.Float64)
        return {"row": pl.Int64, "place": pl.Int64, **labels, **values}


class _UnusableError(Exception):
    """A row that cannot be used, and why."""


def _label(name: str, cell: Any) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, float) and math.isnan(cell):
        return None
    if isinstance(cell, (dict, list, bytes)):
        raise _UnusableError(f"holds a {type(cell).__name__} in the column {name!r}, takes text")
    return str(cell)


def _number(name: str, cell: Any) -> float | None:
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    try:
        number = float(cell)
    except (TypeError, ValueError):
        raise _UnusableError(f"holds {cell!r} in the column {name!r}, takes a number") from None
    if not math.isfinite(number):
        raise _UnusableError(f"holds {cell!r} in the column {name!r}, takes a finite number")
    return number


def _vector(name: str, cell: Any) -> NDArray[np.float32] | None:
    if cell is None:
        return None
    try:
        with np.errstate(over="ignore"):
            vector = np.asarray(cell, dtype=np.float32)
    except (TypeError, ValueError):
        vector = np.empty((0, 0), np.float32)
    if vector.ndim != 1 or not vector.size:
        raise _UnusableError(f"holds no list of numbers in the column {name!r}")
    if not np.isfinite(vector).all():
        raise _UnusableError(f"holds a vector with NaN or infinite numbers in the column {name!r}")
    return vector


_LINES = (".jsonl", ".ndjson")


@dataclass(frozen=True, eq=False)
class Answers:
    """What models said, in the order of the rounds.

    Parameters
    ----------
    name
        Of the file.
    rounds
        Names of the rounds, in order.
    frame
        A row per answer, sorted by round: ``row`` (line or row of the file, from 1), ``round``
        (from 1), and as far as there are such columns ``text``, ``group``, ``prompt`` and
        ``value NAME``, all nullable.
    vectors
        float32, shape ``(answers, dimensions)``, in the order of the frame; None for none. A
        missing one is a row of NaN.
    bad
        Rows that were passed over.
    """

    name: str
    rounds: tuple[str, ...]
    frame: pl.DataFrame
    vectors: NDArray[np.float32] | None = None
    bad: BadRows = field(default_factory=BadRows)

    @property
    def dimensions(self) -> int | None:
        """Numbers in a vector; None without vectors."""
        return None if self.vectors is None else self.vectors.shape[1]

    def by_round(self) -> Iterator[tuple[int, pl.DataFrame, NDArray[np.float32] | None]]:
        """Yield every round's number, answers and vectors; a round may have no answer."""
        numbers = self.frame["round"].to_numpy()
        places = np.searchsorted(numbers, np.arange(1, len(self.rounds) + 2))
        for number, (low, high) in enumerate(itertools.pairwise(places), start=1):
            vectors = None if self.vectors is None else self.vectors[low:high]
            yield number, self.frame[int(low) : int(high)], vectors


def read_answers(
    path: str | os.PathLike[str],
    *,
    columns: AnswerColumns,
    every: str | None = None,
    start: str | None = None,
    skip_bad: bool = False,
    encoding: str = "utf-8",
    progress: Progress = silent,
) -> Answers:
    """Return the answers in a table: CSV, TSV, JSON lines, Parquet or xlsx.

    Parameters
    ----------
    path
        The file.
    columns
        Which of its columns are read.
    every
        Length of a round, where rounds are times; see `hayflick.corpus.rounds.round_order`.
    start
        Name of the first round that counts; those before it are passed over.
    skip_bad
        Whether rows that cannot be used are counted and passed over instead of refused.
    encoding
        Of CSV, TSV and JSON lines.
    progress
        Called with the bytes read so far.

    Raises
    ------
    DataError
        If the file cannot be read, lacks a column, or a row cannot be used: it is no record,
        has no round, holds no number where one is due, or a vector of another length.
    ArgumentError
        If `start` is no round, or `every` no length.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        raise DataError(f"{path}: is no table; takes {', '.join(TABLE_SUFFIXES)}")
    read = chunks_of_lines if suffix in _LINES else chunks_of_table
    bad = BadRows()
    settings: dict[str, Any] = {"skip_bad": skip_bad, "encoding": encoding, "progress": progress}
    chunks = list(read(path, columns=columns, bad=bad, **settings))
    frame = pl.concat([chunk.frame for chunk in chunks])
    if frame.is_empty():
        why = f"{bad.total} rows were bad" if bad.total else "no row has any content"
        raise DataError(f"{path}: holds no answer that can be used; {why}")
    vectors = _vectors(columns, chunks, frame)
    if columns.vectors is not None and columns.vector_column is None:
        _check_stored(Path(columns.vectors), vectors, frame, bad, skip_bad=skip_bad)
    return _in_rounds(path.name, frame, vectors, bad, every=every, start=start)


def _vectors(
    columns: AnswerColumns, chunks: Sequence[Chunk], frame: pl.DataFrame
) -> NDArray[np.float32] | None:
    if columns.vectors is None:
        return None
    if columns.vector_column is not None:
        return _side_by_side([chunk.vectors for chunk in chunks if chunk.vectors is not None])
    return _stored_vectors(Path(columns.vectors), frame, rows=sum(chunk.rows for chunk in chunks))


def _side_by_side(parts: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the vectors of all chunks; one without any vector has not known their length."""
    width = max(part.shape[1] for part in parts)
    return np.concatenate(
        [
            part if part.shape[1] else np.full((len(part), width), np.nan, np.float32)
            for part in parts
        ]
    )


def _stored_vectors(path: Path, frame: pl.DataFrame, *, rows: int) -> NDArray[np.float32]:
    """Return the rows of a ``.npy`` file that belong to the answers."""
    try:
        stored = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as fault:
        raise DataError(f"{path}: cannot be read as .npy ({fault})") from None
    if stored.ndim != 2 or stored.dtype.kind not in "fiu":
        takes = "takes numbers of shape (answers, dimensions)"
        raise DataError(f"{path}: holds {stored.dtype} of shape {stored.shape}, {takes}")
    if len(stored) != rows:
        raise DataError(f"{path}: has {len(stored):,} rows, the answers have {rows:,}")
    return np.asarray(stored[frame["place"].to_numpy()], dtype=np.float32)


def _check_stored(
    path: Path,
    vectors: NDArray[np.float32] | None,
    frame: pl.DataFrame,
    bad: BadRows,
    *,
    skip_bad: bool,
) -> None:
    """Refuse vectors that are no numbers, or count them and leave them out."""
    assert vectors is not None
    for place in np.flatnonzero(~np.isfinite(vectors).all(axis=1)):
        row = int(frame["place"][int(place)])
        if not skip_bad:
            remedy = "mend it, or pass over such rows with --skip-bad"
            raise DataError(f"{path}: row {row} holds NaN or infinite numbers; {remedy}")
        vectors[place] = np.nan
        bad.add(int(frame["row"][int(place)]), "has a vector with NaN or infinite numbers")


def _in_rounds(
    name: str,
    frame: pl.DataFrame,
    vectors: NDArray[np.float32] | None,
    bad: BadRows,
    *,
    every: str | None,
    start: str | None,
) -> Answers:
    """Return the answers sorted by round, from the round `start` on."""
    order = round_order(frame["by"].unique(maintain_order=True).to_list(), every=every)
    first = _first(order.names, start)
    numbers = frame["by"].replace_strict(order.places, return_dtype=pl.Int64) - (first - 1)
    frame = frame.with_columns(round=numbers).drop("by", "place")
    places = np.argsort(numbers.to_numpy(), kind="stable")
    places = places[int(np.searchsorted(numbers.to_numpy()[places], 1)) :]
    picked = None if vectors is None else vectors[places]
    return Answers(name, order.names[first - 1 :], frame[places], picked, bad)


def _first(names: Sequence[str], start: str | None) -> int:
    if start is None:
        return 1
    if start not in names:
        shown = f"{names[0]} … {names[-1]}"
        raise ArgumentError("from", got=start, takes=f"the name of a round: {shown}")
    return names.index(start) + 1
