"""Phrases, and in how many answers each occurs.

A phrase is a run of 2 to 5 words; of characters where a script has no spaces. It is counted
once per answer: answers are nearly independent of one another, the words in them are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from hayflick.corpus.counting import batches
from hayflick.corpus.scripts import UNSPACED
from hayflick.corpus.tokenizers.base import Tokenizer, matches
from hayflick.corpus.tokenizers.words import WORD
from hayflick.diversity.ngrams import (
    add_table,
    count_ngrams,
    merged_counts,
    no_counts,
    refuse_single_text,
)

LENGTHS = (2, 3, 4, 5)


class _WordsAndLetters(Tokenizer):
    """Words in lower case; single characters where a script has no spaces."""

    @property
    def name(self) -> str:
        return "words and letters"

    def tokens(self, text: pl.LazyFrame) -> pl.LazyFrame:
        return matches(text, f"[{UNSPACED}]|[[{WORD}]--[{UNSPACED}]]+", lower=True)


@dataclass(frozen=True, eq=False)
class PhraseCounts:
    """In how many answers every phrase occurs.

    It is mergeable, and as large as the text is varied: some 30 phrases and 2 KB per short
    answer that is like no other. Of more than some 100,000 answers, count a random sample.

    Parameters
    ----------
    texts
        Number of answers.
    table
        Columns ``symbol`` (tokens with spaces between them) and ``number`` of answers.

    Examples
    --------
    >>> counts = PhraseCounts.of(["I am sorry", "I am here, I am"])
    >>> counts.table.filter(pl.col("symbol") == "i am").rows()
    [('i am', 2)]
    """

    texts: int
    table: pl.DataFrame

    @classmethod
    def empty(cls) -> PhraseCounts:
        """Return the counts of no answer."""
        return cls(0, no_counts())

    @classmethod
    def of(cls, texts: Iterable[str]) -> PhraseCounts:
        """Count the phrases of answers in any language, batch by batch.

        Raises
        ------
        ArgumentError
            If `texts` is a text.
        """
        refuse_single_text(texts)
        waiting: list[pl.DataFrame] = []
        number = 0
        for batch in batches(iter(texts)):
            number += len(batch)
            for table in count_ngrams(
                batch, tokenizer=_WordsAndLetters(), lengths=LENGTHS, once_per_text=True
            ):
                add_table(waiting, table)
        return cls(number, merged_counts(waiting))

    def merge(self, other: PhraseCounts) -> PhraseCounts:
        """Return the counts of both sets of answers together."""
        table = merged_counts([self.table, other.table])
        return PhraseCounts(self.texts + other.texts, table)


def written(phrases: Sequence[str]) -> list[str]:
    """Return phrases as they are written: no space between letters that take none.

    Examples
    --------
    >>> written(["how are you", "今 日 は good"])
    ['how are you', '今日は good']
    """
    between = f"([{UNSPACED}]) ([{UNSPACED}])"
    spelled = pl.Series(phrases, dtype=pl.String)
    # Matches do not overlap, so every other gap is left for the second time.
    for _ in range(2):
        spelled = spelled.str.replace_all(between, "$1$2")
    return spelled.to_list()
