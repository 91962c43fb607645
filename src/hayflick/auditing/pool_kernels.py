"""The tables of an index of texts, by compiled code.

For each band there is a table of chains: `heads` has the latest text of each slot, and `nexts` of
every text the one before it. Column 0 of the keys is of whole texts, the others are of bands.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hayflick.auditing.shingle_kernels import are_similar, root_of
from hayflick.core.arrays import Integers
from hayflick.core.compiled import njit

_Hashes = NDArray[np.uint64]
_Keys = NDArray[np.uint32]
_Entries = NDArray[np.int32]


@njit(nogil=True, cache=True)
def enter(keys: _Keys, first: int, last: int, heads: _Entries, nexts: _Entries) -> None:
    """Put texts at the head of their chains."""
    mask = np.int64(heads.shape[1] - 1)
    for entry in range(first, last):
        for band in range(keys.shape[1]):
            key = np.int64(keys[entry, band])
            nexts[entry, band] = -1
            # A text without shingles has the key 0 in every band.
            if band == 0 or key != 0:
                slot = key & mask
                nexts[entry, band] = heads[band, slot]
                heads[band, slot] = entry


@njit(nogil=True, cache=True)
def find_matches(
    own: _Hashes,
    own_keys: _Keys,
    text_key: np.uint64,
    hashes: _Hashes,
    offsets: Integers,
    text_keys: _Hashes,
    keys: _Keys,
    heads: _Entries,
    nexts: _Entries,
    parents: Integers,
    similarity: float,
    most: int,
    found: Integers,
) -> tuple[int, int]:
    """Find one similar text of each cluster; return how many, and the text that is equal or -1."""
    mask = np.int64(heads.shape[1] - 1)
    entry = np.int64(heads[0, np.int64(own_keys[0]) & mask])
    while entry >= 0:
        if text_keys[entry] == text_key:
            return 0, int(entry)
        entry = np.int64(nexts[entry, 0])
    number = 0
    for band in range(1, own_keys.size):
        key = np.int64(own_keys[band])
        if key == 0:
            continue
        entry = np.int64(heads[band, key & mask])
        compared = 0
        while entry >= 0 and compared < most and number < found.size:
            if np.int64(keys[entry, band]) == key:
                compared += 1
                root = root_of(parents, int(entry))
                known = False
                for place in range(number):
                    known = known or root_of(parents, found[place]) == root
                if not known:
                    theirs = hashes[offsets[entry] : offsets[entry + 1]]
                    if are_similar(own, theirs, similarity):
                        found[number] = entry
                        number += 1
            entry = np.int64(nexts[entry, band])
    return number, -1


@njit(nogil=True, cache=True)
def add_texts(
    new_hashes: _Hashes,
    new_offsets: Integers,
    new_keys: _Keys,
    new_text_keys: _Hashes,
    blank: NDArray[np.bool_],
    hashes: _Hashes,
    offsets: Integers,
    text_keys: _Hashes,
    keys: _Keys,
    heads: _Entries,
    nexts: _Entries,
    parents: Integers,
    similarity: float,
    most: int,
    found: Integers,
    sizes: Integers,
    size: int,
    entries: Integers,
) -> int:
    """Add texts, for which there is room; return the number of different texts after that."""
    for text in range(new_text_keys.size):
        if blank[text]:
            continue
        own = new_hashes[new_offsets[text] : new_offsets[text + 1]]
        number, exact = find_matches(
            own,
            new_keys[text],
            new_text_keys[text],
            hashes,
            offsets,
            text_keys,
            keys,
            heads,
            nexts,
            parents,
            similarity,
            most,
            found,
        )
        if exact >= 0:
            sizes[root_of(parents, exact)] += 1
            entries[text] = exact
            continue
        hashes[offsets[size] : offsets[size] + own.size] = own
        offsets[size + 1] = offsets[size] + own.size
        text_keys[size] = new_text_keys[text]
        keys[size] = new_keys[text]
        parents[size], sizes[size] = size, 1
        enter(keys, size, size + 1, heads, nexts)
        root = size
        for place in range(number):
            other = root_of(parents, found[place])
            if other != root:
                low, high = min(root, other), max(root, other)
                parents[high] = low
                sizes[low] += sizes[high]
                root = low
        entries[text] = size
        size += 1
    return size
