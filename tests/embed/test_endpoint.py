"""An endpoint against a server of the test on the loopback interface."""

import asyncio
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError, MissingExtraError

SECRET = "sk-not-to-be-shown"


def vector(text):
    return [float(text.count(letter)) for letter in "abc"]


def embeddings(texts):
    """Return what a server answers, the last text first: the order is in the index."""
    data = [
        {"object": "embedding", "index": index, "embedding": vector(text)}
        for index, text in enumerate(texts)
    ]
    return {"object": "list", "model": "m", "data": data[::-1], "usage": USAGE}


USAGE = {"prompt_tokens": 1, "total_tokens": 1}


class Server(ThreadingHTTPServer):
    """Answers with `answers` one after another, then with embeddings."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.requests = [], []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers["Content-Length"])
        request = json.loads(self.rfile.read(length))
        self.server.requests.append((self.path, self.headers["Authorization"], request))
        status, content = 200, embeddings(request["input"])
        if self.server.answers:
            status, content = self.server.answers.pop(0)
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        # Retried after a millisecond.
        self.send_header("retry-after-ms", "1")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    pytest.importorskip("aiohttp", reason="aiohttp is not installed: extra llm")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def embedder_of(server, **options):
    return hf.EndpointEmbedder(url=server.url, model="m", **options)


def test_batches_come_back_in_order(server):
    texts = ["a", "bb", " ", "abc", "cc", "aab"]
    vectors = embedder_of(server, batch=2).embed(texts)
    assert vectors.dtype == np.float32
    assert np.isnan(vectors[2]).all()
    expected = [vector(text) for text in texts if text.strip()]
    assert vectors[[0, 1, 3, 4, 5]].tolist() == expected
    assert [path for path, *_ in server.requests] == ["/v1/embeddings"] * 3
    sent = [request["input"] for *_, request in server.requests]
    assert sent == [["a", "bb"], ["abc", "cc"], ["aab"]]
    assert {request["model"] for *_, request in server.requests} == {"m"}


def test_the_key_comes_from_the_variable_that_is_named_and_no_other(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-someone-else")
    monkeypatch.setenv("MY_KEY", SECRET)
    embedder = embedder_of(server, key="MY_KEY")
    embedder.embed(["a"])
    embedder_of(server).embed(["a"])
    assert [key for _, key, _ in server.requests] == [f"Bearer {SECRET}", None]
    assert SECRET not in embedder.id + repr(embedder)
    monkeypatch.delenv("MY_KEY")
    with pytest.raises(ArgumentError, match="key: got MY_KEY, takes the name of an environment"):
        embedder_of(server, key="MY_KEY").embed(["a"])


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_endpoint_is_asked_again(server, status):
    server.answers = [(status, {"error": {"message": "busy"}})] * 2
    assert embedder_of(server, retries=2).embed(["ab"]).tolist() == [[1, 1, 0]]
    assert len(server.requests) == 3


def test_an_endpoint_that_stays_busy_is_an_error(server):
    server.answers = [(429, {"error": {"message": "too many"}})] * 2
    with pytest.raises(DataError, match=rf"{server.url}: answered 429 \(.*too many"):
        embedder_of(server, retries=1).embed(["ab"])


def test_an_answer_that_repeats_the_key_is_not_repeated(server, monkeypatch):
    monkeypatch.setenv("MY_KEY", SECRET)
    server.answers = [(401, {"error": {"message": f"Incorrect API key: {SECRET}"}})]
    with pytest.raises(DataError, match=r"answered 401 .*Incorrect API key: ….*check the URL") as e:
        embedder_of(server, key="MY_KEY").embed(["ab"])
    assert SECRET not in str(e.value)
    assert len(server.requests) == 1


GOOD = embeddings(["a", "b"])["data"]
BAD_ANSWERS = {
    "too few": {"data": GOOD[:1]},
    "one twice": {"data": [GOOD[0], GOOD[0]]},
    "too many": {"data": [*GOOD, {"index": 2, "embedding": [1.0]}]},
    "of several lengths": {"data": [GOOD[0], {"index": 0, "embedding": [1.0]}]},
    "empty vectors": {"data": [{"index": index, "embedding": []} for index in (0, 1)]},
    "no numbers": {"data": [{"index": index, "embedding": ["x"]} for index in (0, 1)]},
    "not finite": {"data": [{"index": index, "embedding": [None]} for index in (0, 1)]},
    "something else": {"hello": "there"},
    "a list": [],
    "no json": b"<html>a page</html>",
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_what_is_no_answer_is_an_error_with_the_url(server, name):
    server.answers = [(200, BAD_ANSWERS[name])]
    with pytest.raises(DataError, match=rf"{server.url}: answered with .*embedding model there\?"):
        embedder_of(server, retries=0).embed(["a", "b"])


def test_dimensions_that_change_between_requests(server):
    server.answers = [(200, {"data": [{"index": 0, "embedding": [1.0]}]})]
    with pytest.raises(DataError, match="vectors of 1 and of 3 dimensions"):
        embedder_of(server, batch=1).embed(["a", "b"])


def test_dimensions_are_asked_for_once(server):
    embedder = embedder_of(server)
    assert embedder.embed([""]).shape == (1, 3)
    assert embedder.dimensions == 3
    assert len(server.requests) == 1


def test_halves_of_characters_are_replaced(server):
    embedder_of(server).embed(["a\ud800"])
    assert server.requests[0][2]["input"] == ["a\ufffd"]


def test_a_cache_asks_an_endpoint_once(server, tmp_path):
    embedder = embedder_of(server)
    with hf.Database(tmp_path / "kept.db") as database:
        cache = hf.EmbeddingCache(database, embedder=embedder.id)
        for _ in range(2):
            (part,) = hf.embed_all(embedder, ["a", "b", "a"], cache=cache)
            assert part.tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 0]]
    assert len(server.requests) == 1


def test_it_is_asked_from_within_an_event_loop_too(server):
    async def notebook():
        return embedder_of(server, batch=1).embed(["a", "b"])

    assert asyncio.run(notebook()).tolist() == [[1, 0, 0], [0, 1, 0]]


def test_nobody_there(server):
    server.shutdown()
    server.server_close()
    with pytest.raises(DataError, match=rf"{server.url}: cannot be reached \(.*is the server up"):
        embedder_of(server, retries=0).embed(["a"])


def test_no_answer_in_time(monkeypatch, server):
    release = threading.Event()
    monkeypatch.setattr(Handler, "do_POST", lambda handler: release.wait(10))
    with pytest.raises(DataError, match=r"no answer in 0\.1 s"):
        embedder_of(server, retries=0, timeout=0.1).embed(["a"])
    release.set()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"url": "localhost:80"}, "url: got localhost:80, takes a URL such as"),
        ({"url": "http://me:hush@host/v1"}, "url: got a URL with a password"),
        ({"batch": 0}, "batch: got 0"),
        ({"retries": -1}, "retries: got -1"),
        ({"timeout": 0}, "timeout: got 0"),
    ],
)
def test_parameters_out_of_range(options, message):
    with pytest.raises(ArgumentError, match=message) as error:
        hf.EndpointEmbedder(**{"url": "http://localhost/v1", "model": "m", **options})
    assert "hush" not in str(error.value)


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(MissingExtraError, match=r"pip install \"hayflick\[llm\]\""):
        hf.EndpointEmbedder(url="http://localhost/v1", model="m").embed(["a"])
