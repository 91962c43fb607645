"""A baseline's vocabulary: how much of it is still in use, and how much of its rare part."""

from __future__ import annotations

import polars as pl

from hayflick.core.checks import whole_number
from hayflick.core.errors import DataError
from hayflick.diversity.lexical import NgramCounts


def vocabulary_kept(counts: NgramCounts, baseline: NgramCounts) -> float | None:
    """Return the share of a baseline's different tokens that still occur.

    None where the baseline has no token, or nothing was counted.

    Raises
    ------
    DataError
        If the two were split in different ways.

    Examples
    --------
    >>> vocabulary_kept(NgramCounts.of(["a a b"]), NgramCounts.of(["a b c d"]))
    0.5
    """
    _check_comparable(counts, baseline)
    if not baseline.types() or not counts.texts:
        return None
    kept = baseline.tables[0].join(counts.tables[0], on="symbol", how="semi")
    return kept.height / baseline.types()


def tail_mass(counts: NgramCounts, baseline: NgramCounts, *, at_most: int = 1) -> float | None:
    """Return the share of tokens that are rare in the baseline: seen there, but seldom.

    Parameters
    ----------
    counts, baseline
        What is looked at, and what it is compared with.
    at_most
        How often a rare token was seen in the baseline; unseen ones are not in its tail.

    Returns
    -------
    A share; None where no token was counted, or the baseline has no such token.

    Raises
    ------
    ArgumentError
        If `at_most` is below 1.
    DataError
        If the two were split in different ways.

    Examples
    --------
    >>> tail_mass(NgramCounts.of(["a a b new"]), NgramCounts.of(["a a b c"]))
    0.25
    """
    _check_comparable(counts, baseline)
    at_most = whole_number("at_most", at_most, at_least=1)
    rare = baseline.tables[0].filter(pl.col("number") <= at_most)
    if rare.is_empty() or not counts.total():
        return None
    held = counts.tables[0].join(rare, on="symbol", how="semi").get_column("number").sum()
    return int(held) / counts.total()


def _check_comparable(counts: NgramCounts, baseline: NgramCounts) -> None:
    if counts.tokenizer != baseline.tokenizer:
        split = f"by {counts.tokenizer}, the baseline by {baseline.tokenizer}"
        raise DataError(f"counts: split {split}; count both in the same way")
