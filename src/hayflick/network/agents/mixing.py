"""Compiled: a text written by a mixture of two n-gram models with back-off.

The next word is drawn from (1 - trust) p_own + trust p_context. Each of the two laws is that of
the words that followed on the longest ending of the sentence so far, up to order - 1 words, that
the model has seen; the beginning of a sentence is such an ending. An ending whose weight is
w < 1, in units of the average word, counts as seen with chance w: what has faded makes way. A model
that has not even seen the last word draws from all its words.

References
----------
Jurafsky and Martin, *Speech and Language Processing*, 3rd edition, section 3.6 (interpolation
and back-off).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numba import njit

from hayflick.chains.contexts import Texts
from hayflick.core.arrays import Floats

Arrays: TypeAlias = tuple[Texts, Floats, Texts, Texts, Floats]
"""Tokens, weights, starts, places and running sums of a `Memory`."""


@njit(nogil=True, cache=True)
def index(tokens: Texts, starts: Texts, places: Texts) -> None:
    """Sort all places by the word before them, in a counting sort.

    `starts`, of zeros, has two places more than there are words, 0 among them.
    """
    before = 0
    for place in range(tokens.size):
        starts[before + 2] += 1
        before = tokens[place]
    for word in range(2, starts.size):
        starts[word] += starts[word - 1]
    before = 0
    for place in range(tokens.size):
        # One place on, where the next word's start will be when all have moved up.
        places[starts[before + 1]] = place
        starts[before + 1] += 1
        before = tokens[place]


@njit(nogil=True, cache=True)
def write(
    rng: np.random.Generator,
    order: int,
    trust: float,
    own: Arrays,
    context: Arrays,
    begun: Texts,
    most_tokens: int,
    most_sentences: int,
) -> Texts:
    """Return what is written behind `begun`: up to `most_tokens` words and ends, 0 for an end.

    An end right behind `begun` ends that sentence alone, and is not returned.
    """
    written = np.zeros(begun.size + 1 + most_tokens, np.int32)
    written[: begun.size] = begun
    first = place = begun.size
    sentences = 0
    while place - first < most_tokens and sentences < most_sentences:
        model = context if rng.random() < trust else own
        word = _next(rng, order, model, written[:place])
        if word == 0 and (place == 0 or written[place - 1] == 0):
            # No sentence is empty; a model of order 1 alone tries.
            continue
        written[place] = word
        place += 1
        if word == 0 and place == first + 1:
            first = place
        elif word == 0:
            sentences += 1
    return written[first:place]


@njit(nogil=True, cache=True)
def _next(rng: np.random.Generator, order: int, model: Arrays, written: Texts) -> int:
    tokens, weights, starts, places, cumulative = model
    before = written[-1] if written.size else 0
    most = order - 1
    if before + 1 >= starts.size:
        most = 0
    while most > 0:
        candidates = places[starts[before] : starts[before + 1]]
        longest, mass = _longest(tokens, weights, candidates, written, most)
        # Whatever its weight, the longest would otherwise be followed where nothing else is.
        if mass >= 1.0 or (mass > 0.0 and rng.random() < mass):
            return _pick(rng.random() * mass, tokens, weights, candidates, written, most, longest)
        most = longest - 1
    spot = rng.random() * cumulative[-1]
    place = np.searchsorted(cumulative, spot, side="right")
    return int(tokens[min(place, tokens.size - 1)])


@njit(nogil=True, cache=True)
def _longest(
    tokens: Texts, weights: Floats, candidates: Texts, written: Texts, most: int
) -> tuple[int, float]:
    """Return the longest ending of what is written that stands before a place, and its weight."""
    longest, mass = 0, 0.0
    for place in candidates:
        matched = _matched(tokens, place, written, most)
        if matched > longest:
            longest, mass = matched, 0.0
        if matched == longest:
            mass += weights[place]
    return longest, mass


@njit(nogil=True, cache=True)
def _pick(
    spot: float,
    tokens: Texts,
    weights: Floats,
    candidates: Texts,
    written: Texts,
    most: int,
    longest: int,
) -> int:
    """Return the word at one of the places where the longest ending stands before."""
    word = 0
    for place in candidates:
        if _matched(tokens, place, written, most) == longest:
            # The last one stands for whatever rounding leaves above it.
            word = tokens[place]
            spot -= weights[place]
            if spot < 0.0:
                break
    return int(word)


@njit(nogil=True, cache=True)
def _matched(tokens: Texts, place: int, written: Texts, most: int) -> int:
    """Return how many words before a place are those written last, up to `most`.

    Nothing before the beginning of a sentence matters: both beginning there match in full.
    """
    for back in range(1, most + 1):
        seen = tokens[place - back] if place >= back else 0
        said = written[written.size - back] if written.size >= back else 0
        if seen != said:
            return back - 1
        if said == 0:
            return most
    return most
