"""A drawn answer as a row of a file that people edit: safe cells, and a checksum."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping

from hayflick.monitor.review.drawing import Drawn, Sample

FORMAT_VERSION = 1

ABOUT = ("id", "round", "group", "prompt", "answer")
FILLED_IN = ("verdict", "comment")
TEXTS = ("round", "group", "prompt", "answer", "comment", "stratum")
KEPT = ("position", "drawn", "stratum", "population", "weight", "review", "format_version")
COLUMNS = (*ABOUT, *FILLED_IN, *KEPT, "checksum")

_FORMULA = re.compile(r"[=+\-@\t\r]")
# Numbers, dates, amounts and truth values, which a program would write in its own way.
_VALUE = re.compile(
    r"\s*([\d.(]|[$€£¥]\s*\d|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[\s\-./,]*\d"
    r"|(令和|平成|昭和|大正|明治|[rhstm])\s*\d|(true|false)\s*$)",
    re.IGNORECASE,
)
_PLAIN_NUMBER = re.compile(r"0|[1-9]\d{0,14}")
_LONGEST_VALUE = 32
# What neither a workbook nor UTF-8 can hold.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def guarded(cell: str) -> str:
    """Return a cell that no spreadsheet program takes for a formula, a date or an amount.

    Examples
    --------
    >>> guarded("=1+1"), guarded("'=1+1"), guarded("1/2"), guarded("12"), guarded("so")
    ("'=1+1", "''=1+1", "'1/2", '12', 'so')
    """
    return f"'{cell}" if _is_rewritten(cell) else cell


def unguarded(cell: str) -> str:
    """Return what `guarded` was given.

    Examples
    --------
    >>> unguarded("'=1+1"), unguarded("''=1+1"), unguarded("'1/2"), unguarded("'tis")
    ('=1+1', "'=1+1", '1/2', "'tis")
    """
    return cell[1:] if cell[:1] == "'" and _is_rewritten(cell[1:]) else cell


def _is_rewritten(cell: str) -> bool:
    """Return whether a program would change the cell, or run it, but for its apostrophes."""
    # Programs that are set to Japanese read wide signs and digits as others.
    bare = unicodedata.normalize("NFKC", cell.lstrip("'"))
    if _FORMULA.match(bare):
        return True
    short = len(bare) <= _LONGEST_VALUE and not _PLAIN_NUMBER.fullmatch(bare)
    return short and _VALUE.match(bare) is not None


def row_of(drawn: Drawn, *, sample: Sample, review: str) -> dict[str, str]:
    """Return a drawn answer as text cells by column, unguarded and with its checksum."""
    cells = {
        "id": str(drawn.id),
        "round": drawn.round,
        "group": drawn.group,
        "prompt": drawn.prompt,
        "answer": drawn.answer,
        "verdict": "",
        "comment": "",
        "position": str(drawn.position),
        "drawn": str(len(sample.drawn)),
        "stratum": drawn.stratum,
        "population": str(drawn.population),
        "weight": f"{drawn.weight:.6g}",
        "review": review,
        "format_version": str(FORMAT_VERSION),
    }
    cells = {name: _UNWRITABLE.sub("�", cell) for name, cell in cells.items()}
    return {**cells, "checksum": checksum(cells)}


def review_name(sample: Sample) -> str:
    """Return a short name that tells one review's rows from another's."""
    rows = [(one.id, one.round, one.group, one.answer) for one in sample.drawn]
    return _digest([sample.source, sample.seed, sample.allocation, rows])[:8]


def checksum(cells: Mapping[str, str]) -> str:
    """Return the checksum of all that people do not fill in.

    Programs write line ends in their own way, and drop blanks at the end of a cell; neither
    changes it.
    """
    return _digest([_plain(cells[name]) for name in (*ABOUT, *KEPT)])[:16]


def _plain(cell: str) -> str:
    lines = cell.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip()


def _digest(content: object) -> str:
    text = json.dumps(content, ensure_ascii=True)
    # Not a number, whatever its digits: programs would shorten that.
    return "r" + hashlib.sha256(text.encode()).hexdigest()
