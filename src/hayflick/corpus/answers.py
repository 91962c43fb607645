"""Answers of models from a table: who said what, to which prompt, in which round."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.progress import Progress, silent
from hayflick.corpus.answer_columns import AnswerColumns
from hayflick.corpus.answer_rows import (
    BadRows,
    Chunk,
    chunks_of_lines,
    chunks_of_table,
)
from hayflick.corpus.rounds import round_order
from hayflick.corpus.tables import TABLE_SUFFIXES

_LINES = (".jsonl", ".ndjson")


@dataclass(frozen=True, eq=False)
class Answers:
    """What models said, in the order of the rounds.

    Parameters
    ----------
    name
        Of the file.
    rounds
        Names of the rounds, in order.
    frame
        A row per answer, sorted by round: ``row`` (line or row of the file, from 1), ``round``
        (from 1), and as far as there are such columns ``text``, ``group``, ``prompt`` and
        ``value NAME``, all nullable.
    vectors
        float32, shape ``(answers, dimensions)``, in the order of the frame; None for none. A
        missing one is a row of NaN.
    bad
        Rows that were passed over.
    """

    name: str
    rounds: tuple[str, ...]
    frame: pl.DataFrame
    vectors: NDArray[np.float32] | None = None
    bad: BadRows = field(default_factory=BadRows)

    @property
    def dimensions(self) -> int | None:
        """Numbers in a vector; None without vectors."""
        return None if self.vectors is None else self.vectors.shape[1]

    def by_round(self) -> Iterator[tuple[int, pl.DataFrame, NDArray[np.float32] | None]]:
        """Yield every round's number, answers and vectors; a round may have no answer."""
        numbers = self.frame["round"].to_numpy()
        places = np.searchsorted(numbers, np.arange(1, len(self.rounds) + 2))
        for number, (low, high) in enumerate(itertools.pairwise(places), start=1):
            vectors = None if self.vectors is None else self.vectors[low:high]
            yield number, self.frame[int(low) : int(high)], vectors


def read_answers(
    path: str | os.PathLike[str],
    *,
    columns: AnswerColumns,
    every: str | None = None,
    start: str | None = None,
    skip_bad: bool = False,
    encoding: str = "utf-8",
    progress: Progress = silent,
) -> Answers:
    """Return the answers in a table: CSV, TSV, JSON lines, Parquet or xlsx.

    Parameters
    ----------
    path
        The file.
    columns
        Which of its columns are read.
    every
        Length of a round, where rounds are times; see `hayflick.corpus.rounds.round_order`.
    start
        Name of the first round that counts; those before it are passed over.
    skip_bad
        Whether rows that cannot be used are counted and passed over instead of refused.
    encoding
        Of CSV, TSV and JSON lines.
    progress
        Told the bytes read.

    Raises
    ------
    DataError
        If the file cannot be read, lacks a column, or a row cannot be used: it is no record,
        has no round, holds no number where one is due, or a vector of another length.
    ArgumentError
        If `start` is no round, or `every` no length.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        raise DataError(f"{path}: is no table; takes {', '.join(TABLE_SUFFIXES)}")
    read = chunks_of_lines if suffix in _LINES else chunks_of_table
    bad = BadRows()
    settings: dict[str, Any] = {"skip_bad": skip_bad, "encoding": encoding, "progress": progress}
    chunks = list(read(path, columns=columns, bad=bad, **settings))
    frame = pl.concat([chunk.frame for chunk in chunks])
    if frame.is_empty():
        why = f"{bad.total} rows were bad" if bad.total else "no row has any content"
        raise DataError(f"{path}: holds no answer that can be used; {why}")
    vectors = _vectors(columns, chunks, frame)
    if columns.vectors is not None and columns.vector_column is None:
        _check_stored(Path(columns.vectors), vectors, frame, bad, skip_bad=skip_bad)
    return _in_rounds(path.name, frame, vectors, bad, every=every, start=start)


def _vectors(
    columns: AnswerColumns, chunks: Sequence[Chunk], frame: pl.DataFrame
) -> NDArray[np.float32] | None:
    if columns.vectors is None:
        return None
    if columns.vector_column is not None:
        return _side_by_side([chunk.vectors for chunk in chunks if chunk.vectors is not None])
    return _stored_vectors(Path(columns.vectors), frame, rows=sum(chunk.rows for chunk in chunks))


def _side_by_side(parts: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the vectors of all chunks; one without any vector has not known their length."""
    width = max(part.shape[1] for part in parts)
    return np.concatenate(
        [
            part if part.shape[1] else np.full((len(part), width), np.nan, np.float32)
            for part in parts
        ]
    )


def _stored_vectors(path: Path, frame: pl.DataFrame, *, rows: int) -> NDArray[np.float32]:
    """Return the rows of a ``.npy`` file that belong to the answers."""
    try:
        stored = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as fault:
        raise DataError(f"{path}: cannot be read as .npy ({fault})") from None
    if stored.ndim != 2 or stored.dtype.kind not in "fiu":
        takes = "takes numbers of shape (answers, dimensions)"
        raise DataError(f"{path}: holds {stored.dtype} of shape {stored.shape}, {takes}")
    if len(stored) != rows:
        raise DataError(f"{path}: has {len(stored):,} rows, the answers have {rows:,}")
    return np.asarray(stored[frame["place"].to_numpy()], dtype=np.float32)


def _check_stored(
    path: Path,
    vectors: NDArray[np.float32] | None,
    frame: pl.DataFrame,
    bad: BadRows,
    *,
    skip_bad: bool,
) -> None:
    """Refuse vectors that are no numbers, or count them and leave them out."""
    assert vectors is not None
    for place in np.flatnonzero(~np.isfinite(vectors).all(axis=1)):
        row = int(frame["place"][int(place)])
        if not skip_bad:
            remedy = "mend it, or pass over such rows with --skip-bad"
            raise DataError(f"{path}: row {row} holds NaN or infinite numbers; {remedy}")
        vectors[place] = np.nan
        bad.add(int(frame["row"][int(place)]), "has a vector with NaN or infinite numbers")


def _in_rounds(
    name: str,
    frame: pl.DataFrame,
    vectors: NDArray[np.float32] | None,
    bad: BadRows,
    *,
    every: str | None,
    start: str | None,
) -> Answers:
    """Return the answers sorted by round, from the round `start` on."""
    order = round_order(frame["by"].unique(maintain_order=True).to_list(), every=every)
    first = _first(order.names, start)
    numbers = frame["by"].replace_strict(order.places, return_dtype=pl.Int64) - (first - 1)
    frame = frame.with_columns(round=numbers).drop("by", "place")
    places = np.argsort(numbers.to_numpy(), kind="stable")
    places = places[int(np.searchsorted(numbers.to_numpy()[places], 1)) :]
    picked = None if vectors is None else vectors[places]
    return Answers(name, order.names[first - 1 :], frame[places], picked, bad)


def _first(names: Sequence[str], start: str | None) -> int:
    if start is None:
        return 1
    if start not in names:
        shown = f"{names[0]} … {names[-1]}"
        raise ArgumentError("from", got=start, takes=f"the name of a round: {shown}")
    return names.index(start) + 1
