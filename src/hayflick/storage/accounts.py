"""Who may do what: projects and tokens."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from hayflick.core.errors import ArgumentError
from hayflick.storage.service_tables import projects, tokens

SCOPES = ("ingest", "read", "review", "admin")
"""What a token may be for; ``admin`` holds all others."""

_PREFIX = "hf_"


@dataclass(frozen=True)
class Principal:
    """Who makes a request.

    Parameters
    ----------
    project
        Number of the project.
    name
        The token's or the user's name, for the audit log.
    scopes
        Of `SCOPES`.
    user
        Number of the user of the dashboard; None for a token.
    """

    project: int
    name: str
    scopes: frozenset[str]
    user: int | None = None

    def may(self, scope: str) -> bool:
        """Return whether a scope is held."""
        return scope in self.scopes or "admin" in self.scopes


def project_named(connection: sa.Connection, name: str, *, now: float) -> int:
    """Return the number of a project, which is made if it is missing."""
    found = connection.scalar(sa.select(projects.c.id).where(projects.c.name == name))
    if found is None:
        row = sa.insert(projects).values(name=name, created=now).returning(projects.c.id)
        found = connection.scalar(row)
    return int(found or 0)


def create_token(
    connection: sa.Connection,
    project: int,
    *,
    name: str,
    scopes: Collection[str],
    now: float,
    token: str | None = None,
) -> str:
    """Store a token's hash, and return the token, which can be had only now.

    Parameters
    ----------
    project
        Number of the project.
    name
        What it is called in lists.
    scopes
        Of `SCOPES`.
    now
        The time.
    token
        The token, where the operator chose it; None draws one.

    Raises
    ------
    ArgumentError
        If there is no such scope.
    """
    wrong = sorted(set(scopes) - set(SCOPES))
    if wrong or not scopes:
        got = wrong[0] if wrong else "none"
        raise ArgumentError("scopes", got=got, takes=f"one or more of {', '.join(SCOPES)}")
    token = token or _PREFIX + secrets.token_urlsafe(32)
    row = {
        "project": project,
        "name": name,
        "scopes": " ".join(one for one in SCOPES if one in scopes),
        "hash": _hash(token),
        "prefix": token[: len(_PREFIX) + 4],
        "created": now,
    }
    connection.execute(sa.insert(tokens).values(row))
    return token


def principal_of_token(connection: sa.Connection, token: str) -> Principal | None:
    """Return whom a token stands for; None if it is unknown or revoked."""
    query = sa.select(tokens.c.project, tokens.c.name, tokens.c.scopes).where(
        tokens.c.hash == _hash(token), tokens.c.revoked.is_(None)
    )
    row = connection.execute(query).first()
    return None if row is None else Principal(row.project, row.name, frozenset(row.scopes.split()))


def _hash(token: str) -> bytes:
    # A random token of 256 bits needs no slow hash.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
