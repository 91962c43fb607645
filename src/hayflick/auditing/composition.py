"""What a data set is made of: scripts, languages, classes and lengths."""

from __future__ import annotations

import numpy as np
import polars as pl

from hayflick.auditing.audit_result import ClassMix, LengthBin, LengthMix, MixPart
from hayflick.auditing.duplicates import Duplicates
from hayflick.core.arrays import Integers
from hayflick.corpus.tokenizers import UNSPACED
from hayflick.diversity.hill import hill_number

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
