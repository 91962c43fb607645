"""A rules file from TOML to data, with messages that name the file, the table and the key."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from hayflick.core.errors import DataError
from hayflick.rules.contradictions import check_rules
from hayflick.rules.model import (
    FORMAT_VERSION,
    Confirm,
    Inject,
    Notify,
    Review,
    RulesFile,
    VaryPrompts,
    WatchTable,
)

_ACTIONS: Mapping[str, type[BaseModel]] = {
    "inject": Inject,
    "vary_prompts": VaryPrompts,
    "review": Review,
    "notify": Notify,
}

_TAKES = {"model_type": "a table", "list_type": "a list (each of its tables stands under [[name]])"}


def read_rules(path: str | os.PathLike[str]) -> RulesFile:
    """Return what a rules file says.

    Raises
    ------
    DataError
        If it cannot be read, is no TOML, or says what cannot be meant: file, table and key
        are named, and the nearest name is offered.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise DataError(f"{path}: is not UTF-8, which TOML takes; save it as UTF-8") from None
    except OSError as fault:
        raise DataError(f"{path}: cannot be read ({fault.strerror})") from None
    return parse_rules(text, name=str(path))


def parse_rules(text: str, *, name: str = "rules.toml") -> RulesFile:
    """Return what the text of a rules file says; `name` is for messages.

    Raises
    ------
    DataError
        As `read_rules`.

    Examples
    --------
    >>> rules = parse_rules('''
    ... format_version = 1
    ... mode = "observe"
    ... [[watch]]
    ... name = "words"
    ... metric = "vocabulary_kept"
    ... below = 0.8
    ... ''')
    >>> rules.watch[0].below, rules.mode.value
    (0.8, 'observe')
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise DataError(f"{name}: is no TOML: {fault}") from None
    version = found.get("format_version")
    if version != FORMAT_VERSION:
        reads = f"this version reads {FORMAT_VERSION}"
        remedy = "write format_version = 1" if version is None else "update hayflick"
        raise DataError(f"{name}: has format_version {version!r}, {reads}; {remedy}")
    try:
        rules = RulesFile.model_validate(found)
    except ValidationError as fault:
        # A key that is misspelt is missing too: it is the spelling that helps.
        first = min(fault.errors(), key=lambda error: error["type"] != "extra_forbidden")
        raise DataError(f"{name}: {_message(first, found)}") from None
    check_rules(rules, name=name)
    return rules


def _message(error: Any, found: Mapping[str, Any]) -> str:
    """Return one fault in words: where it is, what it is, and what is meant instead."""
    # Pydantic puts the kind of a union's member into the path; it is no key of the file.
    path = [part for part in error["loc"] if not _is_kind(part)]
    place, keys = _table(path, found)
    key = ".".join(str(part) for part in keys)
    kind, got = error["type"], error["input"]
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(keys[-1]), _keys(path, found), n=1)
        remedy = f"did you mean {near[0]}?" if near else f"takes {', '.join(_keys(path, found))}"
        return f"{place}: unknown key {key}; {remedy}"
    if kind == "missing":
        return f"{place}: lacks the key {key}"
    if kind == "union_tag_not_found":
        return f"{place}: lacks the key kind; takes one of {', '.join(_ACTIONS)}"
    if kind == "union_tag_invalid":
        tag = str(error["ctx"]["tag"])
        near = difflib.get_close_matches(tag, _ACTIONS, n=1)
        remedy = f"; did you mean {near[0]}?" if near else ""
        return f"{place}: kind: got {tag!r}, takes one of {', '.join(_ACTIONS)}{remedy}"
    said = _TAKES.get(kind, str(error["msg"]).removeprefix("Input should be "))
    named = f"{place}: {key}" if key else place
    return f"{named}: got {got!r}, takes {said}"


def _is_kind(part: Any) -> bool:
    return part in _ACTIONS or str(part).startswith(("list[", "constrained-", "str", "union["))


def _table(path: Sequence[Any], found: Mapping[str, Any]) -> tuple[str, Sequence[Any]]:
    """Return what a table is called, and the keys below it."""
    if len(path) < 2 or path[0] not in ("watch", "action") or not isinstance(path[1], int):
        return "top level", path
    table = found[path[0]][path[1]]
    name = table.get("name") if isinstance(table, Mapping) else None
    return f"[[{path[0]}]] {name or f'number {path[1] + 1}'}", path[2:]


def _keys(path: Sequence[Any], found: Mapping[str, Any]) -> list[str]:
    """Return the keys that the table of an unknown one takes."""
    if len(path) < 3:
        return list(RulesFile.model_fields)
    if path[0] == "watch":
        return list((Confirm if path[2] == "confirm" else WatchTable).model_fields)
    return list(_ACTIONS[found["action"][path[1]]["kind"]].model_fields)
