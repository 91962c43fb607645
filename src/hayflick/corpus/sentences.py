"""Split a text (file, folder or string) into sentences of numbered words."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.progress import Progress, silent
from hayflick.core.source import Source
from hayflick.corpus.frames import input_path
from hayflick.corpus.normalization import normalized_pieces
from hayflick.corpus.reading import text_files
from hayflick.corpus.running_text import markup_notes, running_text, sample_files
from hayflick.corpus.tokenizers import Lines, Tokenizer, batches, split_with

MARK = "\N{MATHEMATICAL BOLD SMALL DIGAMMA}"
"""Mark between sentences: a letter, so that every tokenizer returns it as a token."""

_SAME_LETTER = "\N{GREEK SMALL LETTER DIGAMMA}"

_CLOSING = r"""[\p{Pe}\p{Pf}"']*"""
_ENDS = "|".join(
    (rf"[.!?…؟۔।॥]+{_CLOSING}\s", rf"[。！？｡]+{_CLOSING}", r"[\n\r\x0B\x0C\x85\x{2028}\x{2029}]")
)


def marked(text: pl.LazyFrame) -> pl.LazyFrame:
    r"""Return a column ``text`` with `MARK` on a line of its own after each sentence.

    Two ends with nothing in between leave two marks.

    Examples
    --------
    >>> text = pl.LazyFrame({"text": ["Pi is 3.14. Why? 雨。雪"]})
    >>> marked(text).collect().item().split(f"\n{MARK}\n")
    ['Pi is 3.14. ', 'Why? ', '雨。', '雪']
    """
    # If the text uses the mark itself, it is replaced by the plain form of that letter.
    own = pl.col("text").str.replace_all(MARK, _SAME_LETTER, literal=True)
    return text.select(own.str.replace_all(_ENDS, f"${{0}}\n{MARK}\n").alias("text"))


Numbered: TypeAlias = tuple[tuple[str, ...], NDArray[np.int32]]
"""Words, most frequent first and equal counts in order; numbers from 1, 0 for an end."""


def number_words(texts: Iterator[str], tokenizer: Tokenizer) -> Numbered:
    r"""Return the words of a text and their numbers in the order of the text.

    Parameters
    ----------
    texts
        The text, cut between words.
    tokenizer
        Splits sentences into words.

    Returns
    -------
    The words, and their numbers, shape ``(words + sentences,)``; no sentence is empty.

    Examples
    --------
    >>> from hayflick.corpus.tokenizers import Words
    >>> number_words(iter(["So it is. ", "Is it?\n"]), Words())[1].tolist()
    [3, 2, 1, 0, 1, 2, 0]
    """
    numbers = {MARK: 0}
    numbered = [np.empty(0, np.int32)]
    for batch in batches(texts):
        words = tokenizer.tokens(marked(pl.LazyFrame({"text": batch}))).collect()
        numbered.append(_numbered(words.get_column("symbol"), numbers))
    tokens = np.concatenate(numbered)
    # A mark after a mark, or at the very start, ends no sentence.
    tokens = tokens[(tokens != 0) | (np.append(0, tokens[:-1]) != 0)]
    return _by_frequency(tuple(numbers)[1:], tokens)


def _numbered(words: pl.Series, numbers: dict[str, int]) -> NDArray[np.int32]:
    """Return the numbers of words; new words get the next numbers."""
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
        Source of the text.

    Raises
    ------
    DataError
        If there is no word, a sentence is empty or has no end, or a number has no symbol.

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
    normalize: str = "nfc",
    progress: Progress = silent,
) -> Sentences:
    """Return the sentences of a text, or of a folder of texts; none spans two files.

    Parameters
    ----------
    path
        The file or folder.
    tokenizer
        Name of a tokenizer (`hayflick.corpus.tokenizers`) other than ``lines``.
    encoding
        Any text codec of Python.
    normalize
        See `hayflick.corpus.normalization.normalized_expression`.
    progress
        Called with the number of bytes read so far.

    Raises
    ------
    DataError
        If the input is missing, empty or holds no word.
    UndecodableError
        If it is not in `encoding`.
    ArgumentError
        If there is no such tokenizer or encoding.
    """
    path = input_path(path)
    files = text_files(path)

    def texts(split: Tokenizer) -> Iterator[str]:
        for file in files:
            whole = running_text(
                file,
                separators=split.separators,
                encoding=encoding,
                normalize=normalize,
                progress=progress,
            )
            yield from itertools.chain(whole, "\n")

    samples = sample_files(files, encoding=encoding)
    chosen, (symbols, tokens) = _split(texts, samples, tokenizer)
    if not symbols:
        under = f"under the tokenizer {chosen.name}"
        raise DataError(f"{path}: holds no word {under}; check the file and the tokenizer")
    source = Source.of(
        path,
        files=files,
        count_lines=True,
        tokenizer=chosen.name,
        encoding=encoding,
        normalization=normalize,
        notes=markup_notes(files),
    )
    return Sentences(symbols, tokens, source)


def split_sentences(text: str, *, tokenizer: str = "auto", normalize: str = "nfc") -> Sentences:
    """Return the sentences of a string; parameters and errors are those of `read_sentences`."""
    [text] = normalized_pieces([text], normalize)
    chosen, (symbols, tokens) = _split(lambda _: iter([text + "\n"]), [text], tokenizer)
    return Sentences(
        symbols, tokens, Source("text", tokenizer=chosen.name, normalization=normalize)
    )


def _split(
    texts: Callable[[Tokenizer], Iterator[str]], samples: Iterable[str], name: str
) -> tuple[Tokenizer, Numbered]:
    if name == Lines.name:
        takes = "one that splits lines, such as words or characters:2"
        raise ArgumentError("tokenizer", got=name, takes=takes)

    def symbols(numbered: Numbered) -> tuple[pl.Series, pl.Series]:
        words, tokens = numbered
        return pl.Series(words, dtype=pl.String), pl.Series(np.bincount(tokens, minlength=1)[1:])

    return split_with(
        name, samples, lambda split: number_words(texts(split), split), symbols=symbols
    )
