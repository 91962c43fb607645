"""Backups of a store, made while it is used, and restored into either engine."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import uuid
from contextlib import closing

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from hayflick.core.errors import DataError, OutputError
from hayflick.service.app import create_app
from hayflick.service.service import Clock, Service
from hayflick.storage.accounts import project_named
from hayflick.storage.answers import add_answers
from hayflick.storage.backups import Copy, back_up, restore
from hayflick.storage.database import Database
from hayflick.storage.maintenance import check_store
from hayflick.storage.migrations import migrate_to, tables_of_version
from hayflick.storage.service_tables import TABLES, pack
from hayflick.storage.streams import create_stream

PACKED = {"summary", "texts", "content"}
JSON = {"settings", "headline", "numbers", "content"}


SMALL = {
    *("answers", "number", "round", "weight", "id", "measured_round", "dimensions", "attempts"),
    *("format_version", "place", "query", "admitted", "withdrawn", "tokens_in", "tokens_out"),
}


def value_of(column, number):
    """A value of a column's kind that is not an easy one."""
    if column.foreign_keys or column.name in SMALL:
        return number
    if isinstance(column.type, sa.Boolean):
        return bool(number % 2)
    if isinstance(column.type, sa.LargeBinary):
        packed = column.table.name in TABLES.tables and column.name in PACKED
        return pack({"number": number}) if packed else bytes([number, 0, 255])
    if isinstance(column.type, sa.Text | sa.String):
        return '{"a": 1}' if column.name in JSON else f"日本 <b>'\"% {number}"
    return 1.7e9 + number if isinstance(column.type, sa.Float) else 2**31 + number


def fill(database):
    """Put two rows into every table, and return all of them."""
    with database.transaction() as connection:
        for table in tables_of_version(database.schema_version):
            for number in (1, 2):
                row = {column.name: value_of(column, number) for column in table.c}
                connection.execute(sa.insert(table).values(row))
    return contents(database)


def contents(database):
    with database.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(sa.select(table))))
            for table in tables_of_version(database.schema_version)
        }


@pytest.fixture
def empty_place(request, postgres, tmp_path):
    """An empty database of a server."""
    url = sa.make_url(postgres)
    name = f"t{uuid.uuid4().hex}"
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return url.set(database=name).render_as_string(hide_password=False)


def test_a_backup_holds_everything_and_goes_into_either_engine(
    database, place, tmp_path, empty_place
):
    before = fill(database)
    copy = tmp_path / "backup.db"
    counts = back_up(place, copy)
    assert counts == Copy(rows=dict.fromkeys(before, 2), findings=[])
    assert not list(tmp_path.glob("backup.db-*"))
    for target in (str(tmp_path / "again.db"), empty_place):
        assert restore(copy, target) == counts
        with Database(target) as restored:
            assert contents(restored) == before
            with restored.connect() as connection:
                assert check_store(connection) == []
            # The numbers that are given out go on.
            with restored.transaction() as connection:
                assert project_named(connection, "new", now=1.0) == 3


@pytest.fixture
def stream(database):
    with database.transaction() as connection:
        project = project_named(connection, "default", now=1.0)
        made = create_stream(connection, project, "talk", kind="answers", settings="{}", now=1.0)
        connection.execute(
            sa.insert(TABLES.tables["rounds"]).values(stream=made.id, number=1, name="1", answers=0)
        )
    return made


def test_a_backup_is_made_while_answers_come(database, place, stream, tmp_path):
    ended = threading.Event()
    added = []

    def ingest():
        while not ended.is_set():
            number = len(added)
            with database.transaction() as connection:
                # The answers and their number go together, in the backup too.
                connection.execute(
                    sa.text("UPDATE rounds SET answers = answers + 10 WHERE stream = 1")
                )
                add_answers(connection, [answer(stream, f"{number}-{i}") for i in range(10)])
            added.append(10)

    thread = threading.Thread(target=ingest)
    thread.start()
    try:
        for number in range(3):
            copy = tmp_path / f"{number}.db"
            back_up(place, copy)
            with Database(copy, read_only=True) as database_of_copy:
                counts = "SELECT count(*), (SELECT answers FROM rounds) FROM answers"
                with database_of_copy.connect() as connection:
                    stored, counted = connection.execute(sa.text(counts)).one()
            assert stored == counted
            assert stored <= 10 * len(added) + 10
    finally:
        ended.set()
        thread.join()
    assert len(added) > 3


def answer(stream, key, **more):
    return {
        "stream": stream.id,
        "key": key,
        "digest": key.encode(),
        "round": 1,
        "late": False,
        "received": 1.0,
        "at": 1.0,
        "group": None,
        "prompt": None,
        "text": "plums",
        "vector": None,
        "numbers": None,
        "weight": 1,
        **more,
    }


def test_a_backup_of_a_damaged_store_is_refused(tmp_path):
    place = tmp_path / "service.db"
    with Database(place) as database:
        fill(database)
    content = bytearray(place.read_bytes())
    content[8192:12_288] = b"\xff" * 4096
    place.write_bytes(content)
    with pytest.raises(DataError):
        back_up(str(place), tmp_path / "backup.db")
    assert not (tmp_path / "backup.db").exists()


