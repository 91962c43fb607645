"""Open tables and read their columns: CSV, TSV, JSON lines, Parquet, xlsx, or a frame in memory."""

from __future__ import annotations

import json
import shlex
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from polars import selectors

from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.notes import Note, translatable
from hayflick.core.progress import Progress, silent
from hayflick.corpus.compression import content_suffix, opened
from hayflick.corpus.encodings import CHUNK_BYTES, decoded
from hayflick.corpus.frames import Table
from hayflick.corpus.labels import json_inside, labels_of, python_inside
from hayflick.corpus.normalization import normalized_expression
from hayflick.corpus.table_format import SEPARATORS, Dialect, TableFormat, sniff
from hayflick.corpus.table_kinds import (
    DelimitedTable,
    FrameTable,
    LinesTable,
    OpenTable,
    text_place,
)
from hayflick.corpus.workbooks import read_sheet

TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".xlsx")
"""Suffixes of tables; they may be compressed, as in ``.csv.gz`` or ``.jsonl.zst``."""

RECORD_SUFFIXES = (*TABLE_SUFFIXES, ".json")
"""Suffixes of tables where counts are none: a ``.json`` file holds records then."""

_LINES = (".jsonl", ".ndjson", ".json")
_DELIMITED = (".csv", ".tsv")
_HEAD_CHARACTERS = 1 << 18


def is_table(path: Path, *, records: bool = False) -> bool:
    """Return whether the name of a file says that it is a table.

    Parameters
    ----------
    path
        The file.
    records
        Whether a ``.json`` file holds records, as logs do, in place of counts.
    """
    suffixes = RECORD_SUFFIXES if records else TABLE_SUFFIXES
    return content_suffix(path) in suffixes and not path.is_dir()


_SAMPLED_CELLS = 100


@dataclass(frozen=True)
class TableColumn:
    """A column of an open table.

    Parameters
    ----------
    name
        Its name.
    labels
        Its cells as labels, in a lazy column ``text``; null for missing ones.
    table
        The table.
    notes
        How it is read.
    """

    name: str
    labels: pl.LazyFrame
    table: OpenTable
    notes: tuple[Note, ...]


@contextmanager
def table_column(
    path: Table,
    *,
    column: str | None,
    given: TableFormat | None = None,
    encoding: str = "utf-8",
    normalize: str = "nfc",
    progress: Progress = silent,
) -> Iterator[TableColumn]:
    """Yield a column of a table.

    Parameters
    ----------
    path, given, encoding, progress
        See `open_table`.
    column
        Its name; None for the only column.
    normalize
        Unicode normalization of its cells.

    Raises
    ------
    DataError
        If the table cannot be read, or has no such column; the message lists its columns.
    ArgumentError, MissingExtraError
        As `open_table`.
    """
    with open_table(path, given=given, encoding=encoding, progress=progress) as table:
        name = table.choose(column)
        labels = table.labels(name)
        note = json_note(name, labels.drop_nulls().head(_SAMPLED_CELLS).collect()["text"])
        spelled = labels.select(normalized_expression(pl.col("text"), normalize))
        yield TableColumn(name, spelled, table, (*table.notes, *note))


def json_note(name: str, cells: pl.Series, *, option: str = "--column") -> tuple[Note, ...]:
    """Return a note if most cells are objects or lists, spelled as text in JSON or Python.

    Parameters
    ----------
    name
        The column.
    cells
        Some of its cells.
    option
        What reads the text inside.
    """
    inside, python = [], False
    for cell in cells.to_list():
        value = json_inside(cell)
        if value is None:
            value = python_inside(cell)
            python = python or value is not None
        if value is not None:
            inside.append(value)
    if not inside or 2 * len(inside) < len(cells):
        return ()
    places = (text_place(value, name) for value in inside)
    place = next((place for place in places if place is not None), None)
    column = repr(name)
    if place is None and python:
        message = translatable("the cells of {column} are objects or lists as Python spells them")
        return (Note(message, column=column),)
    if place is None:
        return (Note("the cells of {column} are JSON; they are read as they are", column=column),)
    message = translatable(
        "the cells of {column} are JSON, and are read with their braces and keys; their text is at"
        " {path}: read it with {option}"
    )
    if python:
        message = translatable(
            "the cells of {column} are objects or lists as Python spells them, and are read with"
            " their braces and keys; their text is at {path}: read it with {option}"
        )
    return (Note(message, column=column, path=place, option=f"{option} {shlex.quote(place)}"),)


