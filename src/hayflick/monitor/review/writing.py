"""A sample as a file that a person fills in: CSV or an Excel workbook."""

from __future__ import annotations

import csv
import io
import os
from importlib.util import find_spec
from pathlib import Path

import polars as pl

from hayflick.core.errors import ArgumentError, DataError, MissingExtraError
from hayflick.core.output import check_writable, write_file
from hayflick.monitor.review.drawing import Sample
from hayflick.monitor.review.rows import (
    COLUMNS,
    TEXTS,
    guarded,
    review_name,
    row_of,
)

SUFFIXES = (".csv", ".xlsx")
_LONGEST_CELL = 32_767


def write_review(sample: Sample, path: str | os.PathLike[str], *, force: bool = False) -> Path:
    """Write a file with a row per answer, its columns ``verdict`` and ``comment`` empty.

    CSV is UTF-8 with a byte-order mark, so that spreadsheet programs read any script. Cells
    that they would take for formulas or dates begin with an apostrophe, which reading takes off.

    Parameters
    ----------
    sample
        What was drawn.
    path
        Where to; its suffix, ``.csv`` or ``.xlsx``, says how.
    force
        Whether a file that exists is replaced.

    Raises
    ------
    ArgumentError
        If the suffix is another.
    OutputError
        If the file cannot be written, or exists and `force` is not set.
    MissingExtraError
        If the extra ``excel`` is needed and not installed.
    DataError
        If an answer is too long for a workbook's cell.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ArgumentError("path", got=str(path), takes=f"a name ending in {', '.join(SUFFIXES)}")
    check_writable(path, force=force)
    review = review_name(sample)
    rows = [row_of(one, sample=sample, review=review) for one in sample.drawn]
    cells = [{**row, **{name: guarded(row[name]) for name in TEXTS}} for row in rows]
    if path.suffix.lower() == ".csv":
        return write_file(path, lambda to: _write_csv(to, cells), force=force)
    if find_spec("xlsxwriter") is None:
        raise MissingExtraError("writing xlsx", extra="excel")
    _check_lengths(path, cells)
    return write_file(path, lambda to: _write_workbook(to, cells), force=force)


def _write_csv(path: Path, rows: list[dict[str, str]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode("utf-8-sig", errors="replace"))


def _write_workbook(path: Path, rows: list[dict[str, str]]) -> None:
    content = io.BytesIO()
    pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String)).write_excel(
        content,
        worksheet="review",
        autofilter=False,
        freeze_panes="A2",
        column_widths={"prompt": 320, "answer": 480, "comment": 240},
    )
    path.write_bytes(content.getvalue())


def _check_lengths(path: Path, rows: list[dict[str, str]]) -> None:
    long = [row["id"] for row in rows if max(map(len, row.values())) > _LONGEST_CELL]
    if long:
        holds = f"a workbook's cell holds {_LONGEST_CELL:,} characters"
        raise DataError(f"{path}: the answer with id {long[0]} is too long: {holds}; write .csv")
