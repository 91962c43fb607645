"""Inputs of answers before they are read: their files, and the tools that wrote these."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl

from hayflick.core.errors import ArgumentError, DataError, UnknownLogError
from hayflick.core.object_stores import is_url
from hayflick.core.progress import Progress, silent
from hayflick.corpus.answer_columns import AnswerColumns
from hayflick.corpus.compression import content_suffix
from hayflick.corpus.files import InputFiles, input_files
from hayflick.corpus.frames import as_table, is_in_memory
from hayflick.corpus.json_lines import json_lines, refuse_line
from hayflick.corpus.logs.preset import LogPreset, preset_named
from hayflick.corpus.logs.sniffing import advice, recognised
from hayflick.corpus.table_format import TableFormat
from hayflick.corpus.tables import open_table

LINES = (".jsonl", ".ndjson", ".json")
"""Kinds of files that hold JSON."""

NO_LOG = "none"
"""The name of no preset: a table is not looked at as a log."""

AnswerInput: TypeAlias = InputFiles | pl.DataFrame


def log_of(source: Any, *, encoding: str, table: TableFormat | None) -> str | None:
    """Return the name of the tool that wrote what is given; None if that is not clear.

    Raises
    ------
    ArgumentError, DataError
        As `read_answers`.
    """
    records = first_records(on_disk(answer_input(source)), encoding=encoding, table=table)
    found = recognised(records)
    return None if found is None else found.name


def answer_input(source: Any) -> InputFiles | pl.DataFrame:
    """Return what is given as files, or as a table in memory.

    Raises
    ------
    ArgumentError, DataError
        As `hayflick.corpus.files.input_files` and `hayflick.corpus.frames.as_table`.
    """
    paths = isinstance(source, (list, tuple)) and len(source) > 0
    if paths and all(isinstance(one, (str, Path)) for one in source):
        return input_files(source)
    if isinstance(source, InputFiles):
        return source
    return as_table(source) if is_in_memory(source) else input_files(source)


def fetched_once(source: Any) -> Any:
    """Return the files of a URL, which are fetched once however often they are read.

    What is no URL is returned as it is.

    Raises
    ------
    DataError, StoreError, MissingExtraError
        As `hayflick.corpus.files.input_files`.
    """
    return input_files(source) if is_url(source) else source


def on_disk(given: AnswerInput, progress: Progress = silent) -> AnswerInput:
    """Return an input whose files can be opened by path: those of an object store are fetched.

    Raises
    ------
    DataError, OutputError, StoreError
        As `hayflick.corpus.files.InputFiles.local`.
    """
    return given.local(progress) if isinstance(given, InputFiles) else given


_PEEKED = 200
_SMALL_BYTES = 1000


def preset_of(
    given: AnswerInput,
    columns: AnswerColumns,
    log: str | None,
    *,
    encoding: str,
    table: TableFormat | None,
) -> LogPreset | None:
    """Return the preset of a log; None for a table whose columns are named.

    Raises
    ------
    ArgumentError, DataError
        As `hayflick.corpus.answers.read_answers`.
    """
    if log is not None and log != NO_LOG:
        return preset_named(log)
    if columns.text is not None or columns.vectors is not None:
        return None
    if log == NO_LOG and columns.values:
        return None
    if log == NO_LOG:
        takes = "a column, or vectors, or a value, where the input is no log"
        raise ArgumentError("text", got="no column", takes=takes)
    records = first_records(_telling(given), encoding=encoding, table=table)
    preset = recognised(records)
    if preset is None and not columns.values:
        more = _times_more(given, records)
        if isinstance(given, pl.DataFrame):
            told = advice(records, name="the table", arguments=(), times_more=more)
            raise UnknownLogError(told)
        words = given.arguments
        raise UnknownLogError(advice(records, name=given.name, arguments=words, times_more=more))
    return preset


def _telling(given: AnswerInput) -> AnswerInput:
    """Return the input from its first file on that can be more than a list of files."""
    if isinstance(given, pl.DataFrame):
        return given
    first = next((at for at, file in enumerate(given.files) if not _is_small(file.path)), 0)
    return replace(given, files=given.files[first:]) if first else given


def presets_of_files(
    files: Sequence[Path],
    preset: LogPreset | None,
    *,
    named: bool,
    encoding: str,
    table: TableFormat | None,
) -> list[LogPreset | None]:
    """Return the preset of each file of an input.

    Parameters
    ----------
    files
        The files.
    preset
        That of the input; None for a table.
    named
        Whether a user named it; otherwise another tool may have written some of the files.
    encoding, table
        As of `hayflick.corpus.answers.read_answers`.
    """
    if preset is None or len(files) == 1:
        return [preset] * len(files)
    found = []
    for path in files:
        try:
            records = first_records(path, encoding=encoding, table=table)
        except DataError:
            # What is wrong with it is said when it is read.
            records = []
        own = None if named else recognised(records)
        found.append((preset if own is None or own.name == preset.name else own, records))
    divided = {one.name for one, records in found if one.has_parts(records)}
    whole = {one.name: one for one, _ in found}
    used = {name: one.without_wholes() if name in divided else one for name, one in whole.items()}
    return [used[one.name] for one, _ in found]


_PACKED = 5
"""About how many times smaller compressed records are."""


def _times_more(given: AnswerInput, records: Sequence[dict[str, Any]]) -> float:
    """Return about how many times as many records an input has as its first ones."""
    if isinstance(given, pl.DataFrame):
        return len(given) / max(len(records), 1)
    if len(records) < _PEEKED and len(given.files) == 1:
        return 1.0
    seen = sum(len(json.dumps(record, default=str)) for record in records)
    plain = (".csv", ".tsv", *LINES)
    sizes = (
        file.path.stat().st_size * (1 if file.path.suffix.lower() in plain else _PACKED)
        for file in given.files
    )
    return max(1.0, sum(sizes) / max(seen, 1))


def first_records(
    given: AnswerInput | Path, *, encoding: str, table: TableFormat | None
) -> list[dict[str, Any]]:
    """Return some records at the beginning of an input."""
    first = given.files[0].path if isinstance(given, InputFiles) else given
    if isinstance(first, Path) and is_lines(first):
        lines = list(itertools.islice(json_lines(first, encoding=encoding), _PEEKED))
        records = [record for _, record in lines if isinstance(record, dict)]
        for number, problem in lines if not records else ():
            raise refuse_line(first, number, str(problem))
        return records
    with open_table(first, given=table, encoding=encoding) as opened:
        names = list(dict.fromkeys(opened.columns))
        return opened.frame(names).head(_PEEKED).collect().to_dicts()


def is_lines(path: Path) -> bool:
    """Return whether a file holds JSON."""
    return content_suffix(path) in LINES


def _is_small(path: Path) -> bool:
    return is_lines(path) and path.stat().st_size < _SMALL_BYTES
