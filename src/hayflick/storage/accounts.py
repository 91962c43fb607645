"""Who may do what: projects, tokens, users with their passwords, and their sessions."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from hayflick.core.errors import ArgumentError
from hayflick.storage.service_tables import projects, sessions, tokens, users

SHORTEST, LONGEST = 10, 1000
"""Characters of a password."""

_LOG_ROUNDS, _BLOCK, _LANES = 15, 8, 3
_BYTES = 32


def hash_password(password: str) -> str:
    """Return the hash of a password, with its salt and costs; takes about a quarter of a second.

    Raises
    ------
    ArgumentError
        If it is too short, too long, or no text that can be typed.

    Examples
    --------
    >>> kept = hash_password("a long password")
    >>> verify_password("a long password", kept), verify_password("another one", kept)
    (True, False)
    """
    takes = f"{SHORTEST} to {LONGEST} characters"
    if not SHORTEST <= len(password) <= LONGEST:
        raise ArgumentError("password", got=f"{len(password)} characters", takes=takes)
    if any(unicodedata.category(one) in ("Cc", "Cs") for one in password):
        raise ArgumentError("password", got="a control character", takes=takes)
    salt = secrets.token_bytes(16)
    found = _scrypt(password, salt, _LOG_ROUNDS, _BLOCK, _LANES)
    parts = [base64.b64encode(one).decode() for one in (salt, found)]
    return "$".join(["scrypt", str(_LOG_ROUNDS), str(_BLOCK), str(_LANES), *parts])


def verify_password(password: str, kept: str | None) -> bool:
    """Return whether a password is the one whose hash was kept.

    With None it takes the same time, and is wrong: nobody learns which names there are.
    """
    kind, rounds, block, lanes, salt, known = (kept or _NOBODY).split("$")
    if kind != "scrypt" or len(password) > LONGEST:
        return False
    costs = int(rounds), int(block), int(lanes)
    found = _scrypt(password, base64.b64decode(salt), *costs)
    return hmac.compare_digest(found, base64.b64decode(known)) and kept is not None


def _scrypt(password: str, salt: bytes, rounds: int, block: int, lanes: int) -> bytes:
    # What two keyboards write in two ways is one password.
    typed = unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
    memory = 128 * block * ((1 << rounds) + lanes + 4)
    return hashlib.scrypt(
        typed, salt=salt, n=1 << rounds, r=block, p=lanes, maxmem=2 * memory, dklen=_BYTES
    )


_NOBODY = f"scrypt${_LOG_ROUNDS}${_BLOCK}${_LANES}$AAAAAAAAAAAAAAAAAAAAAA==${'A' * 43}="


SCOPES = ("ingest", "read", "review", "admin")
"""What a token may be for; ``admin`` holds all others."""

_PREFIX = "hf_"

SESSION_S = 7 * 86_400.0
"""Seconds after which a user logs in again."""


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
    token
        Number of the token; None for a user.
    """

    project: int
    name: str
    scopes: frozenset[str]
    user: int | None = None
    token: int | None = None

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
        If there is no such scope, or the name cannot be one.
    """
    check_scopes(scopes)
    _check_name(name)
    token = token or _PREFIX + secrets.token_urlsafe(32)
    row = {
        "project": project,
        "name": name,
        "scopes": _joined(scopes),
        "hash": _hash(token),
        "prefix": token[: len(_PREFIX) + 4],
        "created": now,
    }
    connection.execute(sa.insert(tokens).values(row))
    return token


def principal_of_token(connection: sa.Connection, token: str) -> Principal | None:
    """Return whom a token stands for; None if it is unknown or revoked."""
    known = (tokens.c.hash == _hash(token), tokens.c.revoked.is_(None))
    query = sa.select(tokens.c.id, tokens.c.project, tokens.c.name, tokens.c.scopes)
    row = connection.execute(query.where(*known)).first()
    if row is None:
        return None
    return Principal(row.project, row.name, frozenset(row.scopes.split()), token=row.id)


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token as lists show it, without the token itself."""

    id: int
    name: str
    scopes: frozenset[str]
    prefix: str
    created: float
    last_used: float | None
    revoked: float | None


def tokens_of(connection: sa.Connection, project: int) -> list[Token]:
    """Return the tokens of a project in the order in which they were made."""
    query = sa.select(tokens).where(tokens.c.project == project).order_by(tokens.c.id)
    return [
        Token(
            id=row.id,
            name=row.name,
            scopes=frozenset(row.scopes.split()),
            prefix=row.prefix,
            created=row.created,
            last_used=row.last_used,
            revoked=row.revoked,
        )
        for row in connection.execute(query)
    ]


def revoke_token(connection: sa.Connection, project: int, number: int, *, now: float) -> bool:
    """Refuse a token from now on; return whether the project has one that was still taken."""
    known = (tokens.c.project == project, tokens.c.id == number, tokens.c.revoked.is_(None))
    return connection.execute(sa.update(tokens).where(*known).values(revoked=now)).rowcount > 0


def mark_used(connection: sa.Connection, token: int, *, now: float) -> None:
    """Store when a token was last used."""
    connection.execute(sa.update(tokens).where(tokens.c.id == token).values(last_used=now))


def has_token(connection: sa.Connection, *, revoked: bool = False) -> bool:
    """Return whether there is a token that is taken; with `revoked`, or one that no longer is."""
    known = sa.select(tokens.c.id).limit(1)
    known = known if revoked else known.where(tokens.c.revoked.is_(None))
    return connection.scalar(known) is not None


@dataclass(frozen=True, kw_only=True)
class User:
    """A user of the dashboard, without the password."""

    id: int
    project: int
    name: str
    scopes: frozenset[str]
    created: float


