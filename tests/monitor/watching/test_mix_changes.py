"""Groups that fall silent: all answers together keep their mix, or have no reading."""

import json
import random

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.diversity.group_mix import GroupMix

NAMES = ("anna", "bert", "carl", "dora")
COLUMNS = {"by": "round", "text": "answer", "group": "agent"}
FAST = {**COLUMNS, "embedder": "hashing:dimensions=64"}


UNSTEADY = (0, 3, 6, 7)
"""Seeds of records whose charts of all answers alarm where the mix is not corrected."""


def record(seed=1, rounds=36, answers=12):
    """Return a healthy record of four agents, each with words of its own beside common ones."""
    rng = random.Random(seed)
    found = []
    for number in range(1, rounds + 1):
        for name in NAMES:
            for place in range(answers):
                words = [f"w{rng.randrange(300)}" for _ in range(5)]
                words += [f"{name}{rng.randrange(150)}" for _ in range(5)]
                text = " ".join(words)
                row = {"round": number, "agent": name, "prompt": f"q{place % 3}", "answer": text}
                found.append(row)
    return found


def without(rows, rounds, *, name="dora", every=1):
    """Return a record in which some answers of an agent are gaps."""
    return [
        {**row, "answer": None, "missing": "no answer within 9 s"}
        if row["agent"] == name and row["round"] in rounds and place % every == 0
        else row
        for place, row in enumerate(rows)
    ]


@pytest.mark.parametrize("prompt", [None, "prompt"])
def test_an_agent_that_falls_silent_is_no_alarm(prompt):
    for seed in range(2) if prompt else UNSTEADY:
        rows = without(record(seed), range(21, 37))
        watched = hf.watch(rows, **FAST, prompt=prompt)
        assert not watched.alarms
        assert watched.silent_since_name == "21"
        assert watched.verdict.value in ("no reading", "falling")
        [change] = watched.mix_changes
        assert (change.kind, change.group, change.since) == ("silent", "dora", "21")
        assert len(change.rounds) == 16
        assert all(chart.silent_since is None for chart in watched.charts if chart.group == "anna")


def test_the_same_streams_alarm_without_the_correction(monkeypatch):
    monkeypatch.setattr(GroupMix, "kept", lambda *_, **__: None)
    streams = [hf.watch(without(record(seed), range(21, 37)), **FAST) for seed in UNSTEADY]
    assert all(any(not chart.group for chart in one.alarms) for one in streams)


def test_a_part_of_an_agents_answers_keeps_the_mix():
    rows = without(record(), range(21, 37), every=3)
    watched = hf.watch(rows, **FAST)
    assert not watched.alarms
    [change] = watched.mix_changes
    assert (change.kind, change.group, change.since) == ("sparse", "dora", "21")
    values = watched.readings[""][30].values
    assert (values["answers"], values["empty_answers"]) == (48, 4)
    # Eight of each agent are left.
    assert values["left_out_answers"] == 12
    assert all("left_out_answers" not in one.values for one in watched.readings[""][:20])


def test_an_outage_that_ends_costs_its_rounds_alone():
    watched = hf.watch(without(record(), {4, 15, 22}), **FAST)
    assert watched.verdict.value == "healthy"
    [change] = watched.mix_changes
    assert (change.kind, change.rounds, change.since) == ("silent", ("4", "15", "22"), None)
    spread = watched.series("spread")
    assert [place + 1 for place, value in enumerate(spread) if value is None] == [4, 15, 22]
    assert not watched.short_rounds
    assert not watched.unread


def test_what_the_others_lose_is_still_found():
    rows = without(record(), range(21, 37))
    rows = [
        {**row, "answer": "always the same"}
        if row["agent"] == "anna" and row["round"] > 24
        else row
        for row in rows
    ]
    watched = hf.watch(rows, **FAST)
    assert watched.verdict.value == "alarm"
    assert {chart.group for chart in watched.alarms} == {"anna"}


