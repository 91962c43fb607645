"""Read a sheet of an xlsx workbook: the first that is visible, unless one is named."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hayflick.core.errors import ArgumentError, DataError, MissingExtraError, listed
from hayflick.core.notes import Note, translatable
from hayflick.corpus.table_kinds import FrameTable


def read_sheet(path: Path, readable: Path, *, sheet: str | None) -> FrameTable:
    """Return a sheet of a workbook, its cells as text.

    Parameters
    ----------
    path
        The workbook as it was given, for messages.
    readable
        Where it can be read.
    sheet
        Name of the sheet; None for the first that is visible.

    Raises
    ------
    DataError
        If it is no workbook that can be read, or has no visible sheet.
    ArgumentError
        If it has no sheet of that name.
    MissingExtraError
        If the extra ``excel`` is not installed.
    """
    if find_spec("fastexcel") is None:
        raise MissingExtraError("reading xlsx", extra="excel")
    import fastexcel

    # The reader's errors have no common base but Exception.
    try:
        workbook = fastexcel.read_excel(readable.absolute())
        names = list(workbook.sheet_names)
        visible = [name for name in names if _head(workbook, name).visible == "visible"]
        chosen = _chosen(path, names, visible, sheet)
        columns = _columns(workbook, chosen)
        frame = workbook.load_sheet(chosen, dtypes="string").to_polars()
    except (ArgumentError, DataError):
        raise
    except Exception as fault:
        reason = str(fault).splitlines()[0]
        raise DataError(f"{path}: is no readable xlsx workbook ({reason})") from None
    others = [name for name in names if name != chosen]
    notes = []
    if sheet is None and others:
        hidden = [name for name in others if name not in visible]
        message = translatable("the sheet {sheet} of {name} is read; others: {others}")
        if hidden:
            message = translatable(
                "the sheet {sheet} of {name} is read; others: {others} (hidden: {hidden})"
            )
        values = {"sheet": repr(chosen), "name": path.name, "others": listed(others)}
        notes.append(Note(message, **values, **({"hidden": listed(hidden)} if hidden else {})))
    if len(columns) != frame.width:
        raise DataError(
            f"{path}: the sheet {chosen!r} has cells beyond its header; name their columns"
        )
    return FrameTable(path, frame.lazy(), columns, tuple(notes), chosen, first_line=2)


def _head(workbook: Any, sheet: str) -> Any:
    return workbook.load_sheet(sheet, header_row=None, n_rows=1, dtypes="string")


def _chosen(path: Path, names: list[str], visible: list[str], sheet: str | None) -> str:
    if sheet is not None:
        if sheet not in names:
            takes = f"one of the sheets of {path.name}: {listed(names)}"
            raise ArgumentError("sheet", got=sheet, takes=takes)
        return sheet
    if not visible:
        raise DataError(f"{path}: has no visible sheet; name one with --sheet: {listed(names)}")
    return visible[0]


def _columns(workbook: Any, sheet: str) -> list[str]:
    """Return the names of the columns as written; the reader numbers those that stand twice."""
    row = _head(workbook, sheet).to_polars()
    if row.is_empty():
        raise DataError(f"the sheet {sheet!r} is empty")
    return ["" if name is None else name for name in row.row(0)]