@contextmanager
def open_table(
    path: Table,
    *,
    given: TableFormat | None = None,
    encoding: str = "utf-8",
    progress: Progress = silent,
) -> Iterator[OpenTable]:
    """Open a table.

    Parameters
    ----------
    path
        A file with one of the suffixes of `RECORD_SUFFIXES`, or a frame in memory.
    given
        What the user stated of its format; None if nothing.
    encoding
        Encoding of CSV, TSV and JSON lines; the other formats define their own.
    progress
        Called with the number of bytes read so far.

    Raises
    ------
    DataError
        If the file cannot be read, also while its columns are collected.
    MissingExtraError
        If the extra ``excel`` is needed and not installed.
    ArgumentError
        If a setting of the format does not fit the kind of file.
    """
    stated = TableFormat() if given is None else given
    check_format(stated, path)
    if isinstance(path, pl.DataFrame):
        yield FrameTable("the table", path.lazy(), path.columns)
        return
    suffix = content_suffix(path)
    if suffix in _LINES:
        next(decoded(path, encoding=encoding))
        table = LinesTable(path, encoding, progress)
        with _polars_faults(path):
            yield table
    elif suffix in _DELIMITED:
        with _polars_faults(path):
            yield _delimited(path, stated, encoding=encoding, progress=progress)
    else:
        with _uncompressed(path) as readable, _polars_faults(path):
            yield _stored(path, readable, suffix, stated)


def check_format(stated: TableFormat, source: Table) -> None:
    """Refuse settings that do not fit the kind of table.

    Raises
    ------
    ArgumentError
        If there is one.
    """
    if not isinstance(stated, TableFormat):
        raise ArgumentError("table", got=stated, takes="a hayflick.TableFormat")
    suffix = content_suffix(source) if isinstance(source, Path) else ""
    settings = {
        "separator": (stated.separator, _DELIMITED),
        "quote": (stated.quote, _DELIMITED),
        "header": (None if stated.header else "none", _DELIMITED),
        "sheet": (stated.sheet, (".xlsx",)),
        "decimal": (stated.decimal, (*RECORD_SUFFIXES, "")),
    }
    for name, (value, takers) in settings.items():
        if value is not None and suffix not in takers:
            takes = f"nothing but for a file that ends in {' or '.join(filter(None, takers))}"
            given = source.name if isinstance(source, Path) else "a table in memory"
            raise ArgumentError(name, got=value, takes=takes, remedy=f"{given} is another")


def _delimited(
    path: Path, stated: TableFormat, *, encoding: str, progress: Progress
) -> DelimitedTable:
    head = "".join(_head(path, encoding))
    tabs = content_suffix(path) == ".tsv"
    dialect = sniff(head, given=stated, name=str(path), tabs=tabs)
    notes = tuple(_notes(path, dialect, stated, tabs=tabs))
    return DelimitedTable(path, encoding, dialect, stated.header, progress, notes)


def _notes(path: Path, dialect: Dialect, stated: TableFormat, *, tabs: bool) -> Iterator[Note]:
    usual = "\t" if tabs else ","
    if stated.separator is None and dialect.separator != usual:
        separator = SEPARATORS.get(dialect.separator, repr(dialect.separator))
        message = translatable("the columns of {name} are separated by {separator}")
        yield Note(message, name=path.name, separator=separator)
    if stated.quote is None and dialect.quote != '"':
        yield Note("cells of {name} are quoted by {quote}", name=path.name, quote=dialect.quote)
    if stated.header and dialect.numbered:
        message = translatable(
            "the first line of {name} is taken for the names of its columns ({names}); --no-header"
            " takes it for data"
        )
        names = ", ".join(map(repr, dialect.header[:5]))
        yield Note(message, name=path.name, names=names)


