"""Read a sheet of an xlsx workbook: the first that is visible, unless one is named."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars as pl

from hayflick.core.errors import ArgumentError, DataError, MissingExtraError, listed
from hayflick.core.notes import Note, translatable
from hayflick.corpus.table_kinds import LINE, FrameTable


def read_sheet(path: Path, readable: Path, *, sheet: str | None) -> FrameTable:
    """Return a sheet of a workbook, its cells as text.

    Parameters
    ----------
    path
        The workbook as it was given, for messages.
    readable
        Where it can be read.
    sheet
        Name of the sheet; None for the first that is visible and holds a cell.

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

    # Its parser says of chart sheets that they are no worksheets.
    logging.getLogger("calamine").addHandler(logging.NullHandler())
    # The reader's errors have no common base but Exception.
    try:
        workbook = fastexcel.read_excel(readable.absolute())
        names = list(workbook.sheet_names)
        heads = {name: workbook.load_sheet(name, n_rows=1, **_AS_TEXT) for name in names}
        visible = [name for name in names if heads[name].visible == "visible"]
        held = [name for name in visible if heads[name].width]
        chosen = _chosen(path, names, held or visible, sheet)
        rows = workbook.load_sheet(chosen, skip_rows=0, **_AS_TEXT).to_polars()
    except (ArgumentError, DataError):
        raise
    except Exception as fault:
        reason = str(fault).splitlines()[0]
        raise DataError(f"{path}: is no readable xlsx workbook ({reason})") from None
    filled = rows.select(
        pl.any_horizontal(pl.all().fill_null("").str.strip_chars() != "")
        if rows.width
        else pl.lit(False)  # noqa: FBT003
    ).to_series()
    if not filled.any():
        raise DataError(f"{path}: the sheet {chosen!r} is empty; the sheets are: {listed(names)}")
    first = int(filled.arg_max() or 0)
    header = ["" if name is None else name for name in rows.row(first)]
    # Blank rows are none, but count as lines.
    frame = rows.with_row_index(LINE, offset=1).filter(filled).slice(1)
    notes = () if sheet is not None else _notes(path.name, chosen, names, visible)
    return FrameTable(path, frame.lazy(), header, notes, chosen, numbered=True)


_AS_TEXT: dict[str, Any] = {"header_row": None, "dtypes": "string"}


def _notes(name: str, chosen: str, names: list[str], visible: list[str]) -> tuple[Note, ...]:
    """Return which sheet is read, if there are others."""
    others = [one for one in names if one != chosen]
    if not others:
        return ()
    hidden = [one for one in others if one not in visible]
    values = {"sheet": repr(chosen), "name": name, "others": listed(others)}
    if not hidden:
        message = translatable("the sheet {sheet} of {name} is read; others: {others}")
        return (Note(message, **values),)
    message = translatable(
        "the sheet {sheet} of {name} is read; others: {others} (hidden: {hidden})"
    )
    return (Note(message, **values, hidden=listed(hidden)),)


def _chosen(path: Path, names: list[str], visible: list[str], sheet: str | None) -> str:
    if sheet is not None:
        if sheet not in names:
            takes = f"one of the sheets of {path.name}: {listed(names)}"
            raise ArgumentError("sheet", got=sheet, takes=takes)
        return sheet
    if not visible:
        raise DataError(f"{path}: has no visible sheet; name one with --sheet: {listed(names)}")
    return visible[0]
