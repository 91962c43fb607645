"""Any chat endpoint that speaks as OpenAI's does: OpenAI, vLLM, Ollama, llama.cpp and others.

An `Endpoint` is the connection, shared by the agents that use it: it bounds how many requests are
under way, tries again what failed in passing, and keeps the budget. The key is read from the
environment when the connection is opened; it is in no object of ours, message or file.
"""

from __future__ import annotations

import asyncio
import email.utils
import json
import math
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, final
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

import numpy as np

from hayflick.core.checks import positive_number, whole_number
from hayflick.core.errors import ArgumentError, EndpointError, MissingExtraError
from hayflick.network.agents.budget import (
    Budget,
    Prices,
    Reservation,
    Spending,
)

_AGAIN = frozenset({408, 409, 425, 429})
_NO_CREDIT = "insufficient_quota"
_LONGEST_MESSAGE = 300
_MOST_TOKENS = 10**12
_MOVED = 3
"""Hundreds of the status of what is to be found elsewhere."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The part of a reply that counts; numbers are None where the endpoint does not say."""

    text: str
    tokens_in: int | None
    tokens_out: int | None
    finish: str
    model: str


class Failure(Exception):  # noqa: N818
    """A request that brought no answer.

    Parameters
    ----------
    reason
        What happened, in words that hold no key.
    passing
        Whether it may go well when it is tried again.
    charged
        Whether the endpoint may charge for it all the same.
    wait_s
        How long the endpoint asks to wait, in seconds; None where it does not.
    """

    def __init__(
        self, reason: str, *, passing: bool, charged: bool, wait_s: float | None = None
    ) -> None:
        self.reason, self.passing, self.charged, self.wait_s = reason, passing, charged, wait_s
        super().__init__(reason)


def read_reply(body: bytes) -> Reply:
    """Return the answer in the body of a reply.

    Raises
    ------
    Failure
        If it is no JSON, or not of the form of a chat completion.

    Examples
    --------
    >>> read_reply(b'{"choices": [{"message": {"content": "Yes."}, "finish_reason": "stop"}]}')
    Reply(text='Yes.', tokens_in=None, tokens_out=None, finish='stop', model='')
    """
    try:
        reply = json.loads(body)
        choice = reply["choices"][0]
        # Null where the model said nothing: that is an answer, an empty one.
        text = choice["message"].get("content") or ""
    except (ValueError, RecursionError):
        raise _malformed("is cut off or no JSON") from None
    except (AttributeError, IndexError, KeyError, TypeError):
        raise _malformed("has no choices with a message") from None
    if not isinstance(text, str):
        raise _malformed("holds a message that is no text")
    usage = reply.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    return Reply(
        _clean(text),
        _count(counts.get("prompt_tokens")),
        _count(counts.get("completion_tokens")),
        _clean(str(choice.get("finish_reason") or "stop")),
        _clean(str(reply.get("model") or "")),
    )


def _malformed(what: str) -> Failure:
    return Failure(f"the reply {what}", passing=True, charged=True)


def _clean(text: str) -> str:
    """Return a text that can be kept: halves of letters are question marks."""
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _count(number: Any) -> int | None:
    whole = isinstance(number, int) and not isinstance(number, bool)
    return number if whole and 0 <= number <= _MOST_TOKENS else None


def refused(
    status: int, headers: Mapping[str, str], body: bytes, *, key: str | None = None
) -> Failure:
    """Return the failure that a status other than success stands for; it does not quote the key."""
    message, code = _error(body)
    place = headers.get("location", "elsewhere")
    if key:
        # Before they are cut, which could leave half of a key.
        message, place = message.replace(key, "…"), place.replace(key, "…")
    reason = f"it answers {status}"
    if status in (401, 403):
        # Endpoints quote the key, in part or in full.
        return Failure(f"{reason}: the key is refused", passing=False, charged=False)
    if status // 100 == _MOVED:
        # Behind a question mark there may be a key.
        reason = f"{reason}: it has moved to {place.partition('?')[0][:_LONGEST_MESSAGE]}"
    if message:
        reason = f"{reason} ({message[:_LONGEST_MESSAGE]})"
    passing = status in _AGAIN or status >= 500
    wait_s = retry_after(headers, now=time.time())
    return Failure(reason, passing=passing and code != _NO_CREDIT, charged=False, wait_s=wait_s)


