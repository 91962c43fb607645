"""What every tokenizer is, and how one is made from a pattern."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import polars as pl


class Tokenizer(ABC):
    """Turns a column ``text`` into a column ``symbol`` of one token per row.

    Other columns, such as the number of the item that a text is, are repeated for each token.
    """

    separators: ClassVar[str] = " \n\t\u3000"
    """Characters behind which a long text can be cut without cutting a token."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name that makes it again."""

    @abstractmethod
    def tokens(self, text: pl.LazyFrame) -> pl.LazyFrame:
        """Return the tokens of every row, in any order."""

    def split(self, text: str) -> list[str]:
        """Return the tokens of one text.

        Examples
        --------
        >>> from hayflick.corpus.tokenizers.words import Words
        >>> Words().split("Time flies!")
        ['time', 'flies']
        """
        frame = self.tokens(pl.LazyFrame({"text": [text]}))
        return frame.collect().get_column("symbol").to_list()


def matches(text: pl.LazyFrame, pattern: str, *, lower: bool) -> pl.LazyFrame:
    """Return all matches of a regular expression, one per row."""
    column = pl.col("text").str.to_lowercase() if lower else pl.col("text")
    found = column.str.extract_all(pattern).alias("symbol")
    return text.select(pl.exclude("text"), found).explode("symbol").drop_nulls("symbol")
