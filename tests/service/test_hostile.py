"""Hostile input: each is taken as text, or refused in words, and the service goes on."""

from __future__ import annotations

import gzip
import json
import socket
import time
from contextlib import ExitStack, contextmanager
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from backports import zstd

from hayflick.service import guard
from hayflick.service.app import create_app
from hayflick.service.bodies import parsed_items
from hayflick.service.ingest import ingest
from hayflick.service.problems import Problem
from hayflick.service.round_keeper import RoundKeeper
from hayflick.service.service import Service
from hayflick.service.settings import Limits, ServiceSettings
from hayflick.service.stream_settings import StreamSettings
from hayflick.storage.accounts import Principal, create_token, project_named
from hayflick.storage.database import Database
from hayflick.storage.service_tables import answers, rounds, streams

TOKEN = "hf_a_token_of_the_tests"
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
LIMITS = Limits(body=200_000, unpacked=1_000_000, text=100_000, items=500)
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    place = tmp_path_factory.mktemp("hostile") / "service.db"
    settings = ServiceSettings(defaults=StreamSettings(every=1_000_000), limits=LIMITS)
    with Database(place) as database:
        with database.transaction() as connection:
            project = project_named(connection, "default", now=0.0)
            create_token(connection, project, name="test", scopes=["ingest"], now=0.0, token=TOKEN)
        yield Service(database, settings)


@pytest.fixture(scope="module")
def client(service):
    from fastapi.testclient import TestClient

    with TestClient(create_app(service), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
def send(client):
    def post(body, path="talk/answers", **more):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return client.post(f"/v1/streams/{path}", content=content, headers={**HEADERS, **more})

    return post


@pytest.fixture
def refused(send, count):
    """Send what is refused: in words, with nothing kept, and the service goes on."""

    def check(status, body, path="talk/answers", **more):
        before = count()
        answer = send(body, path, **more)
        assert answer.status_code == status, answer.text[:300]
        problem = answer.json()
        assert problem["status"] == status
        assert 0 < len(problem["detail"]) < 500
        assert problem["detail"].isprintable()
        assert count() == before
        assert send({"text": "It goes on."}).status_code == 200
        return problem["detail"]

    return check


@pytest.fixture
def count(service):
    def rows():
        with service.database.connect() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(answers))

    return rows


@pytest.mark.parametrize(
    "text",
    [
        SCRIPT,
        "\u202egnp.exe\u2066\u200f\u2069",
        "'; DROP TABLE answers; --",
        '=HYPERLINK("http://evil.example","x")',
        "{{7*7}}${7*7}%s%n",
        "\x1b[2J\x07\x08",
        "Z\u0351\u036b\u0343" * 1000,
        "\ufeff\u200b",
        "",
        "\U0010ffff\ufffe",
        "あ" * 10_000,
    ],
    ids=range(11),
)
def test_hostile_text_is_stored_as_it_is(send, service, text):
    assert send({"text": text, "prompt": text}).json()["notes"] == []
    with service.database.connect() as connection:
        query = sa.select(answers.c.text, answers.c.prompt).order_by(answers.c.id.desc())
        assert tuple(connection.execute(query.limit(1)).one()) == (text, text)


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b", "\udc00\ud800"])
def test_nul_and_halves_of_signs_are_replaced_in_words(send, service, text):
    # As JSON spells them, since UTF-8 cannot.
    notes = send(json.dumps({"text": text, "prompt": text}).encode()).json()["notes"]
    assert notes == ["2 texts held NUL or half of a character (a lone surrogate), stored as U+FFFD"]
    with service.database.connect() as connection:
        found = connection.scalar(sa.select(answers.c.text).order_by(answers.c.id.desc()).limit(1))
    assert found == "".join("\ufffd" if one in "\x00\ud800\udfff\udc00" else one for one in text)


