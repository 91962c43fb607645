"""Logs as tools export them, written after their public formats: answers, and what is none."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import polars as pl

CUT = "The river is higher than it was, and when the rain"
TEXTS = [
    "The river is high today, so keep to the upper path.",
    "川の水位が高いので、上の道を通ってください。",
    "Der Fluss steht hoch.\nBleibe oben.",
    "Ρίξε μια ματιά στον χάρτη πριν φύγεις.",
    '{"path": "upper", "reason": "the river is high"}',
    'Say "hello" to the guide, who knows a path that isn\'t on the map.',
    "النهر مرتفع اليوم",
    CUT,
]
MODELS = ["small-1", "large-2"]
PROMPT = "Which path shall I take?"
FAILED, TOOLS, EMPTY = ("calls that failed", "tool calls without text", "records without an answer")
FILTERED = "answers that were refused, or stopped by a content filter"
NO_TEXT = "calls that do not ask for text"
USER = {"role": "user", "content": PROMPT}
ASKED = [{"role": "system", "content": "You know the paths."}, USER]
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "find_path", "arguments": '{"from": "here"}'},
}


@dataclass(frozen=True)
class Reply:
    """What a model answered: a text, a call of a tool, nothing, or what a filter let through."""

    number: int
    text: str | None
    calls: bool = False
    filtered: bool = False
    failed: bool = False

    @property
    def model(self) -> str:
        return MODELS[self.number % 2]

    @property
    def at(self) -> datetime:
        return datetime(2026, 10, 1, 8, tzinfo=UTC) + timedelta(minutes=20 * self.number)

    @property
    def seconds(self) -> float:
        return self.at.timestamp()

    @property
    def nanoseconds(self) -> int:
        return int(self.at.timestamp()) * 10**9

    @property
    def iso(self) -> str:
        return self.at.isoformat().replace("+00:00", "Z")

    @property
    def finish(self) -> str:
        if self.calls:
            return "tool_calls"
        if self.filtered:
            return "content_filter"
        return "length" if self.text == CUT else "stop"

    @property
    def message(self) -> dict:
        more = {"tool_calls": [CALL]} if self.calls else {}
        return {"role": "assistant", "content": self.text, **more}

    @property
    def chat(self) -> dict:
        choice = {"index": 0, "finish_reason": self.finish, "message": self.message}
        return {
            "id": f"chatcmpl-{self.number}",
            "object": "chat.completion",
            "created": int(self.seconds),
            "model": self.model,
            "choices": [choice],
            "usage": {"prompt_tokens": 9, "completion_tokens": 12},
        }

    @property
    def response(self) -> dict:
        """The same of the interface of responses, with thoughts before it."""
        thought = {"type": "reasoning", "id": "rs_1", "summary": [], "content": []}
        if self.calls:
            item = {"type": "function_call", "name": "find_path", "arguments": "{}"}
        elif self.filtered:
            parts = [{"type": "refusal", "refusal": "I cannot help with that."}]
            item = {"type": "message", "role": "assistant", "content": parts}
        else:
            parts = [{"type": "output_text", "text": self.text or "", "annotations": []}]
            item = {"type": "message", "role": "assistant", "content": parts}
        return {
            "id": f"resp_{self.number}",
            "object": "response",
            "created_at": int(self.seconds),
            "model": self.model,
            "output": [thought, item],
        }

    @property
    def blocks(self) -> dict:
        """The same of Anthropic's interface."""
        parts = [{"type": "thinking", "thinking": "They want a path.", "signature": "x"}]
        parts += [{"type": "text", "text": self.text}] if self.text else []
        if self.calls:
            parts.append({"type": "tool_use", "id": "t1", "name": "find_path", "input": {}})
        stop = "refusal" if self.filtered else "tool_use" if self.calls else "end_turn"
        return {"type": "message", "role": "assistant", "content": parts, "stop_reason": stop}

    @property
    def candidates(self) -> dict:
        """The same of Google's interface."""
        parts = [{"text": "They want a path.", "thought": True}]
        parts += [{"text": self.text}] if self.text else []
        parts += [{"functionCall": {"name": "find_path", "args": {}}}] if self.calls else []
        content = {"role": "model", "parts": parts}
        reason = "SAFETY" if self.filtered else "STOP"
        return {"candidates": [{"content": content, "finishReason": reason, "index": 0}]}

    @property
    def generations(self) -> dict:
        """The same as LangChain's models return it."""
        path = ["langchain", "schema", "messages", "AIMessage"]
        more = {"tool_calls": [{"name": "find_path", "args": {}}]} if self.calls else {}
        kwargs = {"content": self.text or "", "type": "ai", **more}
        message = {"lc": 1, "type": "constructor", "id": path, "kwargs": kwargs}
        one = {
            "text": self.text or "",
            "type": "ChatGeneration",
            "generation_info": {"finish_reason": self.finish},
            "message": message,
        }
        return {"generations": [[one]], "llm_output": {"model_name": self.model}}

    @property
    def parts(self) -> list[dict]:
        """The same by OpenTelemetry's conventions of today."""
        parts = [{"type": "reasoning", "content": "They want a path."}]
        parts += [{"type": "text", "content": self.text}] if self.text else []
        parts += [{"type": "tool_call", "name": "find_path", "id": "c"}] if self.calls else []
        return [{"role": "assistant", "parts": parts, "finish_reason": self.finish}]


