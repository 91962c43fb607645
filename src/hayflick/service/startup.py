"""What a store is given when the service starts: its first token, and what the settings declare."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from hayflick.core.errors import ArgumentError, DataError
from hayflick.service.alerts import check_target
from hayflick.service.redaction import redaction
from hayflick.service.rule_files import rules_of_text
from hayflick.service.settings import DeclaredTarget, ServiceSettings
from hayflick.service.stream_settings import StreamSettings
from hayflick.service.streams import check_settings, put_stream
from hayflick.storage.accounts import create_token, has_token, principal_of_token, project_named
from hayflick.storage.database import Database
from hayflick.storage.rules import store_rules
from hayflick.storage.targets import put_target

PROJECT = "default"
"""The project of the first token, and of what the settings declare."""

TOKEN_VARIABLE = "HAYFLICK_ADMIN_TOKEN"
_SHORTEST_TOKEN = 20
_AUTHOR = "settings"


def take_token(database: Database, token: str, *, now: float) -> None:
    """Let a token that the operator chose be an administrator's.

    Parameters
    ----------
    database
        The store.
    token
        The token.
    now
        The time.

    Raises
    ------
    ArgumentError
        If it is too short, or was revoked.
    """
    if len(token) < _SHORTEST_TOKEN:
        takes = f"at least {_SHORTEST_TOKEN} letters that cannot be guessed"
        raise ArgumentError(TOKEN_VARIABLE, got=f"{len(token)} letters", takes=takes)
    with _alone(database) as connection:
        if principal_of_token(connection, token) is not None:
            return
        try:
            with connection.begin_nested():
                _make(connection, token, now=now)
        except sa.exc.IntegrityError:
            remedy = "choose another, or leave it out"
            raise ArgumentError(
                TOKEN_VARIABLE, got="a token that was revoked", takes="one in use", remedy=remedy
            ) from None


def make_first_token(database: Database, *, now: float) -> str | None:
    """Return an administrator's token for a store that never had any; None for another one."""
    with _alone(database) as connection:
        if has_token(connection, revoked=True):
            return None
        return _make(connection, None, now=now)


def _make(connection: sa.Connection, token: str | None, *, now: float) -> str:
    project = project_named(connection, PROJECT, now=now)
    name, scopes = "first admin", ("admin",)
    return create_token(connection, project, name=name, scopes=scopes, now=now, token=token)


def declare(database: Database, settings: ServiceSettings, *, now: float) -> None:
    """Make the rules, streams and targets that the settings declare, or bring them up to date.

    Nothing is deleted that they do not name.

    Parameters
    ----------
    database
        The store.
    settings
        The settings.
    now
        The time.

    Raises
    ------
    DataError
        If something cannot be made; the message names the table of the settings.
    """
    with _naming("defaults"):
        check_settings(settings.defaults, kind="answers")
    with _naming("redact"):
        redaction(settings.redact)
    with _alone(database) as connection:
        project = project_named(connection, PROJECT, now=now)
        for name, text in settings.rules.items():
            with _naming(f"rules.{name}"):
                rules_of_text(text, name=name)
                store_rules(connection, project, name, text, author=_AUTHOR, now=now)
        for name, stream in settings.streams.items():
            with _naming(f"streams.{name}"):
                given = stream.model_dump(exclude={"kind"})
                put_stream(
                    connection,
                    project,
                    name,
                    kind=stream.kind,
                    settings=StreamSettings.model_validate(given),
                    most=settings.limits.streams,
                    now=now,
                )
        for name, target in settings.targets.items():
            with _naming(f"targets.{name}"):
                _put_target(connection, project, name, target, now=now)


def _put_target(
    connection: sa.Connection, project: int, name: str, target: DeclaredTarget, *, now: float
) -> None:
    check_target(target.kind, target.url)
    put_target(
        connection, project, name, kind=target.kind, url=target.url, secret=target.secret, now=now
    )


@contextmanager
def _alone(database: Database) -> Iterator[sa.Connection]:
    """Yield a transaction: of several services that start at once, one is first."""
    with database.transaction() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("LOCK TABLE tokens IN SHARE ROW EXCLUSIVE MODE")
        yield connection


@contextmanager
def _naming(place: str) -> Iterator[None]:
    """Say where in the settings something is that cannot be used."""
    try:
        yield
    except (ArgumentError, DataError) as fault:
        raise DataError(f"settings, {place}: {fault}") from None
