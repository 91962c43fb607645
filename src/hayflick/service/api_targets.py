"""Where alerts go to: targets are listed, made, tried and deleted, and what was sent is shown."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from hayflick.core.errors import ArgumentError
from hayflick.service.alerts import check_target, send_test
from hayflick.service.problems import Problem
from hayflick.service.requests import (
    Asking,
    Caller,
    Cursor,
    Limit,
    Listing,
    Name,
    existing,
    listing,
    number_of,
)
from hayflick.service.times import iso_time
from hayflick.storage.audit import record_audit
from hayflick.storage.deliveries import DeliveryRow, deliveries_of
from hayflick.storage.targets import TargetRow, delete_target, put_target, target_named, targets_of


class TargetView(BaseModel):
    """A target."""

    name: str
    kind: str = Field(description="apprise or webhook")
    url: str = Field(description="Its address, without what may be a password or a key.")
    enabled: bool
    created: str


class MadeTarget(TargetView):
    """A target that was made or changed."""

    secret: str | None = Field(
        description="What signs the messages of a web hook, where it is new; not shown again."
    )


class TargetBody(BaseModel):
    """Where alerts go to."""

    kind: Literal["apprise", "webhook"] = "apprise"
    url: str = Field(
        max_length=2000,
        description="An address of apprise, such as mailto://…; or https://… of a web hook.",
    )
    secret: str | None = Field(
        default=None,
        min_length=16,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Of a web hook; left out, it keeps the one it has, or is given one.",
    )
    enabled: bool = True


class TestResult(BaseModel):
    """What became of a test message."""

    __test__ = False  # pytest

    sent: bool
    error: str | None = Field(description="Why it did not arrive.")


class DeliveryView(BaseModel):
    """A message to a target."""

    number: int
    target: str
    kind: str = Field(description="alarm, cleared, silent, action or test")
    state: str = Field(description="waiting, sent or given up")
    attempts: int
    created: str
    next_attempt: str | None = Field(description="When it is tried again, or for the first time.")
    error: str | None
    content: dict[str, Any]


def router() -> APIRouter:
    """Return this part of the interface."""
    routes = APIRouter(prefix="/v1", tags=["targets"])

    @routes.get("/targets", summary="List the targets of alerts")
    def targets(asking: Asking) -> Listing[TargetView]:
        with asking.reading() as connection:
            found = targets_of(connection, asking.project)
        return Listing(items=[_view(target) for target in found], next=None)

    @routes.put("/targets/{name}", summary="Make a target, or change it")
    def put(asking: Asking, name: Name, body: TargetBody) -> MadeTarget:
        try:
            check_target(body.kind, body.url)
            before, target = asking.write(
                lambda connection, now: _stored(connection, asking, name, body, now=now)
            )
        except ArgumentError as fault:
            raise Problem(422, str(fault)) from None
        known = before is not None and before.secret == target.secret
        return MadeTarget(**_view(target).model_dump(), secret=None if known else target.secret)

    @routes.delete("/targets/{name}", summary="Delete a target", status_code=204)
    def delete(asking: Asking, name: Name) -> None:
        def job(connection: sa.Connection, now: float) -> bool:
            deleted = delete_target(connection, asking.project, name)
            if deleted:
                _record(connection, asking, "target deleted", name, now=now)
            return deleted

        if not asking.write(job):
            raise Problem(404, f"there is no target {name!r}")

    @routes.post("/targets/{name}/test", summary="Send a test message at once")
    def test(asking: Asking, name: Name) -> TestResult:
        with asking.reading() as connection:
            target = target_named(connection, asking.project, name)
        error = send_test(asking.service, existing(target, f"target {name!r}"))
        return TestResult(sent=error is None, error=error)

    @routes.get("/deliveries", summary="List what was sent to the targets, the newest first")
    def deliveries(
        asking: Asking,
        target: Annotated[str | None, Query(max_length=200, description="Of one target.")] = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> Listing[DeliveryView]:
        with asking.reading() as connection:
            names = {one.id: one.name for one in targets_of(connection, asking.project)}
            numbers = {name: number for number, name in names.items()}
            number = None if target is None else existing(numbers.get(target), f"target {target!r}")
            before, most = number_of(cursor), limit + 1
            found = deliveries_of(
                connection, asking.project, target=number, before=before, most=most
            )
        return listing(
            found, limit, place=lambda one: one.id, show=lambda one: _delivery(one, names)
        )

    return routes


def _stored(
    connection: sa.Connection, asking: Caller, name: str, body: TargetBody, *, now: float
) -> tuple[TargetRow | None, TargetRow]:
    """Store a target; return it as it was, and as it is."""
    before = target_named(connection, asking.project, name)
    target = put_target(
        connection,
        asking.project,
        name,
        kind=body.kind,
        url=body.url,
        secret=body.secret,
        enabled=body.enabled,
        now=now,
    )
    _record(connection, asking, "target changed", name, now=now)
    return before, target


def _record(
    connection: sa.Connection, asking: Caller, action: str, name: str, *, now: float
) -> None:
    record_audit(connection, asking.project, asking.principal.name, action, name, now=now)


def _view(target: TargetRow) -> TargetView:
    return TargetView(
        name=target.name,
        kind=target.kind,
        url=target.masked_url,
        enabled=target.enabled,
        created=iso_time(target.created),
    )


def _delivery(delivery: DeliveryRow, names: dict[int, str]) -> DeliveryView:
    waiting = delivery.state == "waiting"
    return DeliveryView(
        number=delivery.id,
        target=names[delivery.target],
        kind=delivery.kind,
        state=delivery.state,
        attempts=delivery.attempts,
        created=iso_time(delivery.created),
        next_attempt=iso_time(delivery.next_attempt) if waiting else None,
        error=delivery.error,
        content=dict(delivery.content),
    )
