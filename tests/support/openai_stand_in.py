"""A server on loopback with OpenAI's interface, whose answers a test writes."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_NUMBERS = itertools.count(1)
_CALLS = [{"id": "t1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]


class OpenAIStandIn:
    """Answers by the name of the model that is asked for.

    ``caller`` calls a tool, ``filtered`` is cut off by a filter, ``broken`` fails; any other model
    gives `answer`, several times numbered.
    """

    def __init__(self) -> None:
        self.url = ""
        self.answer = "It is on its way."
        self.asked: list[dict[str, Any]] = []

    def reply(self, path: str, asked: dict[str, Any]) -> tuple[int, Any]:
        """Return a status and a body, or the events of a stream."""
        self.asked.append(asked)
        if asked["model"] == "broken":
            return 400, {"error": {"message": "no", "type": "invalid_request_error"}}
        if path.endswith("/responses"):
            return 200, self._response(asked)
        if path.endswith("/embeddings"):
            vector = {"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}
            return 200, {"object": "list", "data": [vector], "model": asked["model"]}
        legacy = not path.endswith("/chat/completions")
        prompts = asked["prompt"] if isinstance(asked.get("prompt"), list) else [None]
        choices = len(prompts) * (asked.get("n") or 1)
        kind = "text_completion" if legacy else "chat.completion"
        kind += ".chunk" if asked.get("stream") and not legacy else ""
        head = {"id": f"c-{next(_NUMBERS)}", "object": kind, "created": 1, "model": asked["model"]}
        if asked.get("stream"):
            pieces = [
                one for place in range(choices) for one in self._pieces(asked, place, legacy=legacy)
            ]
            return 200, [{**head, "choices": []}, *({**head, "choices": [one]} for one in pieces)]
        usage = {"prompt_tokens": 1, "completion_tokens": 3, "total_tokens": 4}
        given = [self._choice(asked, place, legacy=legacy) for place in range(choices)]
        return 200, {**head, "choices": given, "usage": usage}

    def _text(self, asked: dict[str, Any], place: int) -> str | None:
        if asked["model"] == "caller":
            return None
        return self.answer if place == 0 else f"{self.answer} ({place + 1})"

    def _end(self, asked: dict[str, Any]) -> str:
        return {"caller": "tool_calls", "filtered": "content_filter"}.get(asked["model"], "stop")

    def _choice(self, asked: dict[str, Any], place: int, *, legacy: bool) -> dict[str, Any]:
        text, end = self._text(asked, place), self._end(asked)
        if legacy:
            return {"index": place, "text": text, "finish_reason": end, "logprobs": None}
        message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
        if asked["model"] == "caller":
            message["tool_calls"] = _CALLS
        return {"index": place, "message": message, "finish_reason": end, "logprobs": None}

    def _pieces(self, asked: dict[str, Any], place: int, *, legacy: bool) -> list[dict[str, Any]]:
        """Return the answer in two pieces, and the one that ends it."""
        text = self._text(asked, place) or ""
        deltas: list[dict[str, Any]] = [{"content": text[:5]}, {"content": text[5:]}, {}]
        if asked["model"] == "caller":
            deltas = [{"tool_calls": [{"index": 0, **call} for call in _CALLS]}, {}]
        deltas[0]["role"] = "assistant"
        ends = [*(None for _ in deltas[1:]), self._end(asked)]
        if legacy:
            texts = [{"text": one.get("content", "")} for one in deltas]
        else:
            texts = [{"delta": one} for one in deltas]
        return [
            {"index": place, "finish_reason": end, **one}
            for one, end in zip(texts, ends, strict=True)
        ]

    def _response(self, asked: dict[str, Any]) -> Any:
        text = self._text(asked, 0)
        call = {"type": "function_call", "id": "f1", "call_id": "t1", "name": "look"}
        output: list[dict[str, Any]] = [{"type": "reasoning", "id": "r1", "summary": []}]
        if text is None:
            output.append({**call, "arguments": "{}", "status": "completed"})
        else:
            part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
            message = {"type": "message", "id": "m1", "role": "assistant", "content": [part]}
            output.append({**message, "status": "completed"})
        usage = {"input_tokens": 1, "output_tokens": 3, "total_tokens": 4}
        usage |= {"input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0}}
        usage |= {"output_tokens_details": {"reasoning_tokens": 0}}
        more = {"created_at": 1.0, "model": asked["model"], "usage": usage, "status": "completed"}
        kind = {"object": "response", "parallel_tool_calls": True, "tool_choice": "auto"}
        kind |= {"tools": [], "temperature": 1.0, "top_p": 1.0, "metadata": {}, "error": None}
        kind |= {"incomplete_details": None, "instructions": None}
        response = {"id": f"resp-{next(_NUMBERS)}", "output": output, **kind, **more}
        if not asked.get("stream"):
            return response
        place = {"item_id": "m1", "output_index": 1, "content_index": 0, "logprobs": []}
        begun = {**response, "status": "in_progress", "output": []}
        events = [{"type": "response.created", "response": begun}]
        if text is not None:
            part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            item = {**output[1], "content": [], "status": "in_progress"}
            added = {"type": "response.output_item.added", "output_index": 0}
            events += [{**added, "item": output[0]}, {**added, "output_index": 1, "item": item}]
            events += [{"type": "response.content_part.added", **place, "part": part}]
            deltas = (text[:5], text[5:])
            events += [
                {"type": "response.output_text.delta", **place, "delta": one} for one in deltas
            ]
        events += [{"type": "response.completed", "response": response}]
        return [{**event, "sequence_number": number} for number, event in enumerate(events)]


@contextlib.contextmanager
def openai_stand_in() -> Iterator[OpenAIStandIn]:
    """Run such a server as long as the context lasts."""
    model = OpenAIStandIn()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments: Any) -> None:
            pass

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            status, found = model.reply(self.path, asked)
            kind = "application/json"
            body = json.dumps(found).encode()
            if isinstance(found, list):
                kind = "text/event-stream"
                events = (f"event: {one['type']}\n" if "type" in one else "" for one in found)
                lines = (json.dumps(one) for one in found)
                pairs = zip(events, lines, strict=True)
                body = "".join(f"{event}data: {line}\n\n" for event, line in pairs).encode()
                body += b"" if self.path.endswith("/responses") else b"data: [DONE]\n\n"
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    model.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield model
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
