"""Read columns of numbers from tables: decimal signs, cells without a number, what is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hayflick.core.arrays import Floats
from hayflick.core.checks import LARGEST_SIZE
from hayflick.core.display_text import display_text
from hayflick.core.errors import DataError
from hayflick.core.notes import Note
from hayflick.corpus.frames import Table, table_or_path
from hayflick.corpus.table_format import TableFormat
from hayflick.corpus.table_kinds import OpenTable
from hayflick.corpus.tables import TABLE_SUFFIXES, is_table, table_column

_HEAD = 1000

NO_NUMBER = (
    *("", "#n/a", "n/a", "na", "nan", "null", "none", "-", "–", "—", "#div/0!", "#value!", "#ref!"),
    *("#name?", "#num!", "#null!", "#getting_data", "<na>", "nat"),
)
"""How tables spell that a cell has no number, in lower case."""

LARGEST_VALUE = 1e60
"""Of a number that is watched: sums of the squares of larger ones would be infinite."""

# No number is grouped behind a zero: 0,652 has a decimal comma.
_POINT_GROUPS = r"[-+]?[1-9]\d{0,2}(?:\.\d{3})+"
_COMMA_GROUPS = r"[-+]?[1-9]\d{0,2}(?:,\d{3})+"
_GROUPS = r"[1-9]\d{0,2}(?:[. \u{a0}\u{202f}']\d{3})+"
_COMMA = rf"[-+]?(?:{_GROUPS}|\d*),\d+(?:[eE][-+]?\d+)?"
_CODE = r"^\s*0\d+\s*$"
_WITHOUT_POINT = rf"[-+]?(?:{_GROUPS}|\d+(?:[eE][-+]?\d+)?)"


@dataclass(frozen=True, eq=False)
class ParsedNumbers:
    """Cells as numbers.

    Parameters
    ----------
    numbers
        Float64, null where a cell has no number.
    missing
        Number of cells that are empty or say that there is no number, such as ``#N/A``.
    wrong
        The first cell that is something else, with its row from 0; None if there is none.
    decimal_comma
        Whether a comma was read as the decimal sign.
    """

    numbers: pl.Series
    missing: int
    wrong: tuple[int, str] | None
    decimal_comma: bool


def parse_numbers(
    cells: pl.Series, *, decimal: str | None = None, semicolons: bool = False
) -> ParsedNumbers:
    """Return cells as numbers.

    Parameters
    ----------
    cells
        The cells as text; null for missing ones.
    decimal
        The decimal sign; None if it is to be seen from the cells.
    semicolons
        Whether the cells stand between semicolons, as where the comma is the decimal sign.

    Raises
    ------
    DataError
        If commas, or points between semicolons, can be decimal signs as well as separators of
        thousands.

    Examples
    --------
    >>> parse_numbers(pl.Series(["0,5", "1.234,25", "#N/A"])).numbers.to_list()
    [0.5, 1234.25, None]
    >>> parse_numbers(pl.Series(["1,234", "2,500"]))
    Traceback (most recent call last):
        ...
    hayflick.core.errors.DataError: '1,234' can be 1234 or 1.234; say with --decimal . or ,
    """
    texts = cells.cast(pl.String).str.strip_chars()
    absent = texts.is_null() | texts.str.to_lowercase().is_in(NO_NUMBER)
    known = pl.when(~absent).then(texts)
    texts = cells.rename("cell").to_frame().select(known.alias("cell"))["cell"]
    comma = (
        decimal == "," if decimal is not None else _has_decimal_comma(texts, semicolons=semicolons)
    )
    if comma:
        plain = texts.str.replace_all(r"[. \u{a0}\u{202f}']", "").str.replace(
            ",", ".", literal=True
        )
        numbers: pl.Expr = pl.when(texts.str.contains(rf"^(?:{_COMMA}|{_WITHOUT_POINT})$")).then(
            plain
        )
    else:
        plain = texts.str.replace_all(",", "", literal=True)
        grouped = texts.str.contains(rf"^{_COMMA_GROUPS}(?:\.\d*)?$")
        numbers = pl.when(grouped).then(plain).otherwise(texts)
    found = texts.to_frame().select(numbers.cast(pl.Float64, strict=False).alias("number"))[
        "number"
    ]
    bad = (texts.is_not_null() & found.is_null()).arg_true()
    wrong = (int(bad[0]), str(cells[int(bad[0])])) if len(bad) else None
    return ParsedNumbers(found, int(absent.sum()), wrong, comma)


def _has_decimal_comma(texts: pl.Series, *, semicolons: bool) -> bool:
    """Return whether numbers have decimal commas; refuse if that cannot be told."""
    known = texts.drop_nulls()
    commas = known.filter(known.str.contains(",", literal=True))
    points = known.filter(known.str.contains(".", literal=True))
    if commas.is_empty():
        if semicolons and not points.is_empty() and points.str.contains(f"^{_POINT_GROUPS}$").all():
            if points.str.count_matches(r"\.").max() == 1:
                raise _ambiguous(points[0], ".")
            return True
        return False
    if not commas.str.contains(f"^{_COMMA}$").all():
        return False
    if not commas.str.contains(f"^{_COMMA_GROUPS}$").all():
        return True
    if points.str.contains(f"^{_POINT_GROUPS}$").all():
        raise _ambiguous(commas[0], ",")
    return False


def _ambiguous(cell: str, sign: str) -> DataError:
    either = f"{cell.replace(sign, '')} or {cell.replace(sign, '.')}"
    return DataError(f"{cell!r} can be {either}; say with --decimal . or ,")


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
    missing
        Number of rows that were left out, as a cell of theirs has no number.
    sheet
        The sheet of a workbook; None elsewhere.
    notes
        How the table was read.
    """

    values: Floats
    columns: tuple[str, ...]
    name: str
    missing: int = 0
    sheet: str | None = None
    notes: tuple[Note, ...] = ()


