"""Any chat endpoint that speaks as OpenAI's does: OpenAI, vLLM, Ollama, llama.cpp and others.

An `Endpoint` is the connection, shared by the agents that use it: it bounds how many requests are
under way, tries again what failed in passing, and keeps the budget. The key is read from the
environment when the connection is opened; it is in no object of ours, message or file.
"""

from __future__ import annotations

import asyncio
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
from hayflick.network.agents.replies import (
    Failure,
    Reply,
    read_reply,
    refused,
)
from hayflick.network.agents.retries import Retries

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
