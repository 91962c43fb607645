"""Summaries that jobs make of files come in like answers: once, with exact totals."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest
from watched_stream import Watched, answers, stored

import hayflick as hf
from hayflick.service.ingest_summaries import ingest_summary
from hayflick.service.problems import Problem

CAPACITY = 100
OPTIONS = {"by": "at", "every": "1d", "text": "answer", "group": "m", "capacity": CAPACITY}
NOW = datetime(2026, 10, 7, 12, tzinfo=UTC).timestamp()
on_sqlite = pytest.mark.parametrize("place", ["sqlite"], indirect=True)


def write_part(path, day, number, *, seed, words=400):
    """Write answers of a day, in lines of JSON."""
    lines = []
    for at, one in enumerate(answers(seed, number, words=words)):
        time = f"2026-10-{day:02d}T{at % 24:02d}:30:00Z"
        lines.append({"at": time, "answer": one["text"], "m": f"m{at % 2}"})
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    """Summaries of six days, each of two files; the last days are narrow, one is small."""
    folder = tmp_path_factory.mktemp("days")
    found = []
    for day in range(1, 7):
        for part in range(2):
            path = folder / f"day{day}-{part}.jsonl"
            number, words = 40 if day == 2 else 120, 400 if day < 5 else 4
            write_part(path, day, number, seed=10 * day + part, words=words)
            found.append(hf.summarise(path, **OPTIONS))
    return found


@pytest.fixture
def watched(database):
    """A stream whose rounds are kept by hand."""
    made = Watched(database, every="1d", baseline=3, capacity=CAPACITY, grace_s=3600.0)
    made.now = NOW
    yield made
    made.stop()


@pytest.fixture
def take(watched, tmp_path):
    """Send a summary into the stream, and return the receipt."""

    def taken(summary):
        body = summary
        if not isinstance(summary, bytes):
            body = summary.save(tmp_path / "sent.summary", force=True).read_bytes()
        return ingest_summary(watched.service, watched.principal, "s", body).result()

    return taken


def finish(watched):
    """Let the clock close all rounds, and measure them."""
    watched.now += 10_000.0
    watched.work()


@on_sqlite
def test_a_merged_summary_gives_what_watch_finds_in_it(watched, take, days):
    whole = hf.merge(days)
    receipt = take(whole)
    assert (receipt.accepted, receipt.late, len(receipt.rounds)) == (whole.answers, 0, 6)
    finish(watched)
    found, expected = watched.result(), hf.watch(whole, baseline=3)
    assert found.rounds == expected.rounds
    assert found.verdict == expected.verdict
    for group, series in expected.readings.items():
        for mine, theirs in zip(found.readings[group], series, strict=True):
            assert mine.values == pytest.approx(theirs.values, rel=1e-9)
    assert [one.answers for one in watched.rounds] == [240, 80, 240, 240, 240, 240]
    assert watched.rounds[0].note == "measured on a random sample of 100 of its 240 answers"
    assert watched.rounds[1].note is None
    watched.check()


def test_parts_in_any_order_keep_the_sample_of_the_merged_summary(database, watched, take, days):
    # The stream begins with the first day that comes.
    for one in (days[1], *days[:1:-1], days[0]):
        receipt = take(one)
        assert (receipt.accepted, receipt.late) == (one.answers, 0)
    # A job that runs again sends the same file again.
    again = take(days[3])
    assert (again.accepted, again.duplicates, again.rounds) == (0, days[3].answers, ())
    finish(watched)
    assert watched.row.measured_round == 6
    assert watched.row.answers == sum(one.answers for one in days)
    found = [(row.text, row.group) for row in stored(database, "answers")]
    assert sorted(found) == sorted(hf.merge(days).frame.select("text", "group").rows())


@on_sqlite
def test_answers_and_summaries_share_a_round(watched, take, days):
    at = datetime(2026, 10, 1, 5, tzinfo=UTC).timestamp()
    watched.send([{**one, "time": at, "group": "m0"} for one in answers(99, 300)], work=False)
    for one in days:
        take(one)
    finish(watched)
    assert watched.rounds[0].answers == 540
    keys = [row.key for row in stored(watched.database, "answers") if row.round == 1]
    assert len(keys) == CAPACITY
    # About 300 of 540 of them are answers that came by themselves.
    of_files = sum("\x1f" in key for key in keys)
    assert 25 < of_files < 65


@on_sqlite
def test_a_closed_round_takes_no_more(watched, take, days, tmp_path):
    for one in days[:10]:
        take(one)
    finish(watched)
    late = hf.summarise(write_part(tmp_path / "late.jsonl", 1, 30, seed=77), **OPTIONS)
    receipt = take(late)
    assert (receipt.accepted, receipt.late) == (30, 30)
    assert watched.rounds[0].late == 30


@on_sqlite
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": "12h"}, "every is 12h in the summary, and 1d in the stream 's'"),
        ({"time_zone": "Asia/Tokyo"}, "time-zone is Asia/Tokyo in the summary, and UTC"),
        ({"normalize": "nfkc"}, "normalize is nfkc in the summary, and nfc"),
        ({"capacity": 50}, "keeps 50 answers of a round, the stream 100"),
        ({"values": ("score",)}, "value is score in the summary, and none"),
    ],
)
def test_other_settings_are_named(take, tmp_path, options, message):
    path = write_part(tmp_path / "a.jsonl", 1, 20, seed=1)
    if "values" in options:
        lines = [{**json.loads(line), "score": 1.0} for line in path.read_text().splitlines()]
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    with pytest.raises(Problem, match="summarise with") as raised:
        take(hf.summarise(path, **{**OPTIONS, **options}))
    assert raised.value.status == 422
    assert message in raised.value.detail


@on_sqlite
def test_files_that_were_taken_beside_new_ones_are_named(watched, take, days):
    take(days[0])
    with pytest.raises(Problem, match="before: summarise each file once") as raised:
        take(hf.merge(days[:2]))
    assert raised.value.status == 409
    assert "day1-0.jsonl before" in raised.value.detail
    assert watched.row.answers == days[0].answers


@on_sqlite
def test_what_is_missing_in_a_summary_is_said_of_its_rounds(watched, take, tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    for day in range(1, 6):
        write_part(folder / f"{day}.jsonl", day, 30, seed=day)
    (folder / "6.jsonl").write_text("{no json}\n" * 3)
    receipt = take(hf.summarise(folder, **OPTIONS))
    assert "is missing: " in receipt.notes[0]
    assert "6.jsonl" in receipt.notes[0]
    finish(watched)
    assert all("6.jsonl" in row.note for row in watched.rounds)


@on_sqlite
def test_a_round_of_the_future_is_refused(watched, take, days):
    watched.now = datetime(2026, 10, 3, 1, tzinfo=UTC).timestamp()
    with pytest.raises(Problem, match="the round '2026-10-06' begins in the future"):
        take(days[-1])


def with_total(summary, **changes):
    [(label, total)] = summary.totals.items()
    return replace(summary, totals={label: replace(total, **changes)})


def with_cells(summary, **cells):
    return replace(summary, frame=summary.frame.with_columns(**cells))


FORGED = [
    lambda one: with_total(one, answers=-5),
    lambda one: with_total(one, answers=10**30),
    lambda one: with_total(one, answers=3),
    lambda one: with_total(one, letters=0.5),
    lambda one: with_total(one, empty=one.answers + 1),
    lambda one: with_total(one, groups={"m0": one.answers + 1}),
    lambda one: with_total(one, groups={"m0": "many"}),
    lambda one: with_total(one, groups={"a\nb": 1}),
    lambda one: with_total(one, groups={"m" * 300: 1}),
    lambda one: with_total(one, values={"score": (1, float("inf"))}),
    lambda one: replace(one, totals={}),
    lambda one: replace(one, settings=replace(one.settings, capacity="many")),
    lambda one: replace(one, files=(replace(one.files[0], sha256="../../x"),)),
    lambda one: replace(one, files=()),
    lambda one: with_cells(one, priority=pl.lit(7, pl.UInt64)),
    lambda one: with_cells(one, file=pl.lit(9, pl.Int32)),
    lambda one: with_cells(one, group=pl.lit("a\x07")),
    lambda one: with_cells(one, row=pl.lit("1")),
    lambda one: with_cells(one, text=pl.lit(1)),
    lambda one: replace(one, frame=one.frame.drop("label")),
    lambda one: replace(one, frame=one.frame.drop("priority")),
    lambda one: with_cells(one, label=pl.lit("no day")),
]


@on_sqlite
def test_a_forged_summary_is_refused(watched, take, tmp_path):
    made = hf.summarise(write_part(tmp_path / "a.jsonl", 1, 20, seed=1), **OPTIONS)
    for number, forge in enumerate(FORGED):
        with pytest.raises(Problem) as raised:
            take(forge(made))
        assert raised.value.status == 422, number
    assert watched.row.answers == 0
    assert stored(watched.database, "answers") == []


@on_sqlite
def test_over_http(client, token, days, tmp_path, service, machine_clock):
    machine_clock.now = NOW
    whole = days[0].save(tmp_path / "whole.summary").read_bytes()
    admin, sender = token("admin"), token("ingest")
    path = "/v1/streams/s/summaries"
    missing = client.post(path, content=whole, headers=sender)
    assert missing.status_code == 404
    assert "a capacity" in missing.json()["detail"]
    client.put("/v1/streams/s", json={"every": "1d"}, headers=admin)
    whole_rounds = client.post(path, content=whole, headers=sender)
    assert whole_rounds.status_code == 409
    assert "stores all answers of a round" in whole_rounds.json()["detail"]
    client.put("/v1/streams/s", json={"every": "1d", "capacity": CAPACITY}, headers=admin)
    assert client.post(path, content=whole, headers=token("read")).status_code == 403
    reply = client.post(path, content=whole, headers=sender)
    assert reply.json()["rounds"] == ["2026-10-01"]
    for body in (b"", b"no summary", whole[:-100], whole[: len(whole) // 2]):
        reply = client.post(path, content=body, headers=sender)
        assert reply.status_code == 422
        assert "summary" in reply.json()["detail"]
        assert "/tmp" not in reply.text
