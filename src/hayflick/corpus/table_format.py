"""The format of a table: what a file leaves open, stated by the user or sniffed from its head."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hayflick.core.errors import ArgumentError, DataError

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a vertical bar"}
"""Separators that are sniffed, with their names."""

_SPELLED = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "space": " "}
_SAMPLED_ROWS = 1000
_EXCEL_LINE = re.compile(r'"?sep=([^\r\n"])"?[,;\t]*\r?\n', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TableFormat:
    r"""How a table is written, where the file leaves it open. None stands for sniffed.

    Parameters
    ----------
    separator
        The character between the cells of a CSV file: one character, or ``tab``.
    decimal
        The decimal sign of numbers, ``.`` or ``,``.
    quote
        The character around cells that hold separators; ``none`` if there is none.
    header
        Whether the first line holds the names of the columns; without, they are ``column_1``, …
    sheet
        Name of the sheet of a workbook; None for the first that is visible.

    Raises
    ------
    ArgumentError
        If a setting is not one of these.

    Examples
    --------
    >>> TableFormat(separator="tab").separator
    '\t'
    """

    separator: str | None = None
    decimal: str | None = None
    quote: str | None = None
    header: bool = True
    sheet: str | None = None

    def __post_init__(self) -> None:
        if self.separator is not None:
            spelled = _SPELLED.get(self.separator, self.separator)
            if len(spelled) != 1 or not spelled.isascii() or spelled in '\r\n"':
                takes = "one character, such as ; or tab"
                raise ArgumentError("separator", got=self.separator, takes=takes)
            object.__setattr__(self, "separator", spelled)
        if self.decimal not in (None, ".", ","):
            raise ArgumentError("decimal", got=self.decimal, takes="a point or a comma")
        if self.decimal is not None and self.decimal == self.separator:
            takes = "another character than the separator"
            raise ArgumentError("decimal", got=self.decimal, takes=takes)
        if self.quote == "none":
            object.__setattr__(self, "quote", "")
        if self.quote is not None and (len(self.quote) > 1 or not self.quote.isascii()):
            raise ArgumentError("quote", got=self.quote, takes="one character, or none")
        if self.sheet == "":
            raise ArgumentError("sheet", got="nothing", takes="the name of a sheet")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV file is written.

    Parameters
    ----------
    separator, quote
        One character each; an empty `quote` stands for none.
    skipped
        Number of lines before the header: 1 for the line ``sep=;`` of a spreadsheet.
    header
        The cells of the header, or of the first line of a file without one.
    numbered
        Whether the first line seems to hold numbers, and no names.
    old_ends
        Whether lines end with a carriage return alone.
    """

    separator: str
    quote: str
    skipped: int
    header: tuple[str, ...]
    numbered: bool = False
    old_ends: bool = False


def sniff(head: str, *, given: TableFormat, name: str, tabs: bool = False) -> Dialect:
    r"""Return the dialect of a CSV file from the beginning of its text.

    The separator is the one that cuts every line of the head into as many cells as the header has.

    Parameters
    ----------
    head
        The beginning of the text; if it is longer than a few lines, its last line may be cut.
    given
        What the user stated.
    name
        Name of the file, for messages.
    tabs
        Whether the name of the file promises tabs.

    Raises
    ------
    DataError
        If two separators cut every line equally well.

    Examples
    --------
    >>> found = sniff("round;answer\n1;yes, so\n2;no\n", given=TableFormat(), name="a.csv")
    >>> found.separator, found.header
    (';', ('round', 'answer'))
    """
    old_ends = "\n" not in head and "\r" in head
    head = head.replace("\r", "\n") if old_ends else head
    excel = _EXCEL_LINE.match(head)
    if excel is not None:
        head = head[excel.end() :]
    quote = _quote(head) if given.quote is None else given.quote
    separator = given.separator or (excel[1] if excel else None)
    if separator is None:
        separator = _separator(head, quote, name, default="\t" if tabs else ",")
    rows = list(_rows(head, separator, quote, most=2))
    header = tuple(rows[0]) if rows else ()
    numbered = len(rows) > 1 and _looks_numbered(rows[0], rows[1])
    return Dialect(separator, quote, 0 if excel is None else 1, header, numbered, old_ends)


def _separator(head: str, quote: str, name: str, *, default: str) -> str:
    fitting = [one for one in SEPARATORS if _cuts_evenly(head, one, quote)]
    if len(fitting) < 2:
        return fitting[0] if fitting else default
    readings = " or ".join(
        f"columns separated by {SEPARATORS[one]} (the first is {_first_row(head, one, quote)[0]!r})"
        for one in fitting
    )
    raise DataError(
        f"{name}: can be read as {readings}; say which with --separator"
        " (in Python, TableFormat(separator=…))"
    )


def _first_row(head: str, separator: str, quote: str) -> list[str]:
    return next(_rows(head, separator, quote, most=1), [])


def _cuts_evenly(head: str, separator: str, quote: str) -> bool:
    """Return whether a separator cuts all lines into as many cells, more than one."""
    # The last line may be cut.
    rows = list(_rows(head, separator, quote, most=_SAMPLED_ROWS))
    whole = rows[:-1] if len(rows) > 2 and not head.endswith("\n") else rows
    widths = {len(row) for row in whole}
    return len(widths) == 1 and widths.pop() > 1


def _rows(head: str, separator: str, quote: str, *, most: int) -> Iterator[list[str]]:
    """Yield the first rows that are not blank."""
    lines = io.StringIO(head, newline="")
    reader = csv_reader(lines, separator, quote, strict=False)
    with contextlib.suppress(csv.Error):
        yield from itertools.islice((row for row in reader if "".join(row).strip()), most)


def csv_reader(
    lines: Iterable[str], separator: str, quote: str, *, strict: bool = True
) -> CsvReader:
    """Return a reader of CSV whose cells may have any length; no quote is an empty one."""
    # The limit is one for the whole process; a higher one is in nobody's way.
    csv.field_size_limit(sys.maxsize)
    if not quote:
        return csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=separator, quotechar=quote, strict=strict)


def _quote(head: str) -> str:
    """Return the quote: an apostrophe if the first cell begins with one and nothing has quotes."""
    return "'" if head.startswith("'") and '"' not in head else '"'


def _looks_numbered(first: list[str], second: list[str]) -> bool:
    """Return whether the first line has a number where the second has one."""
    pairs = zip(first, second, strict=False)
    return any(_is_number(one) and _is_number(other) for one, other in pairs)


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"\s*[-+]?\d+([.,]\d+)?\s*", cell) is not None