def test_an_agent_that_was_silent_in_the_baseline_is_left_out():
    watched = hf.watch(without(record(), range(1, 21)), **FAST)
    assert watched.verdict.value == "healthy"
    assert [(one.kind, one.group) for one in watched.mix_changes] == [("left out", "dora")]
    assert watched.readings[""][-1].values["left_out_answers"] == 12


def test_a_mean_of_numbers_has_no_reading_either():
    rng = random.Random(2)
    rows = [
        {**row, "score": rng.gauss(2.0 if row["agent"] == "dora" else 1.0, 0.1)} for row in record()
    ]
    rows = [
        {**row, "score": None} if row["agent"] == "dora" and row["round"] > 20 else row
        for row in rows
    ]
    watched = hf.watch(rows, by="round", values=["score"], group="agent")
    assert not watched.alarms
    assert watched.silent_since_name == "21"
    assert [(one.kind, one.since) for one in watched.mix_changes] == [("silent", "21")]


def test_groups_that_are_gone_or_new_are_named_and_measured():
    rows = record()
    gone = hf.watch([r for r in rows if r["agent"] != "dora" or r["round"] < 21], **FAST)
    assert [(one.kind, one.group, one.since) for one in gone.mix_changes] == [
        ("gone", "dora", "21")
    ]
    assert gone.series("spread")[-1] is not None
    new = hf.watch([r for r in rows if r["agent"] != "dora" or r["round"] > 20], **FAST)
    assert [(one.kind, one.group, one.since) for one in new.mix_changes] == [("new", "dora", "21")]


def test_without_groups_unanswered_rows_are_named():
    columns = {**FAST, "group": None}
    watched = hf.watch(without(record(), range(21, 37)), **columns)
    assert [(one.kind, one.since) for one in watched.mix_changes] == [("unanswered", "21")]
    assert not hf.watch(record(), **columns).mix_changes


def test_chance_gaps_of_many_small_groups_change_nothing():
    rng = random.Random(4)
    rows = []
    for number in range(1, 31):
        for _ in range(120):
            text = " ".join(f"w{rng.randrange(200)}" for _ in range(6))
            empty = rng.random() < 0.03
            row = {"round": number, "agent": f"user {rng.randrange(40)}"}
            rows.append({**row, "answer": "" if empty else text})
    watched = hf.watch(rows, **FAST)
    assert all("spread" in reading.values for reading in watched.readings[""])
    assert not [one for one in watched.mix_changes if one.kind in ("silent", "left out")]


def test_a_state_gives_the_same_as_reading_everything(tmp_path):
    rows = without(record(), range(21, 37), every=2)
    path, state = tmp_path / "answers.jsonl", tmp_path / "watch.state"
    for last in (12, 20, 22, 36):
        lines = [json.dumps(row) + "\n" for row in rows if row["round"] <= last]
        path.write_text("".join(lines), encoding="utf-8")
        found = hf.watch(path, **FAST, state=state)
    whole = hf.watch(path, **FAST)
    assert found.mix_changes == whole.mix_changes
    assert found.to_dict()["readings"] == whole.to_dict()["readings"]
    assert found.to_dict()["charts"] == whole.to_dict()["charts"]


def test_the_command_and_the_page_say_since_when(tmp_path, capsys):
    rows = without(record(), range(21, 37))
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    page = tmp_path / "page.html"
    call = ["watch", str(path), "--by", "round", "--text", "answer", "--group", "agent"]
    assert main([*call, "--out", str(page)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    sentence = "All answers together have no reading since round 21: answers of dora are missing"
    assert "No reading of all answers since round 21" in said
    assert sentence in said
    assert sentence in page.read_text(encoding="utf-8")
    assert main([*call, "--format", "json"]) == 0
    [change] = json.loads(capsys.readouterr().out)["mix_changes"]
    assert (change["kind"], change["group"], change["since"]) == ("silent", "dora", "21")
