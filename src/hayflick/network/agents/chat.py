"""Agents that are language models behind a chat endpoint, and the connection that they share.

Any endpoint with OpenAI's chat interface will do: OpenAI, vLLM, Ollama, llama.cpp and others. An
`Endpoint` limits the number of requests under way, retries transient failures and keeps to the
budget. What an endpoint says is not taken on trust: keys are hidden in it, and the tokens that it
claims are counted within what its texts can have.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, final
from urllib.parse import SplitResult, urlsplit

from pydantic import Field
from typing_extensions import override

from hayflick.core.checks import number_between, whole_number
from hayflick.core.errors import ArgumentError, EndpointError
from hayflick.core.http import HttpClient, RequestFailure, Retries, hide_keys
from hayflick.network.agents.budget import Budget, Prices, Reservation, Spending
from hayflick.network.agents.protocol import (
    PERSONA,
    TEMPLATE,
    AgentSection,
    Answer,
    AnswerSeed,
    Prompt,
    SharedParts,
)

_MOST_TOKENS = 10**12

MOST_BYTES_OF_A_TOKEN = 32
"""No text has fewer tokens than one for so many bytes: the mean of tokenizers in use is about 4.
Single tokens are longer (128 blanks), but not throughout a text."""

_LONGEST_TOKEN, _SPARE_BYTES = 128, 65_536
"""An answer of `max_tokens` tokens has at most so many bytes each, and so many to spare: some
endpoints do not keep to the limit."""

_MOST_UNSEEN = 100_000
"""Tokens beyond those of the request that a claim may hold: a system prompt of the endpoint's own,
or what a model thought. A larger claim is not believed."""

_LONGEST_WORD, _LONGEST_NAME = 64, 200


@dataclass(frozen=True, slots=True)
class Reply:
    """The parts of a reply that are used; numbers are None if the endpoint does not report them."""

    text: str
    tokens_in: int | None
    tokens_out: int | None
    finish: str
    model: str


_MOST_BRACKETS = 100_000


def read_reply(body: bytes) -> Reply:
    """Parse the body of a reply.

    Raises
    ------
    RequestFailure
        If it is no JSON, no chat completion, or would take far more memory than one.

    Examples
    --------
    >>> read_reply(b'{"choices": [{"message": {"content": "Yes."}, "finish_reason": "stop"}]}')
    Reply(text='Yes.', tokens_in=None, tokens_out=None, finish='stop', model='')
    """
    # Parsed, each of them takes many times its bytes.
    if body.count(b"[") + body.count(b"{") > _MOST_BRACKETS:
        raise _malformed(f"has more than {_MOST_BRACKETS:,} brackets")
    try:
        reply = json.loads(body)
        choice = reply["choices"][0]
        # Null if the model wrote nothing: an empty answer.
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
        _word(choice.get("finish_reason"), default="stop", longest=_LONGEST_WORD),
        _word(reply.get("model"), default="", longest=_LONGEST_NAME),
    )


def _malformed(what: str) -> RequestFailure:
    return RequestFailure(f"the reply {what}", transient=True, charged=True)


def _clean(text: str) -> str:
    """Return a text without keys that UTF-8 can encode: lone surrogates become question marks."""
    return hide_keys(text.encode("utf-8", errors="replace").decode("utf-8"))


def _word(value: Any, *, default: str, longest: int) -> str:
    """Return a name that an endpoint gives, or the default for what is no text."""
    text = value if isinstance(value, str) and value else default
    # A key that stands at the cut would be left in part.
    return _clean(text[: 4 * longest])[:longest]


def _count(number: Any) -> int | None:
    whole = isinstance(number, int) and not isinstance(number, bool)
    return number if whole and 0 <= number <= _MOST_TOKENS else None


_REQUEST_ID = "X-Client-Request-Id"

_BYTES_PER_MESSAGE = 64
"""Reserved for what a chat template adds to a message."""


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """A request for one chat completion.

    Parameters
    ----------
    agent
        Name of the agent, for messages.
    body
        The JSON to send.
    request_id
        Sent as ``X-Client-Request-Id`` with every attempt.
    max_tokens
        Largest number of tokens of the answer.
    prices
        Prices of tokens.
    """

    agent: str
    body: Mapping[str, Any]
    request_id: str
    max_tokens: int
    prices: Prices

    @property
    def size(self) -> int:
        """Bytes of its messages, with those that a chat template adds."""
        messages = self.body["messages"]
        return sum(len(message["content"].encode()) + _BYTES_PER_MESSAGE for message in messages)

    @property
    def largest(self) -> Spending:
        """Upper bound of what it can take."""
        return self.spending(self.size, self.max_tokens)

    def counted(self, reply: Reply) -> Reply:
        """Return a reply with tokens as they are counted: within what its texts can have.

        A claim of fewer than one token for 32 bytes is raised to that; one that is far larger
        than what was asked for is not believed, and counts as none.

        Raises
        ------
        RequestFailure
            If the answer is longer than so many tokens can be.

        Examples
        --------
        >>> request = CompletionRequest("anna", {"messages": []}, "1", 100, Prices())
        >>> request.counted(Reply("word " * 64, 0, 1, "stop", "")).tokens_out
        10
        """
        answer = len(reply.text.encode())
        longest = self.max_tokens * _LONGEST_TOKEN + _SPARE_BYTES
        if answer > longest:
            asked = f"{answer:,} bytes, and {self.max_tokens} tokens were asked for"
            raise _malformed(f"is too long: it has {asked}")
        asked_for = sum(len(message["content"].encode()) for message in self.body["messages"])
        return replace(
            reply,
            tokens_in=_credible(reply.tokens_in, length=asked_for, most=self.size),
            tokens_out=_credible(reply.tokens_out, length=answer, most=self.max_tokens),
        )

    def spent(self, reply: Reply) -> Spending:
        """Return what a reply with counted tokens takes; what it does not report counts in full."""
        written = max(self.max_tokens, _fewest(len(reply.text.encode())))
        return self.spending(
            self.size if reply.tokens_in is None else reply.tokens_in,
            written if reply.tokens_out is None else reply.tokens_out,
        )

    def spending(self, tokens_in: int, tokens_out: int) -> Spending:
        """Return the spending of so many tokens."""
        cost = self.prices.cost(tokens_in=tokens_in, tokens_out=tokens_out)
        return Spending(tokens_in + tokens_out, cost or 0.0)


def _credible(claimed: int | None, *, length: int, most: int) -> int | None:
    """Return the tokens that count for a text of so many bytes; None if none can be believed."""
    if claimed is None or claimed > most + _MOST_UNSEEN:
        return None
    return max(claimed, _fewest(length))


def _fewest(length: int) -> int:
    return math.ceil(length / MOST_BYTES_OF_A_TOKEN)


@final
class Endpoint:
    """The connection to a chat endpoint, shared by all agents that use it.

    Parameters
    ----------
    base_url
        Such as ``https://api.openai.com/v1`` or ``http://127.0.0.1:8000/v1``.
    key_variable
        Name of the environment variable that holds the key; None if none is needed.
    concurrency
        Requests under way at once.
    timeout_s
        Seconds after which a request is given up.
    retries
        How often transient failures are retried.
    budget
        Budget of all endpoints of the run together.

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
        self.base_url = _checked_url(base_url)
        self.retries = Retries() if retries is None else retries
        self.budget = Budget() if budget is None else budget
        self._failing: dict[str, str] = {}
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

    async def complete(self, request: CompletionRequest) -> tuple[Reply, float, int]:
        """Return the reply, its latency in seconds and the number of attempts.

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

    async def _attempt(self, request: CompletionRequest) -> tuple[Reply, float]:
        async with self._client.slots():
            await self._client.turn()
            async with self.budget.reserve(request.largest) as reserved:
                begun = time.perf_counter()
                reply = await self._send(reserved, request)
                return reply, time.perf_counter() - begun

    async def _send(self, reserved: Reservation, request: CompletionRequest) -> Reply:
        try:
            reply = request.counted(
                read_reply(
                    await self._client.post(
                        "/chat/completions", request.body, headers={_REQUEST_ID: request.request_id}
                    )
                )
            )
        except RequestFailure as failure:
            self._failing[request.agent] = failure.reason
            if not failure.charged:
                reserved.use(Spending())
            raise
        self._failing.pop(request.agent, None)
        reserved.use(request.spent(reply))
        return reply

    def failing(self, agent: str) -> str | None:
        """Return why an agent's last request failed; None if it did not, or there was none."""
        return self._failing.get(agent)

    async def close(self) -> None:
        """Close the connection; the next request opens another."""
        await self._client.close()


