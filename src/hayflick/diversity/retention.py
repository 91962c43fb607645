"""Retention: the share of a must-keep list, or of the symbols of a reserve, that still occurs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from hayflick.core.checks import number_between
from hayflick.core.errors import ArgumentError, DataError, listed
from hayflick.corpus.normalization import normalized
from hayflick.corpus.tokenizers import tokenizer_named
from hayflick.diversity.lexical import NgramCounts


def retention(counts: NgramCounts, *, must_keep: Iterable[str]) -> float | None:
    """Return the share of listed symbols or phrases that occur in the counts.

    Parameters
    ----------
    counts
        Counts of the answers.
    must_keep
        Words or phrases, which are split as the answers were; or a mapping from them to weights.

    Returns
    -------
    A share from 0 to 1; None if the list is empty, all weights are 0, or no answer was counted.

    Raises
    ------
    ArgumentError
        If a phrase has more tokens than the longest n-grams that are counted, or a weight is
        negative.
    DataError
        If an entry has no token.

    Examples
    --------
    >>> said = NgramCounts.of(["please open a refund request"])
    >>> retention(said, must_keep=["Refund request", "invoice"])
    0.5
    >>> retention(said, must_keep={"refund": 3, "invoice": 1})
    0.75
    """
    weights = _weights(must_keep)
    total = sum(weights.values())
    if not total or not counts.texts:
        return None
    symbols = _as_counted(tuple(weights), counts)
    said = set[str]()
    for length, table in enumerate(counts.tables, start=1):
        asked = [" ".join(tokens) for tokens in symbols.values() if len(tokens) == length]
        found = table.filter(pl.col("symbol").is_in(asked)) if asked else table.clear()
        said.update(found.get_column("symbol"))
    kept = sum(weights[entry] for entry, tokens in symbols.items() if " ".join(tokens) in said)
    return kept / total


def _weights(must_keep: Iterable[str]) -> dict[str, float]:
    if isinstance(must_keep, str):
        takes = "several words or phrases, in a list"
        raise ArgumentError("must_keep", got=must_keep, takes=takes)
    weights = must_keep if isinstance(must_keep, Mapping) else dict.fromkeys(must_keep, 1.0)
    return {
        entry: number_between(f"weight of {entry!r}", weight, low=0.0)
        for entry, weight in weights.items()
    }


def _as_counted(entries: Sequence[str], counts: NgramCounts) -> dict[str, tuple[str, ...]]:
    """Return the tokens of every entry, split as the answers were."""
    texts = pl.LazyFrame({"entry": entries, "text": normalized(pl.Series(entries), "nfc")})
    split = tokenizer_named(counts.tokenizer).tokens(texts).collect()
    by_entry = split.group_by("entry", maintain_order=True).agg("symbol")
    tokens = {entry: tuple(symbols) for entry, symbols in by_entry.iter_rows()}
    silent = [entry for entry in entries if entry not in tokens]
    if silent:
        raise DataError(f"must-keep: no token in {listed(silent)}; take them off the list")
    longest = max(entries, key=lambda entry: len(tokens[entry]))
    if len(tokens[longest]) > counts.longest:
        got, takes = f"{longest!r}, {len(tokens[longest])} tokens", f"at most {counts.longest}"
        remedy = f"count runs of up to {len(tokens[longest])} tokens (longest=)"
        raise ArgumentError("must_keep", got=got, takes=takes, remedy=remedy)
    return tokens
