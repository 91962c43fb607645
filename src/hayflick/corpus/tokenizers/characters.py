"""Overlapping runs of characters, and the mixture of them with words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import polars as pl

from hayflick.core.checks import whole_number
from hayflick.corpus.scripts import UNSPACED
from hayflick.corpus.tokenizers.base import Tokenizer, matches
from hayflick.corpus.tokenizers.words import WORD


@final
@dataclass(frozen=True)
class Characters(Tokenizer):
    """Overlapping runs of `length` characters; a shorter run is one token.

    Examples
    --------
    >>> Characters(length=2).split("東京都 へ")
    ['東京', '京都', 'へ']
    """

    length: int

    def __post_init__(self) -> None:
        whole_number("characters", self.length, at_least=1)

    @property
    def name(self) -> str:
        """The name that makes it again."""
        return f"characters:{self.length}"

    def tokens(self, text: pl.LazyFrame) -> pl.LazyFrame:
        """Return the overlapping runs of characters of every row."""
        return _windows(matches(text, r"\S+", lower=False), self.length, where=pl.lit(value=True))


@final
@dataclass(frozen=True)
class Mixed(Tokenizer):
    """Words where a script has spaces, pairs of characters where it has none.

    Examples
    --------
    >>> Mixed().split("Windows 11の更新")
    ['windows', '11', 'の更', '更新']
    """

    @property
    def name(self) -> str:
        """The name that makes it again."""
        return "mixed"

    def tokens(self, text: pl.LazyFrame) -> pl.LazyFrame:
        """Return words and pairs of characters of every row."""
        runs = matches(text, f"[{UNSPACED}]+|[[{WORD}]--[{UNSPACED}]]+", lower=True)
        return _windows(runs, 2, where=pl.col("symbol").str.contains(f"^[{UNSPACED}]"))


def _windows(runs: pl.LazyFrame, length: int, *, where: pl.Expr) -> pl.LazyFrame:
    letters = pl.element()
    window = pl.concat_str([letters.shift(-ahead) for ahead in range(length)])
    windows = pl.col("symbol").str.split("").list.eval(window).list.drop_nulls()
    # A run shorter than a window has none: it stands for itself.
    long_enough = pl.col("symbol").str.len_chars() >= length
    tokens = pl.when(long_enough & where).then(windows).otherwise(pl.concat_list("symbol"))
    return runs.select(pl.exclude("symbol"), tokens.alias("symbol")).explode("symbol")
