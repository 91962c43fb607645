"""Texts that are handed to an audit, as a column and in blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from hayflick.core.errors import ArgumentError, DataError

_TEXTS_AT_ONCE = 50_000
_BYTES_AT_ONCE = 1 << 25


def text_series(texts: Sequence[str | None] | pl.Series, *, name: str = "texts") -> pl.Series:
    """Return texts as a column.

    Raises
    ------
    ArgumentError
        If it is one text.
    DataError
        If there is no row, or a row is no text.
    """
    if isinstance(texts, str):
        raise ArgumentError(name, got="one text", takes="several, in a list")
    if isinstance(texts, pl.Series) and texts.dtype in (pl.Categorical, pl.Enum):
        texts = texts.cast(pl.String)
    if isinstance(texts, pl.Series) and texts.dtype not in (pl.String, pl.Null):
        raise DataError(f"{name}: a column of {texts.dtype} has no texts")
    try:
        rows = pl.Series("text", texts, dtype=pl.String)
    except (TypeError, pl.exceptions.PolarsError):
        raise DataError(f"{name}: not every row is a text") from None
    except UnicodeEncodeError:
        raise DataError(f"{name}: a row has half of a surrogate pair, which is no text") from None
    if not len(rows):
        raise DataError(f"{name}: there is no row")
    return rows


def blocks(texts: pl.Series) -> Iterator[pl.Series]:
    """Yield consecutive texts, so many at once that their tokens take little memory."""
    ends = texts.str.len_bytes().cast(pl.Int64).cum_sum().to_numpy()
    start = 0
    while start < len(texts):
        before = int(ends[start - 1]) if start else 0
        stop = int(np.searchsorted(ends, before + _BYTES_AT_ONCE, side="right"))
        stop = min(max(stop, start + 1), start + _TEXTS_AT_ONCE)
        yield texts.slice(start, stop - start)
        start = stop


def byte_size(texts: pl.Series) -> int:
    """Return the bytes of all texts."""
    return int(texts.str.len_bytes().cast(pl.Int64).sum() or 0)
