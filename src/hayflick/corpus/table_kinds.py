"""The kinds of tables: CSV and TSV, JSON lines, and what polars holds as a frame.

What differs between the kinds ends here: an open table has names of columns, the cells of a column
as labels, whole columns for those who need numbers, and the line of the file that a row stands in.
"""

from __future__ import annotations

import csv
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, final

import polars as pl
from typing_extensions import override

from hayflick.core.errors import DataError
from hayflick.core.notes import Note
from hayflick.core.progress import Progress, silent
from hayflick.corpus.json_lines import json_lines
from hayflick.corpus.labels import label_of, labels_of, text_path
from hayflick.corpus.table_format import Dialect, csv_settings, unlimited_fields

_BATCH_ROWS = 1 << 14


class OpenTable(ABC):
    """A table that can be read, as often as needed, while it is open.

    Attributes
    ----------
    path
        The file as it was given, for messages.
    notes
        How the table is read, as sentences.
    sheet
        The sheet of a workbook; None elsewhere.
    """

    path: Path | str
    notes: tuple[Note, ...] = ()
    sheet: str | None = None

    @property
    def semicolons(self) -> bool:
        """Whether semicolons separate its cells."""
        return False

    @property
    @abstractmethod
    def columns(self) -> Sequence[str]:
        """Names of the columns as they are written, in order; a name may stand there twice."""

    @abstractmethod
    def frame(self, names: Sequence[str]) -> pl.LazyFrame:
        """Return columns, each of which `choose` has returned."""

    def labels(self, name: str) -> pl.LazyFrame:
        """Return the cells of a column as labels, in a column ``text``; null for missing ones.

        Raises
        ------
        DataError
            If a cell is nested or holds bytes; the message names the path of the text inside.
        """
        frame = self.frame([name])
        kind = frame.collect_schema()[name]
        if kind.is_nested() or kind == pl.Binary:
            raise self._nested(name, frame)
        return frame.select(labels_of(name, kind).alias("text"))

    def _nested(self, name: str, frame: pl.LazyFrame) -> DataError:
        first = frame.drop_nulls().head(1).collect()
        value = None if first.is_empty() else first.to_dicts()[0][name]
        return DataError(f"{self.path}: the column {name!r} holds {nested_problem(value, name)}")

    def lines_of(self, rows: Sequence[int]) -> list[int]:
        """Return the line of the file, from 1, that each row (from 0, ascending) begins in."""
        return [row + 1 + (self.sheet is not None) for row in rows]

    def choose(self, column: str | None) -> str:
        """Return the named column, or the only one.

        Raises
        ------
        DataError
            If there is no such column, several of that name, or several and none is named.
        """
        names = list(self.columns)
        listed = ", ".join(map(repr, names))
        if column is None and len(names) == 1:
            return names[0]
        if column is None:
            raise DataError(f"{self.path}: is a table; name a column with --column: {listed}")
        places = [str(place) for place, name in enumerate(names, 1) if name == column]
        if len(places) > 1:
            where = f"columns {' and '.join(places)} of {len(names)}"
            raise DataError(
                f"{self.path}: has the column {column!r} more than once ({where});"
                " rename all but one"
            )
        if places:
            return column
        near = [name for name in names if name.strip().casefold() == column.strip().casefold()]
        remedy = f"; did you mean {near[0]!r}?" if near else ""
        if not near and len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
            remedy = "; its cells seem to be separated by another character: see --separator"
        raise DataError(f"{self.path}: has no column {column!r}; it has: {listed}{remedy}")


def nested_problem(value: object, name: str) -> str:
    """Return what is wrong with a nested cell, and where its text is.

    Examples
    --------
    >>> nested_problem({"text": "a long answer"}, "response")
    "an object, takes text; its text is at response.text: copy that into a column of its own"
    """
    kind = "a list" if isinstance(value, (list, tuple, pl.Series)) else "an object"
    if isinstance(value, bytes):
        return "bytes, takes text"
    inner = text_path(value.to_list() if isinstance(value, pl.Series) else value)
    if inner is None:
        return f"{kind}, takes text"
    joint = "" if inner.startswith("[") else "."
    where = f"its text is at {name}{joint}{inner}: copy that into a column of its own"
    return f"{kind}, takes text; {where}"


@final
@dataclass(eq=False)
class FrameTable(OpenTable):
    """A table that polars reads: Parquet, a sheet of a workbook, a frame in memory."""

    path: Path | str
    whole: pl.LazyFrame
    names: Sequence[str]
    notes: tuple[Note, ...] = ()
    sheet: str | None = None

    @property
    @override
    def columns(self) -> Sequence[str]:
        return self.names

    @override
    def frame(self, names: Sequence[str]) -> pl.LazyFrame:
        held = dict(zip(self.names, self.whole.collect_schema().names(), strict=True))
        return self.whole.select(pl.col(held[name]).alias(name) for name in names)


