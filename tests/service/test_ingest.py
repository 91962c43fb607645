"""Items come in over HTTP: each is counted once, or the request is refused as a whole."""

from __future__ import annotations

import gzip
import json
import struct
import threading
import time

import pytest
import sqlalchemy as sa
from backports import zstd

from hayflick.core.errors import ArgumentError
from hayflick.service.ingest import ingest
from hayflick.service.redaction import redaction
from hayflick.service.settings import ServiceSettings
from hayflick.service.stream_settings import StreamSettings
from hayflick.service.writer import WriterBusy
from hayflick.storage.accounts import Principal
from hayflick.storage.answers import has_key
from hayflick.storage.service_tables import answers, streams

ANSWERS = "/v1/streams/talk/answers"


@pytest.fixture
def settings():
    return ServiceSettings(defaults=StreamSettings(every=1000))


@pytest.fixture
def send(client, token):
    headers = token("ingest")

    def post(body, path=ANSWERS, **more):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = {"Content-Type": more.pop("kind", "application/json")}
        return client.post(path, content=content, headers={**headers, **kind, **more})

    return post


@pytest.fixture
def stored(service):
    def rows(stream="talk"):
        query = sa.select(answers).join(streams, streams.c.id == answers.c.stream)
        with service.database.connect() as connection:
            return connection.execute(
                query.where(streams.c.name == stream).order_by(answers.c.id)
            ).all()

    return rows


def test_items_are_stored_once_each(send, stored, service):
    items = [{"text": "It rains.", "key": "a", "group": "x"}, {"text": "It snows.", "key": "b"}]
    assert send(items).json() == {
        "accepted": 2,
        "duplicates": 0,
        "late": 0,
        "rounds": ["1"],
        "notes": [],
    }
    again = send({"items": [*items, {"text": "It hails.", "key": "c"}]}).json()
    assert (again["accepted"], again["duplicates"]) == (1, 2)
    assert [(one.key, one.text, one.group, one.round) for one in stored()] == [
        ("a", "It rains.", "x", 1),
        ("b", "It snows.", None, 1),
        ("c", "It hails.", None, 1),
    ]
    with service.database.connect() as connection:
        row = connection.execute(sa.select(streams)).one()
    assert (row.kind, row.answers, row.open_answers, row.late) == ("answers", 3, 3, 0)
    # Nothing of a request is kept that gives a key another body.
    refused = send([{"text": "New.", "key": "d"}, {"text": "Other.", "key": "b"}])
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["items"][0]["item"] == 1
    twice = [{"text": "New.", "key": "d"}, {"text": "Other.", "key": "d"}]
    assert send(twice).status_code == 422
    assert len(stored()) == 3
    same = send([{"text": "New.", "key": "d"}] * 2).json()
    assert (same["accepted"], same["duplicates"]) == (1, 1)


def test_a_key_of_the_request_stands_for_its_items(send, stored):
    items = [{"text": "a"}, {"text": "b"}, {"text": "c", "key": "own"}]
    for accepted in (3, 0):
        found = send(items, **{"Idempotency-Key": "batch-1"}).json()
        assert (found["accepted"], found["duplicates"]) == (accepted, 3 - accepted)
    assert [one.key for one in stored()] == ["batch-1:0", "batch-1:1", "own"]
    # Fewer items, or others, are another request.
    assert send(items[:2], **{"Idempotency-Key": "batch-1"}).status_code == 422
    assert send([items[1], items[0], items[2]], **{"Idempotency-Key": "batch-1"}).status_code == 422
    assert send(items, **{"Idempotency-Key": "x" * 300}).status_code == 422


