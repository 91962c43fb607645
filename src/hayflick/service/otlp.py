"""OTLP: spans and log records of a request, protobuf or JSON, as plain records."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from hayflick.service.problems import Problem

Signal = Literal["traces", "logs"]

# The status of a span that failed.
_ERROR = 2
_MOST_MESSAGES = 500_000
# The depth at which the parsers of protobuf end, too.
_DEEPEST = 100
# How protobuf writes a field: a number, so many bytes, or a length and what it is the length of.
_NUMBER, _LENGTH = 0, 2
_FIXED = {1: 8, 5: 4}


@dataclass(frozen=True, kw_only=True)
class TelemetryEvent:
    """An event of a span, or a log record that is one.

    Parameters
    ----------
    name
        Its name, such as ``gen_ai.choice``; empty for a log record that is no event.
    attributes
        Its attributes.
    body
        The body of a log record.
    """

    name: str
    attributes: Mapping[str, Any]
    body: Any = None


@dataclass(frozen=True, kw_only=True)
class TelemetryRecord:
    """A span, or a log record.

    Parameters
    ----------
    resource
        Attributes of what sent it.
    scope
        Name of the instrumentation.
    attributes
        Its attributes.
    events
        The events of a span; the one that a log record is.
    trace, span
        Where it belongs, in hexadecimal; empty where it says nothing.
    at
        When it ended, in seconds since 1970; None where it says nothing.
    failed
        Whether it says that what it is about failed.
    """

    resource: Mapping[str, Any]
    scope: str
    attributes: Mapping[str, Any]
    events: Sequence[TelemetryEvent] = field(default_factory=tuple)
    trace: str = ""
    span: str = ""
    at: float | None = None
    failed: bool = False


def read_request(body: bytes, signal: Signal, *, as_json: bool) -> list[TelemetryRecord]:
    """Return the spans or the log records of a request.

    Parameters
    ----------
    body
        Its body, without compression.
    signal
        What it holds.
    as_json
        Whether it is JSON instead of protobuf.

    Raises
    ------
    Problem
        400 if it is no such request, 413 if it holds so much that it would fill the memory.
    """
    message = _message(signal)
    try:
        if as_json:
            _parse_json(body, message)
        else:
            left = _count(memoryview(body), message.DESCRIPTOR, _MOST_MESSAGES, depth=0)
            if left < 0:
                raise Problem(413, f"the body holds more than {_MOST_MESSAGES:,} values")
            message.ParseFromString(body)
        return list(_spans(message) if signal == "traces" else _logs(message))
    except Problem:
        raise
    except Exception as fault:
        # Parsers of protobuf raise errors of many kinds, all of them for what was sent.
        said = " ".join(f"{type(fault).__name__}: {fault}".split())[:300]
        form = "JSON" if as_json else "protobuf"
        raise Problem(400, f"the body is no OTLP request of {signal} in {form} ({said})") from None


def answer(signal: Signal, rejected: int, reason: str, *, as_json: bool) -> bytes:
    """Return the body of an answer: how many records were not taken, and why."""
    message = _answer(signal)
    if rejected or reason:
        partial = message.partial_success
        if signal == "traces":
            partial.rejected_spans = rejected
        else:
            partial.rejected_log_records = rejected
        partial.error_message = reason
    if not as_json:
        return bytes(message.SerializeToString())
    from google.protobuf.json_format import MessageToJson

    return str(MessageToJson(message, indent=None)).encode()


def _message(signal: Signal) -> Any:
    if signal == "traces":
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

        return trace_service_pb2.ExportTraceServiceRequest()
    from opentelemetry.proto.collector.logs.v1 import logs_service_pb2

    return logs_service_pb2.ExportLogsServiceRequest()


def _answer(signal: Signal) -> Any:
    if signal == "traces":
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

        return trace_service_pb2.ExportTraceServiceResponse()
    from opentelemetry.proto.collector.logs.v1 import logs_service_pb2

    return logs_service_pb2.ExportLogsServiceResponse()


def _parse_json(body: bytes, message: Any) -> None:
    from google.protobuf import json_format

    from hayflick.core.documents import parse_json
    from hayflick.service.bodies import check_values

    check_values(body)
    record = parse_json(body.decode("utf-8-sig"), name="the body")
    if not isinstance(record, dict):
        raise TypeError("it is no object")
    json_format.ParseDict(record, message, ignore_unknown_fields=True)


def _count(body: memoryview, kind: Any, left: int, *, depth: int) -> int:
    """Return how many more messages may come behind those in a body; below 0 for too many.

    Parsed, a message takes a hundred bytes and more, of the two that an empty one is sent with.
    """
    if depth > _DEEPEST:
        raise ValueError("it is nested too deep")
    fields, place, size = kind.fields_by_number, 0, len(body)
    while place < size and left >= 0:
        tag, place = _varint(body, place)
        wire = tag & 7
        if wire == _LENGTH:
            length, place = _varint(body, place)
            field = fields.get(tag >> 3)
            if field is not None and field.message_type is not None:
                inner = body[place : place + length]
                left = _count(inner, field.message_type, left - 1, depth=depth + 1)
            place += length
        elif wire == _NUMBER:
            _, place = _varint(body, place)
        elif wire in _FIXED:
            place += _FIXED[wire]
        else:
            raise ValueError(f"wire type {wire}")
    return left


def _varint(body: memoryview, place: int) -> tuple[int, int]:
    """Return a number and the place behind it."""
    number, shift = 0, 0
    while True:
        byte = body[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place
        shift += 7
        if shift > 63:
            raise ValueError("a number is too long")


def _spans(request: Any) -> Iterator[TelemetryRecord]:
    for group in request.resource_spans:
        resource = _attributes(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                attributes = _attributes(span.attributes)
                yield TelemetryRecord(
                    resource=resource,
                    scope=scope.scope.name,
                    attributes=attributes,
                    events=[
                        TelemetryEvent(name=one.name, attributes=_attributes(one.attributes))
                        for one in span.events
                    ],
                    trace=_hex(span.trace_id),
                    span=_hex(span.span_id),
                    at=_seconds(span.end_time_unix_nano, span.start_time_unix_nano),
                    failed=span.status.code == _ERROR or "error.type" in attributes,
                )


def _logs(request: Any) -> Iterator[TelemetryRecord]:
    for group in request.resource_logs:
        resource = _attributes(group.resource.attributes)
        for scope in group.scope_logs:
            for log in scope.log_records:
                attributes = _attributes(log.attributes)
                name = log.event_name or str(attributes.get("event.name", ""))
                event = TelemetryEvent(name=name, attributes=attributes, body=_value(log.body))
                yield TelemetryRecord(
                    resource=resource,
                    scope=scope.scope.name,
                    attributes=attributes,
                    events=[event],
                    trace=_hex(log.trace_id),
                    span=_hex(log.span_id),
                    at=_seconds(log.time_unix_nano, log.observed_time_unix_nano),
                    failed="error.type" in attributes,
                )


def _hex(identifier: bytes) -> str:
    """Return an identifier in hexadecimal.

    JSON states it so, where protobuf's own JSON has base64: what was decoded is encoded again.
    """
    if len(identifier) in (8, 16):
        return identifier.hex()
    return base64.b64encode(identifier).decode().lower()[:32]


def _seconds(*nanoseconds: int) -> float | None:
    return next((one / 1e9 for one in nanoseconds if one), None)


def _attributes(pairs: Iterable[Any]) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    found = getattr(value, kind)
    if kind == "array_value":
        return [_value(one) for one in found.values]
    if kind == "kvlist_value":
        return _attributes(found.values)
    return found