@dataclass(frozen=True)
class LogSample:
    """A log of a tool.

    Parameters
    ----------
    tool, shape
        The preset that recognises it, and which of its exports it is.
    lines
        Its records.
    reasons
        How many records hold no answer, by reason.
    suffix
        The kind of file.
    """

    tool: str
    shape: str
    lines: list
    reasons: Counter = field(default_factory=Counter)
    suffix: str = ".jsonl"

    def __str__(self):
        return f"{self.tool}-{self.shape.replace(' ', '-')}"

    def write(self, folder):
        """Write the log into a folder."""
        path = folder / f"{self.tool}{self.suffix}"
        if self.suffix == ".json":
            whole = self.lines[0] if len(self.lines) == 1 else self.lines
            path.write_text(json.dumps(whole, indent=2, ensure_ascii=False), "utf-8")
        elif self.suffix == ".jsonl":
            path.write_text("".join(f"{json.dumps(one)}\n" for one in self.lines), "utf-8")
        elif self.suffix == ".parquet":
            pl.DataFrame(self.lines, infer_schema_length=None).write_parquet(path)
        else:
            names = list(dict.fromkeys(name for line in self.lines for name in line))
            rows = [[_cell(line.get(name)) for name in names] for line in self.lines]
            pl.DataFrame(rows, schema=names, orient="row").write_csv(path)
        return path


def _cell(value):
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return None if value is None else str(value)


ANSWERS = 240


def answered(form: Callable[[Reply], dict]) -> list:
    """Return the records of the answers that each log has."""
    return [form(Reply(number, TEXTS[number % len(TEXTS)])) for number in range(ANSWERS)]


NOTHING = Reply(6, None)
CALLED = Reply(4, None, calls=True)
STOPPED = Reply(3, "I can", filtered=True)
ERROR = Reply(5, None, failed=True)
ODD = (ERROR, CALLED, STOPPED, NOTHING)
"""Beside answers: a call that failed, one of a tool, one that was stopped, one without text."""
ODD_REASONS = Counter({FAILED: 1, TOOLS: 1, FILTERED: 1, EMPTY: 1})


def sample(tool, shape, form, *, more=(), reasons=(), odd=ODD, suffix=".jsonl", wrap=list):
    """Return a log with answers, odd replies and further records with their reasons."""
    lines = [*map(form, odd), *answered(form), *more]
    known = Counter({FAILED: 0})
    for reply in odd:
        reason = FAILED if reply.failed else TOOLS if reply.calls else EMPTY
        known[FILTERED if reply.filtered else reason] += 1
    return LogSample(tool, shape, wrap(lines), +(known + Counter(reasons)), suffix)


def litellm(reply: Reply, *, answer="chat", call="acompletion") -> dict:
    return {
        "id": f"c{reply.number}",
        "call_type": call,
        "status": "failure" if reply.failed else "success",
        "startTime": reply.seconds,
        "endTime": reply.seconds + 1.5,
        "model": f"{reply.model}-2026",
        "model_group": reply.model,
        "messages": ASKED,
        "response": {} if reply.failed else getattr(reply, answer),
        "error_str": "timeout" if reply.failed else None,
    }


def langfuse_row(reply: Reply) -> dict:
    """Return an observation as blob storage gets it."""
    return {
        "id": f"o{reply.number}",
        "trace_id": f"t{reply.number}",
        "project_id": "p1",
        "type": "GENERATION",
        "name": "answer",
        "start_time": reply.at.strftime("%Y-%m-%d %H:%M:%S.%f"),
        "parent_observation_id": None,
        "level": "ERROR" if reply.failed else "DEFAULT",
        "provided_model_name": reply.model,
        "input": json.dumps(ASKED),
        "output": None if reply.failed else json.dumps(reply.chat),
    }


def langfuse_observation(reply: Reply) -> dict:
    """Return an observation as the interface and the pages give it."""
    return {
        "id": f"o{reply.number}",
        "traceId": f"t{reply.number}",
        "type": "GENERATION",
        "startTime": reply.iso,
        "parentObservationId": None,
        "level": "ERROR" if reply.failed else "DEFAULT",
        "model": reply.model,
        "input": {"messages": ASKED},
        "output": None if reply.failed else {**reply.message, "finish_reason": reply.finish},
    }


def langfuse_span(reply: Reply) -> dict:
    return {**langfuse_observation(reply), "type": "SPAN", "output": {"documents": ["a text"]}}


