"""How a curve is read: the share of the real types that each round held."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hayflick.calibration.curve_fit import POINTS_NEEDED
from hayflick.core.arrays import Floats
from hayflick.core.documents import read_json
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.source import Source
from hayflick.corpus.compression import content_suffix
from hayflick.corpus.frames import Table, as_table, holds_counts, input_path, is_in_memory
from hayflick.corpus.numbers import parse_numbers
from hayflick.corpus.reading import source_of
from hayflick.corpus.table_format import TableFormat
from hayflick.corpus.table_kinds import OpenTable
from hayflick.corpus.tables import TABLE_SUFFIXES, is_table, open_table

_SHARES = ("share", "retention", "kept")
_WHAT = "the rounds of a curve: objects with round and share"


@dataclass(frozen=True, eq=False)
class Curve:
    """The shares of rounds 1, 2, and so on.

    Parameters
    ----------
    shares
        Share of the real types in each, shape ``(rounds,)``.
    sizes
        Items of each; None where they are not stated.
    source
        What was read.
    """

    shares: Floats
    sizes: tuple[int, ...] | None
    source: Source


def read_curve(curve: Any, *, encoding: str = "utf-8", table: TableFormat | None = None) -> Curve:
    """Return a curve of shares by round.

    Parameters
    ----------
    curve
        A table with the columns ``round`` and ``share`` (or ``retention``, ``kept``), and
        ``items`` if rounds differ in size; the same as JSON; or in memory: shares from round 1
        on, shares by round, or a frame. Round 0, the real data, may be left out.
    encoding, table
        See `hayflick.corpus.tables.open_table`.

    Raises
    ------
    ArgumentError
        If it is something else.
    DataError
        If it cannot be read, a share is no number from 0 to 1, or a round is missing.

    Examples
    --------
    >>> read_curve([0.9, 0.8, 0.72]).shares.tolist()
    [0.9, 0.8, 0.72]
    """
    name = "curve"
    if isinstance(curve, str | os.PathLike):
        path = input_path(curve)
        name = str(path)
        if content_suffix(path) == ".json":
            found = _cells(read_json(path, what=_WHAT), name)
            return _curve(found, name, Source.of(path, role="curve"))
        if not is_table(path):
            kinds = ", ".join((".json", *TABLE_SUFFIXES))
            raise DataError(f"{path}: is no table; a curve takes {kinds}")
        given: Table = path
    elif is_in_memory(curve) or isinstance(curve, Sequence):
        return _curve(_cells(curve, name), name, Source("curve in memory", role="curve"))
    else:
        takes = "a table with the columns round and share, or shares from round 1 on"
        raise ArgumentError("curve", got=curve, takes=takes)
    with open_table(given, given=table, encoding=encoding) as opened:
        columns = _columns(opened, table)
        notes = opened.notes
    rows = len(columns["share"])
    source = source_of(given, role="curve", encoding=encoding, rows=rows, notes=notes)
    return _curve(columns, name, source)


def _cells(found: Any, name: str) -> dict[str, list[float]]:
    """Return the columns of a curve that is in memory."""
    if isinstance(found, dict) and not holds_counts(found):
        found = {key: value for key, value in found.items() if not isinstance(value, int | float)}
    if holds_counts(found):
        if not found:
            raise DataError(f"{name}: holds no round")
        return {
            "round": [_number(key, name, "round") for key in found],
            "share": [_number(value, name, "share") for value in found.values()],
        }
    if isinstance(found, list | tuple | np.ndarray) and all(np.isscalar(one) for one in found):
        shares = [_number(one, name, "share") for one in found]
        first = 0 if shares and shares[0] == 1.0 else 1
        return {"round": [float(first + k) for k in range(len(shares))], "share": shares}
    try:
        frame = as_table(found)
    except (ArgumentError, TypeError):
        raise DataError(f"{name}: takes {_WHAT}") from None
    try:
        with open_table(frame) as opened:
            return _columns(opened, None)
    except DataError as fault:
        raise DataError(f"{name}: {str(fault).removeprefix('the table: ')}") from None


def _columns(opened: OpenTable, table: TableFormat | None) -> dict[str, list[float]]:
    named = next((name for name in _SHARES if name in opened.columns), _SHARES[0])
    wanted = {"round": "round", "share": named}
    if "items" in opened.columns:
        wanted["items"] = "items"
    found = {}
    for role, name in wanted.items():
        cells = opened.labels(opened.choose(name)).collect()["text"]
        decimal = None if table is None else table.decimal
        parsed = parse_numbers(cells, decimal=decimal, semicolons=opened.semicolons)
        if parsed.wrong is not None or parsed.missing:
            row = parsed.wrong[0] if parsed.wrong else int(parsed.numbers.is_null().arg_true()[0])
            held = repr(parsed.wrong[1]) if parsed.wrong else "nothing"
            line = opened.lines_of([row])[0]
            raise DataError(
                f"{opened.path}: line {line}, column {name!r}: holds {held}, takes a number"
            )
        found[role] = parsed.numbers.to_list()
    return found


def _number(value: Any, name: str, what: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"{name}: {what}: got {value!r}, takes a number") from None


def _curve(columns: Mapping[str, Sequence[float]], name: str, source: Source) -> Curve:
    """Return columns as a curve without gaps."""
    rounds = np.array(columns["round"], dtype=np.float64)
    shares = np.array(columns["share"], dtype=np.float64)
    wrong = ~((shares >= 0.0) & (shares <= 1.0))
    if wrong.any():
        got = shares[wrong][0]
        raise DataError(f"{name}: share: got {got:g}, takes a number from 0 to 1, such as 0.85")
    order = np.argsort(rounds, kind="stable")
    kept = order[rounds[order] != 0.0]
    if not np.array_equal(rounds[kept], np.arange(1.0, kept.size + 1.0)):
        listed = ", ".join(f"{one:g}" for one in rounds[kept][:10])
        takes = "takes 1, 2, 3 and so on, each once (0 is the real data)"
        raise DataError(f"{name}: round: got {listed or 'none'}, {takes}")
    if kept.size < POINTS_NEEDED:
        raise DataError(
            f"{name}: the shares of {kept.size} rounds give no reading; takes those of at least "
            f"{POINTS_NEEDED}, or the counts of two rounds"
        )
    sizes = None
    if "items" in columns:
        items = np.array(columns["items"], dtype=np.float64)[kept]
        if not ((items >= 1.0) & (items < 2.0**53) & (items == np.floor(items))).all():
            raise DataError(f"{name}: items: takes whole numbers from 1")
        sizes = tuple(items.astype(np.int64).tolist())
    return Curve(shares[kept], sizes, source)
