"""Processors of spans and log records, and scores as events, with OpenTelemetry's own SDK."""

import json
import logging
import random
import time
from importlib import import_module

import pytest
from doc_examples import examples
from openai_stand_in import openai_stand_in
from watched_answers import watched_answers

pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Status, StatusCode

import hayflick as hf
from hayflick.client import AnswerLog
from hayflick.core.errors import ArgumentError
from hayflick.integrations.opentelemetry import WatchLogProcessor, WatchSpanProcessor, emit_scores

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "model-a"}
OUTPUT = [{"role": "assistant", "parts": [{"type": "text", "content": "Ships today."}]}]
INPUT = [{"role": "user", "parts": [{"type": "text", "content": "Where is it?"}]}]
CURRENT = {
    **CHAT,
    "gen_ai.output.messages": json.dumps(OUTPUT),
    "gen_ai.input.messages": json.dumps(INPUT),
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "answers.jsonl"


@pytest.fixture
def providers(path):
    """Providers whose processors record into a file."""
    tracing = TracerProvider(resource=Resource({"service.name": "shop"}), shutdown_on_exit=False)
    tracing.add_span_processor(WatchSpanProcessor(AnswerLog(path)))
    logs = LoggerProvider(resource=Resource({"service.name": "shop"}), shutdown_on_exit=False)
    logs.add_log_record_processor(WatchLogProcessor(AnswerLog(path)))
    yield tracing, logs
    tracing.shutdown()
    logs.shutdown()


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def emit_span(provider, attributes, *, events=(), error=False):
    with provider.get_tracer("mine").start_as_current_span("chat") as span:
        span.set_attributes(attributes)
        for name, more in events:
            span.add_event(name, more)
        if error:
            span.set_status(Status(StatusCode.ERROR))
        return span.get_span_context()


@pytest.mark.parametrize(
    ("attributes", "events", "prompt"),
    [
        (CURRENT, (), "Where is it?"),
        (
            CHAT,
            [("gen_ai.content.completion", {"gen_ai.completion": '[{"content": "Ships today."}]'})],
            None,
        ),
        (
            {
                "openinference.span.kind": "LLM",
                "llm.model_name": "model-a",
                "llm.output_messages.0.message.content": "Ships today.",
                "llm.input_messages.0.message.role": "user",
                "llm.input_messages.0.message.content": "Where is it?",
            },
            (),
            "Where is it?",
        ),
        (
            {
                "llm.request.type": "chat",
                "gen_ai.system": "openai",
                "gen_ai.request.model": "model-a",
                "gen_ai.completion.0.content": "Ships today.",
                "gen_ai.prompt.0.role": "user",
                "gen_ai.prompt.0.content": "Where is it?",
            },
            (),
            "Where is it?",
        ),
    ],
    ids=["current", "events of spans", "OpenInference", "OpenLLMetry"],
)
def test_answers_in_spans_are_recorded(providers, path, attributes, events, prompt):
    context = emit_span(providers[0], attributes, events=events)
    (row,) = rows(path)
    assert (row["text"], row["group"], row.get("prompt")) == ("Ships today.", "model-a", prompt)
    assert row["key"] == f"otlp:{context.trace_id:032x}:{context.span_id:016x}:0"
    assert row["time"] == pytest.approx(time.time(), abs=60)


def test_other_spans_are_left_alone(providers, path, caplog):
    emit_span(providers[0], {"http.request.method": "GET"})
    emit_span(providers[0], {"gen_ai.operation.name": "execute_tool"})
    emit_span(providers[0], {"gen_ai.operation.name": "embeddings"})
    emit_span(providers[0], CHAT, error=True)
    assert rows(path) == []
    assert caplog.records == []


def test_content_that_is_left_out_is_missed_aloud_and_once(providers, path, caplog):
    with caplog.at_level(logging.WARNING, logger="hayflick_client"):
        for _ in range(3):
            emit_span(providers[0], CHAT)
    (said,) = [one.getMessage() for one in caplog.records]
    assert "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_ONLY" in said
    assert rows(path) == []


def test_the_group_is_an_attribute_a_name_or_what_a_function_says(providers, path):
    emit_span(providers[0], {**CURRENT, "hayflick.group": "tenant-1"})
    emit_span(providers[0], {**CURRENT, "gen_ai.agent.name": "anna"})
    for group in ("fixed", lambda attributes: attributes["gen_ai.operation.name"]):
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(WatchSpanProcessor(AnswerLog(path), group=group))
        emit_span(provider, CURRENT)
    assert [row["group"] for row in rows(path)] == ["tenant-1", "anna", "fixed", "chat"]


def test_faults_stay_inside(path, caplog):
    class Faulty:
        def record(self, text, **more):
            raise OSError("the disk is full")

    tracing, logs = TracerProvider(shutdown_on_exit=False), LoggerProvider(shutdown_on_exit=False)
    tracing.add_span_processor(WatchSpanProcessor(Faulty()))
    logs.add_log_record_processor(WatchLogProcessor(Faulty()))
    emit_span(tracing, CURRENT)
    logs.get_logger("mine").emit(event_name="gen_ai.choice", body={"message": {"content": "Yes"}})
    said = [one.getMessage() for one in caplog.records]
    assert len(said) == 2
    assert all(one.endswith("are not recorded: OSError: the disk is full") for one in said)


def test_answers_in_log_records_are_recorded(providers, path):
    logger = providers[1].get_logger("opentelemetry.instrumentation.openai_v2")
    details = {**CHAT, "gen_ai.output.messages": OUTPUT, "gen_ai.input.messages": INPUT}
    logger.emit(event_name="gen_ai.client.inference.operation.details", attributes=details)
    logger.emit(body="a line of another logger", attributes={"http.route": "/"})
    (row,) = rows(path)
    assert (row["text"], row["group"], row["prompt"]) == ("Ships today.", "model-a", "Where is it?")


def test_older_events_of_a_call_belong_together(providers, path):
    tracing, logs = providers
    logger = logs.get_logger("opentelemetry.instrumentation.openai_v2")
    system = {"gen_ai.system": "openai"}
    for number in range(3):
        with tracing.get_tracer("mine").start_as_current_span("call"):
            asked = {"content": f"Question {number}?"}
            logger.emit(event_name="gen_ai.user.message", attributes=system, body=asked)
            for index in range(2):
                message = {"role": "assistant", "content": f"Answer {number}.{index}"}
                body = {"index": index, "finish_reason": "stop", "message": message}
                logger.emit(event_name="gen_ai.choice", attributes=system, body=body)
    found = [(row["text"], row["prompt"]) for row in rows(path)]
    expected = [(f"Answer {n}.{i}", f"Question {n}?") for n in range(3) for i in range(2)]
    assert found == expected
    assert len({row["key"] for row in rows(path)}) == 6


def emitted(result, **more):
    exporter, provider = InMemoryLogRecordExporter(), LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    number = emit_scores(result, provider, **more)
    records = [one.log_record for one in exporter.get_finished_logs()]
    assert number == len(records)
    assert {one.event_name for one in records} == {"gen_ai.evaluation.result"}
    return [dict(one.attributes) for one in records]


def test_the_verdict_and_the_last_readings_are_events():
    result = watched_answers(words=4)
    verdict, *readings = emitted(result, attributes={"deployment.environment.name": "test"})
    assert verdict["gen_ai.evaluation.name"] == "hayflick.verdict"
    assert verdict["gen_ai.evaluation.score.label"] == "alarm"
    assert "gen_ai.evaluation.score.value" not in verdict
    assert "Alarm: " in verdict["gen_ai.evaluation.explanation"]
    charted = {chart.metric for chart in result.charts}
    found = {one["gen_ai.evaluation.name"].removeprefix("hayflick.") for one in readings}
    assert found == charted
    for one in readings:
        metric = one["gen_ai.evaluation.name"].removeprefix("hayflick.")
        assert one["gen_ai.evaluation.score.value"] == result.series(metric)[-1]
        assert (one["hayflick.round"], one["hayflick.input"]) == ("30", result.name)
        assert one["deployment.environment.name"] == "test"
        assert "hayflick.group" not in one
    labels = {one["gen_ai.evaluation.score.label"] for one in readings}
    assert "alarm" in labels
    assert labels <= {"alarm", "healthy", "falling"}


def test_groups_are_named_and_metrics_chosen():
    result = watched_answers(groups=("a", "b"))
    _, *readings = emitted(result, metrics=["distinct_2"])
    found = {one.get("hayflick.group"): one["gen_ai.evaluation.score.value"] for one in readings}
    assert found == {
        group or None: result.series("distinct_2", group=group)[-1] for group in ("", "a", "b")
    }
    with pytest.raises(ArgumentError, match=r"metrics: got distinct, takes any of .*distinct_2"):
        emit_scores(result, metrics=["distinct"])


def test_a_last_round_without_a_reading_says_so():
    rng = random.Random(1)
    answers = [
        {"round": number + 1, "answer": f"w{rng.randrange(99)} w{rng.randrange(99)}"}
        for number in range(30)
        for _ in range(30 if number < 29 else 1)
    ]
    result = hf.watch(answers, by="round", text="answer")
    _, *readings = emitted(result)
    silent = [one for one in readings if "gen_ai.evaluation.score.value" not in one]
    assert silent
    assert {one["gen_ai.evaluation.score.label"] for one in silent} == {"no reading"}
    assert all("no reading" in one["gen_ai.evaluation.explanation"] for one in silent)


@pytest.mark.filterwarnings("ignore")
def test_the_examples_in_the_documents(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recording, scoring = examples("integrations.md", "OpenTelemetry")
    names = {}
    exec(compile(recording, "integrations.md", "exec"), names)
    emit_span(names["tracing"], CURRENT)
    assert [row["text"] for row in rows(tmp_path / "answers.jsonl")] == ["Ships today."]
    rng = random.Random(1)
    log = AnswerLog("answers.jsonl")
    for number in range(900):
        text = f"w{rng.randrange(300)} w{rng.randrange(300)}"
        log.record(text, at=1_790_000_000.0 + 120 * number)
    exporter = InMemoryLogRecordExporter()
    names["logs"].add_log_record_processor(SimpleLogRecordProcessor(exporter))
    exec(compile(scoring, "integrations.md", "exec"), names)
    found = [one.log_record.event_name for one in exporter.get_finished_logs()]
    assert set(found) == {"gen_ai.evaluation.result"}


CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
LATEST = {"OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental"}
CONTRIB = "opentelemetry.instrumentation.openai_v2"
WAYS = {
    "current spans": (CONTRIB, {**LATEST, CAPTURE: "SPAN_ONLY"}),
    "current events": (CONTRIB, {**LATEST, CAPTURE: "EVENT_ONLY"}),
    "older events": (CONTRIB, {CAPTURE: "true"}),
    "OpenLLMetry": ("opentelemetry.instrumentation.openai", {}),
    "OpenInference": ("openinference.instrumentation.openai", {}),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("way", WAYS)
def test_calls_of_openais_client_are_recorded(providers, path, monkeypatch, way):
    reason = "openai is not installed: make test-integrations"
    openai = pytest.importorskip("openai", reason=reason)
    module, environment = WAYS[way]
    pytest.importorskip(module, reason=f"{module} is not installed: make test-integrations")
    monkeypatch.delenv("OTEL_SEMCONV_STABILITY_OPT_IN", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    semconv = import_module("opentelemetry.instrumentation._semconv")
    semconv._OpenTelemetrySemanticConventionStability._initialized = False
    tracing, logs = providers
    instrumentor = import_module(module).OpenAIInstrumentor()
    instrumentor.instrument(tracer_provider=tracing, logger_provider=logs)
    try:
        with openai_stand_in() as model:
            client = openai.OpenAI(base_url=model.url, api_key="none", max_retries=0)
            messages = [{"role": "user", "content": "Where is it?"}]
            for _ in range(3):
                client.chat.completions.create(model="anna", messages=messages)
            streamed = client.chat.completions.create(model="anna", messages=messages, stream=True)
            list(streamed)
            client.chat.completions.create(model="caller", messages=messages)
            with pytest.raises(openai.BadRequestError):
                client.chat.completions.create(model="broken", messages=messages)
    finally:
        instrumentor.uninstrument()
    found = rows(path)
    assert [row["text"] for row in found] == ["It is on its way."] * 4
    assert {row.get("prompt") for row in found} == {"Where is it?"}
    assert {row.get("group") for row in found} <= {"anna", None}