def _head(path: Path, encoding: str) -> Iterator[str]:
    left = _HEAD_CHARACTERS
    for text in decoded(path, encoding=encoding):
        yield text[:left]
        left -= len(text)
        if left <= 0:
            return


def _stored(path: Path, readable: Path, suffix: str, stated: TableFormat) -> FrameTable:
    if suffix == ".xlsx":
        return read_sheet(path, readable, sheet=stated.sheet)
    # Polars takes ~ in the path of a file for a home.
    whole = pl.scan_parquet(readable.absolute(), glob=False)
    return FrameTable(path, whole, whole.collect_schema().names())


_WHERE_RAISED = "\n\nThis error occurred in the following expression"
"""What polars adds to the message of an error."""


@contextmanager
def _polars_faults(path: Path) -> Iterator[None]:
    """Turn what polars raises while a table is read into errors of the file."""
    try:
        yield
    except DataError as fault:
        reason, mark, _ = str(fault).partition(_WHERE_RAISED)
        if mark:
            raise DataError(reason) from None
        raise
    except (pl.exceptions.PolarsError, OSError) as fault:
        if isinstance(fault.__context__, DataError):
            raise fault.__context__ from None
        reason = str(fault).splitlines()[0]
        raise DataError(
            f"{path}: cannot be read as {content_suffix(path)[1:]} ({reason})"
        ) from None


_LARGEST_COPY = 1 << 33


@contextmanager
def _uncompressed(path: Path) -> Iterator[Path]:
    """Yield the path of a file with its content uncompressed."""
    if not path.is_file():
        with opened(path):
            raise DataError(f"{path}: no such file; check the path")
    with opened(path) as (stream, file):
        compressed = stream is not file
    if not compressed:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="hayflick-") as folder, opened(path) as (stream, _):
        copy = Path(folder) / "table"
        written = 0
        with open(copy, "wb") as file:
            while chunk := stream.read(CHUNK_BYTES):
                written += file.write(chunk)
                if written > _LARGEST_COPY:
                    most = f"holds more than {_LARGEST_COPY:,} bytes once decompressed"
                    raise DataError(f"{path}: {most}; decompress it, and give that file")
        yield copy


def table_rows(
    path: Table,
    *,
    column: str,
    numbers: Sequence[int],
    given: TableFormat | None = None,
    encoding: str = "utf-8",
) -> list[dict[str, Any]]:
    """Return whole rows of a table, ready for JSON, with the labels as text.

    Bytes are written in base64.

    Parameters
    ----------
    path, given, encoding
        See `open_table`.
    column
        The column of the labels.
    numbers
        The rows to return, ascending and counted from 0.

    Raises
    ------
    DataError
        If the file cannot be read, or a row cannot be written as JSON.
    """
    with open_table(path, given=given, encoding=encoding) as table:
        if isinstance(table, LinesTable):
            return table.records(numbers)
        names = list(table.columns)
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            table.choose(twice)
        rows = table.frame(names)
        place = "number" + "_" * max(map(len, names))
        wanted = rows.with_row_index(place).filter(pl.col(place).is_in(list(numbers)))
        # A path leads to the same label in the row that is written.
        labels = [labels_of(column, rows.collect_schema()[column])] if column in names else []
        labelled = wanted.select(pl.exclude(place)).with_columns(
            *(label.alias(column) for label in labels), selectors.binary().bin.encode("base64")
        )
        for name, kind in labelled.collect_schema().items():
            if "Binary" in str(kind):
                remedy = "leave the column out, or store bytes by themselves"
                raise DataError(f"{path}: the column {name!r} holds {kind}, not for JSON; {remedy}")
        written = labelled.collect(engine="streaming").write_ndjson()
    return [json.loads(row) for row in written.splitlines()]
