"""Read the records of answers from files, one by one: each is used, left out or refused."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.core.display_text import display_text
from hayflick.core.documents import refuse_pipe
from hayflick.core.errors import DataError, listed
from hayflick.core.notes import Note
from hayflick.core.progress import Progress
from hayflick.corpus.answer_columns import AnswerFields, Cells
from hayflick.corpus.continuing import Beginning, ReadPart
from hayflick.corpus.frames import Table, input_path
from hayflick.corpus.json_lines import json_lines, refuse_line
from hayflick.corpus.labels import label_of, labels_of
from hayflick.corpus.logs.preset import LogPreset
from hayflick.corpus.logs.sniffing import instead_of
from hayflick.corpus.normalization import normalized_expression
from hayflick.corpus.numbers import LARGEST_VALUE, NO_NUMBER, decimal_note, parse_numbers
from hayflick.corpus.paths import FieldPath
from hayflick.corpus.retrieved import RetrievedDocuments
from hayflick.corpus.table_format import TableFormat
from hayflick.corpus.table_kinds import LINE, OpenTable, nested_problem
from hayflick.corpus.tables import json_note, open_table

_ROWS_AT_ONCE = 20_000
_KEPT = 20

LOG_ROLES = ("time", "text", "model", "prompt", "group")
"""What options for columns may name in a log that is recognised."""


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
class AnswerRows:
    """The answers in one file after the other, used, left out or refused one by one.

    Parameters
    ----------
    fields
        The cells of the answers in a record.
    skip_bad
        Whether rows that cannot be used are counted instead of refused.
    given
        What is known of the format of tables.
    normalize
        Unicode normalization of the texts.

    Attributes
    ----------
    read
        Number of rows that were read.
    bytes
        Number of bytes of the last file that were read, if its rows are lines.
    left_out
        Number of records of logs that hold no answer, by reason.
    bad
        Rows that were skipped.
    documents
        What was retrieved for the answers.
    """

    fields: AnswerFields
    skip_bad: bool
    given: TableFormat | None = None
    normalize: str = "nfc"
    notes: list[Note] = field(default_factory=list)
    sheet: str | None = None
    bad: BadRows = field(default_factory=BadRows)
    left_out: Counter[str] = field(default_factory=Counter)
    dimensions: int = 0
    read: int = 0
    bytes: int = 0
    documents: RetrievedDocuments = field(default_factory=RetrievedDocuments)
    _name: str = ""
    _file: int = 0
    _partitions: Mapping[str, str] = field(default_factory=dict)
    _hidden: set[str] = field(default_factory=set)
    _unseen: list[FieldPath] = field(default_factory=list)
    _cells: dict[str, list[Any]] = field(default_factory=dict)
    _frames: list[pl.DataFrame] = field(default_factory=list)
    _vectors: list[NDArray[np.float32]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._cells = {name: [] for name in self._schema}

    @property
    def _schema(self) -> dict[str, Any]:
        values = (f"value {name}" for name in self.fields.columns.values)
        return {
            "row": pl.Int64,
            "place": pl.Int64,
            "file": pl.Int32,
            **dict.fromkeys(self.fields.roles, pl.String),
            **dict.fromkeys(values, pl.Float64),
            **({} if self.fields.columns.retrieved is None else {"retrieved": pl.List(pl.Int64)}),
        }

    def go_on(self, part: ReadPart) -> None:
        """Count what was read before."""
        self.read, self.dimensions, self.notes = part.rows, part.dimensions, list(part.notes)
        self.bad = BadRows(part.bad, list(part.first_bad))
        self.left_out = Counter(part.left_out)

    def begin(self, name: str, partitions: Mapping[str, str], log: LogPreset | None = None) -> None:
        """Begin another file.

        Parameters
        ----------
        name
            Its name, for messages.
        partitions
            Cells that all its rows have.
        log
            The preset of its log, if it has another one than the file before.
        """
        if log is not None and log is not self.fields.log:
            self.fields = replace(self.fields, log=log)
        self._name, self._partitions = name, partitions
        self._file += 1

    def add_lines(
        self, path: Path, *, encoding: str, progress: Progress, behind: Beginning | None = None
    ) -> None:
        """Add the lines of a file of JSON lines, or those behind its beginning."""
        start, lines = (0, 0) if behind is None else (behind.size, behind.lines)
        self.bytes = start
        self._unseen = [] if behind or self.fields.log else list(self.fields.paths)

        def counted(stage: str, done: float, total: float) -> None:
            self.bytes = int(done)
            progress(stage, done, total)

        if behind is not None and path.stat().st_size == start:
            return
        read, bad = self.read, self.bad.total
        first: list[Mapping[str, Any]] = []
        for number, record in json_lines(
            path, encoding=encoding, start=start, lines=lines, progress=counted
        ):
            if isinstance(record, str):
                self._refuse(number, record)
            else:
                if self._unseen and len(first) < _KEPT:
                    first.append(record)
                self._add(number, record)
        if self._unseen and self.read - read > self.bad.total - bad:
            missing = [path.text for path in self._unseen]
            found = instead_of(missing[0], first)
            raise DataError(f"{self._name}: no line has the column {listed(missing)}; {found}")

    def add_table(self, path: Table, *, encoding: str, progress: Progress) -> None:
        """Add the rows of a table of any other kind."""
        self._unseen = []
        with open_table(path, given=self.given, encoding=encoding, progress=progress) as table:
            self._note_hidden(table.columns)
            names = dict(self._columns(table))
            wanted = list(dict.fromkeys(names.values()))
            numbers = self._numbers(table, names)
            self.sheet = table.sheet
            before = 0
            for found in table.frames([LINE, *wanted]):
                named = found.select(
                    LINE, *(pl.col(held).alias(name) for name, held in names.items())
                )
                parts = [cells.slice(before, len(found)) for cells in numbers]
                before += len(found)
                for record in self._spelled(named).with_columns(parts).iter_rows(named=True):
                    self._add(record[LINE], record)
            self.notes += table.notes

    def _columns(self, table: OpenTable) -> Iterator[tuple[str, str]]:
        """Yield the columns of a table to read, each with the name that it has there."""
        for path in self.fields.paths:
            if path.text in self._partitions:
                continue
            if path.text == self.fields.columns.retrieved:
                # Several texts that a path leads to are several documents: it is followed later.
                held = path.column_of(table.columns) or table.choose(path.text)
                yield held, held
            elif self.fields.log is None:
                yield path.text, table.choose(path.text)
            elif path.text not in LOG_ROLES or path.column_of(table.columns):
                held = path.column_of(table.columns) or table.choose(path.text)
                yield held, held
        if self.fields.log is not None:
            for name in self.fields.log.columns(table.columns):
                yield name, name

    def _spelled(self, found: pl.DataFrame) -> pl.DataFrame:
        """Return columns with labels as text."""
        labels = set(self.fields.columns.labels.values())
        plain = [
            labels_of(name, kind).alias(name)
            for name, kind in found.schema.items()
            if name in labels
            and not kind.is_nested()
            and not isinstance(kind, (pl.Binary, pl.Object))
        ]
        return found.with_columns(plain)

    def _numbers(self, table: OpenTable, names: Mapping[str, str]) -> list[pl.Series]:
        """Return the columns of values that are written as text: the whole tells how."""
        held = {name: names[name] for name in self.fields.columns.values if name in names}
        if not held:
            return []
        kinds = table.frame(list(dict.fromkeys(held.values()))).collect_schema()
        return [
            self._parsed(table, name, table.frame([column]).collect()[column])
            for name, column in held.items()
            if kinds[column] == pl.String
        ]

    def _parsed(self, table: OpenTable, name: str, cells: pl.Series) -> pl.Series:
        try:
            decimal = None if self.given is None else self.given.decimal
            parsed = parse_numbers(cells, decimal=decimal, semicolons=table.semicolons)
        except DataError as fault:
            raise DataError(f"{table.path}: the column {name!r}: {fault}") from None
        self.notes += decimal_note(parsed, name)
        if parsed.wrong is None:
            return parsed.numbers.alias(name)
        # Cells that are no numbers stay as they are, to be refused with their line.
        text = parsed.numbers.cast(pl.String)
        return pl.select(pl.coalesce(text, cells.alias(name)).alias(name)).to_series()

    def _add(self, number: int, record: Mapping[str, Any]) -> None:
        if self._partitions:
            self._note_hidden(record)
            record = {**record, **self._partitions}
        if self._unseen:
            self._unseen = [path for path in self._unseen if not path.is_in(record)]
        try:
            for cells in self.fields.answers(record):
                if isinstance(cells, str):
                    self.left_out[cells] += 1
                else:
                    self._keep(number, cells)
        except _NoRoundError as fault:
            by = self.fields.columns.by or ""
            unseen = not self.skip_bad and any(path.text == by for path in self._unseen)
            self._refuse(number, f"{fault}; {instead_of(by, [record])}" if unseen else str(fault))
            return
        except _UnusableError as fault:
            self._refuse(number, str(fault))
            return
        self.read += 1
        if len(self._cells["row"]) >= _ROWS_AT_ONCE:
            self._flush()

    def _note_hidden(self, columns: Container[str]) -> None:
        """Note the columns of a file in whose place the names of its folders are taken."""
        for name in self._partitions:
            used = any(path.text == name for path in self.fields.paths)
            if used and name in columns and name not in self._hidden:
                self._hidden.add(name)
                self.notes.append(
                    Note(
                        "{name} is taken from the folders {name}=…, not from the column of the "
                        "same name in the files",
                        name=name,
                    )
                )

    def _keep(self, number: int, cells: Cells) -> None:
        row = self._row(cells)
        vector = self._vector(cells)
        for name, cell in {"row": number, "place": self.read, "file": self._file, **row}.items():
            self._cells[name].append(cell)
        if vector is not None:
            self._vectors.append(vector)

    def _refuse(self, number: int, reason: str) -> None:
        if not self.skip_bad:
            raise refuse_line(self._name, number, reason)
        self.bad.add(number, reason)
        self.read += 1

    def _row(self, cells: Cells) -> dict[str, Any]:
        columns = self.fields.columns
        named = columns.labels
        row: dict[str, Any] = {
            what: _label(what, named.get(what, what), cells[what]) for what in self.fields.roles
        }
        if "by" in row and not (row["by"] or "").strip():
            if columns.by is not None:
                known = "" if self.fields.log is None else " (--by time takes the times of the log)"
                raise _NoRoundError(f"has nothing in the column {columns.by!r}, its round{known}")
            row["by"] = None
        decimal = None if self.given is None else self.given.decimal
        for name in columns.values:
            what = f"value {name}"
            row[what] = _number(name, cells[what], decimal=decimal)
        if columns.retrieved is not None:
            try:
                row["retrieved"] = self.documents.add(cells["retrieved"])
            except ValueError as fault:
                raise _UnusableError(f"holds in {columns.retrieved!r} {fault}") from None
        return row

    def _vector(self, cells: Cells) -> NDArray[np.float32] | None:
        name = self.fields.columns.vector_column
        if name is None:
            return None
        vector = _vector(name, cells["vector"])
        self.dimensions = self.dimensions or vector.size
        if vector.size not in (0, self.dimensions):
            numbers = f"a vector of {vector.size} numbers, those before have {self.dimensions}"
            raise _UnusableError(f"has {numbers}")
        return vector

    def _flush(self) -> None:
        # Lists of texts take several times the memory of a frame.
        self._frames.append(pl.DataFrame(self._cells, schema=self._schema))
        self._cells = {name: [] for name in self._schema}

    def frame(self) -> pl.DataFrame:
        """Return all accepted rows, their labels in one spelling."""
        self._flush()
        whole = pl.concat(self._frames)
        self._frames = [whole]
        roles = self.fields.roles
        for role, name in self.fields.columns.labels.items():
            if role != "by":
                cells = whole[role].drop_nulls().head(100)
                self.notes += json_note(name, cells, option=f"--{role}")
        return whole.with_columns(
            normalized_expression(pl.col(role), self.normalize) for role in roles
        )

    def vectors_of(self, frame: pl.DataFrame) -> NDArray[np.float32] | None:
        """Return the vectors of the answers, NaN for a missing one; None without vectors."""
        if self.fields.columns.vectors is None:
            return None
        if self.fields.columns.vector_column is None:
            return self._stored_vectors(input_path(self.fields.columns.vectors), frame)
        vectors = np.full((len(self._vectors), self.dimensions), np.nan, np.float32)
        for place, vector in enumerate(self._vectors):
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


class _NoRoundError(_UnusableError):
    """A row without a round."""


def _label(what: str, name: str, cell: Any) -> str | None:
    if isinstance(cell, (dict, list, bytes)):
        problem = nested_problem(cell, name, option=f"--{what}")
        raise _UnusableError(f"holds in the column {name!r} {problem}")
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
    if abs(number) > LARGEST_VALUE:
        exact = isinstance(cell, str) or math.isfinite(number)
        shown = display_text(str(cell) if exact else "a number", longest=40)
        takes = f"takes a number of at most {LARGEST_VALUE:g}"
        too_large = f"holds {shown} in the column {name!r}, {takes}"
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
