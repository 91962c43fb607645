"""Read the answers of models from a table: text, round, group, prompt and further columns."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.core.display_text import display_text
from hayflick.core.documents import refuse_pipe
from hayflick.core.errors import ArgumentError, DataError, listed
from hayflick.core.notes import Note
from hayflick.core.progress import Progress, silent
from hayflick.core.source import LeftOut, Source
from hayflick.corpus.compression import content_suffix
from hayflick.corpus.continuing import (
    Beginning,
    Hasher,
    ReadPart,
    check_order,
    is_empty,
    order_labels,
    part_notes,
)
from hayflick.corpus.encodings import check_encoding
from hayflick.corpus.frames import Table, input_path, table_or_path
from hayflick.corpus.json_lines import json_lines, refuse_line
from hayflick.corpus.labels import label_of, labels_of
from hayflick.corpus.normalization import normalized_expression
from hayflick.corpus.numbers import NO_NUMBER, decimal_note, parse_numbers
from hayflick.corpus.reading import source_of
from hayflick.corpus.rounds import RoundOrder, round_order
from hayflick.corpus.table_format import TableFormat
from hayflick.corpus.table_kinds import LINE, OpenTable, nested_problem
from hayflick.corpus.tables import TABLE_SUFFIXES, check_format, is_table, json_note, open_table


@dataclass(frozen=True, kw_only=True)
class AnswerColumns:
    """The columns of a table to read.

    Parameters
    ----------
    text
        The answer; None if there are only vectors or values.
    by
        The round: a number, a time or a name; None if all answers are one round.
    group
        The model or agent that answered; None for no groups.
    prompt
        The prompt; None if all answers have the same.
    values
        Further columns of numbers to watch, one number per answer.
    vectors
        A column of lists of numbers, or the path of a ``.npy`` file with a row per answer.

    Raises
    ------
    ArgumentError
        If there is no column of rounds, neither text nor vectors nor values, or a value is named
        twice.
    """

    by: str | None
    text: str | None = None
    group: str | None = None
    prompt: str | None = None
    values: tuple[str, ...] = ()
    vectors: str | None = None

    def __post_init__(self) -> None:
        if self.by == "":
            takes = "the column that says which round an answer belongs to"
            raise ArgumentError("by", got="nothing", takes=takes)
        if self.text is None and self.vectors is None and not self.values:
            raise ArgumentError("text", got="no column", takes="a column, or vectors, or a value")
        repeated = [name for name in self.values if self.values.count(name) > 1]
        if repeated:
            raise ArgumentError("value", got=repeated[0], takes="each column once")

    @cached_property
    def labels(self) -> dict[str, str]:
        """Names of the columns of text, by their role."""
        named = {"by": self.by, "text": self.text, "group": self.group, "prompt": self.prompt}
        return {what: name for what, name in named.items() if name is not None}

    @cached_property
    def wanted(self) -> tuple[str, ...]:
        """Names of all columns to read, each once."""
        vectors = () if self.vector_column is None else (self.vector_column,)
        return tuple(dict.fromkeys((*self.labels.values(), *self.values, *vectors)))

    @property
    def vector_file(self) -> str | None:
        """The path of the ``.npy`` file; None without one."""
        return None if self.vectors is None or self.vector_column is not None else self.vectors

    @property
    def vector_column(self) -> str | None:
        """The column of lists; None without vectors, or if they are in a file."""
        named = self.vectors
        return None if named is None or named.endswith(".npy") else named


_LINES_AT_ONCE = 20_000
_KEPT = 20


@dataclass
class BadRows:
    """Rows that were skipped: their number, and the first ones with the reason.

    Examples
    --------
    >>> bad = BadRows()
    >>> bad.add(7, "is no JSON")
    >>> bad.total, bad.first
    (1, [(7, 'is no JSON')])
    """

    total: int = 0
    first: list[tuple[int, str]] = field(default_factory=list)

    def add(self, row: int, reason: str) -> None:
        """Count a row."""
        self.total += 1
        if len(self.first) < _KEPT:
            self.first.append((row, reason))


@dataclass(kw_only=True)
class _Rows:
    """The rows of a table, accepted or refused one by one."""

    path: Table
    columns: AnswerColumns
    skip_bad: bool
    given: TableFormat | None = None
    normalize: str = "nfc"
    notes: list[Note] = field(default_factory=list)
    sheet: str | None = None
    bad: BadRows = field(default_factory=BadRows)
    frames: list[pl.DataFrame] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    vectors: list[NDArray[np.float32]] = field(default_factory=list)
    dimensions: int = 0
    read: int = 0
    seen: set[str] = field(default_factory=set)
    bytes: int = 0

    @property
    def name(self) -> str:
        """Name of the input, for messages."""
        return str(self.path) if isinstance(self.path, Path) else "the table"

    def go_on(self, part: ReadPart) -> None:
        """Count what was read before."""
        self.read, self.dimensions, self.notes = part.rows, part.dimensions, list(part.notes)
        self.bad = BadRows(part.bad, list(part.first_bad))
        self.seen = set(self.columns.wanted)

    def add_lines(
        self, *, encoding: str, progress: Progress, behind: Beginning | None = None
    ) -> None:
        """Add the lines of a file of JSON lines, or those behind its beginning."""
        assert isinstance(self.path, Path)
        start, lines = (0, 0) if behind is None else (behind.size, behind.lines)
        self.bytes = start

        def counted(stage: str, done: float, total: float) -> None:
            self.bytes = int(done)
            progress(stage, done, total)

        if behind is not None and self.path.stat().st_size == start:
            return
        for number, record in json_lines(
            self.path, encoding=encoding, start=start, lines=lines, progress=counted
        ):
            if isinstance(record, str):
                self._refuse(number, record)
            else:
                self._add(number, record)
        missing = [name for name in self.columns.wanted if name not in self.seen]
        if missing and self.read > self.bad.total:
            raise DataError(f"{self.name}: no line has the column {listed(missing)}")

    def add_table(self, *, encoding: str, progress: Progress) -> None:
        """Add the rows of a table of any other kind."""
        opening = open_table(self.path, given=self.given, encoding=encoding, progress=progress)
        with opening as table:
            names = [table.choose(name) for name in self.columns.wanted]
            found = self._spelled(table.frame([LINE, *names]).collect(), table)
            self.notes += table.notes
            self.sheet = table.sheet
        for record in found.iter_rows(named=True):
            self._add(record[LINE], record)

    def _spelled(self, found: pl.DataFrame, table: OpenTable) -> pl.DataFrame:
        """Return columns with labels as text, and cells of values as numbers where they are."""
        plain = [
            labels_of(name, kind).alias(name)
            for name, kind in found.schema.items()
            if name in self.columns.labels.values()
            and not kind.is_nested()
            and not isinstance(kind, (pl.Binary, pl.Object))
        ]
        found = found.with_columns(plain)
        for name in self.columns.values:
            if found.schema[name] != pl.String:
                continue
            try:
                decimal = None if self.given is None else self.given.decimal
                cells = found[name]
                parsed = parse_numbers(cells, decimal=decimal, semicolons=table.semicolons)
            except DataError as fault:
                raise DataError(f"{table.path}: the column {name!r}: {fault}") from None
            self.notes += decimal_note(parsed, name)
            found = found.with_columns(parsed.numbers.alias(name))
            if parsed.wrong is not None:
                # Cells that are no numbers stay as they are, to be refused with their line.
                spelled = pl.coalesce(pl.col(name).cast(pl.String), cells)
                found = found.with_columns(spelled.alias(name))
        return found

    def _add(self, number: int, record: Mapping[str, Any]) -> None:
        if len(self.seen) < len(self.columns.wanted):
            self.seen.update(name for name in self.columns.wanted if name in record)
        try:
            row = self._row(record)
            vector = self._vector(record)
        except _UnusableError as fault:
            self._refuse(number, str(fault))
            return
        self.rows.append({"row": number, "place": self.read, **row})
        self.read += 1
        if vector is not None:
            self.vectors.append(vector)
        if len(self.rows) >= _LINES_AT_ONCE:
            self._flush()

    def _refuse(self, number: int, reason: str) -> None:
        if not self.skip_bad:
            raise refuse_line(self.name, number, reason)
        self.bad.add(number, reason)
        self.read += 1

    def _row(self, record: Mapping[str, Any]) -> dict[str, Any]:
        labels = self.columns.labels
        row: dict[str, Any] = {
            what: _label(name, record.get(name)) for what, name in labels.items()
        }
        if self.columns.by is not None and not (row["by"] or "").strip():
            raise _UnusableError(f"has nothing in the column {self.columns.by!r}, its round")
        decimal = None if self.given is None else self.given.decimal
        values = {
            f"value {name}": _number(name, record.get(name), decimal=decimal)
            for name in self.columns.values
        }
        return row | values

    def _vector(self, record: Mapping[str, Any]) -> NDArray[np.float32] | None:
        name = self.columns.vector_column
        if name is None:
            return None
        vector = _vector(name, record.get(name))
        self.dimensions = self.dimensions or vector.size
        if vector.size not in (0, self.dimensions):
            numbers = f"a vector of {vector.size} numbers, those before have {self.dimensions}"
            raise _UnusableError(f"has {numbers}")
        return vector

    def _flush(self) -> None:
        # Dictionaries take many times the memory of a frame.
        labels: dict[str, Any] = dict.fromkeys(self.columns.labels, pl.String)
        values = dict.fromkeys((f"value {name}" for name in self.columns.values), pl.Float64)
        schema = {"row": pl.Int64, "place": pl.Int64, **labels, **values}
        self.frames.append(pl.DataFrame(self.rows, schema=schema))
        self.rows = []

    def frame(self) -> pl.DataFrame:
        """Return all accepted rows, their labels in one spelling."""
        self._flush()
        whole = pl.concat(self.frames)
        roles = list(self.columns.labels)
        for role in {"text", "prompt", "group"} & set(roles):
            self.notes += json_note(self.columns.labels[role], whole[role].drop_nulls().head(100))
        return whole.with_columns(
            normalized_expression(pl.col(role), self.normalize) for role in roles
        )

    def vectors_of(self, frame: pl.DataFrame) -> NDArray[np.float32] | None:
        """Return the vectors of the answers, NaN for a missing one; None without vectors."""
        if self.columns.vectors is None:
            return None
        if self.columns.vector_column is None:
            return self._stored_vectors(input_path(self.columns.vectors), frame)
        vectors = np.full((len(self.vectors), self.dimensions), np.nan, np.float32)
        for place, vector in enumerate(self.vectors):
            vectors[place, : vector.size] = vector
        return vectors

    def _stored_vectors(self, path: Path, frame: pl.DataFrame) -> NDArray[np.float32]:
        """Return the rows of a ``.npy`` file that belong to the answers."""
        refuse_pipe(path)
        try:
            stored = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as fault:
            raise DataError(f"{path}: cannot be read as .npy ({fault})") from None
        if stored.ndim != 2 or stored.dtype.kind not in "fiu":
            takes = "takes numbers of shape (answers, dimensions)"
            raise DataError(f"{path}: holds {stored.dtype} of shape {stored.shape}, {takes}")
        if len(stored) != self.read:
            raise DataError(f"{path}: has {len(stored):,} rows, the answers have {self.read:,}")
        vectors = np.asarray(stored[frame["place"].to_numpy()], dtype=np.float32)
        for place in np.flatnonzero(~np.isfinite(vectors).all(axis=1)).tolist():
            if not self.skip_bad:
                holds = f"row {frame['place'][place]} holds NaN or infinite numbers"
                remedy = "fix it, or skip such rows with --skip-bad"
                raise DataError(f"{path}: {holds}; {remedy}")
            vectors[place] = np.nan
            self.bad.add(frame["row"][place], "has a vector with NaN or infinite numbers")
        return vectors


class _UnusableError(Exception):
    """A row that cannot be used, and why."""


def _label(name: str, cell: Any) -> str | None:
    if isinstance(cell, (dict, list, bytes)):
        raise _UnusableError(f"holds in the column {name!r} {nested_problem(cell, name)}")
    return label_of(cell)


def _number(name: str, cell: Any, *, decimal: str | None = None) -> float | None:
    if cell is None or (isinstance(cell, str) and cell.strip().lower() in NO_NUMBER):
        return None
    try:
        number = float(_plain(cell, decimal) if isinstance(cell, str) else cell)
    except OverflowError:
        number = math.inf
    except (TypeError, ValueError):
        shown = display_text(str(cell), longest=40)
        raise _UnusableError(f"holds {shown!r} in the column {name!r}, takes a number") from None
    if math.isnan(number):
        return None
    if math.isinf(number):
        shown = display_text(str(cell) if isinstance(cell, str) else "a number", longest=40)
        too_large = f"holds {shown} in the column {name!r}, takes a number below 1e308"
        raise _UnusableError(too_large)
    return number


def _plain(cell: str, decimal: str | None) -> str | float:
    """Return a cell for `float`, which alone would take 1_000 for a number."""
    if "_" in cell:
        raise ValueError
    if decimal is None:
        return cell
    parsed = parse_numbers(pl.Series([cell]), decimal=decimal)
    return cell if parsed.wrong is not None else float(parsed.numbers[0])


def _vector(name: str, cell: Any) -> NDArray[np.float32]:
    if cell is None:
        return np.empty(0, np.float32)
    try:
        with np.errstate(over="ignore"):
            vector = np.asarray(cell, dtype=np.float32)
    except (TypeError, ValueError):
        vector = np.empty((0, 0), np.float32)
    if vector.ndim != 1 or not vector.size:
        raise _UnusableError(f"holds no list of numbers in the column {name!r}")
    if not np.isfinite(vector).all():
        raise _UnusableError(f"holds a vector with NaN or infinite numbers in the column {name!r}")
    return vector


_LINES = (".jsonl", ".ndjson")


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers of models, in the order of the rounds.

    Parameters
    ----------
    name
        Name of the file.
    rounds
        Names of the rounds, in order.
    frame
        A row per answer, sorted by round: ``row`` (line or row of the file, from 1), ``round``
        (from 1) and, if the table has them, ``text``, ``group``, ``prompt`` and ``value NAME``,
        all nullable.
    vectors
        float32, shape ``(answers, dimensions)``, in the order of the frame; a row of NaN for a
        missing vector. None without vectors.
    bad
        Rows that were skipped.
    sources
        What was read: the table, and the file of vectors.
    part
        What reading further takes; None for answers that were not read from a table.
    continued
        Whether these are only the answers behind those that were read before.
    """

    name: str
    rounds: tuple[str, ...]
    frame: pl.DataFrame
    vectors: NDArray[np.float32] | None = None
    bad: BadRows = field(default_factory=BadRows)
    sources: tuple[Source, ...] = ()
    part: ReadPart | None = None
    continued: bool = False

    @property
    def dimensions(self) -> int | None:
        """Number of components of a vector; None without vectors."""
        return None if self.vectors is None else self.vectors.shape[1]

    def by_round(self) -> Iterator[tuple[int, pl.DataFrame, NDArray[np.float32] | None]]:
        """Yield the number, the answers and the vectors of each round, also of an empty one."""
        numbers = self.frame["round"].to_numpy()
        places = np.searchsorted(numbers, np.arange(1, len(self.rounds) + 2))
        for number, (low, high) in enumerate(itertools.pairwise(places), start=1):
            vectors = None if self.vectors is None else self.vectors[low:high]
            yield number, self.frame[int(low) : int(high)], vectors


