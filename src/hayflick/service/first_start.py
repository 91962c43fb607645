"""What a store is given when the service starts: its first token."""

from __future__ import annotations

import os
from collections.abc import Mapping

import sqlalchemy as sa

from hayflick.core.errors import ArgumentError
from hayflick.storage.accounts import create_token, has_token, principal_of_token, project_named
from hayflick.storage.database import Database

PROJECT = "default"
"""The project of the first token."""

TOKEN_VARIABLE = "HAYFLICK_ADMIN_TOKEN"
_SHORTEST_TOKEN = 20


def prepare_store(
    database: Database, *, now: float, environment: Mapping[str, str] = os.environ
) -> str | None:
    """Give a store what the service needs, and return a token that was made for the operator.

    Parameters
    ----------
    database
        The store.
    now
        The time.
    environment
        Where ``HAYFLICK_ADMIN_TOKEN`` may be; then that one is used, and None returned.

    Raises
    ------
    ArgumentError
        If the token of the environment is too short, or was revoked.
    """
    given = environment.get(TOKEN_VARIABLE)
    if given is not None and len(given) < _SHORTEST_TOKEN:
        takes = f"at least {_SHORTEST_TOKEN} letters that cannot be guessed"
        raise ArgumentError(TOKEN_VARIABLE, got=f"{len(given)} letters", takes=takes)
    with database.transaction() as connection:
        return _first_token(connection, given, now=now)


def _first_token(connection: sa.Connection, given: str | None, *, now: float) -> str | None:
    if connection.dialect.name == "postgresql":
        # Of several processes that start at once, one makes the token.
        connection.exec_driver_sql("LOCK TABLE tokens IN SHARE ROW EXCLUSIVE MODE")
    if given is None and has_token(connection, revoked=True):
        return None
    if given is not None and principal_of_token(connection, given) is not None:
        return None
    project = project_named(connection, PROJECT, now=now)
    try:
        made = create_token(
            connection, project, name="first admin", scopes=("admin",), now=now, token=given
        )
    except sa.exc.IntegrityError:
        remedy = "choose another, or leave it out"
        raise ArgumentError(
            TOKEN_VARIABLE, got="a token that was revoked", takes="one in use", remedy=remedy
        ) from None
    return None if given is not None else made
