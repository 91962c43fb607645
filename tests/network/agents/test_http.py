"""A real server on loopback, with faults put in by a wrapper of the application."""

import asyncio
import collections
import contextlib
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest

pytest.importorskip("aiohttp", reason="aiohttp is not installed: extra llm")
pytest.importorskip("fastapi", reason="fastapi is not installed: extra server")

import hayflick as hf
from hayflick.core.errors import ArgumentError, BudgetExhausted, EndpointError
from hayflick.core.http import Retries
from hayflick.network.agents.budget import Budget, Prices
from hayflick.network.agents.chat import ChatAgent, Endpoint
from hayflick.network.agents.protocol import AnswerSeed
from hayflick.service.agent import application

TEXT = "The cat sat on the mat. The dog sat on the cat. A dog ran on. The sea rose and fell."
CONTEXT = ["The sea fell on the cat.", "A cat rose."]
QUICK = Retries(most=12, first_wait_s=0.01, longest_wait_s=0.05)
KEY = "sk-Not4Anyone"


class Faulty:
    """Answers some attempts of every request with a fault, and keeps a record of all.

    `faults` maps an attempt's number (from 1) of the n-th request to the name of a fault.
    """

    def __init__(self, app, faults):
        self.app, self.faults = app, faults
        self.attempts = collections.Counter()
        self.successes = collections.Counter()
        self.faulted = collections.Counter()
        self.tokens = 0
        self.at_once = self.most_at_once = 0
        self.requests = []
        self.lock = threading.Lock()

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or not scope["path"].endswith("/chat/completions"):
            await self.app(scope, receive, send)
            return
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        request = headers["x-client-request-id"]
        with self.lock:
            if request not in self.attempts:
                self.requests.append((request, headers))
            place = [name for name, _ in self.requests].index(request)
            self.attempts[request] += 1
            fault = self.faults(place, self.attempts[request])
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.one(fault, request, scope, receive, send)
        finally:
            with self.lock:
                self.at_once -= 1

    async def one(self, fault, request, scope, receive, send):
        if fault is None or fault in ("slow", "truncated"):
            messages = await answered(self.app, scope, receive)
            body = b"".join(message.get("body", b"") for message in messages[1:])
            self.tokens += json.loads(body)["usage"]["total_tokens"]
            if fault is None:
                self.successes[request] += 1
                for message in messages:
                    await send(message)
                return
        self.faulted[fault] += 1
        await FAULTS[fault](send)


async def answered(app, scope, receive):
    messages = []

    async def keep(message):
        messages.append(message)

    await app(scope, receive, keep)
    return messages


