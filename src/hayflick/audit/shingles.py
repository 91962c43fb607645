"""Texts as sets of shingles: runs of neighbouring tokens, each as a number of 64 bits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.audit.shingle_kernels import joined_runs, runs_of_tokens
from hayflick.core.arrays import Integers
from hayflick.core.progress import Progress
from hayflick.corpus.tokenizers import Tokenizer

Hashes: TypeAlias = NDArray[np.uint64]

_TEXTS_AT_ONCE = 50_000
_BYTES_AT_ONCE = 1 << 25
_HASH_SEED = 18


@dataclass(frozen=True, eq=False)
class Shingles:
    """The different shingles of some texts.

    Parameters
    ----------
    hashes
        Of one text after the other, those of each text ascending.
    offsets
        Where those of each text begin, and the end of the last one; one more than texts.
    """

    hashes: Hashes
    offsets: Integers

    def of_text(self, text: int) -> Hashes:
        """Return the shingles of one text, ascending."""
        return self.hashes[self.offsets[text] : self.offsets[text + 1]]


def blocks(texts: pl.Series) -> Iterator[pl.Series]:
    """Yield consecutive texts, so many at once that their tokens take little memory."""
    ends = texts.str.len_bytes().cast(pl.Int64).cum_sum().to_numpy()
    start = 0
    while start < len(texts):
        before = int(ends[start - 1]) if start else 0
        stop = int(np.searchsorted(ends, before + _BYTES_AT_ONCE, side="right"))
        stop = min(max(stop, start + 1), start + _TEXTS_AT_ONCE)
        yield texts.slice(start, stop - start)
        start = stop


def token_hashes(texts: pl.Series, tokenizer: Tokenizer) -> tuple[Hashes, Integers]:
    """Return the tokens of texts as hashes, one text after the other, and where each begins."""
    numbered = texts.alias("text").to_frame().with_row_index("row").lazy()
    hashed = tokenizer.tokens(numbered).select(
        pl.col("row").cast(pl.Int64), pl.col("symbol").hash(_HASH_SEED)
    )
    tokens = hashed.collect()
    numbers = np.bincount(tokens["row"].to_numpy(), minlength=len(texts))
    return tokens["symbol"].to_numpy(), np.concatenate(([0], np.cumsum(numbers)))


def shingles_of(
    texts: pl.Series, *, tokenizer: Tokenizer, length: int, shortest: int, progress: Progress
) -> Shingles:
    """Return the shingles of every text.

    Parameters
    ----------
    texts
        Without nulls.
    tokenizer
        Splits them; its tokens come in the order of the text.
    length
        Tokens of a shingle.
    shortest
        A text of fewer than `length` tokens, but at least so many, has one shingle, all of its
        tokens. At least 1: a text without any token has none.
    progress
        Is told of the bytes that are read.
    """
    total = int(texts.str.len_bytes().cast(pl.Int64).sum())
    parts: list[Hashes] = []
    numbers: list[Integers] = []
    done = 0
    for block in blocks(texts):
        hashes, offsets = token_hashes(block, tokenizer)
        runs, number = runs_of_tokens(hashes, offsets, length, shortest)
        parts.append(runs)
        numbers.append(number)
        done += int(block.str.len_bytes().cast(pl.Int64).sum())
        progress("splitting texts", done, total)
    offsets = np.concatenate([np.zeros(1, np.int64), *numbers]).cumsum()
    return Shingles(joined_runs(parts), offsets)
