"""Built-in agents behind the chat interface of OpenAI: a stand-in for a language model.

It serves ``/v1/models``, ``/v1/chat/completions`` (whole or streamed) and ``/health``. With the
same seed and messages it gives the same answer.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from hayflick.core.errors import ArgumentError, MissingExtraError
from hayflick.core.seeding import fresh_seed
from hayflick.core.version import __version__
from hayflick.network.agents.ngram import NGramAgent
from hayflick.network.agents.protocol import Answer
from hayflick.network.agents.seeds import AnswerSeed
from hayflick.service.chat_models import ChatRequest, chunks, completion
from hayflick.service.serving import LOOPBACK, run

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.responses import Response


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
