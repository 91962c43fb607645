"""Read the answers of models from tables and logs: text, round, group, prompt and more columns."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from typing_extensions import override

from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.notes import Note, translatable
from hayflick.core.progress import Progress, silent
from hayflick.core.source import LeftOut, Source
from hayflick.corpus.answer_columns import AnswerColumns, AnswerFields
from hayflick.corpus.answer_rows import LOG_ROLES, AnswerRows, BadRows
from hayflick.corpus.continuing import (
    Hasher,
    ReadPart,
    check_order,
    is_empty,
    order_labels,
    part_notes,
)
from hayflick.corpus.dates import epoch_times
from hayflick.corpus.encodings import check_encoding
from hayflick.corpus.files import InputFile, InputFiles
from hayflick.corpus.found_rounds import FoundRounds, RoundSearch, round_notes
from hayflick.corpus.log_inputs import (
    LINES,
    AnswerInput,
    answer_input,
    first_records,
    is_lines,
    on_disk,
    preset_of,
    presets_of_files,
)
from hayflick.corpus.logs.preset import LogPreset
from hayflick.corpus.logs.sniffing import recognised
from hayflick.corpus.rounds import RoundOrder, round_order
from hayflick.corpus.table_format import TableFormat
from hayflick.corpus.tables import check_format


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
    log
        The preset of the log that they were read from; None for a table, or files of several tools.
    documents
        What was retrieved for the answers, see `hayflick.corpus.retrieved`; the frame then has the
        rows of each answer's documents in a column ``retrieved``. None without such a column.
    """

    name: str
    rounds: tuple[str, ...]
    frame: pl.DataFrame
    vectors: NDArray[np.float32] | None = None
    bad: BadRows = field(default_factory=BadRows)
    sources: tuple[Source, ...] = ()
    part: ReadPart | None = None
    continued: bool = False
    log: str | None = None
    documents: pl.DataFrame | None = None

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
    source: Any,
    *,
    columns: AnswerColumns,
    log: str | None = None,
    find_rounds: bool = False,
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
    """Return the answers in tables or exported logs: CSV, TSV, JSON, Parquet or xlsx.

    Parameters
    ----------
    source
        A file, several or a folder, see `hayflick.corpus.files.input_files`; or a frame of polars
        or pandas, a list of records, or a mapping from names of columns to cells.
    columns
        The columns to read.
    log
        The preset of the log, see `hayflick.corpus.logs.preset`; ``none`` for a table. None looks
        at the first records where `columns` names no text and no vectors.
    find_rounds
        Whether rounds are found where `columns` names none; else all answers are one round.
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
        If a file cannot be read, lacks a column, or a row cannot be used: it is not a record,
        has no round, a value that is not a number, or a vector of another length; or if `columns`
        names nothing and no preset fits, with the paths that hold text.
    ArgumentError
        If `start` is not a round, or `every` not a length of time.
    """
    given = on_disk(answer_input(source), progress)
    with given.naming() if isinstance(given, InputFiles) else nullcontext():
        part = after or ReadPart()
        preset = preset_of(given, columns, log, encoding=encoding, table=table)
        rows = AnswerRows(
            fields=AnswerFields(columns=columns, log=preset),
            skip_bad=skip_bad,
            given=table,
            normalize=normalize,
        )
        logs: list[LogPreset | None] = [preset]
        if isinstance(given, InputFiles):
            paths = [file.path for file in given.files]
            named = log is not None
            logs = presets_of_files(paths, preset, named=named, encoding=encoding, table=table)
        found = _Read(
            given, rows, part, logs, find_rounds=find_rounds, every=every, time_zone=time_zone
        )
        found.read(encoding=encoding, progress=progress)
        return found.answers(start=start, encoding=encoding, keeps_part=after is not None)


