"""Tokens of programs, users of the dashboard, the log of changes, and erasures: for admins."""

from __future__ import annotations

from typing import Annotated, Literal

import sqlalchemy as sa
from fastapi import APIRouter
from pydantic import BaseModel, Field

from hayflick.core.errors import ArgumentError
from hayflick.service.housekeeping import erase
from hayflick.service.problems import Problem
from hayflick.service.requests import (
    Asking,
    Cursor,
    Limit,
    Listing,
    Name,
    Number,
    existing,
    listing,
    number_of,
)
from hayflick.service.times import iso_time, seconds_of
from hayflick.storage.accounts import (
    LONGEST,
    SCOPES,
    SHORTEST,
    Token,
    User,
    change_password,
    create_token,
    create_user,
    hash_password,
    principal_of_token,
    remove_user,
    revoke_token,
    tokens_of,
    users_of,
)
from hayflick.storage.audit import AuditEntry, audit_of, record_audit
from hayflick.storage.retention import Erasure

Scopes = Annotated[list[Literal["ingest", "read", "review", "admin"]], Field(min_length=1)]
Password = Annotated[str, Field(min_length=SHORTEST, max_length=LONGEST)]
AccountName = Annotated[str, Field(min_length=1, max_length=100)]


class TokenBody(BaseModel):
    """What a new token is called, and what it is for."""

    name: AccountName
    scopes: Scopes


class TokenView(BaseModel):
    """A token, without the token itself."""

    number: int
    name: str
    scopes: list[str]
    prefix: str = Field(description="Its first letters.")
    created: str
    last_used: str | None
    revoked: str | None


class MadeToken(TokenView):
    """A token that was made."""

    token: str = Field(description="The token: it is not shown again.")


class UserBody(BaseModel):
    """A new user of the dashboard."""

    name: AccountName
    password: Password
    scopes: Scopes


class UserView(BaseModel):
    """A user of the dashboard."""

    number: int
    name: str
    scopes: list[str]
    created: str


class PasswordBody(BaseModel):
    """Another password."""

    password: Password


class AuditView(BaseModel):
    """An entry of the log."""

    number: int
    at: str
    actor: str = Field(description="A user, a token's name, operator, or service.")
    action: str
    subject: str


class ErasureBody(BaseModel):
    """Which answers are erased: those that meet all conditions."""

    key: str | None = Field(default=None, max_length=1000, description="The key of one answer.")
    group: str | None = Field(default=None, max_length=1000)
    begins: str | None = Field(
        default=None, max_length=64, description="Answers from this time on, in ISO 8601."
    )
    ends: str | None = Field(
        default=None, max_length=64, description="Answers before this time, in ISO 8601."
    )


class ErasureView(BaseModel):
    """How much was erased."""

    answers: int
    reviews: int = Field(description="Answers of the review queue.")


def router() -> APIRouter:
    """Return this part of the interface."""
    routes = APIRouter(prefix="/v1", tags=["accounts"])
    _add_tokens(routes)
    _add_users(routes)

    @routes.get("/audit", summary="List who has changed what, the newest first")
    def audit(asking: Asking, cursor: Cursor = None, limit: Limit = 100) -> Listing[AuditView]:
        with asking.reading() as connection:
            found = audit_of(connection, asking.project, before=number_of(cursor), most=limit + 1)
        return listing(found, limit, place=lambda one: one.id, show=_entry_view)

    @routes.post(
        "/streams/{name}/erasures",
        summary="Erase answers of a stream, by key, group or time",
        description="Their texts go with them, also those that wait to be checked. The readings "
        "of their rounds stay: they are numbers over all answers of a round.",
    )
    def erasures(asking: Asking, name: Name, body: ErasureBody) -> ErasureView:
        with asking.reading() as connection:
            stream = asking.stream(connection, name)
        service = asking.service
        try:
            times = [None if one is None else seconds_of(one) for one in (body.begins, body.ends)]
            what = Erasure(key=body.key, group=body.group, begins=times[0], ends=times[1])
            found = erase(
                service.database,
                service.writer.write,
                stream,
                what,
                actor=asking.principal.name,
                now=service.clock.now(),
            )
        except ArgumentError as fault:
            raise Problem(422, str(fault)) from None
        return ErasureView(answers=found.answers, reviews=found.reviews)

    return routes