def test_every_kind_is_stored_as_it_is_measured(send, stored):
    text = {"prompt": "Why?", "time": "2026-09-21T12:00:00+02:00", "values": {"seconds": 2}}
    assert send({"text": "Because.", **text}).status_code == 200
    row = stored()[0]
    assert (row.prompt, json.loads(row.numbers)) == ("Why?", {"seconds": 2.0})
    assert row.at == 1789984800.0
    vector = {"vector": [1, 0.5, -2.0], "text": "Because."}
    assert send(vector, "/v1/streams/v/vectors").status_code == 200
    assert stored("v")[0].vector == struct.pack("<3f", 1.0, 0.5, -2.0)
    longer = send({"vector": [1, 2]}, "/v1/streams/v/vectors")
    assert longer.status_code == 422
    assert "2 numbers, takes 3 numbers" in longer.json()["detail"]
    counts = {"counts": {"yes": 5, "no": 3, "never": 0}, "key": "day 1"}
    for accepted in (1, 0):
        assert send(counts, "/v1/streams/c/counts").json()["accepted"] == accepted
    assert [(one.text, one.weight) for one in stored("c")] == [("no", 3), ("yes", 5)]
    other = {"counts": {"yes": 5, "no": 4}, "key": "day 1"}
    assert send(other, "/v1/streams/c/counts").status_code == 422
    values = {"values": {"length": 12, "cost": 0.25}, "time": 1_789_999_000}
    assert send(values, "/v1/streams/n/values").status_code == 200
    assert json.loads(stored("n")[0].numbers) == {"length": 12.0, "cost": 0.25}
    assert stored("n")[0].at == 1_789_999_000.0
    assert send({"text": "a"}, "/v1/streams/c/answers").status_code == 409


def test_the_rows_of_an_item_are_found_by_its_key(send, service):
    others = [{"counts": {"a": 1, "c": 1}, "key": key} for key in ("k2", "K", "k 1", "k-1", "kk")]
    assert send([{"counts": {"a": 1, "b": 1}, "key": "k"}, *others], COUNTS).is_success
    with service.database.connect() as connection:
        query = sa.select(answers.c.text).where(has_key("k"))
        assert sorted(connection.scalars(query)) == ["a", "b"]


COUNTS = "/v1/streams/talk/counts"


