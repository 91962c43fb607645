"""Count the symbols of any input: a text, a folder of texts, a table, counts, or data in memory.

Counting streams: memory depends on the number of types, not on the size of the input.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.progress import Progress, silent
from hayflick.core.source import LeftOut, Source
from hayflick.corpus.compression import content_suffix
from hayflick.corpus.counts import Counts, counts_of, read_mapping
from hayflick.corpus.frames import (
    Table,
    as_table,
    holds_counts,
    input_path,
    is_in_memory,
    table_or_path,
)
from hayflick.corpus.labels import spelling_notes
from hayflick.corpus.running_text import TEXT_SUFFIXES, markup_notes, running_text, sample_files
from hayflick.corpus.table_format import TableFormat
from hayflick.corpus.tables import TABLE_SUFFIXES, check_format, is_table, table_column
from hayflick.corpus.tokenizers import Tokenizer, count_pieces, count_symbols, split_with

_SAMPLED_CELLS = 10_000


@dataclass(frozen=True, slots=True)
class Corpus:
    """Counts of symbols and their source."""

    counts: Counts
    source: Source


def read_corpus(
    path: Any,
    *,
    column: str | None = None,
    tokenizer: str | None = None,
    encoding: str = "utf-8",
    normalize: str = "nfc",
    table: TableFormat | None = None,
    progress: Progress = silent,
) -> Corpus:
    """Count the symbols of a text, a folder of texts, a table's column, or data in memory.

    The file's suffix decides: .csv, .tsv, .jsonl, .ndjson, .parquet and .xlsx are tables,
    .json is an object of symbol: count, everything else is text. Files may be compressed by gzip.

    Parameters
    ----------
    path
        The file or folder; or a frame or a series of polars or pandas, a list of labels, or a
        mapping from symbols to counts.
    column
        The column of a table.
    tokenizer
        Name of a tokenizer (`hayflick.corpus.tokenizers`). The default is ``auto`` for text; the
        cells of a table are labels, unless a tokenizer is named.
    encoding
        Any text codec of Python.
    normalize
        Unicode normalization: ``none``, ``nfc``, ``nfkc`` or ``casefold``; see
        `hayflick.corpus.normalization`.
    table
        What is known of the format of a table; None to see it from the file.
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
    how: dict[str, Any] = {"encoding": encoding, "normalize": normalize, "progress": progress}
    if is_in_memory(path):
        if holds_counts(path):
            _refuse(column, "column", "a table", "counts")
            _refuse(tokenizer, "tokenizer", "a text or a table", "counts")
            counts, missing = counts_of(path, name="counts", normalize=normalize)
            source = Source("counts", rows=len(path), normalization=normalize)
            return Corpus(counts, replace(source, missing=missing).without("empty cells", missing))
        return read_table(as_table(path), column=column, tokenizer=tokenizer, table=table, **how)
    path = input_path(path)
    if is_table(path):
        return read_table(path, column=column, tokenizer=tokenizer, table=table, **how)
    _refuse(column, "column", f"a table ({', '.join(TABLE_SUFFIXES)})", path.name)
    if table is not None:
        check_format(table, path)
    if content_suffix(path) == ".json" and not path.is_dir():
        _refuse(tokenizer, "tokenizer", "a text or a table", path.name)
        counts, missing = read_mapping(path, **how)
        fields: dict[str, Any] = {"encoding": encoding, "normalization": normalize}
        return Corpus(counts, Source.of(path, rows=counts.types, missing=missing, **fields))
    return read_text(path, tokenizer=tokenizer or "auto", **how)


def _refuse(option: object, name: str, takes: str, given: str) -> None:
    if option is not None:
        remedy = f"{given} is none; leave --{name} out"
        raise ArgumentError(name, got=option, takes=takes, remedy=remedy)


def read_text(
    path: str | os.PathLike[str],
    *,
    tokenizer: str = "auto",
    encoding: str = "utf-8",
    normalize: str = "nfc",
    progress: Progress = silent,
) -> Corpus:
    """Count the tokens of a text, or of a folder of texts, whatever their suffix.

    Parameters and errors are those of `read_corpus`.
    """
    path = input_path(path)
    files = text_files(path)

    def count(split: Tokenizer) -> pl.DataFrame:
        # Each file by itself: its last word never joins the first of the next file.
        texts = (
            running_text(
                file,
                separators=split.separators,
                encoding=encoding,
                normalize=normalize,
                progress=progress,
            )
            for file in files
        )
        return count_pieces(itertools.chain.from_iterable(texts), split)

    samples = sample_files(files, encoding=encoding)
    chosen, counted = split_with(tokenizer, samples, count, symbols=_symbols)
    counts, _ = _counts(counted, str(path), chosen)
    source = Source.of(
        path,
        files=files,
        count_lines=True,
        tokenizer=chosen.name,
        encoding=encoding,
        normalization=normalize,
        notes=markup_notes(files),
    )
    return Corpus(counts, source)


