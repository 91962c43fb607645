"""The store fails: what it did not take is answered 503, and what it took is there afterwards."""

from __future__ import annotations

import threading
import uuid

import pytest
import sqlalchemy as sa

from hayflick.service import ingest as ingesting
from hayflick.service.service import Clock, Service
from hayflick.service.settings import ServiceSettings
from hayflick.service.stream_settings import StreamSettings
from hayflick.storage.accounts import Principal, project_named
from hayflick.storage.database import Database
from hayflick.storage.service_tables import answers, rounds, streams


@pytest.fixture
def place(tmp_path):
    return str(tmp_path / "service.db")


@pytest.fixture
def settings():
    return ServiceSettings(defaults=StreamSettings(every=1_000_000))


@pytest.fixture
def send(client, token):
    headers = token("ingest")

    def post(*keys, **more):
        items = [{"text": "It rains. " * 500, "key": key, **more} for key in keys]
        return client.post("/v1/streams/talk/answers", json=items, headers=headers)

    return post


def stored(database):
    """Return the keys in order, which the counters must agree with."""
    with database.connect() as connection:
        keys = connection.scalars(sa.select(answers.c.key).order_by(answers.c.id)).all()
        query = sa.select(sa.func.sum(rounds.c.answers + rounds.c.late))
        counted = (connection.scalar(sa.select(streams.c.answers)), connection.scalar(query))
    assert counted == (len(keys), len(keys))
    return keys


def on_every_connection(database, statement):
    """Have a statement run on every new connection, and on none that is open."""

    def run(connection, _):
        connection.execute(statement)

    sa.event.listen(database._engine, "connect", run)
    database._engine.dispose()
    return lambda: (sa.event.remove(database._engine, "connect", run), database._engine.dispose())


@pytest.mark.parametrize(
    ("statement", "says"),
    [("PRAGMA max_page_count = 1", "full"), ("PRAGMA query_only = ON", "cannot be written")],
    ids=["full disk", "read-only"],
)
def test_a_store_that_cannot_be_written(send, database, statement, says):
    assert send(*"abc").json()["accepted"] == 3
    end = on_every_connection(database, statement)
    for _ in range(2):
        failed = send(*[f"{one} {number}" for one in "cd" for number in range(50)])
        assert (failed.status_code, failed.headers["retry-after"]) == (503, "5")
        assert says in failed.json()["detail"]
    assert stored(database) == ["a", "b", "c"]
    end()
    found = send(*"abcd").json()
    assert (found["accepted"], found["duplicates"]) == (1, 3)
    assert stored(database) == ["a", "b", "c", "d"]


def test_groups_of_a_batch_that_was_not_stored_are_forgotten(send, service, database):
    settings = service.settings.model_copy(
        update={"defaults": StreamSettings(every=1000, most_groups=2)}
    )
    service.settings = settings
    assert send("a", group="one").is_success
    end = on_every_connection(database, "PRAGMA query_only = ON")
    assert send("b", group="two").status_code == 503
    end()
    assert send("c", group="three").is_success
    for _ in range(2):
        assert send("b", group="two").status_code == 422
    assert send("d", group="three").is_success
    assert service.known_groups[1] == {"one", "three"}


def test_a_locked_store_makes_writers_wait(send, database):
    with Database(database.name) as other, other.transaction():
        waiting = threading.Thread(target=send, args=("a",))
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
    waiting.join(30)
    assert stored(database) == ["a"]


