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
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.progress import Progress, silent
from hayflick.core.source import Source as Source
from hayflick.corpus.encodings import decoded


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
        for symbol, number in counts.items():
            whole = isinstance(number, (int, np.integer)) and not isinstance(number, bool)
            if not whole or number < 1:
                raise _no_count(symbol, number)
        total = sum(int(number) for number in counts.values())
        if total > LARGEST_NUMBER:
            takes = f"at most {LARGEST_NUMBER} items"
            raise ArgumentError("counts", got=f"{total} items", takes=takes)
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


def _no_count(symbol: object, number: object) -> ArgumentError:
    got = f"{number!r} for {symbol!r}"
    remedy = "leave out symbols that were not seen"
    return ArgumentError("counts", got=got, takes="whole numbers from 1", remedy=remedy)


def read_mapping(path: Path, *, encoding: str = "utf-8", progress: Progress = silent) -> Counts:
    """Return the counts of a file such as ``{"apple": 12, "pear": 3}``.

    Raises
    ------
    DataError
        If it is not a JSON object, or names a symbol twice.
    ArgumentError
        If a count is not a whole number of at least 1.
    """
    text = "".join(decoded(path, encoding=encoding, progress=progress))
    try:
        mapping = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as fault:
        raise DataError(f"{path}: line {fault.lineno} is no JSON ({fault.msg})") from None
    except DataError as fault:
        raise DataError(f"{path}: {fault}") from None
    if not isinstance(mapping, dict) or not mapping:
        takes = "an object of symbol: count; for records use JSON lines (.jsonl)"
        raise DataError(f"{path}: takes {takes}")
    return Counts.from_mapping(mapping)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for symbol, number in pairs:
        if symbol in mapping:
            raise DataError(f"names {symbol!r} twice; add its counts up")
        mapping[symbol] = number
    return mapping
