"""`hayflick gate --state`: whether a pipeline may go on, by what `watch` has kept."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.storage.watch_records import watch_records

WORDS = [f"word{number}" for number in range(300)]
HOW: dict[str, Any] = {"by": "day", "text": "text", "baseline": 20}
SHEWHART = "distinct_2=shewhart:run_length=100"


def answers(days: range, *, few: bool = False) -> list[dict[str, Any]]:
    words, found = WORDS[:3] if few else WORDS, []
    for day in days:
        rng = random.Random(day)
        for place in range(24):
            text = " ".join(rng.choices(words, k=7))
            found.append({"day": f"day {day}", "text": text, "model": "ab"[place % 2]})
    return found


def watched(state: Path, *parts: list[dict[str, Any]], **more: Any) -> hf.WatchResult:
    return hf.watch([one for part in parts for one in part], state=state, **{**HOW, **more})


def gate(state: Path, *arguments: str) -> int:
    return main(["gate", "--state", str(state), *arguments])


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "watch.state"


def test_healthy_then_an_alarm_that_stands_then_one_that_is_over(state: Path, capsys: Any) -> None:
    healthy, bad, good = (
        answers(range(24)),
        answers(range(24, 26), few=True),
        answers(range(26, 28)),
    )
    watched(state, healthy, charts=[SHEWHART])
    assert gate(state) == 0
    assert capsys.readouterr().out == "watch.state: healthy after 24 rounds, the last is day 23\n"
    watched(state, healthy, bad, charts=[SHEWHART])
    assert gate(state) == 1
    said = capsys.readouterr().out
    assert said.startswith("watch.state: alarm since round day 24; distinct_2 went from 1 to 0.0")
    assert "less\n" in said
    # The result of watch tells of all rounds, the gate of how the charts stand.
    assert not watched(state, healthy, bad, good, charts=[SHEWHART]).healthy
    assert gate(state) == 0
    assert "healthy after 28 rounds" in capsys.readouterr().out


def test_python_and_the_command_line_say_the_same(state: Path, capsys: Any) -> None:
    watched(state, answers(range(24)), answers(range(24, 30), few=True), group="model")
    assert gate(state, "--format", "json") == 1
    found = hf.gate(state=state)
    assert json.loads(capsys.readouterr().out) == found.to_dict()
    assert found.alarm
    assert not found.passed
    assert found.health.rounds == 30
    assert found.health.since in {f"day {day}" for day in range(20, 30)}
    assert found.health.fall is not None
    assert 0.1 < found.health.fall["loss"] < 1.0


def test_a_number_that_falls_without_an_alarm_passes(state: Path, capsys: Any) -> None:
    healthy = answers(range(22))
    less = [{**one, "text": " ".join(one["text"].split()[:6])} for one in answers(range(22, 27))]
    more = {"values": ["length"], "false_alarms": 1e-9, "text": "text"}
    for one in (*healthy, *less):
        one["length"] = 10.0 + len(one["text"].split()) + random.Random(one["text"]).random()
    result = watched(state, healthy, less, **more)
    assert result.verdict.value == "falling"
    assert gate(state) == 0
    said = capsys.readouterr().out
    assert said.startswith("watch.state: falling after 27 rounds, the last is day 26; ")
    assert said.endswith("% less\n")


def test_rounds_without_answers_are_no_reading(state: Path, capsys: Any) -> None:
    empty = [{**one, "text": ""} for one in answers(range(24, 26))]
    watched(state, answers(range(24)), empty)
    assert gate(state) == 3
    assert capsys.readouterr().out == "watch.state: no reading since round day 24\n"


def test_a_state_that_nobody_writes_any_more_is_no_reading(state: Path, capsys: Any) -> None:
    watched(state, answers(range(24)))
    assert gate(state, "--max-age", "1h") == 0
    with watch_records(state) as records:
        health = records.parts()["health"]
        records.replace_part("health", {**health, "written": "2020-01-01T00:00:00+00:00"})
    capsys.readouterr()
    assert gate(state) == 0
    assert gate(state, "--max-age", "1d") == 3
    assert "no reading: it was written 2" in capsys.readouterr().out


def test_rules_that_may_act_alarm_until_they_may_decide_again(tmp_path: Path, state: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(
        'format_version = 1\nmode = "act"\nbaseline = 10\n'
        '[[action]]\nname = "tell"\nkind = "notify"\n'
        '[[watch]]\nname = "words"\nmetric = "distinct_2"\nchart = "shewhart"\n'
        'actions = ["tell"]\ncool_down = 2\n',
        encoding="utf-8",
    )
    how = {"rules": rules, "baseline": 10}
    healthy, bad = answers(range(20)), answers(range(20, 21), few=True)
    watched(state, healthy, **how)
    assert hf.gate(state=state).passed
    watched(state, healthy, bad, **how)
    assert hf.gate(state=state).alarm
    watched(state, healthy, bad, answers(range(21, 23)), **how)
    assert hf.gate(state=state).alarm
    watched(state, healthy, bad, answers(range(21, 25)), **how)
    assert hf.gate(state=state).passed


def test_the_state_is_only_read_while_another_call_holds_it(state: Path) -> None:
    watched(state, answers(range(24)))
    before = state.read_bytes()
    with watch_records(state):
        assert gate(state) == 0
    assert state.read_bytes() == before
    assert list(state.parent.iterdir()) == [state]


def test_states_that_cannot_be_used_are_refused(state: Path, tmp_path: Path, capsys: Any) -> None:
    assert gate(state) == 2
    assert (
        "there is no such state; `hayflick watch ANSWERS --state FILE`" in capsys.readouterr().err
    )
    assert not state.exists()
    assert gate(tmp_path) == 2
    assert "is a folder" in capsys.readouterr().err
    state.write_text("no database")
    assert gate(state) == 2
    assert "is no state; `hayflick watch ANSWERS --state FILE`" in capsys.readouterr().err
    shutil.copy(__file__, state)
    assert gate(state) == 2
    state.unlink()
    watched(state, answers(range(24)))
    capsys.readouterr()
    with closing(sqlite3.connect(state)) as database, database:
        database.execute("DELETE FROM watch_parts WHERE name = 'health'")
    assert gate(state) == 2
    assert "one more call of watch with this state writes it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "stream: got nothing, takes the name of a stream"),
        (["s", "--state", "watch.state"], "got a stream and a state, takes the name of a stream"),
        (["s", "--max-age", "1d"], "max_age: got 1d, takes a state"),
        (["--state", "watch.state", "--max-age", "soon"], "max_age: got soon, takes a number"),
    ],
)
def test_calls_that_do_not_fit_are_refused(
    monkeypatch: Any, capsys: Any, arguments: list[str], said: str
) -> None:
    monkeypatch.setenv("HAYFLICK_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("HAYFLICK_TOKEN", "hf_read")
    assert main(["gate", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_state_that_is_given_as_a_stream_is_answered_with_the_option(
    state: Path, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.delenv("HAYFLICK_URL", raising=False)
    watched(state, answers(range(24)))
    assert main(["gate", str(state)]) == 2
    assert f"--state {state}" in capsys.readouterr().err
