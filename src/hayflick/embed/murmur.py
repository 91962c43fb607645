"""The 32-bit MurmurHash3 of some bytes, compiled: the hash that scikit-learn's hashers use.

References
----------
Appleby, "MurmurHash3", 2011 (public domain), variant x86_32.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

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
