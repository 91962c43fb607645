"""Read records in JSON: one per line, those of one list, or objects over several lines."""

from __future__ import annotations

import itertools
import json
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
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

    Each is a line. In place of that the file may hold one list of objects, or objects that are
    spread over several lines. The only object of a file, or one that is spread, may hold the
    records in a list, such as ``{"data": [...]}``.

    Parameters
    ----------
    path, encoding, progress
        As of `hayflick.corpus.encodings.decoded`.
    start, lines
        Number of bytes and of lines of the file to leave out.

    Raises
    ------
    DataError
        If the file is missing, empty or binary, or a line or a record is longer than
        `LONGEST_LINE`; or a list or an object over several lines is no JSON.
    UndecodableError
        If it is not in `encoding`.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "answers.jsonl"
    >>> _ = path.write_text('{"answer": "yes"}\n{"answer": \n')
    >>> list(json_lines(path))
    [(1, {'answer': 'yes'}), (2, 'is no JSON (Expecting value)')]
    >>> _ = path.write_text('[{"answer": "yes"},\n{"answer": "no"}]')
    >>> list(json_lines(path))
    [(1, {'answer': 'yes'}), (2, {'answer': 'no'})]
    """
    text = decoded(path, encoding=encoding, start=start, progress=progress)
    if not start:
        document = _Document(path, text)
        if document.is_one:
            yield from document.records()
            return
        text = document.pieces()
    numbered = enumerate(text_lines(path, text), start=lines + 1)
    held: Iterator[tuple[int, str]] = (one for one in numbered if one[1].strip())
    if not start:
        first, second = next(held, None), next(held, None)
        if first is not None:
            records = _records_of(first[1], alone=second is None)
            yield from ((first[0], record) for record in records)
        held = itertools.chain(() if second is None else (second,), held)
    for number, line in held:
        yield number, _record(line)


def _records_of(line: str, *, alone: bool) -> Sequence[dict[str, Any] | str]:
    """Return the record of a line; the records inside if it is the only one of its file."""
    record = _record(line)
    return _records_inside(record) if alone and isinstance(record, dict) else [record]


_WRAPPERS = ("data", "rows", "records", "items", "results", "entries", "answers", "runs", "traces")
"""Names of the lists in which exports and replies of services hold records."""


def _records_inside(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the records that an object holds in a list; itself if it holds none."""
    for name in _WRAPPERS:
        inside = record.get(name)
        if isinstance(inside, list) and inside and all(isinstance(one, dict) for one in inside):
            return inside
    return [record]


