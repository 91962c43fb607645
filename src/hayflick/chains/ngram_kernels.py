"""Compiled training and writing of n-gram models over the contexts of a text.

A block's texts lie one behind the other: replicate r owns ``texts[offsets[r]:offsets[r + 1]]``,
the contexts that its text visits (`hayflick.chains.ngram.Contexts`).

- *Training* sorts the visits of a text by the context before them, which is a counting sort.
- *Writing* is a random walk from a context to one of the visits that followed it, each as likely.

One visit costs the same at any order. Every kernel releases the GIL and consumes its
generator replicate by replicate.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hayflick.core.arrays import Floats, Integers
from hayflick.core.compiled import njit

Texts: TypeAlias = NDArray[np.int32]
"""A text as the contexts that it visits, 0 at the end of every sentence."""


Starts: TypeAlias = NDArray[np.int32]
Block: TypeAlias = tuple[Texts, Integers]
"""Texts and offsets of a block."""

_SLACK = 1.1


@njit(nogil=True, cache=True)
def train(text: Texts, memory: int, starts: Starts, successors: Texts) -> None:
    """Sort the visits of a text by the context before them.

    Those behind context c come to lie at ``successors[starts[c]:starts[c + 1]]``; `starts`
    has two places more than there are contexts.
    """
    starts[:] = 0
    context = 0
    for place in range(text.size):
        starts[context + 2] += 1
        context = text[place] * memory
    for place in range(2, starts.size):
        starts[place] += starts[place - 1]
    context = 0
    for place in range(text.size):
        # One place on, where the next context's start will be when all have moved up.
        successors[starts[context + 1]] = text[place]
        starts[context + 1] += 1
        context = text[place] * memory


@njit(nogil=True, cache=True)
def append(
    rng: np.random.Generator,
    starts: Starts,
    successors: Texts,
    cumulative: Floats,
    memory: int,
    draws: int,
    texts: Texts,
    offsets: Integers,
) -> Block:
    """Add `draws` words, all from one model, to every text.

    Parameters
    ----------
    starts, successors
        The model, see `train`.
    cumulative
        Running sums of the successors' weights within each context; empty where all
        successors weigh the same.
    """
    new_offsets = np.zeros_like(offsets)
    new_texts = _room(texts.size + (offsets.size - 1) * draws)
    end = 0
    for replicate in range(offsets.size - 1):
        old = texts[offsets[replicate] : offsets[replicate + 1]]
        new_texts = _with_room(new_texts, end, old.size)
        new_texts[end : end + old.size] = old
        end += old.size
        new_texts, end = _write(rng, starts, successors, cumulative, memory, draws, new_texts, end)
        new_offsets[replicate + 1] = end
    return new_texts[:end], new_offsets


@njit(nogil=True, cache=True)
def rewrite(
    rng: np.random.Generator,
    texts: Texts,
    offsets: Integers,
    contexts: int,
    memory: int,
    draws: int,
) -> Block:
    """Train a model on every text and let it write a new one of `draws` words."""
    starts = np.empty(contexts + 2, np.int32)
    successors = np.empty(np.diff(offsets).max(), np.int32)
    new_offsets = np.zeros_like(offsets)
    new_texts = _room((offsets.size - 1) * draws)
    equal_weights = np.empty(0)
    end = 0
    for replicate in range(offsets.size - 1):
        train(texts[offsets[replicate] : offsets[replicate + 1]], memory, starts, successors)
        new_texts, end = _write(
            rng, starts, successors, equal_weights, memory, draws, new_texts, end
        )
        new_offsets[replicate + 1] = end
    return new_texts[:end], new_offsets


@njit(nogil=True, cache=True)
def _write(
    rng: np.random.Generator,
    starts: Starts,
    successors: Texts,
    cumulative: Floats,
    memory: int,
    draws: int,
    texts: Texts,
    end: int,
) -> tuple[Texts, int]:
    """Write whole sentences behind `end`, the last of them cut where `draws` words are there."""
    words, context = 0, 0
    while words < draws:
        # So many steps cannot write too many words: no check is needed within them.
        steps = draws - words
        texts = _with_room(texts, end, steps + 1)
        for place in range(end, end + steps):
            first, last = starts[context], starts[context + 1]
            if cumulative.size == 0:
                pick = first + np.int64(rng.random() * (last - first))
            else:
                pick = _weighted_pick(rng, cumulative, first, last)
            visit = successors[pick]
            texts[place] = visit
            words += visit != 0
            context = visit * memory
        end += steps
    if draws > 0:
        texts[end] = 0
        end += 1
    return texts, end


@njit(nogil=True, cache=True)
def _weighted_pick(rng: np.random.Generator, cumulative: Floats, first: int, last: int) -> int:
    # The last one stands for whatever rounding leaves above it.
    last -= 1
    spot = rng.random() * cumulative[last]
    while first < last:
        middle = (first + last) // 2
        if spot < cumulative[middle]:
            last = middle
        else:
            first = middle + 1
    return first


@njit(nogil=True, cache=True)
def _room(words: int) -> Texts:
    return np.empty(int(words * _SLACK) + 2, np.int32)


@njit(nogil=True, cache=True)
def _with_room(texts: Texts, end: int, more: int) -> Texts:
    """Return the texts with room for `more` behind `end`."""
    if end + more <= texts.size:
        return texts
    larger = np.empty(max(end + more, texts.size + texts.size // 2), np.int32)
    larger[:end] = texts[:end]
    return larger


@njit(nogil=True, cache=True)
def summarise(
    texts: Texts, offsets: Integers, last: NDArray[np.int32], types: int
) -> tuple[Integers, Integers, Integers, Floats]:
    """Return every text's words by kind, contexts, sentences and sum of squared counts."""
    replicates = offsets.size - 1
    survivors, contexts = np.zeros(replicates, np.int64), np.zeros(replicates, np.int64)
    sentences, squares = np.zeros(replicates, np.int64), np.zeros(replicates)
    visits, counts = np.empty(last.size, np.int32), np.empty(types + 1, np.int32)
    for replicate in range(replicates):
        visits[:] = 0
        counts[:] = 0
        for place in range(offsets[replicate], offsets[replicate + 1]):
            visits[texts[place]] += 1
        for context in range(last.size):
            contexts[replicate] += visits[context] > 0
            counts[last[context]] += visits[context]
        sentences[replicate] = counts[0]
        for word in range(1, types + 1):
            survivors[replicate] += counts[word] > 0
            squares[replicate] += float(counts[word]) * counts[word]
    return survivors, contexts, sentences, squares
