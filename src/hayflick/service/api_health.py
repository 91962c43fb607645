"""Whether the service runs, and whether it can take answers."""

from __future__ import annotations

import concurrent.futures
import threading
import time
from typing import TYPE_CHECKING, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from hayflick.core.errors import HayflickError
from hayflick.core.version import __version__
from hayflick.service.problems import Problem, without_address
from hayflick.service.settings import Role
from hayflick.storage.service_counts import set_value

if TYPE_CHECKING:
    from hayflick.service.service import Service

_LONGEST_WRITE_S = 5.0
_SECONDS_BETWEEN = 1.0
_LAST_CHECK = "last readiness check"


class Health(BaseModel):
    """The service runs."""

    status: Literal["ok"] = "ok"
    version: str = __version__
    role: Role


class Ready(BaseModel):
    """The service takes answers."""

    status: Literal["ready"] = "ready"
    writes_waiting: int


def router() -> APIRouter:
    """Return this part of the interface."""
    routes = APIRouter(tags=["health"])
    checks = _Checks()

    @routes.get("/health", summary="Say that the process runs")
    async def health(request: Request) -> Health:
        return Health(role=request.app.state.service.settings.role)

    @routes.get("/ready", summary="Say whether the store can be written")
    def ready(request: Request) -> Ready:
        service = request.app.state.service
        fault = checks.fault(service)
        if fault is not None:
            raise Problem(503, fault, headers={"Retry-After": "5"})
        return Ready(writes_waiting=service.writer.waiting)

    @routes.get(
        "/metrics",
        summary="Show metrics for Prometheus",
        description="What is read from the store holds for all processes, requests for the one "
        "that answers. Beyond loopback it takes a token, whose project's streams are shown.",
        response_class=MetricsResponse,
    )
    def metrics(request: Request) -> Response:
        principal = getattr(request.state, "principal", None)
        project = None if principal is None else principal.project
        return MetricsResponse(request.app.state.metrics.text(project=project))

    return routes


class MetricsResponse(PlainTextResponse):
    """Metrics in the text format of Prometheus."""

    media_type = "text/plain; version=0.0.4"


class _Checks:
    """Writes to the store to see that it can be written, at most once a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: tuple[float, str | None] | None = None

    def fault(self, service: Service) -> str | None:
        """Return what is wrong, None if nothing is."""
        # Anybody may ask: while one waits for the store, others hear what was found before.
        if not self._lock.acquire(blocking=self._last is None):
            return None if self._last is None else self._last[1]
        try:
            now = time.monotonic()
            if self._last is None or now - self._last[0] > _SECONDS_BETWEEN:
                self._last = (now, _write_fault(service))
            return self._last[1]
        finally:
            self._lock.release()


def _write_fault(service: Service) -> str | None:
    def write(connection: Any) -> None:
        set_value(connection, _LAST_CHECK, service.clock.now())

    try:
        service.writer.submit(write).result(_LONGEST_WRITE_S)
    except concurrent.futures.TimeoutError:
        return f"the store did not take a write within {_LONGEST_WRITE_S:g} s"
    except (HayflickError, SQLAlchemyError) as fault:
        return without_address(fault, service.database.name).partition("\n")[0]
    return None
