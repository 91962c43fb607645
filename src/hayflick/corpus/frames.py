"""Data in memory as tables: frames and series of polars and pandas, arrays, lists, mappings."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import polars as pl

from hayflick.core.display_text import display_text
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.object_stores import was_url
from hayflick.corpus.labels import label_of

Table: TypeAlias = Path | pl.DataFrame
"""A file, or a table in memory."""


def input_path(source: object) -> Path:
    """Return the path of an input, which need not exist.

    Raises
    ------
    ArgumentError
        If it is no path.
    DataError
        If no file can have such a path.
    """
    if not isinstance(source, (str, os.PathLike)):
        takes = "the path of a file, or a table, a list or counts in memory"
        raise ArgumentError("source", got=source, takes=takes)
    path = Path(os.fsdecode(source))
    url = was_url(source)
    if url is not None and not os.path.exists(path):
        reads = "which watch, compare, review, summarise, merge and gate read"
        raise DataError(f"{url}: lies in an object store, {reads}; copy it to a disk first")
    try:
        path.stat()
    except ValueError:
        raise DataError(f"{str(path)!r}: holds a character that no path can, such as NUL") from None
    except OSError as fault:
        if fault.errno == errno.ENAMETOOLONG:
            shown = display_text(str(path), longest=_LONGEST_NAME)
            raise DataError(f"{shown}: the path is too long; check it") from None
    return path


_LONGEST_NAME = 80


def table_or_path(source: object) -> Table:
    """Return data in memory as a table, and anything else as the path of a file.

    Raises
    ------
    ArgumentError, DataError
        As `as_table` and `input_path`.
    """
    return as_table(source) if is_in_memory(source) else input_path(source)


def is_in_memory(source: object) -> bool:
    """Return whether an object holds data, rather than the path of a file or a model.

    Examples
    --------
    >>> is_in_memory(["a", "b"]), is_in_memory("answers.csv")
    (True, False)
    """
    kinds = (pl.DataFrame, pl.LazyFrame, pl.Series, np.ndarray, Mapping, list, tuple)
    return isinstance(source, kinds) or _is_pandas(source)


def _is_pandas(source: object) -> bool:
    return type(source).__module__.partition(".")[0] == "pandas"


def holds_counts(source: object) -> bool:
    """Return whether an object is a mapping from symbols to numbers.

    Examples
    --------
    >>> holds_counts({"apple": 12, "pear": 3}), holds_counts({"fruit": ["apple", "pear"]})
    (True, False)
    """
    if not isinstance(source, Mapping):
        return False
    return all(isinstance(value, (Integral, float)) for value in source.values())


def as_table(source: Any) -> pl.DataFrame:
    """Return data in memory as a table.

    Parameters
    ----------
    source
        A frame or a series of polars or pandas, an array of one dimension, a list of cells or of
        records, or a mapping from names of columns to their cells.

    Raises
    ------
    ArgumentError
        If it is something else.
    DataError
        If two columns have one name, or columns differ in length.

    Examples
    --------
    >>> as_table([{"round": 1, "answer": "yes"}, {"round": 2}]).rows()
    [(1, 'yes'), (2, None)]
    >>> as_table(["a", "b"]).columns
    ['label']
    """
    if isinstance(source, pl.DataFrame):
        return source
    if isinstance(source, pl.LazyFrame):
        return source.collect()
    if isinstance(source, pl.Series):
        return source.rename(source.name or "label").to_frame()
    if _is_pandas(source):
        return _from_pandas(source)
    if isinstance(source, np.ndarray):
        if source.ndim != 1:
            got = f"an array of {source.ndim} dimensions"
            raise ArgumentError("source", got=got, takes="an array of one, or a frame")
        return _frame({"label": source.tolist()})
    if isinstance(source, Mapping):
        return _frame({str(name): _cells(name, cells) for name, cells in source.items()})
    if all(isinstance(record, Mapping) for record in source) and len(source):
        names = dict.fromkeys(str(name) for record in source for name in record)
        return _frame({name: [record.get(name) for record in source] for name in names})
    return _frame({"label": list(source)})


def _from_pandas(source: Any) -> pl.DataFrame:
    if source.ndim == 1:
        return _frame({str(source.name or "label"): source.tolist()})
    names = [str(name) for name in source.columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"the table has the column {twice!r} more than once; rename all but one")
    return _frame({name: source.iloc[:, place].tolist() for place, name in enumerate(names)})


def _frame(columns: Mapping[str, Sequence[Any]]) -> pl.DataFrame:
    lengths = {len(cells) for cells in columns.values()}
    if len(lengths) > 1:
        raise DataError(f"the table has columns of {min(lengths)} and of {max(lengths)} cells")
    return pl.DataFrame([_series(name, _known(cells)) for name, cells in columns.items()])


def _cells(name: object, cells: object) -> list[Any]:
    if isinstance(cells, (str, bytes, Mapping)) or not isinstance(cells, Iterable):
        takes = "counts (symbol: number) or columns (name: list of cells)"
        got = f"a mapping with {type(cells).__name__} for {name!r}"
        raise ArgumentError("source", got=got, takes=takes)
    return list(cells)


def _known(cells: Iterable[Any]) -> list[Any]:
    """Return cells with None for what pandas and numpy write for a missing one."""
    return [None if _is_missing(cell) else cell for cell in cells]


def _is_missing(cell: Any) -> bool:
    if cell is None or isinstance(cell, (str, int, Mapping, list, tuple, np.ndarray)):
        return cell is None
    if isinstance(cell, float):
        return cell != cell
    return type(cell).__name__ in ("NAType", "NaTType")


_SETS = (set, frozenset)


def _series(name: str, cells: list[Any]) -> pl.Series:
    try:
        found = pl.Series(name, cells, strict=True)
        if found.dtype == pl.Object and not any(isinstance(cell, _SETS) for cell in cells):
            # What polars has no type for, such as a UUID or a period of pandas, has a name.
            found = pl.Series(name, [label_of(cell) for cell in cells])
        return found
    except UnicodeEncodeError:
        half = "holds half a character (a lone surrogate)"
        raise DataError(f"the column {name!r} {half}; fix its text") from None
    except (TypeError, pl.exceptions.PolarsError, OverflowError):
        # Cells of several types: labels, as in JSON lines.
        nested = next((cell for cell in cells if isinstance(cell, (Mapping, list, tuple))), None)
        if nested is not None:
            raise DataError(
                f"the column {name!r} holds a {type(nested).__name__} beside text"
            ) from None
        return pl.Series(name, [label_of(cell) for cell in cells], dtype=pl.String)
