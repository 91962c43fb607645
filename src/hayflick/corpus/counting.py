"""Tokens to counts in bounded memory: batch by batch, merged as they come."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
from polars.io.plugins import register_io_source

from hayflick.corpus.tokenizers.base import Tokenizer

BATCH_CHARACTERS = 1 << 25
"""Text that is counted at once; memory is bounded by it and by the number of types."""


def count_pieces(pieces: Iterator[str], tokenizer: Tokenizer) -> pl.DataFrame:
    """Return how often every token occurs in running text.

    Parameters
    ----------
    pieces
        The text, cut where no token is cut.
    tokenizer
        What splits it.

    Returns
    -------
    Columns ``symbol`` and ``number``, in no order.
    """
    frames = [_empty()]
    for batch in _batches(pieces):
        # The engine reads ahead as fast as it can: what it may read is one batch.
        frames.append(count_symbols(tokenizer.tokens(_streamed(batch))))
        if sum(frame.height for frame in frames[1:]) >= frames[0].height:
            frames = [_merged(frames)]
    return _merged(frames)


def count_symbols(symbols: pl.LazyFrame) -> pl.DataFrame:
    """Return how often every value of a column ``symbol`` occurs, null among them."""
    number = pl.len().cast(pl.Int64).alias("number")
    return symbols.group_by("symbol").agg(number).collect(engine="streaming")


def _empty() -> pl.DataFrame:
    return pl.DataFrame(schema={"symbol": pl.String, "number": pl.Int64})


def _merged(frames: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(frames).group_by("symbol").agg(pl.col("number").sum())


def _batches(pieces: Iterator[str]) -> Iterator[list[str]]:
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


def _streamed(batch: list[str]) -> pl.LazyFrame:
    def source(
        with_columns: list[str] | None,  # noqa: ARG001
        predicate: pl.Expr | None,  # noqa: ARG001
        n_rows: int | None,  # noqa: ARG001
        batch_size: int | None,  # noqa: ARG001
    ) -> Iterator[pl.DataFrame]:
        for text in batch:
            yield pl.DataFrame({"text": [text]})

    return register_io_source(source, schema={"text": pl.String})
