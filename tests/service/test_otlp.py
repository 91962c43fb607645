"""OpenTelemetry's exporters, and requests written by hand, deliver answers into streams."""

import gzip
import json
from contextlib import suppress

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from hayflick.service.litellm import answers_of_litellm
from hayflick.service.model_calls import answers_in
from hayflick.service.otlp import TelemetryEvent, TelemetryRecord, read_request
from hayflick.service.problems import Problem
from hayflick.storage.service_tables import answers, streams

AT = 1_790_000_000
TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
OUTPUT = [{"role": "assistant", "parts": [{"type": "text", "content": "Ships today."}]}]
INPUT = [
    {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
    {"role": "user", "parts": [{"type": "text", "content": "Where is it?"}]},
]
CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "model-a",
}


@pytest.fixture
def place(tmp_path):
    return str(tmp_path / "service.db")


def value(given):
    if isinstance(given, bool):
        return {"boolValue": given}
    if isinstance(given, int):
        return {"intValue": str(given)}
    if isinstance(given, list):
        return {"arrayValue": {"values": [value(one) for one in given]}}
    if isinstance(given, dict):
        return {"kvlistValue": {"values": pairs(given)}}
    return {"stringValue": given}


def pairs(attributes):
    return [{"key": name, "value": value(one)} for name, one in attributes.items()]


def traces(*spans, resource=None, scope="opentelemetry.instrumentation.openai_v2"):
    """Return a request with spans of attributes and events."""
    written = [
        {
            "traceId": TRACE,
            "spanId": f"{int(SPAN, 16) + place:016x}",
            "endTimeUnixNano": str(AT * 10**9),
            "attributes": pairs({k: v for k, v in span.items() if k != "events"}),
            "events": [
                {"name": name, "attributes": pairs(more)} for name, more in span.get("events", ())
            ],
        }
        for place, span in enumerate(spans)
    ]
    groups = [{"scope": {"name": scope}, "spans": written}]
    sender = {"attributes": pairs({"service.name": "shop"} if resource is None else resource)}
    return {"resourceSpans": [{"resource": sender, "scopeSpans": groups}]}


def logs(*records):
    """Return a request with log records of a name, attributes and a body, all of one span."""
    written = [
        {
            "traceId": TRACE,
            "spanId": SPAN,
            "timeUnixNano": str(AT * 10**9),
            "eventName": name,
            "attributes": pairs(attributes),
            **({} if body is None else {"body": value(body)}),
        }
        for name, attributes, body in records
    ]
    sender = {"attributes": pairs({"service.name": "shop"})}
    groups = [{"scope": {"name": "instrumentation"}, "logRecords": written}]
    return {"resourceLogs": [{"resource": sender, "scopeLogs": groups}]}


def payload(**more):
    return {
        "id": "call-1",
        "call_type": "acompletion",
        "status": "success",
        "model": "gpt-a",
        "model_group": "default model",
        "endTime": AT + 0.5,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Where is it?"}]}],
        "response": {"choices": [{"message": {"role": "assistant", "content": "Ships today."}}]},
        **more,
    }


def found(request, signal="traces"):
    records = read_request(json.dumps(request).encode(), signal, as_json=True)
    return answers_in(records, signal)


def test_current_attributes_of_a_span():
    span = {
        **CHAT,
        "gen_ai.output.messages": json.dumps(OUTPUT),
        "gen_ai.input.messages": json.dumps(INPUT),
    }
    (answer,) = found(traces(span)).found
    assert answer.stream == "shop"
    assert answer.item == {
        "text": "Ships today.",
        "key": f"otlp:{TRACE}:{SPAN}:0",
        "group": "model-a",
        "prompt": "Where is it?",
        "time": float(AT),
    }


@pytest.mark.parametrize("written", [OUTPUT, json.dumps(OUTPUT)], ids=["structured", "JSON"])
def test_the_current_event(written):
    name = "gen_ai.client.inference.operation.details"
    attributes = {**CHAT, "gen_ai.output.messages": written, "gen_ai.input.messages": INPUT}
    (answer,) = found(logs((name, attributes, None)), "logs").found
    assert answer.item["text"] == "Ships today."
    assert answer.item["prompt"] == "Where is it?"
    # The same as that of the span, so that a call reported in both ways is counted once.
    assert answer.item["key"] == f"otlp:{TRACE}:{SPAN}:0"


def test_older_events_have_a_record_for_every_message():
    system = {"gen_ai.system": "openai"}
    request = logs(
        ("gen_ai.user.message", system, {"content": "Where is it?"}),
        ("gen_ai.assistant.message", system, {"content": "An older answer."}),
        ("gen_ai.choice", system, {"index": 0, "message": {"content": "Ships today."}}),
        ("gen_ai.choice", system, {"index": 1, "message": {"content": "Sent."}}),
        ("", {"http.method": "GET"}, "a line of some log"),
    )
    items = [answer.item for answer in found(request, "logs").found]
    assert [item["text"] for item in items] == ["Ships today.", "Sent."]
    assert [item["key"][-2:] for item in items] == [":0", ":1"]
    assert {item["prompt"] for item in items} == {"Where is it?"}


