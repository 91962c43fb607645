"""Let texts into a pool, or not: the verb, how its records are read, and what was decided."""

from __future__ import annotations

import json
import math
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self, TypeAlias, final

from hayflick.auditing.admission import Admission, AdmissionGate, Candidate
from hayflick.auditing.admission_rules import AdmissionRules
from hayflick.auditing.admission_summary import AdmissionRecord, AdmissionSummary
from hayflick.core.decompression import without_compression
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.output import check_not_input, check_writable
from hayflick.core.progress import Progress, silent
from hayflick.corpus.compression import content_suffix, opened
from hayflick.corpus.paths import FieldPath
from hayflick.corpus.table_format import TableFormat

LONGEST_LINE = 1 << 24
"""Largest number of bytes of a line of JSON."""

_Path: TypeAlias = str | os.PathLike[str]

_TABLES = (".csv", ".tsv", ".parquet", ".xlsx", ".xls", ".ods", ".txt")


def admit(
    texts: Iterable[str | Mapping[str, Any] | Candidate] | _Path,
    *,
    pool: Any = None,
    index: _Path | None = None,
    rules: AdmissionRules | _Path | None = None,
    text: str = "text",
    id: str | None = None,  # noqa: A002
    source: str | None = None,
    score: str | None = None,
    similarity: float | None = None,
    update: bool = False,
    force: bool = False,
    skip_bad: bool = False,
    encoding: str = "utf-8",
    table: TableFormat | None = None,
    progress: Progress = silent,
) -> Admissions:
    """Decide whether a pool takes texts: iterate over admit, quarantine or reject, with reasons.

    Texts are read one after the other as the decisions are taken from the iterator, in bounded
    memory; its `summary` is the result so far. A program that decides about single texts uses
    `AdmissionGate`.

    Parameters
    ----------
    texts
        Texts, records that have them in a column, or the path of a file of JSON lines.
    pool
        The texts of the pool, as of `AdmissionGate`; None for those of the index alone.
    index
        A file that keeps the index of the pool. Where it exists it is read, and the pool is only
        checked for changes; else it is written.
    rules
        What the pool takes, or the path of a TOML file of rules.
    text, id, source, score
        The columns of the text, its name, its source and its score, or paths into nested columns.
        The first three are those of the pool too.
    similarity
        Of near copies; None for that of the index, or 0.5.
    update
        Whether texts that are admitted are added to the pool, and to the index at the end.
    force
        Whether an index that exists is replaced by one of the pool.
    skip_bad
        Whether rows of the pool that cannot be used are skipped instead of refused.
    encoding, table
        Encoding of the pool, and what is known of its format; as of `hayflick.audit`.
    progress
        Is told how far the pool is indexed.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or there is neither a pool nor an index.
    DataError
        If the texts, the pool, the rules or the index cannot be read, or the pool has changed.
    OutputError
        If the index is an input, or cannot be written.

    Examples
    --------
    >>> pool = ["The cat sat on the mat and slept.", "A dog ran."]
    >>> answers = admit(["A bird flew by.", "a dog ran.", ""], pool=pool)
    >>> for answer in answers:
    ...     print(answer.decision, [one.reason for one in answer.reasons])
    admit []
    reject ['exact-copy']
    reject ['empty']
    >>> answers.summary.decisions
    {'admit': 1, 'quarantine': 0, 'reject': 2}
    """
    columns = CandidateColumns(text, id, source, score)
    path = Path(texts) if isinstance(texts, (str, os.PathLike)) else None
    if path is not None:
        check_lines(path)
    gate = open_gate(
        pool=pool,
        index=index,
        rules=rules,
        columns=columns,
        similarity=similarity,
        force=force,
        inputs=[path],
        skip_bad=skip_bad,
        encoding=encoding,
        table=table,
        progress=progress,
    )
    if isinstance(texts, (str, os.PathLike)):
        candidates = _of_file(Path(texts), columns)
    else:
        candidates = (one if isinstance(one, Candidate) else columns.read(one) for one in texts)
    record = AdmissionRecord(
        gate,
        name="the texts" if path is None else path.name,
        columns=asdict(columns),
        update=update,
    )
    return Admissions(record, candidates, index)


@final
class Admissions(Iterator[Admission]):
    """Decisions about texts, each taken as it is asked for, and their summary.

    Parameters
    ----------
    record
        The gate, and what it has decided so far.
    candidates
        The texts.
    index
        Where the index of the pool is written at the end, if texts were added; None for nowhere.
    """

    def __init__(
        self, record: AdmissionRecord, candidates: Iterable[Candidate], index: _Path | None
    ) -> None:
        self._record = record
        self._decided = self._decisions(candidates, index)

    def _decisions(
        self, candidates: Iterable[Candidate], index: _Path | None
    ) -> Iterator[Admission]:
        try:
            yield from self._record.decide(candidates)
        finally:
            if index is not None and self._record.has_grown:
                self._record.gate.save(index)

    def __iter__(self) -> Self:
        """Return the decisions that are still to come."""
        return self

    def __next__(self) -> Admission:
        """Return the decision about the next text."""
        return next(self._decided)

    @property
    def summary(self) -> AdmissionSummary:
        """What was decided so far."""
        return self._record.summary()

    def finish(self) -> AdmissionSummary:
        """Decide about all other texts, and return the summary."""
        deque(self, maxlen=0)
        return self.summary


