"""Rows of a table of answers, chunk by chunk, each checked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.core.errors import DataError, listed
from hayflick.core.progress import Progress
from hayflick.corpus.answer_columns import AnswerColumns
from hayflick.corpus.json_lines import json_lines, refuse_line
from hayflick.corpus.tables import choose_column, table

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