@pytest.mark.parametrize(
    "item",
    [
        {"group": "\x00"},
        {"group": "a\ud800"},
        {"group": "a\nb"},
        {"group": "x" * 201},
        {"group": 7},
        {"group": ["a"]},
        {"key": "a\x00"},
        {"key": "a\x1f1"},
        {"key": ""},
        {"key": "k" * 201},
        {"key": 7},
        {"key": {"a": 1}},
        {"text": None},
        {"text": 7},
        {"text": ["a"]},
        {"text": "x" * 100_001},
        {"prompt": {"role": "user"}},
        {"time": "yesterday"},
        {"time": "2026-11-29T10:00:00"},
        {"time": "0001-01-01T00:00:00+14:00"},
        {"time": "9999-12-31T23:59:59-14:00"},
        {"time": 1_790_000_000_000},
        {"time": -1},
        {"time": True},
        {"time": []},
        {"values": {"a": True}},
        {"values": {"a": "1"}},
        {"values": {"a": -1e300}},
        {"values": {"a\x00": 1}},
        {"values": {"": 1}},
        {"values": {}},
        {"values": [1]},
        {"values": {str(number): 1 for number in range(101)}},
        {"grp": "a"},
        {SCRIPT: 1},
        {"vector": [1.0]},
    ],
    ids=range(36),
)
def test_items_that_are_none_are_refused(refused, item):
    detail = refused(422, [{"text": "kept?"}, {"text": "a", **item}])
    assert detail.startswith("item 1: ")
    assert next(iter(item))[:20] in detail


@pytest.mark.parametrize("item", [None, 1, "a", [], [{}], True])
def test_what_is_no_object_is_refused(refused, item):
    assert refused(422, [{"text": "kept?"}, item])


@pytest.mark.parametrize(
    "vector",
    [
        b"[]",
        b"[true]",
        b"[null]",
        b'["1"]',
        b"[[1]]",
        b"{}",
        b"[1e39]",
        b"[-1e308]",
        b"[%s]" % b",".join([b"1"] * 16_385),
    ],
    ids=range(9),
)
def test_vectors_that_are_none_are_refused(refused, vector):
    assert "vector" in refused(422, b'{"vector": %s}' % vector, "v/vectors")


@pytest.mark.parametrize(
    "counts",
    [
        {},
        {"a": -1},
        {"a": 1.5},
        {"a": True},
        {"a": "1"},
        {"a": 0},
        {"a": 1_000_001},
        {"a": 600_000, "b": 600_000},
        {"": 1},
        {"\x00": 1},
        {"\ud800": 1},
        {"x" * 201: 1},
        {f"label {number}": 1 for number in range(10_001)},
        [1],
        "a",
    ],
    ids=range(15),
)
def test_counts_that_are_none_are_refused(refused, counts):
    assert "counts" in refused(422, {"counts": counts}, "c/counts")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'{"text": "a"} {"text": "b"}', 400),
        (b'{"text": "\xff"}', 400),
        ('{"text": "a"}'.encode("utf-16"), 400),
        (b'{"text": "a", "values": {"a": NaN}}', 400),
        (b'{"text": "a", "values": {"a": -Infinity}}', 400),
        (b'{"text": "a", "values": {"a": 1e999}}', 422),
        (b'{"text": "a", "values": {"a": %s}}' % (b"9" * 30), 400),
        (b'{"text": "a", "values": {"a": %s}}' % (b"9" * 10_000), 400),
        (b'{"text": "a", "time": %s}' % (b"9" * 30), 400),
        (b"[" * 100_000, 400),
        (b"[" * 50_000 + b"]" * 50_000, 400),
        (b'{"a":' * 30_000 + b"1" + b"}" * 30_000, 400),
        (b'{"text": ' + b"[" * 99 + b"]" * 99 + b"}", 422),
        (b"[]", 422),
        (b'{"items": []}', 422),
        (b'{"items": [{"text": "a"}], "more": 1}', 422),
        (b'{"items": {"text": "a"}}', 422),
        (b"[" + b'{"text": "a"},' * 500 + b'{"text": "a"}]', 413),
        (b" " * 200_001, 413),
        (b'{"text": "%s"}' % (b"x" * 10_000_000), 413),
    ],
    ids=range(22),
)
def test_bodies_that_are_none_are_refused(refused, body, status):
    assert refused(status, body)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (gzip.compress(b"\x00" * 100_000_000), {"Content-Encoding": "gzip"}, 413),
        (zstd.compress(b"\x00" * 100_000_000), {"Content-Encoding": "zstd"}, 413),
        (gzip.compress(b"") * 5000, {"Content-Encoding": "gzip"}, 400),
        (zstd.compress(b"") * 5000, {"Content-Encoding": "zstd"}, 400),
        (gzip.compress(b'{"text": "a"}')[:-4], {"Content-Encoding": "gzip"}, 400),
        (zstd.compress(b'{"text": "a"}')[:-4], {"Content-Encoding": "zstd"}, 400),
        (gzip.compress(b'{"text": "a"}') + b"x", {"Content-Encoding": "gzip"}, 400),
        (b'{"text": "a"}', {"Content-Encoding": "gzip"}, 400),
        (b'{"text": "a"}', {"Content-Encoding": "zstd"}, 400),
        (b'{"text": "a"}', {"Content-Encoding": "br"}, 415),
        (gzip.compress(gzip.compress(b"{}")), {"Content-Encoding": "gzip, gzip"}, 415),
        (b'{"text": "a"}', {"Content-Type": "text/plain"}, 415),
        (b'{"text": "a"}', {"Content-Type": ""}, 415),
        (b'{"text": "a"}', {"Content-Type": "application/json; charset=utf-16"}, 415),
        (b'{"text": "a"}\n{', {"Content-Type": "application/x-ndjson"}, 400),
        (b'{"text": "a"}\n1', {"Content-Type": "application/x-ndjson"}, 422),
        (b"\n\n", {"Content-Type": "application/x-ndjson"}, 422),
        (gzip.compress(b"1\n" * 400_000), {"Content-Encoding": "gzip"}, 400),
        (b"1\n" * 5000, {"Content-Type": "application/x-ndjson"}, 413),
        (b'{"text": "a"}', {"Idempotency-Key": "k" * 193}, 422),
    ],
    ids=range(20),
)
def test_bodies_in_forms_that_are_none_are_refused(refused, body, headers, status):
    assert refused(status, body, **headers)


