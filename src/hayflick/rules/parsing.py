"""Parse rules files, with error messages that name the file, the table and the key."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from pydantic import BaseModel, ValidationError

from hayflick.core.documents import read_small_text
from hayflick.core.errors import DataError, HayflickError
from hayflick.core.toml import parse_toml
from hayflick.detection.guaranteed import GuaranteedChart
from hayflick.detection.parsing import parse_chart
from hayflick.rules.model import (
    FORMAT_VERSION,
    Confirm,
    Inject,
    Notify,
    Review,
    RulesFile,
    VaryPrompts,
    WatchTable,
    check_metric,
    healthy_direction,
)

_SCORED = "spread"
_LONGEST_RUN = 1e6
_TOGETHER = (["below", "above"], ["below", "target"])
_LIMITS = ("chart", "below", "above", "target")


def _faults(rules: RulesFile) -> Iterator[str]:
    """Yield the inconsistencies: unknown names, and keys that contradict each other."""
    yield from _repeated("watch", [watch.name for watch in rules.watch])
    yield from _repeated("action", [action.name for action in rules.action])
    for watch in rules.watch:
        for fault in (*_names(watch, rules), *_limit_contradictions(watch), *_chart(watch, rules)):
            yield f"[[watch]] {watch.name}: {fault}"
    for action in rules.action:
        if isinstance(action, Inject):
            yield from (f"[[action]] {action.name}: {fault}" for fault in _injection(action))
    yield from _standing(rules)
    yield from _rate(rules)
    yield from _doses(rules)
    yield from _limits_that_meet(rules.watch)
    yield from _reserves(rules)


def _repeated(table: str, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        if names.count(name) > 1:
            yield f"[[{table}]] {name}: stands twice; give every {table} a name of its own"


def _names(watch: WatchTable, rules: RulesFile) -> Iterator[str]:
    for metric in watch.metrics:
        try:
            check_metric(metric, values=rules.values)
        except HayflickError as fault:
            yield str(fault)
    known = [action.name for action in rules.action]
    for action in watch.actions:
        if action not in known:
            near = difflib.get_close_matches(action, known, n=1)
            remedy = f"takes one of {', '.join(known)}" if known else "the file has none"
            remedy = f"did you mean {near[0]}?" if near else remedy
            yield f"actions: no [[action]] is called {action}; {remedy}"


def _limit_contradictions(watch: WatchTable) -> Iterator[str]:
    given = [key for key in _LIMITS if getattr(watch, key) is not None]
    if not given:
        yield f"lacks a limit; takes one of {', '.join(_LIMITS)}"
    if len(given) > 1 and given not in _TOGETHER:
        yield f"{given[0]} and {given[1]} contradict each other; takes one of them"
    if watch.below is not None and watch.above is not None and watch.below > watch.above:
        yield f"below = {watch.below:g} and above = {watch.above:g} alarm whatever is read"
    healthy = healthy_direction(watch)
    wrong = {"lower": "below", "higher": "above"}.get(healthy)
    if watch.healthy is not None and wrong is not None and getattr(watch, wrong) is not None:
        yield f"healthy = {healthy!r} and {wrong} = {getattr(watch, wrong):g} contradict each other"
    for key in ("confidence", "at_least"):
        if getattr(watch, key) is not None and watch.target is None:
            yield f"{key} and no target contradict each other: it says how the target is kept"
    if watch.target is not None and healthy != "higher":
        yield f"target and healthy = {healthy!r} contradict each other: a target is a share to keep"
    if watch.confirm.needed > watch.confirm.of:
        yield f"confirm: needed = {watch.confirm.needed} is more than of = {watch.confirm.of}"


def _chart(watch: WatchTable, rules: RulesFile) -> Iterator[str]:
    if watch.chart is None:
        if rules.false_discoveries is not None and "*" in watch.groups:
            yield "false_discoveries takes a chart of the kind guaranteed:form=product"
        return
    try:
        design = parse_chart(watch.chart)
    except HayflickError as fault:
        yield str(fault)
        return
    guaranteed = design.kind is GuaranteedChart
    for key in ("false_alarms", "run_length"):
        if key in design.settings:
            yield f"chart: {key} and the file's false_alarms contradict each other; leave it out"
    if "direction" in design.settings and watch.healthy is not None:
        yield "chart: direction and healthy contradict each other; leave one out"
    if guaranteed and set(watch.metrics) != {_SCORED}:
        yield f"chart: guaranteed takes the metric {_SCORED}; shewhart, ewma and cusum take any"
    product = guaranteed and design.settings.get("form") == "product"
    if rules.false_discoveries is not None and "*" in watch.groups and not product:
        yield f"chart: {watch.chart} and false_discoveries contradict each other; form=product fits"


def _standing(rules: RulesFile) -> Iterator[str]:
    """Yield what actions that are due whatever is read cannot have."""
    for action in rules.standing:
        named = [watch.name for watch in rules.watch if action.name in watch.actions]
        place = f"[[action]] {action.name}"
        if named:
            yield (
                f"{place} (every {action.every}) and [[watch]] {named[0]} contradict each other:"
                " what is put in whatever is read needs no watch"
            )
        if action.rounds > 1:
            yield f"{place}: every and rounds contradict each other: leave rounds out"
        if action.items is None:
            yield f"{place}: lacks the key items, which only a target can give"


def _injection(action: Inject) -> Iterator[str]:
    if action.repeat and action.reserve is None:
        yield "repeat and no reserve contradict each other: new items never repeat"
    if action.reserve is not None and not action.repeat and action.rounds > 1:
        yield (
            f"rounds = {action.rounds} and repeat = false contradict each other: the items of a"
            " reserve are handed out once; take rounds = 1, or repeat = true"
        )


def _rate(rules: RulesFile) -> Iterator[str]:
    """Yield an error for a rate whose share per chart no classical chart can have."""
    charts = sum(watch.chart is not None for watch in rules.watch)
    if (
        charts
        and not 2.0 * rules.false_alarms <= 1.0 <= charts <= _LONGEST_RUN * rules.false_alarms
    ):
        least = charts / _LONGEST_RUN
        yield (
            f"false_alarms: got {rules.false_alarms:g}, takes a number from {least:g} to 0.5"
            f" for {charts} charts"
        )


def _doses(rules: RulesFile) -> Iterator[str]:
    for watch in rules.watch:
        for name in watch.actions:
            action = next((one for one in rules.action if one.name == name), None)
            if isinstance(action, Inject) and action.items is None and watch.target is None:
                yield (
                    f"[[action]] {name}: lacks the key items, which only a target can give, and"
                    f" [[watch]] {watch.name} has none"
                )


def _limits_that_meet(watches: Sequence[WatchTable]) -> Iterator[str]:
    for one, other in combinations(watches, 2):
        if one.metrics != other.metrics or one.groups != other.groups:
            continue
        for low, high in ((one, other), (other, one)):
            if low.below is not None and high.above is not None and low.below > high.above:
                yield (
                    f"[[watch]] {low.name} (below {low.below:g}) and [[watch]] {high.name}"
                    f" (above {high.above:g}) contradict each other: one alarms whatever is read"
                )


def _reserves(rules: RulesFile) -> Iterator[str]:
    used = {name for watch in rules.watch for name in watch.actions}
    used |= {action.name for action in rules.standing}
    stored = [
        action
        for action in rules.action
        if isinstance(action, Inject) and action.reserve is not None and action.name in used
    ]
    for one, other in combinations(stored, 2):
        if one.reserve != other.reserve:
            yield (
                f"[[action]] {one.name} ({one.reserve}) and [[action]] {other.name}"
                f" ({other.reserve}) contradict each other: one reserve can be put in at a time"
            )
    for watch in rules.watch:
        for action in stored:
            if action.name in watch.actions and action.rounds > watch.cool_down + 1:
                yield (
                    f"[[watch]] {watch.name} (cool_down {watch.cool_down}) and [[action]]"
                    f" {action.name} (rounds {action.rounds}) contradict each other: the reserve"
                    f" would be put in twice at once; take a cool_down of {action.rounds - 1}"
                )


_ACTIONS: Mapping[str, type[BaseModel]] = {
    "inject": Inject,
    "vary_prompts": VaryPrompts,
    "review": Review,
    "notify": Notify,
}

_TAKES = {"model_type": "a table", "list_type": "a list (each of its tables stands under [[name]])"}


def read_rules(path: str | os.PathLike[str]) -> RulesFile:
    """Read a rules file.

    Raises
    ------
    DataError
        If it cannot be read, is not TOML, or is inconsistent: file, table and key are named,
        and the nearest name is offered.
    """
    text = read_small_text(path, what="a rules file (.toml)")
    return parse_rules(text, name=str(path))


def parse_rules(text: str, *, name: str = "rules.toml") -> RulesFile:
    """Parse the text of a rules file; `name` is for messages.

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
    found = parse_toml(text, name=name)
    version = found.get("format_version")
    if version != FORMAT_VERSION:
        reads = f"this version reads {FORMAT_VERSION}"
        remedy = "write format_version = 1" if version is None else "update hayflick"
        raise DataError(f"{name}: has format_version {version!r}, {reads}; {remedy}")
    try:
        rules = RulesFile.model_validate(found)
    except ValidationError as fault:
        # A misspelt key is also a missing one; the error about the spelling helps more.
        first = min(fault.errors(), key=lambda error: error["type"] != "extra_forbidden")
        raise DataError(f"{name}: {_message(first, found)}") from None
    for contradiction in _faults(rules):
        raise DataError(f"{name}: {contradiction}")
    return rules


