"""Tables for the terminal, and the format of their cells."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

_LANDMARKS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


def table(*headings: str) -> Table:
    """Return an empty table; the first column is for names, the others are for numbers."""
    from rich import box
    from rich.table import Table

    empty = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, heading in enumerate(headings):
        empty.add_column(heading, justify="left" if place == 0 else "right", overflow="fold")
    return empty


def landmarks(last: int) -> list[int]:
    """Return the generations of a short table, including 0 and the last.

    Examples
    --------
    >>> landmarks(7)
    [0, 1, 2, 5, 7]
    """
    return sorted({*(mark for mark in _LANDMARKS if mark < last), last})


def significant(value: float) -> str:
    """Return a number with four significant digits, or rounded to a whole number from 1000 on.

    Examples
    --------
    >>> significant(0.123456), significant(12345.6)
    ('0.1235', '12,346')
    """
    return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:.4g}"


def printable(symbol: str) -> str:
    r"""Return a symbol with control characters replaced, which would affect the terminal.

    Examples
    --------
    >>> printable("a\x1b[31mb\nc")
    'a�[31mb�c'
    """
    unsafe = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return "".join("�" if unicodedata.category(c) in unsafe else c for c in symbol)
