"""The OpenAPI document: what FastAPI knows of the routes, and what all of them may answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from hayflick.core.version import __version__
from hayflick.service.access import required_scope
from hayflick.service.problems import PROBLEM_TYPE

if TYPE_CHECKING:
    from fastapi import FastAPI

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
