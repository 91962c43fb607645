"""Count tokens in bounded memory: batch by batch, merged as they come."""

from __future__ import annotations

from collections.abc import Iterator

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
    frames = [_empty()]
    for batch in batches(pieces):
        frames.append(count_symbols(tokenizer.tokens(pl.LazyFrame({"text": batch}))))
        # Not for every batch: a merge goes through all symbols so far.
        if sum(frame.height for frame in frames[1:]) >= 2 * frames[0].height:
            frames = [_merged(frames)]
    return _merged(frames)


def count_symbols(symbols: pl.LazyFrame) -> pl.DataFrame:
    """Return how often each value of a column ``symbol`` occurs, null included."""
    number = pl.len().cast(pl.Int64).alias("number")
    return symbols.group_by("symbol").agg(number).collect(engine="streaming")


def _empty() -> pl.DataFrame:
    return pl.DataFrame(schema={"symbol": pl.String, "number": pl.Int64})


def _merged(frames: list[pl.DataFrame]) -> pl.DataFrame:
    together = pl.concat(frames).lazy().group_by("symbol").agg(pl.col("number").sum())
    return together.collect(engine="streaming")


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