def _error(body: bytes) -> tuple[str, str]:
    """Return an error's message and code; the message is empty where there is none."""
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    parts = reply if isinstance(reply, dict) else {}
    # FastAPI's applications, such as `transformers serve`, say it under detail.
    said = parts.get("error") or parts.get("detail")
    error = said if isinstance(said, dict) else {"message": said}
    message = error.get("message")
    words = message.split() if isinstance(message, str) else []
    return " ".join(words), str(error.get("code"))


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Return how many seconds a reply asks to wait, by its Retry-After; None where it does not.

    Parameters
    ----------
    headers
        The reply's, by name in lower case.
    now
        Seconds since 1970, for a date.

    Examples
    --------
    >>> retry_after({"retry-after": "2"}, now=0.0)
    2.0
    >>> retry_after({"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT"}, now=15.0)
    45.0
    """
    asked = headers.get("retry-after", "")
    try:
        seconds = float(asked)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(asked).timestamp() - now
        except ValueError:
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


_MOST = 100


@dataclass(frozen=True, slots=True)
class Retries:
    """Waits that double, up to a longest one, each cut at random by up to a half.

    Parameters
    ----------
    most
        Times that a request is made again after it failed, 0 to 100.
    first_wait_s, longest_wait_s
        Seconds before the first retry, and before any; what an endpoint asks for by its
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
        whole_number("retries", self.most, at_least=0, at_most=_MOST)
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
            From 0 to 1: agents that failed together do not come back together.
        asked
            What the endpoint asks for.
        """
        if attempt > self.most or (asked or 0.0) > self.longest_asked_s:
            return None
        doubled = min(self.first_wait_s * 2.0 ** (attempt - 1), self.longest_wait_s)
        return max(doubled * (1.0 - random / 2.0), asked or 0.0)


_MOST_AT_ONCE = 10_000
_VARIABLE = re.compile("[A-Z_][A-Z0-9_]*")
_MOST_TO_CONNECT_S = 30.0
_IDENTITY = "X-Client-Request-Id"

_SUCCESS = 2
"""Hundreds of the status of an answer."""

_BYTES_PER_MESSAGE = 64
"""Set aside for what a chat template adds to a message."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Parameters
    ----------
    agent
        Who asks, for messages.
    body
        What is sent.
    identity
        The same in every attempt, sent as ``X-Client-Request-Id``.
    most_written
        Tokens that the answer may have.
    prices
        What tokens cost.
    seed
        For the waits between attempts.
    """

    agent: str
    body: Mapping[str, Any]
    identity: str
    most_written: int
    prices: Prices
    seed: int

    @property
    def most(self) -> Spending:
        """The most that it can take."""
        messages = self.body["messages"]
        size = sum(len(message["content"].encode()) + _BYTES_PER_MESSAGE for message in messages)
        return self.spending(size, self.most_written)

    def spending(self, tokens_in: int, tokens_out: int) -> Spending:
        """Return what tokens take."""
        cost = self.prices.cost(tokens_in=tokens_in, tokens_out=tokens_out)
        return Spending(tokens_in + tokens_out, cost or 0.0)


@final
class Endpoint:
    """The connection to a chat endpoint, shared by all agents that use it.

    Parameters
    ----------
    base_url
        Such as ``https://api.openai.com/v1`` or ``http://127.0.0.1:8000/v1``.
    key_variable
        Name of the environment variable that holds the key; None where none is needed.
    concurrency
        Requests that are under way at once.
    timeout_s
        Seconds after which a request is given up.
    retries
        How often a request that failed in passing is made again.
    budget
        What all endpoints of the run may spend together.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or the variable is not set.
    MissingExtraError
        If the extra ``llm`` is not installed.
    """

    def __init__(
        self,
        base_url: str,
        *,
        key_variable: str | None = None,
        concurrency: int = 8,
        timeout_s: float = 120.0,
        retries: Retries | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.base_url = _checked(base_url)
        self.key_variable = key_variable
        self.concurrency = whole_number(
            "concurrency", concurrency, at_least=1, at_most=_MOST_AT_ONCE
        )
        self.timeout_s = positive_number("timeout_s", timeout_s)
        self.retries = Retries() if retries is None else retries
        self.budget = Budget() if budget is None else budget
        self._http = _http()
        self._loop: asyncio.AbstractEventLoop | None = None
        # Before a run begins, not in its first round.
        _credentials(key_variable)

    def __repr__(self) -> str:
        return f"Endpoint({self.base_url!r}, concurrency={self.concurrency})"

    async def ask(self, request: Request) -> tuple[Reply, float, int]:
        """Return the reply, the seconds that it took, and how many attempts were made.

        Raises
        ------
        EndpointError
            If the endpoint refuses, or fails after all retries.
        BudgetExhausted
            If the request could exceed the budget; it was not made.
        """
        chance: np.random.Generator | None = None
        attempt = 1
        while True:
            try:
                reply, latency_s = await self._attempt(request)
            except Failure as failure:
                chance = chance or np.random.Generator(np.random.Philox(request.seed))
                random, asked = float(chance.random()), failure.wait_s
                wait_s = self.retries.wait_s(attempt, random=random, asked=asked)
                if not failure.passing or wait_s is None:
                    raise self._gave_up(request, failure, attempt) from None
                await asyncio.sleep(wait_s)
                attempt += 1
            else:
                return reply, latency_s, attempt

    def _gave_up(self, request: Request, failure: Failure, attempts: int) -> EndpointError:
        tries = f" after {attempts} attempts" if attempts > 1 else ""
        remedy = "see to it and resume the run"
        reason = f"{failure.reason}{tries}; {remedy}"
        return EndpointError(reason, agent=request.agent, url=self.base_url)

    async def _attempt(self, request: Request) -> tuple[Reply, float]:
        self._open()
        async with self._slots:
            await self._turn()
            async with self.budget.reserve(request.most) as reserved:
                begun = time.perf_counter()
                reply = await self._send_within(reserved, request)
                return reply, time.perf_counter() - begun

    async def _send_within(self, reserved: Reservation, request: Request) -> Reply:
        try:
            reply = await self._send(request)
        except Failure as failure:
            if not failure.charged:
                reserved.use(Spending())
            raise
        # Where the endpoint does not say what it took, all that was set aside counts.
        if reply.tokens_in is not None and reply.tokens_out is not None:
            reserved.use(request.spending(reply.tokens_in, reply.tokens_out))
        return reply

    def _open(self) -> None:
        """Connect, once in every event loop."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop = loop
            self._slots = asyncio.Semaphore(self.concurrency)
            self._going_out = asyncio.Lock()
            self._session = self._http.ClientSession(
                # How many are under way is our own bound, and cookies are for people.
                connector=self._http.TCPConnector(limit=0),
                cookie_jar=self._http.DummyCookieJar(),
                headers=_credentials(self.key_variable),
                timeout=self._http.ClientTimeout(
                    total=self.timeout_s, sock_connect=min(self.timeout_s, _MOST_TO_CONNECT_S)
                ),
                proxy=_proxy(self.base_url),
            )

    async def _turn(self) -> None:
        """Wait until the request before has gone out.

        The loop lets all that are under way go on in turns: requests made ready side by side
        would all go out together, each of them late by the work on all.
        """
        await self._going_out.acquire()
        asyncio.get_running_loop().call_soon(self._going_out.release)

    async def _send(self, request: Request) -> Reply:
        http = self._http
        url, headers = f"{self.base_url}/chat/completions", {_IDENTITY: request.identity}
        try:
            # A prompt goes nowhere but where it was meant to.
            asked = self._session.post(
                url, json=request.body, headers=headers, allow_redirects=False
            )
            async with asked as response:
                body: bytes = await response.read()
        except http.ConnectionTimeoutError:
            raise Failure("no connection", passing=True, charged=False) from None
        except TimeoutError:
            reason = f"no reply within {self.timeout_s:g} s"
            raise Failure(reason, passing=True, charged=True) from None
        except http.ClientConnectorCertificateError:
            reason = "its certificate is not trusted"
            raise Failure(reason, passing=False, charged=False) from None
        except http.ClientConnectorError:
            raise Failure("no connection", passing=True, charged=False) from None
        except http.ClientError as fault:
            # The request may have been made all the same.
            reason = f"the connection broke off ({type(fault).__name__})"
            raise Failure(reason, passing=True, charged=True) from None
        if response.status // 100 != _SUCCESS:
            key = None if self.key_variable is None else _key(self.key_variable)
            raise refused(response.status, response.headers, body, key=key)
        return read_reply(body)

    async def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._loop is asyncio.get_running_loop():
            self._loop = None
            await self._session.close()


