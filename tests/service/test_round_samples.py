"""Streams with a capacity: they store a sample of each round, with exact totals."""

from __future__ import annotations

import random

import pytest
import sqlalchemy as sa
from watched_stream import BEGIN, HOUR, Watched, answers, stored, watching

from hayflick.service import round_samples
from hayflick.service.housekeeping import erase, prune, write_to
from hayflick.service.round_samples import priority_of
from hayflick.storage.answers import add_answers
from hayflick.storage.database import Database
from hayflick.storage.readings import rollups_of_stream
from hayflick.storage.retention import Erasure
from hayflick.storage.rounds import add_parcels
from hayflick.storage.service_tables import TABLES

CAPACITY = 100
on_sqlite = pytest.mark.parametrize("place", ["sqlite"], indirect=True)


@pytest.fixture
def watch(database):
    """Make services over one store, which end with the test."""
    yield from watching(database)


def keyed(seed, number, **fields):
    """Return answers with keys."""
    return [
        {"key": f"{seed}-{at}", **one} for at, one in enumerate(answers(seed, number, **fields))
    ]


def kept_keys(database, number):
    return {row.key for row in stored(database, "answers") if row.round == number}


def smallest(items, seed=1):
    """Return the keys of the answers that a sample has."""
    return set(
        sorted((one["key"] for one in items), key=lambda key: priority_of(key, seed))[:CAPACITY]
    )


def send_in_parts(watched, items, size):
    for at in range(0, len(items), size):
        watched.send(items[at : at + size], work=False)


def test_a_large_round_keeps_a_sample_and_exact_totals(database, watch, monkeypatch):
    written = []

    def add(connection, rows):
        written.append(len(rows))
        add_answers(connection, rows)

    monkeypatch.setattr(round_samples, "add_answers", add)
    settings = {"every": 3000, "baseline": 2, "capacity": CAPACITY, "review": 3}
    watched = watch(values=("score",), **settings)
    items = keyed(1, 3000, group="a", values={"score": 2.0})
    send_in_parts(watched, items, 100)
    assert len(stored(database, "answers")) <= 1.5 * CAPACITY
    # About capacity * (1 + log(answers / capacity)), and far fewer than came.
    assert sum(written) < 8 * CAPACITY
    later = keyed(2, 3000, group="a", values={"score": 4.0})
    watched.send(later)
    assert kept_keys(database, 1) == smallest(items)
    assert kept_keys(database, 2) == smallest(later)
    assert [(row.answers, row.status) for row in watched.rounds] == [(3000, "measured")] * 2
    assert watched.rounds[0].note == "measured on a random sample of 100 of its 3,000 answers"
    with database.connect() as connection:
        [hour] = rollups_of_stream(connection, watched.row.id, "hour")
    assert hour.answers == 6000
    assert hour.summary["letters"] == sum(len(one["text"]) for one in items + later)
    assert hour.summary["groups"] == {"a": 6000}
    assert hour.summary["values"] == {"score": [6000, 18_000.0]}
    assert {row.size for row in stored(database, "reviews")} == {3000}
    assert stored(database, "round_samples") == []


