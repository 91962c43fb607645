"""Instrumentations of OpenAI's client deliver answers (`make test-integrations` installs them)."""

from importlib import import_module

import pytest
import sqlalchemy as sa

from hayflick.network.agents.ngram import NGramAgent
from hayflick.service import agent
from hayflick.service.app import create_app
from hayflick.storage.service_tables import answers

openai = pytest.importorskip("openai", reason="openai is not installed: make test-integrations")

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
LATEST = {"OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental"}
CONTRIB = "opentelemetry.instrumentation.openai_v2"
WAYS = {
    "current spans": (CONTRIB, {**LATEST, CAPTURE: "SPAN_ONLY"}),
    "current events": (CONTRIB, {**LATEST, CAPTURE: "EVENT_ONLY"}),
    "current spans and events": (CONTRIB, {**LATEST, CAPTURE: "SPAN_AND_EVENT"}),
    "older events": (CONTRIB, {CAPTURE: "true"}),
    "OpenLLMetry": ("opentelemetry.instrumentation.openai", {}),
    "OpenInference": ("openinference.instrumentation.openai", {}),
}


@pytest.fixture
def place(tmp_path):
    return str(tmp_path / "service.db")


@pytest.fixture
def model(served):
    texts = ["your order is on its way today", "the order comes tomorrow by van"]
    return served(agent.application([NGramAgent.of_texts("anna", texts)]))


@pytest.fixture
def providers(service, served, token):
    """Providers of traces and logs that send to a service."""
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    url, headers = served(create_app(service)), token("ingest")
    resource = Resource.create({"service.name": "shop"})
    tracing, logging = TracerProvider(resource=resource), LoggerProvider(resource=resource)
    spans = OTLPSpanExporter(f"{url}/v1/traces", headers=headers)
    tracing.add_span_processor(BatchSpanProcessor(spans))
    records = OTLPLogExporter(f"{url}/v1/logs", headers=headers)
    logging.add_log_record_processor(BatchLogRecordProcessor(records))
    yield tracing, logging
    tracing.shutdown()
    logging.shutdown()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("way", WAYS)
def test_calls_of_openais_client_are_answers(service, model, providers, monkeypatch, way):
    module, environment = WAYS[way]
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    if "OTEL_SEMCONV_STABILITY_OPT_IN" not in environment:
        monkeypatch.delenv("OTEL_SEMCONV_STABILITY_OPT_IN", raising=False)
    semconv = import_module("opentelemetry.instrumentation._semconv")
    semconv._OpenTelemetrySemanticConventionStability._initialized = False
    tracing, logging = providers
    instrumentor = import_module(module).OpenAIInstrumentor()
    instrumentor.instrument(tracer_provider=tracing, logger_provider=logging)
    try:
        client = openai.OpenAI(base_url=f"{model}/v1", api_key="none", max_retries=0)
        given = []
        for seed in range(3):
            messages = [{"role": "user", "content": "Where is it?"}]
            reply = client.chat.completions.create(model="anna", messages=messages, seed=seed)
            given.append(reply.choices[0].message.content)
    finally:
        instrumentor.uninstrument()
    tracing.force_flush()
    logging.force_flush()
    columns = (answers.c.text, answers.c.prompt, answers.c.group)
    with service.database.connect() as connection:
        rows = connection.execute(sa.select(*columns).order_by(answers.c.id)).all()
    assert [row.text for row in rows] == given
    assert {row.prompt for row in rows} == {"Where is it?"}
    assert {row.group for row in rows} <= {"anna", None}
