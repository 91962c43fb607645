"""What is read of a record of answers: text, round, group, prompt and further columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from hayflick.core.errors import ArgumentError
from hayflick.corpus.logs.preset import LogAnswer, LogPreset
from hayflick.corpus.paths import FieldPath


@dataclass(frozen=True, kw_only=True)
class AnswerColumns:
    """The columns of a table to read: names, or paths into nested columns.

    Parameters
    ----------
    text
        The answer; None if there are only vectors or values, or the log says where it is.
    by
        The round: a number, a time or a name; None if all answers are one round, or rounds are
        found (`hayflick.corpus.answers.read_answers`).
    group
        The model or agent that answered; None for no groups.
    prompt
        The prompt; None if all answers have the same.
    values
        Further columns of numbers to watch, one number per answer.
    vectors
        A column of lists of numbers, or the path of a ``.npy`` file with a row per answer.
    retrieved
        A column of lists of what was retrieved for an answer; None for none.

    Raises
    ------
    ArgumentError
        If the column of rounds has no name, or a value is named twice.
    """

    by: str | None
    text: str | None = None
    group: str | None = None
    prompt: str | None = None
    values: tuple[str, ...] = ()
    vectors: str | None = None
    retrieved: str | None = None

    def __post_init__(self) -> None:
        if self.by == "":
            takes = "the column that says which round an answer belongs to"
            raise ArgumentError("by", got="nothing", takes=takes)
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
        retrieved = () if self.retrieved is None else (self.retrieved,)
        return tuple(dict.fromkeys((*self.labels.values(), *self.values, *vectors, *retrieved)))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to measure: neither text nor vectors nor values."""
        return self.text is None and self.vectors is None and not self.values

    @property
    def vector_file(self) -> str | None:
        """The path of the ``.npy`` file; None without one."""
        return None if self.vectors is None or self.vector_column is not None else self.vectors

    @property
    def vector_column(self) -> str | None:
        """The column of lists; None without vectors, or if they are in a file."""
        named = self.vectors
        return None if named is None or named.endswith(".npy") else named


Cells: TypeAlias = Mapping[str, Any]
"""The cells of an answer: ``by``, ``text``, ``group``, ``prompt``, ``vector``, ``retrieved``,
``value NAME``."""


@dataclass(frozen=True, kw_only=True)
class AnswerFields:
    """The cells of the answers in a record, which may be one of an exported log.

    Parameters
    ----------
    columns
        The columns that a user named.
    log
        Where the answers are in the log that the records are of; None for a table. A column of
        `columns` comes before it. Text, round, group and prompt that `columns` does not name are
        found by it.

    Examples
    --------
    >>> fields = AnswerFields(columns=AnswerColumns(by="at", text="reply.text"))
    >>> list(fields.answers({"at": 3, "reply": {"text": "Yes"}}))
    [{'by': 3, 'text': 'Yes'}]
    """

    columns: AnswerColumns
    log: LogPreset | None = None

    @cached_property
    def roles(self) -> tuple[str, ...]:
        """The columns of text that an answer may have."""
        if self.log is None:
            return tuple(self.columns.labels)
        return ("by", "text", "group", "prompt")

    @cached_property
    def _paths(self) -> Mapping[str, FieldPath]:
        return {what: FieldPath(name) for what, name in self.columns.labels.items()}

    @cached_property
    def _numbers(self) -> Mapping[str, FieldPath]:
        named = {f"value {name}": name for name in self.columns.values}
        if self.columns.vector_column is not None:
            named["vector"] = self.columns.vector_column
        if self.columns.retrieved is not None:
            named["retrieved"] = self.columns.retrieved
        return {what: FieldPath(name) for what, name in named.items()}

    @cached_property
    def _all(self) -> Mapping[str, FieldPath]:
        return {**self._paths, **self._numbers}

    @cached_property
    def paths(self) -> tuple[FieldPath, ...]:
        """The paths that a user named, each once."""
        return tuple(dict.fromkeys(self._all.values()))

    def answers(self, record: Mapping[str, Any]) -> Iterator[Cells | str]:
        """Yield the cells of each answer in a record, and for what is none in a log the reason."""
        if self.log is None:
            cells = {what: path.cell(record) for what, path in self._all.items()}
            yield cells if self.columns.retrieved is None else cells | self._listed(record)
            return
        for found in self.log.answers(record):
            yield found if isinstance(found, str) else self._of_log(found, record)

    def _of_log(self, found: LogAnswer, line: Mapping[str, Any]) -> Cells:
        known = {"by": found.time, "text": found.text, "group": found.group, "prompt": found.prompt}
        named = {"time": found.time, "model": found.model, **known}

        def cell(path: FieldPath) -> Any:
            for record in (found.record, line):
                if path.is_in(record):
                    return path.cell(record)
            # Of a log, the names of roles are names of columns.
            return named.get(path.text)

        cells = known | {what: cell(path) for what, path in self._all.items()}
        if self.columns.retrieved is None:
            return cells
        return cells | self._listed(found.record, line)

    def _listed(self, *records: Mapping[str, Any]) -> dict[str, Any]:
        """Return what was retrieved: texts that a path leads to are a list, not parts of one."""
        path = self._all["retrieved"]
        record = next((one for one in records if path.is_in(one)), {})
        found = path.cells(record)
        alone = len(found) == 1 and "*" not in path.steps
        return {"retrieved": found[0] if alone else found}
