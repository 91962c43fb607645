"""Read small text files whole: rules, experiments, plans, with a limit on size and depth."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from hayflick.core.errors import DataError
from hayflick.core.object_stores import was_url

LARGEST_DOCUMENT = 1_000_000
"""Bytes of a TOML or JSON file that is read whole."""

DEEPEST = 100
"""Levels of tables and lists inside one another."""

LARGEST_INTEGER = 2**64
"""Whole numbers in documents lie within this size: parsers elsewhere take no larger ones."""

_MARKS = re.compile(r'"(?:[^"\\\n]|\\[^\n])*+"?|[\[\]{}]')


def refuse_pipe(path: str | os.PathLike[str]) -> None:
    """Refuse a pipe or a device: it can be read once, and would wait for ever for a writer.

    Raises
    ------
    DataError
        If the path is one.
    """
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        kind = "is no ordinary file, such as a pipe or a device"
        raise DataError(f"{path}: {kind}; write its content to a file, and give that")


def read_small_text(
    path: str | os.PathLike[str], *, what: str, at_most: int = LARGEST_DOCUMENT
) -> str:
    """Return the text of a small UTF-8 file, without its byte order mark.

    Parameters
    ----------
    path
        The file.
    what
        What the file is, for messages: ``"a rules file"``.
    at_most
        Its largest size in bytes.

    Raises
    ------
    DataError
        If it cannot be opened, is too large, or is not UTF-8.
    """
    try:
        # A named pipe would wait for ever for someone to write.
        if os.path.exists(path) and not os.path.isfile(path):
            kind = "a folder" if os.path.isdir(path) else "no ordinary file"
            raise DataError(f"{path}: is {kind}; takes {what}")
        with open(path, "rb") as file:
            data = file.read(at_most + 1)
    except OSError as fault:
        reason = (fault.strerror or "cannot be read").lower()
        reason = "no such file" if isinstance(fault, FileNotFoundError) else reason
        url = was_url(path)
        if url is not None:
            takes = f"takes {what} on a disk; copy it there first"
            raise DataError(f"{url}: lies in an object store, {takes}") from None
        raise DataError(f"{path}: {reason}; takes {what}") from None
    except ValueError:
        raise DataError(f"{str(path)!r}: holds a NUL character, which no path can") from None
    if len(data) > at_most:
        raise DataError(f"{path}: is larger than {at_most:,} bytes; takes {what}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        wrong = f"line {line} is not UTF-8 (byte 0x{data[fault.start]:02x})"
        raise DataError(f"{path}: {wrong}; save the file as UTF-8") from None


def check_depth(text: str, *, name: str, marks: re.Pattern[str] = _MARKS) -> None:
    """Refuse a document whose brackets are nested too deep, before a parser recurses into it.

    Parameters
    ----------
    text
        The document.
    name
        Its name, for messages.
    marks
        Matches brackets, and strings and comments as a whole, whose brackets do not count.

    Raises
    ------
    DataError
        If more than `DEEPEST` brackets are open at once.
    """
    depth = 0
    for found in marks.finditer(text):
        depth += (found[0] in "[{") - (found[0] in "]}")
        if depth > DEEPEST:
            line = text.count("\n", 0, found.start()) + 1
            raise DataError(f"{name}: line {line} is nested deeper than {DEEPEST} levels")


def check_integers(found: Any, *, name: str) -> None:
    """Refuse whole numbers that do not fit in 64 bits, which later arithmetic cannot take.

    Raises
    ------
    DataError
        If there is one; its key is named.
    """
    waiting = [("", found)]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(str(inner), one) for inner, one in value.items()]
        elif isinstance(value, list):
            waiting += [(key, one) for one in value]
        elif isinstance(value, int) and abs(value) >= LARGEST_INTEGER:
            where = f"{name}: {key}" if key else name
            size = f"a whole number of {value.bit_length()} bits"
            raise DataError(f"{where}: got {size}, takes one of at most 64")


def refuse_digits(text: str, *, name: str) -> DataError:
    """Return the error for a document with a whole number that Python does not convert."""
    found = re.search(r"\d[\d_]{4000,}", text)
    line = "" if found is None else f"line {text.count(chr(10), 0, found.start()) + 1} "
    return DataError(f"{name}: {line}holds a whole number of thousands of digits")


def parse_json(text: str, *, name: str) -> Any:
    """Return the content of a JSON document.

    Raises
    ------
    DataError
        If it is no JSON, is nested too deep, or holds a number that cannot be computed with;
        the line is named where it is known.

    Examples
    --------
    >>> parse_json('{"apple": 12}', name="counts.json")
    {'apple': 12}
    >>> parse_json('{"apple": NaN}', name="counts.json")
    Traceback (most recent call last):
        ...
    hayflick.core.errors.DataError: counts.json: holds NaN, which is no number of JSON
    """

    def refuse(constant: str) -> Any:
        raise DataError(f"{name}: holds {constant}, which is no number of JSON")

    check_depth(text, name=name)
    try:
        found = json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as fault:
        place = f"line {fault.lineno}, column {fault.colno}"
        raise DataError(f"{name}: is no JSON: {fault.msg} ({place})") from None
    except ValueError:
        raise refuse_digits(text, name=name) from None
    check_integers(found, name=name)
    return found


def read_json(path: str | os.PathLike[str], *, what: str, at_most: int = LARGEST_DOCUMENT) -> Any:
    """Return the content of a JSON file that fits in memory.

    Parameters
    ----------
    path
        The file.
    what
        What the file is, for messages: ``"the plan of a trial"``.
    at_most
        Its largest size in bytes.

    Raises
    ------
    DataError
        If it cannot be read, is too large, not UTF-8, or no JSON (see `parse_json`).
    """
    return parse_json(read_small_text(path, what=what, at_most=at_most), name=str(Path(path)))
