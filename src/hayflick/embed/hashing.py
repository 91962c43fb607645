"""The built-in embedder: hashed character n-grams, for any script, without a model.

Texts that share pieces of words are close. Word order matters only in scripts without spaces,
and meaning does not matter at all; use a sentence model for that.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.core.arrays import Integers
from hayflick.core.checks import whole_number
from hayflick.core.compiled import njit
from hayflick.corpus.tokenizers import UNSPACED
from hayflick.embed.embedder import Vectors

_C1, _C2, _ADDED = np.uint32(0xCC9E2D51), np.uint32(0x1B873593), np.uint32(0xE6546B64)
_F1, _F2 = np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)


@njit(nogil=True, cache=True)
def murmur(coded: NDArray[np.uint8], start: int, end: int) -> np.uint32:
    """Return the hash of ``coded[start:end]`` with seed 0."""
    hashed = np.uint32(0)
    place = start
    while place + 4 <= end:
        hashed = np.uint32(hashed ^ _scrambled(_little_endian(coded, place, 4)))
        hashed = np.uint32(_rotated(hashed, 13) * np.uint32(5) + _ADDED)
        place += 4
    if place < end:
        hashed = np.uint32(hashed ^ _scrambled(_little_endian(coded, place, end - place)))
    hashed = np.uint32(hashed ^ np.uint32(end - start))
    hashed = np.uint32(np.uint32(hashed ^ (hashed >> np.uint32(16))) * _F1)
    hashed = np.uint32(np.uint32(hashed ^ (hashed >> np.uint32(13))) * _F2)
    return np.uint32(hashed ^ (hashed >> np.uint32(16)))


@njit(nogil=True, cache=True)
def _little_endian(coded: NDArray[np.uint8], place: int, size: int) -> np.uint32:
    block = np.uint32(0)
    for offset in range(size):
        block = np.uint32(block | (np.uint32(coded[place + offset]) << np.uint32(8 * offset)))
    return block


@njit(nogil=True, cache=True)
def _scrambled(block: np.uint32) -> np.uint32:
    return np.uint32(_rotated(np.uint32(block * _C1), 15) * _C2)


@njit(nogil=True, cache=True)
def _rotated(number: np.uint32, places: int) -> np.uint32:
    left = np.uint32(number << np.uint32(places))
    return np.uint32(left | (number >> np.uint32(32 - places)))


OTHER, SPACE, WITHOUT_SPACES = 0, 1, 2
"""Kinds of characters; the last one is a letter of a script without spaces between words."""

_ASCII, _ALL = 0x80, 0x110000
_FIRST_SURROGATE, _AFTER_SURROGATES = 0xD800, 0xE000
_AFTER_SPACES = 0x3001
"""Unicode has no spaces from here on."""


def folded(text: str) -> str:
    """Return a text with its case folded and its accents composed.

    Examples
    --------
    >>> folded("STRASSE") == folded("Straße"), folded("E\N{COMBINING ACUTE ACCENT}") == "é"
    (True, True)
    """
    return unicodedata.normalize("NFC", text.casefold())


def code_points(texts: Sequence[str]) -> tuple[NDArray[np.uint32], Integers]:
    """Return the concatenated code points of all texts, and the end of each text.

    Examples
    --------
    >>> points, ends = code_points(["ab", "", "c"])
    >>> points.tolist(), ends.tolist()
    ([97, 98, 99], [2, 2, 3])
    """
    joined = "".join(texts).encode("utf-32-le", "surrogatepass")
    ends = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))
    return np.frombuffer(joined, "<u4").astype(np.uint32, copy=False), ends


def kinds_of(points: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Return a table of kinds by code point that covers `points`.

    Examples
    --------
    >>> points, _ = code_points(["a 雨"])
    >>> kinds_of(points)[points].tolist()
    [0, 1, 2]
    """
    ascii_only = not points.size or points.max() < _ASCII
    return _kinds(_ASCII if ascii_only else _ALL)


@cache
def _kinds(end: int) -> NDArray[np.uint8]:
    kinds = np.full(end, OTHER, np.uint8)
    kinds[[point for point in range(min(end, _AFTER_SPACES)) if chr(point).isspace()]] = SPACE
    if end > _ASCII:
        # Surrogates are no characters, and polars accepts none.
        numbers = np.r_[_ASCII:_FIRST_SURROGATE, _AFTER_SURROGATES:end].astype("<u4")
        letters = pl.Series([numbers.tobytes().decode("utf-32-le")])
        unspaced = letters.str.replace_all(f"[^{UNSPACED}]+", "").item()
        kinds[np.frombuffer(unspaced.encode("utf-32-le"), "<u4")] = WITHOUT_SPACES
    return kinds


BUCKETS = 1 << 20
QUARTERS = 4
"""Coordinates that a bucket contributes to."""