def _checked_url(base_url: str) -> str:
    try:
        parts = urlsplit(base_url)
    except ValueError:
        parts = urlsplit("")
    plain = parts.scheme in ("http", "https") and _has_host(parts)
    secret = parts.username or parts.password or parts.query
    if not plain or secret:
        shown = f"{parts.scheme}://{parts.hostname}/… with more in it" if secret else base_url
        takes = "an address such as https://api.openai.com/v1, without user names, keys and ?"
        raise ArgumentError("base_url", got=shown, takes=takes, remedy="name the key's variable")
    return base_url.rstrip("/")


def _has_host(parts: SplitResult) -> bool:
    """Return whether an address has a valid host and port."""
    try:
        return bool((parts.hostname or "").encode("idna")) and parts.port != 0
    except ValueError:
        return False


_SEED_BITS = 31
"""Some servers store a seed as a signed 32-bit integer."""

_OWN_KEYS = ("model", "messages", "temperature", "seed", "stream", "n")


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class ChatAgent:
    """A language model behind a chat endpoint.

    Parameters
    ----------
    name
        Name of the agent.
    endpoint
        The connection, which agents may share.
    model
        Name of the model at the endpoint.
    temperature
        From 0 to 2; the endpoint's default if None.
    max_tokens
        Largest number of tokens of an answer.
    limit_key
        The endpoint's key for that number: ``max_tokens`` or ``max_completion_tokens``.
    seeded
        Whether the answer's seed is sent; some endpoints refuse one.
    prompt
        How a query and its context become messages.
    prices
        Prices of tokens.
    extra
        Further keys of the request, sent unchanged.

    Raises
    ------
    ArgumentError
        If a number is out of its range, or `extra` sets what has a setting of its own.
    """

    name: str
    endpoint: Endpoint
    model: str
    temperature: float | None = None
    max_tokens: int = 256
    limit_key: str = "max_tokens"
    seeded: bool = True
    prompt: Prompt = field(default_factory=Prompt)
    prices: Prices = field(default_factory=Prices)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.temperature is not None:
            number_between("temperature", self.temperature, low=0.0, high=2.0)
        whole_number("max_tokens", self.max_tokens, at_least=1)
        limits = ("max_tokens", "max_completion_tokens")
        if self.limit_key not in limits:
            raise ArgumentError(
                "limit_key", got=self.limit_key, takes=f"one of {', '.join(limits)}"
            )
        if taken := sorted({*_OWN_KEYS, *limits} & set(self.extra)):
            takes = "values that have no setting of their own, and one answer in one piece"
            raise ArgumentError("extra", got=", ".join(taken), takes=takes)
        try:
            json.dumps(dict(self.extra), allow_nan=False)
        except (TypeError, ValueError):
            takes = "numbers, texts, lists and tables"
            raise ArgumentError("extra", got="a date, or what is no number", takes=takes) from None

    async def answer(self, query: str, context: Sequence[str], *, seed: AnswerSeed) -> Answer:
        """Ask the endpoint; see `hayflick.network.agents.protocol.Agent`."""
        number = seed.number
        request = CompletionRequest(
            agent=self.name,
            body=self._body(query, context, number),
            request_id=f"{seed.round}-{seed.query}-{seed.index}-{number:x}",
            max_tokens=self.max_tokens,
            prices=self.prices,
        )
        reply, latency_s, attempts = await self.endpoint.complete(request)
        return Answer(
            reply.text,
            tokens_in=reply.tokens_in,
            tokens_out=reply.tokens_out,
            cost=self.prices.cost(tokens_in=reply.tokens_in, tokens_out=reply.tokens_out),
            latency_s=latency_s,
            attempts=attempts,
            finish=reply.finish,
            model=reply.model or self.model,
        )

    def _body(self, query: str, context: Sequence[str], number: int) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.model,
            "messages": self.prompt.messages(query, context),
            self.limit_key: self.max_tokens,
        }
        if self.temperature is not None:
            body["temperature"] = self.temperature
        if self.seeded:
            body["seed"] = number % 2**_SEED_BITS
        return {**body, **self.extra}

    @property
    def failing(self) -> str | None:
        """Why the last request failed; None if it did not, or if there was none."""
        return self.endpoint.failing(self.name)

    async def close(self) -> None:
        """Close the endpoint's connection."""
        await self.endpoint.close()

    def describe(self) -> dict[str, Any]:
        """Return the parameters that make the agent again, ready for JSON, without the key."""
        return {
            "kind": "openai",
            "name": self.name,
            "base_url": self.endpoint.base_url,
            "key_variable": self.endpoint.key_variable,
            "model": self.model,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "limit_key": self.limit_key,
            "seeded": self.seeded,
            "template": self.prompt.template,
            "persona": self.prompt.persona,
            "price_in": self.prices.tokens_in,
            "price_out": self.prices.tokens_out,
            "extra": dict(self.extra),
        }


