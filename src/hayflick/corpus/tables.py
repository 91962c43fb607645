"""Read tables: CSV, TSV, JSON lines, Parquet and xlsx."""

from __future__ import annotations

import codecs
import csv
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from polars import selectors

from hayflick.core.arrays import Floats
from hayflick.core.checks import LARGEST_SIZE
from hayflick.core.errors import DataError, MissingExtraError
from hayflick.core.progress import Progress, silent
from hayflick.corpus.encodings import check_encoding, decoded

TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".xlsx")
_TEXTUAL = (".csv", ".tsv", ".jsonl", ".ndjson")


@contextmanager
def table_column(
    path: Path, *, column: str | None, encoding: str = "utf-8", progress: Progress = silent
) -> Iterator[tuple[str, pl.LazyFrame]]:
    """Yield a column's name and its cells as a lazy column ``text``, null for missing ones.

    Parameters
    ----------
    path
        A file with one of the suffixes of `TABLE_SUFFIXES`.
    column
        Its name; None for the only column.
    encoding
        Encoding of CSV, TSV and JSON lines; the other formats define their own.
    progress
        Called with the number of bytes read while a file is converted to UTF-8.

    Raises
    ------
    DataError
        If the file cannot be read, or has no such column; the message lists its columns.
    MissingExtraError
        If the extra ``excel`` is needed and not installed.
    """
    with table(path, encoding=encoding, progress=progress) as frame:
        schema = frame.collect_schema()
        name = choose_column(path, schema.names(), column)
        if schema[name].is_nested() or schema[name] == pl.Binary:
            raise DataError(f"{path}: the column {name!r} holds {schema[name]}, takes labels")
        yield name, frame.select(pl.col(name).cast(pl.String).alias("text"))


@contextmanager
def table(
    path: Path, *, encoding: str = "utf-8", progress: Progress = silent
) -> Iterator[pl.LazyFrame]:
    """Yield a table lazily; cells of CSV, TSV, JSON lines and xlsx are text.

    Parameters
    ----------
    path, encoding, progress
        See `table_column`.

    Raises
    ------
    DataError
        If the file cannot be read, also while the frame is collected.
    MissingExtraError
        If the extra ``excel`` is needed and not installed.
    """
    with _as_utf8(path, encoding=encoding, progress=progress) as readable:
        try:
            yield _scan(readable, suffix=path.suffix.lower())
        except (pl.exceptions.PolarsError, OSError) as fault:
            raise _malformed(path, readable, fault) from None


def table_rows(
    path: Path, *, column: str, numbers: Sequence[int], encoding: str = "utf-8"
) -> list[dict[str, Any]]:
    """Return whole rows of a table, ready for JSON, with the labels as text.

    Bytes are written in base64.

    Parameters
    ----------
    path, encoding
        See `table_column`.
    column
        The column of the labels.
    numbers
        The rows to return, ascending and counted from 0.

    Raises
    ------
    DataError
        If the file cannot be read, or a row cannot be written as JSON.
    """
    with table(path, encoding=encoding) as rows:
        place = "number" + "_" * max(map(len, rows.collect_schema().names()))
        wanted = rows.with_row_index(place).filter(pl.col(place).is_in(list(numbers)))
        labelled = wanted.select(pl.exclude(place)).with_columns(
            pl.col(column).cast(pl.String), selectors.binary().bin.encode("base64")
        )
        for name, kind in labelled.collect_schema().items():
            if "Binary" in str(kind):
                remedy = "leave the column out, or store bytes by themselves"
                raise DataError(f"{path}: the column {name!r} holds {kind}, not for JSON; {remedy}")
        written = labelled.collect(engine="streaming").write_ndjson()
    return [json.loads(row) for row in written.splitlines()]


def _scan(path: Path, *, suffix: str) -> pl.LazyFrame:
    if suffix in (".jsonl", ".ndjson"):
        names = pl.scan_ndjson(path, infer_schema_length=None).collect_schema().names()
        return pl.scan_ndjson(path, schema=dict.fromkeys(names, pl.String))
    if suffix == ".parquet":
        return pl.scan_parquet(path)
    if suffix == ".xlsx":
        if find_spec("fastexcel") is None:
            raise MissingExtraError("reading xlsx", extra="excel")
        return _workbook(path).lazy()
    rows = pl.scan_csv(path, separator="\t" if suffix == ".tsv" else ",", infer_schema=False)
    # Reading one column only would miss rows with too many cells, whose labels may be in the
    # wrong column.
    return rows.map_batches(lambda frame: frame, projection_pushdown=False, streamable=True)


