"""Count the tokens of long texts that are runs of ASCII characters, by compiled code.

Text is cut at blanks. Where a part between blanks is ASCII and its tokens are short, each token
is a key of 16 bytes (its characters, and its length in the last byte), and keys are counted in a
table; every other part is handed back for the tokenizer itself. The counts are the same in both
ways, since no token and no rule of a tokenizer reaches across a blank.
"""

from __future__ import annotations

from typing import TypeAlias, final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.core.compiled import njit
from hayflick.corpus.token_tables import SEPARATOR, no_counts

Bytes: TypeAlias = NDArray[np.uint8]
Words: TypeAlias = NDArray[np.uint64]

_BLANKS = b" \t\n\r\v\f"
_LONGEST = 15
_LENGTH_BITS = 56
# What a byte is: below 256, a character of a token, spelled like this.
_BETWEEN, _BLANK, _BEYOND = 0x100, 0x200, 0x400
# Texts of other scripts have little to count here.
_MOSTLY_ASCII = 1.5
_FIRST_SLOTS = 1 << 16


@final
class AsciiRuns:
    r"""Counts of the tokens of ASCII text.

    Parameters
    ----------
    spelling
        A tokenizer's `ascii_spelling`.

    Examples
    --------
    >>> from hayflick.corpus.tokenizers import Words
    >>> runs = AsciiRuns(Words.ascii_spelling)
    >>> runs.add("Tea, café and tea\n")
    'café '
    >>> sorted(runs.table().rows())
    [('and', 1), ('tea', 2)]
    """

    def __init__(self, spelling: bytes) -> None:
        self._codes = np.full(256, _BEYOND, np.uint16)
        self._codes[:128] = [_BETWEEN if code == SEPARATOR else code for code in spelling]
        self._codes[list(_BLANKS)] = _BLANK
        self._table: Words = np.zeros((_FIRST_SLOTS, 3), np.uint64)
        self._types = 0

    def add(self, text: str) -> str:
        """Count what can be counted, and return the rest, cut at blanks."""
        encoded = text.encode()
        if len(encoded) > _MOSTLY_ASCII * len(text):
            return text
        read = np.frombuffer(encoded, np.uint8)
        keys = np.empty((read.size // 2 + 1, 2), np.uint64)
        rest = np.empty(read.size + 1, np.uint8)
        found, left = _split(read, self._codes, keys, rest)
        self._make_room(found)
        self._types += _count(keys[:found], self._table)
        return rest[:left].tobytes().decode()

    def table(self) -> pl.DataFrame:
        """Return columns ``symbol`` and ``number``, in no order."""
        filled = self._table[self._table[:, 1] > 0]
        if not len(filled):
            return no_counts()
        letters = np.ascontiguousarray(filled[:, :2].astype("<u8")).view(np.uint8)
        lengths = letters[:, _LONGEST].copy()
        letters[np.arange(len(letters)), lengths] = ord("\n")
        lines = letters[np.arange(_LONGEST + 1) <= lengths[:, None]].tobytes().decode()
        symbols = pl.Series("symbol", [lines[:-1]]).str.split("\n").explode()
        return pl.DataFrame({"symbol": symbols, "number": filled[:, 2].astype(np.int64)})

    def _make_room(self, more: int) -> None:
        """Keep half of the table's slots free."""
        slots = len(self._table)
        while slots < 2 * (self._types + more):
            slots *= 2
        if slots > len(self._table):
            table = np.zeros((slots, 3), np.uint64)
            _move(self._table, table)
            self._table = table


@njit(nogil=True, cache=True)
def _split(text: Bytes, codes: NDArray[np.uint16], keys: Words, rest: Bytes) -> tuple[int, int]:
    """Write the keys of tokens and what holds others, and return the size of both."""
    found = left = start = before = length = 0
    first = last = np.uint64(0)
    plain = True
    for place in range(text.size + 1):
        code = codes[text[place]] if place < text.size else _BLANK
        if code < _BETWEEN:
            shift = np.uint64(8 * (length & 7))
            if length < 8:
                first |= np.uint64(code) << shift
            else:
                last |= np.uint64(code) << shift
            length += 1
            continue
        if length:
            plain = plain and length <= _LONGEST
            keys[found, 0] = first
            keys[found, 1] = last | np.uint64(length) << np.uint64(_LENGTH_BITS)
            found += 1
            length = 0
            first = last = np.uint64(0)
        if code == _BEYOND:
            plain = False
        elif code == _BLANK:
            if not plain:
                found = before
                for copied in range(start, place):
                    rest[left] = text[copied]
                    left += 1
                rest[left] = text[place] if place < text.size else ord("\n")
                left += 1
                plain = True
            start, before = place + 1, found
    return found, left


@njit(nogil=True, cache=True)
def _slot(table: Words, first: np.uint64, last: np.uint64) -> np.uint64:
    """Return the slot of a key, or the free one where it belongs."""
    mixed = (first ^ last * np.uint64(0x9E3779B97F4A7C15)) * np.uint64(0xD6E8FEB86659FD93)
    mask = np.uint64(len(table) - 1)
    slot = (mixed ^ mixed >> np.uint64(32)) & mask
    while table[slot, 1] and (table[slot, 0] != first or table[slot, 1] != last):
        slot = (slot + np.uint64(1)) & mask
    return slot


@njit(nogil=True, cache=True)
def _count(keys: Words, table: Words) -> int:
    """Count keys, and return how many are new."""
    new = 0
    for first, last in keys:
        slot = _slot(table, first, last)
        if not table[slot, 1]:
            table[slot, 0], table[slot, 1] = first, last
            new += 1
        table[slot, 2] += np.uint64(1)
    return new


@njit(nogil=True, cache=True)
def _move(table: Words, to: Words) -> None:
    for place in range(len(table)):
        if table[place, 1]:
            to[_slot(to, table[place, 0], table[place, 1])] = table[place]
