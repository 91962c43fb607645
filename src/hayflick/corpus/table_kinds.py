"""The kinds of tables: CSV and TSV, JSON lines, and what polars holds as a frame.

What differs between the kinds ends here: an open table has names of columns, the cells of a column
as labels, whole columns for those who need numbers, and the line of the file that a row stands in.
"""

from __future__ import annotations

import csv
import itertools
import re
import shlex
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias, final

import polars as pl
from polars.datatypes import DataTypeClass
from typing_extensions import override

from hayflick.core.errors import DataError
from hayflick.core.notes import Note
from hayflick.core.progress import Progress, silent
from hayflick.corpus.encodings import decoded
from hayflick.corpus.json_lines import LONGEST_LINE, json_lines, text_lines
from hayflick.corpus.labels import (
    joined_path,
    json_inside,
    label_of,
    labels_of,
    python_inside,
    text_path,
)
from hayflick.corpus.paths import FieldPath
from hayflick.corpus.table_format import Dialect, csv_reader

_BATCH_ROWS = 1 << 14
_SLICE_ROWS, _SLICE_BYTES = 100_000, 1 << 25
"""What is read of a stored table at a time: so many rows, or fewer where a row is large."""

LINE = "\0line"
"""In `OpenTable.frame`: the line of the file that a row begins in; no column has this name."""


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
        """Return columns, or cells inside them, each of which `choose` has returned, or `LINE`."""

    def frames(self, names: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Yield the rows of `frame`, of a large file few at a time."""
        yield self.frame(names).collect()

    @abstractmethod
    def _first_cell(self, name: str) -> Any:
        """Return the first cell of a column that is not missing, as it is; None without one."""

    def labels(self, name: str) -> pl.LazyFrame:
        """Return the cells of a column as labels, in a column ``text``; null for missing ones.

        Raises
        ------
        DataError
            If a cell is nested or holds bytes; the message names the path of the text inside.
        """
        frame = self.frame([name])
        kind = frame.collect_schema()[name]
        if kind.is_nested() or kind in (pl.Binary, pl.Object):
            raise self._nested(name, frame)
        return frame.select(labels_of(name, kind).alias("text"))

    def _nested(self, name: str, frame: pl.LazyFrame) -> DataError:
        value = _first_of(frame, name)
        return DataError(f"{self.path}: the column {name!r} holds {nested_problem(value, name)}")

    def lines_of(self, rows: Sequence[int]) -> list[int]:
        """Return the line of the file, from 1, that each row (from 0, ascending) begins in."""
        return [row + 1 + (self.sheet is not None) for row in rows]

    def choose(self, column: str | None) -> str:
        """Return the named column, the only one, or a path that leads to cells inside a column.

        Raises
        ------
        DataError
            If there is no such column, several of that name, or several and none is named.
        """
        names = list(self.columns)
        if not names:
            raise DataError(f"{self.path}: holds no row; check the file")
        listed = ", ".join(map(repr, names))
        if column is None and len(names) == 1:
            return names[0]
        if column is None:
            remedy = f"name a column with --column: {listed}"
            raise DataError(f"{self.path}: has several columns; {remedy}")
        places = [str(place) for place, name in enumerate(names, 1) if name == column]
        if len(places) > 1:
            where = f"columns {' and '.join(places)} of {len(names)}"
            raise DataError(
                f"{self.path}: has the column {column!r} more than once ({where});"
                " rename all but one"
            )
        if places:
            return column
        same = [name for name in names if _composed(name) == _composed(column)]
        if len(same) == 1:
            return same[0]
        if (held := FieldPath(column).column_of(names)) is not None:
            return self._inside(column, held)
        near = [name for name in names if name.strip().casefold() == column.strip().casefold()]
        remedy = f"; did you mean {near[0]!r}?" if near else ""
        if not near and len(names) == 1 and column in re.split(r"[^\w]+", names[0]):
            remedy = "; its cells seem to be separated by another character: see --separator"
        raise DataError(f"{self.path}: has no column {column!r}; it has: {listed}{remedy}")

    def _inside(self, column: str, held: str) -> str:
        """Return a path into a column if it leads anywhere."""
        if self.frame([column]).drop_nulls().head(1).collect().height:
            return column
        place = text_place(self._first_cell(held), held)
        hint = "check the path" if place is None else f"there is text at {place}"
        raise DataError(f"{self.path}: nothing is at {column!r} inside {held!r}; {hint}")


def _first_of(frame: pl.LazyFrame, name: str) -> Any:
    first = frame.select(name).drop_nulls().head(1).collect()
    return None if first.is_empty() else first.to_dicts()[0][name]


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def text_place(value: object, name: str) -> str | None:
    """Return the path to the text inside a nested cell of a column; None if it holds none.

    Examples
    --------
    >>> text_place([{"role": "assistant", "content": "a long answer"}], "reply")
    'reply[0].content'
    """
    if isinstance(value, str):
        inside = json_inside(value)
        value = python_inside(value) if inside is None else inside
    if not isinstance(value, (dict, list, tuple)):
        return None
    inner = text_path(value)
    if inner is None:
        return None
    # Names with brackets and the like are not spelled as a path needs them.
    if not FieldPath(joined_path("column", inner)).cells({"column": value}):
        return None
    return joined_path(name, inner)


def nested_problem(value: object, name: str, *, option: str = "--column") -> str:
    """Return what is wrong with a nested cell, and the option that reads its text.

    Examples
    --------
    >>> nested_problem({"text": "a long answer"}, "response", option="--text")
    'an object, takes text; its text is at response.text: read it with --text response.text'
    """
    kind = "a list" if isinstance(value, (list, tuple, pl.Series)) else "an object"
    if not isinstance(value, (dict, list, tuple, pl.Series, bytes)):
        return f"a {type(value).__name__}, takes text"
    if isinstance(value, bytes):
        return "bytes, takes text"
    place = text_place(value.to_list() if isinstance(value, pl.Series) else value, name)
    if place is None:
        return f"{kind}, takes text"
    where = f"its text is at {place}: read it with {option} {shlex.quote(place)}"
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
    numbered: bool = False
    """Whether the first column, `LINE`, has the line of each row."""

    @property
    @override
    def columns(self) -> Sequence[str]:
        return self.names

    @override
    def frame(self, names: Sequence[str]) -> pl.LazyFrame:
        held = self.whole.collect_schema().names()
        if self.numbered:
            number = pl.col(held.pop(0)).cast(pl.Int64)
        else:
            number = pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
        named = dict(zip(self.names, held, strict=True))
        columns = (number if name == LINE else self._cells(name, named) for name in names)
        return self.whole.select(
            column.alias(name) for name, column in zip(names, columns, strict=True)
        )

    @override
    def frames(self, names: Sequence[str]) -> Iterator[pl.DataFrame]:
        if self.numbered or not isinstance(self.path, Path):
            yield from super().frames(names)
            return
        rows = int(self.whole.select(pl.len()).collect().item())
        fits = max(1, rows * _SLICE_BYTES // max(1, self.path.stat().st_size))
        size = min(fits, _SLICE_ROWS)
        for first in range(0, rows, size) or (0,):
            part = replace(self, whole=self.whole.slice(first, size))
            frame = part.frame(names).collect()
            yield frame.with_columns(pl.col(LINE) + first) if LINE in names else frame

    def _cells(self, name: str, named: Mapping[str, str]) -> pl.Expr:
        """Return a column, or the cells that a path leads to inside it."""
        if name in named:
            return pl.col(named[name])
        path = FieldPath(name)
        column = path.column_of(self.names)
        assert column is not None
        whole = pl.col(named[column])
        kind = self.whole.collect_schema()[named[column]]
        fields = _fields_inside(whole, kind, path.steps_behind(column))
        if fields is not None:
            return fields

        def labels(cells: pl.Series) -> pl.Series:
            found = (self._label(path.cell({column: cell}), name) for cell in cells.to_list())
            return pl.Series(list(found), dtype=pl.String)

        return whole.map_batches(labels, return_dtype=pl.String(), is_elementwise=True)

    def _label(self, value: Any, name: str) -> str | None:
        if isinstance(value, (dict, list, bytes)):
            problem = nested_problem(value, name)
            raise DataError(f"{self.path}: the column {name!r} holds {problem}")
        return label_of(value)

    @override
    def _first_cell(self, name: str) -> Any:
        return _first_of(self.frame([name]), name)

    @override
    def lines_of(self, rows: Sequence[int]) -> list[int]:
        lines = self.frame([LINE]).collect().to_series()
        return [lines[row] for row in rows]


def _fields_inside(
    cell: pl.Expr, kind: DataTypeClass | pl.DataType, steps: Sequence[str | int]
) -> pl.Expr | None:
    """Return what steps lead to by the types of structures and lists alone; None if they do not."""
    if not steps:
        return cell
    if isinstance(kind, pl.Struct):
        kinds = {field.name: field.dtype for field in kind.fields}
        run = list(itertools.takewhile(lambda step: isinstance(step, str), steps))
        for end in range(1, len(run) + 1):
            name = ".".join(map(str, run[:end]))
            if name in kinds:
                return _fields_inside(cell.struct.field(name), kinds[name], steps[end:])
    if isinstance(kind, (pl.List, pl.Array)) and isinstance(steps[0], int):
        items = cell.list if isinstance(kind, pl.List) else cell.arr
        return _fields_inside(items.get(steps[0], null_on_oob=True), kind.inner, steps[1:])
    return None


_Cells: TypeAlias = dict[str, list[Any]]


class StreamedTable(OpenTable):
    """A table of text that is read line by line, in memory independent of its size."""

    path: Path

    @abstractmethod
    def batches(self, names: Sequence[str], *, size: int) -> Iterator[_Cells]:
        """Yield the cells of some columns, `size` rows at a time; `LINE` is where they begin."""

    @override
    def frames(self, names: Sequence[str]) -> Iterator[pl.DataFrame]:
        kinds = {name: pl.Int64() if name == LINE else pl.String() for name in names}
        for batch in self.batches(names, size=_BATCH_ROWS):
            yield pl.DataFrame(batch, schema=kinds)

    @override
    def frame(self, names: Sequence[str]) -> pl.LazyFrame:
        from polars.io.plugins import register_io_source

        kinds = {name: pl.Int64() if name == LINE else pl.String() for name in names}

        def frames(
            columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, size: int | None
        ) -> Iterator[pl.DataFrame]:
            left = rows
            for batch in self.batches(names, size=min(size or _BATCH_ROWS, _BATCH_ROWS)):
                frame = pl.DataFrame(batch, schema=kinds)
                frame = frame if left is None else frame.head(left)
                left = None if left is None else left - frame.height
                frame = frame if predicate is None else frame.filter(predicate)
                yield frame if columns is None else frame.select(columns)
                if left == 0:
                    return

        return register_io_source(frames, schema=kinds)

    def _label(self, number: int, name: str, value: Any) -> str | None:
        """Return a cell in a line of the file as a label."""
        if isinstance(value, (dict, list)):
            problem = nested_problem(value, name)
            raise DataError(f"{self.path}: line {number}, column {name!r}: holds {problem}")
        return label_of(value)

    @override
    def lines_of(self, rows: Sequence[int]) -> list[int]:
        wanted = set(rows)
        batches = self.batches([LINE], size=_BATCH_ROWS)
        lines = itertools.chain.from_iterable(batch[LINE] for batch in batches)
        last = max(wanted, default=-1) + 1
        return [line for row, line in enumerate(itertools.islice(lines, last)) if row in wanted]


@final
@dataclass(eq=False)
class DelimitedTable(StreamedTable):
    """A CSV file; its cells are text as written, and missing where they are empty."""

    path: Path
    encoding: str
    dialect: Dialect
    header: bool
    progress: Progress = silent
    notes: tuple[Note, ...] = ()

    @cached_property
    def _first(self) -> list[str]:
        """The cells of the first row, which is the header if there is one."""
        return next((row for _, row in self._records(silent) if "".join(row).strip()), [])

    @property
    @override
    def columns(self) -> Sequence[str]:
        if self.header:
            return self._first
        return [f"column_{place}" for place in range(1, len(self._first) + 1)]

    @property
    @override
    def semicolons(self) -> bool:
        return self.dialect.separator == ";"

    @override
    def batches(self, names: Sequence[str], *, size: int) -> Iterator[_Cells]:
        columns = list(self.columns)
        paths = {name: FieldPath(name) for name in names if name != LINE and name not in columns}
        held = {name: path.column_of(columns) or name for name, path in paths.items()}
        places = {name: columns.index(held.get(name, name)) for name in names if name != LINE}
        width = len(self._first)
        rows = iter(self._rows())
        while batch := list(itertools.islice(rows, size)):
            for line, row in batch:
                if len(row) < width:
                    row += [""] * (width - len(row))
                elif len(row) > width:
                    has = f"has {len(row)} cells, the header has {width}"
                    raise DataError(f"{self.path}: line {line} {has}")
            cells = {name: [row[at] or None for _, row in batch] for name, at in places.items()}
            for name, path in paths.items():
                found = (path.cell({held[name]: cell}) for cell in cells[name])
                pairs = zip(batch, found, strict=True)
                cells[name] = [self._label(line, name, cell) for (line, _), cell in pairs]
            yield {name: cells.get(name) or [line for line, _ in batch] for name in names}

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the line that each row begins in, and its cells as they are written."""
        return self._rows()

    @override
    def _first_cell(self, name: str) -> Any:
        cells = (cell for batch in self.batches([name], size=1) for cell in batch[name])
        return next((cell for cell in cells if cell is not None), None)

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield all rows but the header and blank lines."""
        records = self._records(self.progress)
        records = itertools.dropwhile(lambda one: not "".join(one[1]).strip(), records)
        if self.header:
            next(records, None)
        if len(self._first) > 1:
            for record in records:
                row = record[1]
                if any(row) and (len(row) > 1 or row[0].strip()):
                    yield record
            return
        # A blank line between the rows of a single column is an empty cell, at the end it is none.
        blank: list[int] = []
        for line, row in records:
            if not row:
                blank.append(line)
                continue
            yield from ((before, [""]) for before in blank)
            blank.clear()
            yield line, row

    def _records(self, progress: Progress) -> Iterator[tuple[int, list[str]]]:
        """Yield the line that each record begins in, and its cells."""
        text = decoded(self.path, encoding=self.encoding, progress=progress)
        if self.dialect.old_ends:
            text = (piece.replace("\r", "\n") for piece in text)
        skipped, length = self.dialect.skipped, 0

        def counted() -> Iterator[str]:
            nonlocal length
            for line in itertools.islice(text_lines(self.path, text), skipped, None):
                length += len(line)
                if length > LONGEST_LINE:
                    most = f"has more than {LONGEST_LINE:,} characters; is a quote never closed?"
                    raise DataError(f"{self.path}: the row in line {begin} {most}")
                yield f"{line}\n"

        begin = skipped + 1
        reader = csv_reader(counted(), self.dialect.separator, self.dialect.quote)
        try:
            for row in reader:
                yield begin, row
                begin, length = skipped + reader.line_num + 1, 0
        except csv.Error as fault:
            raise self._malformed(str(fault), begin, skipped + reader.line_num) from None

    def _malformed(self, fault: str, begin: int, line: int) -> DataError:
        problem = f"line {line} is no CSV ({fault})"
        if fault.startswith("unexpected end"):
            problem = f"a quote in the row of line {begin} is never closed"
        elif "expected after" in fault:
            problem = f"line {line} has text behind a closing quote; a quote in a cell is doubled"
        elif fault.startswith("new-line"):
            problem = f"line {line} has a carriage return in a cell without quotes"
        return DataError(
            f"{self.path}: {problem}; fix it, or say how cells are quoted with --quote"
        )


@final
@dataclass(eq=False)
class LinesTable(StreamedTable):
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
    def choose(self, column: str | None) -> str:
        # Its first line with that column suffices; all names take all lines.
        if column is not None:
            path = FieldPath(column)
            lines = json_lines(self.path, encoding=self.encoding)
            if any(path.is_in(self._record(*line)) for line in lines):
                return column
        return super().choose(column)

    @override
    def _first_cell(self, name: str) -> Any:
        lines = json_lines(self.path, encoding=self.encoding)
        cells = (self._record(*line).get(name) for line in lines)
        return next((cell for cell in cells if cell is not None), None)

    @override
    def batches(self, names: Sequence[str], *, size: int) -> Iterator[_Cells]:
        lines = json_lines(self.path, encoding=self.encoding, progress=self.progress)
        # To look a name up is faster than to follow a path.
        columns = [
            (name, FieldPath(name) if FieldPath(name).is_nested else None)
            for name in names
            if name != LINE
        ]
        cells: _Cells = {name: [] for name in names}
        for number, record in lines:
            row = self._record(number, record)
            for name, path in columns:
                value = row.get(name) if path is None else path.cell(row)
                plain = value is None or type(value) is str
                cells[name].append(value if plain else self._label(number, name, value))
            if LINE in cells:
                cells[LINE].append(number)
            if len(cells[names[0]]) >= size:
                yield cells
                cells = {name: [] for name in names}
        yield cells

    def records(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        """Return whole records, as they are written."""
        wanted = set(rows)
        records = json_lines(self.path, encoding=self.encoding)
        return [dict(self._record(*line)) for row, line in enumerate(records) if row in wanted]