def read_numbers(
    path: Any,
    *,
    columns: Sequence[str] | None = None,
    given: TableFormat | None = None,
    encoding: str = "utf-8",
) -> NumericTable:
    """Read columns of numbers from a CSV, TSV, JSON lines, Parquet or xlsx file, or a frame.

    Rows without a number in one of the columns are left out and counted.

    Parameters
    ----------
    path
        The file, or a frame or a series of polars or pandas.
    columns
        Their names; None for the only column.
    given
        What is known of its format.
    encoding
        Any text codec of Python.

    Raises
    ------
    DataError
        If the file cannot be read, a column does not exist, has fewer than two values or is
        constant, or a cell is neither empty nor a finite number.
    """
    table: Table = table_or_path(path)
    if isinstance(table, Path) and not is_table(table):
        raise DataError(f"{path}: is no table; takes {', '.join(TABLE_SUFFIXES)}")
    read = [_column(table, name, given, encoding) for name in columns or (None,)]
    together = np.stack([column.values for column in read], axis=1)
    complete = ~np.isnan(together).any(axis=1)
    values = together[complete]
    for place, column in enumerate(read):
        _check_values(column.where, values[:, place])
    first = read[0]
    notes = tuple(dict.fromkeys(note for column in read for note in column.notes))
    names = tuple(column.name for column in read)
    name = table.name if isinstance(table, Path) else "the table"
    return NumericTable(values, names, name, int((~complete).sum()), first.sheet, notes)


def read_number_groups(
    path: Any,
    *,
    by: str,
    columns: Sequence[str] | None = None,
    given: TableFormat | None = None,
    encoding: str = "utf-8",
) -> tuple[NumericTable, pl.Series]:
    """Read columns of numbers, and the label of each row's group.

    Rows without a number in one of the columns, or without a label, are left out and counted.
    Parameters but `by`, the column of the labels, are those of `read_numbers`; without `columns`
    the table has one column beside `by`. Values of a group are not checked.

    Raises
    ------
    DataError
        As `read_numbers`, but for a column's number of values and its spread.
    """
    table: Table = table_or_path(path)
    if isinstance(table, Path) and not is_table(table):
        raise DataError(f"{path}: is no table; takes {', '.join(TABLE_SUFFIXES)}")
    with table_column(table, column=by, given=given, encoding=encoding) as found:
        labels = found.labels.collect().get_column("text")
        others = [name for name in found.table.columns if name != found.name]
        if not columns and len(others) != 1:
            listed_names = ", ".join(map(repr, others[:10])) or "none"
            raise DataError(
                f"{found.table.path}: name a column of numbers; beside {by!r} it has {listed_names}"
            )
    read = [_column(table, name, given, encoding) for name in columns or others]
    together = np.stack([column.values for column in read], axis=1)
    complete = ~np.isnan(together).any(axis=1) & labels.is_not_null().to_numpy()
    first = read[0]
    notes = tuple(dict.fromkeys(note for column in read for note in column.notes))
    names = tuple(column.name for column in read)
    name = table.name if isinstance(table, Path) else "the table"
    missing = int((~complete).sum())
    grouped = NumericTable(together[complete], names, name, missing, first.sheet, notes)
    return grouped, labels.filter(pl.Series(complete))


