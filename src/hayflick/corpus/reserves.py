r"""Reserve files: the stored real items, one JSON object per line.

The first line is the header; every other line is an item, as
`hayflick.corpus.reserves.item_records` returns it::

    {"hayflick_reserve": {"format_version": 1, "source": "corpus.txt", "column": null, ...}}
    {"line": 17, "text": "Medlars and quinces"}

The header is stored under one key, so that it does not clash with a table's columns and the file
is an ordinary JSON-lines table too, whose first row has no other cell.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from hayflick.core.arrays import Integers
from hayflick.core.errors import DataError
from hayflick.core.source import Source
from hayflick.corpus.counts import Counts
from hayflick.corpus.frames import Table
from hayflick.corpus.items import lines
from hayflick.corpus.paths import FieldPath
from hayflick.corpus.reading import Corpus, read_table, text_files
from hayflick.corpus.running_text import plain_text
from hayflick.corpus.table_format import TableFormat
from hayflick.corpus.tables import table_rows
from hayflick.corpus.tokenizers import count_symbols, tokenizer_named

TEXT_COLUMN = "text"
"""The key of the text of a line or of a file."""


def item_records(
    path: Table, *, source: Source, numbers: Integers, given: TableFormat | None = None
) -> list[dict[str, Any]]:
    """Return the real items at some positions, ready for JSON.

    Parameters
    ----------
    path
        A text, a folder of texts, a table or a frame.
    source
        Its source.
    numbers
        The positions, ascending and counted from 0.
    given
        What is known of the format of a table.

    Returns
    -------
    ``line`` (from 1) and ``text`` of a line, ``file`` and ``text`` of a text, all cells of a row.

    Raises
    ------
    DataError
        If the data cannot be read.
    """
    wanted = numbers.tolist()
    if source.column is not None:
        column, encoding = source.column, source.encoding
        return table_rows(path, column=column, numbers=wanted, given=given, encoding=encoding)
    assert isinstance(path, Path)
    if path.is_dir():
        files = text_files(path)
        chosen = [files[number] for number in wanted]
        names = [file.relative_to(path).as_posix() for file in chosen]
        texts = ["".join(plain_text(file, encoding=source.encoding)) for file in chosen]
        return [{"file": name, "text": text} for name, text in zip(names, texts, strict=True)]
    places = set(wanted)
    batches = lines(plain_text(path, encoding=source.encoding), name=str(path))
    every = enumerate(line for batch in batches for line in batch)
    return [{"line": number + 1, "text": line} for number, line in every if number in places]


def count_records(records: Sequence[Mapping[str, Any]], *, source: Source) -> Counts:
    """Count the symbols of items, which are split as the data of `source` were.

    Examples
    --------
    >>> verse = Source("verse.txt", tokenizer="words")
    >>> count_records([{"line": 3, "text": "So it is so"}], source=verse).symbols
    ('so', 'is', 'it')
    """
    path = FieldPath(source.column or TEXT_COLUMN)
    texts = pl.LazyFrame({"text": [path.cell(record) for record in records]})
    if source.tokenizer is None:
        symbols = texts.rename({"text": "symbol"})
    else:
        symbols = tokenizer_named(source.tokenizer).tokens(texts)
    counted = count_symbols(symbols.filter(pl.col("symbol") != ""))
    return Counts.from_mapping(dict(counted.select("symbol", "number").iter_rows()))


FORMAT_VERSION = 1
SUFFIXES = (".jsonl", ".ndjson")
_KEY = "hayflick_reserve"
_LONGEST_HEADER = 1 << 16


def reserve_text(header: Mapping[str, Any], items: Iterable[Mapping[str, Any]]) -> str:
    """Return the content of a reserve file.

    Examples
    --------
    >>> print(reserve_text({"items": 1}, [{"line": 3, "text": "so it is"}]), end="")
    {"hayflick_reserve": {"format_version": 1, "items": 1}}
    {"line": 3, "text": "so it is"}
    """
    first = {_KEY: {"format_version": FORMAT_VERSION, **header}}
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in (first, *items))


def reserve_header(path: Path) -> dict[str, Any] | None:
    """Return the header of a reserve file; None if `path` is not one.

    Raises
    ------
    DataError
        If the file was written by a newer version.
    """
    if path.suffix.lower() not in SUFFIXES or not path.is_file():
        return None
    with open(path, "rb") as file:
        try:
            header = json.loads(file.readline(_LONGEST_HEADER))[_KEY]
            version = header["format_version"]
        except (ValueError, LookupError, TypeError):
            return None
    if version != FORMAT_VERSION:
        reads = f"this version reads {FORMAT_VERSION}; update hayflick"
        raise DataError(f"{path}: has format_version {version}, {reads}")
    return dict(header)


def read_reserve(path: Path, *, header: Mapping[str, Any], like: Source) -> Corpus:
    """Count the symbols of a reserve file, read in the same way as the data `like`.

    Parameters
    ----------
    path
        The file.
    header
        Its header, from `reserve_header`.
    like
        Source of the data, with their column and tokenizer. If they have neither, as counts
        have not, those of the header are used.

    Raises
    ------
    DataError
        If its items do not fit the data: rows without the column, say.
    """
    column, tokenizer = like.column, like.tokenizer
    if column is None and tokenizer is None:
        column, tokenizer = header.get("column"), header.get("tokenizer")
    return read_table(path, column=column or TEXT_COLUMN, tokenizer=tokenizer)
