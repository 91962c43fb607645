"""Answers of models in spans and log records, by the conventions that instrumentations follow.

These are OpenTelemetry's conventions for generative AI, the current and the older ones, those of
OpenLLMetry, and OpenInference. None of them holds what was answered unless the sender was told so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hayflick.corpus.logs.telemetry import with_lists
from hayflick.corpus.messages import (
    calls_tools,
    group_name,
    is_one_of,
    last_prompt,
    messages_of,
    named_message,
    text_of,
)
from hayflick.service.otlp import Signal, TelemetryEvent, TelemetryRecord

DETAILS, CHOICE, USER = (
    "gen_ai.client.inference.operation.details",
    "gen_ai.choice",
    "gen_ai.user.message",
)
_PROMPT, _COMPLETION = "gen_ai.content.prompt", "gen_ai.content.completion"
_OPERATIONS = frozenset({"chat", "text_completion", "generate_content"})
_NO_ANSWER = frozenset({"embedding", "embeddings", "rerank"})
_CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_SETTINGS = {
    "openinference": "unset OPENINFERENCE_HIDE_OUTPUTS, OPENINFERENCE_HIDE_OUTPUT_MESSAGES and"
    " OPENINFERENCE_HIDE_OUTPUT_TEXT",
    "openllmetry": "set TRACELOOP_TRACE_CONTENT=true",
    "traces": f"set {_CAPTURE}=SPAN_ONLY and"
    " OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental (an older instrumentation takes"
    f" {_CAPTURE}=true, and writes the answers to the logs: send them to /v1/logs)",
    "logs": f"set {_CAPTURE}=EVENT_ONLY and"
    " OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental (an older instrumentation takes"
    f" {_CAPTURE}=true)",
}


@dataclass(frozen=True, kw_only=True)
class ModelAnswer:
    """An answer of a model.

    Parameters
    ----------
    stream
        The stream that it belongs to.
    item
        The answer as `hayflick.service.ingest.ingest` takes it.
    """

    stream: str
    item: Mapping[str, Any]


@dataclass
class ModelAnswers:
    """What was found in a request.

    Parameters
    ----------
    found
        The answers.
    missing
        How many records of model calls hold no content, by what the sender must set.
    """

    found: list[ModelAnswer] = field(default_factory=list)
    missing: Counter[str] = field(default_factory=Counter)


def answers_in(records: Sequence[TelemetryRecord], signal: Signal) -> ModelAnswers:
    """Return the answers in spans or log records; records of anything else are left alone."""
    answers = ModelAnswers()
    prompts = _prompts_of_events(records) if signal == "logs" else {}
    for record in records:
        if signal == "traces":
            if not is_model_call(record.attributes):
                continue
            texts, prompt = _texts_of_span(record), _prompt_of_span(record)
        else:
            texts = _texts_of_event(record.events[0])
            if texts is None:
                continue
            prompt = _prompt(record.attributes) or prompts.get(record.span)
        if texts is None or (texts and all(text is _ABSENT for text in texts)):
            # A call that failed has no content to send.
            if not record.failed:
                answers.missing[_setting(record, signal)] += 1
            continue
        first = _index(record) if signal == "logs" else 0
        for place, text in enumerate(texts, first):
            if text is not None and text is not _ABSENT:
                answers.found.append(_answer(record, text, place, prompt))
    return answers


def is_model_call(attributes: Mapping[str, Any]) -> bool:
    """Return whether a span is the call of a model that answers in text.

    Examples
    --------
    >>> is_model_call({"gen_ai.operation.name": "chat"})
    True
    >>> is_model_call({"gen_ai.operation.name": "execute_tool"})
    False
    """
    kind = attributes.get("openinference.span.kind")
    if kind is not None:
        return bool(kind == "LLM")
    if is_one_of(attributes.get("llm.request.type"), _NO_ANSWER):
        return False
    operation = attributes.get("gen_ai.operation.name")
    if operation is not None:
        return is_one_of(operation, _OPERATIONS)
    named = "gen_ai.system" in attributes or "gen_ai.provider.name" in attributes
    return named and "gen_ai.request.model" in attributes


_ABSENT = "\x00"
"""Stands for an answer whose text the sender left out."""


def _texts_of_span(span: TelemetryRecord) -> list[str | None] | None:
    """Return the texts of a span's answers; None if the sender left them out."""
    attributes = span.attributes
    for messages in (
        messages_of(attributes.get("gen_ai.output.messages")),
        _numbered(attributes, "llm.output_messages"),
        _numbered(attributes, "gen_ai.completion"),
    ):
        if messages:
            return _texts(messages)
    events = [found for one in span.events if (found := _texts_of_event(one)) is not None]
    if events:
        return [text for found in events for text in found]
    if attributes.get("output.mime_type", "text/plain") == "text/plain":
        text = text_of({"content": attributes.get("output.value")})
        return None if text is None else [text]
    return None