def test_a_body_of_nothing_but_brackets_is_refused_before_it_fills_the_memory():
    for body in (b"[" + b"{}," * 1_100_000 + b"{}]", b"[" + b"1," * 5_100_000 + b"1]"):
        with pytest.raises(Problem, match="values") as found:
            parsed_items(body, "application/json", at_most=10)
        assert found.value.status == 413
    # Brackets within texts are none.
    text = json.dumps({"text": '[{,\\"' * 1_100_000}).encode()
    assert len(parsed_items(text, "application/json", at_most=10)) == 1


@pytest.mark.parametrize(
    "name",
    [
        "..",
        ".",
        "../../etc/passwd",
        "..\\..\\windows",
        "a\x00b",
        "a\nb",
        "\u202eabc",
        " a",
        "a ",
        "x" * 101,
        "x" * 5000,
        "%",
        "C:\\con",
    ],
    ids=range(13),
)
def test_path_like_names_make_no_stream(send, service, count, name):
    before = count()
    status = send({"text": "a"}, f"{quote(name, safe='')}/answers").status_code
    assert status in ((200,) if name == "%" else (403, 404, 405, 422))
    assert count() == before + (status == 200)
    with service.database.connect() as connection:
        names = set(connection.scalars(sa.select(streams.c.name)))
    assert names <= {"talk", "v", "c", "groups", "%", SCRIPT.replace("/", "")}


def test_a_stream_may_be_called_almost_anything(send, service):
    name = SCRIPT.replace("/", "")
    assert send({"text": "a"}, f"{quote(name, safe='')}/answers").status_code == 200


def test_ten_thousand_groups_are_refused(send, refused):
    for number in range(0, 80, 40):
        items = [{"text": "a", "group": f"g{one}"} for one in range(number, number + 40)]
        assert send(items, "groups/answers").status_code == 200
    for number in range(80, 10_080, 2500):
        items = [{"text": "a", "group": f"g{one}"} for one in range(number, number + 400)]
        assert "most_groups" in refused(422, items, "groups/answers")
    # Composed or not, with signs that cannot be seen or without, it is the same group.
    items = [{"text": "a", "group": one} for one in ("cafe\u0301", "café", "ca\u00adfé")]
    items += [{"text": "a", "group": f"h{number}"} for number in range(19)]
    assert send(items, "groups/answers").status_code == 200
    assert "most_groups" in refused(422, {"text": "a", "group": "one more"}, "groups/answers")
    assert send({"text": "a", "group": "g79"}, "groups/answers").status_code == 200


MEASURED = {
    "empty": ("answers", [{"text": ""}]),
    "invisible": ("answers", [{"text": "\u200b \n"}]),
    "script": ("answers", [{"text": SCRIPT, "group": SCRIPT, "prompt": SCRIPT}]),
    "nul": ("answers", [{"text": "a\x00\ud800", "group": "\u202ea"}, {"text": "\U0010ffff"}]),
    "groups": ("answers", [{"text": "a", "group": f"g{number}"} for number in range(100)]),
    "long": ("answers", [{"text": "a" * 90_000}, {"text": "Z\u0351\u036b" * 3000}]),
    "zeros": ("vectors", [{"vector": [0.0, 0.0]}]),
    "large": ("vectors", [{"vector": [3e38, -3e38]}, {"vector": [1e-45, 0.0]}]),
    "numbers": ("values", [{"values": {SCRIPT: 1e60}}, {"values": {"b": -1e60}}]),
    "labels": ("counts", [{"counts": {SCRIPT: 3, "=1+1": 2}}]),
}


