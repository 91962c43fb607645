"""Built-in agents behind the chat interface of OpenAI: a stand-in for a language model.

It serves ``/v1/models``, ``/v1/chat/completions`` (whole or streamed) and ``/health``. With the
same seed and messages it gives the same answer.
"""

from __future__ import annotations

import json
import re
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hayflick.core.checks import whole_number
from hayflick.core.errors import ArgumentError, MissingExtraError
from hayflick.core.seeding import fresh_seed
from hayflick.core.version import __version__
from hayflick.network.agents.ngram import NGramAgent
from hayflick.network.agents.protocol import Answer, AnswerSeed

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.responses import Response


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


LOOPBACK = "127.0.0.1"
"""No other machine reaches it."""

_LARGEST_PORT = 65_535


def run(
    app: Any, *, host: str = LOOPBACK, port: int = 0, announce: Callable[[str], None] = print
) -> None:
    """Serve an application until the process is told to stop.

    Parameters
    ----------
    app
        An ASGI application.
    host, port
        Where to listen; at a free port for 0.
    announce
        Called with the URL once it is known.

    Raises
    ------
    ArgumentError
        If the address cannot be listened at.
    MissingExtraError
        If the extra ``server`` is not installed.
    """
    uvicorn_server = server(app)
    with listening(host, port) as listener:
        announce(address(listener))
        uvicorn_server.run(sockets=[listener])


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
    return uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))


def listening(host: str = LOOPBACK, port: int = 0) -> socket.socket:
    """Return a socket that listens.

    Raises
    ------
    ArgumentError
        If the address cannot be listened at.

    Examples
    --------
    >>> with listening() as listener:
    ...     address(listener).rpartition(":")[0]
    'http://127.0.0.1'
    """
    whole_number("port", port, at_least=0, at_most=_LARGEST_PORT)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as fault:
        takes = "an address of this machine and a free port"
        remedy = f"{fault.strerror}; port 0 finds a free one"
        raise ArgumentError(
            "host and port", got=f"{host}:{port}", takes=takes, remedy=remedy
        ) from None


def address(listener: socket.socket) -> str:
    """Return the URL of a socket that listens."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(
    agents: Sequence[NGramAgent],
    *,
    host: str = LOOPBACK,
    port: int = 0,
    announce: Callable[[str], None] = print,
) -> None:
    """Serve agents until the process is told to stop.

    Parameters
    ----------
    agents
        Each is a model of its name.
    host
        Address to listen at; loopback, which no other machine reaches, unless another is given.
    port
        Port to listen at; a free one for 0.
    announce
        Called with the base URL once it is known.

    Raises
    ------
    ArgumentError
        If the address cannot be listened at, or two agents have one name.
    MissingExtraError
        If the extra ``server`` is not installed.
    """
    run(application(agents), host=host, port=port, announce=lambda url: announce(f"{url}/v1"))


def application(agents: Sequence[NGramAgent]) -> FastAPI:
    """Return the server's application.

    Raises
    ------
    ArgumentError
        If there is no agent, or two have one name.
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
    begun = int(time.time())

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok", "version": __version__}

    @app.get("/v1/models")
    async def listed() -> dict[str, Any]:
        owner = {"object": "model", "created": begun, "owned_by": "hayflick"}
        return {"object": "list", "data": [{"id": name, **owner} for name in models]}

    # The answer is computed in a thread: a long one does not hold up the others.
    @app.post("/v1/chat/completions", response_model=None)
    def chat(request: ChatRequest) -> Response | dict[str, Any]:
        if request.model not in models:
            message = f"no model {request.model!r}; there is {', '.join(models)}"
            return _error(404, message, code="model_not_found")
        return _reply(models[request.model], request)

    return app


def _reply(agent: NGramAgent, request: ChatRequest) -> Response | dict[str, Any]:
    query, context = request.question()
    # A seed may have a sign.
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

    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return JSONResponse({"error": error}, status_code=status)


async def _invalid(_: Any, fault: Exception) -> Response:
    first = fault.errors()[0]  # type: ignore[attr-defined]
    where = ".".join(str(part) for part in first["loc"] if part != "body")
    return _error(400, f"{where}: {first['msg']}", code="invalid_value")