def read_answers(
    path: Any,
    *,
    columns: AnswerColumns,
    every: str | None = None,
    time_zone: str | None = None,
    start: str | None = None,
    skip_bad: bool = False,
    encoding: str = "utf-8",
    normalize: str = "nfc",
    table: TableFormat | None = None,
    after: ReadPart | None = None,
    progress: Progress = silent,
) -> Answers:
    """Return the answers in a table: CSV, TSV, JSON lines, Parquet or xlsx.

    Parameters
    ----------
    path
        The file; or a frame of polars or pandas, a list of records, or a mapping from names of
        columns to cells.
    columns
        The columns to read.
    every
        Length of a round, if rounds are times; see `hayflick.corpus.rounds.round_order`.
    time_zone
        The zone in which days are counted, and which times without one are in; None if all times
        name one, or none does.
    start
        Name of the first round to read; earlier ones are left out.
    skip_bad
        Whether rows that cannot be used are counted and skipped instead of refused.
    encoding
        Encoding of CSV, TSV and JSON lines.
    normalize
        Unicode normalization of the labels and the answers: ``none``, ``nfc``, ``nfkc`` or
        ``casefold``.
    table
        What is known of the format of the table; None to see it from the file.
    after
        What was read before: its rounds are the first ones, and if the file still begins with
        what was read of it, only the answers behind are returned.
    progress
        Called with the number of bytes read so far.

    Raises
    ------
    DataError
        If the file cannot be read, lacks a column, or a row cannot be used: it is not a record,
        has no round, a value that is not a number, or a vector of another length.
    ArgumentError
        If `start` is not a round, or `every` not a length of time.
    """
    given: Table = table_or_path(path)
    if isinstance(given, Path) and not is_table(given):
        raise DataError(f"{path}: is no table; takes {', '.join(TABLE_SUFFIXES)}")
    rows = _Rows(path=given, columns=columns, skip_bad=skip_bad, given=table, normalize=normalize)
    is_lines = isinstance(given, Path) and content_suffix(given) in _LINES
    if is_lines and table is not None:
        check_format(table, given)
    part = after or ReadPart()
    if part.names and isinstance(given, Path) and is_lines and is_empty(given):
        # After its log was rotated, before the first answer.
        part = part.of_empty_file()
    hasher = None
    if isinstance(given, Path) and part.beginning and _can_go_on(given, columns, encoding):
        hasher = part.beginning.hasher_of(given)
    behind = None if hasher is None else part.beginning
    if behind is not None:
        rows.go_on(part)
    if is_lines:
        rows.add_lines(encoding=encoding, progress=progress, behind=behind)
    else:
        rows.add_table(encoding=encoding, progress=progress)
    frame, bad = rows.frame(), rows.bad
    if columns.by is None:
        frame = frame.with_columns(by=pl.lit("1"))
    if frame.is_empty() and behind is None:
        why = f"{bad.total} rows were bad" if bad.total else "no row has any content"
        raise DataError(f"{rows.name}: holds no answer that can be used; {why}")
    vectors = rows.vectors_of(frame)
    labels = list(dict.fromkeys((*part.labels, *frame["by"].unique(maintain_order=True))))
    order = round_order(labels, every=every, time_zone=time_zone)
    check_order(part.names, order.names)
    first = _first(order, start)
    numbers = frame["by"].replace_strict(order.places, return_dtype=pl.Int64) - (first - 1)
    frame = frame.with_columns(round=numbers).drop("by", "place")
    places = np.argsort(numbers.to_numpy(), kind="stable")
    places = places[int(np.searchsorted(numbers.to_numpy()[places], 1)) :]
    picked = None if vectors is None else vectors[places]
    found = replace(
        _part(rows, frame, order, labels, periods=every is not None),
        before=len(frame) - len(places),
    )
    if after is not None and isinstance(given, Path) and is_lines:
        found = replace(found, beginning=(hasher or Hasher()).beginning(given, rows.bytes))
    if behind is not None:
        found = part.followed_by(found)
    source = _source(rows, found, order, encoding=encoding)
    sources = (source, *Source.files(("vectors", columns.vector_file)))
    name = given.name if isinstance(given, Path) else "the table"
    names = order.names[first - 1 :]
    went_on = behind is not None
    return Answers(name, names, frame[places], picked, bad, sources, found, continued=went_on)