def _checked(base_url: str) -> str:
    try:
        parts = urlsplit(base_url)
    except ValueError:
        parts = urlsplit("")
    plain = parts.scheme in ("http", "https") and _named(parts)
    secret = parts.username or parts.password or parts.query
    if not plain or secret:
        shown = f"{parts.scheme}://{parts.hostname}/… with more in it" if secret else base_url
        takes = "an address such as https://api.openai.com/v1, without user names, keys and ?"
        raise ArgumentError("base_url", got=shown, takes=takes, remedy="name the key's variable")
    return base_url.rstrip("/")


def _named(parts: SplitResult) -> bool:
    """Return whether an address has a host, and a port that can be."""
    try:
        return bool((parts.hostname or "").encode("idna")) and parts.port != 0
    except ValueError:
        return False


def _credentials(variable: str | None) -> dict[str, str]:
    return {} if variable is None else {"Authorization": f"Bearer {_key(variable)}"}


def _key(variable: str) -> str:
    if not _VARIABLE.fullmatch(variable):
        # It may be the key itself, so it is not shown.
        takes = "the name of an environment variable, in capitals, such as OPENAI_API_KEY"
        raise ArgumentError("key_variable", got="another", takes=takes)
    key = os.environ.get(variable, "").strip()
    if not key:
        takes = "the name of an environment variable that holds the key"
        remedy = f"{variable} is not set: export {variable}=…"
        raise ArgumentError("key_variable", got=variable, takes=takes, remedy=remedy)
    if not key.isascii() or not key.isprintable() or " " in key:
        takes = "a key of letters, digits and signs, without blanks"
        raise ArgumentError(variable, got="other characters", takes=takes, remedy="copy it again")
    return key


def _proxy(base_url: str) -> str | None:
    """Return the proxy that the environment names; aiohttp looks it up for every request."""
    parts = urlsplit(base_url)
    proxies = getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all")
    if found is None or proxy_bypass(parts.netloc):
        return None
    return found if "://" in found else f"http://{found}"


def _http() -> ModuleType:
    try:
        return import_module("aiohttp")
    except ImportError:
        raise MissingExtraError("an agent behind an endpoint", extra="llm") from None
