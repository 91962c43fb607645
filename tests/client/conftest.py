"""A service that answers as a test tells it, and keeps what it was sent."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@dataclass
class StandIn:
    """Answers what `answer` returns: a status, headers and a body."""

    url: str = ""
    paths: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    batches: list[list[dict[str, Any]]] = field(default_factory=list)
    accepted: dict[str, dict[str, Any]] = field(default_factory=dict)
    stream: tuple[int, Any] = (404, {"detail": "there is no stream 's'"})
    answer: Callable[[list[dict[str, Any]]], tuple[int, dict[str, str], Any]] | None = None

    @property
    def texts(self) -> list[str]:
        return [item["text"] for item in self.accepted.values()]

    def take(self, path: str, token: str, items: list[dict[str, Any]]) -> Any:
        self.paths.append(path)
        self.tokens.add(token)
        self.batches.append(items)
        status, headers, body = self.answer(items) if self.answer else (202, {}, None)
        if status < 300:
            new = [item for item in items if item["key"] not in self.accepted]
            self.accepted.update({item["key"]: item for item in new})
            duplicates = len(items) - len(new)
            body = body or {"accepted": len(new), "duplicates": duplicates, "late": 0, "rounds": []}
        return status, headers, body


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    service = StandIn()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                content = gzip.decompress(content)
            token = self.headers["Authorization"].removeprefix("Bearer ")
            items = json.loads(content)["items"]
            status, headers, body = service.take(self.path, token, items)
            self.reply(status, headers, body)

        def do_GET(self) -> None:
            service.paths.append(self.path)
            service.tokens.add(self.headers["Authorization"].removeprefix("Bearer "))
            self.reply(service.stream[0], {}, service.stream[1])

        def reply(self, status: int, headers: dict[str, str], body: Any) -> None:
            written = json.dumps(body).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
