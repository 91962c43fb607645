"""The web application of the service: its parts, and how they and their faults are described."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from hayflick.core.errors import HayflickError, MissingExtraError
from hayflick.core.version import __version__
from hayflick.service.access import AccessGuard, required_scope
from hayflick.service.problems import PROBLEM_TYPE, Problem, first_fault, without_address
from hayflick.service.service import Service, Worker
from hayflick.service.settings import Role
from hayflick.service.stream_settings import StreamSettings
from hayflick.service.writer import WriteFailure, WriterBusy

if TYPE_CHECKING:
    from fastapi import APIRouter, FastAPI, Request
    from fastapi.responses import Response


def create_app(service: Service) -> FastAPI:
    """Return the application; the service runs as long as the application does.

    Parameters
    ----------
    service
        The service, not yet started.

    Raises
    ------
    MissingExtraError
        If the extra ``server`` is not installed.
    """
    try:
        from fastapi import FastAPI
        from fastapi.exceptions import RequestValidationError
        from sqlalchemy.exc import SQLAlchemyError
        from starlette.exceptions import HTTPException
    except ImportError:
        raise MissingExtraError("the service", extra="server") from None

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        service.start(workers_of(service))
        try:
            yield
        finally:
            service.stop()

    app = FastAPI(
        title="hayflick", version=__version__, lifespan=running, docs_url=None, redoc_url=None
    )
    app.state.service = service
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(WriterBusy, _busy)
    app.add_exception_handler(WriteFailure, _failed)
    app.add_exception_handler(HayflickError, _unusable)
    app.add_exception_handler(SQLAlchemyError, _broken)
    app.add_exception_handler(Exception, _internal)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)

    for router in routers(service.settings.role):
        app.include_router(router)
    describe(app)
    app.add_middleware(AccessGuard, service=service, answer=_answer)
    from hayflick.service.metrics import MeasuredRequests, ServiceMetrics

    app.state.metrics = ServiceMetrics(service)
    app.add_middleware(MeasuredRequests, metrics=app.state.metrics)
    return app


def _answer(request: Request, problem: Problem) -> Response:
    from hayflick.service.pages.rendering import answer_problem

    return answer_problem(request, problem)


async def _problem(request: Request, problem: Any) -> Response:
    return _answer(request, problem)


async def _busy(request: Request, fault: Exception) -> Response:
    detail = f"{fault}: send it again later"
    return _answer(request, Problem(429, detail, headers={"Retry-After": "1"}))


async def _failed(request: Request, fault: Exception) -> Response:
    reason = without_address(fault, request.app.state.service.database.name)
    detail = f"{reason}; nothing of this request was kept: send it again later"
    return _answer(request, Problem(503, detail, headers={"Retry-After": "5"}))


async def _unusable(request: Request, fault: Exception) -> Response:
    # What a request gets wrong is a problem of its own: this is the store.
    detail = without_address(fault, request.app.state.service.database.name)
    return _answer(request, Problem(503, detail, headers={"Retry-After": "5"}))


async def _broken(request: Request, fault: Exception) -> Response:
    # Its text holds the statement: that is for the log.
    logging.getLogger(__name__).error("the store refuses a statement", exc_info=fault)
    detail = f"the store cannot be used ({type(fault).__name__}): the log of the service says why"
    return _answer(request, Problem(503, detail, headers={"Retry-After": "5"}))


async def _internal(request: Request, fault: Exception) -> Response:
    detail = f"internal error ({type(fault).__name__}): the log of the service says where"
    return _answer(request, Problem(500, detail))


async def _invalid(request: Request, fault: Any) -> Response:
    detail = first_fault(fault.errors(), known=StreamSettings.model_fields)
    return _answer(request, Problem(422, detail))


async def _http(request: Request, fault: Any) -> Response:
    headers = dict(fault.headers or {})
    detail = str(fault.detail)
    if fault.status_code == 404:
        detail = "there is nothing at this address"
        if request.url.path.startswith("/v1"):
            detail += "; /openapi.json lists every address"
    if fault.status_code == 405:
        detail = f"got {request.method}, takes {headers.get('Allow', 'another method')}"
    return _answer(request, Problem(fault.status_code, detail, headers=headers))


_DESCRIPTION = (
    "The monitor of hayflick as a service. Requests under /v1 carry a token: "
    "`Authorization: Bearer TOKEN`. What cannot be served is answered with a problem (RFC 9457). "
    "Times are ISO 8601 in UTC. Lists come in pages: give `next` of one as `cursor` for the next."
)
_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "Why a request cannot be served, and what to do.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}
_CONTENT = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_SUMMARIES = {
    400: "The request, or its body, cannot be read.",
    401: "The request carries no token that is in use.",
    403: "The token lacks the scope, or the host is not served here.",
    404: "There is no such one.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    422: "Something in the request cannot be used; the detail names it.",
    429: "Too much is waiting: send it again after `Retry-After` seconds.",
    503: "The store cannot be used now: send it again after `Retry-After` seconds.",
}
_METHODS = ("get", "put", "post", "delete", "patch")


def describe(app: FastAPI) -> None:
    """Let an application's OpenAPI document say what every request may be answered."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    from fastapi.openapi.utils import get_openapi

    found = get_openapi(
        title="hayflick", version=__version__, description=_DESCRIPTION, routes=app.routes
    )
    components = found.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    # FastAPI's own errors are answered as problems.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = _PROBLEM
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, methods in found["paths"].items():
        for method in _METHODS:
            if method in methods:
                _describe(methods[method], method, path)
    return found


