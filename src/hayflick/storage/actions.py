"""Actions that rules have decided on, until someone says that they are done."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from hayflick.storage.changes import record_change
from hayflick.storage.deliveries import EVERY_KIND, add_deliveries
from hayflick.storage.service_tables import actions, streams
from hayflick.storage.streams import StreamRow

ACTION_KINDS = ("inject", "vary_prompts", "review", "notify")
"""What a rule can decide on."""

_TOLD = {"inject": ("webhook",), "vary_prompts": ("webhook",), "notify": EVERY_KIND}
"""Kinds of the targets that are told of an action; those for review wait in their own queue."""


@dataclass(frozen=True, kw_only=True)
class ActionRow:
    """An action as it is stored; see `hayflick.storage.service_tables.actions`.

    `stream_name` is the name of its stream; `content` is a mapping.
    """

    id: int
    project: int
    stream: int
    stream_name: str
    round: int
    group: str
    kind: str
    state: str
    content: Mapping[str, Any]
    created: float
    done: float | None
    done_by: str | None


def record_action(
    connection: sa.Connection,
    stream: StreamRow,
    round: int,  # noqa: A002
    group: str,
    kind: str,
    content: Mapping[str, Any],
    *,
    now: float,
) -> int:
    """Store an action that a rule has decided on; return its number.

    Items to put in and prompts to vary are sent to the project's web hooks, what is to be told
    goes to every target: once for rounds that follow one another.

    Parameters
    ----------
    stream, round, group
        The stream, the round that was measured, and the group; empty for all answers together.
    kind
        Of `ACTION_KINDS`.
    content
        Reason, items, rounds and texts, ready for JSON.
    now
        The time.
    """
    before = _contents(connection, stream.id, round - 1, group, kind)
    repeated = kind == "notify" and _rule(content) in map(_rule, before)
    row = {
        "project": stream.project,
        "stream": stream.id,
        "round": round,
        "group": group,
        "kind": kind,
        "content": json.dumps(dict(content)),
        "created": now,
    }
    number = connection.scalar(sa.insert(actions).values(row).returning(actions.c.id))
    action = action_numbered(connection, stream.project, int(number or 0))
    assert action is not None
    _record(connection, action, now=now)
    to = () if repeated else _TOLD.get(kind, ())
    if to:
        message = message_of(action)
        add_deliveries(
            connection, action.project, "action", subject=action.id, content=message, now=now, to=to
        )
    return action.id


def action_numbered(connection: sa.Connection, project: int, number: int) -> ActionRow | None:
    """Return an action of a project; None if there is no such one."""
    row = connection.execute(
        _select().where(actions.c.project == project, actions.c.id == number)
    ).first()
    return None if row is None else _row(row)


def actions_of(
    connection: sa.Connection,
    project: int,
    *,
    state: str | None = None,
    stream: int | None = None,
    kind: str | None = None,
    before: int | None = None,
    most: int = 100,
) -> list[ActionRow]:
    """Return actions of a project, the newest first.

    Parameters
    ----------
    project
        Number of the project.
    state
        ``open`` or ``done``; None for both.
    stream, kind
        Number of the stream, and kind; None for all.
    before
        Those with smaller numbers; None for all. The last number of a page gives the next one.
    most
        How many at most.
    """
    query = _select().where(actions.c.project == project)
    for column, value in (("state", state), ("stream", stream), ("kind", kind)):
        if value is not None:
            query = query.where(actions.c[column] == value)
    if before is not None:
        query = query.where(actions.c.id < before)
    rows = connection.execute(query.order_by(actions.c.id.desc()).limit(most))
    return [_row(row) for row in rows]


def finish_action(
    connection: sa.Connection, project: int, number: int, *, by: str, now: float
) -> ActionRow | None:
    """Store that an action was carried out; who said so first stays.

    Parameters
    ----------
    project, number
        The project, and the action.
    by
        Name of the user or token.
    now
        The time.

    Returns
    -------
    ActionRow or None
        The action as it is now; None if there is no such one.
    """
    action = action_numbered(connection, project, number)
    if action is None or action.state == "done":
        return action
    update = sa.update(actions).where(actions.c.id == number, actions.c.state == "open")
    connection.execute(update.values(state="done", done=now, done_by=by))
    done = action_numbered(connection, project, number)
    assert done is not None
    _record(connection, done, now=now)
    return done


def message_of(action: ActionRow) -> dict[str, Any]:
    """Return what a target is told of an action, ready for JSON; times are seconds since 1970."""
    return {
        **action.content,
        "action": action.id,
        "kind": action.kind,
        "state": action.state,
        "stream": action.stream_name,
        "round": action.round,
        "group": action.group,
        "created": action.created,
    }


def _select() -> sa.Select[Any]:
    query = sa.select(*actions.c, streams.c.name.label("stream_name"))
    return query.join(streams, streams.c.id == actions.c.stream)


def _row(row: sa.Row[Any]) -> ActionRow:
    record = dict(row._mapping)
    return ActionRow(**{**record, "content": json.loads(record["content"])})


def _contents(
    connection: sa.Connection,
    stream: int,
    round: int,  # noqa: A002
    group: str,
    kind: str,
) -> list[Mapping[str, Any]]:
    query = sa.select(actions.c.content).where(
        actions.c.stream == stream,
        actions.c.round == round,
        actions.c.group == group,
        actions.c.kind == kind,
    )
    return [json.loads(content) for content in connection.scalars(query)]


def _rule(content: Mapping[str, Any]) -> str:
    """Return the name of the rule behind an action: its reason begins with it."""
    return str(content.get("reason", "")).partition(": ")[0]


def _record(connection: sa.Connection, action: ActionRow, *, now: float) -> None:
    content = {
        "id": action.id,
        "stream": action.stream_name,
        "round": action.round,
        "group": action.group,
        "kind": action.kind,
        "state": action.state,
    }
    record_change(connection, action.project, "action", content, now=now, stream=action.stream)
