"""How often each symbol occurs: the sufficient statistic of a discrete law."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from hayflick.core.arrays import Integers
from hayflick.core.checks import LARGEST_NUMBER
from hayflick.core.display_text import display_text
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.progress import Progress, silent
from hayflick.corpus.encodings import decoded
from hayflick.corpus.labels import label_of
from hayflick.corpus.normalization import normalize_text


@dataclass(frozen=True, eq=False)
class Counts:
    """Symbols and how often each occurs, most frequent first, equal counts in alphabetical order.

    Parameters
    ----------
    symbols
        The symbols, each once.
    numbers
        How often each occurs, shape ``(types,)``, at least 1; copied.

    Raises
    ------
    DataError
        If there is no symbol, or a number is below 1.

    Examples
    --------
    >>> monday = Counts.from_mapping({"a": 3, "b": 1})
    >>> both = monday.merge(Counts.from_mapping({"b": 4, "c": 2}))
    >>> both.symbols, both.numbers.tolist(), both.total
    (('b', 'a', 'c'), [5, 3, 2], 10)
    """

    symbols: tuple[str, ...]
    numbers: Integers

    def __post_init__(self) -> None:
        if not self.symbols:
            raise DataError("counts: got none, takes at least one symbol")
        if len(self.symbols) != len(self.numbers):
            raise DataError(f"counts: {len(self.symbols)} symbols, {len(self.numbers)} numbers")
        worst = int(np.argmin(self.numbers))
        if self.numbers[worst] < 1:
            raise _no_count(self.symbols[worst], self.numbers[worst].item())
        frozen = np.array(self.numbers, dtype=np.int64)
        frozen.setflags(write=False)
        object.__setattr__(self, "numbers", frozen)

    def __deepcopy__(self, _: object) -> Counts:
        # Immutable, so it can be shared: a chain recognises a reserve by its identity.
        return self

    def __repr__(self) -> str:
        return f"Counts(types={self.types}, total={self.total})"

    @classmethod
    def from_mapping(cls, counts: Mapping[str, int]) -> Counts:
        """Return the counts of a mapping from symbol to number.

        Raises
        ------
        ArgumentError
            If a number is not an integer, or below 1, or they add up to more than 2^53.
        DataError
            If two keys are the same symbol as text.
        """
        total = sum(_count(symbol, number) for symbol, number in counts.items())
        if total > LARGEST_NUMBER:
            takes = f"at most {LARGEST_NUMBER} items"
            raise ArgumentError("counts", got=f"{_shortened(total)} in all", takes=takes)
        ordered = sorted(((str(key), int(n)) for key, n in counts.items()), key=_rank)
        symbols = tuple(symbol for symbol, _ in ordered)
        if len(set(symbols)) < len(symbols):
            raise DataError("counts: two keys are the same symbol when written out")
        return cls(symbols, np.array([number for _, number in ordered], dtype=np.int64))

    @cached_property
    def total(self) -> int:
        """Number of items counted."""
        return int(self.numbers.sum())

    @property
    def types(self) -> int:
        """Number of different symbols."""
        return len(self.symbols)

    def merge(self, other: Counts) -> Counts:
        """Return the counts of both data sets together."""
        merged = dict(zip(self.symbols, self.numbers.tolist(), strict=True))
        for symbol, number in zip(other.symbols, other.numbers.tolist(), strict=True):
            merged[symbol] = merged.get(symbol, 0) + number
        return Counts.from_mapping(merged)


def _rank(pair: tuple[str, int]) -> tuple[int, str]:
    return -pair[1], pair[0]


def _count(symbol: object, number: object) -> int:
    if not isinstance(number, (int, np.integer)) or isinstance(number, bool) or number < 1:
        raise _no_count(symbol, number)
    return int(number)


def _no_count(symbol: object, number: object) -> ArgumentError:
    got = f"{_shortened(number)} for {_shortened(symbol)}"
    remedy = "leave out symbols that were not seen"
    return ArgumentError("counts", got=got, takes="whole numbers from 1", remedy=remedy)


def _shortened(value: object) -> str:
    if isinstance(value, int) and value.bit_length() > _LONGEST_BITS:
        # Python refuses to write integers of thousands of digits.
        return f"a number of {value.bit_length():,} bits"
    return display_text(repr(value), longest=80)


_LONGEST_BITS = 100


LARGEST_MAPPING = 1 << 28
"""Largest number of characters of a file of counts, which is held in memory whole."""


def read_mapping(
    path: Path, *, encoding: str = "utf-8", normalize: str = "nfc", progress: Progress = silent
) -> tuple[Counts, int]:
    """Return the counts of a file such as ``{"apple": 12, "pear": 3}``, and what has no name.

    Parameters
    ----------
    path, encoding, progress
        See `hayflick.corpus.encodings.decoded`.
    normalize
        Unicode normalization of the symbols.

    Raises
    ------
    DataError
        If it is not a JSON object of at most `LARGEST_MAPPING` characters, or names a symbol twice.
    ArgumentError
        If a count is not a whole number of at least 1.
    """
    text = _whole_text(path, encoding, progress)
    try:
        mapping = json.loads(text, object_pairs_hook=_once, parse_int=_whole)
    except json.JSONDecodeError as fault:
        raise DataError(f"{path}: line {fault.lineno} is no JSON ({fault.msg})") from None
    except RecursionError:
        raise DataError(f"{path}: is nested too deep; takes an object of symbol: count") from None
    except DataError as fault:
        raise DataError(f"{path}: {fault}") from None
    except ValueError:
        raise DataError(
            f"{path}: holds a number of thousands of digits; fix or remove it"
        ) from None
    if not isinstance(mapping, dict) or not mapping:
        takes = "an object of symbol: count; for records use JSON lines (.jsonl)"
        raise DataError(f"{path}: takes {takes}")
    return counts_of(mapping, name=str(path), normalize=normalize)


def counts_of(
    mapping: Mapping[Any, Any], *, name: str, normalize: str = "nfc"
) -> tuple[Counts, int]:
    """Return the counts of a mapping as labels are read, and the count of what has no name.

    Keys are spelled as the cells of a table, and a whole number may be written 3.0.

    Parameters
    ----------
    mapping
        Symbols and how often each occurs.
    name
        What it is, for messages.
    normalize
        Unicode normalization of the symbols; those that become the same are counted together.

    Raises
    ------
    DataError
        If two keys are the same label, or it holds lists, objects or half characters.
    ArgumentError
        If a count is not a whole number of at least 1.

    Examples
    --------
    >>> counts_of({1.0: 3.0, "": 2}, name="counts")
    (Counts(types=1, total=3), 2)
    """
    _refuse_nested(mapping, name)
    numbers: dict[str, int] = {}
    spelled: set[str] = set()
    missing = 0
    for key, number in mapping.items():
        whole = int(number) if isinstance(number, float) and number.is_integer() else number
        label = label_of(key)
        if not label:
            missing += _count(key, whole)
            continue
        if label in spelled:
            raise DataError(f"{name}: two keys are the label {label!r}; add their counts up")
        spelled.add(label)
        symbol = _normalized(label, name, normalize)
        numbers[symbol] = numbers.get(symbol, 0) + _count(label, whole)
    if not numbers:
        raise DataError(f"{name}: holds no symbol that has a name; check the file")
    return Counts.from_mapping(numbers), missing


def _whole_text(path: Path, encoding: str, progress: Progress) -> str:
    parts: list[str] = []
    length = 0
    for part in decoded(path, encoding=encoding, progress=progress):
        parts.append(part)
        length += len(part)
        if length > LARGEST_MAPPING:
            most = f"has more than {LARGEST_MAPPING:,} characters, and is read into memory whole"
            raise DataError(f"{path}: {most}; give a table of the labels (.jsonl, .csv, .parquet)")
    return "".join(parts)


def _normalized(label: str, name: str, normalize: str) -> str:
    try:
        label.encode()
    except UnicodeEncodeError:
        raise DataError(f"{name}: the symbol {label!r} holds half a character; fix it") from None
    return normalize_text(label, normalize)


def _refuse_nested(mapping: Mapping[Any, Any], name: str) -> None:
    """Refuse objects and lists in place of counts, and say where counts seem to be."""
    nested = next((key for key, value in mapping.items() if _is_nested(value)), None)
    if nested is None:
        return
    path = _path_of_counts(mapping)
    hint = "" if path is None else f"; counts are at {path}: save that object as a file of its own"
    raise DataError(f"{name}: holds an object or a list for {nested!r}, takes a count{hint}")


def _is_nested(value: object) -> bool:
    return isinstance(value, (Mapping, list, tuple))


def _path_of_counts(mapping: Mapping[Any, Any]) -> str | None:
    """Return the path of the largest object of counts inside a mapping."""
    found: list[tuple[int, str]] = []
    waiting: list[tuple[str, Any]] = [(str(key), value) for key, value in mapping.items()]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, (list, tuple)):
            waiting += [(f"{path}[{place}]", inner) for place, inner in enumerate(value)]
        elif isinstance(value, Mapping):
            if value and all(isinstance(one, (int, float)) for one in value.values()):
                found.append((len(value), path))
            waiting += [(f"{path}.{key}", inner) for key, inner in value.items()]
    return max(found)[1] if found else None


_MOST_DIGITS = 4000


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        # Python refuses to convert them.
        raise DataError(f"holds a whole number of {len(digits):,} digits, takes smaller counts")
    return int(digits)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for symbol, number in pairs:
        if symbol in mapping:
            raise DataError(f"names {symbol!r} twice; add its counts up")
        mapping[symbol] = number
    return mapping
