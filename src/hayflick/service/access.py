"""Who may make which request, decided before its body is read."""

from __future__ import annotations

import re

from hayflick.core.errors import HayflickError
from hayflick.service.guard import Application, Message, Receive, Send
from hayflick.service.problems import Problem
from hayflick.service.service import Service
from hayflick.storage.accounts import Principal, principal_of_token

_INGEST = re.compile(r"/v1/(?:streams/[^/]+/(?:answers|vectors|counts|values)|traces|logs)")
_OPEN = re.compile(r"/(?:health|ready|metrics|openapi\.json)")
_REVIEW = re.compile(r"/v1/(?:reviews|alerts|actions)(?:/.*)?")


def required_scope(method: str, path: str) -> str | None:
    """Return the scope that a request takes; None for one that is open.

    Examples
    --------
    >>> required_scope("POST", "/v1/streams/talk/answers"), required_scope("GET", "/v1/streams")
    ('ingest', 'read')
    >>> required_scope("PUT", "/v1/rules/usual"), required_scope("GET", "/health")
    ('admin', None)
    """
    if _OPEN.fullmatch(path):
        return None
    if method in ("GET", "HEAD", "OPTIONS"):
        return "read"
    if _INGEST.fullmatch(path):
        return "ingest"
    return "review" if _REVIEW.fullmatch(path) else "admin"


class AccessGuard:
    """An application whose requests under ``/v1`` need a token with the scope that they take.

    The principal is in the request's state: ``request.state.principal``.
    """

    def __init__(self, app: Application, *, service: Service) -> None:
        self._application, self._service = app, service

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http" or not scope["path"].startswith("/v1"):
            await self._application(scope, receive, send)
            return
        try:
            principal = self._checked(scope)
        except Problem as problem:
            from fastapi.responses import JSONResponse

            response = JSONResponse(
                problem.record(),
                problem.status,
                headers=problem.headers,
                media_type="application/problem+json",
            )
            await response(scope, receive, send)
            return
        scope.setdefault("state", {})["principal"] = principal
        await self._application(scope, receive, send)

    def _checked(self, scope: Message) -> Principal | None:
        needed = required_scope(scope["method"], scope["path"])
        if needed is None:
            return None
        headers = {name.lower(): value for name, value in scope["headers"]}
        kind, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        principal = None
        if kind.lower() == "bearer" and token:
            try:
                with self._service.database.connect() as connection:
                    principal = principal_of_token(connection, token.strip())
            except HayflickError as fault:
                raise Problem(503, str(fault), headers={"Retry-After": "5"}) from None
        if principal is None:
            takes = "the header Authorization: Bearer TOKEN, with a token of this service"
            challenge = {"WWW-Authenticate": "Bearer"}
            raise Problem(401, f"a request takes {takes}", headers=challenge)
        if not principal.may(needed):
            raise Problem(403, f"the token {principal.name!r} lacks the scope {needed}")
        return principal