def test_an_older_event_is_named_by_an_attribute():
    choice = {"index": 0, "message": {"content": "Ships today."}}
    request = logs(("", {"event.name": "gen_ai.choice"}, choice))
    assert [one.item["text"] for one in found(request, "logs").found] == ["Ships today."]


@pytest.mark.parametrize(
    "event",
    [
        ("gen_ai.choice", {"index": 0, "message": json.dumps({"content": "Ships today."})}),
        ("gen_ai.content.completion", {"gen_ai.completion": '[{"content": "Ships today."}]'}),
        ("gen_ai.client.inference.operation.details", {"gen_ai.output.messages": OUTPUT}),
    ],
    ids=lambda event: event[0],
)
def test_events_of_spans(event):
    span = {"gen_ai.system": "openai", "gen_ai.request.model": "model-a", "events": [event]}
    assert [one.item["text"] for one in found(traces(span)).found] == ["Ships today."]


@pytest.mark.parametrize(
    "attributes",
    [
        {
            "openinference.span.kind": "LLM",
            "llm.model_name": "model-a",
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": "Where is it?",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": "Ships today.",
        },
        {
            "openinference.span.kind": "LLM",
            "llm.model_name": "model-a",
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.contents.0.message_content.text": "Where is it?",
            "llm.output_messages.0.message.contents.0.message_content.type": "text",
            "llm.output_messages.0.message.contents.0.message_content.text": "Ships today.",
        },
        {
            "gen_ai.system": "OpenAI",
            "llm.request.type": "chat",
            "gen_ai.request.model": "model-a",
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": "Where is it?",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": "Ships today.",
        },
    ],
    ids=["OpenInference", "OpenInference contents", "OpenLLMetry"],
)
def test_numbered_attributes(attributes):
    (answer,) = found(traces(attributes)).found
    assert answer.item["text"] == "Ships today."
    assert answer.item["prompt"] == "Where is it?"
    assert answer.item["group"] == "model-a"


def test_several_answers_of_a_call_keep_their_places():
    messages = [{"role": "assistant", "content": text} for text in ("One.", "Two.")]
    span = {**CHAT, "gen_ai.output.messages": json.dumps(messages)}
    items = [one.item for one in found(traces(span)).found]
    assert [(item["text"], item["key"][-1]) for item in items] == [("One.", "0"), ("Two.", "1")]


@pytest.mark.parametrize(
    "span",
    [
        {"http.request.method": "GET"},
        {**CHAT, "gen_ai.operation.name": "execute_tool"},
        {**CHAT, "gen_ai.operation.name": "embeddings"},
        {**CHAT, "gen_ai.operation.name": "invoke_agent", "gen_ai.output.messages": OUTPUT},
        {"openinference.span.kind": "CHAIN", "output.value": "Ships today."},
        {"gen_ai.system": "OpenAI", "gen_ai.request.model": "m", "llm.request.type": "embedding"},
        {**CHAT, "gen_ai.output.messages": [{"parts": [{"type": "tool_call", "name": "look"}]}]},
    ],
)
def test_what_is_no_answer_is_left_alone(span):
    answers = found(traces(span))
    assert (answers.found, answers.missing.total()) == ([], 0)


@pytest.mark.parametrize(
    ("span", "setting"),
    [
        (CHAT, "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_ONLY"),
        (
            {"openinference.span.kind": "LLM", "output.value": "__REDACTED__"},
            "unset OPENINFERENCE_HIDE_OUTPUTS",
        ),
        (
            {**CHAT, "llm.request.type": "chat", "gen_ai.completion.0.role": "assistant"},
            "TRACELOOP_TRACE_CONTENT=true",
        ),
    ],
)
def test_content_that_is_left_out_names_the_setting(span, setting):
    answers = found(traces(span, span))
    assert answers.found == []
    ((said, number),) = answers.missing.items()
    assert setting in said
    assert number == 2


def test_a_call_that_failed_lacks_no_setting():
    answers = found(traces({**CHAT, "error.type": "timeout"}))
    assert (answers.found, answers.missing.total()) == ([], 0)