@final
class ChatSection(AgentSection):
    """A language model behind a chat endpoint; the key is given by the name of its variable."""

    kind: Literal["openai"]
    base_url: str
    model: str
    key_variable: str | None = None
    temperature: float | None = None
    max_tokens: int = 256
    limit_key: str = "max_tokens"
    seeded: bool = True
    template: str = TEMPLATE
    persona: str = PERSONA
    price_in: float | None = None
    price_out: float | None = None
    concurrency: int = 8
    timeout_s: float = 120.0
    retries: int = 6
    extra: dict[str, Any] = Field(default_factory=dict)

    @override
    def make(self, shared: SharedParts) -> ChatAgent:
        return ChatAgent(
            name=self.name,
            endpoint=self._endpoint(shared),
            model=self.model,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            limit_key=self.limit_key,
            seeded=self.seeded,
            prompt=Prompt(self.template, self.persona),
            prices=Prices(self.price_in, self.price_out),
            extra=self.extra,
        )

    def _endpoint(self, shared: SharedParts) -> Endpoint:
        settings: dict[str, Any] = {
            "key_variable": self.key_variable,
            "concurrency": self.concurrency,
            "timeout_s": self.timeout_s,
            "retries": Retries(self.retries),
        }
        return shared.once(
            ("endpoint", self.base_url, *settings.values()),
            lambda: Endpoint(self.base_url, budget=shared.budget, **settings),
        )
