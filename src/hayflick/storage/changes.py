"""What has changed in a project: the viewers of its pages are told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from hayflick.storage.service_tables import changes, streams


@dataclass(frozen=True)
class RecordedChange:
    """A change that was stored; `stream` is a name, None where it is about no stream."""

    id: int
    project: int
    stream: str | None
    at: float
    kind: str
    content: dict[str, Any]


def record_change(
    connection: sa.Connection,
    project: int,
    kind: str,
    content: Mapping[str, Any],
    *,
    now: float,
    stream: int | None = None,
) -> None:
    """Store a change, to be told once the transaction is committed.

    Parameters
    ----------
    project, stream
        Numbers of the project and of the stream that it is about.
    kind
        ``round``, ``state``, ``alert``, ``action``, ``review`` or ``rules``.
    content
        What a viewer is told, ready for JSON.
    now
        The time.
    """
    row = {
        "project": project,
        "stream": stream,
        "at": now,
        "kind": kind,
        "content": json.dumps(dict(content)),
    }
    connection.execute(sa.insert(changes).values(row))


def changes_after(
    connection: sa.Connection, after: int, *, most: int, project: int | None = None
) -> list[RecordedChange]:
    """Return the changes with a greater number than `after`, at most so many, in their order.

    Parameters
    ----------
    after, most
        A change's number, and how many changes.
    project
        Number of the project; None for all.
    """
    named = [column for column in changes.c if column.name != "stream"]
    query = (
        sa.select(*named, streams.c.name.label("stream"))
        .join_from(changes, streams, changes.c.stream == streams.c.id, isouter=True)
        .where(changes.c.id > after)
        .order_by(changes.c.id)
        .limit(most)
    )
    if project is not None:
        query = query.where(changes.c.project == project)
    return [
        RecordedChange(row.id, row.project, row.stream, row.at, row.kind, json.loads(row.content))
        for row in connection.execute(query)
    ]


def last_change(connection: sa.Connection) -> int:
    """Return the greatest number of a change; 0 if there is none."""
    return connection.scalar(sa.select(sa.func.max(changes.c.id))) or 0
