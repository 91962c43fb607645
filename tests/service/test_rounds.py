"""The service's readings, charts and decisions are those of `watch` on the exported answers."""

from __future__ import annotations

import json
import random
from functools import reduce
from typing import Any

import pytest
import sqlalchemy as sa
from watched_stream import BEGIN, HOUR, Watched, answers, stored, watching

from hayflick.core.errors import DataError
from hayflick.monitor.round_summary import RoundSummary
from hayflick.rules.parsing import parse_rules
from hayflick.rules.rule_set import RuleSet
from hayflick.service import live_stream, round_keeper, round_measuring, round_samples
from hayflick.service.live_stream import LiveStream, StreamRules, stored_rounds
from hayflick.service.round_keeper import RoundKeeper
from hayflick.service.streams import settings_of
from hayflick.storage.database import Database
from hayflick.storage.readings import rollups_of_stream
from hayflick.storage.rounds import round_names


@pytest.fixture
def place(tmp_path: Any) -> str:
    """Only where the engine matters, tests run on PostgreSQL too."""
    return str(tmp_path / "service.db")


@pytest.fixture
def watch(database):
    """Make services over one store, which end with the test."""
    yield from watching(database)


def test_rounds_of_a_number_are_measured_as_watch_does(watch):
    watched = watch(every=40, baseline=6)
    for part in range(10):
        watched.send(answers(part, 40, words=400 if part < 7 else 5))
    assert watched.row.state == "alarm"
    watched.send(answers(99, 33))
    assert [one.status for one in watched.rounds] == ["measured"] * 10 + ["open"]
    watched.check()


def test_windows_with_gaps_are_measured_as_watch_does(watch):
    watched = watch(every="1h", time_zone="Europe/Berlin", baseline=5, grace_s=10.0)
    for part in range(14):
        if part not in {3, 8, 9}:
            watched.send(answers(part, 30, words=400 if part < 10 else 4))
        watched.now += HOUR
        watched.work()
    watched.send(answers(99, 3))
    assert {one.status for one in watched.rounds[:-1]} == {"measured"}
    assert [one.answers for one in watched.rounds[:4]] == [30, 30, 30, 0]
    assert watched.row.state == "falling"
    watched.check()


def test_late_answers_change_no_reading(watch):
    watched = watch(every="1h", baseline=3)
    for part in range(6):
        watched.send(answers(part, 30))
        watched.now += HOUR
    watched.work()
    before = watched.result()
    sent = watched.send(answers(50, 20, time=watched.now - 3 * HOUR))
    assert sent.late == 20
    watched.send(answers(51, 30))
    after = watched.result()
    for mine, theirs in zip(before.readings[""], after.readings[""], strict=False):
        assert mine.values == theirs.values
    assert sum(one.late for one in watched.rounds) == watched.row.late == 20
    watched.check()


def test_groups_that_come_late_share_the_rate_as_in_watch(watch):
    watched = watch(every=40, baseline=6)
    for part in range(12):
        groups = ["a", "b"] if part < 8 else ["a", "b", "c"]
        items = answers(part, 40, words=400 if part < 10 else 6)
        for place, item in enumerate(items):
            item["group"] = groups[place % len(groups)]
        watched.send(items)
        if part == 9:
            watched.restart()
    assert list(watched.result().readings) == ["", "a", "b", "c"]
    watched.check()


def test_answers_without_a_group_are_a_group_where_others_have_one(watch):
    watched = watch(every=30, baseline=5)
    for part in range(7):
        items = answers(part, 30)
        for item in items[:15]:
            item["group"] = "a"
        watched.send(items)
    assert list(watched.result().readings) == ["", "a", "no group"]
    assert watched.result().readings[""][0].values["answers"] == 30.0
    watched.check()


def test_groups_that_the_baseline_lacks_are_said_not_to_be_measured(watch):
    watched = watch(every=30, baseline=5)
    for part in range(7):
        watched.send(answers(part, 30, **({"group": "a"} if part == 6 else {})))
    assert watched.rounds[5].note is None
    assert "name a group" in watched.rounds[6].note
    watched.check()


