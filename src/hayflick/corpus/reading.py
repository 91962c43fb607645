"""Count the symbols of any input: a text, a folder of texts, a table, a mapping of counts.

Counting streams: memory depends on the number of types, not on the size of the input.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.progress import Progress, silent
from hayflick.corpus.counts import Counts, Source, read_mapping
from hayflick.corpus.encodings import decoded, pieces, sample_files
from hayflick.corpus.tables import TABLE_SUFFIXES, table_column
from hayflick.corpus.tokenizers import Tokenizer, count_pieces, count_symbols, split_with

TEXT_SUFFIXES = (".txt", ".text", ".md")
_SAMPLED_CELLS = 10_000


@dataclass(frozen=True, slots=True)
class Corpus:
    """Counts of symbols and their source."""

    counts: Counts
    source: Source


def read_corpus(
    path: str | os.PathLike[str],
    *,
    column: str | None = None,
    tokenizer: str | None = None,
    encoding: str = "utf-8",
    progress: Progress = silent,
) -> Corpus:
    """Count the symbols of a text, a folder of texts, a table's column or a mapping.

    The file's suffix decides: .csv, .tsv, .jsonl, .ndjson, .parquet and .xlsx are tables,
    .json is an object of symbol: count, everything else is text.

    Parameters
    ----------
    path
        The file or folder.
    column
        The column of a table.
    tokenizer
        Name of a tokenizer (`hayflick.corpus.tokenizers`). The default is ``auto`` for text; the
        cells of a table are labels, unless a tokenizer is named.
    encoding
        Any text codec of Python.
    progress
        Called with the number of bytes read so far.

    Raises
    ------
    DataError
        If the input is missing, empty, malformed or holds no symbol.
    UndecodableError
        If it is not in `encoding`.
    ArgumentError
        If an argument does not fit the input.
    """
    path = Path(path)
    suffix = "" if path.is_dir() else path.suffix.lower()
    how: dict[str, Any] = {"encoding": encoding, "progress": progress}
    if suffix in TABLE_SUFFIXES:
        return read_table(path, column=column, tokenizer=tokenizer, **how)
    _refuse(column, "column", f"a table ({', '.join(TABLE_SUFFIXES)})", path)
    if suffix == ".json":
        _refuse(tokenizer, "tokenizer", "a text or a table", path)
        return Corpus(read_mapping(path, **how), Source.of(path))
    return read_text(path, tokenizer=tokenizer or "auto", **how)


def _refuse(option: str | None, name: str, takes: str, path: Path) -> None:
    if option is not None:
        remedy = f"{path.name} is none; leave --{name} out"
        raise ArgumentError(name, got=option, takes=takes, remedy=remedy)


def read_text(
    path: str | os.PathLike[str],
    *,
    tokenizer: str = "auto",
    encoding: str = "utf-8",
    progress: Progress = silent,
) -> Corpus:
    """Count the tokens of a text, or of a folder of texts, whatever their suffix.

    Parameters and errors are those of `read_corpus`.
    """
    path = Path(path)
    files = text_files(path)

    def count(split: Tokenizer) -> pl.DataFrame:
        texts = (decoded(file, encoding=encoding, progress=progress) for file in files)
        # Each file by itself: its last word never joins the first of the next file.
        parts = (piece for text in texts for piece in pieces(text, separators=split.separators))
        return count_pieces(parts, split)

    samples = sample_files(files, encoding=encoding)
    chosen, counted = split_with(tokenizer, samples, count, symbols=_symbols)
    counts, _ = _counts(counted, path, chosen)
    return Corpus(counts, Source.of(path, tokenizer=chosen.name, encoding=encoding))


def read_table(
    path: str | os.PathLike[str],
    *,
    column: str | None = None,
    tokenizer: str | None = None,
    encoding: str = "utf-8",
    progress: Progress = silent,
) -> Corpus:
    """Count the cells of a table's column, or the tokens of its cells.

    Parameters and errors are those of `read_corpus`.
    """
    path = Path(path)
    with table_column(path, column=column, encoding=encoding, progress=progress) as (name, cells):
        if tokenizer is None:
            chosen, counted = None, count_symbols(cells.rename({"text": "symbol"}))
        else:
            head = cells.drop_nulls().head(_SAMPLED_CELLS).collect().get_column("text")
            chosen, counted = split_with(
                *(tokenizer, head.to_list(), lambda split: count_symbols(split.tokens(cells))),
                symbols=_symbols,
            )
        counts, missing = _counts(counted, path, chosen)
    label = chosen.name if chosen else None
    source = Source.of(path, tokenizer=label, column=name, encoding=encoding, missing=missing)
    return Corpus(counts, source)


def _symbols(counted: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    return counted["symbol"], counted["number"]


def text_files(path: Path) -> Sequence[Path]:
    """Return the path of a text, or of all texts in a folder at any depth, in order."""
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in TEXT_SUFFIXES)
    # Empty files are skipped without an error.
    files = [file for file in files if file.is_file() and file.stat().st_size > 0]
    if not files:
        raise DataError(f"{path}: the folder holds no text; it takes {', '.join(TEXT_SUFFIXES)}")
    return files


def _counts(counted: pl.DataFrame, path: Path, tokenizer: Tokenizer | None) -> tuple[Counts, int]:
    """Return the counts in order, and the number of empty cells."""
    empty = pl.col("symbol").is_null() | (pl.col("symbol") == "")
    missing = int(counted.filter(empty).get_column("number").sum())
    counted = counted.filter(~empty).sort(["number", "symbol"], descending=[True, False])
    if counted.is_empty():
        under = f" under the tokenizer {tokenizer.name}" if tokenizer else ""
        raise DataError(f"{path}: holds no symbol{under}; check the file and the column")
    numbers = counted.get_column("number").to_numpy().astype(np.int64)
    return Counts(tuple(counted.get_column("symbol").to_list()), numbers), missing
