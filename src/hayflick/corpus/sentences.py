"""Any text (file, folder, string) to sentences of numbered words, in their order."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.progress import Progress, silent
from hayflick.corpus.encodings import decoded, pieces
from hayflick.corpus.numbering import number_words
from hayflick.corpus.reading import text_files
from hayflick.corpus.sampling import sample_files
from hayflick.corpus.source import Source
from hayflick.corpus.tokenizers.auto import tokenizer_for, words_suffice
from hayflick.corpus.tokenizers.base import Tokenizer
from hayflick.corpus.tokenizers.characters import Mixed
from hayflick.corpus.tokenizers.naming import tokenizer_named
from hayflick.corpus.tokenizers.words import Lines, Words


@dataclass(frozen=True, eq=False)
class Sentences:
    """Sentences of numbered words.

    Parameters
    ----------
    symbols
        The words, each once, most frequent first; equal counts in order.
    tokens
        Shape ``(total + sentences,)``: word ``symbols[i]`` is i + 1, and 0 ends a sentence;
        copied as 32-bit integers.
    source
        Where the text comes from.

    Raises
    ------
    DataError
        If there is no word, a sentence is empty or without end, or a number has no symbol.

    Examples
    --------
    >>> rain = split_sentences("It rains. It rains in May!")
    >>> rain.symbols, rain.tokens.tolist()
    (('it', 'rains', 'in', 'may'), [1, 2, 0, 1, 2, 3, 4, 0])
    """

    symbols: tuple[str, ...]
    tokens: NDArray[np.int32]
    source: Source = Source("text")

    def __post_init__(self) -> None:
        frozen = np.array(self.tokens, dtype=np.int32)
        frozen.setflags(write=False)
        object.__setattr__(self, "tokens", frozen)
        if frozen.size == 0 or not self.symbols:
            raise DataError(f"{self.source.name}: holds no word")
        ends = np.flatnonzero(frozen == 0)
        if frozen[-1] != 0 or np.diff(ends, prepend=-1).min() < 2:
            raise DataError("sentences: take one word or more each, and a 0 behind it")
        if frozen.min() < 0 or frozen.max() > len(self.symbols):
            raise DataError(f"sentences: take numbers of words from 1 to {len(self.symbols)}")

    def __repr__(self) -> str:
        size = f"types={self.types}, total={self.total}, number={self.number}"
        return f"Sentences({self.source.name!r}, {size})"

    @property
    def types(self) -> int:
        """Number of different words."""
        return len(self.symbols)

    @cached_property
    def number(self) -> int:
        """Number of sentences."""
        return int(np.count_nonzero(self.tokens == 0))

    @property
    def total(self) -> int:
        """Number of words."""
        return self.tokens.size - self.number


def read_sentences(
    path: str | os.PathLike[str],
    *,
    tokenizer: str = "auto",
    encoding: str = "utf-8",
    progress: Progress = silent,
) -> Sentences:
    """Return the sentences of a text, or of a folder of texts; none goes on in the next file.

    Parameters
    ----------
    path
        The file or folder.
    tokenizer
        A name of `hayflick.corpus.tokenizers`, not ``lines``.
    encoding
        Any text codec of Python's.
    progress
        Told the bytes read.

    Raises
    ------
    DataError
        If the input is missing, empty or holds no word.
    UndecodableError
        If it is not in `encoding`.
    ArgumentError
        If there is no such tokenizer or encoding.
    """
    path = Path(path)
    files = text_files(path)

    def texts(split: Tokenizer) -> Iterator[str]:
        for file in files:
            whole = decoded(file, encoding=encoding, progress=progress)
            yield from pieces(itertools.chain(whole, "\n"), separators=split.separators)

    samples = sample_files(files, encoding=encoding)
    chosen, symbols, tokens = _split(texts, samples, tokenizer)
    if not symbols:
        under = f"under the tokenizer {chosen.name}"
        raise DataError(f"{path}: holds no word {under}; check the file and the tokenizer")
    return Sentences(symbols, tokens, Source.of(path, tokenizer=chosen.name, encoding=encoding))


def split_sentences(text: str, *, tokenizer: str = "auto") -> Sentences:
    """Return the sentences of a string; parameters and errors are those of `read_sentences`."""
    chosen, symbols, tokens = _split(lambda _: iter([text + "\n"]), [text], tokenizer)
    return Sentences(symbols, tokens, Source("text", tokenizer=chosen.name))


def _split(
    texts: Callable[[Tokenizer], Iterator[str]], samples: Iterable[str], name: str
) -> tuple[Tokenizer, tuple[str, ...], NDArray[np.int32]]:
    chosen = tokenizer_for(samples) if name == "auto" else tokenizer_named(name)
    if isinstance(chosen, Lines):
        takes = "one that splits lines, such as words or characters:2"
        raise ArgumentError("tokenizer", got=name, takes=takes)
    symbols, tokens = number_words(texts(chosen), chosen)
    if name == "auto" and isinstance(chosen, Words):
        numbers = pl.Series(np.bincount(tokens, minlength=1)[1:])
        if not words_suffice(pl.Series(symbols, dtype=pl.String), numbers):
            chosen = Mixed()
            symbols, tokens = number_words(texts(chosen), chosen)
    return chosen, symbols, tokens
