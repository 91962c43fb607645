"""What a data set is made of: scripts, languages, classes, lengths, phrases and templates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from hayflick.auditing.audit_result import ClassMix, CommonPhrase, LengthBin, LengthMix, MixPart
from hayflick.auditing.duplicates import Duplicates
from hayflick.core.arrays import Integers
from hayflick.core.checks import share as checked_share
from hayflick.corpus.tokenizers import UNSPACED, words_and
from hayflick.diversity.hill import hill_number
from hayflick.diversity.phrases import PhraseCounts, written

_LETTERS = 1000
"""The script of a text is that of most of its first letters, so many of them."""

_SCRIPTS = {
    "Latin": r"\p{Latin}",
    "Han": r"\p{Han}",
    "Japanese": r"[\p{Hiragana}\p{Katakana}]",
    "Hangul": r"\p{Hangul}",
    "Cyrillic": r"\p{Cyrillic}",
    "Arabic": r"\p{Arabic}",
    "Devanagari": r"\p{Devanagari}",
    "Greek": r"\p{Greek}",
    "Hebrew": r"\p{Hebrew}",
    "Thai": r"\p{Thai}",
    "Bengali": r"\p{Bengali}",
    "Tamil": r"\p{Tamil}",
    "Telugu": r"\p{Telugu}",
    "Georgian": r"\p{Georgian}",
    "Armenian": r"\p{Armenian}",
    "Ethiopic": r"\p{Ethiopic}",
    "Khmer": r"\p{Khmer}",
    "Myanmar": r"\p{Myanmar}",
}
_OTHER = "other"
_JAPANESE_LETTERS = 0.1
"""A text in Han is Japanese if at least this share of its letters are kana."""

_WORD = r"[\p{L}\p{M}\p{N}]+(?:['’\-][\p{L}\p{M}\p{N}]+)*"
_QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
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


def script_mix(texts: pl.Series, duplicates: Duplicates) -> tuple[MixPart, ...]:
    """Return the items by the script of most of their letters; None is for items without any.

    Examples
    --------
    >>> from hayflick.auditing.duplicates import find_duplicates
    >>> texts = pl.Series(["so it is", "これは文です", "这是", "42", None])
    >>> [(one.name, one.items) for one in script_mix(texts, find_duplicates(texts))]
    [(None, 2), ('Han', 1), ('Japanese', 1), ('Latin', 1)]
    """
    return mix_of(scripts_of(texts), duplicates)


def scripts_of(texts: pl.Series) -> pl.Series:
    """Return the script of each text; null for one without letters."""
    heads = texts.fill_null("").str.slice(0, _LETTERS)
    plain = heads.str.len_bytes() == heads.str.len_chars()
    some_letter = heads.str.contains("[A-Za-z]")
    found = pl.select(pl.when(plain & some_letter).then(pl.lit("Latin"))).to_series()
    others = (~plain).arg_true()
    if not len(others):
        return found.alias("script")
    rest = heads.gather(others)
    counts = pl.DataFrame(
        {name: rest.str.count_matches(pattern) for name, pattern in _SCRIPTS.items()}
    ).with_columns(rest.str.count_matches(r"\p{L}").alias(_OTHER))
    named = counts.select(list(_SCRIPTS)).to_numpy().astype(np.int64)
    kana, han = (list(_SCRIPTS).index(name) for name in ("Japanese", "Han"))
    is_japanese = named[:, kana] >= _JAPANESE_LETTERS * (named[:, kana] + named[:, han])
    named[:, kana] += np.where(is_japanese & (named[:, kana] > 0), named[:, han], 0)
    most = named.max(axis=1)
    unnamed = counts[_OTHER].to_numpy().astype(np.int64) - named.max(axis=1)
    names = np.array([*_SCRIPTS, _OTHER], dtype=object)[
        np.where((most == 0) & (unnamed > 0), len(_SCRIPTS), named.argmax(axis=1))
    ]
    names[(most == 0) & (unnamed <= 0)] = None
    return found.scatter(others, pl.Series(names.tolist(), dtype=pl.String)).alias("script")


def mix_of(labels: pl.Series, duplicates: Duplicates) -> tuple[MixPart, ...]:
    """Return the items by a label, the most frequent one first; null is a part of its own."""
    redundant = _is_redundant(duplicates.cluster)
    parts = (
        pl.DataFrame({"name": labels, "redundant": redundant})
        .group_by("name")
        .agg(pl.len().alias("items"), pl.col("redundant").mean())
        .sort("items", "name", descending=[True, False])
    )
    total = len(labels)
    return tuple(
        MixPart(name, items, items / total, share) for name, items, share in parts.iter_rows()
    )


def _is_redundant(cluster: Integers) -> pl.Series:
    """Return which rows go where the first one of each cluster is kept."""
    _, first = np.unique(cluster, return_index=True)
    redundant = cluster >= 0
    redundant[first] = False
    return pl.Series(redundant)


def class_mix(
    labels: pl.Series, duplicates: Duplicates, *, column: str, rare_share: float
) -> ClassMix | None:
    """Return the items by their class; None if no item has one."""
    parts = mix_of(labels, duplicates)
    effective = hill_number([one.items for one in parts if one.name is not None], order=1)
    return None if effective is None else ClassMix(column, parts, effective, rare_share)


def word_numbers(texts: pl.Series) -> Integers:
    """Return the number of words of each text; two letters without spaces count as a word.

    Examples
    --------
    >>> word_numbers(pl.Series(["it's so, isn't it?", "これは文です", "", None])).tolist()
    [4, 3, 0, 0]
    """
    present = texts.fill_null("")
    unspaced = present.str.count_matches(f"[{UNSPACED}]").cast(pl.Int64)
    rest = present
    mixed = (unspaced > 0).arg_true()
    if len(mixed):
        spaced = present.gather(mixed).str.replace_all(f"[{UNSPACED}]", " ")
        rest = present.scatter(mixed, spaced)
    return (rest.str.count_matches(_WORD).cast(pl.Int64) + (unspaced + 1) // 2).to_numpy()


def length_mix(words: Integers) -> LengthMix:
    """Return how long items are, from their numbers of words.

    Examples
    --------
    >>> mix = length_mix(np.array([1, 3, 3, 9]))
    >>> mix.mean, mix.quantiles[0.5], [(one.low, one.high, one.items) for one in mix.bins]
    (4.0, 3.0, [(1, 1, 1), (2, 3, 2), (4, 7, 0), (8, 15, 1)])
    """
    levels = np.where(words > 0, np.floor(np.log2(np.maximum(words, 1))).astype(np.int64) + 1, 0)
    counts = np.bincount(levels)
    bins = tuple(
        LengthBin(0 if level == 0 else 2 ** (level - 1), max(2**level - 1, 0), int(counts[level]))
        for level in range(int(levels.min()), counts.size)
    )
    values = np.quantile(words, _QUANTILES)
    quantiles = {share: float(value) for share, value in zip(_QUANTILES, values, strict=True)}
    return LengthMix(mean=float(words.mean()), quantiles=quantiles, bins=bins)


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
