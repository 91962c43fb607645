"""An agent that is a language model behind a chat endpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

from hayflick.core.checks import number_between, whole_number
from hayflick.core.errors import ArgumentError
from hayflick.network.agents.budget import Prices
from hayflick.network.agents.endpoint import Endpoint, Request
from hayflick.network.agents.protocol import Answer, AnswerSeed, Prompt

_SEED_BITS = 31
"""Some servers keep a seed in 32 bits, with a sign."""

_OURS = ("model", "messages", "temperature", "seed", "stream", "n")


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class ChatAgent:
    """An agent behind an endpoint.

    Parameters
    ----------
    name
        What it is called.
    endpoint
        Where it is asked; agents may share one.
    model
        Name of the model, as the endpoint knows it.
    temperature
        From 0 to 2; the endpoint's own where None.
    max_tokens
        Tokens that an answer may have.
    limit_key
        What the endpoint calls that: ``max_tokens`` or ``max_completion_tokens``.
    seeded
        Whether the answer's seed is sent; some endpoints refuse one.
    prompt
        How a query is put.
    prices
        What tokens cost.
    extra
        Further values to send as they are.

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
        if taken := sorted({*_OURS, *limits} & set(self.extra)):
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
        request = Request(
            agent=self.name,
            body=self._body(query, context, number),
            identity=f"{seed.round}-{seed.query}-{seed.index}-{number:x}",
            most_written=self.max_tokens,
            prices=self.prices,
        )
        reply, latency_s, attempts = await self.endpoint.ask(request)
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
