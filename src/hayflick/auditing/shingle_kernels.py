"""Shingles, MinHash keys, the comparison of texts and the tables of an index, by compiled code.

For each band of an index there is a table of chains: `heads` has the latest text of each slot, and
`nexts` of every text the one before it. Column 0 of the keys is of whole texts, the others are of
bands.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hayflick.core.arrays import Integers
from hayflick.core.compiled import njit

_Hashes = NDArray[np.uint64]
_Keys = NDArray[np.uint32]
_Entries = NDArray[np.int32]


@njit(nogil=True, cache=True)
def _mixed(value: Any) -> Any:
    """Return a number of 64 bits in which every bit depends on every bit (splitmix64)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@njit(nogil=True, cache=True)
def runs_of_tokens(
    tokens: _Hashes, offsets: Integers, length: int, shortest: int
) -> tuple[_Hashes, Integers]:
    """Return the different runs of `length` tokens of each text, ascending, and their numbers.

    A text with fewer tokens, but at least `shortest` ones, has one run of all of them.
    """
    texts = offsets.size - 1
    runs = np.empty(tokens.size, np.uint64)
    numbers = np.zeros(texts, np.int64)
    filled = 0
    for text in range(texts):
        start, stop = offsets[text], offsets[text + 1]
        size = length
        if stop - start < length:
            if stop - start < shortest:
                continue
            size = stop - start
        first = filled
        for place in range(start, stop - size + 1):
            value = np.uint64(size)
            for ahead in range(size):
                value = _mixed(value * np.uint64(0x9E3779B97F4A7C15) + tokens[place + ahead])
            runs[filled] = value
            filled += 1
        own = runs[first:filled]
        own.sort()
        kept = 1
        for place in range(1, own.size):
            if own[place] != own[place - 1]:
                own[kept] = own[place]
                kept += 1
        filled = first + kept
        numbers[text] = kept
    return runs[:filled].copy(), numbers


def joined_runs(parts: list[_Hashes]) -> _Hashes:
    """Return all parts in one array; each part is freed as soon as it is copied."""
    joined = np.empty(sum(part.size for part in parts), np.uint64)
    end = joined.size
    while parts:
        part = parts.pop()
        joined[end - part.size : end] = part
        end -= part.size
    return joined


@njit(nogil=True, cache=True)
def band_keys(hashes: _Hashes, offsets: Integers, multipliers: _Hashes) -> _Hashes:
    """Return a key of each text: the least values of its shingles under some hash functions.

    Two texts have the same least value with the probability of their Jaccard similarity, and the
    same key if all least values are the same. A text without shingles has the key 0.
    """
    texts, rows = offsets.size - 1, multipliers.size // 2
    keys = np.zeros(texts, np.uint64)
    least = np.empty(rows, np.uint64)
    for text in range(texts):
        start, stop = offsets[text], offsets[text + 1]
        if start == stop:
            continue
        for row in range(rows):
            factor, shift = multipliers[2 * row], multipliers[2 * row + 1]
            smallest = np.uint64(0xFFFFFFFFFFFFFFFF)
            for place in range(start, stop):
                value = (hashes[place] ^ shift) * factor
                smallest = min(smallest, value)
            least[row] = smallest
        key = np.uint64(1)
        for row in range(rows):
            key = _mixed(key + least[row])
        keys[text] = key if key != np.uint64(0) else np.uint64(1)
    return keys


@njit(nogil=True, cache=True)
def root_of(parents: Integers, text: int) -> int:
    """Return the representative of a text's cluster, and shorten the way to it."""
    while parents[text] != text:
        parents[text] = parents[parents[text]]
        text = parents[text]
    return text


@njit(nogil=True, cache=True)
def are_similar(first: _Hashes, second: _Hashes, similarity: float) -> bool:
    """Return whether two ascending sets have at least a Jaccard similarity."""
    sizes = first.size + second.size
    # The least number of common shingles with which the similarity is reached.
    needed = np.int64(np.ceil(similarity * sizes / (1.0 + similarity) - 1e-9))
    here, there, common = 0, 0, 0
    spare_here, spare_there = first.size - needed, second.size - needed
    if spare_here < 0 or spare_there < 0:
        return False
    while here < first.size and there < second.size:
        if first[here] == second[there]:
            common += 1
            here += 1
            there += 1
        elif first[here] < second[there]:
            here += 1
            spare_here -= 1
            if spare_here < 0:
                return False
        else:
            there += 1
            spare_there -= 1
            if spare_there < 0:
                return False
    return bool(common >= needed)


@njit(nogil=True, cache=True)
def join_similar(
    hashes: _Hashes,
    offsets: Integers,
    keys: _Hashes,
    order: Integers,
    parents: Integers,
    similarity: float,
    most: int,
) -> int:
    """Join the clusters of similar texts with the same key; return how many pairs were skipped.

    `order` sorts the keys. In a bucket of many texts, each is compared with the next ones only,
    so many that a bucket takes about `most` comparisons, and at least 256.
    """
    skipped = 0
    start = 0
    while start < order.size:
        key = keys[order[start]]
        stop = start + 1
        while stop < order.size and keys[order[stop]] == key:
            stop += 1
        number = stop - start
        if key != np.uint64(0) and number > 1:
            window = max(256, most // number)
            if number > window:
                # Neighbours in the order of the texts begin alike.
                order[start:stop].sort()
            for place in range(start, stop - 1):
                one = order[place]
                last = min(stop, place + 1 + window)
                skipped += stop - last
                own = hashes[offsets[one] : offsets[one + 1]]
                root = root_of(parents, one)
                for other_place in range(place + 1, last):
                    other = order[other_place]
                    other_root = root_of(parents, other)
                    if other_root == root:
                        continue
                    theirs = hashes[offsets[other] : offsets[other + 1]]
                    if are_similar(own, theirs, similarity):
                        low, high = min(root, other_root), max(root, other_root)
                        parents[high] = low
                        root = low
        start = stop
    return skipped


@njit(nogil=True, cache=True)
def common_runs(
    hashes: _Hashes,
    offsets: Integers,
    other_hashes: _Hashes,
    other_offsets: Integers,
    texts: Integers,
    others: Integers,
) -> NDArray[np.bool_]:
    """Return whether each pair of a text and another one has a run in common."""
    found = np.zeros(texts.size, np.bool_)
    for pair in range(texts.size):
        here, there = offsets[texts[pair]], other_offsets[others[pair]]
        stop, other_stop = offsets[texts[pair] + 1], other_offsets[others[pair] + 1]
        while here < stop and there < other_stop:
            if hashes[here] == other_hashes[there]:
                found[pair] = True
                break
            if hashes[here] < other_hashes[there]:
                here += 1
            else:
                there += 1
    return found


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