def test_a_clock_that_is_set_back(send, service, machine_clock, monkeypatch):
    settings = service.settings.model_copy(update={"defaults": StreamSettings(every="15m")})
    monkeypatch.setattr(service, "settings", settings)
    assert send("a").json()["late"] == 0
    for key, seconds in (("b", -7200.0), ("c", 3600.0), ("d", 3700.0)):
        machine_clock.go_on(seconds)
        found = send(key).json()
        assert (found["accepted"], found["late"]) == (1, 0)
    with service.database.connect() as connection:
        query = sa.select(answers.c.received, answers.c.at).order_by(answers.c.id)
        times = connection.execute(query).all()
    assert [one.received - times[0].received for one in times] == [0.0, 0.0, 0.0, 100.0]
    assert all(one.at == one.received for one in times)
    # Started anew with a clock that is behind, it goes on from the last answer.
    machine_clock.go_on(-5000.0)
    with Service(service.database, settings, clock=Clock(machine_clock)) as again:
        principal = Principal(1, "test", frozenset({"ingest"}))
        items = [{"text": "It rains."}]
        assert ingesting.ingest(again, principal, "talk", "answers", items).result(30).late == 0
        assert again.clock.behind_s == 5000.0
    # A clock that was a week ahead is not waited for.
    machine_clock.go_on(-7 * 86_400.0)
    with Service(service.database, settings, clock=Clock(machine_clock)) as later:
        assert later.clock.now() == machine_clock.now


@pytest.fixture
def on_postgres(request):
    """A service on PostgreSQL with one round of answers, and a way to send it some."""
    url = sa.make_url(request.getfixturevalue("postgres"))
    engine, name = sa.create_engine(url, isolation_level="AUTOCOMMIT"), f"t{uuid.uuid4().hex}"
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    place = url.set(database=name).render_as_string(hide_password=False)
    settings = ServiceSettings(defaults=StreamSettings(every=1_000_000))
    try:
        with Database(place) as database:
            yield database, settings, engine
    finally:
        engine.dispose()


def test_a_connection_that_is_lost_within_a_batch(on_postgres, monkeypatch):
    from fastapi.testclient import TestClient

    from hayflick.service.app import create_app
    from hayflick.storage.accounts import create_token

    database, settings, engine = on_postgres
    with database.transaction() as connection:
        project = project_named(connection, "default", now=0.0)
        token = create_token(connection, project, name="test", scopes=["ingest"], now=0.0)
    place, lost = ingesting.place, []

    def placed(connection, *arguments, **named):
        found = place(connection, *arguments, **named)
        if lost:
            number = connection.scalar(sa.text("SELECT pg_backend_pid()"))
            with engine.connect() as other:
                other.execute(sa.text("SELECT pg_terminate_backend(:one)"), {"one": number})
        return found

    monkeypatch.setattr(ingesting, "place", placed)
    service = Service(database, settings)
    headers = {"Authorization": f"Bearer {token}"}
    with TestClient(create_app(service), base_url="http://127.0.0.1") as client:

        def send(*keys):
            items = [{"text": "It rains.", "key": key} for key in keys]
            return client.post("/v1/streams/talk/answers", json=items, headers=headers)

        assert send(*"ab").status_code == 200
        lost.append(True)
        for _ in range(2):
            failed = send(*"bcd")
            assert failed.status_code == 503
            assert "nothing of this request was kept" in failed.json()["detail"]
        lost.clear()
        # All connections are lost at once, as when the server is started anew.
        with engine.connect() as other:
            other.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 't%%'"
            )
        while (found := send(*"bcd")).status_code == 503:
            pass
        assert (found.json()["accepted"], found.json()["duplicates"]) == (2, 1)
        assert stored(database) == ["a", "b", "c", "d"]


def test_processes_that_take_streams_in_another_order(on_postgres):
    database, settings, _ = on_postgres
    with database.transaction() as connection:
        project = project_named(connection, "default", now=0.0)
    principal = Principal(project, "test", frozenset({"ingest"}))
    first, second = Service(database, settings), Service(database, settings)
    waiting = []
    # All jobs wait before a writer starts, so that each takes all streams in one transaction.
    for service, step in ((first, 1), (second, -1)):
        for number in range(40):
            name = f"s{number % 8 if step > 0 else 7 - number % 8}"
            items = [{"text": "It rains.", "key": f"{number} {step}"}]
            waiting.append(ingesting.ingest(service, principal, name, "answers", items))
    with first, second:
        assert sum(one.result(60).accepted for one in waiting) == 80
    with database.connect() as connection:
        assert connection.scalar(sa.select(sa.func.sum(streams.c.answers))) == 80
        assert connection.scalar(sa.select(sa.func.count()).select_from(streams)) == 8