def _message(error: Any, found: Mapping[str, Any]) -> str:
    """Return an error in words: the place, what is wrong, and the remedy."""
    # Pydantic puts the kind of a union's member into the path, which is not a key of the file.
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
    takes = _TAKES.get(kind, str(error["msg"]).removeprefix("Input should be "))
    named = f"{place}: {key}" if key else place
    return f"{named}: got {got!r}, takes {takes}"


def _is_kind(part: Any) -> bool:
    return part in _ACTIONS or str(part).startswith(("list[", "constrained-", "str", "union["))


def _table(path: Sequence[Any], found: Mapping[str, Any]) -> tuple[str, Sequence[Any]]:
    """Return the name of a table, and the keys below it."""
    if len(path) < 2 or path[0] not in ("watch", "action") or not isinstance(path[1], int):
        return "top level", path
    table = found[path[0]][path[1]]
    name = table.get("name") if isinstance(table, Mapping) else None
    return f"[[{path[0]}]] {name or f'number {path[1] + 1}'}", path[2:]


def _keys(path: Sequence[Any], found: Mapping[str, Any]) -> list[str]:
    """Return the keys that a table takes."""
    if len(path) < 3:
        return list(RulesFile.model_fields)
    if path[0] == "watch":
        return list((Confirm if path[2] == "confirm" else WatchTable).model_fields)
    return list(_ACTIONS[found["action"][path[1]]["kind"]].model_fields)
