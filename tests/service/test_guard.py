"""What serve-agent lets in."""

import http.client
import json
import socket
import time

import pytest

pytest.importorskip("fastapi", reason="fastapi is not installed: extra server")

from hayflick.network.agents.ngram import NGramAgent
from hayflick.service import agent as service
from hayflick.service import guard

CHAT = {"model": "anna", "messages": [{"role": "user", "content": "It rains."}]}


def app(**settings):
    return service.application([NGramAgent.of_texts("anna", ["It rains. It snows."])], **settings)


def ask(url, body, *, host=None, path="/v1/chat/completions"):
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    headers = {"Content-Type": "application/json"} | ({} if host is None else {"Host": host})
    try:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection.request("GET" if data is None else "POST", path, data, headers)
        reply = connection.getresponse()
        return reply.status, reply.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        (None, 200),
        ("localhost", 200),
        ("localhost:8000", 200),
        ("LOCALHOST.", 200),
        ("127.0.0.1:1", 200),
        ("127.9.9.9", 200),
        ("[::1]:8000", 200),
        ("evil.example", 403),
        ("evil.example:8000", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("192.168.0.7", 403),
        ("[2001:db8::1]", 403),
        ("", 403),
        ("a@localhost", 403),
    ],
)
def test_only_a_host_that_is_this_machine_is_answered(served, host, status):
    url = served(app())
    assert ask(url, CHAT, host=host)[0] == status
    assert ask(url, None, host=host, path="/v1/models")[0] == status


def test_other_hosts_are_allowed_by_name(served):
    url = served(app(hosts=["models.lan"]))
    assert ask(url, CHAT, host="models.lan:8000")[0] == 200
    assert ask(url, CHAT, host="other.lan")[0] == 403
    assert ask(served(app(hosts=["*"])), CHAT, host="other.lan")[0] == 200
    # At an address of the network, any address will do, and names must be allowed.
    url = served(app(hosts=["0.0.0.0"], loopback=False))
    assert ask(url, CHAT, host="192.168.0.7")[0] == 200
    assert ask(url, CHAT, host="evil.example")[0] == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"x" * (guard.LARGEST_BODY + 1), 413),
        (b'{"model": "anna", "messages": [{"role": "user", "content": "\\ud800"}]}', 400),
        (b'{"model": "\\udfff", "messages": [{"role": "user", "content": "x"}]}', 400),
        (b'{"\\ud800": 1, "model": "anna", "messages": []}', 400),
        (b'{"model": "anna", "messages": [{"role": "user", "content": "\xff"}]}', 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 400),
        (b'{"seed": ' + b"9" * 10_000 + b"}", 400),
        (b'{"model": "anna", "seed": NaN}', 400),
        (b'{"model": "anna"', 400),
        (b"", 400),
    ],
    ids=range(11),
)
def test_a_body_that_cannot_be_used_is_refused_in_words(served, body, status):
    code, text = ask(served(app()), body)
    assert code == status
    assert json.loads(text)["error"]["message"]


def test_a_body_without_a_stated_length_is_cut_off(served):
    url = served(app())
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
        connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        piece = b"10000\r\n" + b" " * 65_536 + b"\r\n"
        reply = b""
        try:
            for _ in range(1200):
                connection.sendall(piece)
        except OSError:
            pass
        try:
            reply = connection.recv(65_536)
        except ConnectionError:
            reply = b""
    assert reply == b"" or b" 413 " in reply.split(b"\r\n", 1)[0]
    assert ask(url, CHAT)[0] == 200


@pytest.mark.parametrize("sent", [b"", b"POST /v1/chat", b"POST / HTTP/1.1\r\nHost: localhost\r\n"])
def test_a_client_that_never_sends_its_request_is_closed(served, sent, monkeypatch):
    monkeypatch.setattr(guard, "SLOWEST_S", 0.3)
    url = served(app())
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        begun = time.monotonic()
        connection.sendall(sent)
        assert connection.recv(10) == b""
        assert time.monotonic() - begun < 10


def test_a_body_that_drips_is_given_up(served, monkeypatch):
    monkeypatch.setattr(guard, "SLOWEST_S", 0.3)
    url = served(app())
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
        connection.sendall(head + b"Content-Length: 100\r\n\r\n{")
        assert b" 408 " in connection.recv(1000)