def test_a_damaged_backup_is_not_restored(database, place, tmp_path):
    fill(database)
    copy = tmp_path / "backup.db"
    back_up(place, copy)
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("UPDATE readings SET content = x'00'")
        connection.commit()
    # That may be all there is: it is restored, and what is wrong is said.
    restored = restore(copy, str(tmp_path / "again.db"))
    assert "content of readings (stream 1" in restored.findings[0]
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("DROP TABLE rounds")
        connection.commit()
    with pytest.raises(DataError, match="the table rounds is missing"):
        restore(copy, str(tmp_path / "third.db"))
    assert not (tmp_path / "third.db").exists()


def test_nothing_is_overwritten_unasked(database, place, tmp_path, stream):
    copy = tmp_path / "backup.db"
    back_up(place, copy)
    with pytest.raises(OutputError, match="exists already"):
        back_up(place, copy)
    back_up(place, copy, force=True)
    if database.dialect == "sqlite":
        with pytest.raises(OutputError, match="exists already"):
            restore(copy, place)
        with pytest.raises(OutputError, match="stop the service first"):
            restore(copy, place, force=True)
        database.close()
        restore(copy, place, force=True)
    else:
        with pytest.raises(DataError, match="holds data in projects"):
            restore(copy, place)
    with pytest.raises(OutputError, match="is the input"):
        restore(copy, str(copy), force=True)
    with pytest.raises(OutputError, match="is the input"):
        back_up(str(copy), copy, force=True)


def test_a_backup_of_an_older_store_is_restored_as_a_present_one(place, tmp_path, empty_place):
    engine = sa.create_engine(place if "://" in place else f"sqlite:///{place}")
    with engine.begin() as connection:
        migrate_to(connection, 3, name="old")
        connection.exec_driver_sql("INSERT INTO run_usage VALUES (7, 0.5)")
    engine.dispose()
    copy = tmp_path / "backup.db"
    assert back_up(place, copy) == Copy(rows={"run_usage": 1}, findings=[])
    for target in (str(tmp_path / "again.db"), empty_place):
        assert restore(copy, target) == Copy(rows={"run_usage": 1}, findings=[])
        with Database(target) as restored, restored.connect() as connection:
            assert connection.execute(sa.text("SELECT * FROM run_usage")).all() == [(7, 0.5)]
            assert check_store(connection) == []


def test_a_full_disk_leaves_no_half_backup(tmp_path, monkeypatch, stream_file):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises((OutputError, OSError)):
        back_up(stream_file, tmp_path / "copy" / "backup.db")
    assert list((tmp_path / "copy").iterdir()) == []


@pytest.fixture
def stream_file(tmp_path):
    (tmp_path / "copy").mkdir()
    with Database(tmp_path / "service.db") as database:
        fill(database)
    return str(tmp_path / "service.db")


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ("UPDATE streams SET settings = '{'", "settings of streams (id 1) cannot be read"),
        ("UPDATE rounds SET summary = x'00'", "summary of rounds (stream 1, number 1)"),
        ("UPDATE rounds SET number = 9 WHERE number = 1", "are of round 1, which is missing"),
        ("UPDATE rounds SET answers = 0", "counts 0 answers and holds"),
        ("UPDATE chart_states SET round = 9", "has taken up round 9, which is not measured"),
        ("ALTER TABLE audit DROP COLUMN actor", "column actor of the table audit is missing"),
        ("DROP TABLE sessions", "the table sessions is missing"),
        ("DELETE FROM targets", "a row of deliveries belongs to a row of targets"),
    ],
)
def test_what_is_wrong_is_found(stream_file, change, finding):
    with closing(sqlite3.connect(stream_file)) as connection:
        connection.execute(change)
        connection.commit()
    with Database(stream_file, read_only=True) as database, database.connect() as connection:
        assert any(finding in one for one in check_store(connection))


def test_a_sound_store_has_no_findings(database):
    fill(database)
    with database.connect() as connection:
        assert check_store(connection) == []


def test_a_service_goes_on_from_a_restored_store(client, service, place, token, tmp_path):
    headers = token("admin")
    settings = {"every": 4, "baseline": 3}
    assert client.put("/v1/streams/talk", json=settings, headers=headers).status_code == 200

    def send(first, last):
        words = ("plums", "rain", "the sea", "a cat")
        items = [
            {
                "text": f"{words[row % 4]} and {row % 7} more",
                "group": "ab"[row % 2],
                "key": str(row),
            }
            for row in range(first, last)
        ]
        path = "/v1/streams/talk/answers"
        assert client.post(path, json=items, headers=headers).status_code < 300

    def measured():
        return client.get("/v1/streams/talk", headers=headers).json()["measured_round"]

    send(0, 32)
    deadline = time.monotonic() + 60
    while measured() < 8:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    copy, again = tmp_path / "backup.db", tmp_path / "again.db"
    back_up(place, copy)
    assert restore(copy, str(again)).rows["readings"] > 8
    with Database(again, durable=True) as restored:
        with restored.connect() as connection:
            assert check_store(connection) == []
        other = Service(restored, service.settings, clock=Clock(lambda: service.clock.now()))
        with TestClient(create_app(other), base_url="http://127.0.0.1") as second:
            path = "/v1/streams/talk/answers"
            # What was sent before is known there, too.
            rows = [{"text": "plums and 0 more", "group": "a", "key": "0"}]
            assert second.post(path, json=rows, headers=headers).json()["duplicates"] == 1
            items = [{"text": f"rain {row}", "key": f"new {row}"} for row in range(4)]
            second.post(path, json=items, headers=headers)
            while second.get("/v1/streams/talk", headers=headers).json()["measured_round"] < 9:
                assert time.monotonic() < deadline
                time.sleep(0.05)
