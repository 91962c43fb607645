"""What is kept of a stream and for how long, and what is erased on request."""

from __future__ import annotations

import hashlib
import time

import pytest
import sqlalchemy as sa

from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError
from hayflick.service.housekeeping import Housekeeper, erase, prune, write_to
from hayflick.service.service import Clock, Service
from hayflick.service.stream_settings import StreamSettings
from hayflick.storage.accounts import project_named
from hayflick.storage.answers import add_answers
from hayflick.storage.audit import audit_of
from hayflick.storage.changes import record_change
from hayflick.storage.database import Database
from hayflick.storage.retention import Erasure
from hayflick.storage.reviews import add_reviews, decide_review
from hayflick.storage.service_counts import set_value
from hayflick.storage.service_tables import answers, changes, pack, reviews, rounds, streams, unpack
from hayflick.storage.streams import create_stream, stream_named

one_engine = pytest.mark.parametrize("place", ["sqlite"], indirect=True)
"""For what does not depend on the engine."""

DAY = 86_400.0
NOW = 1_790_000_000.0
ROUNDS, PER_ROUND = 6, 10


def make_stream(database, name="talk", *, state="healthy", measured=5, **settings):
    """Make a stream of six rounds, a day long each, of which five are measured."""
    with database.transaction() as connection:
        project = project_named(connection, "default", now=NOW)
        text = StreamSettings(**settings).model_dump_json()
        made = create_stream(connection, project, name, kind="answers", settings=text, now=NOW)
        connection.execute(
            sa.update(streams)
            .where(streams.c.id == made.id)
            .values(state=state, measured_round=measured, last_answer=NOW, answers=60)
        )
        for number in range(1, ROUNDS + 1):
            begins = NOW - (ROUNDS - number + 1) * DAY
            rows = [row_of(made.id, number, place, begins) for place in range(PER_ROUND)]
            add_answers(connection, rows)
            connection.execute(
                sa.insert(rounds).values(
                    stream=made.id,
                    number=number,
                    name=str(number),
                    status="measured" if number <= measured else "open",
                    answers=PER_ROUND,
                    closed=begins + DAY if number <= measured else None,
                    texts=pack(sampled(rows)) if number <= measured else None,
                )
            )
        return stream_named(connection, project, name)


def sampled(rows):
    """A sample of texts, and those that are typical."""
    texts = [row["text"] for row in rows]
    return {"sample": texts, "typical": texts[2:4]}


def row_of(stream, number, place, begins):
    key = f"k{number}-{place}"
    return {
        "stream": stream,
        "key": key,
        "digest": hashlib.sha256(key.encode()).digest(),
        "round": number,
        "late": False,
        "received": begins + place,
        "at": begins + place,
        "group": "ab"[place % 2],
        "prompt": f"prompt {key}",
        "text": f"secret plums {key}",
        "vector": None,
        "numbers": None,
        "weight": 1,
    }


def kept(database, stream, column=answers.c.key, *where):
    with database.connect() as connection:
        query = sa.select(column).where(answers.c.stream == stream.id, *where)
        return set(connection.scalars(query))


def samples(database, stream):
    with database.connect() as connection:
        query = sa.select(rounds.c.number, rounds.c.texts).where(rounds.c.stream == stream.id)
        return {
            row.number: row.texts and sorted(set().union(*unpack(row.texts).values()))
            for row in connection.execute(query)
        }


def test_old_answers_go_once_they_are_measured(database):
    stream = make_stream(database, keep_days=3.5)
    pruned = prune(database, write_to(database), now=NOW)
    # Rounds 1 to 3 began more than 3.5 days ago; the third ended later than that.
    assert pruned.answers == 20
    assert kept(database, stream, answers.c.round) == {3, 4, 5, 6}
    held = samples(database, stream)
    assert [number for number, sample in held.items() if sample] == [3, 4, 5]
    with database.connect() as connection:
        # What came is still counted, and the log says what went.
        assert connection.scalar(sa.select(streams.c.answers)) == 60
        (entry,) = audit_of(connection, stream.project)
        assert (entry.actor, entry.action, entry.subject) == ("service", "pruned", "answers: 20")
    assert str(prune(database, write_to(database), now=NOW)) == ""


@one_engine
@pytest.mark.parametrize(("state", "measured"), [("baseline", 5), ("healthy", 0)])
def test_what_is_not_measured_yet_stays(database, state, measured):
    stream = make_stream(database, state=state, measured=measured, keep_days=1, keep_text=False)
    assert str(prune(database, write_to(database), now=NOW)) == ""
    assert len(kept(database, stream)) == 60


