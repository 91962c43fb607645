"""The pages of tokens, which are shown once, and of the users of the dashboard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from hayflick.core.errors import ArgumentError
from hayflick.service.pages.rendering import (
    Form,
    caller_of_form,
    number_of_form,
    page_router,
    render,
    see,
    service_of,
)
from hayflick.service.pages.settings import check_admin
from hayflick.service.problems import Problem
from hayflick.service.requests import Asking, Caller
from hayflick.storage.accounts import (
    SCOPES,
    SHORTEST,
    Token,
    User,
    change_password,
    create_token,
    create_user,
    hash_password,
    remove_user,
    revoke_token,
    tokens_of,
    users_of,
)
from hayflick.storage.audit import record_audit


def router() -> APIRouter:
    """Return the routes of tokens and users."""
    routes = page_router()
    _add_tokens(routes)
    _add_users(routes)
    return routes


def _add_tokens(routes: APIRouter) -> None:
    @routes.get("/settings/tokens")
    def tokens_page(request: Request, asking: Asking) -> HTMLResponse:
        check_admin(request)
        return _tokens(request, asking)

    @routes.post("/settings/tokens")
    def make(request: Request, asking: Asking, form: Form) -> HTMLResponse:
        caller = caller_of_form(request, form, "admin")
        name, scopes = form.get("name", "").strip(), form.get("scopes", "").split()

        def job(connection: sa.Connection, now: float) -> str:
            made = create_token(connection, caller.project, name=name, scopes=scopes, now=now)
            _record(connection, caller, "token made", name, now=now)
            return made

        try:
            made = caller.write(job)
        except ArgumentError as fault:
            return _tokens(request, asking, name=name, scopes=scopes, problem=str(fault))
        # It is in this answer alone, so nothing leads to another page.
        return _tokens(request, asking, made=made, made_name=name)

    @routes.post("/settings/tokens/revoke")
    def revoke(request: Request, form: Form) -> RedirectResponse:
        caller, number = caller_of_form(request, form, "admin"), number_of_form(form)

        def job(connection: sa.Connection, now: float) -> bool:
            revoked = revoke_token(connection, caller.project, number, now=now)
            if revoked:
                name = _name(tokens_of(connection, caller.project), number)
                _record(connection, caller, "token revoked", name, now=now)
            return revoked

        if not caller.write(job):
            raise Problem(404, f"there is no token {number} that is still taken")
        return see("/settings/tokens")


def _add_users(routes: APIRouter) -> None:
    @routes.get("/settings/users")
    def users_page(request: Request, asking: Asking) -> HTMLResponse:
        check_admin(request)
        return _users(request, asking)

    @routes.post("/settings/users", response_model=None)
    def make(request: Request, asking: Asking, form: Form) -> HTMLResponse | RedirectResponse:
        caller = caller_of_form(request, form, "admin")
        name, scopes = form.get("name", "").strip(), form.get("scopes", "").split()
        try:
            hashed = _hashed(request, form)

            def job(connection: sa.Connection, now: float) -> None:
                create_user(
                    connection, caller.project, name=name, hashed=hashed, scopes=scopes, now=now
                )
                _record(connection, caller, "user made", name, now=now)

            caller.write(job)
        except ArgumentError as fault:
            return _users(request, asking, name=name, scopes=scopes, problem=str(fault))
        return see("/settings/users")

    @routes.post("/settings/users/password", response_model=None)
    def password(request: Request, asking: Asking, form: Form) -> HTMLResponse | RedirectResponse:
        caller, number = caller_of_form(request, form, "admin"), number_of_form(form)
        try:
            hashed = _hashed(request, form)
        except ArgumentError as fault:
            return _users(request, asking, problem=str(fault))

        def job(connection: sa.Connection, now: float) -> bool:
            done = change_password(connection, caller.project, number, hashed=hashed)
            if done:
                name = _name(users_of(connection, caller.project), number)
                _record(connection, caller, "password changed", name, now=now)
            return done

        return _done(caller.write(job), number)

    @routes.post("/settings/users/remove")
    def remove(request: Request, form: Form) -> RedirectResponse:
        caller, number = caller_of_form(request, form, "admin"), number_of_form(form)
        if number == caller.principal.user:
            raise Problem(422, "id: takes another user's number: nobody removes themselves")

        def job(connection: sa.Connection, now: float) -> bool:
            name = _name(users_of(connection, caller.project), number)
            done = remove_user(connection, caller.project, number)
            if done:
                _record(connection, caller, "user removed", name, now=now)
            return done

        return _done(caller.write(job), number)


def _tokens(request: Request, asking: Caller, **values: Any) -> HTMLResponse:
    with asking.reading() as connection:
        found = tokens_of(connection, asking.project)
    found.sort(key=lambda one: (one.revoked is not None, -one.id))
    status = 422 if values.get("problem") else 200
    known = {"name": "", "scopes": ("ingest",), "problem": "", "made": "", "made_name": ""}
    return render(request, "tokens.html.jinja", status=status, tokens=found, **{**known, **values})


def _users(request: Request, asking: Caller, **values: Any) -> HTMLResponse:
    with asking.reading() as connection:
        found = users_of(connection, asking.project)
    status = 422 if values.get("problem") else 200
    known = {"name": "", "scopes": ("read", "review"), "problem": "", "shortest": SHORTEST}
    shown = {**known, **values}
    return render(request, "users.html.jinja", status=status, users=found, all=SCOPES, **shown)


def _name(accounts: Sequence[Token | User], number: int) -> str:
    return next((one.name for one in accounts if one.id == number), "")


def _hashed(request: Request, form: dict[str, str]) -> str:
    # Memory is taken for every password.
    with service_of(request).throttle.slots:
        return hash_password(form.get("password", ""))


def _done(done: bool, number: int) -> RedirectResponse:  # noqa: FBT001
    if not done:
        raise Problem(404, f"there is no user {number}")
    return see("/settings/users")


def _record(
    connection: sa.Connection, caller: Caller, action: str, name: str, *, now: float
) -> None:
    record_audit(connection, caller.project, caller.principal.name, action, name, now=now)