@on_sqlite
def test_the_sample_is_the_same_in_any_order_and_whoever_takes_the_answers(database, tmp_path):
    items, later = keyed(1, 1500), keyed(2, 1500)
    settings = {"every": 1500, "baseline": 2, "capacity": CAPACITY}
    one = Watched(database, **settings)
    send_in_parts(one, items, 100)
    one.send(later)
    random.Random(5).shuffle(items)
    with Database(tmp_path / "other.db") as place:
        # Two processes take them by turns.
        others = [Watched(place, **settings) for _ in range(2)]
        for at in range(0, 1500, 50):
            others[at // 50 % 2].send(items[at : at + 50], work=False)
        others[0].send(later)
        for number in (1, 2):
            assert kept_keys(place, number) == kept_keys(database, number)
        for each in (one, *others):
            each.stop()


@on_sqlite
def test_rounds_within_the_capacity_are_those_of_watch(watch):
    watched = watch(every="1h", baseline=3, capacity=CAPACITY)
    for part in range(6):
        watched.send(answers(part, 40, group=f"g{part % 2}", words=400 if part < 4 else 5))
        watched.now += HOUR
        watched.work()
    watched.send(answers(9, 5))
    assert watched.row.measured_round == 6
    assert all(row.note is None for row in watched.rounds)
    result = watched.result()
    assert (result.answers, result.measured_answers) == (240, None)
    watched.check()


@on_sqlite
def test_readings_of_a_sampled_round_are_those_of_watch_on_its_export(watch):
    watched = watch(every=400, baseline=3, capacity=CAPACITY)
    for part in range(6):
        watched.send(keyed(part, 400, group=f"g{part % 2}", words=400 if part < 4 else 5))
    assert watched.row.measured_round == 6
    result = watched.result()
    assert (result.answers, result.measured_answers) == (2400, 600)
    watched.check()


@on_sqlite
def test_what_is_sent_again_is_counted_once_and_never_sampled_twice(database, watch):
    watched = watch(every=2000, baseline=2, capacity=CAPACITY)
    items = keyed(1, 1000)
    assert watched.send(items).accepted == 1000
    for _ in range(2):
        again = watched.send(items)
        assert (again.accepted, again.duplicates) == (0, 1000)
    assert watched.row.answers == 1000
    # In other company, those that are not stored any more count again.
    held = kept_keys(database, 1)
    mixed = watched.send(items[:500])
    assert mixed.duplicates == sum(one["key"] in held for one in items[:500])
    more = keyed(2, 500 + mixed.duplicates)
    watched.send(more)
    assert watched.row.open_round == 2
    watched.send(keyed(3, 2000))
    assert kept_keys(database, 1) == smallest(items + more)


def test_requests_are_forgotten_after_a_day_and_files_with_their_answers(
    database, watch, monkeypatch
):
    monkeypatch.setattr("hayflick.service.housekeeping._MOST_TOGETHER", 3)
    watched = watch(every=2000, baseline=2, capacity=CAPACITY, keep_days=30.0)
    for number in range(8):
        watched.send(keyed(number, 20), work=False)
    with database.transaction() as connection:
        add_parcels(connection, watched.row.id, [b"f" * 32], now=BEGIN)
    for days, left in ((0.9, 9), (1.1, 1), (31.0, 0)):
        prune(database, write_to(database), now=BEGIN + days * 86_400.0)
        assert len(stored(database, "parcels")) == left


@on_sqlite
def test_late_answers_are_counted_and_not_stored(database, watch):
    watched = watch(every="1h", baseline=2, capacity=CAPACITY, grace_s=0.0)
    watched.send(answers(1, 10))
    watched.now += 2 * HOUR
    watched.work()
    watched.send(answers(2, 10))
    assert watched.send([{"text": "late", "time": BEGIN}]).late == 1
    assert watched.rounds[0].late == 1
    assert len(stored(database, "answers")) == 20


@on_sqlite
def test_an_erased_answer_leaves_no_text_in_a_sampled_round(database, watch):
    watched = watch(every=1000, baseline=2, capacity=CAPACITY, review=5)
    items = keyed(1, 1000)
    watched.send(keyed(0, 1000))
    watched.send(items, work=False)
    erased = smallest(items)
    texts = [one["text"] for one in items if one["key"] in erased]
    for key in erased:
        what = Erasure(key=key)
        found = erase(database, write_to(database), watched.row, what, actor="me", now=BEGIN)
        assert found.answers == 1
    watched.work()
    assert watched.row.measured_round == 2
    with database.connect() as connection:
        for name in ("answers", "rounds", "reviews"):
            rows = repr(connection.execute(sa.select(TABLES.tables[name])).all())
            assert not any(text in rows for text in texts)


@on_sqlite
def test_a_capacity_that_cannot_be_is_named(client, token):
    headers = token("admin")
    reply = client.put("/v1/streams/c", json={"kind": "counts", "capacity": 200}, headers=headers)
    assert reply.status_code == 422
    assert "capacity: got 200, takes nothing for a stream of counts" in reply.json()["detail"]
    for wrong in (0, 99, 50_001, "many"):
        reply = client.put("/v1/streams/c", json={"capacity": wrong}, headers=headers)
        assert reply.status_code == 422
        assert "capacity" in reply.json()["detail"]
