"""Running text to numbered words, sentence by sentence, in bounded batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.corpus.counting import batches
from hayflick.corpus.sentence_ends import MARK, marked
from hayflick.corpus.tokenizers.base import Tokenizer

Numbered: TypeAlias = tuple[tuple[str, ...], NDArray[np.int32]]
"""Words, most frequent first and equal counts in order; numbers from 1, 0 for an end."""


def number_words(texts: Iterator[str], tokenizer: Tokenizer) -> Numbered:
    r"""Return the words of a text and their numbers in the order of the text.

    Parameters
    ----------
    texts
        The text, cut where no word is cut.
    tokenizer
        What splits sentences into words.

    Returns
    -------
    The words, and ``(words and sentences,)`` numbers: no sentence is empty.

    Examples
    --------
    >>> from hayflick.corpus.tokenizers.words import Words
    >>> number_words(iter(["So it is. ", "Is it?\n"]), Words())[1].tolist()
    [3, 2, 1, 0, 1, 2, 0]
    """
    numbers = {MARK: 0}
    numbered = [np.empty(0, np.int32)]
    for batch in batches(texts):
        words = tokenizer.tokens(marked(pl.LazyFrame({"text": batch}))).collect()
        numbered.append(_numbered(words.get_column("symbol"), numbers))
    tokens = np.concatenate(numbered)
    # A mark behind a mark, or at the very start, ends nothing.
    tokens = tokens[(tokens != 0) | (np.append(0, tokens[:-1]) != 0)]
    return _by_frequency(tuple(numbers)[1:], tokens)


def _numbered(words: pl.Series, numbers: dict[str, int]) -> NDArray[np.int32]:
    """Return the numbers of words, giving the next number to every one that has none."""
    words = words.filter(words != "")
    different = words.unique(maintain_order=True)
    known = [numbers.setdefault(word, len(numbers)) for word in different]
    places = words.cast(pl.Enum(different)).to_physical().to_numpy()
    numbered: NDArray[np.int32] = np.array(known, dtype=np.int32)[places]
    return numbered


def _by_frequency(symbols: tuple[str, ...], tokens: NDArray[np.int32]) -> Numbered:
    counts = np.bincount(tokens, minlength=len(symbols) + 1).tolist()
    order = sorted(range(1, len(counts)), key=lambda old: (-counts[old], symbols[old - 1]))
    new = np.zeros(len(counts), np.int32)
    new[order] = np.arange(1, len(counts))
    return tuple(symbols[old - 1] for old in order), new[tokens]
