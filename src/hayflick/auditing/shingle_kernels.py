"""Shingles, MinHash keys and the comparison of texts, by compiled code."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hayflick.core.arrays import Integers
from hayflick.core.compiled import njit

_Hashes = NDArray[np.uint64]


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
