"""What a server of ours lets in: requests of a bounded size, in time, for a host that it is.

A page that a browser shows can have a name resolve to this machine (DNS rebinding), and then read
what a server on loopback answers. Its requests carry that name as their host, and are refused.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from typing import Any, TypeAlias

from hayflick.core.documents import DEEPEST, parse_json
from hayflick.core.errors import DataError

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]

LARGEST_BODY = 4_000_000
"""Bytes of the body of a request."""

_MOST_DISCARDED = 64_000_000
"""Bytes of a larger body that are read, and forgotten, before it is refused."""

SLOWEST_S = 30.0
"""Seconds that a client has to send a request."""

EVERY_HOST = "*"
_HOST = re.compile(r"(?:\[([^][]*)\]|([^][:@/]*))(?::[0-9]*)?")


class RequestRefusal(Exception):  # noqa: N818
    """A request that is answered with an error, and goes no further."""

    def __init__(self, status: int, message: str) -> None:
        self.status, self.message = status, message
        super().__init__(message)


def error_body(message: str, *, code: str) -> dict[str, Any]:
    """Return an error in the form of OpenAI."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return {"error": error}


class Guard:
    """An application behind checks of its requests.

    Parameters
    ----------
    app
        What answers.
    hosts
        Names under which the server may be addressed beside those of loopback; ``*`` for any.
        Where it listens at an address that is not loopback, every address will do.
    loopback
        Whether only this machine can reach it.
    """

    def __init__(
        self, app: Application, *, hosts: Collection[str] = (), loopback: bool = True
    ) -> None:
        self._application, self._loopback = app, loopback
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        try:
            headers = {name.lower(): value for name, value in scope["headers"]}
            host = headers.get(b"host", b"").decode("latin-1")
            check_host(host, hosts=self._hosts, loopback=self._loopback)
            body = await read_body(headers, receive)
            check_json(body)
        except RequestRefusal as refusal:
            await _refuse(refusal, send)
            return
        await self._application(scope, replayed(body, receive), send)


def check_host(host: str, *, hosts: Collection[str], loopback: bool) -> None:
    """Refuse a request for a host that this server is not.

    Parameters
    ----------
    host
        What the request's header ``Host`` holds.
    hosts, loopback
        See `Guard`.

    Raises
    ------
    RequestRefusal
        If it is another one.
    """
    name = _name(host)
    known = {one.lower().rstrip(".") for one in hosts}
    if EVERY_HOST in known or name in known or _is_address(name, loopback=loopback):
        return
    if name == "localhost" or name.endswith(".localhost"):
        return
    takes = "127.0.0.1, localhost, and names given by --allow-host"
    raise RequestRefusal(403, f"host: got {host[:80]!r}, takes {takes}")


def _is_address(name: str, *, loopback: bool) -> bool:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or not loopback


def _name(host: str) -> str:
    """Return the name of a Host header, without port and brackets; empty for what is none."""
    found = _HOST.fullmatch(host)
    return "" if found is None else (found[1] or found[2]).lower().rstrip(".")


async def read_body(
    headers: Mapping[bytes, bytes],
    receive: Receive,
    *,
    at_most: int = LARGEST_BODY,
    taken: Callable[[int], None] | None = None,
) -> bytes:
    """Return the whole body of a request.

    Parameters
    ----------
    headers
        The request's headers, their names in small letters.
    receive
        Gives the parts of the body.
    at_most
        Bytes that it may have.
    taken
        Called with the bytes of every part that is kept; may refuse them with an error.

    Raises
    ------
    RequestRefusal
        If it is larger than that, slower than `SLOWEST_S`, or cut off.
    """
    stated = headers.get(b"content-length", b"0")
    too_large = not stated.isdigit() or len(stated) > 12 or int(stated) > at_most
    body = bytearray()
    size, more = 0, True
    try:
        async with asyncio.timeout(SLOWEST_S):
            while more and size <= _MOST_DISCARDED:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise RequestRefusal(400, "the connection was closed within the body")
                part = message.get("body", b"")
                size += len(part)
                too_large |= size > at_most
                # A client that is cut off while it sends would not see the reply.
                if too_large:
                    body.clear()
                else:
                    if taken is not None:
                        taken(len(part))
                    body += part
                more = message.get("more_body", False)
    except TimeoutError:
        raise RequestRefusal(408, f"the body did not arrive within {SLOWEST_S:g} s") from None
    if too_large:
        raise RequestRefusal(413, f"the body takes at most {at_most:,} bytes")
    return bytes(body)


def check_json(body: bytes) -> None:
    """Refuse JSON that is nested too deep, or that cannot be written as UTF-8.

    Raises
    ------
    RequestRefusal
        If it is.
    """
    if not body.strip():
        return
    try:
        found = parse_json(body.decode("utf-8"), name="the body")
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise RequestRefusal(400, "the body holds half of a character (a lone surrogate)") from None
    except UnicodeDecodeError:
        raise RequestRefusal(400, "the body is not UTF-8") from None
    except RecursionError:
        message = f"the body is nested deeper than {DEEPEST} levels"
        raise RequestRefusal(400, message) from None
    except DataError as fault:
        raise RequestRefusal(400, str(fault)) from None


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read already, and then what follows."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


async def _refuse(refusal: RequestRefusal, send: Send) -> None:
    codes = {403: "host_refused", 408: "too_slow", 413: "too_large"}
    error = error_body(refusal.message, code=codes.get(refusal.status, "invalid_value"))
    body = json.dumps(error).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        # What is left of the request is not read.
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def patient_protocol() -> Any:
    """Return uvicorn's protocol with a limit on the time that a client has for its headers."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class PatientProtocol(H11Protocol):
        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._limit_headers()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._limit_headers()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_timer()
            super().connection_lost(exc)

        def _limit_headers(self) -> None:
            """Begin to count when headers do, also those of a later request, and end with them."""
            if not self._lacks_request():
                self._stop_timer()
            elif self._timer is None:
                self._timer = self.loop.call_later(SLOWEST_S, self._close_without_request)

        def _lacks_request(self) -> bool:
            return self.cycle is None or self.cycle.response_complete

        def _stop_timer(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def _close_without_request(self) -> None:
            self._timer = None
            if self._lacks_request() and not self.transport.is_closing():
                self.transport.close()

    return PatientProtocol
