"""Who may make which request, decided before its body is read.

Requests under ``/v1`` carry a token; pages need a session, which a cookie stands for. Every answer
says to browsers what a page of ours may load: nothing but what this service serves.
"""

from __future__ import annotations

import hmac
import logging
import re
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlsplit

from hayflick.core.errors import ArgumentError, HayflickError
from hayflick.service.guard import (
    LARGEST_BODY,
    Application,
    Message,
    Receive,
    RequestRefusal,
    Send,
    check_host,
    check_json,
    read_body,
    replayed,
)
from hayflick.service.listening import is_loopback
from hayflick.service.problems import Problem
from hayflick.service.service import Service
from hayflick.service.writer import WriterBusy
from hayflick.storage.accounts import (
    SESSION_S,
    Principal,
    has_token,
    has_user,
    mark_used,
    principal_of_session,
    principal_of_token,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import Request
    from fastapi.responses import Response

T = TypeVar("T")

_log = logging.getLogger(__name__)

COOKIE = "hayflick_session"
"""The cookie that stands for a session."""

_INGEST = re.compile(
    r"/v1/(?:streams/[^/]+/(?:answers|vectors|counts|values|summaries)|traces|logs)"
)
_OPEN = re.compile(r"/(?:health|ready)")
_OPEN_ON_LOOPBACK = re.compile(r"/(?:metrics|openapi\.json)")
_ADMIN = re.compile(r"/v1/(?:tokens|users|audit|erasures)(?:/.*)?")
_REVIEW = re.compile(r"/v1/(?:reviews|alerts|actions)(?:/.*)?")
_OPEN_PAGES = re.compile(r"/(?:login|setup|favicon\.ico|static/.+)")
_READING = ("GET", "HEAD", "OPTIONS")

_HEADERS = {
    b"content-security-policy": b"default-src 'none'; script-src 'self'; style-src 'self'; "
    b"img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    b"frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    # With no-referrer, browsers leave the origin out of the forms that they send.
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}
"""What every answer has, unless it says otherwise."""

_LARGEST_OF_STRANGERS = 20_000
"""Bytes of a form that somebody sends who is not logged in."""

_SECONDS_BETWEEN_MARKS = 60.0
_THREADS = 8


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
    if _ADMIN.fullmatch(path):
        return "admin"
    if method in _READING:
        return "read"
    if _INGEST.fullmatch(path):
        return "ingest"
    return "review" if _REVIEW.fullmatch(path) else "admin"


def check_exposure(service: Service, host: str) -> None:
    """Refuse to listen where other machines reach a service that nobody has an account of.

    Parameters
    ----------
    service
        The service; its settings may be ``insecure``.
    host
        The address to listen at.

    Raises
    ------
    ArgumentError
        If it is beyond loopback, and there is no token, or no user.
    """
    if is_loopback(host) or service.settings.insecure:
        return
    with service.database.connect() as connection:
        missing = [
            name
            for name, known in (("token", has_token(connection)), ("user", has_user(connection)))
            if not known
        ]
    if missing:
        made = " and ".join(f"a {one} (hayflick db {one})" for one in missing)
        raise ArgumentError(
            "host",
            got=host,
            takes="127.0.0.1 as long as there is no account",
            remedy=f"make {made}",
        )


def check_csrf(request: Request, form: Mapping[str, Any]) -> None:
    """Refuse a form that no page of this session has shown.

    Parameters
    ----------
    request
        The request of a page.
    form
        Its form, with the field ``csrf``; the header ``X-CSRF-Token`` does as well.

    Raises
    ------
    Problem
        403, if it does not hold what the session's forms must hold.
    """
    given = request.headers.get("x-csrf-token") or form.get("csrf") or ""
    known = getattr(request.state, "csrf", None)
    given = given if isinstance(given, str) else ""
    if known is None or not hmac.compare_digest(given.encode(errors="replace"), known.encode()):
        raise Problem(403, "this form is out of date: load the page again and send it once more")


def check_scope(request: Request, scope: str) -> Principal:
    """Return who makes a request, who must hold a scope.

    Raises
    ------
    Problem
        403, if they do not.
    """
    principal: Principal = request.state.principal
    if not principal.may(scope):
        raise Problem(403, f"{principal.name} lacks the scope {scope}: ask an admin for it")
    return principal


def set_session(request: Request, response: Response, cookie: str) -> None:
    """Give a browser the cookie of its session."""
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=int(SESSION_S),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def clear_session(request: Request, response: Response) -> None:
    """Take the cookie of its session from a browser."""
    secure = request.url.scheme == "https"
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=secure)


