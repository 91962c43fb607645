"""Ask the summary of a sweep by SQL."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hayflick.core.display_text import display_text
from hayflick.core.errors import ArgumentError, DataError
from hayflick.sweeps.store import CELLS, SUMMARY

if TYPE_CHECKING:
    import polars as pl

TABLE = "cells"
"""Name of the summary in a query."""


def query_sweep(folder: str | os.PathLike[str], sql: str) -> pl.DataFrame:
    """Return the rows of an SQL query over the cells of a sweep.

    Parameters
    ----------
    folder
        Folder of the sweep.
    sql
        A query in the SQL of polars; the summary is the table ``cells``.

    Raises
    ------
    DataError
        If the folder holds no finished sweep.
    ArgumentError
        If the query is not understood.

    Examples
    --------
    >>> query_sweep("nowhere", "SELECT * FROM cells")
    Traceback (most recent call last):
        ...
    hayflick.core.errors.DataError: nowhere: there is no such folder; ...
    """
    import polars as pl

    context = pl.SQLContext(frames={TABLE: read_summary(folder)})
    try:
        found = context.execute(sql, eager=True)
    except UnicodeEncodeError:
        raise _no_query(sql, "it is no text") from None
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as fault:
        # Below the first lines polars shows its plan.
        said = " ".join(str(fault).partition("Resolved plan")[0].split())
        raise _no_query(sql, said) from None
    if not found.width:
        raise _no_query(sql, "it has no columns")
    return found


def _no_query(sql: str, said: str) -> ArgumentError:
    shown, said = display_text(sql, longest=200), display_text(said, longest=400)
    takes = f"a query in SQL over the table {TABLE}: SELECT samples, kept FROM {TABLE}"
    return ArgumentError("sql", got=f"{shown!r} ({said})", takes=takes)


def read_summary(folder: str | os.PathLike[str]) -> pl.DataFrame:
    """Return the summary of a sweep, a row per cell; see `SweepResult.to_frame`.

    Raises
    ------
    DataError
        If the folder holds none.
    """
    import polars as pl

    path = Path(folder)
    if not path.is_dir():
        remedy = "give the folder that hayflick sweep has written"
        raise DataError(f"{path}: there is no such folder; {remedy}")
    if not (path / SUMMARY).is_file():
        begun = (path / CELLS).exists()
        remedy = "go on with hayflick sweep --resume" if begun else "it is no folder of a sweep"
        raise DataError(f"{path}: holds no {SUMMARY}; {remedy}")
    try:
        return pl.read_parquet(path / SUMMARY)
    except (pl.exceptions.PolarsError, OSError) as fault:
        said = " ".join(str(fault).split())
        remedy = "write it again by hayflick sweep --resume"
        raise DataError(f"{path / SUMMARY}: cannot be read ({said}); {remedy}") from None
