"""What an operator does to a store: bring it up to date, check that it is sound, let people in."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hayflick.core.errors import DataError
from hayflick.storage.accounts import (
    change_password,
    check_scopes,
    create_token,
    create_user,
    hash_password,
    project_named,
)
from hayflick.storage.audit import record_audit
from hayflick.storage.database import Database, check_readable, is_server
from hayflick.storage.migrations import schema_version, tables_of_version
from hayflick.storage.service_tables import (
    TABLES,
    answers,
    chart_states,
    projects,
    readings,
    rounds,
    streams,
    unpack,
    users,
)
from hayflick.storage.streams import StreamRow, stream_named

_MOST_FINDINGS = 20
_SERVICE_STEP = 4

_PACKED = (
    ("rounds", "summary"),
    ("rounds", "texts"),
    ("round_samples", "content"),
    ("readings", "content"),
    ("observers", "content"),
    ("chart_states", "content"),
    ("rollups", "summary"),
)
_JSON = (
    ("streams", "settings"),
    ("streams", "headline"),
    ("answers", "numbers"),
    ("actions", "content"),
    ("alerts", "content"),
    ("deliveries", "content"),
    ("changes", "content"),
)


def damages_of(connection: sa.Connection) -> list[str]:
    """Return why a store is of no use, as sentences: its file is damaged, or lacks a table."""
    found = [*_damages(connection), *_missing(connection, schema_version(connection))]
    return found[:_MOST_FINDINGS]


def check_store(connection: sa.Connection) -> list[str]:
    """Return what is wrong with a store, as sentences; empty where it is sound.

    Parameters
    ----------
    connection
        To the store; everything that is read is of one moment.
    """
    damages = damages_of(connection)
    if damages or schema_version(connection) < _SERVICE_STEP:
        return damages
    parts = (_dangling, _unreadable, _orphans, _miscounted, _ahead)
    return [finding for part in parts for finding in part(connection)][:_MOST_FINDINGS]


def _damages(connection: sa.Connection) -> Iterator[str]:
    """Yield what SQLite says of its file; a server looks after its own."""
    if connection.dialect.name != "sqlite":
        return
    for row in connection.exec_driver_sql(f"PRAGMA integrity_check({_MOST_FINDINGS})"):
        if row[0] != "ok":
            yield f"the file is damaged: {row[0]}"


def _dangling(connection: sa.Connection) -> Iterator[str]:
    """Yield rows that refer to rows that there are not; a server has none."""
    if connection.dialect.name == "sqlite":
        for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
            yield f"a row of {row[0]} belongs to a row of {row[2]} that is missing"


def _missing(connection: sa.Connection, version: int) -> Iterator[str]:
    inspector = sa.inspect(connection)
    for table in tables_of_version(version):
        if not inspector.has_table(table.name):
            yield f"the table {table.name} is missing"
            continue
        known = {column["name"] for column in inspector.get_columns(table.name)}
        for column in table.c:
            if column.name not in known:
                yield f"the column {column.name} of the table {table.name} is missing"


def _unreadable(connection: sa.Connection) -> Iterator[str]:
    kinds = [(_PACKED, unpack), (_JSON, json.loads)]
    for columns, read in kinds:
        for table, column in columns:
            yield from _unreadable_of(connection, TABLES.tables[table], column, read)


def _unreadable_of(
    connection: sa.Connection, table: sa.Table, column: str, read: Any
) -> Iterator[str]:
    keys = list(table.primary_key.columns)
    query = sa.select(*keys, table.c[column]).where(table.c[column].is_not(None))
    for row in connection.execution_options(yield_per=1000).execute(query):
        try:
            read(row[-1])
        except (ValueError, zlib.error):
            place = ", ".join(
                f"{key.name} {part}" for key, part in zip(keys, row[:-1], strict=True)
            )
            yield f"{column} of {table.name} ({place}) cannot be read"


def _orphans(connection: sa.Connection) -> Iterator[str]:
    """Yield what belongs to a round that there is not."""
    for table in (answers, readings):
        round_of = sa.and_(rounds.c.stream == table.c.stream, rounds.c.number == table.c.round)
        query = (
            sa.select(streams.c.name, table.c.round, sa.func.count().label("number"))
            .join_from(table, streams, streams.c.id == table.c.stream)
            .join(rounds, round_of, isouter=True)
            .where(rounds.c.number.is_(None))
            .group_by(streams.c.name, table.c.round)
        )
        for row in connection.execute(query):
            what = f"{row.number} {table.name}"
            yield f"stream {row.name}: {what} are of round {row.round}, which is missing"


def _miscounted(connection: sa.Connection) -> Iterator[str]:
    """Yield numbers of answers that contradict each other; those that were pruned still count."""
    kept = (
        sa.select(
            answers.c.stream,
            answers.c.round,
            sa.func.sum(sa.case((answers.c.late, 0), else_=answers.c.weight)).label("kept"),
        )
        .group_by(answers.c.stream, answers.c.round)
        .subquery()
    )
    query = (
        sa.select(streams.c.name, rounds.c.number, rounds.c.answers, kept.c.kept)
        .join_from(kept, streams, streams.c.id == kept.c.stream)
        .join(rounds, sa.and_(rounds.c.stream == kept.c.stream, rounds.c.number == kept.c.round))
        .where(kept.c.kept > rounds.c.answers)
    )
    for row in connection.execute(query):
        count = f"counts {row.answers} answers and holds {row.kept}"
        yield f"stream {row.name}: round {row.number} {count}"


def _ahead(connection: sa.Connection) -> Iterator[str]:
    """Yield charts that have taken up more than was measured."""
    behind = (
        sa.select(streams.c.name, chart_states.c.metric, chart_states.c.round)
        .join_from(chart_states, streams, streams.c.id == chart_states.c.stream)
        .where(chart_states.c.round > streams.c.measured_round)
    )
    for row in connection.execute(behind):
        chart = f"the chart of {row.metric} has taken up round {row.round}"
        yield f"stream {row.name}: {chart}, which is not measured"


OPERATOR = "operator"
"""Who has changed what from the command line, in the audit log."""


def upgrade(place: str) -> tuple[int, int]:
    """Bring a store up to date, and return its version before and after.

    Raises
    ------
    DataError
        If there is no store, or it is damaged or of a newer version.
    """
    _check_exists(place)
    with Database(place, read_only=True) as database:
        before = database.schema_version
    with Database(place) as database:
        return before, database.schema_version


def check(place: str) -> list[str]:
    """Return what is wrong with a store, as sentences; empty where it is sound.

    Raises
    ------
    DataError
        If it is no store at all, or of a newer version.
    """
    _check_exists(place)
    with Database(place, read_only=True) as database, database.connect() as connection:
        return check_store(connection)


def present_store(place: str) -> Database:
    """Return a store that exists, to change something of it.

    Raises
    ------
    DataError
        If there is none.
    """
    _check_exists(place)
    return Database(place, durable=True)


def existing_stream(database: Database, project: str, name: str) -> StreamRow:
    """Return a stream of a project.

    Raises
    ------
    DataError
        If there is no such project, or no such stream.
    """
    with database.connect() as connection:
        number = connection.scalar(sa.select(projects.c.id).where(projects.c.name == project))
        found = None if number is None else stream_named(connection, number, name)
    if found is None:
        raise DataError(f"{database.name}: the project {project!r} has no stream {name!r}")
    return found


def add_token(place: str, *, project: str, name: str, scopes: Collection[str]) -> str:
    """Return a new token, which can be had only now.

    Parameters
    ----------
    place
        The store; it is made if it is missing.
    project, name, scopes
        Of the token; a project that there is not is made.

    Raises
    ------
    ArgumentError
        If there is no such scope, or the name cannot be one.
    """
    check_scopes(scopes)
    now = time.time()
    with Database(place, durable=True) as database, database.transaction() as connection:
        number = project_named(connection, project, now=now)
        record_audit(connection, number, OPERATOR, "token made", name, now=now)
        return create_token(connection, number, name=name, scopes=scopes, now=now)


def set_user(
    place: str, *, project: str, name: str, password: str, scopes: Collection[str]
) -> bool:
    """Make a user, or give one of that name another password; return whether one was made.

    Parameters
    ----------
    place
        The store; it is made if it is missing.
    project, name, password, scopes
        Of the user. One that there is keeps project and scopes.

    Raises
    ------
    ArgumentError
        If there is no such scope, or the name or the password cannot be one.
    """
    check_scopes(scopes)
    hashed, now = hash_password(password), time.time()
    with Database(place, durable=True) as database, database.transaction() as connection:
        query = sa.select(users.c.id, users.c.project).where(users.c.name == name)
        known = connection.execute(query).first()
        if known is not None:
            change_password(connection, known.project, known.id, hashed=hashed)
            record_audit(connection, known.project, OPERATOR, "password changed", name, now=now)
            return False
        number = project_named(connection, project, now=now)
        create_user(connection, number, name=name, hashed=hashed, scopes=scopes, now=now)
        record_audit(connection, number, OPERATOR, "user made", name, now=now)
        return True


def _check_exists(place: str) -> None:
    if not is_server(place):
        check_readable(Path(Database.named(place)))