def test_prompts_are_measured_as_watch_does(watch):
    watched = watch(every=40, baseline=6, values=("score",))
    for part in range(9):
        items = answers(part, 40)
        for place, item in enumerate(items):
            item |= {"prompt": f"p{place % 4}", "values": {"score": place + part}}
        watched.send(items)
    assert any(one.metric == "between_prompts" for one in watched.result().charts)
    assert any(one.metric == "score" for one in watched.result().charts)
    watched.check()


def test_vectors_counts_and_values_are_measured_as_watch_does(database, tmp_path):
    rng = random.Random(5)

    def vectors(part: int) -> list[dict[str, Any]]:
        scale = 1.0 if part < 8 else 0.01
        return [{"vector": [rng.gauss(0, scale) for _ in range(8)]} for _ in range(30)]

    def counts(part: int) -> list[dict[str, Any]]:
        labels = rng.choices(["yes", "no", "maybe", "never"][: 4 if part < 8 else 1], k=60)
        return [{"counts": {one: labels.count(one) for one in set(labels)}}]

    def values(part: int) -> list[dict[str, Any]]:
        mean = 5.0 if part < 8 else 1.0
        return [{"values": {"score": rng.gauss(mean, 0.1)}} for _ in range(20)]

    made = {"vectors": (vectors, 30), "counts": (counts, 60), "values": (values, 20)}
    for kind, (items, every) in made.items():
        with Database(tmp_path / f"{kind}.db") as store:
            watched = Watched(store, kind=kind, every=every, baseline=6)
            for part in range(12):
                watched.send([{k: v for k, v in one.items() if v} for one in items(part)])
            watched.check()
            assert watched.row.state in {"alarm", "falling"}, kind
            watched.stop()


RULES = """
format_version = 1
mode = "act"
baseline = 6
[[watch]]
name = "words"
metric = "distinct_1"
below = 0.3
actions = ["look", "new prompts", "tell"]
[watch.confirm]
needed = 2
of = 3
[[action]]
name = "look"
kind = "review"
items = 5
[[action]]
name = "new prompts"
kind = "vary_prompts"
items = 1
prompts = ["Say it in other words."]
[[action]]
name = "tell"
kind = "notify"
message = "few words"
"""


def test_rules_decide_as_in_watch(database, watch):
    watched = watch(every=40, baseline=6, rule_file=RULES, review=2)
    for part in range(12):
        watched.send(answers(part, 40, words=400 if part < 8 else 5))
        if part == 9:
            watched.restart()
    watched.check()
    rules = RuleSet.of(parse_rules(RULES))
    expected = watched.watched(rules=rules).decisions
    assert expected
    found = watched.result().decisions
    assert [(one.round, one.group) for one in found] == [(one.round, one.group) for one in expected]
    assert [one.reason for one in found[0].actions] == [one.reason for one in expected[0].actions]
    actions = stored(database, "actions")
    assert [(one.round, one.kind) for one in actions] == [
        (one.round, action.kind.value) for one in expected for action in one.actions
    ]
    reviews = stored(database, "reviews")
    sizes = {number: sum(one.round == number for one in reviews) for number in range(1, 13)}
    assert sizes[1] == 2
    assert sizes[expected[0].round] == 5
    assert watched.row.state == "alarm"


def test_a_window_is_closed_by_the_clock_after_its_grace(watch):
    watched = watch(every="1h", grace_s=100.0)
    begin = BEGIN - BEGIN % HOUR
    watched.now = begin + 10.0
    watched.send(answers(1, 5))
    watched.now = begin + HOUR + 99.0
    watched.work()
    assert [one.status for one in watched.rounds] == ["open"]
    assert watched.send(answers(2, 1, time=begin + 20.0)).late == 0
    watched.now += 1.0
    watched.work()
    assert [(one.status, one.answers) for one in watched.rounds] == [("closed", 6)]
    assert watched.send(answers(3, 1, time=begin + 20.0)).late == 1