_USER = (users.c.id, users.c.project, users.c.name, users.c.scopes, users.c.created)


def create_user(
    connection: sa.Connection,
    project: int,
    *,
    name: str,
    hashed: str,
    scopes: Collection[str],
    now: float,
) -> User:
    """Store a user of the dashboard.

    Parameters
    ----------
    project
        Number of the project.
    name
        What the user types to log in; no two users have the same.
    hashed
        What `hayflick.storage.accounts.hash_password` returns: it is slow, so it is not called
        while the store waits.
    scopes
        Of `SCOPES`.
    now
        The time.

    Raises
    ------
    ArgumentError
        If the name is taken or cannot be one, or if there is no such scope.
    """
    check_scopes(scopes)
    _check_name(name)
    if connection.scalar(sa.select(users.c.id).where(users.c.name == name)) is not None:
        raise ArgumentError("name", got=repr(name), takes="a name that no other user has")
    row = {
        "project": project,
        "name": name,
        "password": hashed,
        "scopes": _joined(scopes),
        "created": now,
    }
    connection.execute(sa.insert(users).values(row))
    return _user(connection.execute(sa.select(*_USER).where(users.c.name == name)).one())


def users_of(connection: sa.Connection, project: int) -> list[User]:
    """Return the users of a project in the order of their names."""
    query = sa.select(*_USER).where(users.c.project == project).order_by(users.c.name)
    return [_user(row) for row in connection.execute(query)]


def has_user(connection: sa.Connection) -> bool:
    """Return whether the dashboard has a user."""
    return connection.scalar(sa.select(users.c.id).limit(1)) is not None


def remove_user(connection: sa.Connection, project: int, number: int) -> bool:
    """Remove a user and their sessions; return whether the project had such a one."""
    known = (users.c.project == project, users.c.id == number)
    if connection.scalar(sa.select(users.c.id).where(*known)) is None:
        return False
    connection.execute(sa.delete(sessions).where(sessions.c.user == number))
    connection.execute(sa.delete(users).where(users.c.id == number))
    return True


def change_password(connection: sa.Connection, project: int, number: int, *, hashed: str) -> bool:
    """Replace a password and end the user's sessions; return whether there is such a user."""
    known = (users.c.project == project, users.c.id == number)
    changed = connection.execute(sa.update(users).where(*known).values(password=hashed)).rowcount
    if changed:
        connection.execute(sa.delete(sessions).where(sessions.c.user == number))
    return changed > 0


def check_password(connection: sa.Connection, name: str, password: str) -> User | None:
    """Return the user that a name and a password belong to; None if they do not belong together.

    It takes about a quarter of a second, also for a name that nobody has.
    """
    query = sa.select(*_USER, users.c.password).where(users.c.name == name)
    row = connection.execute(query).first() if _is_name(name) else None
    right = verify_password(password, None if row is None else row.password)
    return _user(row) if right and row is not None else None


def create_session(connection: sa.Connection, user: User, *, now: float) -> tuple[str, str]:
    """Return the cookie of a new session, and what its forms must hold against forgery.

    Parameters
    ----------
    user
        Who has logged in.
    now
        The time; the session ends `SESSION_S` later.
    """
    cookie, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    row = {
        "hash": _hash(cookie),
        "user": user.id,
        "csrf": csrf,
        "created": now,
        "expires": now + SESSION_S,
    }
    connection.execute(sa.insert(sessions).values(row))
    return cookie, csrf


def principal_of_session(
    connection: sa.Connection, cookie: str, *, now: float
) -> tuple[Principal, str] | None:
    """Return whom a session's cookie stands for, and what its forms must hold.

    None if there is no such session, or no longer.
    """
    query = (
        sa.select(users.c.id, users.c.project, users.c.name, users.c.scopes, sessions.c.csrf)
        .join_from(sessions, users, users.c.id == sessions.c.user)
        .where(sessions.c.hash == _hash(cookie), sessions.c.expires > now)
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    scopes = frozenset(row.scopes.split())
    return Principal(row.project, row.name, scopes, user=row.id), row.csrf


def end_session(connection: sa.Connection, cookie: str) -> None:
    """Forget a session: its cookie is worth nothing any more."""
    connection.execute(sa.delete(sessions).where(sessions.c.hash == _hash(cookie)))


def check_scopes(scopes: Collection[str]) -> None:
    """Refuse scopes that there are not, and none at all.

    Raises
    ------
    ArgumentError
        If there is no such scope.
    """
    wrong = sorted(set(scopes) - set(SCOPES))
    if wrong or not scopes:
        got = (wrong[0] if wrong else "") or "none"
        raise ArgumentError("scopes", got=got, takes=f"one or more of {', '.join(SCOPES)}")


def _check_name(name: str) -> None:
    if not _is_name(name) or name != name.strip():
        takes = "1 to 100 characters without control characters, no blank at either end"
        raise ArgumentError("name", got=ascii(name)[:120], takes=takes)


def _is_name(name: str) -> bool:
    categories = {unicodedata.category(one) for one in name}
    return 0 < len(name) <= 100 and not categories & {"Cc", "Cs", "Cf", "Zl", "Zp"}


def _user(row: Any) -> User:
    return User(
        id=row.id,
        project=row.project,
        name=row.name,
        scopes=frozenset(row.scopes.split()),
        created=row.created,
    )


def _joined(scopes: Collection[str]) -> str:
    return " ".join(one for one in SCOPES if one in scopes)


def _hash(token: str) -> bytes:
    # A random token of 256 bits needs no slow hash.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
