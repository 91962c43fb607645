"""The page of alert targets: where alerts go to, tried with a button."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from hayflick.core.errors import ArgumentError
from hayflick.service.alerts import check_target, send_test
from hayflick.service.pages.rendering import (
    Form,
    caller_of_form,
    page_router,
    render,
    see,
    service_of,
)
from hayflick.service.pages.settings import check_admin
from hayflick.service.requests import Asking, Caller, existing
from hayflick.storage.audit import record_audit
from hayflick.storage.deliveries import DeliveryRow, deliveries_of
from hayflick.storage.targets import TargetRow, delete_target, put_target, target_named, targets_of

_MOST_DELIVERIES = 30
_EMPTY = {"name": "", "kind": "apprise", "url": ""}


def router() -> APIRouter:
    """Return the routes of alert targets."""
    routes = page_router()

    @routes.get("/settings/targets")
    def targets_page(request: Request, asking: Asking) -> HTMLResponse:
        check_admin(request)
        return _page(request, asking)

    @routes.post("/settings/targets")
    def make(request: Request, asking: Asking, form: Form) -> HTMLResponse:
        caller = caller_of_form(request, form, "admin")
        fields = {name: form.get(name, "").strip() for name in _EMPTY}
        try:
            target = _made(caller, fields)
        except ArgumentError as fault:
            return _page(request, asking, fields=fields, problem=str(fault))
        # A secret is in this answer alone.
        return _page(request, asking, made=target)

    @routes.post("/settings/targets/test")
    def test(request: Request, asking: Asking, form: Form) -> HTMLResponse:
        caller = caller_of_form(request, form, "admin")
        target = _target(caller, form)
        error = send_test(caller.service, target)
        return _page(request, asking, tested=target.name, error=error)

    @routes.post("/settings/targets/switch")
    def switch(request: Request, form: Form) -> RedirectResponse:
        caller = caller_of_form(request, form, "admin")
        target, enabled = _target(caller, form), form.get("enabled") == "1"

        def job(connection: sa.Connection, now: float) -> None:
            put_target(
                connection,
                caller.project,
                target.name,
                kind=target.kind,
                url=target.url,
                secret=target.secret,
                enabled=enabled,
                now=now,
            )
            done = "target switched on" if enabled else "target switched off"
            _record(connection, caller, done, target.name, now=now)

        caller.write(job)
        return see("/settings/targets")

    @routes.post("/settings/targets/delete")
    def delete(request: Request, form: Form) -> RedirectResponse:
        caller = caller_of_form(request, form, "admin")
        target = _target(caller, form)

        def job(connection: sa.Connection, now: float) -> None:
            if delete_target(connection, caller.project, target.name):
                _record(connection, caller, "target deleted", target.name, now=now)

        caller.write(job)
        return see("/settings/targets")

    return routes


def _made(caller: Caller, fields: Mapping[str, str]) -> TargetRow:
    """Return a new target.

    Raises
    ------
    ArgumentError
        If it cannot be one, or there is one of that name.
    """
    name, kind, url = fields["name"], fields["kind"], fields["url"]
    if not 0 < len(name) <= 100 or not name.isprintable():
        raise ArgumentError("name", got=ascii(name)[:120], takes="1 to 100 printable characters")
    check_target(kind, url)

    def job(connection: sa.Connection, now: float) -> TargetRow:
        if target_named(connection, caller.project, name) is not None:
            raise ArgumentError("name", got=repr(name), takes="a name that no other target has")
        _record(connection, caller, "target made", name, now=now)
        return put_target(connection, caller.project, name, kind=kind, url=url, now=now)

    return caller.write(job)


def _target(caller: Caller, form: Mapping[str, str]) -> TargetRow:
    name = form.get("name", "")
    with caller.reading() as connection:
        found = None if "\x00" in name else target_named(connection, caller.project, name)
    return existing(found, f"target {name!r}")


def _page(request: Request, asking: Caller, **values: Any) -> HTMLResponse:
    with asking.reading() as connection:
        targets = targets_of(connection, asking.project)
        sent = deliveries_of(connection, asking.project, most=_MOST_DELIVERIES)
    names = {one.id: one.name for one in targets}
    declared = set(service_of(request).settings.targets)
    rows: list[tuple[DeliveryRow, str]] = [(one, names[one.target]) for one in sent]
    known = {"fields": _EMPTY, "problem": "", "made": None, "tested": None, "error": None}
    return render(
        request,
        "targets.html.jinja",
        status=422 if values.get("problem") else 200,
        targets=targets,
        deliveries=rows,
        declared=declared,
        **{**known, **values},
    )


def _record(
    connection: sa.Connection, caller: Caller, action: str, name: str, *, now: float
) -> None:
    record_audit(connection, caller.project, caller.principal.name, action, name, now=now)