@dataclass(frozen=True)
class CandidateColumns:
    """The columns of a record, or paths into nested ones.

    Parameters
    ----------
    text, id, source, score
        Of the text, its name, its source and its score; None for none.
    """

    text: str = "text"
    id: str | None = None
    source: str | None = None
    score: str | None = None

    def of_line(self, line: bytes) -> Candidate:
        """Return the text of a line of JSON: of an object, or the line's only string."""
        try:
            record = json.loads(line.decode("utf-8-sig"))
        except UnicodeDecodeError:
            return Candidate(None, problem="is not in UTF-8")
        except json.JSONDecodeError as fault:
            return Candidate(None, problem=f"is no JSON ({fault.msg})")
        except RecursionError:
            return Candidate(None, problem="is nested too deeply")
        except ValueError:
            return Candidate(None, problem="holds a number of too many digits")
        return self.read(record)

    def read(self, record: Any) -> Candidate:
        """Return the text of a record, or the reason why it has none."""
        if isinstance(record, str):
            return Candidate(record)
        if not isinstance(record, Mapping):
            return Candidate(None, problem="is no text and no record")
        text = FieldPath(self.text).cell(record)
        name, source = _name(record, self.id), _name(record, self.source)
        if not isinstance(text, str):
            problem = f"has no text in {self.text!r}"
            return Candidate(None, source=source, id=name, problem=problem)
        score = None if self.score is None else FieldPath(self.score).cell(record)
        if score is not None and not _is_number(score):
            problem = f"has no number in {self.score!r}"
            return Candidate(None, source=source, id=name, problem=problem)
        return Candidate(text, source, None if score is None else float(score), name)


def _name(record: Mapping[str, Any], column: str | None) -> str | None:
    cell = None if column is None else FieldPath(column).cell(record)
    return None if cell is None else str(cell)


def _is_number(value: object) -> bool:
    try:
        return not isinstance(value, (bool, str)) and math.isfinite(value)  # type: ignore[arg-type]
    except (TypeError, OverflowError):
        return False


def check_lines(path: Path) -> None:
    """Refuse a file that has no lines of JSON by its name.

    Raises
    ------
    ArgumentError
        If it is a table of another kind.
    """
    if content_suffix(path) in _TABLES:
        takes = "a file of JSON lines, .jsonl or .ndjson, or records in Python"
        raise ArgumentError("texts", got=str(path), takes=takes)


@contextmanager
def opened_lines(path: Path) -> Iterator[BinaryIO]:
    """Open a file of JSON lines, which may be compressed.

    Raises
    ------
    ArgumentError
        If it is a table of another kind.
    DataError
        If it cannot be read.
    """
    check_lines(path)
    if without_compression(path) != path:
        with opened(path) as (file, _):
            yield file
        return
    try:
        with open(path, "rb") as file:
            yield file
    except OSError as fault:
        raise DataError(f"{path}: cannot be read ({fault.strerror or fault})") from None


def _of_file(path: Path, columns: CandidateColumns) -> Iterator[Candidate]:
    with opened_lines(path) as file:
        for line in file:
            if line.strip():
                yield columns.of_line(line)


def _check_columns(rules: AdmissionRules | None, columns: CandidateColumns) -> None:
    """Refuse limits on what no column has."""
    if rules is None:
        return
    if rules.max_score is not None and columns.score is None:
        takes = "the column of the scores with it (score)"
        raise ArgumentError("max_score", got=rules.max_score, takes=takes)
    if rules.max_source_share is not None and columns.source is None:
        takes = "the column of the sources with it (source)"
        raise ArgumentError("max_source_share", got=rules.max_source_share, takes=takes)


def open_gate(
    *,
    pool: Any,
    index: _Path | None,
    rules: AdmissionRules | _Path | None,
    columns: CandidateColumns,
    similarity: float | None,
    force: bool,
    inputs: Sequence[_Path | None] = (),
    skip_bad: bool = False,
    encoding: str = "utf-8",
    table: TableFormat | None = None,
    progress: Progress,
) -> AdmissionGate:
    """Return the gate of a pool, by its index where there is one; see `admit`.

    The index is none of the `inputs`.
    """
    if index is not None:
        given = [pool, rules, *inputs]
        check_not_input(Path(index), [one for one in given if isinstance(one, str | os.PathLike)])
    if rules is not None and not isinstance(rules, AdmissionRules):
        rules = AdmissionRules.from_toml(rules)
    _check_columns(rules, columns)
    if pool is None and index is None:
        takes = "the texts of the pool, or an index of them"
        raise ArgumentError("pool", got="nothing", takes=takes)
    if index is not None and Path(index).exists() and not (force and pool is not None):
        gate = AdmissionGate.load(index, rules=rules)
        if pool is not None:
            gate.check_pool(pool, index)
        if similarity not in (None, gate.similarity):
            remedy = "index the pool anew with --force"
            takes = f"that of the index, {gate.similarity}"
            raise ArgumentError("similarity", got=similarity, takes=takes, remedy=remedy)
        return gate
    if pool is None:
        raise DataError(f"{index}: there is no such index; make it of a pool")
    if index is not None:
        check_writable(Path(index), force=force)
    gate = AdmissionGate(
        pool,
        rules=rules,
        text=columns.text,
        id=columns.id,
        source=columns.source,
        similarity=0.5 if similarity is None else similarity,
        skip_bad=skip_bad,
        encoding=encoding,
        table=table,
        progress=progress,
    )
    if index is not None:
        gate.save(index)
    return gate