def _source(rows: _Rows, found: ReadPart, order: RoundOrder, *, encoding: str) -> Source:
    left_out = (
        LeftOut("rows that cannot be used", rows.bad.total),
        LeftOut("answers before the first round", found.before),
    )
    return source_of(
        rows.path,
        column=", ".join(rows.columns.wanted),
        encoding=encoding,
        sha256=found.hash_of(rows.path),
        sheet=rows.sheet,
        rows=rows.read,
        normalization=rows.normalize,
        left_out=tuple(one for one in left_out if one.number),
        notes=(*rows.notes, *(order.notes if rows.columns.by else ()), *part_notes(found)),
    )


def _can_go_on(path: Path, columns: AnswerColumns, encoding: str) -> bool:
    is_plain = path.suffix.lower() in _LINES and check_encoding(encoding) == "utf-8-sig"
    return is_plain and columns.vector_file is None


def _part(
    rows: _Rows, frame: pl.DataFrame, order: RoundOrder, labels: list[str], *, periods: bool
) -> ReadPart:
    """Return what was read of a table."""
    groups = frame["group"].drop_nulls() if "group" in frame.columns else pl.Series([""])[:0]
    return ReadPart(
        names=order.names,
        labels=order_labels(labels, order.places, periods=periods),
        rows=rows.read,
        answers=len(frame),
        dimensions=rows.dimensions,
        bad=rows.bad.total,
        first_bad=tuple(rows.bad.first),
        groups=tuple(groups.unique(maintain_order=True)),
        empty={
            name: frame[name].null_count() for name in frame.columns if name.startswith("value ")
        },
        notes=tuple(rows.notes),
    )


def _first(order: RoundOrder, start: str | None) -> int:
    if start is None:
        return 1
    found = order.number_of(start)
    if found is None:
        shown = f"{order.names[0]} … {order.names[-1]}"
        raise ArgumentError("from", got=start, takes=f"the name of a round: {shown}")
    return found