class _Document:
    """The text of a file that may hold one list of objects, or objects over several lines.

    Parameters
    ----------
    path
        The file, for messages.
    text
        Its text, in pieces.
    """

    def __init__(self, path: Path, text: Iterator[str]) -> None:
        self._path, self._text = path, text
        self._held = ""
        self._place, self._line = 0, 1
        self._ended = False
        self._query = ".[]"

    @property
    def is_one(self) -> bool:
        """Whether the text is something else than a record in each line."""
        self._read_until(lambda: bool(self._held.strip()))
        head = self._held.lstrip()
        if head.startswith("["):
            self._read_until(lambda: bool(self._held.lstrip()[1:].strip()))
            return self._held.lstrip()[1:].lstrip()[:1] in ("{", "]")
        return head.startswith("{") and self._is_spread()

    def _is_spread(self) -> bool:
        """Whether the first line ends within an object that goes on in the next."""

        def first_and_others() -> tuple[str, str]:
            first, _, others = self._held.lstrip().partition("\n")
            return first, others.strip()

        self._read_until(lambda: bool(first_and_others()[1]))
        first, others = first_and_others()
        if not others or isinstance(_record(first), dict):
            return False
        while True:
            try:
                end = _decoded(self._held.lstrip(), 0)[1]
            except json.JSONDecodeError as fault:
                second, newline, _ = first_and_others()[1].partition("\n")
                goes_on = self._goes_on(fault)
                is_line = isinstance(_record(second), dict)
                if self._ended or not goes_on or (newline and not is_line):
                    return goes_on and not is_line
            except RecursionError:
                return False
            else:
                return end > len(first)
            if len(self._held) > LONGEST_LINE:
                return True
            self._read()

    def _goes_on(self, fault: json.JSONDecodeError) -> bool:
        """Whether JSON may go on behind the text that is held, which is none as it is."""
        if fault.msg.startswith("Unterminated string"):
            return True
        margin = 0 if self._ended else _LONGEST_TOKEN
        return fault.pos >= len(fault.doc.rstrip()) - margin

    def _read_until(self, is_enough: Callable[[], bool]) -> None:
        while not self._ended and len(self._held) <= LONGEST_LINE and not is_enough():
            self._read()

    def pieces(self) -> Iterator[str]:
        """Yield the whole text."""
        yield self._held
        yield from self._text

    def _read(self) -> None:
        """Hold as much text again, so that what was decoded before is decoded few times."""
        self._held, self._place = self._held[self._place :], 0
        added = [next(self._text, "")]
        size = len(added[0])
        while added[-1] and size < len(self._held):
            added.append(next(self._text, ""))
            size += len(added[-1])
        self._ended = not added[-1]
        self._held += "".join(added)

    def records(self) -> Iterator[Line]:
        """Yield the records, with the lines that they begin in.

        Raises
        ------
        DataError
            If the text is no JSON, or holds more behind its list.
        """
        if self._next() != "[":
            self._query = "."
            while self._next():
                number, record = self._value()
                if isinstance(record, str):
                    yield number, record
                else:
                    yield from ((number, one) for one in _records_inside(record))
            return
        self._move(self._place + 1)
        while (mark := self._next()) != "]":
            yield self._value()
            mark = self._next()
            if mark not in (",", "]"):
                raise self._refusal("is no JSON (Expecting ',' delimiter)" if mark else _CUT_OFF)
            self._move(self._place + (mark == ","))
        self._move(self._place + 1)
        if self._next():
            raise self._refusal("holds more behind the list; a file takes one")

    def _next(self) -> str:
        """Move to the next character that is not blank, and return it; empty at the end."""
        while True:
            found = _NOT_BLANK.search(self._held, self._place)
            self._move(len(self._held) if found is None else found.start())
            if found is not None or self._ended:
                return "" if found is None else found.group()
            self._read()

    def _move(self, place: int) -> None:
        self._line += self._held.count("\n", self._place, place)
        self._place = place

    def _value(self) -> Line:
        """Return the record that begins here, with its line, and move behind it."""
        while True:
            try:
                value, end = _decoded(self._held, self._place)
            except json.JSONDecodeError as fault:
                goes_on = self._goes_on(fault)
                if self._ended or not goes_on:
                    self._move(fault.pos)
                    problem = _CUT_OFF if goes_on else f"is no JSON ({fault.msg})"
                    raise self._refusal(problem) from None
            except RecursionError:
                raise self._refusal("is nested too deeply") from None
            else:
                break
            if len(self._held) - self._place > LONGEST_LINE:
                self._query = ".data[]"
                raise self._refusal(f"begins a record of more than {LONGEST_LINE:,} characters")
            self._read()
        number, text = self._line, self._held[self._place : end]
        self._move(end)
        if isinstance(value, dict):
            return number, _whole_letters(value, text)
        if isinstance(value, _NamedTwiceError):
            return number, _named_twice(value)
        return number, "holds something else than an object"

    def _refusal(self, problem: str) -> DataError:
        remedy = (
            f"fix it, or write JSON lines: jq -c '{self._query}' {shlex.quote(str(self._path))}"
        )
        return DataError(f"{self._path}: line {self._line} {problem}; {remedy}")


_NOT_BLANK = re.compile(r"\S")
_CUT_OFF = "is the end, within a list or an object"
_LONGEST_TOKEN = 12
"""Characters of a number, a name or an escape that may be cut off."""


def _decoded(text: str, place: int) -> tuple[Any, int]:
    """Return the value that begins in a place, or its error, and where it ends."""
    try:
        return _DECODER.raw_decode(text, place)
    except _NamedTwiceError as fault:
        return fault, _LENIENT.raw_decode(text, place)[1]


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
_LENIENT = json.JSONDecoder(parse_int=_whole)


def _named_twice(fault: _NamedTwiceError) -> str:
    return f"names the column {str(fault)!r} twice; remove one of the two"


# Without a call for every whole number, of which a short line has none that is too long.
_DECODER_OF_SHORT = json.JSONDecoder(object_pairs_hook=_once)


def _record(line: str) -> dict[str, Any] | str:
    decoder = _DECODER_OF_SHORT if len(line) <= _MOST_DIGITS else _DECODER
    try:
        record = decoder.decode(line)
    except json.JSONDecodeError as fault:
        if line.lstrip().startswith("["):
            return "begins a list; each line takes one object, without brackets or commas around"
        return f"is no JSON ({fault.msg})"
    except _NamedTwiceError as fault:
        return _named_twice(fault)
    except RecursionError:
        return "is nested too deeply"
    if not isinstance(record, dict):
        return "is no JSON object; each line takes one"
    return _whole_letters(record, line)


def _whole_letters(record: dict[str, Any], text: str) -> dict[str, Any]:
    """Return the record of a text without halves of letters, which cannot be encoded."""
    # One letter is found faster than three.
    if "\\" not in text or ("\\ud" not in text and "\\uD" not in text):
        return record
    spelled = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace")
    whole: dict[str, Any] = json.loads(spelled)
    return whole


def refuse_line(path: Path | str, number: int, reason: str) -> DataError:
    """Return the error of a line that cannot be used."""
    remedy = "fix or remove it, or skip such lines with --skip-bad"
    return DataError(f"{path}: line {number} {reason}; {remedy}")
