"""Items come in: answers, vectors, label counts and numbers, for a stream."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from types import TracebackType
from typing import Annotated, Any, Self

from anyio import CapacityLimiter
from fastapi import APIRouter, Header, Request
from pydantic import BaseModel, Field

from hayflick.service.bodies import (
    LINES_TYPES,
    in_thread,
    media_type,
    packed_body,
    parsed_items,
    unpacked,
)
from hayflick.service.ingest import Receipt, ingest
from hayflick.service.ingest_items import LONGEST_BATCH_KEY, LONGEST_KEY, LONGEST_NAME
from hayflick.service.ingest_summaries import ingest_summary
from hayflick.service.litellm import answers_of_litellm
from hayflick.service.problems import Problem
from hayflick.service.requests import Name
from hayflick.service.stream_settings import Kind

_THREADS = 4
_BODIES_AT_ONCE = 2
_SHARE = 0.75
"""Of the room that there is for requests, what those of one project may take."""


class ReceiptView(BaseModel):
    """What was made of the items."""

    accepted: int = Field(description="Items that are stored now.")
    duplicates: int = Field(description="Items that were stored before, by their keys.")
    late: int = Field(description="Accepted items whose round was closed: counted, not measured.")
    rounds: list[str] = Field(description="Names of the rounds that the accepted items are in.")
    notes: list[str] = Field(description="What was changed in them.")

    @classmethod
    def of(cls, receipt: Receipt) -> ReceiptView:
        """Return a receipt as an answer shows it."""
        return cls.model_construct(
            accepted=receipt.accepted,
            duplicates=receipt.duplicates,
            late=receipt.late,
            rounds=list(receipt.rounds),
            notes=list(receipt.notes),
        )


def router() -> APIRouter:
    """Return this part of the interface."""
    routes = APIRouter(prefix="/v1", tags=["ingest"])
    intake = Intake()
    for kind, (summary, required) in _KINDS.items():
        routes.add_api_route(
            f"/streams/{{name}}/{kind}",
            _endpoint(intake, kind),
            methods=["POST"],
            summary=summary,
            operation_id=f"post_{kind}",
            responses=INTAKE_RESPONSES,
            openapi_extra={"requestBody": _request_body(required)},
        )
    routes.add_api_route(
        "/streams/{name}/summaries",
        _summaries_endpoint(intake),
        methods=["POST"],
        summary="Send a summary",
        operation_id="post_summaries",
        responses=INTAKE_RESPONSES,
        openapi_extra={"requestBody": _SUMMARY_BODY},
    )
    return routes


def _summaries_endpoint(intake: Intake) -> Any:
    async def post(request: Request, name: Name) -> ReceiptView:
        """Take a file that `hayflick summarise` has written, as the body.

        Its rounds must be those of the stream, which has a capacity. The answer comes when it is
        durable. Each file that was summarised is counted once: sent again, it is a duplicate.
        """
        return await intake.take_summary(request, name)

    return post


def _endpoint(intake: Intake, kind: Kind) -> Any:
    async def post(
        request: Request,
        name: Name,
        idempotency_key: Annotated[
            str | None,
            Header(
                max_length=LONGEST_BATCH_KEY,
                description="A key of the whole request: sent again with the same key and the same"
                " items, they are counted once. Items may have keys of their own.",
            ),
        ] = None,
    ) -> ReceiptView:
        """Store items, as a JSON object, a list, `{"items": [...]}`, or one on every line.

        The answer comes when they are durable. All of them are stored, or none. The body may be
        compressed with gzip or zstd.
        """
        return await intake.take(request, name, kind, batch_key=idempotency_key)

    return post


class Intake:
    """Takes requests with items in, as many at once as the memory bears."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held = 0
        self._held_by: Counter[int] = Counter()
        self._requests: Counter[int] = Counter()
        self._limiter: CapacityLimiter | None = None

    async def take(
        self, request: Request, name: str, kind: Kind, *, batch_key: str | None = None
    ) -> ReceiptView:
        """Return the receipt of a request's items, once they are durable.

        Raises
        ------
        Problem
            If they cannot be taken; nothing of them is kept.
        """
        service = request.app.state.service
        form, most = media_type(request), service.settings.limits.items

        def started(body: bytes) -> list[Future[Receipt]]:
            items = parsed_items(body, form, at_most=most)
            if kind == "answers" and items:
                items = answers_of_litellm(items)
                if not items:
                    return []
            principal = request.state.principal
            return [ingest(service, principal, name, kind, items, batch_key=batch_key)]

        for done in await self.receive(request, started):
            if isinstance(done, BaseException):
                raise done
            return ReceiptView.of(done)
        return ReceiptView.of(Receipt(accepted=0, duplicates=0, late=0, rounds=()))

    async def take_summary(self, request: Request, name: str) -> ReceiptView:
        """Return the receipt of a summary, once it is durable.

        Raises
        ------
        Problem
            If it cannot be taken; nothing of it is kept.
        """
        service = request.app.state.service

        def started(body: bytes) -> list[Future[Receipt]]:
            return [ingest_summary(service, request.state.principal, name, body)]

        [done] = await self.receive(request, started)
        if isinstance(done, BaseException):
            raise done
        return ReceiptView.of(done)

    async def receive(
        self, request: Request, start: Callable[[bytes], Sequence[Future[Receipt]]]
    ) -> list[Receipt | BaseException]:
        """Return what becomes of a request's items: receipts, once they are durable, or errors.

        Parameters
        ----------
        request
            The request.
        start
            Returns what becomes of the items, given the body without its compression; runs in a
            thread.

        Raises
        ------
        Problem
            If the body cannot be read.
        """
        limits = request.app.state.service.settings.limits
        encoding = request.headers.get("content-encoding", "")
        self._limiter = self._limiter or CapacityLimiter(_THREADS)
        project = request.state.principal.project
        with _Held(self, project, _BODIES_AT_ONCE * limits.unpacked) as held:
            # While it comes: many that come slowly take memory too.
            body = await packed_body(request, held.add)

            def started() -> Sequence[Future[Receipt]]:
                plain = unpacked(body, encoding, at_most=limits.unpacked)
                held.add(max(0, len(plain) - len(body)))
                return start(plain)

            with self._turn(project, max(1, int(_SHARE * limits.waiting))):
                futures = await in_thread(started, self._limiter)
                waiting = map(asyncio.wrap_future, futures)
                return await asyncio.gather(*waiting, return_exceptions=True)

    def hold(self, size: int, *, project: int, at_most: int) -> None:
        """Take up that so many bytes more, or fewer, are on their way into the store.

        Raises
        ------
        Problem
            429 if they are too many of one project, or of all.
        """
        with self._lock:
            own = self._held_by[project]
            full = self._held and self._held + size > at_most / _SHARE
            if size > 0 and (full or (own and own + size > at_most)):
                raise _later()
            self._held += size
            self._held_by[project] += size

    @contextmanager
    def _turn(self, project: int, most: int) -> Iterator[None]:
        """Count a request of a project, whose requests leave room for those of others."""
        if self._requests[project] >= most:
            raise _later()
        self._requests[project] += 1
        try:
            yield
        finally:
            self._requests[project] -= 1