NAMES = (
    *CHAT,
    "gen_ai.system",
    "gen_ai.output.messages",
    "gen_ai.input.messages",
    "gen_ai.completion.0.content",
    "llm.output_messages.0.message.contents.0.message_content.text",
    "llm.output_messages.1.message.tool_calls.0.tool_call.id",
    "llm.request.type",
    "openinference.span.kind",
    "output.value",
    "output.mime_type",
    "event.name",
    "index",
    "message",
    "service.name",
    "hayflick.stream",
    "hayflick.group",
    "hayflick.prompt",
)
EVENTS = ("gen_ai.choice", "gen_ai.user.message", "gen_ai.client.inference.operation.details", "x")
WORDS = st.sampled_from(["chat", "LLM", "text", "user", "assistant", "[{}]", "{", "", "tool_call"])
ODD = st.recursive(
    WORDS | st.text(max_size=3) | st.integers(-5, 5) | st.booleans() | st.none() | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "parts", "content", "type", "text", "message", "index", "a"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
ATTRIBUTES = st.dictionaries(st.sampled_from(NAMES), ODD, max_size=8)


@settings(max_examples=100, deadline=None)
@given(ATTRIBUTES, ATTRIBUTES, st.sampled_from(EVENTS), ODD, st.sampled_from(["traces", "logs"]))
def test_odd_attributes_are_no_error(attributes, more, name, body, signal):
    events = [TelemetryEvent(name=name, attributes=more, body=body)]
    record = TelemetryRecord(
        resource=more, scope="x", attributes=attributes, events=events, trace="a", span="b"
    )
    for answer in answers_in([record], signal).found:
        assert isinstance(answer.item["text"], str)
        assert isinstance(answer.stream, str)
        assert all(isinstance(answer.item.get(one, ""), str) for one in ("group", "prompt", "key"))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from([*payload(), "metadata"]), ODD), ODD)
def test_odd_payloads_of_litellm_are_no_error(changes, response):
    given = {**payload(response={"choices": [{"message": response}]}), **changes}
    items = []
    with suppress(Problem):
        items = answers_of_litellm([given])
    assert all(isinstance(item["text"], str) for item in items if item is not given)


def test_logs_without_content_name_the_setting_too():
    choice = ("gen_ai.choice", {}, {"index": 0, "message": {"role": "assistant"}})
    ((said, _),) = found(logs(choice), "logs").missing.items()
    assert "CAPTURE_MESSAGE_CONTENT=EVENT_ONLY" in said


def test_attributes_of_ours_choose_stream_group_and_prompt():
    ours = {"hayflick.stream": "talk", "hayflick.group": "a\nb", "hayflick.prompt": "p1"}
    span = {**CHAT, "gen_ai.output.messages": OUTPUT, **ours}
    (answer,) = found(traces(span, resource={})).found
    assert (answer.stream, answer.item["group"], answer.item["prompt"]) == ("talk", "a b", "p1")


def test_a_sender_without_a_name_has_a_stream_all_the_same():
    (answer,) = found(traces({**CHAT, "gen_ai.output.messages": OUTPUT}, resource={})).found
    assert answer.stream == "unknown_service"


HOSTILE = [
    b"",
    b"[]",
    b"{",
    b'{"resourceSpans": 5}',
    b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "\xff"}]}]}]}',
    b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"endTimeUnixNano": "NaN"}]}]}]}',
    b'{"resourceSpans": [' + b"[" * 5000 + b"]" * 5000 + b"]}",
]


def test_what_is_no_otlp_is_refused(client, token):
    headers = {**token("ingest"), "Content-Type": "application/json"}
    for body in HOSTILE:
        response = client.post("/v1/traces", content=body, headers=headers)
        assert response.status_code == 400, (body[:100], response.text)
        assert "no OTLP request" in response.json()["detail"]


def nested(levels, content=b""):
    """Return protobuf of a body of a log record whose value is a list of a list and so on."""
    for _ in range(levels):
        content = b"\x2a" + length(content) + content
        content = b"\x0a" + length(content) + content
    for tag in (b"\x2a", b"\x12", b"\x12", b"\x0a"):
        content = tag + length(content) + content
    return content


def length(content):
    number, written = len(content), b""
    while number > 0x7F:
        written += bytes([number & 0x7F | 0x80])
        number >>= 7
    return written + bytes([number])


SPANS = b"\x12\x00" * 2_000_000
SCOPE = b"\x12" + length(SPANS) + SPANS


HOSTILE_PROTOBUF = {
    "many": ("traces", b"\x0a" + length(SCOPE) + SCOPE, 413),
    "nested": ("logs", nested(5), 200),
    "deep": ("logs", nested(90), 400),
    "deeper": ("logs", nested(5000), 400),
    "long": ("traces", b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 400),
    "short": ("traces", b"\x0a\x7f", 400),
    "group": ("traces", b"\x0b", 400),
    "noise": ("traces", bytes(range(256)), 400),
    "empty": ("traces", b"", 200),
}


