"""Texts as sets of shingles: runs of neighbouring tokens, each as a number of 64 bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.auditing.dataset import blocks, byte_size
from hayflick.auditing.shingle_kernels import joined_runs, runs_of_tokens
from hayflick.core.arrays import Integers
from hayflick.core.progress import Progress
from hayflick.corpus.tokenizers import Tokenizer

Hashes: TypeAlias = NDArray[np.uint64]

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
    tokens
        The number of tokens of each text.
    """

    hashes: Hashes
    offsets: Integers
    tokens: Integers


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
    total = byte_size(texts)
    parts: list[Hashes] = []
    numbers: list[Integers] = []
    tokens: list[Integers] = []
    done = 0
    for block in blocks(texts):
        hashes, offsets = token_hashes(block, tokenizer)
        runs, number = runs_of_tokens(hashes, offsets, length, shortest)
        parts.append(runs)
        numbers.append(number)
        tokens.append(np.diff(offsets))
        done += byte_size(block)
        progress("splitting texts", done, total)
    begins = np.concatenate([np.zeros(1, np.int64), *numbers]).cumsum()
    return Shingles(joined_runs(parts), begins, np.concatenate(tokens))