class _Held:
    """The bytes of one request, which are let go at its end."""

    def __init__(self, intake: Intake, project: int, at_most: int) -> None:
        self._intake, self._project = intake, project
        self._most, self._size = at_most, 0

    def add(self, size: int) -> None:
        """Take up more bytes."""
        self._intake.hold(size, project=self._project, at_most=self._most)
        self._size += size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._intake.hold(-self._size, project=self._project, at_most=self._most)


def _later() -> Problem:
    detail = "other requests are still being stored: send it again later"
    return Problem(429, detail, headers={"Retry-After": "1"})


_KINDS: dict[Kind, tuple[str, str]] = {
    "answers": ("Send answers", "text"),
    "vectors": ("Send vectors", "vector"),
    "counts": ("Send counts of labels", "counts"),
    "values": ("Send numbers", "values"),
}

_SUMMARY_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/octet-stream": {
            "schema": {"type": "string", "format": "binary", "description": "A .summary file."}
        }
    },
}

_NAME = {"type": "string", "maxLength": LONGEST_NAME}
_TEXT = {"type": "string"}
_NUMBERS = {"type": "object", "additionalProperties": {"type": "number"}}
_FIELDS: dict[str, dict[str, Any]] = {
    "text": {**_TEXT, "description": "What was answered."},
    "vector": {
        "type": "array",
        "items": {"type": "number"},
        "minItems": 1,
        "description": "Its embedding; all of a stream are equally long.",
    },
    "counts": {
        "type": "object",
        "additionalProperties": {"type": "integer", "minimum": 0},
        "minProperties": 1,
        "description": "How often every label was given.",
    },
    "values": {**_NUMBERS, "minProperties": 1, "description": "Numbers by name."},
    "key": {
        "type": "string",
        "minLength": 1,
        "maxLength": LONGEST_KEY,
        "description": "Sent again with the same key, it is counted once.",
    },
    "time": {
        "oneOf": [
            {"type": "string", "format": "date-time"},
            {"type": "number", "minimum": 0, "exclusiveMaximum": 1e11},
        ],
        "description": "When it was given: ISO 8601 with an offset, or seconds since 1970.",
    },
    "group": {**_NAME, "description": "Who answered: a model, an agent, a market."},
    "prompt": {**_TEXT, "description": "What was asked."},
}


def _request_body(required: str) -> dict[str, Any]:
    """Return how a body is documented."""
    usual = ("key", "time", "group")
    fields = (required, *usual) if required == "counts" else (required, "text", "values", *usual)
    fields = fields if required == "counts" else (*fields, "prompt")
    item = {
        "type": "object",
        "properties": {name: _FIELDS[name] for name in dict.fromkeys(fields)},
        "required": [required],
        "additionalProperties": False,
    }
    several = {"type": "array", "items": item, "minItems": 1}
    wrapped = {
        "type": "object",
        "properties": {"items": several},
        "required": ["items"],
        "additionalProperties": False,
    }
    lines = {"schema": {"type": "string", "description": "An item as JSON on every line."}}
    content: dict[str, Any] = {"application/json": {"schema": {"oneOf": [item, several, wrapped]}}}
    return {"required": True, "content": content | {LINES_TYPES[0]: lines}}


INTAKE_RESPONSES: dict[int | str, dict[str, Any]] = {
    400: {"description": "The body is no JSON, or damaged."},
    403: {"description": "The token may not send, or the project has too many streams."},
    404: {"description": "There is no such stream, and answers make none."},
    408: {"description": "The body came too slowly."},
    409: {"description": "The stream holds items of another kind."},
    413: {"description": "The body is too large, or holds too many items."},
    415: {"description": "The body is neither JSON nor lines of JSON, or packed otherwise."},
    422: {"description": "An item cannot be taken; `items` says which, and why."},
    429: {
        "description": "Too much is waiting to be stored; `Retry-After` says when to come again."
    },
    503: {"description": "The store cannot be written now; nothing of the request was kept."},
}
"""What a request with items may be answered, beside a receipt."""
