"""Logs of spans and of evaluations as tools export them, written after their public formats."""

import json

from tool_logs import (
    ANSWERS,
    ASKED,
    CALLED,
    ERROR,
    NOTHING,
    ODD,
    PROMPT,
    TEXTS,
    LogSample,
    Reply,
    sample,
    samples_of_calls,
)


def phoenix_row(reply: Reply) -> dict:
    """Return a row of a data frame of spans."""
    message = {"message.role": "assistant", "message.content": reply.text}
    if reply.calls:
        message["message.tool_calls"] = [{"tool_call.function.name": "find_path"}]
    return {
        "name": "ChatCompletion",
        "span_kind": "LLM",
        "start_time": reply.iso,
        "status_code": "ERROR" if reply.failed else "OK",
        "context.span_id": f"s{reply.number}",
        "context.trace_id": f"t{reply.number}",
        "attributes.llm.model_name": reply.model,
        "attributes.llm.input_messages": [{"message.role": "user", "message.content": PROMPT}],
        "attributes.llm.output_messages": None if reply.failed else [message],
        "attributes.output.mime_type": "application/json",
        "attributes.output.value": json.dumps(reply.chat, ensure_ascii=False),
    }


def phoenix_pandas(reply: Reply) -> dict:
    """Return a row as pandas writes it to a CSV file: lists as Python spells them."""
    return {
        name: str(cell) if isinstance(cell, list) else cell
        for name, cell in phoenix_row(reply).items()
    }


def phoenix_span(reply: Reply) -> dict:
    """Return a span of the interface."""
    message = {"role": "assistant", "content": reply.text}
    if reply.calls:
        message["tool_calls"] = [{"tool_call": {"function": {"name": "find_path"}}}]
    asked = [{"message": {"role": "user", "content": PROMPT}}]
    llm = {"model_name": reply.model, "input_messages": asked}
    if not reply.failed:
        llm["output_messages"] = [{"message": message}]
    return {
        "id": f"U3Bhbjo{reply.number}",
        "name": "ChatCompletion",
        "context": {"trace_id": f"t{reply.number}", "span_id": f"s{reply.number}"},
        "span_kind": "LLM",
        "parent_id": None,
        "start_time": reply.iso,
        "end_time": reply.iso,
        "status_code": "ERROR" if reply.failed else "OK",
        "attributes": {"openinference": {"span": {"kind": "LLM"}}, "llm": llm},
        "events": [],
    }


def openinference(reply: Reply) -> dict:
    """Return OpenInference's attributes, numbered."""
    given = {
        "openinference.span.kind": "LLM",
        "llm.model_name": reply.model,
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": "You know the paths.",
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.content": PROMPT,
        "llm.output_messages.0.message.role": "assistant",
    }
    said = "llm.output_messages.0.message."
    if reply.text is not None and reply.number % 3:
        given[f"{said}content"] = reply.text
    elif reply.text is not None:
        given[f"{said}contents.0.message_content.type"] = "text"
        given[f"{said}contents.0.message_content.text"] = reply.text
    if reply.calls:
        given[f"{said}tool_calls.0.tool_call.function.name"] = "find_path"
    return given


def printed_span(reply: Reply, attributes: dict) -> dict:
    """Return a span as OpenTelemetry's SDK prints it."""
    return {
        "name": "chat",
        "context": {"trace_id": f"0x{reply.number:032x}", "span_id": "0x1", "trace_state": "[]"},
        "kind": "SpanKind.CLIENT",
        "parent_id": None,
        "start_time": reply.iso,
        "end_time": reply.iso,
        "status": {"status_code": "ERROR" if reply.failed else "UNSET"},
        "attributes": attributes,
        "events": [],
        "links": [],
        "resource": {"attributes": {"telemetry.sdk.name": "opentelemetry"}, "schema_url": ""},
    }


def otlp_value(value) -> dict:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": pairs(value)}}
    if isinstance(value, list):
        return {"arrayValue": {"values": list(map(otlp_value, value))}}
    return {"stringValue": str(value)}


def pairs(attributes: dict) -> list[dict]:
    kept = {name: value for name, value in attributes.items() if value is not None}
    return [{"key": name, "value": otlp_value(value)} for name, value in kept.items()]


def otlp_span(reply: Reply, attributes: dict, events: list | None = None) -> dict:
    return {
        "traceId": f"{reply.number:032x}",
        "spanId": f"{reply.number:016x}",
        "name": "chat",
        "kind": 3,
        "startTimeUnixNano": str(reply.nanoseconds),
        "endTimeUnixNano": str(reply.nanoseconds + 10**9),
        "attributes": pairs(attributes),
        "events": events or [],
        "status": {"code": 2, "message": "timeout"} if reply.failed else {},
    }


