"""The results of a sweep: a row per cell, and arrays over the settings and generations."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from hayflick.core.display import Result
from hayflick.core.errors import OutputError
from hayflick.core.output import write_file
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.replace import Replace
from hayflick.sweeps.store import ARRAYS, FORMAT_VERSION, SUMMARY, CellResult
from hayflick.sweeps.study import AXES, Study
from hayflick.sweeps.work import ReadyCell

if TYPE_CHECKING:
    import polars as pl
    import xarray


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

    study: Study
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
        return tuple(name for name in AXES if len(getattr(self.study, name)) > 1)

    @property
    def imprecise(self) -> int:
        """Number of simulated cells whose standard error stayed above that of the study."""
        wanted = self.study.standard_error
        if wanted is None:
            return 0
        errors = [found.last_error for found in self.results if found is not None]
        return sum(error is not None and error > wanted for error in errors)

    def to_frame(self) -> pl.DataFrame:
        """Return the summary: a row per cell with its settings, the law and what is kept.

        ``kept`` of ``quantity`` is after the last generation. ``standard_error`` is 0 for a law,
        and null where runs show none: for a single one, and where all end the same. ``error`` is
        how far from the truth a law can be. Cells that are not finished have nulls.
        """
        import polars as pl

        rows = zip(self.ready, self.results, strict=True)
        return pl.DataFrame([_row(ready, found) for ready, found in rows], schema=_schema())

    def dataset(self) -> xarray.Dataset:
        """Return ``kept`` and ``standard_error`` by setting and generation.

        The dimensions of a grid are the settings of several values, and ``generation``; those of
        a Latin hypercube ``cell`` and ``generation``. Settings of one value are coordinates
        without a dimension. What is not finished, and generations beyond a cell's last one, are
        NaN.
        """
        import xarray

        grid = self.study.number_of_points is None
        names: tuple[str, ...] = ("cell",)
        shape: tuple[int, ...] = (len(self.ready),)
        if grid:
            names = self.varied
            shape = tuple(len(getattr(self.study, name)) for name in names)
        last = max(self.study.generations)
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
        coordinates = self._coordinates(names, grid=grid)
        coordinates["generation"] = np.arange(last + 1)
        attributes = {"format_version": FORMAT_VERSION, "design": self.study.design}
        return xarray.Dataset(variables, coords=coordinates, attrs=attributes)

    def _coordinates(self, names: Sequence[str], *, grid: bool) -> dict[str, Any]:
        if not grid:
            frame = self.to_frame()
            given = [name for name in AXES if frame[name].null_count() < frame.height]
            columns = {name: ("cell", _plain_values(frame[name])) for name in given}
            return {"cell": frame["cell"].to_numpy(), **columns}
        coordinates: dict[str, Any] = {}
        for name in AXES:
            values = getattr(self.study, name)
            if values:
                coordinates[name] = np.array(values) if name in names else values[0]
        return coordinates

    def provenance(self) -> dict[str, Any]:
        """Return the record that reproduces the sweep."""
        return provenance({"study": self.study.parameters()}, seed=self.study.seed[0])


def _plain_values(values: pl.Series) -> Any:
    """Return the values of a column, which are texts or numbers."""
    return values.to_numpy() if values.dtype.is_numeric() else np.array(values.to_list(), str)


def _schema() -> dict[str, Any]:
    import polars as pl

    return {
        "cell": pl.Int64,
        "id": pl.String,
        "family": pl.String,
        "estimator": pl.String,
        "resampler": pl.String,
        "regime": pl.String,
        "share": pl.Float64,
        "samples": pl.Int64,
        "generations": pl.Int64,
        "seed": pl.Int64,
        "quantity": pl.String,
        "law": pl.String,
        "kept": pl.Float64,
        "standard_error": pl.Float64,
        "error": pl.Float64,
        "runs": pl.Int64,
    }


def _row(ready: ReadyCell, found: CellResult | None) -> dict[str, Any]:
    cell = ready.cell
    row: dict[str, Any] = {
        "cell": cell.number,
        "id": ready.identifier,
        "family": cell.family,
        "estimator": cell.estimator,
        "resampler": cell.resampler,
        "regime": cell.regime_text,
        "share": fresh_share_of(ready),
        "samples": ready.samples,
        "generations": cell.generations,
        "seed": cell.seed,
    }
    if found is not None:
        row |= {
            "quantity": found.quantity,
            "law": found.law,
            "kept": float(found.kept[-1]),
            "standard_error": found.last_error,
            "error": found.error,
            "runs": found.runs,
        }
    return row


def fresh_share_of(ready: ReadyCell) -> float | None:
    """Return the share of fresh data in every round; None where a regime has no such share."""
    if isinstance(ready.regime, Fresh):
        return ready.regime.share
    return 0.0 if isinstance(ready.regime, Replace) else None


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
