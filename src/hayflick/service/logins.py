"""Logging in to the dashboard, and out again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from hayflick.core.errors import ArgumentError
from hayflick.service.problems import Problem
from hayflick.service.service import Service
from hayflick.storage.accounts import (
    SCOPES,
    User,
    check_password,
    create_session,
    create_user,
    end_session,
    has_user,
    principal_of_token,
)
from hayflick.storage.audit import record_audit
from hayflick.storage.passwords import hash_password


def log_in(service: Service, name: str, password: str, *, address: str) -> tuple[str, str]:
    """Return the cookie of a new session, and what its forms must hold.

    Parameters
    ----------
    service
        The service.
    name, password
        What was typed.
    address
        Where the request comes from.

    Raises
    ------
    Problem
        401 if they do not belong together, 429 after too many failures.
    """
    now = service.clock.now()
    name = name[:200]
    _check_wait(service, name, address, now=now)
    with _turn(service):
        # Those that were sent at the same moment have failed by now.
        _check_wait(service, name, address, now=now)
        with service.database.connect() as connection:
            user = check_password(connection, name, password)
        if user is None:
            service.throttle.failed(name, address, now=now)
            raise Problem(401, "the name and the password do not belong together")
    service.throttle.succeeded(name, address)
    return _begin_session(service, user, "logged in")


def set_up(
    service: Service, token: str, name: str, password: str, *, address: str
) -> tuple[str, str]:
    """Return the session of the first user, who is made with a token of the scope admin.

    Raises
    ------
    Problem
        401 if the token is none, 409 if there is a user already, 422 if the name or the password
        cannot be one, 429 after too many failures.
    """
    now = service.clock.now()
    _check_wait(service, "", address, now=now)
    with service.database.connect() as connection:
        principal = principal_of_token(connection, token.strip())
        done = has_user(connection)
    if done:
        raise Problem(409, "the dashboard has a user already: log in")
    if principal is None or not principal.may("admin"):
        service.throttle.failed("", address, now=now)
        raise Problem(401, "this is no token of the scope admin")
    try:
        with _turn(service):
            hashed = hash_password(password)
        user = service.writer.write(
            lambda connection: create_user(
                connection, principal.project, name=name, hashed=hashed, scopes=SCOPES, now=now
            )
        )
    except ArgumentError as fault:
        raise Problem(422, str(fault)) from None
    return _begin_session(service, user, "set up the dashboard")


def log_out(service: Service, cookie: str) -> None:
    """End a session."""
    service.writer.write(lambda connection: end_session(connection, cookie))


@contextmanager
def _turn(service: Service) -> Iterator[None]:
    """Wait for a turn, for every password takes time and memory; refuse where many wait."""
    throttle = service.throttle
    if not throttle.places.acquire(blocking=False):
        detail = "many are logging in at this moment: try again in a second"
        raise Problem(429, detail, headers={"Retry-After": "1"})
    try:
        with throttle.slots:
            yield
    finally:
        throttle.places.release()


def _check_wait(service: Service, name: str, address: str, *, now: float) -> None:
    wait = service.throttle.wait_s(name, address, now=now)
    if wait > 0:
        seconds = int(wait) + 1
        detail = f"too many wrong passwords: try again in {seconds} seconds"
        raise Problem(429, detail, headers={"Retry-After": str(seconds)})


def _begin_session(service: Service, user: User, action: str) -> tuple[str, str]:
    now = service.clock.now()

    def job(connection: sa.Connection) -> tuple[str, str]:
        record_audit(connection, user.project, user.name, action, "", now=now)
        return create_session(connection, user, now=now)

    return service.writer.write(job)
