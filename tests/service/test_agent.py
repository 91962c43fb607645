import http.client
import json
import sys

import pytest

from hayflick.core.errors import ArgumentError, MissingExtraError
from hayflick.network.agents.ngram import NGramAgent
from hayflick.network.agents.protocol import AnswerSeed
from hayflick.service import agent as service

TEXT = "The cat sat on the mat. 今日は雨。 A dog ran."
CHAT = [{"role": "system", "content": "Rhyme."}, {"role": "user", "content": "It rains.\n\nWhy?"}]


def ngram(name="anna"):
    return NGramAgent.of_texts(name, [TEXT])


@pytest.fixture
def call(served):
    url = served(service.application([ngram(), ngram("bert")]))

    def request(path, body=None):
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
        try:
            data = None if body is None else json.dumps(body)
            headers = {"Content-Type": "application/json"}
            connection.request("GET" if body is None else "POST", path, data, headers)
            reply = connection.getresponse()
            return reply.status, reply.read().decode()
        finally:
            connection.close()

    return request


def ask(call, **settings):
    body = {"model": "anna", "messages": CHAT, "seed": 7, **settings}
    status, text = call("/v1/chat/completions", body)
    return status, text if settings.get("stream") else json.loads(text)


def test_health_and_models(call):
    status, text = call("/health")
    assert (status, json.loads(text)["status"]) == (200, "ok")
    status, text = call("/v1/models")
    assert [model["id"] for model in json.loads(text)["data"]] == ["anna", "bert"]


def test_the_answer_is_the_agents_own(call):
    status, reply = ask(call)
    own = ngram().write("Why?", ["It rains."], seed=AnswerSeed(7, agent="anna"))
    assert status == 200
    choice = reply["choices"][0]
    assert choice["message"] == {"role": "assistant", "content": own.text}
    assert choice["finish_reason"] == own.finish
    assert reply["usage"]["prompt_tokens"] == own.tokens_in
    assert reply["usage"]["total_tokens"] == own.tokens_in + own.tokens_out


def test_seeds_are_honoured(call):
    def said(**settings):
        return ask(call, **settings)[1]["choices"][0]["message"]["content"]

    assert said(seed=-3) == said(seed=-3)
    assert len({said(seed=seed) for seed in range(12)}) > 1
    assert len({said(seed=None) for _ in range(12)}) > 1


def test_an_answer_has_the_tokens_that_it_may_have(call):
    for limit in ({"max_tokens": 2}, {"max_completion_tokens": 2}):
        reply = ask(call, **limit)[1]
        assert reply["usage"]["completion_tokens"] == 2
        assert reply["choices"][0]["finish_reason"] == "length"


def test_a_stream_says_the_same(call):
    whole = ask(call)[1]
    _, text = ask(call, stream=True, stream_options={"include_usage": True})
    events = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
    assert events[-1] == "[DONE]"
    *parts, end, usage = [json.loads(event) for event in events[:-1]]
    said = "".join(part["choices"][0]["delta"].get("content", "") for part in parts)
    assert said == whole["choices"][0]["message"]["content"]
    assert end["choices"][0]["finish_reason"] == whole["choices"][0]["finish_reason"]
    assert usage["usage"] == whole["usage"]


def test_parts_of_a_message_and_a_chat_of_several_are_read(call):
    parts = [{"type": "text", "text": "It rains."}, {"type": "text", "text": "Why?"}]
    earlier = [{"role": "user", "content": "It rains."}, {"role": "assistant", "content": "Why?"}]
    first = ask(call)[1]["choices"]
    assert ask(call, messages=[{"role": "user", "content": parts}])[1]["choices"] == first
    assert ask(call, messages=earlier)[1]["choices"] == first


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"model": "carl"}, 404, "no model 'carl'; there is anna, bert"),
        ({"messages": []}, 400, "messages: "),
        ({"n": 2}, 400, "n: "),
        ({"max_tokens": 0}, 400, "max_tokens: "),
        ({"messages": "hello"}, 400, "messages: "),
    ],
)
def test_errors_have_the_form_of_the_interface(call, change, status, message):
    got, reply = ask(call, **change)
    assert got == status
    assert message in reply["error"]["message"]


def test_serving_announces_where(monkeypatch):
    pytest.importorskip("fastapi", reason="fastapi is not installed: extra server")
    uvicorn = pytest.importorskip("uvicorn", reason="uvicorn is not installed: extra server")
    said = []

    def run(self, sockets):
        said.append(sockets[0].getsockname())

    monkeypatch.setattr(uvicorn.Server, "run", run)
    service.serve([ngram()], announce=said.append)
    url, (host, port) = said
    assert url == f"http://127.0.0.1:{port}/v1"
    assert host == "127.0.0.1"


def test_what_cannot_be_served_is_refused():
    pytest.importorskip("fastapi", reason="fastapi is not installed: extra server")
    with pytest.raises(ArgumentError, match="agents: got anna, anna"):
        service.application([ngram(), ngram()])
    with pytest.raises(ArgumentError, match="agents: got none"):
        service.application([])
    with pytest.raises(ArgumentError, match="port: got 70000"):
        service.serve([ngram()], port=70_000)
    with pytest.raises(ArgumentError, match=r"host and port: got 192\.0\.2\.1:0"):
        service.serve([ngram()], host="192.0.2.1")


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "fastapi", None)
    with pytest.raises(MissingExtraError, match=r"pip install .hayflick\[server\]"):
        service.application([ngram()])