def _workbook(path: Path) -> pl.DataFrame:
    # The reader's errors have no common base but Exception.
    try:
        return pl.read_excel(path, infer_schema_length=0)
    except Exception as fault:
        reason = str(fault).splitlines()[0]
        raise DataError(f"{path}: is no readable xlsx workbook ({reason})") from None


def choose_column(path: Path, names: list[str], column: str | None) -> str:
    """Return the named column of a table, or its only one.

    Raises
    ------
    DataError
        If there is no such column, or several and none is named.
    """
    listed = ", ".join(names)
    if column is None and len(names) == 1:
        return names[0]
    if column is None:
        raise DataError(f"{path}: is a table; name a column with --column: {listed}")
    if column in names:
        return column
    remedy = ""
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
        remedy = "; its cells seem to be separated by something else than commas: save it as such"
    raise DataError(f"{path}: has no column {column!r}; it has: {listed}{remedy}")


@contextmanager
def _as_utf8(path: Path, *, encoding: str, progress: Progress) -> Iterator[Path]:
    """Yield the path of the same table in UTF-8: a copy, unless the file is UTF-8 already."""
    codec = check_encoding(encoding)
    textual = path.suffix.lower() in _TEXTUAL
    # Decoding the head finds a missing, empty or binary file, and most wrong encodings.
    if textual:
        next(decoded(path, encoding=encoding))
    elif not path.is_file():
        raise DataError(f"{path}: no such file; check the path")
    if not textual or (codec == "utf-8-sig" and not _head(path).startswith(codecs.BOM_UTF8)):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="hayflick-") as folder:
        copy = Path(folder) / f"table{path.suffix}"
        with open(copy, "w", encoding="utf-8", newline="") as file:
            file.writelines(decoded(path, encoding=encoding, progress=progress))
        yield copy


def _head(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(len(codecs.BOM_UTF8))


def _malformed(path: Path, readable: Path, fault: Exception) -> DataError:
    """Return the error to show: with the line number if possible, else the message of `fault`."""
    suffix = path.suffix.lower()
    if suffix in _TEXTUAL:
        for _ in decoded(readable):
            pass
        place = _bad_row(readable) if suffix in (".csv", ".tsv") else _bad_json(readable)
        if place:
            return DataError(f"{path}: {place}")
    return DataError(f"{path}: cannot be read as {suffix[1:]} ({str(fault).splitlines()[0]})")


def _bad_json(path: Path) -> str:
    for number, record in json_lines(path):
        if isinstance(record, str):
            return f"line {number} {record}" + ("" if ";" in record else "; mend or remove it")
    return ""


def _bad_row(path: Path) -> str:
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, delimiter=delimiter)
        width = len(next(rows, []))
        for row in rows:
            if len(row) > width:
                return f"line {rows.line_num} has {len(row)} cells, the header has {width}"
    return ""


_HEAD = 1000


@dataclass(frozen=True, eq=False)
class NumericTable:
    """Columns of numbers from a table.

    Parameters
    ----------
    values
        Shape ``(rows, columns)``, all finite.
    columns
        Names of the columns.
    name
        Name of the file.
    """

    values: Floats
    columns: tuple[str, ...]
    name: str


def read_numbers(
    path: str | os.PathLike[str], *, columns: Sequence[str] | None = None, encoding: str = "utf-8"
) -> NumericTable:
    """Read columns of numbers from a CSV, TSV, JSON lines, Parquet or xlsx file.

    Parameters
    ----------
    path
        The table.
    columns
        Their names; None for the only column.
    encoding
        Any text codec of Python.

    Raises
    ------
    DataError
        If the file cannot be read, a column does not exist, has fewer than two values or is
        constant, or a cell is missing, not a number or not finite.
    """
    path = Path(path)
    if path.suffix.lower() not in TABLE_SUFFIXES:
        raise DataError(f"{path}: is no table; takes {', '.join(TABLE_SUFFIXES)}")
    read = [_column(path, name, encoding) for name in columns or (None,)]
    names = tuple(name for name, _ in read)
    return NumericTable(np.stack([values for _, values in read], axis=1), names, path.name)


