"""JSON lines as records with their line numbers; what is no record is named by its line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from hayflick.core.errors import DataError
from hayflick.core.progress import Progress, silent
from hayflick.corpus.encodings import decoded

Line = tuple[int, dict[str, Any] | str]
"""A line's number, from 1, and its record, or why it is none."""


def json_lines(
    path: Path, *, encoding: str = "utf-8", progress: Progress = silent
) -> Iterator[Line]:
    r"""Yield the records of a file one by one; blank lines are passed over.

    Raises
    ------
    DataError
        If the file is missing, empty or binary.
    UndecodableError
        If it is not in `encoding`.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "answers.jsonl"
    >>> _ = path.write_text('{"answer": "yes"}\n{"answer": \n')
    >>> list(json_lines(path))
    [(1, {'answer': 'yes'}), (2, 'is no JSON (Expecting value)')]
    """
    text = decoded(path, encoding=encoding, progress=progress)
    for number, line in enumerate(_lines(text), start=1):
        if line.strip():
            yield number, _record(line)


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    rest = ""
    for piece in pieces:
        *whole, rest = (rest + piece).split("\n")
        yield from whole
    if rest:
        yield rest


def _record(line: str) -> dict[str, Any] | str:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as fault:
        return f"is no JSON ({fault.msg})"
    except RecursionError:
        return "is nested too deeply"
    if not isinstance(record, dict):
        return "is no JSON object; each line takes one"
    # An escape can spell half of a letter, which no encoding can write down again.
    return _whole_letters(record) if "\\ud" in line or "\\uD" in line else record


def _whole_letters(record: dict[str, Any]) -> dict[str, Any]:
    spelled = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace")
    whole: dict[str, Any] = json.loads(spelled)
    return whole


def refuse_line(path: Path, number: int, reason: str) -> DataError:
    """Return the error of a line that cannot be used."""
    remedy = "mend or remove it, or pass over such lines with --skip-bad"
    return DataError(f"{path}: line {number} {reason}; {remedy}")
