"""Alerts of streams that alarm or have gone silent: listed, acknowledged, snoozed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from hayflick.service.api_actions import Stream
from hayflick.service.requests import (
    Asking,
    Cursor,
    Limit,
    Listing,
    Number,
    existing,
    listing,
    number_of,
)
from hayflick.service.times import iso_time
from hayflick.storage.alerts import (
    AlertRow,
    acknowledge_alert,
    alert_numbered,
    alerts_of,
    snooze_alert,
)

_MOST_HOURS = 24 * 90


class AlertView(BaseModel):
    """An alert of a stream."""

    number: int
    stream: str
    kind: str = Field(description="alarm or silent")
    state: str = Field(description="open or cleared")
    round: int
    content: dict[str, Any] = Field(description="What alarms: charts with value and limit.")
    opened: str
    cleared: str | None
    acknowledged: str | None
    acknowledged_by: str | None
    snoozed_until: str | None


class Snoozing(BaseModel):
    """For how long nothing is sent about an alert."""

    hours: float = Field(
        ge=0.0, le=_MOST_HOURS, allow_inf_nan=False, description="0 ends the snoozing."
    )


def router() -> APIRouter:
    """Return this part of the interface."""
    routes = APIRouter(prefix="/v1", tags=["alerts"])

    @routes.get("/alerts", summary="List the alerts, the newest first")
    def alerts(
        asking: Asking,
        state: Annotated[Literal["open", "cleared"] | None, Query()] = None,
        stream: Stream = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> Listing[AlertView]:
        with asking.reading() as connection:
            found = alerts_of(
                connection,
                asking.project,
                state=state,
                stream=asking.stream_number(connection, stream),
                before=number_of(cursor),
                most=limit + 1,
            )
        return listing(found, limit, place=lambda one: one.id, show=_view)

    @routes.get("/alerts/{number}", summary="Show an alert")
    def alert(asking: Asking, number: Number) -> AlertView:
        with asking.reading() as connection:
            found = alert_numbered(connection, asking.project, number)
        return _view(existing(found, f"alert {number}"))

    @routes.post(
        "/alerts/{number}/acknowledge",
        summary="Say that you take care of an alert",
        description="Who says so first stays.",
    )
    def acknowledge(asking: Asking, number: Number) -> AlertView:
        found = asking.write(
            lambda connection, now: acknowledge_alert(
                connection, asking.project, number, by=asking.principal.name, now=now
            )
        )
        return _view(existing(found, f"alert {number}"))

    @routes.post("/alerts/{number}/snooze", summary="Send nothing about an alert for some hours")
    def snooze(asking: Asking, number: Number, body: Snoozing) -> AlertView:
        def job(connection: sa.Connection, now: float) -> AlertRow | None:
            until = now + 3600.0 * body.hours if body.hours else None
            return snooze_alert(connection, asking.project, number, until=until, now=now)

        return _view(existing(asking.write(job), f"alert {number}"))

    return routes


def _view(alert: AlertRow) -> AlertView:
    return AlertView(
        number=alert.id,
        stream=alert.stream_name,
        kind=alert.kind,
        state=alert.state,
        round=alert.round,
        content=dict(alert.content),
        opened=iso_time(alert.opened),
        cleared=iso_time(alert.cleared),
        acknowledged=iso_time(alert.acknowledged),
        acknowledged_by=alert.acknowledged_by,
        snoozed_until=iso_time(alert.snoozed_until),
    )