def _texts(messages: Sequence[Mapping[str, Any]]) -> list[str | None] | None:
    texts = [text_of(one) for one in messages]
    if any(text is not None for text in texts) or any(map(calls_tools, messages)):
        return texts
    return None


def _texts_of_event(event: TelemetryEvent) -> list[str | None] | None:
    """Return the texts of the answers in an event; None if it is none of a model's answers."""
    if event.name == DETAILS:
        if not is_one_of(event.attributes.get("gen_ai.operation.name", "chat"), _OPERATIONS):
            return None
        given = event.attributes.get("gen_ai.output.messages")
        if given is None and isinstance(event.body, Mapping):
            given = event.body.get("gen_ai.output.messages")
        return _texts(messages_of(given)) or [_ABSENT]
    if event.name == CHOICE:
        content = event.body if isinstance(event.body, Mapping) else event.attributes
        message = next(iter(messages_of(content.get("message"))), content)
        return _texts([message]) or [_ABSENT]
    if event.name == _COMPLETION:
        return _texts(messages_of(event.attributes.get("gen_ai.completion"))) or [_ABSENT]
    return None


def _index(record: TelemetryRecord) -> int:
    """Return which of several answers an event is."""
    body = record.events[0].body
    index = body.get("index") if isinstance(body, Mapping) else record.attributes.get("index")
    return index if isinstance(index, int) and index >= 0 else 0


def _numbered(attributes: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return messages whose fields are attributes: ``llm.output_messages.0.message.role``."""
    return list(map(named_message, messages_of(with_lists(attributes).get(name))))


def _prompt_of_span(span: TelemetryRecord) -> str | None:
    found = _prompt(span.attributes)
    for event in span.events:
        if event.name == DETAILS:
            found = found or _prompt(event.attributes)
        elif event.name == _PROMPT:
            found = found or last_prompt(messages_of(event.attributes.get("gen_ai.prompt")))
        elif event.name == USER:
            found = text_of(event.attributes) or found
    return found


def _prompt(attributes: Mapping[str, Any]) -> str | None:
    given = attributes.get("hayflick.prompt")
    if isinstance(given, str):
        return given
    for messages in (
        messages_of(attributes.get("gen_ai.input.messages")),
        _numbered(attributes, "llm.input_messages"),
        _numbered(attributes, "gen_ai.prompt"),
    ):
        if messages:
            return last_prompt(messages)
    return None


def _prompts_of_events(records: Iterable[TelemetryRecord]) -> dict[str, str]:
    """Return the last message of a user by span: older conventions have a record for each."""
    prompts = {}
    for record in records:
        event = record.events[0]
        if event.name == USER and record.span:
            content = event.body if isinstance(event.body, Mapping) else event.attributes
            text = text_of(content)
            if text is not None:
                prompts[record.span] = text
    return prompts


def _answer(record: TelemetryRecord, text: str, place: int, prompt: str | None) -> ModelAnswer:
    item: dict[str, Any] = {"text": text}
    if record.trace and record.span:
        # A span and an event of the same call hold the same answer.
        item["key"] = f"otlp:{record.trace}:{record.span}:{place}"
    group = _first(
        record,
        "hayflick.group",
        "gen_ai.agent.name",
        "gen_ai.request.model",
        "gen_ai.response.model",
        "llm.model_name",
    )
    more = {"group": group_name(group), "prompt": prompt, "time": record.at}
    item.update({name: value for name, value in more.items() if value is not None})
    stream = _first(record, "hayflick.stream", "service.name")
    return ModelAnswer(stream=str(stream or "unknown_service").strip(), item=item)


def _first(record: TelemetryRecord, *names: str) -> Any:
    for name in names:
        for attributes in (record.attributes, record.resource):
            if attributes.get(name):
                return attributes[name]
    return None


def _setting(record: TelemetryRecord, signal: Signal) -> str:
    """Return what to set at the sender so that it sends content."""
    attributes = record.attributes
    if "openinference.span.kind" in attributes or record.scope.startswith("openinference"):
        return _SETTINGS["openinference"]
    if "llm.request.type" in attributes or any(one.startswith("traceloop.") for one in attributes):
        return _SETTINGS["openllmetry"]
    return _SETTINGS[signal]
