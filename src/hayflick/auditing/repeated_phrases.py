"""Phrases and templates that too many items of a data set are made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from hayflick.auditing.audit_result import CommonPhrase
from hayflick.core.checks import share as checked_share
from hayflick.corpus.tokenizers import UNSPACED, words_and
from hayflick.diversity.phrases import PhraseCounts, written

SEARCHED = 10_000
"""Items in which phrases are searched: of more, a random sample is."""

_BYTES, _LONGEST = 8_000_000, 100_000
FEWEST = 5
"""Phrases in fewer items are not counted."""
_MOST = 100
_SHORTEST = 3
_UNSPACED_SHORTEST = 5
_PART = 0.9
_GAP = "…"
_TEMPLATE_WORDS = 3
_FIXED_SHARE = 0.5
_EXAMPLE = 500


def searched_texts(texts: pl.Series, *, seed: int) -> pl.Series:
    """Return a random sample of the items that are not blank, all if they are few.

    Of very long ones, the beginning is returned.
    """
    present = texts.filter(texts.fill_null("").str.strip_chars() != "").str.slice(0, _LONGEST)
    size = max(1, int(present.str.len_bytes().cast(pl.Int64).sum() or 0))
    most = max(FEWEST, min(SEARCHED, int(len(present) * _BYTES / size)))
    return present.sample(most, seed=seed) if len(present) > most else present


def common_phrases(texts: pl.Series, *, share: float) -> tuple[CommonPhrase, ...]:
    """Return the phrases of 3 to 5 words that stand in at least a share of the items.

    In scripts without spaces, phrases are 5 characters. A phrase is left out if nine tenths of
    the items in which it stands have it as part of a longer one.

    Parameters
    ----------
    texts
        The items that are searched.
    share
        The least share of them, and at least 5 items.

    Raises
    ------
    ArgumentError
        If `share` is not from 0 to 1.

    Examples
    --------
    >>> texts = [f"As an AI language model, {word}" for word in "abcdefghij"]
    >>> [(one.phrase, one.items) for one in common_phrases(pl.Series(texts), share=0.5)]
    [('as an ai language model', 10)]
    """
    fewest = _fewest(texts, share)
    [counts] = PhraseCounts.frequent([texts.to_list()], fewest=fewest)
    letters = pl.col("symbol").str.replace_all(f"[^{UNSPACED}]", "").str.len_chars()
    words = pl.col("symbol").str.count_matches(" ") + 1
    shortest = pl.when(letters > 1).then(_UNSPACED_SHORTEST).otherwise(_SHORTEST)
    found = counts.table.filter(words >= shortest, pl.col("number") >= fewest)
    found = found.sort("number", words, "symbol", descending=[True, True, False])
    kept = _whole(found.rows())
    return _described(texts, kept)


def _fewest(texts: pl.Series, share: float) -> int:
    return max(FEWEST, int(np.ceil(checked_share("phrase_share", share) * len(texts))))


def _whole(found: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return phrases that are not nearly always part of a longer one, the most frequent first."""
    longer: list[tuple[str, int]] = []
    for phrase, items in sorted(found, key=lambda one: -len(one[0])):
        inside = (
            f" {phrase} " in f" {other} " and number >= _PART * items for other, number in longer
        )
        if not any(inside):
            longer.append((phrase, items))
    return sorted(longer, key=lambda one: (-one[1], -len(one[0]), one[0]))[:_MOST]


def _described(texts: pl.Series, found: Sequence[tuple[str, int]]) -> tuple[CommonPhrase, ...]:
    spelled = written([phrase for phrase, _ in found])
    folded = texts.str.to_lowercase().str.replace_all(r"[^\p{L}\p{M}\p{N}]+", " ")
    described = []
    for phrase, (_, items) in zip(spelled, found, strict=True):
        is_in = folded.str.contains(phrase, literal=True)
        # Emoji are words of phrases, but not of folded texts.
        example = texts[int(is_in.arg_max() or 0)][:_EXAMPLE] if is_in.any() else ""
        described.append(CommonPhrase(phrase, items, items / len(texts), example))
    return tuple(described)


def common_templates(texts: pl.Series, *, share: float) -> tuple[CommonPhrase, ...]:
    """Return the texts with gaps of which at least a share of the items are made.

    Words that stand in few items are gaps. A template is what is left, if that is at least three
    words, and half of the words of its items.

    Parameters
    ----------
    texts
        The items that are searched.
    share
        The least share of them, and at least 5 items, not all of them equal.

    Raises
    ------
    ArgumentError
        If `share` is not from 0 to 1.

    Examples
    --------
    >>> names = "Ada Bob Cyd Dan Eve Fay Gus Hal".split()
    >>> texts = [f"Dear {name}, thank you for your order" for name in names]
    >>> [(one.phrase, one.items) for one in common_templates(pl.Series(texts), share=0.5)]
    [('dear … thank you for your order', 8)]
    """
    fewest = _fewest(texts, share)
    rows = pl.LazyFrame({"text": texts, "row": np.arange(len(texts))})
    tokens = words_and(rows, f"[{UNSPACED}]").collect()
    number = tokens.unique(["row", "symbol"]).group_by("symbol").agg(pl.len().alias("items"))
    tokens = tokens.join(number, on="symbol", maintain_order="left").with_columns(
        fixed=pl.col("items") >= fewest
    )
    word = pl.when("fixed").then("symbol").otherwise(pl.lit(_GAP))
    is_new = (
        pl.col("fixed")
        | (pl.col("fixed").shift(1, fill_value=True))
        | (pl.col("row") != pl.col("row").shift(1))
    )
    # Neighbouring gaps are one, whatever they hold.
    masked = tokens.with_columns(word=word, is_new=is_new)
    items = masked.group_by("row", maintain_order=True).agg(
        pl.col("word").filter("is_new").str.join(" ").alias("template"),
        pl.col("fixed").sum().alias("words"),
        pl.col("fixed").mean().alias("share"),
        pl.col("symbol").str.join(" ").alias("spelled"),
    )
    found = (
        items.filter(pl.col("words") >= _TEMPLATE_WORDS, pl.col("share") >= _FIXED_SHARE)
        .group_by("template")
        .agg(
            pl.len().alias("items"),
            pl.col("spelled").n_unique().alias("texts"),
            pl.col("row").first(),
        )
        .filter(pl.col("items") >= fewest, pl.col("texts") > 1)
        .sort("items", "template", descending=[True, False])
        .head(_MOST)
    )
    spelled = written(found["template"].to_list())
    return tuple(
        CommonPhrase(template, number, number / len(texts), texts[int(row)][:_EXAMPLE])
        for template, (_, number, _, row) in zip(spelled, found.iter_rows(), strict=True)
    )