def test_a_window_that_ended_while_the_service_was_away_has_its_grace(watch):
    watched = watch(every="1h", grace_s=100.0)
    watched.send(answers(1, 5))
    watched.now += 5 * HOUR
    watched.restart()
    watched.keeper.give_grace()
    watched.work()
    assert [one.status for one in watched.rounds] == ["open"]
    assert watched.send(answers(2, 1, time=BEGIN + 20.0)).late == 0
    watched.now += 100.0
    watched.work()
    assert [(one.status, one.answers) for one in watched.rounds] == [("closed", 6)]


def test_a_silent_stream_is_told_once_and_cleared(database, watch):
    watched = watch(every="1h", silent_after=2.0)
    watched.send(answers(1, 5))
    watched.now += 2 * HOUR + 1.0
    watched.work()
    watched.now += HOUR
    watched.work()
    assert watched.row.silent_since == BEGIN
    alerts = stored(database, "alerts")
    assert [(one.kind, one.state) for one in alerts] == [("silent", "open")]
    watched.send(answers(2, 5))
    watched.now += 10.0
    watched.work()
    assert watched.row.silent_since is None
    assert [one.state for one in stored(database, "alerts")] == ["cleared"]


def test_an_alarm_is_raised_once_and_cleared(database, watch):
    watched = watch(every=20, baseline=12, charts=("distinct_1=shewhart",))
    for part in range(20):
        watched.send(answers(part, 20, words=6 if part in {14, 15, 16} else 400))
    alerts = stored(database, "alerts")
    assert [(one.kind, one.state) for one in alerts] == [("alarm", "cleared")]
    content = json.loads(alerts[0].content)
    assert content["charts"][0]["metric"] == "distinct_1"
    assert content["charts"][0]["since"] == 15
    kinds = [one.kind for one in stored(database, "changes")]
    # Healthy, alarm, falling while the median of five rounds is low, and healthy again.
    assert kinds.count("state") == 4
    assert kinds.count("round") == 9
    watched.check()


def test_no_text_is_kept_where_none_is_to_be(database, watch):
    watched = watch(every=30, baseline=4, keep_text=False, review=3)
    for part in range(6):
        watched.send(answers(part, 30, prompt="what?"))
        held = [one for one in stored(database, "answers") if one.text is not None]
        assert len(held) == (30 * (part + 1) if part < 3 else 0)
    assert all(one.texts is None for one in stored(database, "rounds"))
    assert all(one.prompt is None for one in stored(database, "answers"))
    assert not stored(database, "reviews")
    assert watched.result().readings[""][5].values["answers"] == 30.0


def test_texts_are_kept_for_the_rounds_that_are_compared(database, watch):
    watched = watch(every=20, baseline=3)
    for part in range(9):
        watched.send(answers(part, 20, words=400 if part < 6 else 4))
    held = [one.number for one in stored(database, "rounds") if one.texts is not None]
    assert held == [1, 2, 3, 7, 8, 9]
    found, expected = watched.result(), watched.watched()
    assert found.templates == expected.templates
    assert list(found.typical_first) == list(expected.typical_first)
    assert list(found.typical_last) == list(expected.typical_last)


def test_a_round_that_cannot_be_measured_is_said_to_have_failed(watch, monkeypatch):
    watched = watch(every=30, baseline=4)
    for part in range(5):
        watched.send(answers(part, 30))
    measure = round_measuring.measure_round

    def fails(batch: Any, *rest: Any, **more: Any):
        if batch.round == 6:
            raise DataError("the embedder does not answer")
        return measure(batch, *rest, **more)

    monkeypatch.setattr(round_measuring, "measure_round", fails)
    for part in range(5, 8):
        watched.send(answers(part, 30))
    assert watched.rounds[5].status == "closed"
    assert watched.rounds[5].note == "the embedder does not answer"
    for _ in range(3):
        watched.now += 61.0
        watched.work()
    assert [one.status for one in watched.rounds[4:8]] == ["measured", "failed"] + ["measured"] * 2
    series = watched.result().readings[""]
    assert [bool(one.values) for one in series[4:]] == [True, False, True, True]


