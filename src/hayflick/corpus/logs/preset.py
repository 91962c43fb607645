"""Presets: where the answers of models are in the logs that tools export.

Each is a small file of ``presets/``: how such a log is recognised, which of its records count, and
the paths to time, text, model, prompt and group, the first of which that holds something is taken.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, TypeAlias

from hayflick.core.errors import ArgumentError
from hayflick.corpus.messages import answer_messages, calls_tools, prompt_of, text_of
from hayflick.corpus.paths import FieldPath

_Paths: TypeAlias = tuple[FieldPath, ...]

CALLS_OF_TOOLS = "calls of tools without text"
NO_ANSWER = "records without an answer"


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What the records of a log have that count.

    Parameters
    ----------
    path
        The cell that is looked at; a record without it counts, unless `required`.
    wanted, unwanted
        What the cell must, or must not, be; compared as text without regard to case.
    reason
        What records are that do not count, such as ``calls that failed``.
    required
        Whether a record without the cell does not count.
    """

    path: FieldPath
    reason: str
    wanted: frozenset[str] = frozenset()
    unwanted: frozenset[str] = frozenset()
    required: bool = False

    def holds(self, record: Mapping[str, Any]) -> bool:
        """Return whether a record counts."""
        cells = [str(cell).casefold() for cell in self.path.cells(record)]
        if not cells:
            return not self.required
        if self.wanted and not self.wanted.intersection(cells):
            return False
        return not self.unwanted.intersection(cells)


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
    over
        Names of presets that recognise such records too, of which this one is a special form.
    records
        Where the records are inside a line; a line is one if this is empty.
    conditions
        What records count.
    time, text, model, prompt, group
        Where they are; the first path that holds something is taken. The group is the model where
        this is empty.
    """

    name: str
    title: str
    documented_at: str
    marks: tuple[_Paths, ...]
    over: frozenset[str] = frozenset()
    records: _Paths = ()
    conditions: tuple[Condition, ...] = ()
    time: _Paths = ()
    text: _Paths = ()
    model: _Paths = ()
    prompt: _Paths = ()
    group: _Paths = ()

    def recognises(self, line: Mapping[str, Any]) -> bool:
        """Return whether a line looks as this tool writes it."""
        return all(any(path.is_in(line) for path in one) for one in self.marks)

    def columns(self, names: Sequence[str]) -> list[str]:
        """Return the columns of a table that are looked at."""
        used = [*self.records, *(condition.path for condition in self.conditions)]
        used += [*self.time, *self.text, *self.model, *self.prompt, *self.group]
        used += [path for one in self.marks for path in one]
        found = (path.column_of(names) for path in used)
        return list(dict.fromkeys(name for name in found if name is not None))

    def answers(self, line: Mapping[str, Any]) -> Iterator[LogAnswer | str]:
        """Yield the answers in a line, and for each record without one the reason."""
        for record in self._records(line):
            failed = next((one.reason for one in self.conditions if not one.holds(record)), None)
            if failed is not None:
                yield failed
            else:
                yield from self._answers(record)

    def _records(self, line: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        if not self.records:
            yield line
        for path in self.records:
            for found in path.cells(line):
                yield from (one for one in _listed(found) if isinstance(one, Mapping))

    def _answers(self, record: Mapping[str, Any]) -> Iterator[LogAnswer | str]:
        messages: list[Mapping[str, Any]] = []
        for path in self.text:
            cell = path.cell(record)
            messages = [] if cell is None else answer_messages(cell)
            if any(text_of(message) is not None for message in messages):
                break
        model = _name(_first(self.model, record))
        group = _name(_first(self.group, record)) or model
        prompt = next(filter(None, (prompt_of(path.cell(record)) for path in self.prompt)), None)
        time = _first(self.time, record)
        found = False
        for message in messages:
            text = text_of(message)
            if text is not None and text.strip():
                found = True
                yield LogAnswer(
                    text=text, time=time, prompt=prompt, model=model, group=group, record=record
                )
        if not found:
            yield CALLS_OF_TOOLS if any(map(calls_tools, messages)) else NO_ANSWER


def _listed(found: Any) -> Sequence[Any]:
    return found if isinstance(found, list) else (found,)


def _first(paths: _Paths, record: Mapping[str, Any]) -> Any:
    cells = (path.cell(record) for path in paths)
    return next((cell for cell in cells if cell not in (None, "")), None)


def _name(cell: Any) -> str | None:
    return None if cell is None or isinstance(cell, (list, dict)) else str(cell)


_FORMAT = 1


@cache
def presets() -> Mapping[str, LogPreset]:
    """Return all presets, by their names in alphabetical order."""
    folder = resources.files("hayflick.corpus.logs") / "presets"
    files = sorted(file.name for file in folder.iterdir() if file.name.endswith(".toml"))
    return {
        name.removesuffix(".toml"): _preset(name.removesuffix(".toml"), (folder / name).read_text())
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
        return known[name]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    remedy = f"did you mean {near[0]}?" if near else ""
    raise ArgumentError("log", got=name, takes=", ".join([*known, "none"]), remedy=remedy)


def _preset(name: str, text: str) -> LogPreset:
    given = tomllib.loads(text)
    if given["format_version"] != _FORMAT:
        raise ValueError(f"{name}: format_version {given['format_version']}, takes {_FORMAT}")
    roles = ("records", "time", "text", "model", "prompt", "group")
    return LogPreset(
        name=name,
        title=given["title"],
        documented_at=given["documented_at"],
        marks=tuple(_paths(one) for one in given["marks"]),
        over=frozenset(given.get("over", ())),
        conditions=tuple(_condition(one) for one in given.get("counts", ())),
        **{role: _paths(given.get(role, ())) for role in roles},
    )


def _paths(texts: Sequence[str]) -> _Paths:
    return tuple(map(FieldPath, texts))


def _condition(given: Mapping[str, Any]) -> Condition:
    return Condition(
        path=FieldPath(given["path"]),
        reason=given["reason"],
        wanted=frozenset(one.casefold() for one in given.get("is", ())),
        unwanted=frozenset(one.casefold() for one in given.get("is_not", ())),
        required=given.get("required", False),
    )
