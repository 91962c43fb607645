"""Any input (text, folder of texts, table, mapping of counts) to counts of symbols.

Counting streams: memory depends on the number of types, not on the size of the input.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.progress import Progress, silent
from hayflick.corpus.counts import Counts
from hayflick.corpus.encodings import decoded, pieces
from hayflick.corpus.mappings import read_mapping
from hayflick.corpus.sampling import sample_files
from hayflick.corpus.tables import TABLE_SUFFIXES, table_column
from hayflick.corpus.tokenizers import Tokenizer, tokenizer_named

TEXT_SUFFIXES = (".txt", ".text", ".md")
_SAMPLED_CELLS = 10_000


@dataclass(frozen=True, slots=True)
class Source:
    """Where counts come from, as recorded in every result.

    Parameters
    ----------
    name
        The input's file name.
    tokenizer
        The tokenizer's name; None where a symbol is a whole cell or was counted before.
    column
        The table's column; None for a text.
    missing
        Cells that held nothing and were left out.
    """

    name: str
    tokenizer: str | None = None
    column: str | None = None
    missing: int = 0

    @property
    def holds_labels(self) -> bool:
        """Whether a symbol is a whole cell or line rather than a part of a text."""
        return self.tokenizer == "lines" or (self.tokenizer is None and self.column is not None)


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
        A name of `hayflick.corpus.tokenizers`. Text is split by ``auto`` unless another is
        named; a table's cells are whole labels unless one is named.
    encoding
        Any text codec of Python's.
    progress
        Told the bytes read.

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
    suffix = path.suffix.lower()
    if suffix in TABLE_SUFFIXES and not path.is_dir():
        return _read_table(path, column, tokenizer, encoding, progress)
    if column is not None:
        takes = f"a table ({', '.join(TABLE_SUFFIXES)})"
        remedy = f"{path.name} is none; leave --column out"
        raise ArgumentError("column", got=column, takes=takes, remedy=remedy)
    if suffix == ".json" and not path.is_dir():
        counts = read_mapping(path, encoding=encoding, progress=progress)
        return Corpus(counts, Source(path.name))
    files = _text_files(path)
    sample = sample_files(files, encoding=encoding)
    chosen = tokenizer_named(tokenizer or "auto", sample=sample)
    texts = (decoded(file, encoding=encoding, progress=progress) for file in files)
    # Each file is cut on its own: the last word of one never joins the first of the next.
    parts = (piece for text in texts for piece in pieces(text, separators=chosen.separators))
    counts, _ = _count(_streamed(parts), chosen, path)
    return Corpus(counts, Source(path.name, tokenizer=chosen.name))


def _read_table(
    path: Path, column: str | None, tokenizer: str | None, encoding: str, progress: Progress
) -> Corpus:
    with table_column(path, column=column, encoding=encoding, progress=progress) as (name, cells):
        chosen = None
        if tokenizer is not None:
            head = cells.drop_nulls().head(_SAMPLED_CELLS).collect().get_column("text")
            chosen = tokenizer_named(tokenizer, sample=head.to_list())
        counts, missing = _count(cells, chosen, path)
    label = chosen.name if chosen else None
    return Corpus(counts, Source(path.name, tokenizer=label, column=name, missing=missing))


def _text_files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in TEXT_SUFFIXES)
    # An empty file beside full ones is no fault.
    files = [file for file in files if file.is_file() and file.stat().st_size > 0]
    if not files:
        raise DataError(f"{path}: the folder holds no text; it takes {', '.join(TEXT_SUFFIXES)}")
    return files


def _streamed(texts: Iterator[str]) -> pl.LazyFrame:
    def source(
        with_columns: list[str] | None,  # noqa: ARG001
        predicate: pl.Expr | None,  # noqa: ARG001
        n_rows: int | None,  # noqa: ARG001
        batch_size: int | None,  # noqa: ARG001
    ) -> Iterator[pl.DataFrame]:
        for text in texts:
            yield pl.DataFrame({"text": [text]})

    return register_io_source(source, schema={"text": pl.String})


def _count(text: pl.LazyFrame, tokenizer: Tokenizer | None, path: Path) -> tuple[Counts, int]:
    """Return the counts, and how many cells were empty where cells are symbols."""
    symbols = tokenizer.tokens(text) if tokenizer else text.rename({"text": "symbol"})
    frame = symbols.group_by("symbol").len().collect(engine="streaming")
    empty = pl.col("symbol").is_null() | (pl.col("symbol") == "")
    missing = int(frame.filter(empty).get_column("len").sum())
    frame = frame.filter(~empty).sort(["len", "symbol"], descending=[True, False])
    if frame.is_empty():
        under = f" under the tokenizer {tokenizer.name}" if tokenizer else ""
        raise DataError(f"{path}: holds no symbol{under}; check the file and the column")
    numbers = frame.get_column("len").to_numpy().astype(np.int64)
    return Counts(tuple(frame.get_column("symbol").to_list()), numbers), missing
