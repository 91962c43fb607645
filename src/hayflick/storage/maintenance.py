"""What an operator does to a store: bring it up to date, check it, and let people in."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path

import sqlalchemy as sa

from hayflick.core.errors import DataError
from hayflick.storage.accounts import (
    change_password,
    check_scopes,
    create_token,
    create_user,
    project_named,
)
from hayflick.storage.audit import record_audit
from hayflick.storage.checks import check_store
from hayflick.storage.database import Database, check_readable, is_server
from hayflick.storage.passwords import hash_password
from hayflick.storage.service_tables import projects, users
from hayflick.storage.streams import StreamRow, stream_named

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
