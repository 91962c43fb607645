"""Answers go into the rounds that `watch` would put them in."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from hayflick.corpus.answer_columns import AnswerColumns
from hayflick.corpus.answers import read_answers
from hayflick.service.placement import Placed
from hayflick.service.placement import place as placed_in
from hayflick.service.stream_settings import StreamSettings
from hayflick.storage.accounts import project_named
from hayflick.storage.database import Database
from hayflick.storage.rounds import close_rounds, rounds_of
from hayflick.storage.streams import create_stream, stream_numbered

NOW = 1_790_000_000.0


class Stream:
    """A stream that answers are placed in."""

    def __init__(self, database: Database, **settings: object) -> None:
        self.database, self.settings = database, StreamSettings(**settings)
        with database.transaction() as connection:
            project = project_named(connection, "default", now=NOW)
            text = self.settings.model_dump_json()
            made = create_stream(connection, project, "s", kind="answers", settings=text, now=NOW)
        self.number = made.id

    def put(self, *times: float, now: float = NOW, weight: int = 1) -> list[Placed]:
        with self.database.transaction() as connection:
            row = stream_numbered(connection, self.number, lock=True)
            items = [(at, weight) for at in times]
            return placed_in(connection, row, self.settings, items, now=now)

    def close(self, *numbers: int) -> None:
        with self.database.transaction() as connection:
            close_rounds(connection, self.number, numbers, now=NOW)

    @property
    def rounds(self):
        with self.database.connect() as connection:
            return rounds_of(connection, self.number)

    @property
    def row(self):
        with self.database.connect() as connection:
            return stream_numbered(connection, self.number)


@pytest.fixture
def place(tmp_path):
    return str(tmp_path / "service.db")


def test_rounds_of_a_number_are_closed_when_they_are_full(database):
    stream = Stream(database, every=3)
    assert [one.round for one in stream.put(*[NOW] * 4)] == [1, 1, 1, 2]
    assert [one.round for one in stream.put(*[NOW] * 3)] == [2, 2, 3]
    assert [(one.status, one.answers) for one in stream.rounds] == [
        ("closed", 3),
        ("closed", 3),
        ("open", 1),
    ]
    assert (stream.row.open_round, stream.row.open_answers, stream.row.answers) == (3, 1, 7)
    stream.put(NOW, NOW)
    assert (stream.row.open_round, stream.row.open_answers) == (4, 0)
    assert len(stream.rounds) == 3


def test_a_row_of_counts_goes_into_one_round(database):
    stream = Stream(database, every=10)
    assert [one.round for one in stream.put(NOW, NOW, NOW, weight=7)] == [1, 1, 2]
    assert [one.answers for one in stream.rounds] == [14, 7]


def test_windows_take_answers_by_their_time_and_have_gaps(database):
    stream = Stream(database, every="1h", time_zone="Asia/Tokyo")
    hour = 3600.0
    begin = NOW - NOW % hour
    found = stream.put(begin - 3 * hour, begin - hour / 2, begin + 1)
    assert [(one.round, one.late) for one in found] == [(1, False), (3, False), (4, False)]
    assert [one.answers for one in stream.rounds] == [1, 0, 1, 1]
    assert found[0].name == datetime.fromtimestamp(begin - 3 * hour, UTC).astimezone(
        ZoneInfo("Asia/Tokyo")
    ).isoformat(timespec="minutes")
    assert stream.rounds[0].due == NOW + 60.0
    assert stream.rounds[3].due == begin + hour + 60.0


def test_answers_to_closed_windows_are_late_and_the_future_is_now(database):
    stream = Stream(database, every="1h")
    hour = 3600.0
    stream.put(NOW - 5 * hour, NOW)
    stream.close(1, 2, 3, 4)
    found = stream.put(NOW - 4 * hour, NOW - 9 * hour, -1e18, NOW + 1e12)
    assert [(one.round, one.late) for one in found] == [(2, True), (0, True), (0, True), (6, False)]
    assert found[-1].at == NOW
    assert (stream.row.answers, stream.row.late, stream.rounds[1].late) == (6, 3, 1)
    # The fifth is still open.
    assert stream.put(NOW - hour)[0] == Placed(
        5, late=False, at=NOW - hour, name=stream.rounds[4].name
    )


def test_a_first_answer_from_long_ago_makes_no_million_of_rounds(database):
    stream = Stream(database, every="1m")
    assert stream.put(0.0)[0].round == 0
    assert not stream.rounds
    assert [one.round for one in stream.put(0.0, NOW)] == [0, 1]


def test_an_answer_is_found_its_window_among_many(database):
    stream = Stream(database, every="1m", grace_s=0.0)
    stream.put(NOW - 400 * 60.0, NOW)
    rounds = stream.rounds
    rng = random.Random(3)
    for at in [NOW - 400 * 60.0, *(NOW - rng.random() * 400 * 60.0 for _ in range(20))]:
        found = stream.put(at, 5.0)
        own = next(one for one in rounds if one.begins <= found[0].at < one.ends)
        assert found[0].round == own.number
        assert found[1].round == 0


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu"])
@pytest.mark.parametrize("every", ["15m", "2h", "1d", "1w", "1mo"])
def test_windows_are_those_of_watch(database, every, zone):
    # Over the change of clocks in Europe.
    length = {"m": 900, "h": 7200, "d": 86400, "w": 7 * 86400, "o": 30 * 86400}[every[-1]]
    rng = random.Random(every + zone)
    begin = datetime(2026, 10, 24, 22, 30, tzinfo=UTC).timestamp()
    times = [begin, *(begin + rng.random() * 12 * length for _ in range(30))]
    stream = Stream(database, every=every, time_zone=zone)
    now = begin + 100 * length
    placed = [*stream.put(*times[:1], now=now), *stream.put(*times[1:20], now=now)]
    placed += stream.put(*times[20:], now=now)
    table = pl.DataFrame(
        {
            "time": [datetime.fromtimestamp(one.at, UTC).isoformat() for one in placed],
            "text": ["a"] * len(placed),
        }
    )
    columns = AnswerColumns(by="time", text="text")
    read = read_answers(table, columns=columns, every=every, time_zone=zone)
    assert read.rounds == tuple(one.name for one in stream.rounds)
    numbers = {one.round for one in placed}
    assert sorted(one.round for one in placed) == read.frame["round"].to_list()
    assert numbers <= {one.number for one in stream.rounds}