def test_rounds_of_hostile_items_are_measured(tmp_path):
    settings = ServiceSettings(defaults=StreamSettings(every=10, baseline=2))
    principal = Principal(1, "test", frozenset({"ingest"}))
    with Database(tmp_path / "rounds.db") as database:
        with database.transaction() as connection:
            project_named(connection, "default", now=0.0)
        with Service(database, settings) as service:
            for name, (kind, items) in MEASURED.items():
                many = (items * 40)[: max(40, len(items))]
                ingest(service, principal, name, kind, many).result()
            keeper = RoundKeeper(service)
            while keeper.work():
                pass
        with database.connect() as connection:
            found = connection.execute(
                sa.select(streams.c.name, rounds.c.status, rounds.c.note).join_from(rounds, streams)
            )
            assert {tuple(one) for one in found if one.status != "open"} == {
                (name, "measured", None) for name in MEASURED
            }


HEAD = (
    f"POST /v1/streams/talk/answers HTTP/1.1\r\nHost: localhost\r\n"
    f"Authorization: Bearer {TOKEN}\r\nContent-Type: application/x-ndjson\r\n"
).encode()


@pytest.fixture
def connect(service, served):
    settings = service.settings

    @contextmanager
    def connection():
        with socket.create_connection(address, timeout=30) as sock:
            yield sock

    url = served(create_app(Service(service.database, settings)))
    host, port = url.removeprefix("http://").split(":")
    address = (host, int(port))
    return connection


def test_slow_and_half_open_connections_hold_nobody_up(connect, count, monkeypatch):
    monkeypatch.setattr(guard, "SLOWEST_S", 0.5)
    before = count()
    sent = [
        b"",
        b"POST /v1/str",
        HEAD,
        HEAD + b"Content-Length: 100\r\n\r\n",
        HEAD + b'Content-Length: 100\r\n\r\n{"text": "a"}\n',
        HEAD + b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"tex',
    ]
    with ExitStack() as stack:
        slow = [stack.enter_context(connect()) for _ in range(60)]
        for number, one in enumerate(slow):
            one.sendall(sent[number % len(sent)])
        with connect() as quick:
            begun = time.monotonic()
            body = b'{"text": "quick"}\n'
            quick.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            assert quick.recv(100).startswith(b"HTTP/1.1 200")
            assert time.monotonic() - begun < 5
        for number, one in enumerate(slow):
            reply = one.recv(1000)
            assert reply == b"" if number % len(sent) < 3 else b" 408 " in reply
    assert count() == before + 1


def test_a_second_request_has_a_limit_too(connect, monkeypatch):
    monkeypatch.setattr(guard, "SLOWEST_S", 0.5)
    body = b'{"text": "whole"}\n'
    whole = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with connect() as slow:
        for _ in range(2):
            slow.sendall(whole)
            reply = b""
            while b"notes" not in reply:
                reply += slow.recv(4000)
            assert reply.startswith(b"HTTP/1.1 200")
        begun = time.monotonic()
        slow.sendall(HEAD)
        assert slow.recv(10) == b""
        assert 0.4 < time.monotonic() - begun < 10


def test_a_body_that_is_cut_off_is_not_counted(connect, count):
    before = count()
    for end in (socket.SHUT_WR, None):
        with connect() as cut:
            cut.sendall(HEAD + b'Content-Length: 1000\r\n\r\n{"text": "a"}\n{"text": "b"}\n')
            if end is not None:
                cut.shutdown(end)
                cut.recv(1000)
    with connect() as quick:
        body = b'{"text": "quick"}\n'
        quick.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert quick.recv(100).startswith(b"HTTP/1.1 200")
    assert count() == before + 1


def test_a_body_without_a_stated_length_is_cut_off(connect, count):
    before = count()
    with connect() as endless:
        endless.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        piece = b"10000\r\n" + b" " * 65_536 + b"\r\n"
        try:
            for _ in range(2000):
                endless.sendall(piece)
            reply = endless.recv(1000)
        except OSError:
            reply = b""
    assert reply == b"" or b" 413 " in reply.split(b"\r\n", 1)[0]
    assert count() == before