class TestOnSQLite:
    """What is the same on every engine."""

    @pytest.fixture
    def place(self, tmp_path):
        return str(tmp_path / "service.db")

    def test_bodies_in_every_form(self, send, stored):
        lines = b'\xef\xbb\xbf{"text": "a"}\r\n\n{"text": "b\xe2\x80\xa8c"}\n'
        body = json.dumps([{"text": "d"}]).encode()
        packed = {"Content-Encoding": "gzip"}
        assert send(lines, kind="application/x-ndjson").json()["accepted"] == 2
        assert send(lines, kind="application/jsonl; charset=UTF-8").json()["accepted"] == 2
        assert send(gzip.compress(body), **packed).json()["accepted"] == 1
        assert send(gzip.compress(body[:5]) + gzip.compress(body[5:]), **packed).is_success
        # Of JSON on several lines, each of which could be some.
        spread = b'{"text": "d", "values": {"a": 1}\n}'
        assert send(spread).json()["accepted"] == 1
        zstandard = {"Content-Encoding": "zstd"}
        assert send(zstd.compress(body), **zstandard).json()["accepted"] == 1
        assert [one.text for one in stored()] == ["a", "b\u2028c"] * 2 + ["d"] * 4

    def test_a_token_is_needed_for_it(self, client, token, stored):
        item = {"text": "a"}
        assert client.post(ANSWERS, json=item).status_code == 401
        assert client.post(ANSWERS, json=item, headers=token("read")).status_code == 403
        for project in ("default", "other"):
            headers = token("ingest", project=project)
            assert client.post(ANSWERS, json=item, headers=headers).status_code == 200
        assert len({one.stream for one in stored()}) == 2

    def test_texts_are_redacted_before_they_are_stored(self, send, stored, service, monkeypatch):
        hook = "tests.service.test_ingest:without_numbers"
        changed = service.settings.model_copy(update={"redact": hook})
        monkeypatch.setattr(service, "settings", changed)
        item = {"text": "Call 555 1234.", "prompt": "Phone 1?", "key": "a"}
        assert send(item).json()["accepted"] == 1
        assert (stored()[0].text, stored()[0].prompt) == ("Call *** ****.", "Phone *?")
        assert send(item).json()["duplicates"] == 1
        for wrong in ("crash", "return nothing"):
            failed = send([{"text": "fine"}, {"text": wrong}])
            assert (failed.status_code, "redaction" in failed.json()["detail"]) == (503, True)
        assert len(stored()) == 1
        for name in ("no_such_module:f", "json:nothing", "json", "hayflick:__version__"):
            with pytest.raises(ArgumentError, match="redact"):
                redaction(name)

    def test_unknown_streams_are_made_within_the_settings(self, send, service, monkeypatch):
        limits = service.settings.limits.model_copy(update={"streams": 2})
        changed = service.settings.model_copy(update={"limits": limits})
        monkeypatch.setattr(service, "settings", changed)
        values = {"values": {"b": 1, "a": 2}}
        assert send(values, "/v1/streams/one/values").is_success
        assert send({"text": "a"}, "/v1/streams/two/answers").is_success
        assert send({"text": "a"}, "/v1/streams/three/answers").status_code == 403
        with service.database.connect() as connection:
            text = connection.scalar(sa.select(streams.c.settings).where(streams.c.name == "one"))
        assert StreamSettings.model_validate_json(text).values == ("a", "b")
        monkeypatch.setattr(service, "settings", changed.model_copy(update={"create_streams": 0}))
        refused = send({"text": "a"}, "/v1/streams/three/answers")
        assert refused.status_code == 404
        assert "create_streams" in refused.json()["detail"]

    def test_late_answers_are_counted(self, send, service, monkeypatch, machine_clock):
        changed = service.settings.model_copy(update={"defaults": StreamSettings(every="1h")})
        monkeypatch.setattr(service, "settings", changed)
        assert send({"text": "a"}).json()["late"] == 0
        late = send([{"text": "b", "time": machine_clock.now - 100_000}, {"text": "c"}]).json()
        assert (late["accepted"], late["late"], len(late["rounds"])) == (2, 1, 1)

    def test_a_full_round_wakes_the_workers(self, send, service, monkeypatch):
        woken = []
        monkeypatch.setattr(service, "wake", lambda: woken.append(1))
        changed = service.settings.model_copy(update={"defaults": StreamSettings(every=3)})
        monkeypatch.setattr(service, "settings", changed)
        for expected in (0, 0, 1, 1):
            assert send({"text": "a"}).is_success
            assert len(woken) == expected

    def test_too_many_requests_are_told_to_wait(self, send, service):
        held, go_on = threading.Event(), threading.Event()

        def hold(_):
            held.set()
            assert go_on.wait(30)

        service.writer.submit(hold)
        assert held.wait(30)
        try:
            while True:
                service.writer.submit(lambda _: None)
        except WriterBusy:
            pass
        refused = send({"text": "a"})
        go_on.set()
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert send({"text": "a"}).status_code == 200

    def test_memory_for_bodies_is_bounded(self, send, service, monkeypatch):
        limits = service.settings.limits.model_copy(update={"unpacked": 2000})
        changed = service.settings.model_copy(update={"limits": limits})
        monkeypatch.setattr(service, "settings", changed)
        held, go_on = threading.Event(), threading.Event()

        def hold(_):
            held.set()
            assert go_on.wait(30)

        service.writer.submit(hold)
        assert held.wait(30)
        found = []
        senders = [
            threading.Thread(target=lambda: found.append(send({"text": "x" * 1500}).status_code))
            for _ in range(4)
        ]
        for one in senders:
            one.start()
        give_up = time.monotonic() + 30
        while len(found) < 2 and time.monotonic() < give_up:
            time.sleep(0.01)
        go_on.set()
        for one in senders:
            one.join()
        assert sorted(found) == [200, 200, 429, 429]
        assert send({"text": "x" * 1500}).status_code == 200

    def test_a_requester_that_goes_away_leaves_the_writer_at_work(self, service):
        principal = Principal(1, "test", frozenset({"ingest"}))
        with service.database.transaction() as connection:
            connection.exec_driver_sql("INSERT INTO projects VALUES (1, 'default', 0.0)")
        first = ingest(service, principal, "talk", "answers", [{"text": "a"}])
        assert first.cancel()
        with service:
            second = ingest(service, principal, "talk", "answers", [{"text": "b"}])
            assert second.result(30).accepted == 1


def without_numbers(text):
    """A redaction hook of these tests."""
    if text == "crash":
        raise RuntimeError(text)
    if text == "return nothing":
        return None
    return "".join("*" if one.isdigit() else one for one in text)
