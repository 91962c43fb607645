"""Let texts into a pool, or not: the verb, and how its records are read."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from hayflick.auditing.admission import Admission, AdmissionGate, Candidate
from hayflick.auditing.admission_rules import AdmissionRules
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.output import check_not_input, check_writable
from hayflick.core.progress import Progress, silent
from hayflick.corpus.paths import FieldPath

LONGEST_LINE = 1 << 24
"""Largest number of bytes of a line of JSON."""

_Path: TypeAlias = str | os.PathLike[str]


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
    progress: Progress = silent,
) -> Iterator[Admission]:
    """Decide whether a pool takes texts: yield admit, quarantine or reject for each, with reasons.

    Texts are read one after the other as the decisions are taken from the iterator, in bounded
    memory. A program that decides about single texts uses `AdmissionGate`.

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
    progress
        Is told how far the pool is indexed.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or there is neither a pool nor an index.
    DataError
        If the pool, the rules or the index cannot be read, or the pool has changed.
    OutputError
        If the index cannot be written.

    Examples
    --------
    >>> pool = ["The cat sat on the mat and slept.", "A dog ran."]
    >>> for answer in admit(["A bird flew by.", "a dog ran.", ""], pool=pool):
    ...     print(answer.decision, [one.reason for one in answer.reasons])
    admit []
    reject ['exact-copy']
    reject ['empty']
    """
    columns = CandidateColumns(text, id, source, score)
    gate = open_gate(
        pool=pool,
        index=index,
        rules=rules,
        columns=columns,
        similarity=similarity,
        force=force,
        progress=progress,
    )
    if isinstance(texts, (str, os.PathLike)):
        candidates = _of_file(Path(texts), columns)
    else:
        candidates = (one if isinstance(one, Candidate) else columns.read(one) for one in texts)
    return _decisions(gate, candidates, index, update=update)


def _decisions(
    gate: AdmissionGate, candidates: Iterable[Candidate], index: _Path | None, *, update: bool
) -> Iterator[Admission]:
    before = len(gate)
    try:
        yield from gate.decide_all(candidates, update=update)
    finally:
        if index is not None and len(gate) > before:
            gate.save(index)


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


def _of_file(path: Path, columns: CandidateColumns) -> Iterator[Candidate]:
    try:
        with open(path, "rb") as file:
            for line in file:
                if line.strip():
                    yield columns.of_line(line)
    except OSError as fault:
        raise DataError(f"{path}: cannot be read ({fault.strerror})") from None


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
    progress: Progress,
) -> AdmissionGate:
    """Return the gate of a pool, by its index where there is one; see `admit`."""
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
        if isinstance(pool, (str, os.PathLike)):
            check_not_input(Path(index), [pool])
        check_writable(Path(index), force=force)
    gate = AdmissionGate(
        pool,
        rules=rules,
        text=columns.text,
        id=columns.id,
        source=columns.source,
        similarity=0.5 if similarity is None else similarity,
        progress=progress,
    )
    if index is not None:
        gate.save(index)
    return gate
