"""The chat interface of OpenAI, as far as a built-in agent can serve it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hayflick.network.agents.protocol import Answer

_MOST_TOKENS = 1_000_000


class ContentPart(BaseModel):
    """A part of a message; texts alone are read."""

    type: str
    text: str = ""


class Message(BaseModel):
    """A message of a chat."""

    role: str
    content: str | list[ContentPart] | None = None

    @property
    def text(self) -> str:
        """What it says."""
        if isinstance(self.content, list):
            return "\n\n".join(part.text for part in self.content if part.type == "text")
        return self.content or ""


class StreamOptions(BaseModel):
    """What a stream holds."""

    include_usage: bool = False


class ChatRequest(BaseModel):
    """What is asked; keys that a built-in agent has no use for are left alone."""

    model_config = ConfigDict(extra="ignore")

    model: str
    messages: list[Message] = Field(min_length=1)
    max_tokens: int | None = Field(default=None, ge=1, le=_MOST_TOKENS)
    max_completion_tokens: int | None = Field(default=None, ge=1, le=_MOST_TOKENS)
    seed: int | None = None
    n: Literal[1] | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None

    @property
    def most_tokens(self) -> int | None:
        """Tokens that the answer may have."""
        return self.max_completion_tokens or self.max_tokens

    def question(self) -> tuple[str, list[str]]:
        r"""Return the query and the texts before it.

        The query is the last paragraph of the chat; every paragraph before it is a text that may
        be read. What a system message says is left alone: an n-gram agent follows no orders.

        Examples
        --------
        >>> chat = [{"role": "user", "content": "It rains.\n\nIt snows.\n\nWhy?"}]
        >>> ChatRequest(model="anna", messages=chat).question()
        ('Why?', ['It rains.', 'It snows.'])
        """
        said = [one.text for one in self.messages if one.role not in ("system", "developer")]
        paragraphs = [part.strip() for text in said for part in text.split("\n\n")]
        *context, query = [part for part in paragraphs if part] or [""]
        return query, context


def completion(
    request: ChatRequest, answer: Answer, *, identity: str, created: int
) -> dict[str, Any]:
    """Return an answer as a chat completion."""
    message = {"role": "assistant", "content": answer.text}
    return {
        "id": identity,
        "object": "chat.completion",
        "created": created,
        "model": request.model,
        "choices": [{"index": 0, "message": message, "finish_reason": answer.finish}],
        "usage": usage(answer),
    }


def usage(answer: Answer) -> dict[str, int]:
    """Return the tokens of an answer of a built-in agent."""
    tokens_in, tokens_out = answer.tokens_in or 0, answer.tokens_out or 0
    return {
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
    }


def chunks(
    request: ChatRequest, answer: Answer, *, identity: str, created: int
) -> Iterator[dict[str, Any]]:
    """Yield an answer as the chunks of a stream, a word in each."""
    head = {
        "id": identity,
        "object": "chat.completion.chunk",
        "created": created,
        "model": request.model,
    }
    deltas: list[dict[str, str]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": word} for word in re.findall(r"\S+\s*|\s+", answer.text)]
    for delta in deltas:
        yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": answer.finish}]}
    if request.stream_options is not None and request.stream_options.include_usage:
        yield {**head, "choices": [], "usage": usage(answer)}
