"""Presets: where the answers of models are in the logs that tools export.

Each is a small file of ``presets/``: how such a log is recognised, which of its records count, and
the paths to time, text, model, prompt and group, the first of which that holds something is taken.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any, TypeAlias

from hayflick.core.errors import ArgumentError
from hayflick.core.notes import translatable
from hayflick.corpus.logs.telemetry import plain_telemetry
from hayflick.corpus.messages import (
    answer_messages,
    calls_tools,
    is_filtered,
    is_hidden,
    prompt_of,
    text_of,
    value_inside,
)
from hayflick.corpus.paths import FieldPath

_Paths: TypeAlias = tuple[FieldPath, ...]

CALLS_OF_TOOLS = translatable("tool calls without text")
FILTERED = translatable("answers that were refused, or stopped by a content filter")
HIDDEN = translatable("answers that the tool was told to hide")
WHOLES = translatable("records whose parts are counted")
NO_ANSWER = translatable("records without an answer")
REASONS = frozenset(
    {
        translatable("calls that failed"),
        translatable("calls that do not ask for text"),
        translatable("documents whose answers are given"),
        translatable("further filters of the same answers"),
        translatable("observations that are not generations"),
        translatable("runs that are not model calls"),
        translatable("spans and events that are not model calls"),
        translatable("spans that are not model calls"),
    }
)
"""What records of presets are that do not count; here, so that the catalogues find them."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What the records of a log have that count.

    Parameters
    ----------
    paths
        The cells that are looked at: those of the first path that leads to any. A record without
        them counts, unless `required`.
    wanted, unwanted
        What a cell must, or must not, be; compared as text without regard to case.
    reason
        What records are that do not count, such as ``calls that failed``: one of `REASONS`.
    required
        Whether a record without the cells does not count.
    per
        What several records are about that differ in the cells: only those with the cells of the
        first one count. Empty for records that are looked at each for itself.
    """

    paths: _Paths
    reason: str
    wanted: frozenset[str] = frozenset()
    unwanted: frozenset[str] = frozenset()
    required: bool = False
    per: _Paths = ()

    def holds(self, record: Mapping[str, Any], seen: dict[str, str]) -> bool:
        """Return whether a record counts, beside others that were seen."""
        cells = next(filter(None, (path.cells(record) for path in self.paths)), [])
        if not cells:
            return not self.required
        if self.per:
            about = str([_spelled(cell) for path in self.per for cell in path.cells(record)])
            return seen.setdefault(about, _spelled(cells[0])) == _spelled(cells[0])
        spelled = [_spelled(cell) for cell in cells]
        if self.wanted and not self.wanted.intersection(spelled):
            return False
        return not self.unwanted.intersection(spelled)


def _spelled(cell: Any) -> str:
    """Return a cell as it is compared: as text; what is nested by its kind, unless it is empty."""
    if isinstance(cell, (dict, list)) and len(cell) > 0:
        return type(cell).__name__
    # Where some rows have none, tables write numbers such as 200.0.
    return str(cell).casefold().removesuffix(".0")


@dataclass(frozen=True, kw_only=True)
class Sign:
    """A cell by which a log is recognised.

    Parameters
    ----------
    paths
        Where it is.
    begins
        What it begins with: one of these.
    """

    paths: _Paths
    begins: tuple[str, ...]

    def is_in(self, record: Mapping[str, Any]) -> bool:
        """Return whether a record has such a cell."""
        cells = (cell for path in self.paths for cell in path.cells(record))
        return any(isinstance(cell, str) and cell.startswith(self.begins) for cell in cells)


@dataclass(frozen=True, kw_only=True)
class LogAnswer:
    """An answer in a log.

    Parameters
    ----------
    text, prompt, model, group
        What was answered, to what, and by whom; None where the log does not say.
    time
        When: a text or a number; None where the log does not say.
    record
        The record that it is in.
    """

    text: str
    time: Any
    prompt: str | None
    model: str | None
    group: str | None
    record: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class LogPreset:
    """Where the answers are in the logs of one tool.

    Parameters
    ----------
    name
        Its name on the command line.
    title
        The tool, and what is exported.
    documented_at
        Where the format is described.
    marks
        How a record is recognised: it has one of the cells of each.
    signs
        What else it must have: cells that begin with one of some texts.
    over
        Names of presets that recognise such records too, of which this one is a special form.
    records
        Where the records are inside a line; a line is one if this is empty, or leads nowhere.
    parts
        Cells that only records have which are parts of others. Where some file of an input has
        them, records of other files without them do not count.
    is_verbatim
        Whether texts are the answers as they are, also those that look like JSON.
    is_telemetry
        Whether records are spans and events as OpenTelemetry's tools write them: see
        `hayflick.corpus.logs.telemetry.plain_telemetry`.
    conditions
        What records count.
    time, text, model, prompt, group
        Where they are; the first path that holds something is taken, in the record, else in the
        line that it is in. The group is the model where this is empty.
    """

    name: str
    title: str
    documented_at: str
    marks: tuple[_Paths, ...]
    signs: tuple[Sign, ...] = ()
    over: frozenset[str] = frozenset()
    records: _Paths = ()
    parts: _Paths = ()
    is_verbatim: bool = False
    is_telemetry: bool = False
    conditions: tuple[Condition, ...] = ()
    time: _Paths = ()
    text: _Paths = ()
    model: _Paths = ()
    prompt: _Paths = ()
    group: _Paths = ()
    _seen: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def recognises(self, line: Mapping[str, Any]) -> bool:
        """Return whether a line looks as this tool writes it."""
        marked = all(any(path.is_in(line) for path in one) for one in self.marks)
        return marked and all(one.is_in(line) for one in self.signs)

    def afresh(self) -> LogPreset:
        """Return the preset for another log, of which no record was seen."""
        return replace(self)

    def has_parts(self, records: Sequence[Mapping[str, Any]]) -> bool:
        """Return whether some records are parts of others."""
        return any(path.cells(record) for path in self.parts for record in records)

    def without_wholes(self) -> LogPreset:
        """Return the preset that counts no records of which the parts count."""
        wholes = Condition(paths=self.parts, reason=WHOLES, required=True)
        return replace(self, conditions=(wholes, *self.conditions))

    def columns(self, names: Sequence[str]) -> list[str]:
        """Return the columns of a table that are looked at."""
        used = [*self.records, *self.time, *self.text, *self.model, *self.prompt, *self.group]
        used += [path for one in self.conditions for path in (*one.paths, *one.per)]
        used += [
            path for one in (*self.marks, *(sign.paths for sign in self.signs)) for path in one
        ]
        found = [name for path in used if (name := path.column_of(names)) is not None]
        if self.is_telemetry:
            # Names of attributes are numbered: attributes.llm.output_messages.0.message.content.
            begun = tuple(f"{path.text}." for path in used)
            found += [name for name in names if name.startswith(begun)]
        return list(dict.fromkeys(found))

    def answers(self, line: Mapping[str, Any]) -> Iterator[LogAnswer | str]:
        """Yield the answers in a line, and for each record without one the reason."""
        for record in self._records(line):
            failed = [one.reason for one in self.conditions if not one.holds(record, self._seen)]
            if failed:
                yield failed[0]
            else:
                yield from self._answers(record, line)

    def _records(self, line: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        cells = next(filter(None, (path.cells(line) for path in self.records)), [line])
        held = [value_inside(cell) if isinstance(cell, str) else cell for cell in cells]
        found = [one for cell in held for one in (cell if isinstance(cell, list) else [cell])]
        records = [one for one in found if isinstance(one, Mapping)]
        # An empty list, and one of their identifiers alone, holds no records.
        for record in records or (line,):
            yield plain_telemetry(record) if self.is_telemetry else record

    def _messages(self, cell: Any) -> Sequence[Mapping[str, Any]]:
        return [{"content": cell}] if self.is_verbatim else answer_messages(cell)

    def _answers(
        self, record: Mapping[str, Any], line: Mapping[str, Any]
    ) -> Iterator[LogAnswer | str]:
        outcomes: list[_Outcome] = []
        for path in self.text:
            found = [one for cell in path.cells(record) for one in self._messages(cell)]
            outcomes = [one for one in map(_outcome, found) if one is not None]
            if outcomes:
                break
        texts = [text for text, reason in outcomes if not reason]
        if texts:
            model = _name(_first(self.model, record, line))
            group = _name(_first(self.group, record, line)) or model
            prompt = next(
                filter(None, (prompt_of(path.cell(record)) for path in self.prompt)), None
            )
            time = _time(_first(self.time, record, line))
            for text in texts:
                yield LogAnswer(
                    text=text, time=time, prompt=prompt, model=model, group=group, record=record
                )
        yield from _left_out([reason for _, reason in outcomes])


_Outcome: TypeAlias = tuple[str, str]
"""The text of an answer and nothing, or nothing and why it does not count."""


def _outcome(message: Mapping[str, Any]) -> _Outcome | None:
    """Return what a message comes to; None if it says nothing."""
    if is_filtered(message):
        return "", FILTERED
    text = text_of(message)
    if text is not None and text.strip():
        return text, ""
    if calls_tools(message):
        return "", CALLS_OF_TOOLS
    return ("", HIDDEN) if is_hidden(message) else None


def _left_out(reasons: Sequence[str]) -> Iterator[str]:
    """Yield why answers of a record do not count: each that was filtered, or why there is none."""
    filtered = [FILTERED] * reasons.count(FILTERED)
    yield from filtered
    if not filtered and "" not in reasons:
        yield reasons[0] if reasons else NO_ANSWER


def _first(paths: _Paths, *records: Mapping[str, Any]) -> Any:
    cells = (path.cell(record) for record in records for path in paths)
    return next((cell for cell in cells if cell not in (None, "", [], {})), None)


def _time(cell: Any) -> Any:
    """Return a time, also from inside an object as MongoDB exports it; None for what is none."""
    while isinstance(cell, Mapping) and len(cell) == 1:
        (cell,) = cell.values()
    return None if isinstance(cell, (dict, list)) else cell


def _name(cell: Any) -> str | None:
    return None if cell is None or isinstance(cell, (list, dict)) else str(cell)


_FORMAT = 1


@cache
def presets() -> Mapping[str, LogPreset]:
    """Return all presets, by their names in alphabetical order."""
    folder = resources.files("hayflick.corpus.logs") / "presets"
    files = sorted(file.name for file in folder.iterdir() if file.name.endswith(".toml"))
    return {
        name.removesuffix(".toml"): _preset(
            name.removesuffix(".toml"), (folder / name).read_text("utf-8")
        )
        for name in files
    }


def preset_named(name: str) -> LogPreset:
    """Return a preset.

    Raises
    ------
    ArgumentError
        If there is none of this name.
    """
    known = presets()
    if name in known:
        return known[name].afresh()
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    remedy = f"did you mean {near[0]}?" if near else ""
    raise ArgumentError("log", got=name, takes=", ".join([*known, "none"]), remedy=remedy)


def _preset(name: str, text: str) -> LogPreset:
    given = tomllib.loads(text)
    if given["format_version"] != _FORMAT:
        raise ValueError(f"{name}: format_version {given['format_version']}, takes {_FORMAT}")
    roles = ("records", "parts", "time", "text", "model", "prompt", "group")
    return LogPreset(
        name=name,
        title=given["title"],
        documented_at=given["documented_at"],
        marks=tuple(_paths(one) for one in given["marks"]),
        over=frozenset(given.get("over", ())),
        signs=tuple(
            Sign(paths=_paths(one["cell"]), begins=tuple(one["begins"]))
            for one in given.get("signs", ())
        ),
        is_verbatim=given.get("verbatim", False),
        is_telemetry=given.get("telemetry", False),
        conditions=tuple(_condition(one) for one in given.get("counts", ())),
        **{role: _paths(given.get(role, ())) for role in roles},
    )


def _paths(texts: Sequence[str]) -> _Paths:
    return tuple(map(FieldPath, texts))


def _condition(given: Mapping[str, Any]) -> Condition:
    return Condition(
        paths=_paths(given["cell"]),
        reason=given["reason"],
        wanted=frozenset(str(one).casefold() for one in given.get("is", ())),
        unwanted=frozenset(str(one).casefold() for one in given.get("is_not", ())),
        required=given.get("required", False),
        per=_paths(given.get("per", ())),
    )