def test_a_share_of_the_texts_is_kept(database):
    stream = make_stream(database, keep_sample=0.4)
    pruned = prune(database, write_to(database), now=NOW)
    assert pruned.answers == 0
    texts = kept(database, stream, answers.c.text, answers.c.text.is_not(None))
    expected = {
        f"secret plums k{number}-{place}"
        for number in range(1, 7)
        for place in range(10)
        if number == 6 or hashlib.sha256(f"k{number}-{place}".encode()).digest()[0] / 256 < 0.4
    }
    # The first byte decides but where it is the same.
    assert len(texts ^ expected) <= 1
    assert pruned.texts == 60 - len(texts)
    for number, sample in samples(database, stream).items():
        if sample:
            assert set(sample) <= texts, number
    prompts = kept(database, stream, answers.c.prompt, answers.c.prompt.is_not(None))
    assert len(prompts) == len(texts)
    assert prune(database, write_to(database), now=NOW).texts == 0


@one_engine
def test_no_texts_stay_where_none_are_kept(database):
    stream = make_stream(database, keep_text=False)
    prune(database, write_to(database), now=NOW)
    held = kept(database, stream, answers.c.round, answers.c.text.is_not(None))
    assert held == {6}
    assert not any(samples(database, stream).values())


def test_texts_to_check_go_too(database):
    stream = make_stream(database, keep_days=2)
    with database.transaction() as connection:
        drawn = [{"key": f"k1-{one}", "text": "secret", "prompt": "p"} for one in range(3)]
        add_reviews(connection, stream, 1, drawn, 10, now=NOW - 3 * DAY)
        number = connection.scalar(sa.select(sa.func.min(reviews.c.id)))
        decide_review(connection, stream.project, number, "rejected", by="ann", now=NOW)
        add_reviews(connection, stream, 6, [{"key": "k6-1", "text": "new"}], 10, now=NOW)
    pruned = prune(database, write_to(database), now=NOW)
    assert (pruned.reviews, pruned.unchecked) == (1, 2)
    with database.connect() as connection:
        query = sa.select(reviews.c.state, reviews.c.text, reviews.c.prompt)
        found = connection.execute(query.order_by(reviews.c.id))
        assert found.all() == [("rejected", "", None), ("pending", "new", None)]


@one_engine
def test_a_sample_of_texts_goes_with_its_answers_also_if_it_is_the_last_of_them(database):
    stream = make_stream(database, keep_days=3.5)
    with database.transaction() as connection:
        connection.execute(sa.delete(answers))
    assert prune(database, write_to(database), now=NOW).samples == 2
    assert [number for number, sample in samples(database, stream).items() if sample] == [3, 4, 5]


@one_engine
def test_what_viewers_were_told_is_forgotten_after_a_week(database):
    stream = make_stream(database)
    with database.transaction() as connection:
        for days in (8, 6):
            record_change(connection, stream.project, "round", {}, now=NOW - days * DAY)
    prune(database, write_to(database), now=NOW)
    with database.connect() as connection:
        assert list(connection.scalars(sa.select(changes.c.at))) == [NOW - 6 * DAY]


@one_engine
def test_the_service_prunes_by_itself_once_an_hour(service, monkeypatch, machine_clock):
    stream = make_stream(service.database, keep_days=3.5)
    monkeypatch.setattr("hayflick.service.housekeeping._SECONDS_BEFORE", 0.0)
    machine_clock.now = NOW
    service.start([Housekeeper(service)])
    try:
        until(lambda: len(kept(service.database, stream)) == 40)
    finally:
        service.stop()
    # Another process, or the next one, leaves it at that for a while.
    machine_clock.go_on(2 * DAY - 1)
    again = Service(service.database, service.settings, clock=Clock(machine_clock))
    with service.database.transaction() as connection:
        set_value(connection, "last pruning", machine_clock.now - 60)
    again.start([Housekeeper(again)])
    time.sleep(0.3)
    again.stop()
    assert len(kept(service.database, stream)) == 40


@one_engine
def test_pruning_that_fails_is_tried_again(service, monkeypatch, caplog):
    stream = make_stream(service.database, keep_days=3.5)
    monkeypatch.setattr("hayflick.service.housekeeping._SECONDS_BEFORE", 0.0)
    monkeypatch.setattr("hayflick.service.housekeeping._SECONDS_BETWEEN", 0.05)
    with service.database.transaction() as connection:
        connection.execute(sa.update(streams).values(settings="{"))
    keeper = Housekeeper(service)
    service.start([keeper])
    try:
        until(lambda: "could not be pruned" in caplog.text)
        text = StreamSettings(keep_days=3.5).model_dump_json()
        with service.database.transaction() as connection:
            connection.execute(sa.update(streams).values(settings=text))
            set_value(connection, "last pruning", 0.0)
        until(lambda: len(kept(service.database, stream)) == 40)
        assert "could not be pruned" in caplog.text
    finally:
        service.stop()


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def erased(database, stream, **what):
    found = erase(database, write_to(database), stream, Erasure(**what), actor="ann", now=NOW)
    return found.answers, found.reviews


