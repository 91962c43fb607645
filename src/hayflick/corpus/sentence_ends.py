r"""Where a sentence ends, found while the punctuation is still there.

A sentence ends

- behind ``.``, ``!``, ``?``, ``…`` and their like in Arabic script and in Devanagari, and the
  quotes and brackets that close behind them, where whitespace follows: not in ``3.14``;
- behind ``。``, ``！``, ``？`` and ``｡`` and what closes behind them, whatever follows;
- where a line ends.

Abbreviations with whitespace behind them end a sentence too: telling them apart takes a
dictionary for every language.

References
----------
Unicode Standard Annex #29, *Unicode Text Segmentation*, section 5.
"""

from __future__ import annotations

import polars as pl

MARK = "\N{MATHEMATICAL BOLD SMALL DIGAMMA}"
"""Stands between sentences: a letter, so that every tokenizer returns it as a token."""

_SAME_LETTER = "\N{GREEK SMALL LETTER DIGAMMA}"

_CLOSING = r"""[\p{Pe}\p{Pf}"']*"""
_ENDS = "|".join(
    (
        rf"[.!?…؟۔।॥]+{_CLOSING}\s",
        rf"[。！？｡]+{_CLOSING}",
        r"[\n\r\x0B\x0C\x85\x{2028}\x{2029}]",
    )
)


def marked(text: pl.LazyFrame) -> pl.LazyFrame:
    r"""Return a column ``text`` with `MARK` on a line of its own behind every sentence.

    Two ends with nothing in between leave two marks.

    Examples
    --------
    >>> text = pl.LazyFrame({"text": ["Pi is 3.14. Why? 雨。雪"]})
    >>> marked(text).collect().item().split(f"\n{MARK}\n")
    ['Pi is 3.14. ', 'Why? ', '雨。', '雪']
    """
    # The text's own use of the letter, if any, is taken for the letter that it is a style of.
    own = pl.col("text").str.replace_all(MARK, _SAME_LETTER, literal=True)
    return text.select(own.str.replace_all(_ENDS, f"${{0}}\n{MARK}\n").alias("text"))