@dataclass(eq=False)
class _Read:
    """An input as it is read: all of it, or what stands behind what was read before."""

    given: AnswerInput
    rows: AnswerRows
    before: ReadPart
    logs: Sequence[LogPreset | None]
    find_rounds: bool
    every: str | None
    time_zone: str | None
    hasher: Hasher | None = None

    @property
    def name(self) -> str:
        """Name of the input, for messages."""
        return "the table" if isinstance(self.given, pl.DataFrame) else self.given.name

    @property
    def _lines(self) -> Path | None:
        """The only file, if its rows are lines."""
        if isinstance(self.given, pl.DataFrame) or len(self.given.files) != 1:
            return None
        path = self.given.files[0].path
        return path if is_lines(path) else None

    @property
    def goes_on(self) -> bool:
        """Whether only what stands behind is read."""
        return self.hasher is not None and self.before.beginning is not None

    def read(self, *, encoding: str, progress: Progress) -> None:
        """Read all rows."""
        path, columns = self._lines, self.rows.fields.columns
        if path is not None and self.before.names and is_empty(path):
            # After its log was rotated, before the first answer.
            self.before = self.before.of_empty_file()
        if path is not None and self.before.beginning and _can_go_on(path, columns, encoding):
            self.hasher = self.before.beginning.hasher_of(path)
        if isinstance(self.given, pl.DataFrame):
            self.rows.begin(self.name, {})
            self.rows.add_table(self.given, encoding=encoding, progress=progress)
            return
        if self.goes_on:
            self.rows.go_on(self.before)
        behind = self.before.beginning if self.goes_on else None
        shares = _shares(progress, self.given)
        for file, log, seen in zip(self.given.files, self.logs, shares, strict=True):
            self.rows.begin(_shown(file, alone=len(self.given.files) == 1), file.partitions, log)
            if is_lines(file.path):
                if self.rows.given is not None:
                    check_format(self.rows.given, file.path)
                self.rows.add_lines(file.path, encoding=encoding, progress=seen, behind=behind)
            else:
                self.rows.add_table(file.path, encoding=encoding, progress=seen)

    def answers(self, *, start: str | None, encoding: str, keeps_part: bool) -> Answers:
        """Return the answers in the order of their rounds."""
        rows, part = self.rows, self.before
        frame = rows.frame()
        if frame.is_empty() and not self.goes_on:
            why = f"{self._why()}{self._other_log(encoding)}"
            raise DataError(f"{self.name}: holds no answer that can be used; {why}")
        self._check_named(frame)
        frame = self._with_times_alike(frame)
        vectors = rows.vectors_of(frame)
        frame, found = self._with_rounds(frame)
        if vectors is not None and vectors.shape[1] == 0 and not self.goes_on:
            column = rows.fields.columns.vectors
            raise DataError(f"{self.name}: no answer has a vector at {column!r}")
        if vectors is not None:
            vectors = vectors[frame["index"].to_numpy()]
        if frame.is_empty() and not self.goes_on:
            raise DataError(f"{self.name}: holds no answer that can be used; {self._why()}")
        labels = list(dict.fromkeys((*part.labels, *frame["by"].unique(maintain_order=True))))
        every = self.every if found is None else found.every
        named = found is None or found.is_named
        zone = self.time_zone if named or every is not None else None
        order = round_order(labels, every=every, time_zone=zone)
        check_order(part.names, order.names)
        first = _first(order, start)
        numbers = frame["by"].replace_strict(order.places, return_dtype=pl.Int64) - (first - 1)
        frame = frame.with_columns(round=numbers).drop("by", "place", "file", "index")
        places = np.argsort(numbers.to_numpy(), kind="stable")
        places = places[int(np.searchsorted(numbers.to_numpy()[places], 1)) :]
        picked = None if vectors is None else vectors[places]
        read = replace(
            self._part(frame, order, labels, found, periods=every is not None),
            before=len(frame) - len(places),
        )
        if keeps_part and self._lines is not None:
            hasher = self.hasher or Hasher()
            read = replace(read, beginning=hasher.beginning(self._lines, rows.bytes))
        if self.goes_on:
            read = part.followed_by(read)
        names = order.names[first - 1 :]
        sizes = np.bincount(numbers.to_numpy()[places], minlength=len(names) + 1)[1:].tolist()
        counted = [] if self.goes_on else sizes
        notes = [*self._log_notes(), *(round_notes(found, counted) if found else ())]
        return Answers(
            self.name,
            names,
            frame[places],
            picked,
            rows.bad,
            (self._source(read, order, notes, encoding=encoding), *self._vector_source()),
            read,
            continued=self.goes_on,
            log=self._log_name(),
            documents=None if rows.fields.columns.retrieved is None else rows.documents.frame(),
        )

    def _check_named(self, frame: pl.DataFrame) -> None:
        """Refuse columns that no answer of a log has; those of a table were looked for before."""
        if self.rows.fields.log is None or self.goes_on:
            return
        columns = self.rows.fields.columns
        named = {**columns.labels, **{f"value {name}": name for name in columns.values}}
        for what, name in named.items():
            if frame[what].null_count() == len(frame):
                takes = f"takes a path that the log has, or one of {', '.join(LOG_ROLES)}"
                raise DataError(f"{self.name}: no answer has --{what.split()[0]} {name}; {takes}")

    def _with_times_alike(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return times of several tools in one form: some write dates, others count seconds."""
        names = [None if log is None else log.name for log in self.logs]
        if len(set(names)) < 2 or self.rows.fields.columns.by not in (None, "time"):
            return frame
        of_answers = pl.Series(names)[frame["file"] - 1]
        for name in set(names):
            is_of = of_answers == name
            labels = frame["by"].filter(is_of).drop_nulls().unique().to_list()
            times = {
                label: f"{time.isoformat()}Z"
                for label, time in zip(labels, epoch_times(labels), strict=True)
                if time is not None
            }
            spelled = pl.when(is_of).then(pl.col("by").replace(times)).otherwise(pl.col("by"))
            frame = frame.with_columns(by=spelled)
        return frame

    def _other_log(self, encoding: str) -> str:
        """Return a hint if the log looks like that of another tool than it is read as."""
        log = self.rows.fields.log
        if log is None:
            return ""
        other = recognised(first_records(self.given, encoding=encoding, table=self.rows.given))
        if other is None or other.name == log.name:
            return ""
        looks = f"looks like one of {other.title} (--log {other.name})"
        return f"; it was read as a log of {log.title}, but {looks}"

    def _why(self) -> str:
        reasons = [f"{self.rows.bad.total} rows were bad"] if self.rows.bad.total else []
        reasons += [f"{number:,} are {reason}" for reason, number in self.rows.left_out.items()]
        return ", ".join(reasons) or "no row has any content"

    def _with_rounds(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, FoundRounds | None]:
        """Return the answers with the label of their round, and how it was found."""
        frame = frame.with_row_index("index")
        columns = self.rows.fields.columns
        if columns.by is None and not self.find_rounds:
            return frame.with_columns(by=pl.lit("1")), None
        if columns.by is not None and self.rows.fields.log is None:
            return frame, None
        known = self.before.found_rounds
        search = RoundSearch(
            frame=frame,
            files=self._file_names(),
            every=self.every,
            time_zone=self.time_zone,
            named=frozenset(columns.labels),
            before=self.before.answers if self.goes_on else 0,
            known=None if known is None else FoundRounds.of(known),
        )
        found = search.found()
        frame, without = search.with_rounds(found)
        self.rows.left_out += without
        return frame, found

    def _file_names(self) -> Sequence[str]:
        if isinstance(self.given, pl.DataFrame):
            return (self.name,)
        return [file.name for file in self.given.files]

    def _part(
        self,
        frame: pl.DataFrame,
        order: RoundOrder,
        labels: list[str],
        found: FoundRounds | None,
        *,
        periods: bool,
    ) -> ReadPart:
        """Return what was read."""
        rows = self.rows
        groups = frame["group"].drop_nulls() if "group" in frame.columns else pl.Series([""])[:0]
        return ReadPart(
            names=order.names,
            labels=order_labels(labels, order.places, periods=periods),
            rows=rows.read,
            answers=len(frame),
            dimensions=rows.dimensions,
            bad=rows.bad.total,
            first_bad=tuple(rows.bad.first),
            left_out=dict(rows.left_out),
            groups=tuple(groups.unique(maintain_order=True)),
            empty={
                name: frame[name].null_count()
                for name in frame.columns
                if name.startswith("value ")
            },
            notes=tuple(dict.fromkeys(rows.notes)),
            found_rounds=None if found is None else found.to_dict(),
        )

    def _log_name(self) -> str | None:
        """Return the name of the preset of all files; None for tables, and where there are more."""
        names = {None if one is None else one.name for one in self.logs}
        return names.pop() if len(names) == 1 else None

    def _log_notes(self) -> Iterator[Note]:
        message = translatable("{file} is read as a log of {title} (--log {log})")
        files: dict[str, list[str]] = {}
        for log, name in zip(self.logs, self._file_names(), strict=True):
            if log is not None:
                files.setdefault(log.name, []).append(name)
        known = {log.name: log for log in self.logs if log is not None}
        for name, held in files.items():
            more = len(held) - 1
            some = f"{held[0]} and {more:,} more file{'s' if more > 1 else ''}"
            file = self.name if len(files) == 1 else some if more else held[0]
            yield Note(message, file=file, title=known[name].title, log=name)

    def _source(
        self, read: ReadPart, order: RoundOrder, notes: Sequence[Note], *, encoding: str
    ) -> Source:
        rows = self.rows
        left_out = Counter(read.left_out)
        left_out[translatable("rows that cannot be used")] += rows.bad.total
        left_out[translatable("answers before the first round")] += read.before
        names_rounds = rows.fields.columns.by is not None or read.found_rounds is not None
        fields: dict[str, Any] = {
            "column": ", ".join(rows.fields.columns.wanted) or None,
            "encoding": encoding,
            "sheet": rows.sheet,
            "rows": rows.read,
            "normalization": rows.normalize,
            "left_out": tuple(LeftOut(reason, n) for reason, n in left_out.items() if n),
            "notes": (
                *([] if isinstance(self.given, pl.DataFrame) else self.given.notes),
                *read.notes,
                *notes,
                *(order.notes if names_rounds else ()),
                *part_notes(read),
            ),
        }
        if isinstance(self.given, pl.DataFrame):
            return Source("table in memory", **fields)
        return _source_of(self.given, sha256=read.hash_of(self._lines), **fields)

    def _vector_source(self) -> tuple[Source, ...]:
        return Source.files(("vectors", self.rows.fields.columns.vector_file))


def _shown(file: InputFile, *, alone: bool) -> str:
    """Return the name of a file for messages."""
    return file.shown if alone else file.name


def _source_of(inputs: InputFiles, **fields: Any) -> Source:
    paths = [file.path for file in inputs.files]
    if len(paths) == 1:
        return replace(Source.of(paths[0], **fields), name=inputs.name)
    whole = [path.resolve() for path in paths]
    folder = os.path.commonpath([path.parent for path in whole])
    return replace(Source.of(folder, files=whole, **fields), name=inputs.name)


@dataclass(frozen=True)
class _Share(Progress):
    """Tells the progress of one file as a share of all."""

    progress: Progress
    before: int
    total: int

    @override
    def __call__(self, stage: str, done: float, total: float) -> None:
        self.progress(stage, self.before + done, self.total)


def _shares(progress: Progress, inputs: InputFiles) -> Iterator[Progress]:
    sizes = [file.path.stat().st_size for file in inputs.files]
    before = itertools.accumulate([0, *sizes[:-1]])
    return (_Share(progress, done, sum(sizes)) for done in before)


_MARK, _BLANKS = 64, b"\xef\xbb\xbf \t\r\n"


def _can_go_on(path: Path, columns: AnswerColumns, encoding: str) -> bool:
    """Return whether a file can grow at its end, line by line."""
    is_plain = path.suffix.lower() in LINES and check_encoding(encoding) == "utf-8-sig"
    if not is_plain or columns.vector_file is not None:
        return False
    with path.open("rb") as file:
        return not file.read(_MARK).lstrip(_BLANKS).startswith(b"[")


def _first(order: RoundOrder, start: str | None) -> int:
    if start is None:
        return 1
    found = order.number_of(start)
    if found is None:
        shown = f"{order.names[0]} … {order.names[-1]}"
        raise ArgumentError("from", got=start, takes=f"the name of a round: {shown}")
    return found
