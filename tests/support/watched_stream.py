"""A service with one stream whose rounds are kept by hand, and what `watch` finds in it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

import hayflick as hf
from hayflick.service.api_export import export_rows, stream_columns, watch_arguments
from hayflick.service.ingest import ingest
from hayflick.service.round_keeper import RoundKeeper
from hayflick.service.service import Clock, Service
from hayflick.service.settings import ServiceSettings
from hayflick.service.stored_watch import stored_watch
from hayflick.service.stream_settings import StreamSettings
from hayflick.service.streams import put_stream, settings_of
from hayflick.storage.accounts import Principal, project_named
from hayflick.storage.database import Database
from hayflick.storage.readings import verdicts_of_stream
from hayflick.storage.rounds import rounds_of
from hayflick.storage.rules import store_rules
from hayflick.storage.service_tables import TABLES
from hayflick.storage.streams import stream_named

BEGIN = 1_790_000_000.0
HOUR = 3600.0
WORDS = [f"word{number}" for number in range(400)]


class Watched:
    """A service with one stream, whose rounds are kept by hand."""

    def __init__(self, database: Database, *, kind: str = "answers", **settings: Any) -> None:
        self.now = BEGIN
        self.service = Service(database, ServiceSettings(), clock=Clock(lambda: self.now))
        self.service.start()
        self.keeper = RoundKeeper(self.service)
        self.kind, self.database = kind, database
        with database.transaction() as connection:
            project = project_named(connection, "default", now=BEGIN)
            self.principal = Principal(project, "test", frozenset({"ingest"}))
            if rules := settings.pop("rule_file", None):
                store_rules(connection, project, "mine", rules, author="me", now=BEGIN)
                settings["rules"] = "mine"
            put_stream(
                connection,
                project,
                "s",
                kind=kind,
                settings=StreamSettings(**{"silent_after": 0.0, **settings}),
                most=10,
                now=BEGIN,
            )

    def send(self, items: Sequence[dict[str, Any]], *, work: bool = True):
        sent = ingest(self.service, self.principal, "s", self.kind, items).result()
        if work:
            self.keeper.work()
        return sent

    def work(self) -> None:
        self.keeper.work()

    def stop(self) -> None:
        """End the thread that writes."""
        self.service.stop()

    def restart(self) -> None:
        """Have another process go on."""
        self.keeper = RoundKeeper(self.service)

    @property
    def row(self):
        with self.database.connect() as connection:
            return stream_named(connection, self.principal.project, "s")

    @property
    def rounds(self):
        with self.database.connect() as connection:
            return rounds_of(connection, self.row.id)

    def result(self):
        return stored_watch(self.database, self.row)

    def watched(self, **more: Any):
        """What `watch` finds in the measured rounds of the export."""
        row, settings = self.row, settings_of(self.row)
        with self.database.connect() as connection:
            columns = stream_columns(connection, row, settings)
            rows = list(export_rows(connection, row, columns, last=row.measured_round))
        arguments = {**watch_arguments(settings, columns), **more}
        return hf.watch(rows, **arguments)

    def check(self) -> None:
        """Compare what is stored with what `watch` finds."""
        found, expected = self.result(), self.watched()
        if isinstance(settings_of(self.row).every, str):
            assert found.rounds == expected.rounds
        assert len(found.rounds) == len(expected.rounds)
        assert list(found.readings) == list(expected.readings)
        for group, series in expected.readings.items():
            for mine, theirs in zip(found.readings[group], series, strict=True):
                assert list(mine.values) == list(theirs.values)
                assert mine.values == pytest.approx(theirs.values, rel=1e-9, abs=0.0)
        charts = {(one.text, one.group): one for one in expected.charts}
        assert {(one.text, one.group) for one in found.charts} == set(charts)
        stored = {}
        with self.database.connect() as connection:
            for one in verdicts_of_stream(connection, self.row.id):
                stored[one.chart, one.group, one.round] = one
        for one in found.charts:
            theirs = charts[one.text, one.group]
            for mine, verdict in zip(one.verdicts, theirs.verdicts, strict=True):
                assert (mine.state, mine.since) == (verdict.state, verdict.since)
                kept = stored.pop((one.text, one.group, mine.round), None)
                assert (kept is None) == (mine.value is None)
                if kept is not None:
                    assert kept.state == mine.state.value
                    assert kept.since == mine.since
                    numbers = (kept.value, kept.statistic, kept.limit, kept.evidence)
                    assert numbers == (mine.value, mine.statistic, mine.limit, mine.evidence)
                    theirs_too = (verdict.value, verdict.statistic, verdict.limit)
                    assert numbers[:3] == pytest.approx(theirs_too, rel=1e-9)
        assert not stored
        assert found.unread == expected.unread
        missing = [
            {(one.text, one.group) for one in each.missing_charts} for each in (found, expected)
        ]
        assert missing[0] == missing[1]


def watching(database: Database) -> Iterator[Callable[..., Watched]]:
    """Yield what makes such services, which end with the test."""
    made: list[Watched] = []

    def make(**settings: Any) -> Watched:
        made.append(Watched(database, **settings))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def text_of(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(WORDS[:words], k=12))


def answers(seed: int, number: int, *, words: int = 400, **fields: Any) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    return [{"text": text_of(rng, words), **fields} for _ in range(number)]


def stored(database: Database, table: str):
    with database.connect() as connection:
        found = TABLES.tables[table]
        return list(connection.execute(sa.select(found).order_by(*found.primary_key.columns)))
