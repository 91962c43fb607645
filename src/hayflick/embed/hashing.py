"""The built-in embedder: hashed character n-grams, for any script, without a model.

Texts that share pieces of words are close. Word order matters only in scripts without spaces,
and meaning does not matter at all; use a sentence model for that.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, chain
from typing import TypeAlias, final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import whole_number
from hayflick.corpus.tokenizers import UNSPACED
from hayflick.embed.embedder import Vectors

_Hashes: TypeAlias = NDArray[np.uint32]

_C1, _C2, _ADDED = np.uint32(0xCC9E2D51), np.uint32(0x1B873593), np.uint32(0xE6546B64)
_F1, _F2 = np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)


def murmur(coded: NDArray[np.uint8], starts: Integers, ends: Integers) -> _Hashes:
    """Return the hashes of ``coded[start:end]`` with seed 0."""
    padded = np.append(coded, np.zeros(4, np.uint8)).astype(np.uint32)
    # The four bytes from every place on, the first one lowest.
    fours: _Hashes = padded[:-3].copy()
    for place in (1, 2, 3):
        fours |= padded[place : place - 3 or None] << np.uint32(8 * place)
    hashed: _Hashes = np.zeros(starts.size, np.uint32)
    at = starts
    for _ in range(int((ends - starts).max(initial=0)) // 4):
        whole = at + 4 <= ends
        added = _rotated(hashed ^ _scrambled(fours[at]), 13) * np.uint32(5) + _ADDED
        hashed, at = np.where(whole, added, hashed), np.where(whole, at + 4, at)
    bits_left = (8 * (ends - at)).astype(np.uint32)
    hashed ^= _scrambled(fours[at] & ((np.uint32(1) << bits_left) - np.uint32(1)))
    hashed ^= (ends - starts).astype(np.uint32)
    for shift, factor in ((16, _F1), (13, _F2)):
        hashed = _shifted(hashed, shift) * factor
    return _shifted(hashed, 16)


def _scrambled(block: _Hashes) -> _Hashes:
    return _rotated(block * _C1, 15) * _C2


def _rotated(numbers: _Hashes, places: int) -> _Hashes:
    return (numbers << np.uint32(places)) | (numbers >> np.uint32(32 - places))


def _shifted(numbers: _Hashes, places: int) -> _Hashes:
    return numbers ^ (numbers >> np.uint32(places))


_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def splitmix64(states: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the next numbers of SplitMix64 streams after some states."""
    mixed = states + _GOLDEN
    for shift, factor in ((30, _M1), (27, _M2)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * factor
    return mixed ^ (mixed >> np.uint64(31))


def folded(text: str) -> str:
    """Return a text with its case folded and its accents composed.

    Examples
    --------
    >>> folded("STRASSE") == folded("Straße"), folded("E\N{COMBINING ACUTE ACCENT}") == "é"
    (True, True)
    """
    return unicodedata.normalize("NFC", text.casefold())


def unspaced_letters(letters: Iterable[str]) -> set[str]:
    """Return the letters of scripts without spaces between words.

    Examples
    --------
    >>> unspaced_letters("é雨")
    {'雨'}
    """
    # Surrogates are no characters, and polars accepts none.
    text = pl.Series(["".join(letters).encode(errors="replace").decode()])
    return set(text.str.replace_all(f"[^{UNSPACED}]+", "").item())


BUCKETS = 1 << 20
QUARTERS = 4
"""Coordinates that a bucket contributes to."""

SPACED_LENGTHS, UNSPACED_LENGTHS = (3, 5), (1, 3)
"""Shortest and longest n-grams."""

_MOST_CELLS, _CELLS_AT_ONCE, _CHARACTERS_AT_ONCE = 1 << 24, 1 << 20, 1 << 17


class _WordVectors:
    """The sums of the n-grams of words; they are kept, as most words come again.

    Sums are whole numbers, exact in any order.
    """

    def __init__(self, dimensions: int, seed: int) -> None:
        self.dimensions = dimensions
        self._key = splitmix64(np.array([seed], np.uint64))
        self._most = _MOST_CELLS // dimensions
        self._rows: dict[str, int] = {}
        self._unspaced: dict[str, bool] = {}
        self._sums = np.zeros((0, dimensions), np.float32)
        self._lock = threading.Lock()

    def sums_of(self, texts: Sequence[Sequence[str]]) -> NDArray[np.float32]:
        """Return the sums of texts that are given as words, shape ``(texts, dimensions)``."""
        words = list(chain.from_iterable(texts))
        ends = np.array([0, *accumulate(map(len, texts))], np.int64)
        sums = np.zeros((len(texts), self.dimensions), np.float32)
        for first in range(0, len(words), self._most):
            part = words[first : first + self._most]
            with self._lock:
                self._add(part)
                rows = np.fromiter(map(self._rows.__getitem__, part), np.int32, len(part))
                held = self._sums[: len(self._rows)]
            of_texts = np.clip(ends - first, 0, len(part)).astype(np.int32)
            ones = np.ones(len(part), np.float32)
            sums += sparse.csr_array((ones, rows, of_texts), (len(texts), len(held))) @ held
        return sums

    def _add(self, words: Sequence[str]) -> None:
        """Add words that are not known yet; all others are forgotten where there is no room."""
        new = list(set(words).difference(self._rows))
        if len(self._rows) + len(new) > self._most:
            self._rows, new = {}, list(set(words))
        known, size = len(self._rows), len(self._rows) + len(new)
        if size > len(self._sums):
            # A new array: another thread may still read the old one.
            sums = np.empty((min(self._most, 2 * size), self.dimensions), np.float32)
            sums[:known] = self._sums[:known]
            self._sums = sums
        elif not known:
            self._sums = np.empty_like(self._sums)
        unspaced = self._unspaced_words(new)
        at_once = max(1, _CELLS_AT_ONCE // self.dimensions)
        for group, margin, lengths in (
            ([word for word in new if word not in unspaced], " ", SPACED_LENGTHS),
            (list(unspaced), "", UNSPACED_LENGTHS),
        ):
            for first in range(0, len(group), at_once):
                some = group[first : first + at_once]
                padded = [f"{margin}{word}{margin}" for word in some]
                after = known + len(some)
                self._sums[known:after] = self._sums_of_words(padded, lengths)
                self._rows.update(zip(some, range(known, after), strict=True))
                known = after

    def _unspaced_words(self, words: Sequence[str]) -> set[str]:
        """Return the words with a letter of a script without spaces between words."""
        others = [word for word in words if not word.isascii()]
        letters = set().union(*others).difference(self._unspaced)
        if letters:
            unspaced = unspaced_letters(letters)
            self._unspaced |= {letter: letter in unspaced for letter in letters}
        return {word for word in others if any(map(self._unspaced.get, word))}

    def _sums_of_words(self, words: Sequence[str], lengths: tuple[int, int]) -> Floats:
        coded = np.frombuffer("".join(words).encode("utf-8", "surrogatepass"), np.uint8)
        # The places of characters: all bytes but those that continue one.
        places = np.append(np.flatnonzero(coded & 0xC0 != 0x80), coded.size)
        sizes = np.fromiter(map(len, words), np.int64, len(words))
        word_of = np.repeat(np.arange(len(words)), sizes)
        ends = np.repeat(np.cumsum(sizes), sizes)
        sums = np.zeros(len(words) * self.dimensions)
        for begin in range(0, word_of.size, _CHARACTERS_AT_ONCE):
            some = np.arange(begin, min(begin + _CHARACTERS_AT_ONCE, word_of.size))
            ngrams = range(lengths[0], lengths[1] + 1)
            inside = [some[some + length <= ends[some]] for length in ngrams]
            first = np.concatenate(inside)
            after = first + np.repeat(ngrams, [len(one) for one in inside])
            cells, signs = self._cells(murmur(coded, places[first], places[after]))
            cells += word_of[first, None] * self.dimensions
            sums += np.bincount(cells.ravel(), signs.ravel(), minlength=sums.size)
        return sums.reshape(-1, self.dimensions)

    def _cells(self, hashes: NDArray[np.uint32]) -> tuple[Integers, Floats]:
        """Return the coordinates that n-grams contribute to, and with which signs."""
        hashed = hashes.view(np.int32).astype(np.int64)
        buckets = (np.abs(hashed) % BUCKETS).astype(np.uint64)
        bits = splitmix64(self._key + buckets * _GOLDEN)[:, None]
        fields = (bits >> (16 * np.arange(QUARTERS, dtype=np.uint64)) & 0xFFFF).astype(np.int64)
        starts = np.arange(QUARTERS + 1) * self.dimensions // QUARTERS
        cells = starts[:-1] + ((fields >> 1) * np.diff(starts) >> 15)
        signs = np.where(hashed >= 0, 1.0, -1.0)[:, None] * np.where(fields & 1, 1.0, -1.0)
        return cells, signs


@lru_cache(maxsize=4)
def _word_vectors(dimensions: int, seed: int) -> _WordVectors:
    return _WordVectors(dimensions, seed)


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
        words = [folded(text).split() for text in texts]
        vectors = _word_vectors(self.dimensions, self.seed).sums_of(words)
        squares = np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)
        squares[squares == 0.0] = np.nan
        vectors /= np.sqrt(squares).astype(np.float32)[:, None]
        return vectors
