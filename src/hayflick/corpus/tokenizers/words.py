"""Words, whitespace and lines: tokens that a pattern finds.

The classes of Unicode are those of UTS #18 (marks belong to words, as Hindi needs) with
all numbers added, so ``½`` is a token as it is to Python's ``re``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import polars as pl

from hayflick.corpus.tokenizers.base import Tokenizer, matches

WORD = r"\w\p{N}"
"""What a word is made of, to stand inside a regular expression's brackets."""


@final
@dataclass(frozen=True)
class Words(Tokenizer):
    """Runs of letters, digits and marks, in lower case."""

    @property
    def name(self) -> str:
        """The name that makes it again."""
        return "words"

    def tokens(self, text: pl.LazyFrame) -> pl.LazyFrame:
        """Return the words of every row."""
        return matches(text, f"[{WORD}]+", lower=True)


@final
@dataclass(frozen=True)
class Whitespace(Tokenizer):
    """What stands between whitespace, as written."""

    @property
    def name(self) -> str:
        """The name that makes it again."""
        return "whitespace"

    def tokens(self, text: pl.LazyFrame) -> pl.LazyFrame:
        """Return what stands between whitespace."""
        return matches(text, r"\S+", lower=False)


@final
@dataclass(frozen=True)
class Lines(Tokenizer):
    r"""Whole lines, without the whitespace around them: one label per line.

    Examples
    --------
    >>> Lines().split("cats and dogs\n\n fish ")
    ['cats and dogs', 'fish']
    """

    separators: ClassVar[str] = "\n"

    @property
    def name(self) -> str:
        """The name that makes it again."""
        return "lines"

    def tokens(self, text: pl.LazyFrame) -> pl.LazyFrame:
        """Return the lines of every row."""
        return matches(text, r"[^\r\n\s][^\r\n]*[^\r\n\s]|\S", lower=False)