def read_table(
    path: str | os.PathLike[str] | pl.DataFrame,
    *,
    column: str | None = None,
    tokenizer: str | None = None,
    encoding: str = "utf-8",
    normalize: str = "nfc",
    table: TableFormat | None = None,
    progress: Progress = silent,
) -> Corpus:
    """Count the cells of a table's column, or the tokens of its cells.

    Parameters and errors are those of `read_corpus`.
    """
    given: Table = table_or_path(path)
    opening = table_column(
        given, column=column, given=table, encoding=encoding, normalize=normalize, progress=progress
    )
    with opening as found:
        cells = found.labels
        if tokenizer is None:
            chosen, counted = None, count_symbols(cells.rename({"text": "symbol"}))
        else:
            head = cells.drop_nulls().head(_SAMPLED_CELLS).collect().get_column("text")
            chosen, counted = split_with(
                *(tokenizer, head.to_list(), lambda split: count_symbols(split.tokens(cells))),
                symbols=_symbols,
            )
        counts, missing = _counts(counted, str(found.table.path), chosen)
        rows, missing = _cells(cells) if chosen else (counts.total + missing, missing)
    notes = found.notes if chosen else (*found.notes, *spelling_notes(counts.symbols))
    fields: dict[str, Any] = {
        "tokenizer": chosen.name if chosen else None,
        "column": found.name,
        "encoding": encoding,
        "missing": missing,
        "sheet": found.table.sheet,
        "rows": rows,
        "normalization": normalize,
        "notes": notes,
    }
    return Corpus(counts, source_of(given, **fields))


def _cells(cells: pl.LazyFrame) -> tuple[int, int]:
    """Return how many cells a column has, and how many of them are empty."""
    text = pl.col("text")
    empty = text.is_null() | (text.str.strip_chars() == "")
    rows, missing = cells.select(pl.len(), empty.sum().alias("empty")).collect().row(0)
    return int(rows), int(missing)


def source_of(table: Table, **fields: Any) -> Source:
    """Return the source of a table, which may stand in memory."""
    if isinstance(table, Path):
        return Source.of(table, **fields)
    missing = fields.get("missing", 0)
    empty = (LeftOut("empty cells", missing),) if missing else ()
    return Source("table in memory", **{"left_out": empty, **fields})


def _symbols(counted: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    return counted["symbol"], counted["number"]


def text_files(path: Path) -> Sequence[Path]:
    """Return the path of a text, or of all texts in a folder at any depth, in order."""
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.rglob("*") if content_suffix(file) in TEXT_SUFFIXES)
    # Empty files are skipped without an error.
    files = [file for file in files if file.is_file() and file.stat().st_size > 0]
    if not files:
        raise DataError(f"{path}: the folder holds no text; it takes {', '.join(TEXT_SUFFIXES)}")
    return files


def _counts(counted: pl.DataFrame, name: str, tokenizer: Tokenizer | None) -> tuple[Counts, int]:
    """Return the counts in order, and the number of empty cells."""
    empty = pl.col("symbol").is_null() | (pl.col("symbol") == "")
    missing = int(counted.filter(empty).get_column("number").sum())
    counted = _ranked(counted.filter(~empty))
    if counted.is_empty():
        under = f" under the tokenizer {tokenizer.name}" if tokenizer else ""
        raise DataError(f"{name}: holds no symbol{under}; check the file and the column")
    numbers = counted.get_column("number").to_numpy().astype(np.int64)
    return Counts(tuple(counted.get_column("symbol").to_list()), numbers), missing


_HEAD_BYTES = 8


def _ranked(counted: pl.DataFrame) -> pl.DataFrame:
    """Return counts, most frequent first, equal counts in alphabetical order."""
    # Numbers are sorted faster than texts, and the first bytes of a symbol settle nearly all.
    padded = pl.col("symbol").str.pad_end(_HEAD_BYTES, "\0").cast(pl.Binary)
    head = padded.bin.slice(0, _HEAD_BYTES).bin.reinterpret(dtype=pl.UInt64, endianness="big")
    heads, numbers = counted.select(head).to_series().to_numpy(), counted["number"].to_numpy()
    order = np.argsort(heads)
    order = order[np.argsort(-numbers[order], kind="stable")]
    heads, numbers = heads[order], numbers[order]
    equal = (numbers[1:] == numbers[:-1]) & (heads[1:] == heads[:-1])
    tied = np.flatnonzero(np.append(equal, False) | np.append(False, equal))
    texts = counted[order[tied]]
    within = texts.select(pl.arg_sort_by("number", "symbol", descending=[True, False]))
    order[tied] = order[tied][within.to_series().to_numpy()]
    return counted[order]