def test_hostile_protobuf_is_refused_before_it_fills_the_memory(client, token):
    packed = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
    headers = {**token("ingest"), **packed}
    for name, (path, body, status) in HOSTILE_PROTOBUF.items():
        response = client.post(f"/v1/{path}", content=gzip.compress(body, 1), headers=headers)
        assert response.status_code == status, (name, response.text)


def stored(service):
    with service.database.connect() as connection:
        columns = (streams.c.name, answers.c.text, answers.c.group, answers.c.prompt)
        joined = answers.join(streams, streams.c.id == answers.c.stream)
        rows = connection.execute(sa.select(*columns).select_from(joined).order_by(answers.c.id))
        return [tuple(row) for row in rows]


def test_a_call_that_is_reported_as_span_and_as_event_is_counted_once(service, client, token):
    headers = token("ingest")
    span = {**CHAT, "gen_ai.output.messages": OUTPUT}
    request = traces(span)
    for _ in range(2):
        response = client.post("/v1/traces", json=request, headers=headers)
        assert (response.status_code, response.json()) == (200, {})
    event = ("gen_ai.client.inference.operation.details", {**span, "other": 1}, None)
    response = client.post("/v1/logs", json=logs(event), headers=headers)
    assert (response.status_code, response.json()) == (200, {})
    assert stored(service) == [("shop", "Ships today.", "model-a", None)]


def test_what_cannot_be_taken_is_said_and_the_rest_is_kept(service, client, token):
    good = {**CHAT, "gen_ai.output.messages": OUTPUT}
    request = traces(CHAT, good, {**good, "hayflick.stream": "a/b"})
    response = client.post("/v1/traces", json=request, headers=token("ingest"))
    partial = response.json()["partialSuccess"]
    assert partial["rejectedSpans"] == "2"
    assert "the content is left out: set OTEL_" in partial["errorMessage"]
    assert "stream: got 'a/b'" in partial["errorMessage"]
    assert partial["errorMessage"].count("[1 of the spans]") == 2
    assert len(stored(service)) == 1


def test_packed_requests_and_other_types(client, token):
    headers = {**token("ingest"), "Content-Type": "application/json", "Content-Encoding": "gzip"}
    body = gzip.compress(json.dumps(traces({**CHAT, "gen_ai.output.messages": OUTPUT})).encode())
    assert client.post("/v1/traces", content=body, headers=headers).json() == {}
    headers = {**token("ingest"), "Content-Type": "text/plain"}
    assert client.post("/v1/traces", content=b"x", headers=headers).status_code == 415
    headers = {**token("read"), "Content-Type": "application/json"}
    assert client.post("/v1/traces", content=b"{}", headers=headers).status_code == 403


@pytest.mark.parametrize("form", ["list", "lines", "one"])
def test_what_litellm_posts_is_taken_as_it_is(service, client, token, form):
    payloads = [payload(), payload(id="call-2", status="failure", response=None)]
    body = {
        "list": json.dumps(payloads),
        "lines": "\n".join(map(json.dumps, payloads)),
        "one": json.dumps(payload()),
    }[form]
    headers = {**token("ingest"), "Content-Type": "application/json"}
    for accepted in (1, 0):
        response = client.post("/v1/streams/talk/answers", content=body, headers=headers)
        assert response.status_code == 200, response.text
        assert response.json()["accepted"] == accepted
    assert stored(service) == [("talk", "Ships today.", "default model", "Where is it?")]


def test_a_request_of_failed_calls_alone_is_taken(client, token):
    failed = [payload(status="failure", response=None)]
    response = client.post("/v1/streams/talk/answers", json=failed, headers=token("ingest"))
    assert (response.status_code, response.json()["accepted"]) == (200, 0)


def test_litellm_that_leaves_texts_out_is_told_the_setting():
    hidden = {"choices": [{"message": {"content": "redacted-by-litellm"}}]}
    with pytest.raises(Problem, match="turn_off_message_logging"):
        answers_of_litellm([payload(response=hidden)])


@pytest.mark.parametrize(
    "response",
    [
        "Ships today.",
        {"choices": [{"text": "Ships today."}]},
        {
            "output": [
                {"type": "message", "content": [{"type": "output_text", "text": "Ships today."}]}
            ]
        },
        {"content": [{"type": "text", "text": "Ships today."}]},
    ],
    ids=["text", "completion", "responses", "blocks"],
)
def test_answers_of_every_interface_of_litellm(response):
    assert [one["text"] for one in answers_of_litellm([payload(response=response)])] == [
        "Ships today."
    ]


def test_calls_of_tools_and_embeddings_are_no_answers():
    tools = {"choices": [{"message": {"content": None, "tool_calls": [{"id": "t"}]}}]}
    assert answers_of_litellm([payload(response=tools)]) == []
    assert answers_of_litellm([payload(call_type="aembedding", response={})]) == []