def _add_tokens(routes: APIRouter) -> None:
    @routes.get("/tokens", summary="List the tokens, those that were revoked too")
    def tokens(asking: Asking) -> Listing[TokenView]:
        with asking.reading() as connection:
            found = tokens_of(connection, asking.project)
        return Listing(items=[_token_view(one) for one in found], next=None)

    @routes.post("/tokens", summary="Make a token, which is shown once", status_code=201)
    def make(asking: Asking, body: TokenBody) -> MadeToken:
        def job(connection: sa.Connection, now: float) -> tuple[str, Token]:
            made = create_token(
                connection, asking.project, name=body.name, scopes=body.scopes, now=now
            )
            _record(connection, asking, "token made", body.name, now=now)
            principal = principal_of_token(connection, made)
            number = None if principal is None else principal.token
            row = next(one for one in tokens_of(connection, asking.project) if one.id == number)
            return made, row

        try:
            made, row = asking.write(job)
        except ArgumentError as fault:
            raise Problem(422, str(fault)) from None
        return MadeToken(token=made, **_token_view(row).model_dump())

    @routes.delete("/tokens/{number}", summary="Revoke a token, at once", status_code=204)
    def revoke(asking: Asking, number: Number) -> None:
        def job(connection: sa.Connection, now: float) -> bool:
            revoked = revoke_token(connection, asking.project, number, now=now)
            if revoked:
                _record(connection, asking, "token revoked", str(number), now=now)
            return revoked

        done = asking.write(job)
        existing(done or None, f"token {number} in use")


def _add_users(routes: APIRouter) -> None:
    @routes.get("/users", summary="List the users of the dashboard")
    def users(asking: Asking) -> Listing[UserView]:
        with asking.reading() as connection:
            found = users_of(connection, asking.project)
        return Listing(items=[_user_view(one) for one in found], next=None)

    @routes.post("/users", summary="Make a user of the dashboard", status_code=201)
    def make(asking: Asking, body: UserBody) -> UserView:
        def job(connection: sa.Connection, now: float) -> User:
            user = create_user(
                connection,
                asking.project,
                name=body.name,
                hashed=hashed,
                scopes=body.scopes,
                now=now,
            )
            _record(connection, asking, "user made", body.name, now=now)
            return user

        try:
            hashed = _hashed(asking, body.password)
            return _user_view(asking.write(job))
        except ArgumentError as fault:
            raise Problem(422, str(fault)) from None

    @routes.put(
        "/users/{number}/password",
        summary="Give a user another password, which ends their sessions",
        status_code=204,
    )
    def change(asking: Asking, number: Number, body: PasswordBody) -> None:
        def job(connection: sa.Connection, now: float) -> bool:
            changed = change_password(connection, asking.project, number, hashed=hashed)
            if changed:
                _record(connection, asking, "password changed", str(number), now=now)
            return changed

        try:
            hashed = _hashed(asking, body.password)
        except ArgumentError as fault:
            raise Problem(422, str(fault)) from None
        done = asking.write(job)
        existing(done or None, f"user {number}")

    @routes.delete("/users/{number}", summary="Remove a user and their sessions", status_code=204)
    def remove(asking: Asking, number: Number) -> None:
        def job(connection: sa.Connection, now: float) -> bool:
            removed = remove_user(connection, asking.project, number)
            if removed:
                _record(connection, asking, "user removed", str(number), now=now)
            return removed

        done = asking.write(job)
        existing(done or None, f"user {number}")


def _hashed(asking: Asking, password: str) -> str:
    # It takes memory, so not many at once.
    with asking.service.throttle.slots:
        return hash_password(password)


def _record(
    connection: sa.Connection, asking: Asking, action: str, subject: str, *, now: float
) -> None:
    actor = asking.principal.name
    record_audit(connection, asking.project, actor, action, subject, now=now)


def _ordered(scopes: frozenset[str]) -> list[str]:
    return [one for one in SCOPES if one in scopes]


def _token_view(token: Token) -> TokenView:
    return TokenView(
        number=token.id,
        name=token.name,
        scopes=_ordered(token.scopes),
        prefix=token.prefix,
        created=iso_time(token.created),
        last_used=iso_time(token.last_used),
        revoked=iso_time(token.revoked),
    )


def _user_view(user: User) -> UserView:
    return UserView(
        number=user.id, name=user.name, scopes=_ordered(user.scopes), created=iso_time(user.created)
    )


def _entry_view(entry: AuditEntry) -> AuditView:
    return AuditView(
        number=entry.id,
        at=iso_time(entry.at),
        actor=entry.actor,
        action=entry.action,
        subject=entry.subject,
    )
