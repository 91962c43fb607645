"""The exporters of OpenTelemetry's SDK deliver answers into streams of a service that runs."""

import json
import logging
from inspect import signature

import pytest
import sqlalchemy as sa

from hayflick.service.app import create_app
from hayflick.storage.service_tables import answers, streams

pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")
pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the exporter is missing")


@pytest.fixture
def place(tmp_path):
    return str(tmp_path / "service.db")


@pytest.fixture
def url(service, served):
    """The address of the service, which listens as long as the test runs."""
    return served(create_app(service))


def stored(service):
    with service.database.connect() as connection:
        columns = (streams.c.name, answers.c.text, answers.c.group, answers.c.prompt)
        joined = answers.join(streams, streams.c.id == answers.c.stream)
        rows = connection.execute(sa.select(*columns).select_from(joined).order_by(answers.c.text))
        return [tuple(row) for row in rows]


def resource():
    from opentelemetry.sdk.resources import Resource

    return Resource.create({"service.name": "shop"})


def test_spans_arrive(service, url, token):
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    exporter = OTLPSpanExporter(
        f"{url}/v1/traces", headers=token("ingest"), compression=Compression.Gzip
    )
    provider = TracerProvider(resource=resource())
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("opentelemetry.instrumentation.openai_v2")
    for number in range(3):
        outer, inner = (tracer.start_as_current_span(name) for name in ("GET /orders", "chat"))
        with outer, inner as span:
            span.set_attribute("gen_ai.operation.name", "chat")
            span.set_attribute("gen_ai.request.model", "model-a")
            part = {"type": "text", "content": f"No. {number}"}
            text = json.dumps([{"role": "assistant", "parts": [part]}])
            span.set_attribute("gen_ai.output.messages", text)
    assert provider.force_flush()
    provider.shutdown()
    assert stored(service) == [("shop", f"No. {number}", "model-a", None) for number in range(3)]


def test_log_records_arrive(service, url, token):
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

    exporter = OTLPLogExporter(f"{url}/v1/logs", headers=token("ingest"))
    provider = LoggerProvider(resource=resource())
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    logger = provider.get_logger("opentelemetry.instrumentation.openai_v2")
    if "event_name" not in signature(logger.emit).parameters:
        pytest.skip("this opentelemetry-sdk emits no events; newer ones do")
    details = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "model-a",
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Why?"}]}],
        "gen_ai.output.messages": [
            {"role": "assistant", "parts": [{"type": "text", "content": "A current event."}]}
        ],
    }
    logger.emit(event_name="gen_ai.client.inference.operation.details", attributes=details)
    choice = {"index": 0, "message": {"role": "assistant", "content": "An older event."}}
    logger.emit(event_name="gen_ai.choice", attributes={"gen_ai.system": "openai"}, body=choice)
    assert provider.force_flush()
    provider.shutdown()
    assert stored(service) == [
        ("shop", "A current event.", "model-a", "Why?"),
        ("shop", "An older event.", None, None),
    ]


def test_a_wrong_token_is_an_error_that_the_exporter_logs(service, url, token, caplog):
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    exporter = OTLPSpanExporter(f"{url}/v1/traces", headers={"Authorization": "Bearer wrong"})
    provider = TracerProvider(resource=resource())
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with caplog.at_level(logging.ERROR), provider.get_tracer("x").start_as_current_span("chat"):
        pass
    provider.shutdown()
    assert "401" in caplog.text
