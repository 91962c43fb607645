"""Post JSON to an HTTP endpoint: connections, failures, retries and keys.

The chat client and the embedding client share it. A key is read from the environment when a
connection is opened; it is in no object of ours, message or file, and what an endpoint sends is
shown without it (`hide_keys`). Replies have a largest size, after decompression, and are read
piece by piece. aiohttp (extra ``llm``) is imported when the first client is made.
"""

from __future__ import annotations

import asyncio
import email.utils
import json
import math
import os
import random
import re
import time
import zlib
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, ParamSpec, TypeVar, final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from hayflick.core.checks import positive_number, whole_number
from hayflick.core.errors import ArgumentError, MissingExtraError
from hayflick.core.masking import masked

T = TypeVar("T")
P = ParamSpec("P")

LARGEST_REPLY = 4_000_000
"""Bytes of the body of a reply, after decompression."""

_LARGEST_ERROR = 65_536
"""Bytes that are read of a reply that is an error."""

_MOST_HELD = 128_000_000
"""Bytes of all replies of a client that are under way together."""

_LONGEST_DETAIL = 300
_MOST_AT_ONCE = 10_000
_MOST_TO_CONNECT_S = 30.0
_VARIABLE = re.compile("[A-Z_][A-Z0-9_]*")

_TRANSIENT = frozenset({408, 409, 425, 429})
_NO_CREDIT = "insufficient_quota"

# Not the generator of the process, which belongs to the user's program.
_CHANCE = random.Random()


class RequestFailure(Exception):  # noqa: N818
    """A request without a usable reply.

    Parameters
    ----------
    reason
        What happened, in words that hold no key.
    transient
        Whether it may succeed when it is tried again.
    charged
        Whether the endpoint may charge for it all the same.
    status
        HTTP status of the reply; None if there was none.
    detail
        The reply's body, or the operating system's reason, on one line and without the key.
    timed_out
        Whether the time limit ran out.
    wait_s
        Seconds that the endpoint asks to wait; None if it does not.
    """

    attempts = 1

    def __init__(
        self,
        reason: str,
        *,
        transient: bool,
        charged: bool,
        status: int | None = None,
        detail: str = "",
        timed_out: bool = False,
        wait_s: float | None = None,
    ) -> None:
        self.reason, self.transient, self.charged = reason, transient, charged
        self.status, self.detail = status, detail
        self.timed_out, self.wait_s = timed_out, wait_s
        super().__init__(reason)


_SENT: set[str] = set()
"""The variables whose keys this process sends to endpoints; not the keys."""


def hide_keys(text: str, *, words: bool = False) -> str:
    """Return a text of an endpoint without the keys that were sent to endpoints.

    All of them: two endpoints may be one, and what one was told the other may repeat.

    Parameters
    ----------
    text
        From an endpoint.
    words
        Whether keys that are ordinary words are hidden too; see `hayflick.core.masking`.
    """
    return masked(text, _keys(), words=words)


def _keys() -> list[str]:
    found = {os.environ.get(variable, "").strip() for variable in _SENT}
    return sorted(found - {""}, key=len, reverse=True)


def refusal(
    status: int, headers: Mapping[str, str], body: bytes, *, keys: Collection[str] = ()
) -> RequestFailure:
    """Return the failure that an HTTP status other than success stands for."""
    message, code = _error_message(body)
    # Before they are cut, which could leave half of a key.
    message = masked(message, keys, words=True)
    location = masked(headers.get("location", "elsewhere"), keys, words=True)
    reason, transient = f"it answers {status}", status in _TRANSIENT or status >= 500
    if status in (401, 403):
        # Endpoints quote the key, in part or in full.
        reason, message = f"{reason}: the key is refused", ""
    if status // 100 == 3:
        # The query of an address may hold a key.
        reason = f"{reason}: it has moved to {location.partition('?')[0][:_LONGEST_DETAIL]}"
    if message:
        reason = f"{reason} ({message[:_LONGEST_DETAIL]})"
    return RequestFailure(
        reason,
        transient=transient and code != _NO_CREDIT,
        charged=False,
        status=status,
        detail=one_line(body, keys=keys),
        wait_s=retry_after(headers, now=time.time()),
    )