@pytest.mark.parametrize("kind", ["answers", "counts"])
def test_of_a_very_large_round_a_sample_is_measured(database, watch, monkeypatch, kind):
    watched = watch(every=400, baseline=4, kind=kind)
    monkeypatch.setattr(round_samples, "_MOST_MEASURED", 100)
    for part in range(6):
        counts = {f"l{place}": 40 for place in range(10)}
        watched.send(answers(part, 400) if kind == "answers" else [{"counts": counts}])
    found = [one.values["answers"] for one in watched.result().readings[""]]
    assert found == pytest.approx([100.0] * 6, rel=0.35 if kind == "answers" else 0.0)
    assert len({one.note for one in watched.rounds}) > 1 or kind == "counts"
    assert all("of its 400 answers" in one.note for one in watched.rounds)
    with database.connect() as connection:
        assert rollups_of_stream(connection, watched.row.id, "day")[0].answers == 2400


def test_a_round_that_could_not_be_stored_is_stored_later(watch, database, monkeypatch):
    watched = watch(every=30, baseline=4)
    for part in range(5):
        watched.send(answers(part, 30))

    def full(*given: Any, **more: Any):
        raise sa.exc.OperationalError("INSERT", {}, Exception("database or disk is full"))

    with monkeypatch.context() as patched:
        patched.setattr(round_keeper, "store_rounds", full)
        watched.send(answers(5, 30))
    assert watched.row.measured_round == 5
    watched.now += 61.0
    watched.send(answers(6, 30))
    assert watched.row.measured_round == 7
    watched.check()


def test_a_baseline_that_cannot_be_measured_is_tried_again(watch, monkeypatch):
    watched = watch(every=30, baseline=4)

    def fails(*given: Any, **more: Any):
        raise DataError("the embedder does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(live_stream, "learn_baseline", fails)
        for part in range(5):
            watched.send(answers(part, 30))
        assert watched.rounds[3].note == "the embedder does not answer"
        assert watched.row.measured_round == 0
    watched.now += 61.0
    watched.work()
    assert watched.row.measured_round == 5
    watched.check()


def test_hours_and_days_are_merges_of_rounds(watch):
    watched = watch(every="15m", baseline=3, grace_s=0.0)
    watched.now = BEGIN - BEGIN % (24 * HOUR)
    for part in range(9):
        watched.send(answers(part, 20, group="a"))
        watched.now += 900.0
        watched.work()
    hours, days = (
        [RoundSummary.of_record(one.summary) for one in rollups(watched, period)]
        for period in ("hour", "day")
    )
    assert [one.answers for one in hours] == [80, 80, 20]
    assert [one.groups for one in days] == [{"a": 180}]
    together = reduce(RoundSummary.merge, hours)
    assert days[0].numbers() == pytest.approx(together.numbers())
    assert [one.rounds for one in rollups(watched, "day")] == [9]


def rollups(watched: Watched, period: str):
    with watched.database.connect() as connection:
        return rollups_of_stream(connection, watched.row.id, period)


def test_charts_go_on_from_the_store_as_a_replay_does(database, watch):
    watched = watch(every=20, baseline=4, charts=("rank", "distinct_1=ewma"))
    for part in range(12):
        watched.send(answers(part, 20, words=400 if part < 9 else 6))
        if part % 3 == 0:
            watched.restart()
    with database.connect() as connection:
        row, settings = watched.row, settings_of(watched.row)
        loaded = LiveStream.loaded(connection, row, settings)
        names = round_names(connection, row.id, last=row.measured_round)
        rounds = stored_rounds(connection, row.id, names)
    anew = LiveStream(settings, loaded.measuring, StreamRules(), rounds[: settings.baseline])
    for number, found in enumerate(rounds[settings.baseline :], settings.baseline + 1):
        anew.take(found, number, names[number], lambda: rounds)
    assert list(anew.states().items()) == list(loaded.states().items())
    assert anew.headline == loaded.headline


def test_two_processes_measure_a_round_once(watch):
    watched = watch(every=20, baseline=3)
    other = RoundKeeper(watched.service)
    for part in range(8):
        watched.send(answers(part, 20), work=False)
        assert [watched.keeper.work(), other.work()][:: -1 if part % 2 else 1]
        watched.keeper, other = other, watched.keeper
    assert watched.row.measured_round == 8
    watched.check()
