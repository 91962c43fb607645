"""The streams of a project."""

from __future__ import annotations

from dataclasses import dataclass, fields

import sqlalchemy as sa

from hayflick.storage.service_tables import streams


@dataclass(frozen=True, kw_only=True)
class StreamRow:
    """A stream as it is stored; see `hayflick.storage.service_tables.streams`."""

    id: int
    project: int
    name: str
    kind: str
    settings: str
    created: float
    open_round: int
    open_answers: int
    answers: int
    late: int
    last_answer: float | None
    state: str
    state_since: float | None
    measured_round: int
    headline: str | None
    silent_since: float | None


_COLUMNS = [streams.c[field.name] for field in fields(StreamRow)]


def stream_named(
    connection: sa.Connection, project: int, name: str, *, lock: bool = False
) -> StreamRow | None:
    """Return a stream; None if there is no such one.

    Parameters
    ----------
    project
        Number of the project.
    name
        Name of the stream.
    lock
        Whether no other transaction may change it until this one ends.
    """
    wanted = sa.select(*_COLUMNS).where(streams.c.project == project, streams.c.name == name)
    row = connection.execute(wanted.with_for_update() if lock else wanted).first()
    return None if row is None else StreamRow(**row._mapping)


def stream_numbered(connection: sa.Connection, number: int, *, lock: bool = False) -> StreamRow:
    """Return the stream with a number, which exists."""
    wanted = sa.select(*_COLUMNS).where(streams.c.id == number)
    row = connection.execute(wanted.with_for_update() if lock else wanted).one()
    return StreamRow(**row._mapping)


def streams_of(
    connection: sa.Connection, project: int, *, after: str = "", most: int | None = None
) -> list[StreamRow]:
    """Return the streams of a project in the order of their names, those behind `after`."""
    query = sa.select(*_COLUMNS).where(streams.c.project == project, streams.c.name > after)
    rows = connection.execute(query.order_by(streams.c.name).limit(most))
    return [StreamRow(**row._mapping) for row in rows]


def create_stream(
    connection: sa.Connection, project: int, name: str, *, kind: str, settings: str, now: float
) -> StreamRow:
    """Return a new stream.

    Parameters
    ----------
    project, name
        Where it belongs, and what it is called.
    kind
        What its items hold: ``answers``, ``vectors``, ``counts`` or ``values``.
    settings
        `hayflick.service.stream_settings.StreamSettings` as JSON.
    now
        The time.
    """
    row = {
        "project": project,
        "name": name,
        "kind": kind,
        "settings": settings,
        "created": now,
        "open_round": 1,
    }
    connection.execute(sa.insert(streams).values(row))
    made = stream_named(connection, project, name)
    assert made is not None
    return made
