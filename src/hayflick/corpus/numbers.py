"""Columns of numbers from a table."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from hayflick.core.arrays import Floats
from hayflick.core.checks import LARGEST_SIZE
from hayflick.core.errors import DataError
from hayflick.corpus.tables import TABLE_SUFFIXES, table_column

_HEAD = 1000


@dataclass(frozen=True, eq=False)
class Numbers:
    """What was read.

    Parameters
    ----------
    values
        Shape ``(rows, columns)``, every one finite.
    columns
        Their names.
    name
        The file's.
    """

    values: Floats
    columns: tuple[str, ...]
    name: str


def read_numbers(
    path: str | os.PathLike[str],
    *,
    columns: Sequence[str] | None = None,
    encoding: str = "utf-8",
) -> Numbers:
    """Read columns of numbers from a CSV, TSV, JSON lines, Parquet or xlsx file.

    Parameters
    ----------
    path
        The table.
    columns
        Their names; None takes the only column there is.
    encoding
        Any text codec of Python's.

    Raises
    ------
    DataError
        If the file cannot be read, a column is not there, or a cell is missing, no number
        or not finite (they are counted), or a column has fewer than two values or one
        value throughout.
    """
    path = Path(path)
    if path.suffix.lower() not in TABLE_SUFFIXES:
        raise DataError(f"{path}: is no table; takes {', '.join(TABLE_SUFFIXES)}")
    read = [_column(path, name, encoding) for name in columns or (None,)]
    names = tuple(name for name, _ in read)
    return Numbers(np.stack([values for _, values in read], axis=1), names, path.name)


def holds_fractions(
    path: str | os.PathLike[str], *, column: str | None = None, encoding: str = "utf-8"
) -> bool:
    """Return whether all cells of a table's column are numbers, one at least not whole.

    A number with a decimal point or an exponent is taken as not whole. Whole numbers alone
    may as well be labels. Empty cells are passed over.

    Raises
    ------
    DataError
        If the file cannot be read, or a column is not there.
    """
    with table_column(Path(path), column=column, encoding=encoding) as (_, cells):
        texts = cells.select(pl.col("text").str.strip_chars()).filter(pl.col("text") != "")
        number = pl.col("text").cast(pl.Float64, strict=False).is_not_null().all()
        # The head of a long column of labels tells, without reading it all.
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