SPACED_LENGTHS, UNSPACED_LENGTHS = (3, 5), (1, 3)
"""Shortest and longest n-grams."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


@njit(nogil=True, cache=True)
def project(
    points: NDArray[np.uint32], ends: Integers, kinds: NDArray[np.uint8], seed: int, dimensions: int
) -> NDArray[np.float32]:
    """Return the unit vectors of texts, shape ``(ends.size, dimensions)``; NaN without n-grams.

    Parameters
    ----------
    points, ends
        The texts' code points, and where each text ends.
    kinds
        Kind by code point.
    seed
        Of the projection.
    dimensions
        Length of a vector.
    """
    vectors = np.zeros((ends.size, dimensions), np.float32)
    key = splitmix64(np.uint64(seed))
    start = 0
    for text in range(ends.size):
        row = vectors[text]
        _add_words(points[start : ends[text]], kinds, key, row)
        start = ends[text]
        # A sum of whole numbers, exact in any order.
        square = 0.0
        for place in range(dimensions):
            square += np.float64(row[place]) * row[place]
        row /= np.float32(np.sqrt(square)) if square > 0.0 else np.float32(np.nan)
    return vectors


@njit(nogil=True, cache=True)
def _add_words(
    points: NDArray[np.uint32], kinds: NDArray[np.uint8], key: np.uint64, row: NDArray[np.float32]
) -> None:
    # A character has at most 4 bytes, and a word two spaces around it.
    coded = np.empty(4 * points.size + 2, np.uint8)
    starts = np.empty(points.size + 3, np.int64)
    first = 0
    while first < points.size:
        unspaced = False
        after = first
        while after < points.size and kinds[points[after]] != SPACE:
            unspaced |= kinds[points[after]] == WITHOUT_SPACES
            after += 1
        if after > first:
            length = _encode(points[first:after], 0 if unspaced else 1, coded, starts)
            shortest, longest = UNSPACED_LENGTHS if unspaced else SPACED_LENGTHS
            _add_ngrams(coded, starts[: length + 1], shortest, longest, key, row)
        first = after + 1


@njit(nogil=True, cache=True)
def _encode(
    word: NDArray[np.uint32], spaces: int, coded: NDArray[np.uint8], starts: Integers
) -> int:
    """Write a word in UTF-8, with spaces on either side; return its number of characters."""
    end = 0
    length = word.size + 2 * spaces
    for place in range(length):
        starts[place] = end
        inside = spaces <= place < length - spaces
        point = word[place - spaces] if inside else np.uint32(0x20)
        end = _write_character(point, coded, end)
    starts[length] = end
    return length


@njit(nogil=True, cache=True)
def _write_character(point: np.uint32, coded: NDArray[np.uint8], end: int) -> int:
    number = np.int64(point)
    if number < 0x80:
        coded[end] = np.uint8(number)
        return end + 1
    more = 1 if number < 0x800 else 2 if number < 0x10000 else 3
    lead = 0xC0 if more == 1 else 0xE0 if more == 2 else 0xF0
    coded[end] = np.uint8(lead | (number >> (6 * more)))
    for place in range(1, more + 1):
        coded[end + place] = np.uint8(0x80 | ((number >> (6 * (more - place))) & 0x3F))
    return end + more + 1


@njit(nogil=True, cache=True)
def _add_ngrams(
    coded: NDArray[np.uint8],
    starts: Integers,
    shortest: int,
    longest: int,
    key: np.uint64,
    row: NDArray[np.float32],
) -> None:
    length = starts.size - 1
    for size in range(shortest, min(longest, length) + 1):
        for first in range(length - size + 1):
            unsigned = murmur(coded, starts[first], starts[first + size])
            hashed = np.int64(np.int32(unsigned))
            sign = np.float32(1.0) if hashed >= 0 else np.float32(-1.0)
            _add_bucket(abs(hashed) % BUCKETS, sign, key, row)


@njit(nogil=True, cache=True)
def _add_bucket(
    bucket: np.int64, sign: np.float32, key: np.uint64, row: NDArray[np.float32]
) -> None:
    bits = splitmix64(np.uint64(key + np.uint64(bucket) * _GOLDEN))
    for quarter in range(QUARTERS):
        field = np.int64((bits >> np.uint64(16 * quarter)) & np.uint64(0xFFFF))
        first = quarter * row.size // QUARTERS
        size = (quarter + 1) * row.size // QUARTERS - first
        place = first + (((field >> 1) * size) >> 15)
        row[place] += sign if field & 1 else -sign


@njit(nogil=True, cache=True)
def splitmix64(state: np.uint64) -> np.uint64:
    """Return the next number of a SplitMix64 stream after `state`."""
    mixed = state + _GOLDEN
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _M1
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _M2
    return np.uint64(mixed ^ (mixed >> np.uint64(31)))


DIMENSIONS = 384
_MOST_DIMENSIONS = 1 << 14
_LARGEST_SEED = 2**53

_VERSION = 1
"""Version of the vectors, raised whenever they change."""


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class HashingEmbedder:
    """Hashed character n-grams, projected at random to few dimensions.

    Case and the encoding of accents make no difference.

    Parameters
    ----------
    dimensions
        Length of a vector.
    seed
        Of the projection.

    Raises
    ------
    ArgumentError
        If a parameter is out of its range.

    Examples
    --------
    >>> embedder = HashingEmbedder()
    >>> plum, plums, rain = embedder.embed(["a ripe plum", "Ripe plums", "all the rain"])
    >>> bool(plum @ plums > 0.5 > plum @ rain)
    True
    """

    dimensions: int = DIMENSIONS
    seed: int = 0

    def __post_init__(self) -> None:
        whole_number("dimensions", self.dimensions, at_least=QUARTERS, at_most=_MOST_DIMENSIONS)
        whole_number("seed", self.seed, at_least=0, at_most=_LARGEST_SEED)

    @property
    def id(self) -> str:
        """Everything that determines the vectors."""
        return f"hashing:dimensions={self.dimensions},seed={self.seed},version={_VERSION}"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the unit vectors of texts; NaN for a text of nothing but whitespace."""
        points, ends = code_points([folded(text) for text in texts])
        vectors: Vectors = project(points, ends, kinds_of(points), self.seed, self.dimensions)
        return vectors