def status(code, body=b"{}", **headers):
    async def reply(send):
        fields = [
            (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()
        ]
        fields.append((b"content-type", b"application/json"))
        await send({"type": "http.response.start", "status": code, "headers": fields})
        await send({"type": "http.response.body", "body": body})

    return reply


async def slow(send):
    await asyncio.sleep(4.5)
    await status(200)(send)


async def truncated(send):
    # Fewer bytes than were promised, and then the connection is closed.
    fields = [(b"content-length", b"500"), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": b'{"choices": [{"mess', "more_body": True})
    raise ConnectionError("cut")


FAULTS = {
    "too many": status(429, retry_after="0.05"),
    "too many, no word": status(429),
    "internal": status(500, b"<html>oops"),
    "overloaded": status(503, b'{"error": {"message": "overloaded", "code": null}}'),
    "slow": slow,
    "truncated": truncated,
    "cut JSON": status(200, b'{"choices": [{"mess'),
    "no JSON": status(200, b"all is well"),
    "no choices": status(200, b'{"choices": []}'),
    "other form": status(200, b'["choices"]'),
    "no text": status(200, b'{"choices": [{"message": {"content": 7}}]}'),
}
NAMES = sorted(FAULTS)


def in_turn(place, attempt):
    """Every request but each twelfth fails once, and each fifth twice."""
    fault = NAMES[(place + attempt) % len(NAMES)]
    times = 0 if place % 12 == 0 else 2 if place % 5 == 0 else 1
    return fault if attempt <= times else None


@pytest.fixture(autouse=True)
def quiet(caplog):
    # The cut connections are the server's errors on purpose.
    caplog.set_level("CRITICAL", logger="uvicorn.error")


def ngram(name):
    return hf.NGramAgent.of_texts(name, [TEXT], most_tokens=30)


def faulty(faults=lambda place, attempt: None):
    return Faulty(application([ngram("one"), ngram("two")]), faults)


def agents_of(url, **settings):
    extra = {key: settings.pop(key) for key in ("prices", "max_tokens") if key in settings}
    settings = {"timeout_s": 4.0, "retries": QUICK, "concurrency": 6, **settings}
    endpoint = Endpoint(f"{url}/v1", **settings)
    return [ChatAgent(name=name, endpoint=endpoint, model=name, **extra) for name in ("one", "two")]


def ask(agents, number, *, settled=False):
    async def all_of_them():
        try:
            return await asyncio.gather(
                *(
                    agent.answer("Where?", CONTEXT, seed=AnswerSeed(3, agent.name, index=index))
                    for index in range(number)
                    for agent in agents
                ),
                return_exceptions=settled,
            )
        finally:
            for agent in agents:
                await agent.close()

    return asyncio.run(all_of_them())


def test_all_answers_arrive_whatever_goes_wrong_and_none_is_asked_twice(served):
    server = faulty(in_turn)
    answers = ask(agents_of(served(server)), 22)
    # Not one fault has an influence on what is answered.
    assert [a.text for a in answers] == [a.text for a in ask(agents_of(served(faulty())), 22)]
    assert len(server.attempts) == 44
    assert set(server.successes.values()) == {1}
    assert set(server.successes) == set(server.attempts)
    assert set(server.faulted) == set(FAULTS)
    assert sum(a.attempts for a in answers) == sum(server.attempts.values())
    assert all(a.tokens_in > 0 and a.tokens_out > 0 and a.latency_s > 0 for a in answers)


def test_no_more_requests_than_agreed_are_under_way(served):
    server = faulty()
    ask(agents_of(served(server), concurrency=3), 20)
    assert server.most_at_once == 3


def test_what_is_asked_for_by_retry_after_is_waited_out(served):
    wait = status(429, retry_after="0.4")

    async def once(send):
        await wait(send)

    FAULTS["long wait"] = once
    try:
        server = faulty(lambda place, attempt: "long wait" if attempt == 1 else None)
        begun = time.perf_counter()
        ask(agents_of(served(server))[:1], 1)
        assert time.perf_counter() - begun >= 0.4
    finally:
        del FAULTS["long wait"]


def test_a_budget_of_tokens_holds_whatever_goes_wrong(served):
    server = faulty(in_turn)
    budget = Budget(tokens=12_000)
    agents = agents_of(served(server), budget=budget, max_tokens=30)
    settled = ask(agents, 40, settled=True)
    kinds = collections.Counter(type(one) for one in settled)
    assert kinds[BudgetExhausted] > 0
    assert set(server.successes.values()) == {1}
    assert sum(server.successes.values()) == len(settled) - kinds[BudgetExhausted] > 3
    # The server counts what it wrote in vain too.
    assert server.tokens <= budget.spent.tokens <= 12_000
    # Taken up again with more, the run goes on from what was spent.
    more = Budget(tokens=10**6, spent=budget.spent)
    ask(agents_of(served(faulty()), budget=more), 1)
    assert more.spent.tokens > budget.spent.tokens


def test_a_budget_of_money_is_used_up_to_the_last_request_that_fits(served):
    server = faulty()
    prices = Prices(tokens_in=1000.0, tokens_out=4000.0)
    budget = Budget(money=2.0)
    agents = agents_of(served(server), budget=budget, prices=prices, max_tokens=30)
    settled = ask(agents, 40, settled=True)
    answers = [one for one in settled if not isinstance(one, BudgetExhausted)]
    assert 3 < len(answers) < 80
    assert budget.spent.money == pytest.approx(sum(one.cost for one in answers))
    assert budget.spent.money <= 2.0
    refusal = next(one for one in settled if isinstance(one, BudgetExhausted))
    assert "the budget of 2 is exhausted" in str(refusal)
    assert "resume" in str(refusal)
    # It stopped because the next request could exceed it, not before.
    most = (1000 * (sum(map(len, CONTEXT)) + 700) + 4000 * 30) / 1e6
    assert budget.spent.money > 2.0 - most


def test_an_empty_budget_makes_no_request(served):
    server = faulty()
    settled = ask(agents_of(served(server), budget=Budget(tokens=10)), 2, settled=True)
    assert {type(one) for one in settled} == {BudgetExhausted}
    assert not server.attempts


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (status(400, b'{"error": {"message": "no such  temperature"}}'), "400.*no such temp"),
        (status(404, b'{"error": {"message": "no model"}}'), "404 .no model"),
        (status(429, b'{"error": {"message": "pay", "code": "insufficient_quota"}}'), "429 .pay"),
        (status(401, f'{{"error": {{"message": "bad key {KEY}"}}}}'.encode()), "key is refused"),
        (status(403, f'{{"error": {{"message": "bad key {KEY}"}}}}'.encode()), "key is refused"),
        (status(400, f'{{"error": {{"message": "with {KEY}"}}}}'.encode()), "400 .with …"),
        (status(422, f'{{"detail": "Unexpected fields: {KEY}"}}'.encode()), "422 .Unexp.*: …"),
        (status(429, retry_after="86400"), "429"),
        (status(307, location="http://other/v1?key=1"), "307: it has moved to http://other/v1; "),
        (status(302, location="/elsewhere"), "302: it has moved to /elsewhere"),
    ],
)
def test_a_refusal_is_not_tried_again_and_shows_no_key(served, reply, message, monkeypatch, caplog):
    monkeypatch.setenv("TEST_KEY", KEY)
    monkeypatch.setitem(FAULTS, "refusal", reply)
    server = faulty(lambda place, attempt: "refusal")
    url = served(server)
    agents = agents_of(url, key_variable="TEST_KEY")[:1]
    with pytest.raises(EndpointError, match=message) as caught:
        ask(agents, 1)
    fault = caught.value
    assert (fault.agent, fault.url) == ("one", f"{url}/v1")
    assert str(fault).startswith(f"agent one, {url}/v1: ")
    assert sum(server.attempts.values()) == 1
    assert server.requests[0][1]["authorization"] == f"Bearer {KEY}"
    # Neither here nor in what led to it, nor in any object's text.
    assert fault.__cause__ is None
    assert fault.__suppress_context__
    texts = (str(fault), repr(fault), repr(agents), str(agents[0].describe()), caplog.text)
    assert not any(KEY in text for text in texts)