def otlp_event(name: str, attributes: dict, at: Reply) -> dict:
    return {"name": name, "timeUnixNano": str(at.nanoseconds), "attributes": pairs(attributes)}


def genai(reply: Reply) -> dict:
    """Return the attributes of today's conventions."""
    asked = [{"role": "user", "parts": [{"type": "text", "content": PROMPT}]}]
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": reply.model,
        "gen_ai.input.messages": json.dumps(asked),
        "gen_ai.output.messages": None if reply.failed else json.dumps(reply.parts),
        "gen_ai.usage.output_tokens": 12,
    }


def openllmetry(reply: Reply) -> dict:
    given = {
        "llm.request.type": "chat",
        "gen_ai.system": "openai",
        "gen_ai.request.model": reply.model,
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": PROMPT,
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.finish_reason": reply.finish,
        "gen_ai.completion.0.content": reply.text,
    }
    if reply.calls:
        given["gen_ai.completion.0.tool_calls.0.name"] = "find_path"
    return given


def span_with_events(reply: Reply) -> dict:
    """Return a span whose events hold the texts, by conventions of 2024."""
    model = {"gen_ai.system": "openai", "gen_ai.request.model": reply.model}
    said = {"index": 0, "finish_reason": reply.finish, "message": json.dumps(reply.message)}
    asked = otlp_event("gen_ai.user.message", {"role": "user", "content": PROMPT}, reply)
    return otlp_span(reply, model, [asked, otlp_event("gen_ai.choice", said, reply)])


def otlp_log(reply: Reply, name: str, attributes: dict, body) -> dict:
    failed = {"error.type": "timeout"} if reply.failed else {}
    return {
        "timeUnixNano": str(reply.nanoseconds),
        "observedTimeUnixNano": str(reply.nanoseconds),
        "eventName": name,
        "body": otlp_value(body),
        "attributes": pairs({"gen_ai.system": "openai", **attributes, **failed}),
        "traceId": f"{reply.number:032x}",
        "spanId": f"{reply.number:016x}",
    }


def choice_log(reply: Reply) -> dict:
    said = {"index": 0, "finish_reason": reply.finish}
    message = {name: value for name, value in reply.message.items() if value is not None}
    return otlp_log(reply, "gen_ai.choice", {}, {**said, "message": message})


def details_log(reply: Reply) -> dict:
    name = "gen_ai.client.inference.operation.details"
    return otlp_log(reply, name, genai(reply), "")


def batched(kind: str, scope: str, records: str):
    """Return what packs records into the lines of the collector, several in each."""

    def wrap(lines: list) -> list:
        resource = {"attributes": pairs({"service.name": "paths"})}
        batches = [lines[start : start + 7] for start in range(0, len(lines), 7)]
        held = [{"scope": {"name": "openai"}, records: one} for one in batches]
        return [{kind: [{"resource": resource, scope: [one]}]} for one in held]

    return wrap


IN_SPANS = batched("resourceSpans", "scopeSpans", "spans")
IN_LOGS = batched("resourceLogs", "scopeLogs", "logRecords")


def by_names_of_protobuf(value):
    """Return OTLP's JSON with the names that protobuf has: resource_spans, string_value."""
    if isinstance(value, dict):
        return {
            "".join(f"_{one.lower()}" if one.isupper() else one for one in name): (
                by_names_of_protobuf(inner)
            )
            for name, inner in value.items()
        }
    return list(map(by_names_of_protobuf, value)) if isinstance(value, list) else value


def mlflow_span(reply: Reply, **more) -> dict:
    attributes = {
        "mlflow.traceRequestId": f"tr-{reply.number}",
        "mlflow.spanType": more.get("kind", "CHAT_MODEL"),
        "mlflow.spanInputs": {"model": reply.model, "messages": ASKED},
        "mlflow.spanOutputs": None if reply.failed else more.get("outputs", reply.chat),
    }
    return {
        "trace_id": "AAAA",
        "span_id": f"s{reply.number}",
        "parent_span_id": None,
        "name": "Completions",
        "start_time_unix_nano": reply.nanoseconds,
        "end_time_unix_nano": reply.nanoseconds + 10**9,
        "attributes": {
            name: json.dumps(value, ensure_ascii=False) for name, value in attributes.items()
        },
        "status": {"code": "STATUS_CODE_ERROR" if reply.failed else "STATUS_CODE_OK"},
        "events": [],
    }