@final
@dataclass(eq=False)
class DelimitedTable(OpenTable):
    """A CSV file in UTF-8, maybe a copy of the user's; its cells are text as written."""

    path: Path | str
    readable: Path
    dialect: Dialect
    header: bool
    notes: tuple[Note, ...] = ()

    @property
    @override
    def columns(self) -> Sequence[str]:
        if self.header:
            return self.dialect.header
        return [f"column_{place}" for place in range(1, len(self.dialect.header) + 1)]

    @property
    @override
    def semicolons(self) -> bool:
        return self.dialect.separator == ";"

    @cached_property
    def _held(self) -> list[str]:
        """Names of the columns for polars, each once."""
        held: list[str] = []
        for name in self.columns:
            number = held.count(name) + sum(one.startswith(f"{name} (") for one in held)
            held.append(f"{name} ({number + 1})" if name in held else name)
        return held

    @property
    def _lines_before(self) -> int:
        """Number of lines before the first row."""
        return self.dialect.skipped + (self.dialect.header_lines if self.header else 0)

    @override
    def frame(self, names: Sequence[str]) -> pl.LazyFrame:
        rows = pl.scan_csv(
            self.readable,
            separator=self.dialect.separator,
            quote_char=self.dialect.quote or None,
            has_header=False,
            skip_lines=self._lines_before,
            schema=dict.fromkeys(self._held, pl.String),
            glob=False,
        )
        # Reading one column only would miss rows with too many cells, whose labels may be in the
        # wrong column.
        rows = rows.map_batches(lambda rows: rows, projection_pushdown=False, streamable=True)
        if len(self._held) > 1:
            # Blank lines, at the end above all, are no rows.
            rows = rows.filter(~pl.all_horizontal(pl.all().is_null()))
        return rows.select(self._held[list(self.columns).index(name)] for name in names)

    @override
    def lines_of(self, rows: Sequence[int]) -> list[int]:
        if isinstance(rows, range) and len(rows) == self._line_ends() - self._lines_before:
            return [row + 1 + self._lines_before for row in rows]
        wanted, found = iter(rows), list[int]()
        next_row = next(wanted, None)
        for number, (line, _) in enumerate(self._records()):
            if number == next_row:
                found.append(line)
                next_row = next(wanted, None)
                if next_row is None:
                    break
        return found

    def _line_ends(self) -> int:
        """Return the number of lines of the file."""
        with open(self.readable, "rb") as file:
            ends, last = 0, b"\n"
            while chunk := file.read(1 << 20):
                ends, last = ends + chunk.count(b"\n"), chunk[-1:]
        return ends + (last != b"\n")

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the line that each row begins in, and its cells."""
        settings = csv_settings(self.dialect.separator, self.dialect.quote)
        with unlimited_fields(), open(self.readable, encoding="utf-8-sig", newline="") as file:
            for _ in range(self.dialect.skipped):
                next(file, None)
            reader = csv.reader(file, **settings)
            if self.header:
                next(reader, None)
            begin = reader.line_num + 1 + self.dialect.skipped
            for row in reader:
                if any(row) or (len(self._held) == 1):
                    yield begin, row
                begin = reader.line_num + 1 + self.dialect.skipped

    def bad_row(self) -> str:
        """Return the first row with more cells than the header has; empty if there is none."""
        width = len(self._held)
        for line, row in self._records():
            if len(row) > width:
                return f"line {line} has {len(row)} cells, the header has {width}"
        return ""


@final
@dataclass(eq=False)
class LinesTable(OpenTable):
    """A file of JSON lines; the cells of a column are labels, whatever their type."""

    path: Path
    encoding: str
    progress: Progress = silent

    @cached_property
    def _names(self) -> Sequence[str]:
        names: dict[str, None] = {}
        for number, record in json_lines(self.path, encoding=self.encoding):
            names.update(dict.fromkeys(self._record(number, record)))
        return list(names)

    @property
    @override
    def columns(self) -> Sequence[str]:
        return self._names

    def _record(self, number: int, record: Mapping[str, Any] | str) -> Mapping[str, Any]:
        if isinstance(record, str):
            remedy = "" if ";" in record else "; fix or remove it"
            raise DataError(f"{self.path}: line {number} {record}{remedy}")
        return record

    @override
    def frame(self, names: Sequence[str]) -> pl.LazyFrame:
        from polars.io.plugins import register_io_source

        schema = dict.fromkeys(names, pl.String)

        def batches(
            columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, size: int | None
        ) -> Iterator[pl.DataFrame]:
            left = rows
            for batch in self._batches(names, size or _BATCH_ROWS):
                frame = pl.DataFrame(batch, schema=schema)
                frame = frame if left is None else frame.head(left)
                left = None if left is None else left - frame.height
                frame = frame if predicate is None else frame.filter(predicate)
                yield frame if columns is None else frame.select(columns)
                if left == 0:
                    return

        return register_io_source(batches, schema=schema)

    def _batches(self, names: Sequence[str], size: int) -> Iterator[dict[str, list[str | None]]]:
        cells: dict[str, list[str | None]] = {name: [] for name in names}
        lines = json_lines(self.path, encoding=self.encoding, progress=self.progress)
        for number, record in lines:
            row = self._record(number, record)
            for name, column in cells.items():
                value = row.get(name)
                if isinstance(value, (dict, list)):
                    problem = nested_problem(value, name)
                    raise DataError(f"{self.path}: line {number}, column {name!r}: holds {problem}")
                column.append(label_of(value))
            if len(next(iter(cells.values()))) >= size:
                yield cells
                cells = {name: [] for name in names}
        yield cells

    def records(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        """Return whole records, as they are written."""
        wanted = set(rows)
        records = json_lines(self.path, encoding=self.encoding)
        return [dict(self._record(*line)) for row, line in enumerate(records) if row in wanted]

    @override
    def lines_of(self, rows: Sequence[int]) -> list[int]:
        wanted = set(rows)
        records = json_lines(self.path, encoding=self.encoding)
        return [number for row, (number, _) in enumerate(records) if row in wanted]
