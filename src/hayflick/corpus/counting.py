"""Count tokens in bounded memory: batch by batch, merged as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

from hayflick.corpus.tokenizers import Tokenizer

BATCH_CHARACTERS = 1 << 25
"""Size of a batch; memory is bounded by it and by the number of types."""


def count_pieces(pieces: Iterator[str], tokenizer: Tokenizer) -> pl.DataFrame:
    """Return how often each token occurs in running text.

    Parameters
    ----------
    pieces
        The text, cut between tokens.
    tokenizer
        Splits the text.

    Returns
    -------
    Columns ``symbol`` and ``number``, in no order.
    """
    waiting: list[pl.DataFrame] = []
    for batch in batches(pieces):
        tokens = tokenizer.tokens(pl.LazyFrame({"text": batch}))
        add_table(waiting, count_symbols(tokens))
    return merged_counts(waiting)


def count_symbols(symbols: pl.LazyFrame) -> pl.DataFrame:
    """Return how often each value of a column ``symbol`` occurs, null included."""
    number = pl.len().cast(pl.Int64).alias("number")
    return symbols.group_by("symbol").agg(number).collect(engine="streaming")


def merged_counts(tables: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return the sum of tables with columns ``symbol`` and ``number``, symbols unique in each."""
    filled = [table for table in tables if not table.is_empty()]
    if len(filled) < 2:
        return filled[0] if filled else no_counts()
    together = pl.concat(filled).lazy().group_by("symbol").agg(pl.col("number").sum())
    return together.collect()


def add_table(waiting: list[pl.DataFrame], table: pl.DataFrame) -> None:
    """Append a table, and merge all once their size has doubled.

    Every symbol then goes through few merges, and memory is bounded by the number of symbols.
    """
    waiting.append(table)
    if sum(later.height for later in waiting[1:]) > waiting[0].height:
        waiting[:] = [merged_counts(waiting)]


def no_counts() -> pl.DataFrame:
    """Return an empty table of counts."""
    return pl.DataFrame(schema={"symbol": pl.String, "number": pl.Int64})


def batches(pieces: Iterator[str]) -> Iterator[list[str]]:
    """Yield pieces of text in lists of about `BATCH_CHARACTERS`."""
    batch: list[str] = []
    size = 0
    for piece in pieces:
        batch.append(piece)
        size += len(piece)
        if size >= BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
