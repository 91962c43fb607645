"""Text generation from a mixture of two n-gram models with back-off, compiled.

The next word is drawn from (1 - trust) p_own + trust p_context. Each of the two is the
distribution of the words that followed the longest suffix of the sentence so far, up to order - 1
words, that occurs in the model; the beginning of a sentence is such a suffix. A suffix of total
weight w < 1, in units of the average word, is used with probability w, so that faded text gives
way. A model in which not even the last word occurs draws from all its words.

References
----------
Jurafsky and Martin, *Speech and Language Processing*, 3rd edition, section 3.6 (interpolation
and back-off).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress
from typing import TypeAlias

import numpy as np
import polars as pl

from hayflick.chains.ngram_kernels import Texts
from hayflick.core.arrays import Floats
from hayflick.core.compiled import njit
from hayflick.corpus.sentences import Sentences, number_words
from hayflick.corpus.tokenizers import (
    UNSPACED,
    Characters,
    Mixed,
    Tokenizer,
    Whitespace,
    script_letters,
    tokenizer_for,
    tokenizer_named,
)

Arrays: TypeAlias = tuple[Texts, Floats, Texts, Texts, Floats]
"""Tokens, weights, starts, places and running sums of an `NGramIndex`."""


@njit(nogil=True, cache=True)
def sort_places(tokens: Texts, starts: Texts, places: Texts) -> None:
    """Sort all places by the preceding word, with a counting sort.

    `starts`, all zeros, has two entries more than there are words, 0 among them.
    """
    before = 0
    for place in range(tokens.size):
        starts[before + 2] += 1
        before = tokens[place]
    for word in range(2, starts.size):
        starts[word] += starts[word - 1]
    before = 0
    for place in range(tokens.size):
        # One entry on: it ends up as the start of the next word.
        places[starts[before + 1]] = place
        starts[before + 1] += 1
        before = tokens[place]


@njit(nogil=True, cache=True)
def generate(
    rng: np.random.Generator,
    order: int,
    trust: float,
    own: Arrays,
    context: Arrays,
    prefix: Texts,
    most_tokens: int,
    most_sentences: int,
) -> Texts:
    """Return a continuation of `prefix`: up to `most_tokens` words and ends of sentences (0).

    An end right after `prefix` only ends that sentence, and is not returned.
    """
    written = np.zeros(prefix.size + 1 + most_tokens, np.int32)
    written[: prefix.size] = prefix
    first = place = prefix.size
    sentences = 0
    while place - first < most_tokens and sentences < most_sentences:
        model = context if rng.random() < trust else own
        word = _next(rng, order, model, written[:place])
        if word == 0 and (place == 0 or written[place - 1] == 0):
            # No sentence is empty; only a model of order 1 draws one.
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
        # Without this draw, a suffix would be used however faded it is.
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
    """Return the length of the longest matching suffix before any candidate, and its weight."""
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
    """Return the word at one of the candidates after the longest suffix, drawn by weight."""
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
    """Return how many words before a place match the last ones written, up to `most`.

    Words before the beginning of a sentence do not matter: two beginnings match in full.
    """
    for back in range(1, most + 1):
        seen = tokens[place - back] if place >= back else 0
        word = written[written.size - back] if written.size >= back else 0
        if seen != word:
            return back - 1
        if word == 0:
            return most
    return most


@dataclass(frozen=True, eq=False)
class NGramIndex:
    """Texts, indexed by the preceding word.

    Parameters
    ----------
    tokens
        Numbers of words, 0 behind every sentence, shape ``(tokens,)``.
    weights
        Weight of every place, 1 on average, shape ``(tokens,)``.
    starts, places
        Word w stands before ``places[starts[w]:starts[w + 1]]``.
    cumulative
        Running sums of the weights.

    Examples
    --------
    >>> index = NGramIndex.of([np.array([1, 2, 0], np.int32)], weights=[1.0])
    >>> index.places.tolist(), index.starts.tolist(), index.empty
    ([0, 1, 2], [0, 1, 2, 3], False)
    """

    tokens: Texts
    weights: Floats
    starts: Texts
    places: Texts
    cumulative: Floats

    @classmethod
    def of(cls, texts: Sequence[Texts], *, weights: Sequence[float]) -> NGramIndex:
        """Return the index of texts; the words of a text count in proportion to its weight."""
        each_text = np.array(weights, np.float64)
        sizes = np.fromiter(map(len, texts), np.int64, len(texts))
        used = (each_text > 0) & (sizes > 0)
        tokens = np.concatenate([np.empty(0, np.int32), *compress(texts, used)])
        each = np.repeat(each_text[used], sizes[used])
        each /= each.mean() if each.size else 1.0
        starts = np.zeros(int(tokens.max(initial=0)) + 3, np.int32)
        places = np.empty(tokens.size, np.int32)
        sort_places(tokens, starts, places)
        return cls(tokens, each, starts[:-1], places, np.cumsum(each))

    @property
    def empty(self) -> bool:
        """Whether there are no words."""
        return self.tokens.size == 0

    @property
    def arrays(self) -> Arrays:
        """The arguments of the compiled generator."""
        return self.tokens, self.weights, self.starts, self.places, self.cumulative


_ENDS = ".!?…؟۔।॥。！？｡"
_UNSPACED_ENDS = "。！？｡"
_CONTEXTS_CACHED = 64
_UNSPACED_SHARE = 0.2
_BETWEEN = "\N{MATHEMATICAL BOLD CAPITAL DIGAMMA}"
"""Stands between texts that are split together: a letter, which every tokenizer leaves alone."""


def writing_tokenizer(name: str, samples: Iterable[str]) -> Tokenizer:
    """Return a tokenizer whose tokens can be joined to text again.

    Parameters
    ----------
    name
        A name of `hayflick.corpus.tokenizers`. ``auto`` is ``whitespace``, which keeps case and
        punctuation, unless a fifth of the letters are of scripts without spaces: a few foreign
        names must not give one agent of a network a tokenizer of its own.
    samples
        Parts of the text, for ``auto``.

    Examples
    --------
    >>> writing_tokenizer("auto", ["It rains."]).name, writing_tokenizer("words", []).name
    ('whitespace', 'words')
    """
    if name != "auto":
        return tokenizer_named(name)
    texts = list(samples)
    letters, unspaced, _ = script_letters(pl.Series(texts, dtype=pl.String)).sum().row(0)
    return tokenizer_for(texts) if unspaced > _UNSPACED_SHARE * letters else Whitespace()


class Vocabulary:
    """Words by number, from 1; it grows with the texts that are encoded, and numbers never change.

    Encoded texts are cached, since the agents of a network read the same pool again and again.

    Parameters
    ----------
    tokenizer
        What splits sentences into words.

    Examples
    --------
    >>> rain = Vocabulary(Whitespace())
    >>> numbers = rain.encode("It rains in May. It rains")
    >>> int(numbers[0]) == int(numbers[5]), rain.decode(numbers)
    (True, 'It rains in May. It rains')
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self._numbers: dict[str, int] = {}
        self._words = [""]
        self._begins_unspaced, self._ends_unspaced = [False], [False]
        self._encoded: dict[str, Texts] = {}
        self._index = lru_cache(maxsize=_CONTEXTS_CACHED)(self._indexed)

    def encode(self, text: str) -> Texts:
        """Return the numbers of a text's words, with 0 after every sentence."""
        if text not in self._encoded:
            symbols, tokens = number_words(iter([text + "\n"]), self.tokenizer)
            self._encoded[text] = self._renumbered(symbols, tokens)
        return self._encoded[text]

    def encode_all(self, texts: Sequence[str]) -> list[Texts]:
        """Return the numbers of each text; many are split faster together than one by one.

        Examples
        --------
        >>> [numbers.tolist() for numbers in Vocabulary(Whitespace()).encode_all(["a b.", "b. a"])]
        [[1, 2, 0], [2, 0, 1, 0]]
        """
        known = self._encoded
        # Thousands of texts are read, few of them new: these two passes run without Python.
        if not all(map(known.__contains__, texts)):
            self._split([text for text in dict.fromkeys(texts) if text not in known])
        return list(map(known.__getitem__, texts))

    def _split(self, new: Sequence[str]) -> None:
        """Remember the numbers of new texts."""
        together = [text for text in new if _BETWEEN not in text]
        if len(together) > 1:
            rows = (row for text in together for row in (f"{text}\n", f"{_BETWEEN}\n"))
            symbols, tokens = number_words(rows, self.tokenizer)
            ends = np.flatnonzero(tokens == symbols.index(_BETWEEN) + 1)
            # The mark is a sentence by itself.
            starts = [0, *(ends[:-1] + 2)]
            numbers = self._renumbered(symbols, tokens)
            for text, start, end in zip(together, starts, ends, strict=True):
                self._encoded[text] = numbers[start:end].copy()
        for text in new:
            self.encode(text)

    def encode_sentences(self, sentences: Sentences) -> Texts:
        """Return the numbers of words that the same tokenizer has split."""
        return self._renumbered(sentences.symbols, sentences.tokens)

    def index_of(self, context: Sequence[str]) -> NGramIndex:
        """Return the index of several texts; recent ones are cached."""
        return self._index(tuple(context))

    def _indexed(self, context: tuple[str, ...]) -> NGramIndex:
        texts = self.encode_all(context)
        return NGramIndex.of(texts, weights=[1.0] * len(texts))

    def _renumbered(self, symbols: Sequence[str], tokens: Texts) -> Texts:
        self._add([word for word in symbols if word not in self._numbers])
        numbers = [0, *(self._numbers[word] for word in symbols)]
        return np.array(numbers, np.int32)[tokens]

    def _add(self, words: Sequence[str]) -> None:
        for word in words:
            self._numbers[word] = len(self._words)
            self._words.append(word)
        column = pl.Series(words, dtype=pl.String)
        self._begins_unspaced += column.str.contains(f"^[{UNSPACED}]").to_list()
        self._ends_unspaced += column.str.contains(f"[{UNSPACED}]$").to_list()

    def decode(self, numbers: Iterable[int]) -> str:
        """Return the text of word numbers; 0 ends a sentence."""
        text, before = "", 0
        for number in numbers:
            if number:
                text += self._joined(before, number)
            elif before:
                text += self._end(before)
            before = number
        return text.strip()

    def _joined(self, before: int, number: int) -> str:
        """Return a word as it is written after another; 0 stands for none."""
        word = self._words[number]
        if before == 0:
            return word
        if isinstance(self.tokenizer, Whitespace):
            return f" {word}"
        overlap = self._overlap(before, number)
        if overlap:
            return word[overlap:]
        touching = self._ends_unspaced[before] or self._begins_unspaced[number]
        return word if touching or isinstance(self.tokenizer, Characters) else f" {word}"

    def _overlap(self, before: int, number: int) -> int:
        """Return how many characters two overlapping character n-grams share."""
        first, second = self._words[before], self._words[number]
        length = self.tokenizer.length if isinstance(self.tokenizer, Characters) else 2
        if isinstance(self.tokenizer, Mixed) and not self._begins_unspaced[number]:
            return 0
        if not isinstance(self.tokenizer, Characters | Mixed):
            return 0
        whole = len(first) == len(second) == length
        return length - 1 if whole and first[1:] == second[:-1] else 0

    def _end(self, last: int) -> str:
        """Return what separates a sentence from the next."""
        shown = _without_closing(self._words[last])[-1:]
        if shown and shown in _ENDS:
            return "" if shown in _UNSPACED_ENDS else " "
        if isinstance(self.tokenizer, Whitespace | Characters):
            # These tokenizers would take a full stop for a part of the text.
            return "\n"
        return "。" if self._ends_unspaced[last] else ". "


def _without_closing(word: str) -> str:
    while word and (word[-1] in "\"'" or unicodedata.category(word[-1]) in ("Pe", "Pf")):
        word = word[:-1]
    return word