def one_line(body: bytes, *, keys: Collection[str] = ()) -> str:
    """Return the text of a reply on one line of at most 300 characters, without keys."""
    text = body[:_LARGEST_ERROR].decode("utf-8", errors="replace")
    return " ".join(masked(text, keys, words=True).split())[:_LONGEST_DETAIL]


def _error_message(body: bytes) -> tuple[str, str]:
    """Return an error's message and code; the message is empty if there is none."""
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    parts = reply if isinstance(reply, dict) else {}
    # FastAPI's applications, such as `transformers serve`, use the key "detail".
    content = parts.get("error") or parts.get("detail")
    error = content if isinstance(content, dict) else {"message": content}
    message = error.get("message")
    words = message.split() if isinstance(message, str) else []
    return " ".join(words), str(error.get("code"))


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Return the seconds that a reply asks to wait, by Retry-After; None if it does not.

    Parameters
    ----------
    headers
        The reply's, by name in lower case.
    now
        Seconds since 1970, for a date.

    Examples
    --------
    >>> retry_after({"retry-after": "2"}, now=0.0), retry_after({"retry-after-ms": "20"}, now=0.0)
    (2.0, 0.02)
    >>> retry_after({"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT"}, now=15.0)
    45.0
    """
    value = headers.get("retry-after", "")
    try:
        # OpenAI's own servers send milliseconds as well.
        milliseconds = headers.get("retry-after-ms")
        seconds = float(value) if milliseconds is None else float(milliseconds) / 1e3
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - now
        except (ValueError, TypeError, IndexError, OverflowError, OSError):
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


@dataclass(frozen=True, slots=True)
class Retries:
    """Waits that double up to a longest one, each cut at random by up to a half.

    Parameters
    ----------
    most
        Times that a failed request is made again, 0 to 100.
    first_wait_s, longest_wait_s
        Seconds before the first retry, and before any; what an endpoint asks for by
        Retry-After is waited out in full.
    longest_asked_s
        An endpoint that asks for more is given up.

    Raises
    ------
    ArgumentError
        If a number is out of its range.

    Examples
    --------
    >>> Retries().wait_s(3, random=0.0), Retries().wait_s(1, random=0.0, asked=30.0)
    (4.0, 30.0)
    """

    most: int = 6
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    longest_asked_s: float = 600.0

    def __post_init__(self) -> None:
        whole_number("retries", self.most, at_least=0, at_most=100)
        positive_number("first_wait_s", self.first_wait_s)
        positive_number("longest_wait_s", self.longest_wait_s)
        positive_number("longest_asked_s", self.longest_asked_s)

    def wait_s(self, attempt: int, *, random: float, asked: float | None = None) -> float | None:
        """Return the wait after a failed attempt, from 1, in seconds; None to give up.

        Parameters
        ----------
        attempt
            Number of the attempt that failed.
        random
            From 0 to 1, so that clients that failed together do not come back together.
        asked
            What the endpoint asks for.
        """
        if attempt > self.most or (asked or 0.0) > self.longest_asked_s:
            return None
        doubled = min(self.first_wait_s * 2.0 ** (attempt - 1), self.longest_wait_s)
        return max(doubled * (1.0 - random / 2.0), asked or 0.0)

    async def run(
        self, attempt: Callable[P, Awaitable[T]], *args: P.args, **settings: P.kwargs
    ) -> tuple[T, int]:
        """Return the result of the first attempt that succeeds, and the number of attempts.

        Raises
        ------
        RequestFailure
            If a failure is not transient, or all retries failed; with the number of `attempts`.
        """
        attempts = 1
        while True:
            try:
                return await attempt(*args, **settings), attempts
            except RequestFailure as failure:
                wait_s = self.wait_s(attempts, random=_CHANCE.random(), asked=failure.wait_s)
                if not failure.transient or wait_s is None:
                    failure.attempts = attempts
                    raise
            await asyncio.sleep(wait_s)
            attempts += 1


def key_of(variable: str, *, argument: str) -> str:
    """Return the key that an environment variable holds.

    Raises
    ------
    ArgumentError
        If the variable is not set, or holds no key; `argument` named it.
    """
    key = os.environ.get(variable, "").strip()
    if not key:
        if not _VARIABLE.fullmatch(variable):
            # It may be the key itself, so it is not shown.
            takes = "the name of an environment variable, in capitals, such as OPENAI_API_KEY"
            raise ArgumentError(argument, got="another", takes=takes)
        takes = "the name of an environment variable that holds the key"
        remedy = f"{variable} is not set: export {variable}=…"
        raise ArgumentError(argument, got=variable, takes=takes, remedy=remedy)
    if not key.isascii() or not key.isprintable() or " " in key:
        takes = "a key of letters, digits and signs, without blanks"
        raise ArgumentError(variable, got="other characters", takes=takes, remedy="copy it again")
    _SENT.add(variable)
    return key


_GZIP_OR_ZLIB, _RAW_DEFLATE = zlib.MAX_WBITS + 32, -zlib.MAX_WBITS


class _Inflater:
    """Decompresses a body piece by piece, and never more of it than is asked for."""

    def __init__(self, encoding: str) -> None:
        name = encoding.strip().lower()
        if name not in ("", "identity", "gzip", "x-gzip", "deflate"):
            reason = f"the reply is compressed by {name[:40]!r}, which was not asked for"
            raise RequestFailure(hide_keys(reason), transient=False, charged=True)
        self._compressed = name not in ("", "identity")
        self._stream: Any = None

    def pieces(self, data: bytes, *, most: int) -> Iterator[bytes]:
        """Yield what data hold: nothing for longer than `most` bytes in one piece."""
        while data:
            if not self._compressed:
                yield data
                return
            if self._stream is None:
                # Some servers send deflate without the header of zlib.
                plain = data[0] & 15 not in (8, 15)
                self._stream = zlib.decompressobj(_RAW_DEFLATE if plain else _GZIP_OR_ZLIB)
            try:
                yield self._stream.decompress(data, most)
            except zlib.error:
                reason = "the reply is compressed, and damaged"
                raise RequestFailure(reason, transient=True, charged=True) from None
            data = self._stream.unconsumed_tail or self._stream.unused_data
            if self._stream.eof:
                self._stream = None

    def check_end(self) -> None:
        """Refuse a compressed body that is cut off."""
        if self._stream is not None:
            raise RequestFailure("the reply is cut off", transient=True, charged=True)


@final
class HttpClient:
    """A connection pool for one address; it is opened anew in every event loop.

    Parameters
    ----------
    base_url
        The address up to the path of a request.
    feature
        What needs the connection, for the message about a missing extra.
    key_variable
        Name of the environment variable that holds the key; None if no key is sent.
    key_argument
        The argument that named the variable, for messages.
    timeout_s
        Seconds after which a request is given up.
    concurrency
        Requests under way at once.
    redirects
        Whether a request follows when the endpoint has moved.
    largest_reply
        Bytes of the body of a reply, after decompression; a larger one is a failure.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or the variable is not set.
    MissingExtraError
        If aiohttp is not installed.
    """

    def __init__(
        self,
        base_url: str,
        *,
        feature: str,
        key_variable: str | None = None,
        key_argument: str = "key_variable",
        timeout_s: float,
        concurrency: int = 1,
        redirects: bool = False,
        largest_reply: int = LARGEST_REPLY,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.key_variable, self._key_argument = key_variable, key_argument
        self.concurrency = whole_number(
            "concurrency", concurrency, at_least=1, at_most=_MOST_AT_ONCE
        )
        self.timeout_s = positive_number("timeout_s", timeout_s)
        self._redirects, self._largest_reply = redirects, largest_reply
        self._held = 0
        self._http = _aiohttp(feature)
        self._loop: asyncio.AbstractEventLoop | None = None
        # Before a run begins, not in its first request.
        self._key()

    def slots(self) -> asyncio.Semaphore:
        """Return the `concurrency` places, of which a request holds one while it is under way."""
        self._open()
        return self._slots

    async def turn(self) -> None:
        """Wait until the request before has gone out.

        The event loop resumes tasks in turns: requests prepared side by side would all go out
        together, each delayed by the work on all.
        """
        await self._turn.acquire()
        asyncio.get_running_loop().call_soon(self._turn.release)

    async def post(
        self, path: str, body: Mapping[str, Any], *, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """Return the body of the reply to a JSON request.

        Raises
        ------
        RequestFailure
            If there is no reply, or one with a status other than success.
        """
        self._open()
        http = self._http
        request = self._session.post(
            f"{self.base_url}{path}", json=body, headers=headers, allow_redirects=self._redirects
        )
        try:
            async with request as response:
                content = await self._content(response)
        except http.ConnectionTimeoutError:
            raise RequestFailure(
                "no connection", transient=True, charged=False, timed_out=True
            ) from None
        except TimeoutError:
            reason = f"no reply within {self.timeout_s:g} s"
            raise RequestFailure(reason, transient=True, charged=True, timed_out=True) from None
        except http.ClientConnectorCertificateError:
            reason = "its certificate is not trusted"
            raise RequestFailure(reason, transient=False, charged=False, detail=reason) from None
        except http.ClientConnectorError as fault:
            code = fault.os_error.errno
            # asyncio's own text repeats the address instead of the reason.
            detail = f"[Errno {code}] {os.strerror(code)}" if code else str(fault.os_error)
            raise RequestFailure(
                "no connection", transient=True, charged=False, detail=detail
            ) from None
        except http.ClientResponseError:
            reason = "the reply is no HTTP, or its headers are too large or too many"
            raise RequestFailure(reason, transient=True, charged=True, detail=reason) from None
        except (http.ClientError, ValueError) as fault:
            # The request may have been made all the same.
            reason = f"the connection broke off ({type(fault).__name__})"
            raise RequestFailure(reason, transient=True, charged=True, detail=reason) from None
        if response.status // 100 != 2:
            raise refusal(response.status, response.headers, content, keys=_keys())
        return content

    async def _content(self, response: Any) -> bytes:
        """Return the decompressed body of a reply; of one that is an error, its beginning."""
        failed = response.status // 100 != 2
        most = _LARGEST_ERROR if failed else self._largest_reply
        parts: list[bytes] = []
        size = 0
        try:
            inflater = _Inflater(response.headers.get("Content-Encoding", ""))
            async for data in response.content.iter_any():
                for part in inflater.pieces(data, most=most + 1 - size):
                    parts.append(part)
                    size += len(part)
                    self._held += len(part)
                    self._check_size(size, most)
            inflater.check_end()
        except RequestFailure:
            # The rest would be read before the connection is used again.
            response.close()
            if not failed:
                raise
        finally:
            self._held -= size
        return b"".join(parts)[:most]

    def _check_size(self, size: int, most: int) -> None:
        if size > most:
            reason = f"the reply is larger than {most / 1e6:g} MB"
            raise RequestFailure(reason, transient=True, charged=True, detail=reason)
        if self._held > _MOST_HELD:
            reason = (
                f"replies of more than {_MOST_HELD / 1e6:g} MB are under way; ask fewer at once"
            )
            raise RequestFailure(reason, transient=True, charged=True, detail=reason)

    async def close(self) -> None:
        """Close the connections; the next request opens others."""
        if self._loop is asyncio.get_running_loop():
            self._loop = None
            await self._session.close()

    def one_line(self, body: bytes) -> str:
        """Return the text of a reply on one line, without the key."""
        return one_line(body, keys=_keys())

    def _key(self) -> str | None:
        if self.key_variable is None:
            return None
        return key_of(self.key_variable, argument=self._key_argument)

    def _open(self) -> None:
        loop = asyncio.get_running_loop()
        if loop is self._loop:
            return
        http, key = self._http, self._key()
        self._loop = loop
        self._slots, self._turn = asyncio.Semaphore(self.concurrency), asyncio.Lock()
        self._session = http.ClientSession(
            # `concurrency` limits the requests under way, and cookies are for people.
            connector=http.TCPConnector(limit=0),
            cookie_jar=http.DummyCookieJar(),
            headers={
                "Accept-Encoding": "gzip, deflate",
                **({} if key is None else {"Authorization": f"Bearer {key}"}),
            },
            # It would decompress all that has arrived, however large.
            auto_decompress=False,
            timeout=http.ClientTimeout(
                total=self.timeout_s, sock_connect=min(self.timeout_s, _MOST_TO_CONNECT_S)
            ),
            proxy=_proxy(self.base_url),
        )


def _proxy(base_url: str) -> str | None:
    """Return the proxy that the environment names; aiohttp would look it up for every request."""
    parts = urlsplit(base_url)
    proxies = getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all")
    if found is None or proxy_bypass(parts.netloc):
        return None
    return found if "://" in found else f"http://{found}"


def _aiohttp(feature: str) -> ModuleType:
    try:
        return import_module("aiohttp")
    except ImportError:
        raise MissingExtraError(feature, extra="llm") from None


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Return the result of a coroutine, even where an event loop is running, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()
