"""The streams of a project."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from hayflick.core.errors import ArgumentError
from hayflick.storage.service_tables import streams

LONGEST_NAME = 100
"""Characters of a stream's name."""


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


def stream_columns() -> list[sa.Column[Any]]:
    """Return the columns of a `StreamRow`."""
    return list(_COLUMNS)


def check_stream_name(name: str) -> None:
    """Refuse what cannot be the name of a stream; see `check_name`."""
    check_name(name, argument="stream")


def check_name(name: str, *, argument: str) -> None:
    """Refuse a name that cannot be told apart by eye, or that means something in a path.

    Parameters
    ----------
    name
        The name.
    argument
        What it is the name of.

    Raises
    ------
    ArgumentError
        If it is such a name.

    Examples
    --------
    >>> check_name("help desk", argument="stream")
    >>> check_name("../talk", argument="stream")
    Traceback (most recent call last):
        ...
    hayflick.core.errors.ArgumentError: stream: got '../talk', takes 1 to 100 characters that can be
    seen, without slashes, not . or .., no blank at either end
    """
    odd = {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"} & {unicodedata.category(one) for one in name}
    unfit = odd or name in {".", ".."} or name != name.strip() or {"/", "\\"} & set(name)
    if unfit or not 0 < len(name) <= LONGEST_NAME:
        takes = f"1 to {LONGEST_NAME} characters that can be seen, without slashes, not . or .., no"
        raise ArgumentError(argument, got=ascii(name)[:120], takes=f"{takes} blank at either end")


def count_streams(connection: sa.Connection, project: int) -> int:
    """Return the number of streams of a project."""
    query = sa.select(sa.func.count()).select_from(streams).where(streams.c.project == project)
    return connection.scalar(query) or 0


def last_answer(connection: sa.Connection) -> float:
    """Return when the last answer of any stream came; 0 before the first."""
    return connection.scalar(sa.select(sa.func.max(streams.c.last_answer))) or 0.0


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


def answered_streams(connection: sa.Connection) -> list[StreamRow]:
    """Return the streams of all projects that have had an answer."""
    rows = connection.execute(sa.select(*_COLUMNS).where(streams.c.last_answer.is_not(None)))
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


def save_settings(connection: sa.Connection, number: int, *, kind: str, settings: str) -> None:
    """Store the settings of the stream with a number, and what its items hold."""
    values = {"kind": kind, "settings": settings}
    connection.execute(sa.update(streams).where(streams.c.id == number).values(values))