def batch(reply: Reply, *, name="batch_req", answer="chat") -> dict:
    if reply.failed:
        error = {"code": "batch_expired", "message": "This request could not be executed."}
        return {"id": f"{name}_x", "custom_id": "x", "response": None, "error": error}
    body = getattr(reply, answer)
    response = {"status_code": 200, "request_id": f"{name}-1", "body": body}
    made = {"id": f"{name}_{reply.number}", "custom_id": f"q{reply.number}"}
    return {**made, "response": response, "error": None}


def langsmith(reply: Reply) -> dict:
    path = ["langchain", "schema", "messages", "HumanMessage"]
    asked = {"lc": 1, "type": "constructor", "id": path, "kwargs": {"content": PROMPT}}
    return {
        "id": f"r{reply.number}",
        "name": "ChatOpenAI",
        "run_type": "llm",
        "start_time": reply.iso,
        "status": "error" if reply.failed else "success",
        "error": "RateLimitError()" if reply.failed else None,
        "inputs": {"messages": [[asked]]},
        "outputs": None if reply.failed else reply.generations,
        "extra": {"metadata": {"ls_model_name": reply.model, "ls_provider": "openai"}},
        "trace_id": f"t{reply.number}",
    }


def langsmith_chain(reply: Reply) -> dict:
    outputs = {"output": "The chain's text, which is that of its model."}
    return {**langsmith(reply), "run_type": "chain", "outputs": outputs}


def in_texts(record: dict) -> dict:
    """Return a record with its objects as JSON."""
    return {
        name: json.dumps(cell, ensure_ascii=False) if isinstance(cell, (dict, list)) else cell
        for name, cell in record.items()
    }


def helicone(reply: Reply, *, answer="chat") -> dict:
    return {
        "response_id": f"s{reply.number}",
        "request_id": f"q{reply.number}",
        "request_created_at": reply.iso,
        "response_created_at": reply.iso,
        "response_status": 500 if reply.failed else 200,
        "request_body": {"model": reply.model, "messages": ASKED},
        "response_body": {"error": "down"} if reply.failed else getattr(reply, answer),
        "request_model": reply.model,
        "provider": "OPENAI",
    }


def samples_of_calls() -> list[LogSample]:
    """Return the logs of calls of models, one in a record."""
    embedded = {**litellm(Reply(0, None)), "call_type": "aembedding", "response": {"data": []}}
    vectors = batch(Reply(0, None))
    vectors["response"]["body"] = {"object": "list", "data": [{"embedding": [0.1]}]}
    given = {"langfuse spans": {"observations that are not generations": 1}}
    chain = {"runs that are not model calls": 1}
    span = langfuse_span(Reply(1, None))
    page = [{**langfuse_observation(Reply(1, None)), "type": "EMBEDDING"}]
    traces = [
        {"id": "t", "timestamp": Reply(1, "").iso, "bookmarked": False, "observations": [one]}
        for one in map(
            langfuse_observation,
            (CALLED, *(Reply(n, TEXTS[n % len(TEXTS)]) for n in range(ANSWERS))),
        )
    ]
    return [
        sample("litellm", "payloads", litellm, more=[embedded], reasons={NO_TEXT: 1}),
        sample("litellm", "spend logs", lambda one: in_texts(litellm(one)), suffix=".csv"),
        sample("litellm", "responses", lambda one: litellm(one, answer="response")),
        sample("litellm", "blocks", lambda one: litellm(one, answer="blocks")),
        sample("litellm", "candidates", lambda one: litellm(one, answer="candidates")),
        sample("langfuse", "blob", langfuse_row),
        sample("langfuse", "blob parquet", langfuse_row, suffix=".parquet"),
        sample("langfuse", "pages csv", langfuse_observation, suffix=".csv"),
        sample(
            *("langfuse", "pages json", langfuse_observation),
            suffix=".json",
            more=[span],
            reasons=given["langfuse spans"],
        ),
        sample(
            *("langfuse", "interface", langfuse_observation),
            suffix=".json",
            more=page,
            reasons=given["langfuse spans"],
            wrap=lambda lines: [{"data": lines, "meta": {"page": 1, "totalItems": 9}}],
        ),
        LogSample("langfuse", "traces", traces, Counter({TOOLS: 1})),
        sample("openai-batch", "chat", batch, more=[vectors], reasons={NO_TEXT: 1}),
        sample("openai-batch", "responses", lambda one: batch(one, answer="response")),
        sample("vllm-batch", "chat", lambda one: batch(one, name="vllm")),
        sample("langsmith", "runs", langsmith, more=[langsmith_chain(NOTHING)], reasons=chain),
        sample(*("langsmith", "bulk"), lambda one: in_texts(langsmith(one)), suffix=".parquet"),
        sample(
            *("langsmith", "interface", langsmith),
            suffix=".json",
            wrap=lambda lines: [{"runs": lines, "cursors": {"next": None}}],
        ),
        sample("helicone", "jsonl", helicone),
        sample("helicone", "json", lambda one: helicone(one, answer="blocks"), suffix=".json"),
    ]