@dataclass(frozen=True, eq=False)
class _Column:
    """A column of numbers, NaN where a cell has none."""

    name: str
    where: str
    values: Floats
    sheet: str | None
    notes: tuple[Note, ...]


def _column(
    path: Path | pl.DataFrame, column: str | None, given: TableFormat | None, encoding: str
) -> _Column:
    with table_column(path, column=column, given=given, encoding=encoding) as found:
        cells = found.labels.collect().get_column("text")
        where = f"{found.table.path}: the column {found.name!r}"
        parsed = _parsed(cells, given, found.table, where)
        if parsed.wrong is not None:
            row, text = parsed.wrong
            line = found.table.lines_of([row])[0]
            shown = display_text(text, longest=40)
            raise DataError(
                f"{where} holds no numbers but labels, such as {shown!r} in line {line}"
            )
        notes = (*found.table.notes, *decimal_note(parsed, found.name))
        values = parsed.numbers.fill_null(np.nan).to_numpy().astype(np.float64)
        if not np.isfinite(values[~np.isnan(values)]).all():
            row = int(np.flatnonzero(np.isinf(values))[0])
            line = found.table.lines_of([row])[0]
            raise DataError(f"{where} has an infinite number in line {line}; fix or remove it")
        return _Column(found.name, where, values, found.table.sheet, notes)


def _parsed(
    cells: pl.Series, given: TableFormat | None, table: OpenTable, where: str
) -> ParsedNumbers:
    decimal = None if given is None else given.decimal
    try:
        return parse_numbers(cells, decimal=decimal, semicolons=table.semicolons)
    except DataError as fault:
        raise DataError(f"{where}: {fault}") from None


def decimal_note(parsed: ParsedNumbers, column: str) -> tuple[Note, ...]:
    """Return a note if commas were read as decimal signs."""
    if not parsed.decimal_comma:
        return ()
    return (Note("the numbers of {column} have decimal commas", column=repr(column)),)


def _check_values(where: str, values: Floats) -> None:
    if values.size < 2:
        raise DataError(f"{where} has {values.size} values, takes at least 2")
    if np.abs(values).max() > LARGEST_SIZE:
        raise DataError(f"{where} holds numbers beyond {LARGEST_SIZE:g}; change the unit")
    if np.ptp(values) <= 1.0 / LARGEST_SIZE:
        raise DataError(f"{where} is constant ({values[0]:g}); there is no spread to lose")


def holds_fractions(
    path: Any,
    *,
    column: str | None = None,
    given: TableFormat | None = None,
    encoding: str = "utf-8",
) -> bool:
    """Return whether all cells of a table's column are numbers, and at least one is not whole.

    A number with a decimal sign or an exponent is taken as not whole. Whole numbers alone may as
    well be labels, and with a zero in front (``007``) they are codes, whatever stands beside them.
    Cells without a number are ignored.

    Raises
    ------
    DataError
        If the file cannot be read, or a column is not there.
    """
    table: Table = table_or_path(path)
    with table_column(table, column=column, given=given, encoding=encoding) as found:
        where = f"{found.table.path}: the column {found.name!r}"
        # The head of a long column of labels suffices, without reading it all.
        head = found.labels.drop_nulls().head(_HEAD).collect().get_column("text")
        if not re.search(r"\d", "".join(head.head(50).to_list())) or not _numeric(head, given):
            return False
        cells = found.labels.collect().get_column("text")
    if not _numeric(cells, given):
        return False
    parsed = _parsed(cells, given, found.table, where)
    sign = r"[,eE]" if parsed.decimal_comma else r"[.eE]"
    spelled = cells.filter(parsed.numbers.is_not_null())
    if parsed.wrong is not None or spelled.str.contains(_CODE).any():
        return False
    return bool(spelled.str.contains(sign).any())


def _numeric(cells: pl.Series, given: TableFormat | None) -> bool:
    """Return whether cells are numbers, however their commas are read."""
    decimal = (given.decimal if given else None) or "."
    return any(parse_numbers(cells, decimal=one).wrong is None for one in {decimal, ","})
