"""The folder of a sweep: each cell is committed as it finishes, and found again after any kill."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.errors import DataError, OutputError
from hayflick.core.locks import file_lock
from hayflick.core.output import check_folder, check_name, write_text

FORMAT_VERSION = 1
"""Of the files in a sweep's folder."""

STUDY, CELLS, SUMMARY, ARRAYS = "study.json", "cells.jsonl", "summary.parquet", "results.zarr"
"""Names of the files in a sweep's folder."""

_LOCK = ".lock"


@dataclass(frozen=True, eq=False)
class CellResult:
    """What is kept in a cell.

    Parameters
    ----------
    quantity
        What `kept` is a share of, such as ``types``.
    law
        ``exact`` or ``branching``, or ``simulated``.
    kept
        Shape ``(K + 1,)``; NaN in rounds where it is undefined.
    standard_error
        Of it, of the same shape; None for a law and for a single run.
    error
        How far from the truth the law can be; 0 for a simulation, which has standard errors.
    runs
        Simulated runs; 0 for a law.
    start
        Of a network: its distance at the start, which `kept` is a share of.
    floor
        Of a network: what chance alone leaves of it after the last round; None where that is not
        known.
    """

    quantity: str
    law: str
    kept: Floats
    standard_error: Floats | None
    error: float
    runs: int
    start: float | None = None
    floor: float | None = None

    @property
    def last(self) -> float | None:
        """What is kept after the last round; None where that is undefined."""
        last = float(self.kept[-1])
        return last if math.isfinite(last) else None

    @property
    def last_error(self) -> float | None:
        """Standard error after the last round; 0 for a law.

        None where the runs show none: for a single run, and where all end the same.
        """
        if not self.runs:
            return 0.0
        last = 0.0 if self.standard_error is None else float(self.standard_error[-1])
        return last if last > 0.0 else None

    def record(self) -> dict[str, Any]:
        """Return the result as plain values, ready for JSON."""
        errors = self.standard_error
        of_networks = {"start": self.start, "floor": self.floor}
        return {
            "quantity": self.quantity,
            "law": self.law,
            "error": self.error,
            "runs": self.runs,
            "kept": _listed(self.kept),
            "standard_error": None if errors is None else _listed(errors),
            **{name: value for name, value in of_networks.items() if value is not None},
        }

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> CellResult:
        """Return the result of its record; ValueError if it is none."""
        errors = record["standard_error"]
        kept = np.array(record["kept"], dtype=np.float64)
        error = None if errors is None else np.array(errors, dtype=np.float64)
        if kept.ndim != 1 or not len(kept) or (error is not None and error.shape != kept.shape):
            raise ValueError("kept and standard_error are lists of the same length")
        return cls(
            quantity=str(record["quantity"]),
            law=str(record["law"]),
            kept=kept,
            standard_error=error,
            error=float(record["error"]),
            runs=int(record["runs"]),
            start=record.get("start"),
            floor=record.get("floor"),
        )


def _listed(values: Floats) -> list[float | None]:
    """Return numbers ready for JSON, those that are undefined as None."""
    return [value if math.isfinite(value) else None for value in values.tolist()]


@dataclass(eq=False)
class SweepStore:
    """The finished cells of a sweep by identifier, in a folder or in memory alone.

    Parameters
    ----------
    folder
        The folder; None for memory alone.
    finished
        The finished cells.
    """

    folder: Path | None = None
    finished: dict[str, CellResult] = field(default_factory=dict)
    _file: IO[bytes] | None = None

    def commit(self, results: Sequence[tuple[str, CellResult]]) -> None:
        """Keep finished cells; they are on the disk when it returns.

        Raises
        ------
        OutputError
            If they cannot be written.
        """
        self.finished |= dict(results)
        if self._file is None:
            return
        lines = [json.dumps({"cell": cell, **found.record()}) for cell, found in results]
        try:
            self._file.write("".join(f"{line}\n" for line in lines).encode())
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as fault:
            path = None if self.folder is None else self.folder / CELLS
            raise OutputError(f"{path}: cannot be written ({fault.strerror})") from fault


@contextmanager
def open_store(
    folder: Path | None, *, study: Mapping[str, Any], resume: bool
) -> Iterator[SweepStore]:
    """Open the folder of a sweep, and hold it against other processes.

    Parameters
    ----------
    folder
        The folder; None for memory alone.
    study
        The record of the study, which is written.
    resume
        Whether a folder that exists is gone on with: cells that it holds are not done again.

    Raises
    ------
    OutputError
        If the folder holds finished cells and `resume` is not set, or something else, or cannot be
        written.
    DataError
        If another process works on it, or a line of its cells is damaged.
    """
    if folder is None:
        yield SweepStore()
        return
    _check_vacant(folder, resume=resume)
    check_folder(folder.absolute().parent)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as fault:
        raise OutputError(f"{folder}: cannot be made ({fault.strerror})") from None
    with file_lock(folder / _LOCK, subject=str(folder)):
        path = folder / CELLS
        finished, whole = _read_cells(path)
        write_text(folder / STUDY, json.dumps(study, indent=2, ensure_ascii=False), force=True)
        try:
            file = open(path, "ab")  # noqa: SIM115 (closed below)
        except OSError as fault:
            raise OutputError(f"{path}: cannot be written ({fault.strerror})") from None
        with file:
            # A process that was killed may have left half a line.
            file.truncate(whole)
            yield SweepStore(folder, finished, file)


def _check_vacant(folder: Path, *, resume: bool) -> None:
    """Refuse a folder of something else; one with finished cells only where it is gone on with."""
    check_name(folder)
    if not folder.exists():
        return
    if not folder.is_dir():
        raise OutputError(f"{folder}: is a file, takes a folder; choose another name")
    if any(folder.iterdir()) and not (folder / _LOCK).exists():
        raise OutputError(f"{folder}: holds other files, and no sweep; choose another folder")
    cells = folder / CELLS
    if not resume and cells.exists() and cells.stat().st_size:
        remedy = "go on with it by --resume (in Python, resume=True), or choose another folder"
        raise OutputError(f"{folder}: exists already; {remedy}")


def _read_cells(path: Path) -> tuple[dict[str, CellResult], int]:
    """Return the cells of a file, and how many bytes its whole lines take."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}, 0
    except OSError as fault:
        raise DataError(f"{path}: cannot be read ({fault.strerror})") from None
    whole = data.rfind(b"\n") + 1
    found = {}
    for number, line in enumerate(data[:whole].splitlines(), 1):
        try:
            record = json.loads(line)
            found[str(record["cell"])] = CellResult.of_record(record)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            remedy = "delete the line, and its cell is computed again"
            raise DataError(f"{path}: line {number} is damaged; {remedy}") from None
    return found, whole
