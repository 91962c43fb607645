"""Events: what has changed, told to those who listen."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from hayflick.service.app import create_app
from hayflick.service.events import Broadcast, event_stream
from hayflick.service.problems import Problem
from hayflick.service.settings import Limits, ServiceSettings
from hayflick.storage.accounts import project_named
from hayflick.storage.changes import last_change, record_change
from hayflick.storage.streams import create_stream

on_sqlite = pytest.mark.parametrize("place", ["sqlite"], indirect=True)
"""The engine makes no difference: one is enough."""


@pytest.fixture
def settings():
    return ServiceSettings(limits=Limits(viewers=3))


@pytest.fixture
def project(service):
    with service.database.transaction() as connection:
        return project_named(connection, "default", now=1.0)


@pytest.fixture
def running(service, project):
    service.start([Broadcast(service)])
    yield service
    service.stop()


@pytest.fixture
def change(service, project):
    """Store changes with a number as their content."""

    def store(*numbers, of=None, stream=None):
        with service.database.transaction() as connection:
            for number in numbers:
                told = {"number": number}
                place = of or project
                record_change(connection, place, "round", told, now=1e9 + number, stream=stream)
        service.wake()

    return store


async def heard(stream, number):
    """Return the next numbers of a stream's events, and the numbers that they hold."""
    found = []
    async with asyncio.timeout(20):
        async for text in stream:
            lines = dict(line.split(": ", 1) for line in text.strip().split("\n"))
            if "data" in lines:
                found.append((int(lines["id"]), json.loads(lines["data"])["number"]))
            if len(found) == number:
                break
    return found


async def begun(stream):
    assert (await anext(stream)).startswith("retry:")
    return stream


def test_all_who_listen_are_told_what_is_new(running, change):
    async def listen():
        change(1)
        first = await begun(event_stream(running, 1, None))
        second = await begun(event_stream(running, 1, None))
        change(2, 3)
        told = await asyncio.gather(heard(first, 2), heard(second, 2))
        change(4)
        return told, await heard(first, 1)

    told, later = asyncio.run(listen())
    assert [[number for _, number in one] for one in told] == [[2, 3], [2, 3]]
    assert later[0][1] == 4


@on_sqlite
def test_one_who_comes_again_is_told_what_was_missed_and_nothing_twice(
    running, change, monkeypatch
):
    monkeypatch.setattr("hayflick.service.events._MOST_AT_ONCE", 2)

    async def listen():
        change(1, 2)
        [(first, _)] = await heard(event_stream(running, 1, 0), 1)
        change(3, 4, 5)
        again = event_stream(running, 1, first)
        missed = await heard(again, 4)
        change(6)
        return missed + await heard(again, 1)

    assert [number for _, number in asyncio.run(listen())] == [2, 3, 4, 5, 6]


@on_sqlite
def test_nobody_is_told_of_another_project(running, change):
    with running.database.transaction() as connection:
        other = project_named(connection, "other", now=1.0)

    async def listen():
        mine = await begun(event_stream(running, 1, 0))
        change(1, of=other)
        change(2)
        return await heard(mine, 1)

    assert asyncio.run(listen())[0][1] == 2


@on_sqlite
def test_a_change_of_a_stream_names_it(running, change, project):
    with running.database.transaction() as connection:
        stream = create_stream(connection, project, "talk", kind="answers", settings="{}", now=1.0)

    async def listen():
        change(7, stream=stream.id)
        events = await begun(event_stream(running, project, 0))
        return await anext(events)

    assert json.loads(asyncio.run(listen()).split("data: ")[1]) == {
        "stream": "talk",
        "time": "2001-09-09T01:46:47.000Z",
        "number": 7,
    }


@on_sqlite
def test_one_who_does_not_read_is_sent_away(running, change, monkeypatch):
    monkeypatch.setattr("hayflick.service.events._MOST_UNREAD", 2)

    async def listen():
        slow = await begun(event_stream(running, 1, None))
        change(*range(5))
        await asyncio.sleep(1.0)
        return [text async for text in slow]

    assert len(asyncio.run(listen())) < 5


@on_sqlite
def test_there_is_a_limit_to_listeners_and_an_end(running, change):
    async def listen():
        streams = [await begun(event_stream(running, 1, None)) for _ in range(3)]
        with pytest.raises(Problem, match="too many"):
            event_stream(running, 1, None)
        await streams.pop().aclose()
        event_stream(running, 1, None)
        await asyncio.to_thread(running.workers[0].stop)
        ended = [[text async for text in one] for one in streams]
        late = [text async for text in event_stream(running, 1, None)]
        return ended, late

    ended, late = asyncio.run(listen())
    assert ended == [[], []]
    assert late == ["retry: 2000\n\n"]


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_a_change_that_appears_late_is_told_on_postgresql(running, project, service):
    async def listen():
        events = await begun(event_stream(running, project, None))
        with service.database.transaction() as first:
            record_change(first, project, "round", {"number": 1}, now=1.0)
            with service.database.transaction() as second:
                record_change(second, project, "round", {"number": 2}, now=1.0)
            found = await heard(events, 1)
        return found + await heard(events, 1)

    assert [number for _, number in asyncio.run(listen())] == [2, 1]


@on_sqlite
def test_numbers_are_never_given_out_again(service, change, project):
    change(1, 2)
    with service.database.transaction() as connection:
        before = last_change(connection)
        connection.exec_driver_sql("DELETE FROM changes")
    change(3)
    with service.database.connect() as connection:
        assert last_change(connection) > before


@on_sqlite
def test_events_over_http(service, token, served, change):
    headers = token("read")
    url = served(create_app(service))
    change(1)
    with httpx.stream("GET", f"{url}/v1/events?after=0", headers=headers, timeout=20) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        lines = answer.iter_lines()
        assert "event: round" in [next(lines) for _ in range(5)]
    last = {**headers, "Last-Event-ID": "nonsense"}
    with httpx.stream("GET", f"{url}/v1/events?after=-1", headers=last, timeout=20) as answer:
        assert answer.status_code == 422
