"""Any chat endpoint that speaks as OpenAI's does: OpenAI, vLLM, Ollama, llama.cpp and others.

An `Endpoint` is the connection, shared by the agents that use it: it bounds how many requests are
under way, tries again what failed in passing, and keeps the budget.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final
from urllib.parse import SplitResult, urlsplit

from hayflick.core.errors import ArgumentError, EndpointError
from hayflick.core.http import HttpClient, RequestFailure, Retries
from hayflick.network.agents.budget import (
    Budget,
    Prices,
    Reservation,
    Spending,
)

_MOST_TOKENS = 10**12


@dataclass(frozen=True, slots=True)
class Reply:
    """The part of a reply that counts; numbers are None where the endpoint does not say."""

    text: str
    tokens_in: int | None
    tokens_out: int | None
    finish: str
    model: str


def read_reply(body: bytes) -> Reply:
    """Return the answer in the body of a reply.

    Raises
    ------
    RequestFailure
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


def _malformed(what: str) -> RequestFailure:
    return RequestFailure(f"the reply {what}", transient=True, charged=True)


def _clean(text: str) -> str:
    """Return a text that can be kept: halves of letters are question marks."""
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _count(number: Any) -> int | None:
    whole = isinstance(number, int) and not isinstance(number, bool)
    return number if whole and 0 <= number <= _MOST_TOKENS else None


_IDENTITY = "X-Client-Request-Id"

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
    """

    agent: str
    body: Mapping[str, Any]
    identity: str
    most_written: int
    prices: Prices

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
        self.retries = Retries() if retries is None else retries
        self.budget = Budget() if budget is None else budget
        self._client = HttpClient(
            self.base_url,
            feature="an agent behind an endpoint",
            key_variable=key_variable,
            timeout_s=timeout_s,
            concurrency=concurrency,
        )

    @property
    def key_variable(self) -> str | None:
        """Name of the environment variable that holds the key."""
        return self._client.key_variable

    def __repr__(self) -> str:
        return f"Endpoint({self.base_url!r}, concurrency={self._client.concurrency})"

    async def ask(self, request: Request) -> tuple[Reply, float, int]:
        """Return the reply, the seconds that it took, and how many attempts were made.

        Raises
        ------
        EndpointError
            If the endpoint refuses, or fails after all retries.
        BudgetExhausted
            If the request could exceed the budget; it was not made.
        """
        try:
            (reply, latency_s), attempts = await self.retries.run(self._attempt, request)
        except RequestFailure as failure:
            tries = f" after {failure.attempts} attempts" if failure.attempts > 1 else ""
            reason = f"{failure.reason}{tries}; see to it and resume the run"
            raise EndpointError(reason, agent=request.agent, url=self.base_url) from None
        return reply, latency_s, attempts

    async def _attempt(self, request: Request) -> tuple[Reply, float]:
        async with self._client.slots():
            await self._client.turn()
            async with self.budget.reserve(request.most) as reserved:
                begun = time.perf_counter()
                reply = await self._send_within(reserved, request)
                return reply, time.perf_counter() - begun

    async def _send_within(self, reserved: Reservation, request: Request) -> Reply:
        try:
            reply = read_reply(
                await self._client.post(
                    "/chat/completions", request.body, headers={_IDENTITY: request.identity}
                )
            )
        except RequestFailure as failure:
            if not failure.charged:
                reserved.use(Spending())
            raise
        # Where the endpoint does not say what it took, all that was set aside counts.
        if reply.tokens_in is not None and reply.tokens_out is not None:
            reserved.use(request.spending(reply.tokens_in, reply.tokens_out))
        return reply

    async def close(self) -> None:
        """Close the connection; the next request opens another."""
        await self._client.close()


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
