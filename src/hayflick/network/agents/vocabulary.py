"""Texts to numbered words and back, so that what was written can be read again.

Sentences are split as `hayflick.corpus.sentences` splits them. They are joined so that the
same words are found again: with spaces where a script has them, the overlap of runs of
characters written once, and an end behind every sentence that does not show its own.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import polars as pl

from hayflick.chains.contexts import Texts
from hayflick.corpus.numbering import number_words
from hayflick.corpus.scripts import UNSPACED, script_letters
from hayflick.corpus.sentences import Sentences
from hayflick.corpus.tokenizers.auto import tokenizer_for
from hayflick.corpus.tokenizers.base import Tokenizer
from hayflick.corpus.tokenizers.characters import Characters, Mixed
from hayflick.corpus.tokenizers.naming import tokenizer_named
from hayflick.corpus.tokenizers.words import Whitespace
from hayflick.network.agents.memory import Memory

_ENDS = ".!?…؟۔।॥。！？｡"
_UNSPACED_ENDS = "。！？｡"
_CONTEXTS_KEPT = 64
_UNSPACED_SHARE = 0.2


def speaking_tokenizer(name: str, samples: Iterable[str]) -> Tokenizer:
    """Return a tokenizer for text that is to be written as well as read.

    Parameters
    ----------
    name
        A name of `hayflick.corpus.tokenizers`. ``auto`` is ``whitespace``, which keeps case and
        punctuation, unless a fifth of the letters are of scripts without spaces: a few foreign
        names must not give one agent of a network other words than the rest.
    samples
        Parts of the text, for ``auto``.

    Examples
    --------
    >>> speaking_tokenizer("auto", ["It rains."]).name, speaking_tokenizer("words", []).name
    ('whitespace', 'words')
    """
    if name != "auto":
        return tokenizer_named(name)
    texts = list(samples)
    letters, unspaced, _ = script_letters(pl.Series(texts, dtype=pl.String)).sum().row(0)
    return tokenizer_for(texts) if unspaced > _UNSPACED_SHARE * letters else Whitespace()


class Vocabulary:
    """Words by number, from 1; it grows with what is read, and numbers never change.

    It remembers how the texts that it has read are split: the agents of a network read the
    same pool again and again.

    Parameters
    ----------
    tokenizer
        What splits sentences into words.

    Examples
    --------
    >>> rain = Vocabulary(Whitespace())
    >>> numbers = rain.read("It rains in May. It rains")
    >>> int(numbers[0]) == int(numbers[5]), rain.write(numbers)
    (True, 'It rains in May. It rains')
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self._numbers: dict[str, int] = {}
        self._words = [""]
        self._begins_unspaced, self._ends_unspaced = [False], [False]
        self._read: dict[str, Texts] = {}
        self._recall = lru_cache(maxsize=_CONTEXTS_KEPT)(self._memory)

    def read(self, text: str) -> Texts:
        """Return the numbers of a text's words, 0 behind every sentence."""
        if text not in self._read:
            symbols, tokens = number_words(iter([text + "\n"]), self.tokenizer)
            self._read[text] = self._renumbered(symbols, tokens)
        return self._read[text]

    def read_sentences(self, sentences: Sentences) -> Texts:
        """Return the numbers of words that were split by the same tokenizer before."""
        return self._renumbered(sentences.symbols, sentences.tokens)

    def recall(self, context: Sequence[str]) -> Memory:
        """Return several texts, indexed; those of late are kept."""
        return self._recall(tuple(context))

    def _memory(self, context: tuple[str, ...]) -> Memory:
        texts = [self.read(text) for text in context]
        return Memory.of(texts, weights=[1.0] * len(texts))

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

    def write(self, numbers: Iterable[int]) -> str:
        """Return a text of numbered words; 0 ends a sentence."""
        text, before = "", 0
        for number in numbers:
            if number:
                text += self._joined(before, number)
            elif before:
                text += self._end(before)
            before = number
        return text.strip()

    def _joined(self, before: int, number: int) -> str:
        """Return a word as it is written behind another; 0 stands for none."""
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
        """Return how many characters two runs share, as runs that follow on one another do."""
        first, second = self._words[before], self._words[number]
        length = self.tokenizer.length if isinstance(self.tokenizer, Characters) else 2
        if isinstance(self.tokenizer, Mixed) and not self._begins_unspaced[number]:
            return 0
        if not isinstance(self.tokenizer, Characters | Mixed):
            return 0
        whole = len(first) == len(second) == length
        return length - 1 if whole and first[1:] == second[:-1] else 0

    def _end(self, last: int) -> str:
        """Return what stands between a sentence and the next."""
        shown = _without_closing(self._words[last])[-1:]
        if shown and shown in _ENDS:
            return "" if shown in _UNSPACED_ENDS else " "
        if isinstance(self.tokenizer, Whitespace | Characters):
            # To these a full stop would be a part of the text.
            return "\n"
        return "。" if self._ends_unspaced[last] else ". "


def _without_closing(word: str) -> str:
    while word and (word[-1] in "\"'" or unicodedata.category(word[-1]) in ("Pe", "Pf")):
        word = word[:-1]
    return word
