"""The page of alarms and silent streams: acknowledged, snoozed, and over."""

from __future__ import annotations

import re
from collections.abc import Callable

import sqlalchemy as sa
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from hayflick.service.access import local_target
from hayflick.service.pages.rendering import (
    Before,
    Form,
    caller_of_form,
    page_router,
    principal_of,
    render,
    see,
    service_of,
)
from hayflick.service.problems import Problem
from hayflick.service.requests import Number
from hayflick.storage.accounts import Principal
from hayflick.storage.alerts import AlertRow, acknowledge_alert, alerts_of, snooze_alert

_HOUR_S, _MOST_HOURS = 3600.0, 24 * 366
_MOST_SHOWN = 100


def router() -> APIRouter:
    """Return the routes of the page of alerts."""
    routes = page_router()

    @routes.get("/alerts")
    def alerts_page(request: Request, before: Before = None) -> HTMLResponse:
        project = principal_of(request).project
        with service_of(request).database.connect() as connection:
            standing = alerts_of(connection, project, state="open")
            over = alerts_of(connection, project, state="cleared", before=before, most=_MOST_SHOWN)
        further = over[-1].id if len(over) == _MOST_SHOWN else None
        return render(request, "alerts.html.jinja", standing=standing, over=over, further=further)

    @routes.post("/alerts/{number}/acknowledge")
    def acknowledge(request: Request, number: Number, form: Form) -> RedirectResponse:
        def job(connection: sa.Connection, principal: Principal, now: float) -> AlertRow | None:
            return acknowledge_alert(
                connection, principal.project, number, by=principal.name, now=now
            )

        return _changed(request, form, job)

    @routes.post("/alerts/{number}/snooze")
    def snooze(request: Request, number: Number, form: Form) -> RedirectResponse:
        hours = form.get("hours", "")
        if not re.fullmatch("[0-9]{1,4}", hours) or int(hours) > _MOST_HOURS:
            raise Problem(422, f"hours: takes a whole number from 0 to {_MOST_HOURS}")

        def job(connection: sa.Connection, principal: Principal, now: float) -> AlertRow | None:
            until = now + int(hours) * _HOUR_S if int(hours) else None
            return snooze_alert(connection, principal.project, number, until=until, now=now)

        return _changed(request, form, job)

    return routes


def _changed(
    request: Request,
    form: dict[str, str],
    job: Callable[[sa.Connection, Principal, float], AlertRow | None],
) -> RedirectResponse:
    """Change an alert, and go back to the page that the form was on."""
    caller = caller_of_form(request, form, "review")
    principal, service = caller.principal, caller.service
    now = service.clock.now()
    changed = service.writer.write(lambda connection: job(connection, principal, now))
    if changed is None:
        raise Problem(404, "there is no such alert")
    return see(local_target(form.get("back")))
