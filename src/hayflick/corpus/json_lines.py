"""Read files of JSON lines: one record per line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from hayflick.core.errors import DataError
from hayflick.core.progress import Progress, silent
from hayflick.corpus.encodings import decoded

Line = tuple[int, dict[str, Any] | str]
"""A line's number, from 1, and its record, or why it is not a record."""

LONGEST_LINE = 1 << 28
"""Largest number of characters of a line, which is held in memory whole."""

_MOST_DIGITS = 4000
"""Longer whole numbers are kept as text: Python refuses to convert them."""


def json_lines(
    path: Path,
    *,
    encoding: str = "utf-8",
    start: int = 0,
    lines: int = 0,
    progress: Progress = silent,
) -> Iterator[Line]:
    r"""Yield the records of a file one by one, except blank lines.

    Parameters
    ----------
    path, encoding, progress
        As of `hayflick.corpus.encodings.decoded`.
    start, lines
        Number of bytes and of lines of the file to leave out.

    Raises
    ------
    DataError
        If the file is missing, empty or binary, or a line is longer than `LONGEST_LINE`.
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
    text = decoded(path, encoding=encoding, start=start, progress=progress)
    for number, line in enumerate(text_lines(path, text), start=lines + 1):
        if line.strip():
            yield number, _record(line)


def text_lines(path: Path, pieces: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a text that comes in pieces, without their newlines.

    Raises
    ------
    DataError
        If one is longer than `LONGEST_LINE`.
    """
    begun: list[str] = []
    length = 0
    for piece in pieces:
        head, newline, tail = piece.rpartition("\n")
        begun.append(head if newline else tail)
        length += len(begun[-1])
        if length > LONGEST_LINE and not newline:
            raise DataError(f"{path}: a line is longer than {LONGEST_LINE:,} characters; cut it")
        if newline:
            yield from "".join(begun).split("\n")
            begun, length = [tail], len(tail)
    if rest := "".join(begun):
        yield rest


class _NamedTwiceError(ValueError):
    """A key stands twice in one object."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        raise _NamedTwiceError(next(name for name in record if names.count(name) > 1))
    return record


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MOST_DIGITS else digits


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_int=_whole)


def _record(line: str) -> dict[str, Any] | str:
    try:
        record = _DECODER.decode(line)
    except json.JSONDecodeError as fault:
        if line.lstrip().startswith("["):
            return "begins a list; each line takes one object, without brackets or commas around"
        return f"is no JSON ({fault.msg})"
    except _NamedTwiceError as fault:
        return f"names the column {str(fault)!r} twice; remove one of the two"
    except RecursionError:
        return "is nested too deeply"
    if not isinstance(record, dict):
        return "is no JSON object; each line takes one"
    # Escapes can spell lone surrogates, which cannot be encoded.
    return _whole_letters(record) if "\\ud" in line or "\\uD" in line else record


def _whole_letters(record: dict[str, Any]) -> dict[str, Any]:
    spelled = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace")
    whole: dict[str, Any] = json.loads(spelled)
    return whole


def refuse_line(path: Path | str, number: int, reason: str) -> DataError:
    """Return the error of a line that cannot be used."""
    remedy = "fix or remove it, or skip such lines with --skip-bad"
    return DataError(f"{path}: line {number} {reason}; {remedy}")
