"""The web application of the service: its parts, and how it answers what goes wrong."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from hayflick.core.errors import HayflickError, MissingExtraError
from hayflick.core.version import __version__
from hayflick.service.access import AccessGuard
from hayflick.service.openapi import describe
from hayflick.service.problems import Problem, first_fault, without_address
from hayflick.service.service import Service
from hayflick.service.stream_settings import StreamSettings
from hayflick.service.writer import WriteFailure, WriterBusy

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
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
        from hayflick.service.assembly import workers_of

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
    from hayflick.service.assembly import routers

    for router in routers(service.settings.role):
        app.include_router(router)
    describe(app)
    app.add_middleware(AccessGuard, service=service)
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
