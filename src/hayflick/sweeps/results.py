"""The results of a sweep: a row per cell, and arrays over the settings and generations."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from hayflick.core.arrays import Floats
from hayflick.core.display import Result
from hayflick.core.display_text import display_text
from hayflick.core.errors import ArgumentError, DataError, OutputError
from hayflick.core.output import write_file
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.sweeps.store import ARRAYS, CELLS, FORMAT_VERSION, SUMMARY, CellResult
from hayflick.sweeps.study import CellStudy
from hayflick.sweeps.tasks import ReadyCell

if TYPE_CHECKING:
    import polars as pl
    import xarray


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


@dataclass(frozen=True, eq=False)
class SweepResult(Result):
    """What is kept in every cell of a study.

    Parameters
    ----------
    study
        The study.
    ready
        Its cells, in order.
    results
        What is kept in each; None for a cell that was not finished.
    interrupted
        Whether it was stopped before the last cell.
    folder
        Where the results are kept; None for nowhere.
    read
        The study file, and the files that it names.
    """

    study: CellStudy
    ready: tuple[ReadyCell, ...]
    results: tuple[CellResult | None, ...]
    interrupted: bool = False
    folder: Path | None = None
    read: tuple[Source, ...] = ()

    def __repr__(self) -> str:
        return f"SweepResult({len(self.ready)} cells, {self.finished} finished)"

    @property
    @override
    def sources(self) -> tuple[Source, ...]:
        return self.read

    @property
    def finished(self) -> int:
        """Number of cells that are finished."""
        return sum(result is not None for result in self.results)

    @property
    def varied(self) -> tuple[str, ...]:
        """Names of the settings of several values, in the order of the cells."""
        return self.study.varied

    @property
    def imprecise(self) -> int:
        """Number of simulated cells whose standard error stayed above that of the study."""
        wanted = self.study.wanted_error
        if wanted is None:
            return 0
        errors = [found.last_error for found in self.results if found is not None]
        return sum(error is not None and error > wanted for error in errors)

    def to_frame(self) -> pl.DataFrame:
        """Return the summary: a row per cell with its settings, the law and what is kept.

        ``kept`` of ``quantity`` is after the last generation. ``standard_error`` is 0 for a law,
        and null where runs show none: for a single one, and where all end the same. ``error`` is
        how far from the truth a law can be. Where agents' distances are kept, ``distance`` is the
        one after the last round, and ``floor`` what chance alone leaves, as a share of the start.
        Cells that are not finished have nulls, as what is undefined has.
        """
        import polars as pl

        rows = zip(self.ready, self.results, strict=True)
        values = [_row(ready, found) for ready, found in rows]
        return pl.DataFrame(values, schema=_schema(self.study))

    def dataset(self) -> xarray.Dataset:
        """Return ``kept`` and ``standard_error`` by setting and generation.

        The dimensions of a grid are the settings of several values, and ``generation``; those of
        a Latin hypercube ``cell`` and ``generation``. Settings of one value are coordinates
        without a dimension. What is not finished, and generations beyond a cell's last one, are
        NaN. Where agents' distances are kept, ``distance`` is what was measured, and ``floor`` is
        that of the last round.
        """
        import xarray

        grid = self.study.number_of_points is None
        names: tuple[str, ...] = ("cell",)
        shape: tuple[int, ...] = (len(self.ready),)
        if grid:
            names = self.varied
            shape = tuple(len(self.study.values_of(name)) for name in names)
        last = max(ready.rounds for ready in self.ready)
        kept = np.full((len(self.ready), last + 1), np.nan)
        errors, bounds = kept.copy(), np.full(len(self.ready), np.nan)
        laws, runs = np.full(len(self.ready), "", dtype="U16"), np.zeros(len(self.ready), np.int64)
        for place, found in enumerate(self.results):
            if found is None:
                continue
            rounds = slice(found.kept.size)
            kept[place, rounds] = found.kept
            no_runs = 0.0 if not found.runs else np.nan
            given = found.standard_error
            errors[place, rounds] = no_runs if given is None else given
            laws[place], bounds[place], runs[place] = found.law, found.error, found.runs
        curves = (*names, "generation")
        variables = {
            "kept": (curves, kept.reshape(*shape, -1)),
            "standard_error": (curves, errors.reshape(*shape, -1)),
            "error": (names, bounds.reshape(shape)),
            "law": (names, laws.reshape(shape)),
            "runs": (names, runs.reshape(shape)),
        }
        if self.study.measures_distance:
            starts = _numbers(one.start if one else None for one in self.results)
            floors = _numbers(one.floor if one else None for one in self.results)
            distance = kept * starts[:, None]
            variables["distance"] = (curves, distance.reshape(*shape, -1))
            variables["floor"] = (names, floors.reshape(shape))
        coordinates = self._coordinates(names, grid=grid)
        coordinates["generation"] = np.arange(last + 1)
        attributes = {"format_version": FORMAT_VERSION, "design": self.study.design}
        return xarray.Dataset(variables, coords=coordinates, attrs=attributes)

    def _coordinates(self, names: Sequence[str], *, grid: bool) -> dict[str, Any]:
        if not grid:
            frame = self.to_frame()
            names = self.study.settings()
            given = [name for name in names if frame[name].null_count() < frame.height]
            columns = {name: ("cell", _plain_values(frame[name])) for name in given}
            return {"cell": frame["cell"].to_numpy(), **columns}
        coordinates: dict[str, Any] = {}
        for name in self.study.settings():
            values = self.study.values_of(name)
            if values:
                coordinates[name] = np.array(values) if name in names else values[0]
        return coordinates

    def provenance(self) -> dict[str, Any]:
        """Return the record that reproduces the sweep."""
        return provenance({"study": self.study.parameters()}, seed=self.study.seed[0])


def _numbers(values: Iterable[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values])


def _plain_values(values: pl.Series) -> Any:
    """Return the values of a column, which are texts or numbers."""
    return values.to_numpy() if values.dtype.is_numeric() else np.array(values.to_list(), str)


def _schema(study: CellStudy) -> dict[str, Any]:
    import polars as pl

    kinds = {str: pl.String, int: pl.Int64, float: pl.Float64, bool: pl.Boolean}
    schema: dict[str, Any] = {"cell": pl.Int64, "id": pl.String}
    schema |= {name: kinds[kind] for name, kind in study.columns().items()}
    schema |= {
        "quantity": pl.String,
        "law": pl.String,
        "kept": pl.Float64,
        "standard_error": pl.Float64,
        "error": pl.Float64,
        "runs": pl.Int64,
    }
    if study.measures_distance:
        schema |= {"distance": pl.Float64, "floor": pl.Float64}
    return schema


def _row(ready: ReadyCell, found: CellResult | None) -> dict[str, Any]:
    row: dict[str, Any] = {"cell": ready.cell.number, "id": ready.identifier}
    # A table cannot hold half of a pair of surrogates, which a name given in Python may have.
    row |= {
        name: value.encode(errors="replace").decode() if isinstance(value, str) else value
        for name, value in ready.row().items()
    }
    if found is None:
        return row
    last, start = found.last, found.start
    row |= {
        "quantity": found.quantity,
        "law": found.law,
        "kept": last,
        "standard_error": found.last_error,
        "error": found.error,
        "runs": found.runs,
    }
    if start is not None and last is not None:
        row |= {"distance": start * last, "floor": found.floor}
    return row


def write_result(result: SweepResult, folder: Path) -> None:
    """Write ``summary.parquet`` and ``results.zarr`` into a folder, each whole or not at all.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    frame = result.to_frame()
    write_file(folder / SUMMARY, frame.write_parquet, force=True)
    path = folder / ARRAYS
    temporary = folder / f".hayflick-{os.getpid()}-{secrets.token_hex(4)}.tmp"
    try:
        try:
            # Texts have a settled form in version 2 of the format alone.
            result.dataset().to_zarr(temporary, zarr_format=2, consolidated=True)
            shutil.rmtree(path, ignore_errors=True)
            os.replace(temporary, path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as fault:
        raise OutputError(f"{path}: cannot be written ({fault.strerror})") from fault
