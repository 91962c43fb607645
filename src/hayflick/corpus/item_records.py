"""Real items as JSON objects: fetched from the data by their places, and counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from hayflick.core.arrays import Integers
from hayflick.corpus.counting import count_symbols
from hayflick.corpus.counts import Counts
from hayflick.corpus.encodings import decoded
from hayflick.corpus.lines import lines
from hayflick.corpus.reading import text_files
from hayflick.corpus.source import Source
from hayflick.corpus.tables import table_rows
from hayflick.corpus.tokenizers.naming import tokenizer_named

TEXT_COLUMN = "text"
"""The key of a line or a text."""


def item_records(path: Path, *, source: Source, numbers: Integers) -> list[dict[str, Any]]:
    """Return the real items at some places, ready for JSON.

    Parameters
    ----------
    path
        A text, a folder of texts or a table.
    source
        How it was read.
    numbers
        The places, ascending and counted from 0.

    Returns
    -------
    For a line ``line`` (from 1) and ``text``, for a text ``file`` and ``text``, for a row all
    its cells.

    Raises
    ------
    DataError
        If the data cannot be read.
    """
    wanted = numbers.tolist()
    if path.is_dir():
        files = text_files(path)
        return [_text_record(path, files[number], source.encoding) for number in wanted]
    if source.column is not None:
        column, encoding = source.column, source.encoding
        return table_rows(path, column=column, numbers=wanted, encoding=encoding)
    chosen = set(wanted)
    batches = lines(decoded(path, encoding=source.encoding), name=str(path))
    every = enumerate(line for batch in batches for line in batch)
    return [{"line": number + 1, "text": line} for number, line in every if number in chosen]


def _text_record(folder: Path, file: Path, encoding: str) -> dict[str, Any]:
    text = "".join(decoded(file, encoding=encoding))
    return {"file": file.relative_to(folder).as_posix(), "text": text}


def count_records(records: Sequence[Mapping[str, Any]], *, source: Source) -> Counts:
    """Return the counts of the symbols of items, split as the data of `source` were.

    Examples
    --------
    >>> verse = Source("verse.txt", tokenizer="words")
    >>> count_records([{"line": 3, "text": "So it is so"}], source=verse).symbols
    ('so', 'is', 'it')
    """
    texts = pl.LazyFrame({"text": [record[source.column or TEXT_COLUMN] for record in records]})
    if source.tokenizer is None:
        symbols = texts.rename({"text": "symbol"})
    else:
        symbols = tokenizer_named(source.tokenizer).tokens(texts)
    counted = count_symbols(symbols.filter(pl.col("symbol") != ""))
    return Counts.from_mapping(dict(counted.select("symbol", "number").iter_rows()))