def session_cookie(request: Request) -> str:
    """Return the cookie that a request carries; empty if there is none."""
    return request.cookies.get(COOKIE, "")


def still_may_read(request: Request) -> Callable[[], bool]:
    """Return what says whether who made a request may still make it, some time later.

    A token may be revoked meanwhile, a session end, and a user lose a scope.
    """
    service: Service = request.app.state.service
    is_token = request.state.principal.user is None
    given = _bearer(dict(request.headers.raw)) if is_token else session_cookie(request)

    def may() -> bool:
        try:
            with service.database.connect() as connection:
                if is_token:
                    principal = principal_of_token(connection, given)
                else:
                    found = principal_of_session(connection, given, now=service.clock.now())
                    principal = None if found is None else found[0]
        except HayflickError:
            # The store is away: nobody can know now.
            return True
        return principal is not None and any(map(principal.may, ("read", "review")))

    return may


def local_target(target: str | None) -> str:
    """Return where to go after logging in: a page of this service.

    Examples
    --------
    >>> local_target("/streams/talk?from=3"), local_target("//elsewhere"), local_target(None)
    ('/streams/talk?from=3', '/', '/')
    """
    known = re.fullmatch(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*", target or "")
    return known.group() if known else "/"


class AccessGuard:
    """An application whose requests need a token under ``/v1``, and else a session.

    Who makes a request is in its state: ``request.state.principal``; of a page,
    ``request.state.csrf`` is what its forms must hold.
    """

    def __init__(
        self, app: Application, *, service: Service, answer: Callable[[Request, Problem], Response]
    ) -> None:
        self._application, self._service, self._answer = app, service, answer
        self._loopback = is_loopback(service.settings.host)
        self._marked: dict[int, float] = {}
        self._limiter: Any = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        send = partial(_send_with_headers, send)
        headers = {name.lower(): value for name, value in scope["headers"]}
        try:
            host = headers.get(b"host", b"").decode("latin-1")
            check_host(host, hosts=self._service.settings.hosts, loopback=self._loopback)
            if self._service.settings.role == "rounds":
                _check_health(scope["path"])
            if scope["path"].endswith("\n"):
                # Routes do not mind one, but the scopes of paths would be others.
                raise Problem(404, "there is nothing at this address")
            if self._takes_token(scope["path"]):
                await self._check_token(scope, headers)
                if scope["method"] not in _READING and not _INGEST.fullmatch(scope["path"]):
                    body = await read_body(headers, receive)
                    check_json(body)
                    receive = replayed(body, receive)
            else:
                target = await self._check_page(scope, headers)
                if target is not None:
                    await _redirect(target, scope, receive, send)
                    return
                if scope["method"] not in _READING:
                    known = "principal" in scope.get("state", {})
                    most = LARGEST_BODY if known else _LARGEST_OF_STRANGERS
                    body = await read_body(headers, receive, at_most=most)
                    receive = replayed(body, receive)
        except RequestRefusal as refusal:
            await self._refuse(Problem(refusal.status, refusal.message), scope, receive, send)
            return
        except Problem as problem:
            await self._refuse(problem, scope, receive, send)
            return
        await self._application(scope, receive, send)

    async def _refuse(self, problem: Problem, scope: Message, receive: Receive, send: Send) -> None:
        from fastapi import Request

        await self._answer(Request(scope), problem)(scope, receive, send)

    def _takes_token(self, path: str) -> bool:
        kinds = (_OPEN, _OPEN_ON_LOOPBACK)
        return path.startswith("/v1/") or any(kind.fullmatch(path) for kind in kinds)

    async def _check_token(self, scope: Message, headers: Mapping[bytes, bytes]) -> None:
        path = scope["path"]
        needed = required_scope(scope["method"], path)
        if needed is None or (self._loopback and _OPEN_ON_LOOPBACK.fullmatch(path)):
            return
        token = _bearer(headers)
        principal = None
        detail = "a request takes the header Authorization: Bearer TOKEN"
        if token:
            principal = await self._read(principal_of_token, token)
            remedy = "make one on the page Settings, or with hayflick db token"
            detail = f"this token is not in use here; {remedy}"
        if principal is None:
            raise Problem(401, detail, headers={"WWW-Authenticate": "Bearer"})
        if not principal.may(needed):
            raise Problem(403, f"the token {principal.name!r} lacks the scope {needed}")
        scope.setdefault("state", {})["principal"] = principal
        self._mark(principal)

    async def _check_page(self, scope: Message, headers: Mapping[bytes, bytes]) -> str | None:
        """Return the page to go to instead; None where the request may go on."""
        from fastapi import Request

        if scope["method"] not in _READING:
            _check_origin(headers)
        path = scope["path"]
        is_open = _OPEN_PAGES.fullmatch(path) is not None
        cookie = session_cookie(Request(scope))
        found = None
        if cookie and not path.startswith("/static/"):
            now = self._service.clock.now()
            found = await self._read(principal_of_session, cookie, now=now)
        if found is not None:
            state = scope.setdefault("state", {})
            state["principal"], state["csrf"] = found
            reads = any(map(found[0].may, ("read", "review")))
            if not (reads or is_open or path == "/logout"):
                raise Problem(403, f"{found[0].name} lacks the scope read: ask an admin for it")
        if found is not None or is_open:
            return None
        if b"text/event-stream" in headers.get(b"accept", b""):
            raise Problem(401, "the session has ended: log in again")
        if not await self._read(has_user):
            return "/setup"
        query = scope.get("query_string", b"").decode("latin-1")
        wanted = quote(path) + (f"?{query}" if query else "")
        started_by_reader = scope["method"] == "GET" and wanted != "/"
        return f"/login?next={quote(wanted, safe='/')}" if started_by_reader else "/login"

    async def _read(self, read: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """Return what is read from the store, in a thread: the disk may be slow."""
        from anyio import CapacityLimiter, to_thread

        def work() -> T:
            with self._service.database.connect() as connection:
                return read(connection, *arguments, **named)

        self._limiter = self._limiter or CapacityLimiter(_THREADS)
        try:
            return await to_thread.run_sync(work, limiter=self._limiter)
        except HayflickError as fault:
            # Nobody knows yet who asks, and the fault names the store's address.
            _log.error("who makes a request cannot be looked up: %s", fault)
            detail = "the store cannot be read now: send it again later"
            raise Problem(503, detail, headers={"Retry-After": "5"}) from None

    def _mark(self, principal: Principal) -> None:
        """Store that a token was used, once a minute."""
        now, number = self._service.clock.now(), principal.token
        if number is None or now < self._marked.get(number, 0.0) + _SECONDS_BETWEEN_MARKS:
            return
        self._marked[number] = now
        try:
            self._service.writer.submit(partial(mark_used, token=number, now=now))
        except WriterBusy:
            # What senders write comes first.
            del self._marked[number]


def _check_health(path: str) -> None:
    """Refuse what a process that only closes rounds does not answer."""
    if not any(kind.fullmatch(path) for kind in (_OPEN, _OPEN_ON_LOOPBACK)):
        detail = "this process closes rounds, and answers /health, /ready and /metrics alone"
        raise Problem(404, f"{detail}; send requests to one with --role ingest or all")


def _bearer(headers: Mapping[bytes, bytes]) -> str:
    """Return the token that a request carries; empty if there is none."""
    kind, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _check_origin(headers: Mapping[bytes, bytes]) -> None:
    """Refuse a form that a page of another site has sent."""
    host = headers.get(b"host", b"").decode("latin-1").lower()
    origin = headers.get(b"origin")
    if origin is None:
        same = headers.get(b"sec-fetch-site", b"none") in (b"none", b"same-origin")
    else:
        try:
            same = urlsplit(origin.decode("latin-1")).netloc.lower() == host
        except ValueError:
            same = False
    if not same:
        raise Problem(403, "this request comes from a page of another site")


async def _send_with_headers(send: Send, message: Message) -> None:
    if message["type"] == "http.response.start":
        given = list(message.get("headers", ()))
        known = {name.lower() for name, _ in given}
        more = [(name, value) for name, value in _HEADERS.items() if name not in known]
        message = {**message, "headers": given + more}
    await send(message)


async def _redirect(target: str, scope: Message, receive: Receive, send: Send) -> None:
    from fastapi.responses import RedirectResponse

    await RedirectResponse(target, 303)(scope, receive, send)
