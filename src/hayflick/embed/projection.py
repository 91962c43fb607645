r"""Hashed character n-grams, added up in few dimensions without a sparse matrix between.

A text is cut at whitespace. Of a word between two spaces, all n-grams of 3 to 5 characters are
taken (scikit-learn's ``char_wb``); of a word with a letter of a script without spaces, all
n-grams of 1 to 3 characters (``char``). An n-gram g with hash h(g), the signed MurmurHash3 of
its UTF-8 bytes, falls into the bucket :math:`b = |h(g)| \bmod 2^{20}`, and the text's vector is

.. math:: v = \sum_g \operatorname{sign} h(g) \, \sum_{k<4} \sigma_k(b) \, e_{j_k(b)}, \qquad
          v / \lVert v \rVert,

with the sum over its n-grams, each as often as it occurs. The coordinate j_k, one in each
quarter of the dimensions, and the sign σ_k come from the b-th number of a SplitMix64 stream:
a sparse Johnson-Lindenstrauss transform, which keeps inner products up to an error of about
:math:`\sqrt{2 / d}`, and which is computed where it is needed instead of stored.

References
----------
Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009.
Kane and Nelson, "Sparser Johnson-Lindenstrauss Transforms", J. ACM 61 (2014), section 3
(block construction).
Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hayflick.core.arrays import Integers
from hayflick.embed.code_points import SPACE, WITHOUT_SPACES
from hayflick.embed.murmur import murmur

BUCKETS = 1 << 20
QUARTERS = 4
"""Coordinates that a bucket touches."""

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
        # Of whole numbers: exact in any order.
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
    """Return the number of a SplitMix64 stream that follows on `state`."""
    mixed = state + _GOLDEN
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _M1
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _M2
    return np.uint64(mixed ^ (mixed >> np.uint64(31)))