def test_an_endpoint_that_goes_on_failing_is_given_up(served):
    server = faulty(lambda place, attempt: "overloaded")
    agents = agents_of(served(server), retries=Retries(most=2, first_wait_s=0.01))[:1]
    with pytest.raises(EndpointError, match=r"503 \(overloaded\) after 3 attempts; .*resume"):
        ask(agents, 1)
    assert sum(server.attempts.values()) == 3


def test_nobody_there_is_named(monkeypatch):
    agents = agents_of("http://127.0.0.1:9", retries=Retries(most=1, first_wait_s=0.01))
    with pytest.raises(EndpointError, match=r"agent one, http://127\.0\.0\.1:9/v1: no connection"):
        ask(agents[:1], 1)


@pytest.mark.parametrize("url", ["http://a..b/v1", f"http://{'a' * 64}.example", "http://a:99999"])
def test_an_address_that_cannot_be_is_refused(url):
    with pytest.raises(ArgumentError, match="base_url: got http"):
        Endpoint(url)


@pytest.mark.parametrize("named", ["{}", "http://{}"])
@pytest.mark.parametrize("variable", ["http_proxy", "ALL_PROXY"])
def test_the_environment_names_a_proxy(served, monkeypatch, named, variable):
    reply = status(200, b'{"choices": [{"message": {"content": "From the proxy."}}]}')
    monkeypatch.setitem(FAULTS, "proxied", reply)
    place = served(faulty(lambda place, attempt: "proxied")).removeprefix("http://")
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, named.format(place))
    # Only a proxy can know this name; ours answers by itself.
    assert ask(agents_of("http://models.invalid")[:1], 1)[0].text == "From the proxy."
    monkeypatch.setenv("no_proxy", "models.invalid")
    with pytest.raises(EndpointError, match="no connection"):
        ask(agents_of("http://models.invalid", retries=Retries(most=0))[:1], 1)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_a_certificate_that_nobody_vouches_for_is_not_tried_again(tmp_path):
    making = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=me"
    subprocess.run(making.split(), cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    listening = socket.create_server(("127.0.0.1", 0))
    with context.wrap_socket(listening, server_side=True, do_handshake_on_connect=False) as secure:
        thread = threading.Thread(target=handshake, args=(secure,), daemon=True)
        thread.start()
        agents = agents_of(f"https://127.0.0.1:{secure.getsockname()[1]}")
        with pytest.raises(EndpointError, match="its certificate is not trusted; see to it"):
            ask(agents[:1], 1)
        thread.join()


def handshake(listening):
    connection, _ = listening.accept()
    with connection, contextlib.suppress(OSError):
        connection.do_handshake()


def test_a_key_that_cannot_be_one_is_refused_and_not_shown(monkeypatch):
    for key in ("sk-\u30ab\u30ae", "sk-1\nsk-2"):
        monkeypatch.setenv("TEST_KEY", key)
        with pytest.raises(ArgumentError, match="TEST_KEY: got other characters") as caught:
            agents_of("http://127.0.0.1:9", key_variable="TEST_KEY")
        assert "sk-" not in str(caught.value)


@pytest.mark.parametrize("content", ['""', "null", '" "'])
def test_an_empty_answer_is_an_answer(served, content, monkeypatch):
    body = f'{{"choices": [{{"message": {{"content": {content}}}, "finish_reason": "stop"}}]}}'
    monkeypatch.setitem(FAULTS, "empty", status(200, body.encode()))
    server = faulty(lambda place, attempt: "empty")
    budget = Budget(tokens=10**6)
    answer = ask(agents_of(served(server), budget=budget)[:1], 1)[0]
    assert answer.empty
    assert answer.attempts == 1
    assert answer.tokens_in is None
    assert answer.cost is None
    # What the endpoint does not count is counted as the most that it can be.
    assert budget.spent.tokens > 256


def test_settings_are_sent(served):
    bodies = []

    class Kept:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            async def seen():
                message = await receive()
                bodies.append(message.get("body", b""))
                return message

            await self.app(scope, seen if scope["type"] == "http" else receive, send)

    url = served(Kept(application([ngram("one")])))
    endpoint = Endpoint(f"{url}/v1/")
    settings = {"temperature": 0.5, "limit_key": "max_completion_tokens", "extra": {"top_k": 3}}
    chosen = ChatAgent(name="a", endpoint=endpoint, model="one", max_tokens=4, **settings)
    plain = ChatAgent(name="a", endpoint=endpoint, model="one", seeded=False)
    first, _ = ask([chosen, plain], 1)
    sent = [json.loads(body) for body in bodies if body]
    by_limit = {"max_tokens" in body: body for body in sent}
    assert by_limit[False]["temperature"] == 0.5
    assert by_limit[False]["max_completion_tokens"] == 4
    assert by_limit[False]["top_k"] == 3
    assert 0 <= by_limit[False]["seed"] < 2**31
    assert "seed" not in by_limit[True]
    assert "temperature" not in by_limit[True]
    assert first.tokens_out <= 4
    assert first.finish == "length"


def test_a_connection_is_opened_anew_in_every_event_loop(served):
    agents = agents_of(served(faulty()))
    assert [a.text for a in ask(agents, 3)] == [a.text for a in ask(agents, 3)]