def test_answers_are_erased_by_key_group_and_time(database):
    stream = make_stream(database)
    other = make_stream(database, "other")
    with database.transaction() as connection:
        drawn = [{"key": "k2-3", "text": "secret", "group": "b"}]
        add_reviews(connection, stream, 2, drawn, 10, now=NOW)
        add_reviews(connection, other, 2, drawn, 10, now=NOW)
    assert erased(database, stream, key="k2-3") == (1, 1)
    assert "secret plums k2-3" not in samples(database, stream)[2]
    assert len(samples(database, stream)[2]) == 9
    assert erased(database, stream, key="k2-3") == (0, 0)
    assert erased(database, stream, group="b", begins=NOW - 3 * DAY) == (15, 0)
    assert erased(database, stream, begins=NOW - 6 * DAY, ends=NOW - 6 * DAY + 4) == (4, 0)
    assert len(kept(database, stream)) == 40
    assert len(kept(database, other)) == 60
    with database.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(reviews)) == 1
        log = [entry.subject for entry in audit_of(connection, stream.project)]
    assert log[-1] == "1 answers of talk, by key"
    assert "15 answers of talk, by group and time" in log


def test_labels_of_one_item_are_erased_together(database):
    from hayflick.storage.answers import key_of_row

    stream = make_stream(database)
    with database.transaction() as connection:
        for place in range(3):
            row = row_of(stream.id, 6, place, NOW)
            add_answers(connection, [{**row, "key": key_of_row("votes", place)}])
        add_answers(connection, [{**row_of(stream.id, 6, 0, NOW), "key": "votes 2"}])
    assert erased(database, stream, key="votes") == (3, 0)
    assert "votes 2" in kept(database, stream)


@one_engine
def test_answers_to_check_are_erased_also_after_they_were_pruned(database):
    stream = make_stream(database)
    with database.transaction() as connection:
        add_reviews(
            connection, stream, 1, [{"key": "gone", "text": "secret", "group": "z"}], 9, now=NOW
        )
    assert erased(database, stream, group="y") == (0, 0)
    assert erased(database, stream, group="z") == (0, 1)


@one_engine
@pytest.mark.parametrize(
    "what", [{}, {"begins": 2.0, "ends": 1.0}, {"key": "a\0"}, {"group": "\ud800"}]
)
def test_an_erasure_without_a_condition_that_can_be_met_is_refused(database, what):
    stream = make_stream(database)
    with pytest.raises(ArgumentError):
        erased(database, stream, **what)
    assert len(kept(database, stream)) == 60


def test_what_is_erased_is_not_in_the_file_any_more(tmp_path):
    place = tmp_path / "service.db"
    with Database(place, durable=True) as database:
        stream = make_stream(database)
        erased(database, stream, group="a")
        held = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"secret plums k3-1" in held
    assert b"secret plums k3-2" not in held


@one_engine
def test_the_interface_erases_and_says_what(client, service, token):
    make_stream(service.database)
    headers = token("admin")
    path = "/v1/streams/talk/erasures"
    body = {"group": "a", "begins": "2026-09-20T14:13:20Z"}
    answer = client.post(path, json=body, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"answers": 5, "reviews": 0})
    assert client.post(path, json={}, headers=headers).status_code == 422
    assert client.post(path, json={"ends": "yesterday"}, headers=headers).status_code == 422
    assert client.post(path, json={"key": "\0"}, headers=headers).status_code == 422
    assert client.post("/v1/streams/no/erasures", json=body, headers=headers).status_code == 404
    assert client.post(path, json=body, headers=token("review")).status_code == 403
    entries = client.get("/v1/audit", headers=headers).json()["items"]
    assert entries[0]["subject"] == "5 answers of talk, by group and time"


def test_the_command_line_prunes_and_erases(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("time.time", lambda: NOW)
    place = str(tmp_path / "service.db")
    with Database(place) as database:
        make_stream(database, keep_days=3.5)
    assert main(["db", "prune", "--database", place]) == 0
    assert capsys.readouterr().out == "answers: 20\n"
    assert main(["db", "prune", "--database", place]) == 0
    assert capsys.readouterr().out == "nothing was old enough\n"
    erase_it = ["db", "erase", "talk", "--database", place]
    assert main([*erase_it, "--group", "a", "--from", "2026-09-20T14:13:20Z"]) == 0
    assert capsys.readouterr().out == "erased: 5 answers, 0 of the review queue\n"
    for arguments, message in [
        (erase_it, "erase: got no condition"),
        ([*erase_it, "--until", "2026"], "time: got '2026', takes ISO 8601"),
        (["db", "erase", "walk", "--key", "k", "--database", place], "has no stream 'walk'"),
        (["db", "erase", "talk", "--key", "k", "--project", "x", "--database", place], "has no"),
        (["db", "prune", "--database", str(tmp_path / "no.db")], "no such file"),
    ]:
        assert main(arguments) == 2
        assert message in capsys.readouterr().err
    assert main(["db", "check", "--database", place]) == 0