def _describe(operation: dict[str, Any], method: str, path: str) -> None:
    scope = required_scope(method.upper(), re.sub(r"\{[^}]*\}", "x", path))
    if scope is not None:
        operation["security"] = [{"token": []}]
        said = operation.get("description")
        operation["description"] = f"{said}\n\n" * bool(said) + f"Takes the scope `{scope}`."
    answers = operation["responses"]
    for status in _statuses(operation, method, path):
        answers.setdefault(str(status), {"description": _SUMMARIES[status]})
    for status, answer in answers.items():
        if int(status) >= HTTPStatus.BAD_REQUEST:
            answer["content"] = _CONTENT
            if int(status) in _SUMMARIES and answer["description"] == "Validation Error":
                answer["description"] = _SUMMARIES[int(status)]
    operation["responses"] = dict(sorted(answers.items()))


def _statuses(operation: dict[str, Any], method: str, path: str) -> Iterator[int]:
    """Yield the statuses of problems that any operation of its kind may have."""
    yield HTTPStatus.FORBIDDEN
    yield HTTPStatus.SERVICE_UNAVAILABLE
    if "security" in operation:
        yield HTTPStatus.UNAUTHORIZED
    if operation.get("parameters") or "requestBody" in operation:
        yield HTTPStatus.UNPROCESSABLE_ENTITY
    if "{" in path or operation.get("parameters"):
        yield HTTPStatus.NOT_FOUND
    if method != "get":
        yield HTTPStatus.TOO_MANY_REQUESTS
        yield HTTPStatus.BAD_REQUEST
        yield HTTPStatus.REQUEST_TIMEOUT
        yield HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def workers_of(service: Service) -> list[Worker]:
    """Return the workers of a service, as its role says."""
    from hayflick.service.alerts import AlertWorker
    from hayflick.service.events import Broadcast
    from hayflick.service.housekeeping import Housekeeper
    from hayflick.service.round_keeper import RoundKeeper

    role = service.settings.role
    workers: list[Worker] = [] if role == "rounds" else [Broadcast(service)]
    if role != "ingest":
        workers += [AlertWorker(service), RoundKeeper(service), Housekeeper(service)]
    return workers


def routers(role: Role) -> list[APIRouter]:
    """Return the parts of the interface that a process with a role has."""
    from hayflick.service import api_health

    return [api_health.router()] if role == "rounds" else [*_interface(), *_pages()]


def _interface() -> list[APIRouter]:
    from hayflick.service import (
        api_accounts,
        api_actions,
        api_alerts,
        api_export,
        api_health,
        api_ingest,
        api_otlp,
        api_readings,
        api_reviews,
        api_rules,
        api_streams,
        api_targets,
        events,
    )

    parts = (
        api_health,
        events,
        api_streams,
        api_readings,
        api_export,
        api_ingest,
        api_otlp,
        api_actions,
        api_alerts,
        api_reviews,
        api_rules,
        api_targets,
        api_accounts,
    )
    return [part.router() for part in parts]


def _pages() -> list[APIRouter]:
    from hayflick.service.pages import (
        accounts,
        actions,
        alerts,
        live,
        login,
        overview,
        reviews,
        rules,
        settings,
        static,
        stream,
        targets,
    )

    parts = (
        static,
        login,
        live,
        overview,
        stream,
        alerts,
        actions,
        reviews,
        rules,
        settings,
        accounts,
        targets,
    )
    return [part.router() for part in parts]
