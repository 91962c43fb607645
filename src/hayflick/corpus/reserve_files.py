r"""Reserve files: real items that were chosen to be stored, one JSON object per line.

The first line is the header; every other line is an item, as
`hayflick.corpus.item_records.item_records` returns it::

    {"hayflick_reserve": {"format_version": 1, "source": "corpus.txt", "column": null, ...}}
    {"line": 17, "text": "Medlars and quinces"}

The header stands under one key of its own, so that the names of a table's columns stay free
and the file is an ordinary JSON-lines table too, whose first row has no other cell.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hayflick.core.errors import DataError
from hayflick.corpus.item_records import TEXT_COLUMN
from hayflick.corpus.reading import Corpus, read_table
from hayflick.corpus.source import Source

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
    """Return the header of a reserve file; None where `path` is something else.

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
    """Count the symbols of a reserve file, its items read as the data `like` were.

    Parameters
    ----------
    path
        The file.
    header
        As `reserve_header` returns it.
    like
        The data: their column and tokenizer. Where they have neither, as counts do not, the
        header's are used.

    Raises
    ------
    DataError
        If its items are not of the kind that the data are: rows without the column, say.
    """
    column, tokenizer = like.column, like.tokenizer
    if column is None and tokenizer is None:
        column, tokenizer = header.get("column"), header.get("tokenizer")
    return read_table(path, column=column or TEXT_COLUMN, tokenizer=tokenizer)
