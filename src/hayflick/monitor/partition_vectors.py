"""Vectors of the answers that a summary keeps, made where the partition is read."""

from __future__ import annotations

import threading

import numpy as np
import polars as pl

from hayflick.core.errors import ArgumentError
from hayflick.embed.embedder import Embedder, embed_all, parse_embedder

_KEPT: dict[str, Embedder] = {}
_LOCK = threading.Lock()


def kept_embedder(given: str | Embedder) -> Embedder:
    """Return an embedder, the same one for every partition that this process reads.

    Its model is loaded once.
    """
    with _LOCK:
        if not isinstance(given, str):
            return _KEPT.setdefault(given.id, given)
        if given not in _KEPT:
            _KEPT[given] = parse_embedder(given)
        return _KEPT[given]


def with_vectors(frame: pl.DataFrame, embedder: Embedder) -> pl.DataFrame:
    """Return answers with the vectors of their texts, an empty list for one that holds nothing.

    Raises
    ------
    ArgumentError
        If the answers have no texts.
    DataError
        If the embedder fails.
    """
    if "text" not in frame.columns:
        takes = "none where the answers have no texts"
        raise ArgumentError("embedder", got=embedder.id, takes=takes)
    texts = frame["text"].fill_null("").to_list()
    # Models may not bear several threads at once.
    with _LOCK:
        parts = list(embed_all(embedder, texts))
    if not parts:
        return frame.with_columns(vector=pl.lit([], pl.List(pl.Float32)))
    vectors = np.concatenate(parts).astype(np.float32)
    lists = pl.Series("vector", vectors).cast(pl.List(pl.Float32))
    known = pl.Series(np.isfinite(vectors).all(axis=1))
    empty = pl.lit([], pl.List(pl.Float32))
    columns = frame.with_columns(lists).with_columns(
        vector=pl.when(known).then(pl.col("vector")).otherwise(empty)
    )
    return columns.select(sorted(columns.columns))