def mlflow(reply: Reply) -> dict:
    """Return a trace: a chain and, in it, the call of a model."""
    chain = mlflow_span(reply, kind="CHAIN", outputs="The text of the chain, not of the model.")
    info = {"trace_id": f"tr-{reply.number}", "request_time": reply.iso, "state": "OK"}
    return {"info": info, "data": {"spans": [chain, mlflow_span(reply)]}}


def mlflow_old(reply: Reply) -> dict:
    """Return a trace of MLflow 2."""
    span = mlflow_span(reply)
    for name in ("start_time_unix_nano", "end_time_unix_nano", "trace_id", "span_id"):
        del span[name]
    context = {"span_id": f"0x{reply.number}", "trace_id": "0x1"}
    code = span.pop("status")["code"].removeprefix("STATUS_CODE_")
    span |= {"context": context, "start_time": reply.nanoseconds, "status_code": code}
    info = {"request_id": f"tr-{reply.number}", "timestamp_ms": reply.nanoseconds // 10**6}
    return {"info": info, "data": {"spans": [span], "request": "{}", "response": "{}"}}


def mlflow_row(reply: Reply) -> dict:
    """Return a row of the frame of `mlflow.search_traces`."""
    return {
        "trace_id": f"tr-{reply.number}",
        "trace": json.dumps(mlflow(reply), ensure_ascii=False),
        "state": "OK",
        "request_time": reply.nanoseconds // 10**6,
        "request": json.dumps({"messages": ASKED}),
        "response": json.dumps(reply.chat, ensure_ascii=False),
    }


def opik_span(reply: Reply) -> dict:
    return {
        "id": f"s{reply.number}",
        "project_id": "p1",
        "trace_id": f"t{reply.number}",
        "parent_span_id": None,
        "name": "chat_completion_create",
        "type": "llm",
        "start_time": reply.iso,
        "end_time": reply.iso,
        "input": {"messages": ASKED},
        "output": None if reply.failed else {"choices": reply.chat["choices"]},
        "model": reply.model,
        "error_info": {"exception_type": "Timeout"} if reply.failed else None,
        "last_updated_at": reply.iso,
    }


def opik_trace(reply: Reply) -> dict:
    span = opik_span(reply)
    trace = {name: span[name] for name in ("project_id", "start_time", "end_time", "input")}
    trace |= {"id": span["trace_id"], "output": {"output": "The text of the whole trace."}}
    search = {**span, "type": "tool", "output": {"documents": ["a text of a document"]}}
    return {"trace": trace, "spans": [search, span], "project_name": "paths"}


def opik_row(reply: Reply) -> dict:
    """Return a row of `opik export --format csv`."""
    told = {f"span_{name}": cell for name, cell in opik_span(reply).items()}
    told |= {"trace_id": f"t{reply.number}", "trace_project_id": "p1"}
    return {
        name: str(cell) if isinstance(cell, (dict, list)) else cell for name, cell in told.items()
    }


def lm_eval(reply: Reply, *, filtered="none") -> dict:
    return {
        "doc_id": reply.number,
        "doc": {"question": PROMPT},
        "target": "The upper one.",
        "arguments": {"gen_args_0": {"arg_0": PROMPT, "arg_1": {"until": ["\n"], "temp": 0.7}}},
        "resps": [[reply.text or ""]],
        "filtered_resps": ["[invalid]"],
        "filter": filtered,
        "doc_hash": f"h{reply.number}",
        "prompt_hash": "p",
        "exact_match": 0.0,
    }


def lm_eval_old(reply: Reply) -> dict:
    return {**lm_eval(reply), "arguments": [[PROMPT, {"until": ["\n"]}]]}


def lm_eval_choice() -> dict:
    """Return a document of a task whose answers are given, and only rated by a model."""
    rated = {"gen_args_0": {"arg_0": PROMPT, "arg_1": " The upper path"}}
    return {**lm_eval(NOTHING), "arguments": rated, "resps": [[["-2.25", "False"]]]}


def inspect_sample(reply: Reply) -> dict:
    choice = {"message": reply.message, "stop_reason": reply.finish}
    return {
        "id": reply.number,
        "epoch": 1,
        "input": ASKED,
        "target": "The upper one.",
        "messages": [*ASKED, reply.message],
        "output": {"model": reply.model, "choices": [] if reply.failed else [choice]},
        "scores": {"match": {"value": "I", "answer": "No"}},
        "completed_at": reply.iso,
        "error": {"message": "timeout", "traceback": "…"} if reply.failed else None,
    }


def inspect_log(lines: list) -> list:
    told = {"created": "2026-10-01T08:00:00+00:00", "task": "paths", "model": "openai/small-1"}
    return [{"version": 2, "status": "success", "eval": told, "plan": {}, "samples": lines}]


def own(reply: Reply) -> dict:
    return {
        "hayflick_log": 1,
        "text": reply.text or "",
        "key": f"k{reply.number}",
        "time": reply.seconds,
        "group": reply.model,
        "prompt": PROMPT,
    }


def samples_of_spans() -> list[LogSample]:
    """Return the logs of spans and events, of which only some are calls of models."""
    here = {"spans that are not model calls": 1}
    there = {"spans and events that are not model calls": 1}
    kept = [ERROR, CALLED, NOTHING]
    chain = {**phoenix_row(NOTHING), "span_kind": "CHAIN"}
    agent = printed_span(NOTHING, {"openinference.span.kind": "AGENT", "output.value": "A text."})
    query = otlp_span(NOTHING, {"db.system": "postgresql", "output.value": "A text of a table."})
    asked = otlp_log(NOTHING, "gen_ai.user.message", {}, {"role": "user", "content": PROMPT})
    vectors = otlp_span(NOTHING, {**genai(NOTHING), "gen_ai.operation.name": "embeddings"})
    return [
        sample("phoenix", "rows", phoenix_row, odd=kept, more=[chain], reasons=here),
        sample("phoenix", "parquet", phoenix_row, odd=kept, suffix=".parquet"),
        sample("phoenix", "pandas", phoenix_pandas, odd=kept, suffix=".csv"),
        sample("phoenix", "interface", phoenix_span, odd=kept),
        sample(
            *("openinference", "printed", lambda one: printed_span(one, openinference(one))),
            odd=kept,
            more=[agent],
            reasons=here,
        ),
        sample(
            *("otlp", "openinference", lambda one: otlp_span(one, openinference(one))),
            odd=kept,
            wrap=IN_SPANS,
        ),
        sample(
            *("otlp", "spans", lambda one: otlp_span(one, genai(one))),
            more=[query, vectors],
            reasons=dict.fromkeys(there, 2),
            wrap=IN_SPANS,
        ),
        sample(
            *("otlp", "openllmetry", lambda one: otlp_span(one, openllmetry(one))), wrap=IN_SPANS
        ),
        sample("otlp", "events of spans", span_with_events, wrap=IN_SPANS),
        sample("otlp", "choices", choice_log, more=[asked], reasons=there, wrap=IN_LOGS),
        sample("otlp", "details", details_log, wrap=IN_LOGS),
        sample(
            *("otlp", "names of protobuf", lambda one: otlp_span(one, openllmetry(one))),
            wrap=lambda lines: by_names_of_protobuf(IN_SPANS(lines)),
        ),
        sample("otlp", "printed", lambda one: printed_span(one, genai(one))),
        sample("mlflow", "traces", mlflow, reasons={next(iter(here)): ANSWERS + len(ODD)}),
        sample("mlflow", "traces of 2", mlflow_old),
        sample(
            *("mlflow", "rows", mlflow_row),
            suffix=".csv",
            reasons={next(iter(here)): ANSWERS + len(ODD)},
        ),
        sample("opik", "spans", opik_span),
        sample("opik", "traces", opik_trace, reasons={next(iter(here)): ANSWERS + len(ODD)}),
        sample("opik", "csv", opik_row, suffix=".csv"),
    ]


def samples_of_evaluations() -> list[LogSample]:
    """Return the logs of evaluations, and hayflick's own."""
    twice = [lm_eval(Reply(number, TEXTS[number % 8]), filtered="strict") for number in range(4)]
    again = {"further filters of the same answers": 4, "documents whose answers are given": 1}
    rated = [lm_eval_choice()]
    return [
        sample("lm-eval", "samples", lm_eval, odd=[], more=[*twice, *rated], reasons=again),
        sample("lm-eval", "old samples", lm_eval_old, odd=[NOTHING]),
        sample("inspect", "log", inspect_sample, suffix=".json", wrap=inspect_log),
        sample("inspect", "samples", inspect_sample),
        sample("hayflick", "log", own, odd=[NOTHING]),
    ]


def all_samples() -> list[LogSample]:
    """Return a log of every export of every tool."""
    return [*samples_of_calls(), *samples_of_spans(), *samples_of_evaluations()]
