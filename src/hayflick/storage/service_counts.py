"""What the service's metrics state of the store: streams of all projects, and what waits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa

from hayflick.storage.readings import VerdictRow
from hayflick.storage.service_tables import TABLE_OF_VALUES as VALUES
from hayflick.storage.service_tables import (
    actions,
    alerts,
    deliveries,
    projects,
    readings,
    reviews,
    rounds,
    streams,
    unpack,
    verdicts,
)
from hayflick.storage.streams import StreamRow, stream_columns

_SQL = (
    f"INSERT INTO {VALUES.name} (name, content) VALUES (:name, :content)"
    " ON CONFLICT (name) DO UPDATE SET content = excluded.content"
)
_UPSERT = sa.text(_SQL)


def set_value(connection: sa.Connection, name: str, value: Any) -> None:
    """Store a value in place of the one that the name has.

    Parameters
    ----------
    name
        Its name.
    value
        Anything that JSON can hold.
    """
    row = {"name": name, "content": json.dumps(value, allow_nan=False)}
    connection.execute(_UPSERT, row)


def value_of(connection: sa.Connection, name: str) -> Any:
    """Return a value; None if there is none of that name."""
    found = connection.scalar(sa.select(VALUES.c.content).where(VALUES.c.name == name))
    return None if found is None else json.loads(found)


class ProjectStream(NamedTuple):
    """A stream, and the name of its project."""

    project: str
    stream: StreamRow


class WaitingCounts(NamedTuple):
    """What waits: counts by project and kind, and of the whole service."""

    alerts: dict[tuple[str, str], int]
    actions: dict[tuple[str, str], int]
    reviews: dict[tuple[str, str], int]
    deliveries: int
    rounds: int


def all_streams(connection: sa.Connection) -> list[ProjectStream]:
    """Return the streams of all projects."""
    query = sa.select(projects.c.name.label("of"), *stream_columns())
    query = query.join(projects, projects.c.id == streams.c.project)
    found = []
    for row in connection.execute(query.order_by(streams.c.id)):
        record = dict(row._mapping)
        found.append(ProjectStream(record.pop("of"), StreamRow(**record)))
    return found


def waiting_counts(connection: sa.Connection) -> WaitingCounts:
    """Return how many alerts and actions are open, and how much else waits."""
    return WaitingCounts(
        alerts=_by_project(connection, alerts, alerts.c.kind, "open"),
        actions=_by_project(connection, actions, actions.c.kind, "open"),
        reviews=_by_project(connection, reviews, reviews.c.state, "pending"),
        deliveries=_count(connection, deliveries.c.state == "waiting"),
        rounds=_count(connection, rounds.c.status == "closed"),
    )


def last_readings(connection: sa.Connection) -> Iterator[tuple[int, Any]]:
    """Yield each stream's number, and the last reading of all its answers together."""
    same = (readings.c.stream == streams.c.id, readings.c.round == streams.c.measured_round)
    query = sa.select(readings.c.stream, readings.c.content).join(streams, sa.and_(*same))
    for row in connection.execute(query.where(readings.c.group == "")):
        yield row.stream, unpack(row.content)


def last_verdicts(connection: sa.Connection) -> Iterator[tuple[int, VerdictRow]]:
    """Yield each stream's number, and the last verdicts on all its answers together."""
    same = (verdicts.c.stream == streams.c.id, verdicts.c.round == streams.c.measured_round)
    columns = [verdicts.c[name] for name in VerdictRow._fields]
    query = sa.select(verdicts.c.stream, *columns).join(streams, sa.and_(*same))
    for number, *fields in connection.execute(query.where(verdicts.c.group == "")):
        yield number, VerdictRow(*fields)


def _by_project(
    connection: sa.Connection, table: sa.Table, kind: sa.Column[str], state: str
) -> dict[tuple[str, str], int]:
    query = sa.select(projects.c.name, kind, sa.func.count())
    query = query.join(projects, projects.c.id == table.c.project)
    query = query.where(table.c.state == state).group_by(projects.c.name, kind)
    return {(name, one): number for name, one, number in connection.execute(query)}


def _count(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> int:
    return connection.scalar(sa.select(sa.func.count()).where(condition)) or 0
