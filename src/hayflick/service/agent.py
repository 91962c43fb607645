"""Built-in agents behind the chat interface of OpenAI: a stand-in for a language model.

It serves ``/v1/models``, ``/v1/chat/completions`` (whole or streamed) and ``/health``. The same
seed and messages give the same answer.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hayflick.core.errors import ArgumentError, MissingExtraError
from hayflick.core.reproducibility import fresh_seed
from hayflick.core.version import __version__
from hayflick.network.agents.ngram import NGramAgent
from hayflick.network.agents.protocol import Answer, AnswerSeed
from hayflick.service.guard import Guard, error_body, patient_protocol
from hayflick.service.listening import LOOPBACK, address, is_loopback, listening

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.responses import Response


_MOST_TOKENS = 1_000_000


class ContentPart(BaseModel):
    """A part of a message; only texts are read."""

    type: str
    text: str = ""


class Message(BaseModel):
    """A message of a chat."""

    role: str
    content: str | list[ContentPart] | None = None

    @property
    def text(self) -> str:
        """The text of all parts."""
        if isinstance(self.content, list):
            return "\n\n".join(part.text for part in self.content if part.type == "text")
        return self.content or ""


class StreamOptions(BaseModel):
    """What a stream holds."""

    include_usage: bool = False


class ChatRequest(BaseModel):
    """A request; keys that a built-in agent has no use for are ignored."""

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
        """The most tokens that the answer may have."""
        return self.max_completion_tokens or self.max_tokens

    def question(self) -> tuple[str, list[str]]:
        r"""Return the query and the texts before it.

        The query is the last paragraph of the chat; every paragraph before it is a text to read.
        System messages are ignored: an n-gram agent follows no instructions.

        Examples
        --------
        >>> chat = [{"role": "user", "content": "It rains.\n\nIt snows.\n\nWhy?"}]
        >>> ChatRequest(model="anna", messages=chat).question()
        ('Why?', ['It rains.', 'It snows.'])
        """
        texts = [one.text for one in self.messages if one.role not in ("system", "developer")]
        paragraphs = [part.strip() for text in texts for part in text.split("\n\n")]
        *context, query = [part for part in paragraphs if part] or [""]
        return query, context


def completion(
    request: ChatRequest, answer: Answer, *, identity: str, created: int
) -> dict[str, Any]:
    """Return an answer as a chat completion."""
    message = {"role": "assistant", "content": answer.text}
    choice = {"index": 0, "message": message, "finish_reason": answer.finish}
    head = _head(request, "chat.completion", identity, created)
    return {**head, "choices": [choice], "usage": usage(answer)}


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
    """Yield an answer as the chunks of a stream, with one word in each."""
    head = _head(request, "chat.completion.chunk", identity, created)
    words = re.findall(r"\S+\s*|\s+", answer.text)
    for delta in ({"role": "assistant", "content": ""}, *({"content": word} for word in words)):
        yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": answer.finish}]}
    if request.stream_options is not None and request.stream_options.include_usage:
        yield {**head, "choices": [], "usage": usage(answer)}


def _head(request: ChatRequest, kind: str, identity: str, created: int) -> dict[str, Any]:
    return {"id": identity, "object": kind, "created": created, "model": request.model}


def server(app: Any) -> Any:
    """Return a `uvicorn.Server` of an application; setting `should_exit` stops it.

    Raises
    ------
    MissingExtraError
        If the extra ``server`` is not installed.
    """
    try:
        import uvicorn
    except ImportError:
        raise MissingExtraError("serving an application", extra="server") from None
    return uvicorn.Server(
        uvicorn.Config(app, log_level="warning", access_log=False, http=patient_protocol())
    )


def serve(
    agents: Sequence[NGramAgent],
    *,
    host: str = LOOPBACK,
    port: int = 0,
    allow_hosts: Sequence[str] = (),
    announce: Callable[[str], None] = print,
) -> None:
    """Serve agents until the process is told to stop.

    Parameters
    ----------
    agents
        Each is a model of its name.
    host, port
        Address to listen at; port 0 stands for a free one.
    allow_hosts
        Names under which the server may be addressed, beside those of loopback; ``*`` for any.
    announce
        Called with the base URL once it is known.

    Raises
    ------
    ArgumentError
        If the address cannot be used, or two agents have the same name.
    MissingExtraError
        If the extra ``server`` is not installed.
    """
    app = application(agents, hosts=[host, *allow_hosts], loopback=is_loopback(host))
    uvicorn_server = server(app)
    with listening(host, port) as listener:
        announce(f"{address(listener)}/v1")
        uvicorn_server.run(sockets=[listener])


def application(
    agents: Sequence[NGramAgent], *, hosts: Sequence[str] = (), loopback: bool = True
) -> FastAPI:
    """Return the server's application.

    Parameters
    ----------
    agents
        Each is a model of its name.
    hosts, loopback
        Under which names it may be addressed; see `hayflick.service.guard.Guard`.

    Raises
    ------
    ArgumentError
        If there is no agent, or two have the same name.
    MissingExtraError
        If the extra ``server`` is not installed.
    """
    try:
        from fastapi import FastAPI
        from fastapi.exceptions import RequestValidationError
    except ImportError:
        raise MissingExtraError("serving an agent", extra="server") from None
    models = {agent.name: agent for agent in agents}
    if not models or len(models) < len(agents):
        got = ", ".join(agent.name for agent in agents) or "none"
        raise ArgumentError("agents", got=got, takes="one or more, each with a name of its own")
    app = FastAPI(title="hayflick agent", version=__version__, openapi_url=None)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_middleware(Guard, hosts=hosts, loopback=loopback)
    begun = int(time.time())

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok", "version": __version__}

    @app.get("/v1/models")
    async def listed() -> dict[str, Any]:
        owner = {"object": "model", "created": begun, "owned_by": "hayflick"}
        return {"object": "list", "data": [{"id": name, **owner} for name in models]}

    # Not async: the answer is computed in a thread, so that a long one does not block others.
    @app.post("/v1/chat/completions", response_model=None)
    def chat(request: ChatRequest) -> Any:  # no name that only type checkers import
        if request.model not in models:
            message = f"no model {request.model!r}; there is {', '.join(models)}"
            return _error(404, message, code="model_not_found")
        return _reply(models[request.model], request)

    return app


def _reply(agent: NGramAgent, request: ChatRequest) -> Response | dict[str, Any]:
    query, context = request.question()
    # A seed may be negative.
    seed = fresh_seed() if request.seed is None else request.seed % 2**64
    place = AnswerSeed(seed, agent=agent.name)
    answer = agent.write(query, context, seed=place, most_tokens=request.most_tokens)
    identity, created = f"chatcmpl-{uuid.uuid4().hex}", int(time.time())
    if not request.stream:
        return completion(request, answer, identity=identity, created=created)
    from fastapi.responses import StreamingResponse

    events = _events(request, answer, identity, created)
    return StreamingResponse(events, media_type="text/event-stream")


def _events(request: ChatRequest, answer: Answer, identity: str, created: int) -> Iterator[str]:
    for chunk in chunks(request, answer, identity=identity, created=created):
        yield f"data: {json.dumps(chunk)}\n\n"
    yield "data: [DONE]\n\n"


def _error(status: int, message: str, *, code: str) -> Response:
    from fastapi.responses import JSONResponse

    return JSONResponse(error_body(message, code=code), status_code=status)


async def _invalid(_: Any, fault: Exception) -> Response:
    first = fault.errors()[0]  # type: ignore[attr-defined]
    where = ".".join(str(part) for part in first["loc"] if part != "body")
    return _error(400, f"{where}: {first['msg']}", code="invalid_value")