def holds_fractions(
    path: str | os.PathLike[str], *, column: str | None = None, encoding: str = "utf-8"
) -> bool:
    """Return whether all cells of a table's column are numbers, and at least one is not whole.

    A number with a decimal point or an exponent is taken as not whole. Whole numbers alone
    may as well be labels. Empty cells are ignored.

    Raises
    ------
    DataError
        If the file cannot be read, or a column is not there.
    """
    with table_column(Path(path), column=column, encoding=encoding) as (_, cells):
        texts = cells.select(pl.col("text").str.strip_chars()).filter(pl.col("text") != "")
        number = pl.col("text").cast(pl.Float64, strict=False).is_not_null().all()
        # The head of a long column of labels suffices, without reading it all.
        if not texts.head(_HEAD).select(number).collect().item():
            return False
        fraction = pl.col("text").str.contains("[.eE]").any()
        return bool(texts.select(number & fraction).collect(engine="streaming").item())


def column_name(
    path: str | os.PathLike[str], *, column: str | None = None, encoding: str = "utf-8"
) -> str:
    """Return `column`, or the name of the only column of a table.

    Raises
    ------
    DataError
        If the file cannot be read, has no such column, or several and none is named.
    """
    with table_column(Path(path), column=column, encoding=encoding) as (name, _):
        return name


def _column(path: Path, column: str | None, encoding: str) -> tuple[str, Floats]:
    with table_column(path, column=column, encoding=encoding) as (name, cells):
        texts = cells.collect().get_column("text")
    numbers = texts.str.strip_chars().cast(pl.Float64, strict=False)
    where = f"{path}: the column {name!r}"
    empty = texts.is_null() | (texts.str.strip_chars() == "")
    spelled = texts.filter(~empty & numbers.is_null())
    if len(spelled):
        raise DataError(f"{where} holds no numbers but labels, such as {spelled[0]!r}")
    bad = int(empty.sum()) + int((~numbers.is_finite()).sum())
    if bad:
        raise DataError(f"{where} has {bad} cells that are empty, NaN or infinite; remove them")
    values = numbers.to_numpy().astype(np.float64)
    if values.size < 2:
        raise DataError(f"{where} has {values.size} values, takes at least 2")
    if np.abs(values).max() > LARGEST_SIZE:
        raise DataError(f"{where} holds numbers beyond {LARGEST_SIZE:g}; change the unit")
    if np.ptp(values) <= 1.0 / LARGEST_SIZE:
        raise DataError(f"{where} is constant ({values[0]:g}); there is no spread to lose")
    return name, values


Line = tuple[int, dict[str, Any] | str]
"""A line's number, from 1, and its record, or why it is not a record."""


def json_lines(
    path: Path, *, encoding: str = "utf-8", progress: Progress = silent
) -> Iterator[Line]:
    r"""Yield the records of a file one by one, except blank lines.

    Raises
    ------
    DataError
        If the file is missing, empty or binary.
    UndecodableError
        If it is not in `encoding`.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "answers.jsonl"
    >>> _ = path.write_text('{"answer": "yes"}\n{"answer": \n')
    >>> list(json_lines(path))
    [(1, {'answer': 'yes'}), (2, 'is no JSON (Expecting value)')]
    """
    text = decoded(path, encoding=encoding, progress=progress)
    for number, line in enumerate(_lines(text), start=1):
        if line.strip():
            yield number, _record(line)


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    rest = ""
    for piece in pieces:
        *whole, rest = (rest + piece).split("\n")
        yield from whole
    if rest:
        yield rest


def _record(line: str) -> dict[str, Any] | str:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as fault:
        return f"is no JSON ({fault.msg})"
    except RecursionError:
        return "is nested too deeply"
    if not isinstance(record, dict):
        return "is no JSON object; each line takes one"
    # Escapes can spell lone surrogates, which cannot be encoded.
    return _whole_letters(record) if "\\ud" in line or "\\uD" in line else record


def _whole_letters(record: dict[str, Any]) -> dict[str, Any]:
    spelled = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace")
    whole: dict[str, Any] = json.loads(spelled)
    return whole


def refuse_line(path: Path, number: int, reason: str) -> DataError:
    """Return the error of a line that cannot be used."""
    remedy = "mend or remove it, or pass over such lines with --skip-bad"
    return DataError(f"{path}: line {number} {reason}; {remedy}")
