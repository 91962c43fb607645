"""A stored run, checked against itself."""

import json
import shutil
import sqlite3
from contextlib import closing

import pytest

import hayflick as hf
from hayflick.cli.main import main

from .conftest import REAL, village

RULES = """
format_version = 1
mode = "act"
baseline = 2
[[watch]]
name = "apart"
metric = "rms_distance"
below = {limit}
actions = ["tell"]
[[action]]
name = "tell"
kind = "notify"
message = "look"
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verified")
    (folder / "rules.toml").write_text(RULES.format(limit=9.0))
    (folder / "real.txt").write_text("\n".join(REAL))
    experiment = village(rounds=4, answers=3, rules="rules.toml", pool={"file": "real.txt"})
    hf.run_network(experiment, out=folder / "run", folder=folder)
    return folder


@pytest.fixture
def folder(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "here")


def changed(run, statement):
    with closing(sqlite3.connect(run / "run.db")) as database:
        database.execute(statement)
        database.commit()
    return run


def differences(run):
    return {one.name: one.differences for one in hf.verify_network(run).checks if one.differences}


def test_a_run_as_it_was_made_is_sound(whole, capsys):
    found = hf.verify_network(whole / "run")
    assert found.sound
    assert not any(one.skipped for one in found.checks)
    assert hf.report_network(whole / "run").decisions
    assert main(["network", "verify", str(whole / "run")]) == 0
    assert "Nothing differs (4 rounds)." in capsys.readouterr().out


@pytest.mark.parametrize(
    "changes",
    [
        {"pool": {"texts": REAL, "policy": "add-all"}},
        {"pool": {"texts": REAL, "policy": "window:2", "owners": "split"}},
        {"pool": {"texts": REAL, "inject": 2}, "reserve": {"texts": ["It is late.", "So it is."]}},
        {"query": None, "queries": [{"text": "Who?"}, {"text": "How?"}], "retrieval": "nearest:3"},
        {"topology": "ring:1", "retrieval": "recent:0.5,half-life=2"},
        {"observe": {"slow": ["drift"], "must_keep": ["rain"]}},
    ],
)
def test_every_kind_of_run_is_sound(tmp_path, changes):
    run = hf.run_network(village(rounds=3, **changes), out=tmp_path / "run")
    assert differences(run) == {}


def test_a_run_that_was_stopped_is_sound(tmp_path):
    class StoppedError(Exception):
        pass

    def stop(message, done, total):
        if done == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        hf.run_network(village(rounds=4), out=tmp_path / "run", progress=stop)
    assert differences(tmp_path / "run") == {}


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        (
            "UPDATE run_answers SET text = text || ' again' WHERE round = 2 AND place = 1",
            "readings",
        ),
        (
            "UPDATE run_answers SET text = 'Other.' WHERE round = 2 AND place = 0",
            "texts of the pool",
        ),
        ("UPDATE run_texts SET text = 'Other.' WHERE number = 3", "texts of the pool"),
        ("UPDATE run_texts SET withdrawn = 1 WHERE number = 3", "texts that were read"),
        ("UPDATE run_reads SET texts = x'00000000' WHERE round = 3", "texts that were read"),
        (
            (
                "UPDATE run_rounds SET readings = json_set(readings, '$[0].values.pool_size', 7.5)"
                " WHERE number = 2"
            ),
            "readings",
        ),
        (
            (
                "UPDATE run_rounds SET readings = json_set(readings, '$[0].values.rms_distance',"
                " 1.0000001 * json_extract(readings, '$[0].values.rms_distance')) WHERE number = 2"
            ),
            "readings",
        ),
        ("UPDATE run_rounds SET decisions = '[]' WHERE number = 3", "decisions"),
        ("DELETE FROM run_rounds WHERE number = 4", "every round is complete"),
        ("UPDATE run SET seed = seed + 1", "every round is complete"),
        (
            "UPDATE run_answers SET tokens_out = -5 WHERE round = 2 AND place = 1",
            "spending fits the answers and the budget",
        ),
        (
            "UPDATE run_answers SET attempts = 0 WHERE round = 2 AND place = 1",
            "spending fits the answers and the budget",
        ),
        ("UPDATE run_usage SET tokens = 1", "spending fits the answers and the budget"),
        (
            "UPDATE run_texts SET embedding = zeroblob(length(embedding)) WHERE number = 9",
            "texts of the pool",
        ),
        ("DELETE FROM run_answers WHERE round = 1 AND place = 2", "every round is complete"),
        ("UPDATE run_usage SET tokens = -1", "spending fits the answers and the budget"),
        (
            "UPDATE run SET config = json_set(config, '$.experiment.seed', 8)",
            "texts that were read",
        ),
    ],
)
def test_what_was_changed_is_said(folder, capsys, statement, check):
    run = changed(folder / "run", statement)
    assert check in differences(run)
    assert main(["network", "verify", str(run), "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert not found["sound"]
    assert any(one["name"] == check and one["differences"] for one in found["checks"])


def test_what_needs_no_vectors_is_computed_where_vectors_cost_money(folder, monkeypatch):
    monkeypatch.setattr("hayflick.network.verify.HashingEmbedder", type("Free", (), {}))
    assert differences(folder / "run") == {}
    run = changed(
        folder / "run", "UPDATE run_answers SET text = 'Other.' WHERE round = 2 AND place = 2"
    )
    assert set(differences(run)) == {"readings"}


def test_a_cost_is_that_of_the_tokens_at_the_prices(folder):
    prices = {"kind": "openai", "model": "m", "price_in": 1.0, "price_out": 2.0}
    with closing(sqlite3.connect(folder / "run" / "run.db")) as database:
        ((config,),) = database.execute("SELECT config FROM run")
        config = json.loads(config)
        agent = config["experiment"]["agents"][0]
        agent.pop("texts")
        agent.update(prices, base_url="http://127.0.0.1:1/v1")
        database.execute("UPDATE run SET config = ?", [json.dumps(config)])
        database.execute(
            "UPDATE run_answers SET tokens_in = 1000000, tokens_out = 1, cost = 1.000002"
        )
        database.execute("UPDATE run_usage SET tokens = 900000000, money = 900")
        database.commit()
    assert "spending fits the answers and the budget" not in differences(folder / "run")
    run = changed(folder / "run", "UPDATE run_answers SET tokens_out = 2 WHERE round = 2")
    assert "its tokens cost" in differences(run)["spending fits the answers and the budget"][0]


def test_a_file_that_has_changed_is_said(whole, tmp_path):
    # The run looks for its files where it was begun.
    kept = (whole / "real.txt").read_text()
    try:
        (whole / "real.txt").write_text(kept + "\nOne more.")
        found = differences(whole / "run")
        assert "has changed since" in found["files are unchanged"][0]
        (whole / "real.txt").unlink()
        assert not hf.verify_network(whole / "run").sound
    finally:
        (whole / "real.txt").write_text(kept)


def test_what_is_no_run_is_unreadable(tmp_path, capsys):
    assert main(["network", "verify", str(tmp_path)]) == 2
    assert "holds no run" in capsys.readouterr().err


def test_rules_that_were_replaced_are_known_round_by_round(folder):
    experiment = village(rounds=4, answers=3, rules="rules.toml", pool={"texts": REAL})

    class StoppedError(Exception):
        pass

    def stop(message, done, total):
        if done == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        hf.run_network(experiment, out=folder / "other", folder=folder, progress=stop)
    # The same file, corrected in place.
    (folder / "rules.toml").write_text(RULES.format(limit=0.0))
    run = hf.resume_network(folder / "other", rules=folder / "rules.toml")
    assert run.finished
    assert {one.round for one in run.decisions} == {1, 2}
    assert [one.from_round for one in run.rules] == [1, 3]
    assert differences(run) == {}
    assert "rules.toml" in run.save(folder / "page.html").read_text()
    # Once more, with the rules that it has now.
    assert hf.resume_network(folder / "other").to_dict() == run.to_dict()
    (folder / "rules.toml").unlink()
    assert hf.verify_network(run).sound
