"""Cells that no spreadsheet program runs: what CSV files for people are guarded with."""

from __future__ import annotations

import re
import unicodedata

_HEAD = 64
# Programs drop these in front of a formula, or people do when they repair a cell.
_BEFORE = re.compile(
    "[\\s\x00-\x1f\x7f-\x9f\u00ad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\"'`\u00b4\u00ab\u00bb\u2018-\u201f\u301d-\u301f\uff02\uff07]*"
)
_SIGNS = ("=", "+", "-", "@", "\u2212")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def is_formula(cell: str) -> bool:
    r"""Return whether a spreadsheet program might take a cell for a formula.

    That is one that begins with ``=``, ``+``, ``-`` or ``@``, also in full width, or behind
    blanks, quotes and invisible characters; or with a tab or a carriage return. A number is none.

    Examples
    --------
    >>> is_formula("=1+1"), is_formula(" \n'=1"), is_formula("\uff1d1"), is_formula("-1.5")
    (True, True, True, False)
    """
    if cell[:1] in ("\t", "\r"):
        return True
    if _NUMBER.fullmatch(cell.strip(" ")):
        return False
    begin = _BEFORE.match(cell)
    rest = cell[begin.end() if begin else 0 :]
    # Programs that are set to Japanese read wide signs as others.
    return unicodedata.normalize("NFKC", rest[:_HEAD]).startswith(_SIGNS)


def guarded(cell: str) -> str:
    """Return a cell that no spreadsheet program takes for a formula.

    Examples
    --------
    >>> guarded("=1+1"), guarded("-5"), guarded("so")
    ("'=1+1", '-5', 'so')
    """
    return f"'{cell}" if is_formula(cell) else cell
