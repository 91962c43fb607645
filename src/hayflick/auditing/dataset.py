"""How the data set of an audit is read, and the texts that it is compared with; in blocks."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hayflick.core.errors import ArgumentError, DataError, UnknownLogError
from hayflick.core.notes import translatable
from hayflick.core.source import Source
from hayflick.corpus.answer_columns import AnswerColumns
from hayflick.corpus.answer_rows import BadRows
from hayflick.corpus.answers import Answers, read_answers
from hayflick.corpus.compression import content_suffix
from hayflick.corpus.files import InputFile, InputFiles, input_files
from hayflick.corpus.frames import is_in_memory
from hayflick.corpus.items import lines
from hayflick.corpus.normalization import normalized
from hayflick.corpus.running_text import plain_text

_TEXTS_AT_ONCE = 50_000
_BYTES_AT_ONCE = 1 << 25
_ROLES = {
    "human": translatable("texts of people"),
    "model": translatable("texts of the model"),
    "holdout": translatable("evaluation set"),
}


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


def read_dataset(
    source: Any,
    columns: AnswerColumns,
    *,
    executor: Executor | None,
    by_file: bool = False,
    **how: Any,
) -> Answers:
    """Return the items of a data set, in the order of its files.

    Parameters
    ----------
    source
        What `hayflick.corpus.answers.read_answers` takes, or a ``.txt``: every line that is not
        blank is an item.
    columns
        The columns to read: the class as the group, the language as the prompt.
    executor
        Where files are read, each by itself; None to read them here.
    by_file
        Whether the column ``file`` has the number of each item's file, from 0.
    **how
        Further arguments of `hayflick.corpus.answers.read_answers`.

    Raises
    ------
    ArgumentError, DataError
        As `hayflick.corpus.answers.read_answers`; or if there is no column of texts.
    """
    if isinstance(source, (str, os.PathLike)) and content_suffix(Path(source)) == ".txt":
        return _read_lines(Path(source), columns, how)
    try:
        if (executor is None and not by_file) or is_in_memory(source):
            found = read_answers(source, columns=columns, **how)
        else:
            found = _read_apart(source, columns, executor, how)
    except UnknownLogError as fault:
        # Of a table without sentences, its one line says what to do.
        more = "\nSay which of them is the text with --text" if "\n" in fault.places else ""
        raise UnknownLogError(fault.places + more) from None
    if "text" not in found.frame.columns:
        raise ArgumentError("text", got="nothing", takes="the column of the texts")
    return found


def _read_lines(path: Path, columns: AnswerColumns, how: Mapping[str, Any]) -> Answers:
    """Return the lines of a text that are not blank."""
    given = (columns.text, columns.group, columns.prompt, *columns.values)
    names = ("text", "label", "language", *("score" for _ in columns.values))
    for name, column in zip(names, given, strict=True):
        if column is not None:
            takes = f"nothing, as {path.name} has no columns: each of its lines is a text"
            raise ArgumentError(name, got=column, takes=takes)
    texts, source = _lines_of(path, "data", how)
    frame = texts.to_frame().with_row_index("row", offset=1).cast({"row": pl.Int64})
    frame = frame.filter(pl.col("text").str.strip_chars() != "")
    if frame.is_empty():
        raise DataError(f"{path}: has no line with text")
    rounds = frame.with_columns(round=pl.lit(1, pl.Int64))
    return Answers(path.name, ("1",), rounds, sources=(source,))


def _lines_of(path: Path, role: str, how: Mapping[str, Any]) -> tuple[pl.Series, Source]:
    """Return the lines of a text, and where they are from."""
    encoding, form = how["encoding"], how["normalize"]
    pieces = plain_text(path, encoding=encoding, progress=how["progress"])
    found = [line for batch in lines(pieces, name=str(path)) for line in batch]
    source = Source.of(path, rows=len(found), encoding=encoding, role=role, normalization=form)
    return normalized(pl.Series("text", found, dtype=pl.String), form).alias("text"), source


def _read_apart(
    source: Any, columns: AnswerColumns, executor: Executor | None, how: Mapping[str, Any]
) -> Answers:
    """Return the items of files that are read one by one, by workers or here."""
    inputs = source if isinstance(source, InputFiles) else input_files(source)
    rest = {name: value for name, value in how.items() if name != "progress"}
    if executor is None:
        found = (_read_file(file, columns, rest) for file in inputs.files)
    else:
        futures = [executor.submit(_read_file, file, columns, rest) for file in inputs.files]
        found = (future.result() for future in futures)
    parts = []
    for done, part in enumerate(found):
        parts.append(replace(part, frame=part.frame.with_columns(file=pl.lit(done, pl.Int64))))
        how["progress"]("reading", done + 1, len(inputs.files))
    bad = BadRows(sum(part.bad.total for part in parts))
    return Answers(
        name=inputs.name,
        rounds=("1",),
        frame=pl.concat([part.frame for part in parts], how="diagonal"),
        bad=bad,
        sources=tuple(source for part in parts for source in part.sources),
        log=next((part.log for part in parts if part.log is not None), None),
    )


def _read_file(file: InputFile, columns: AnswerColumns, how: Mapping[str, Any]) -> Answers:
    path = file.path if file.stored is not None else file.path.resolve()
    only = InputFiles((replace(file, path=path),), file.name)
    found = read_answers(only, columns=columns, **how)
    # What reading further takes is not needed here.
    return replace(found, part=None)


@dataclass(frozen=True, eq=False)
class Reference:
    """Texts that the data set is compared with, and where they are from."""

    name: str
    texts: pl.Series
    sources: tuple[Source, ...] = ()


def read_reference(name: str, given: Any, column: str | None, **how: Any) -> Reference:
    """Return the texts of a file, a table, or a list of texts.

    Parameters
    ----------
    name
        The argument that it is given by: ``human``, ``model`` or ``holdout``.
    given
        A file (of a ``.txt``, every line is a text), a table or a list of texts.
    column
        The column of the texts.
    **how
        Encoding, normalization and progress.

    Raises
    ------
    ArgumentError, DataError
        As `hayflick.corpus.answers.read_answers`.
    """
    role = _ROLES[name]
    if isinstance(given, (list, tuple, pl.Series)) and not _are_paths(given):
        return Reference(f"{role} in memory", text_series(given, name=name))
    if isinstance(given, (str, os.PathLike)) and content_suffix(Path(given)) == ".txt":
        texts, source = _lines_of(Path(given), role, how)
        return Reference(source.name, texts, (source,))
    read = read_answers(given, columns=AnswerColumns(by=None, text=column), **how)
    sources = tuple(replace(one, role=role) for one in read.sources)
    return Reference(read.name, read.frame["text"], sources)


def _are_paths(given: Any) -> bool:
    """Return whether a list names files, or holds records, not texts."""
    first = next(iter(given), None)
    return isinstance(first, (os.PathLike, Mapping)) or (
        isinstance(first, str) and os.path.exists(first[:1000])
    )
