"""OTLP comes in: the answers in traces and logs that OpenTelemetry's exporters send."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from typing import Any

from fastapi import APIRouter, Request, Response

from hayflick.service.api_ingest import INTAKE_RESPONSES, Intake
from hayflick.service.bodies import JSON_TYPES, media_type
from hayflick.service.ingest import Receipt, ingest
from hayflick.service.model_calls import ModelAnswers, answers_in
from hayflick.service.otlp import Signal, answer, read_request
from hayflick.service.problems import Problem

_PROTOBUF = "application/x-protobuf"
_LATER = (429, 503)


def router() -> APIRouter:
    """Return this part of the interface."""
    routes = APIRouter(prefix="/v1", tags=["ingest"])
    intake = Intake()
    signals: tuple[Signal, ...] = ("traces", "logs")
    for signal in signals:
        routes.add_api_route(
            f"/{signal}",
            _endpoint(intake, signal),
            methods=["POST"],
            summary=f"Send {signal} by OTLP",
            operation_id=f"post_{signal}",
            response_class=Response,
            responses=_RESPONSES,
            openapi_extra={"requestBody": _request_body(signal)},
        )
    return routes


def _endpoint(intake: Intake, signal: Signal) -> Any:
    async def post(request: Request) -> Response:
        """Store the answers of models, by OpenTelemetry's conventions or those of OpenInference.

        The stream is the attribute `hayflick.stream`, or else the service's name. What is no call
        of a model is left alone. Calls whose content the sender left out are rejected, with the
        setting that switches it on.
        """
        form = media_type(request)
        if form not in (_PROTOBUF, *JSON_TYPES):
            detail = f"Content-Type: got {form[:80]!r}, takes {_PROTOBUF} or {JSON_TYPES[0]}"
            raise Problem(415, detail)
        as_json = form in JSON_TYPES
        delivery = _Delivery(request)

        def started(body: bytes) -> list[Future[Receipt]]:
            records = read_request(body, signal, as_json=as_json)
            return list(delivery.start(answers_in(records, signal)))

        delivery.take_up(await intake.receive(request, started))
        rejected, reason = delivery.rejected(signal)
        content = answer(signal, rejected, reason, as_json=as_json)
        return Response(content, media_type=JSON_TYPES[0] if as_json else _PROTOBUF)

    return post


class _Delivery:
    """The answers of one request on their way into their streams."""

    def __init__(self, request: Request) -> None:
        self._service = request.app.state.service
        self._principal = request.state.principal
        self._sizes: list[int] = []
        self._reasons: Counter[str] = Counter()

    def start(self, answers: ModelAnswers) -> Iterator[Future[Receipt]]:
        """Yield what becomes of the answers, by their streams."""
        for reason, number in answers.missing.items():
            self._reasons[f"the content is left out: {reason}"] += number
        limits = self._service.settings.limits
        streams: dict[str, list[Mapping[str, Any]]] = {}
        for found in answers.found:
            if len(found.item["text"]) > limits.text:
                self._reasons[f"a text has more than {limits.text:,} characters"] += 1
                continue
            prompt = found.item.get("prompt") or ""
            # It is not what is measured.
            item = {**found.item, "prompt": prompt[: limits.text]} if prompt else found.item
            streams.setdefault(found.stream, []).append(item)
        for name, items in streams.items():
            for first in range(0, len(items), limits.items):
                some = items[first : first + limits.items]
                try:
                    future = ingest(
                        self._service, self._principal, name, "answers", some, by_key_alone=True
                    )
                except Problem as problem:
                    self._refuse(problem, len(some))
                else:
                    self._sizes.append(len(some))
                    yield future

    def take_up(self, results: list[Receipt | BaseException]) -> None:
        """Take up what became of the answers.

        Raises
        ------
        Problem, WriterBusy, WriteFailure
            If some can be stored only later: the request is sent again, and those that are stored
            are found by their keys.
        """
        for size, result in zip(self._sizes, results, strict=True):
            if isinstance(result, Problem):
                self._refuse(result, size)
            elif isinstance(result, BaseException):
                raise result

    def _refuse(self, problem: Problem, number: int) -> None:
        if problem.status in _LATER:
            raise problem
        self._reasons[problem.detail] += number

    def rejected(self, signal: Signal) -> tuple[int, str]:
        """Return how many records were not taken, and why."""
        what = "spans" if signal == "traces" else "log records"
        parts = [
            f"{reason} [{number:,} of the {what}]"
            for reason, number in self._reasons.most_common(5)
        ]
        return self._reasons.total(), "; ".join(parts)


def _request_body(signal: Signal) -> dict[str, Any]:
    """Return how a body is documented."""
    field = "resourceSpans" if signal == "traces" else "resourceLogs"
    schema = {
        "type": "object",
        "properties": {field: {"type": "array", "items": {"type": "object"}}},
    }
    binary = {"schema": {"type": "string", "format": "binary"}}
    content = {_PROTOBUF: binary, JSON_TYPES[0]: {"schema": schema}}
    return {"required": True, "content": content}


_PARTIAL = {
    "type": "object",
    "properties": {
        "partialSuccess": {
            "type": "object",
            "properties": {
                "rejectedSpans": {"type": "string"},
                "rejectedLogRecords": {"type": "string"},
                "errorMessage": {"type": "string"},
            },
        }
    },
}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    **{status: INTAKE_RESPONSES[status] for status in (400, 408, 413, 415, 429, 503)},
    200: {
        "description": "What could be stored is durable; `partialSuccess` says what could not.",
        "content": {
            JSON_TYPES[0]: {"schema": _PARTIAL},
            _PROTOBUF: {"schema": {"type": "string", "format": "binary"}},
        },
    },
}
