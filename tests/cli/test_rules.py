import json
import random

import pytest

from hayflick.cli.main import main

RULES = """
format_version = 1
mode = "MODE"
baseline = 5
[[watch]]
name = "words"
metric = ["surviving_fraction", "vocabulary_kept"]
below = 0.3
actions = ["real", "tell"]
[[action]]
name = "real"
kind = "inject"
items = 300
[[action]]
name = "tell"
kind = "notify"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = [f"w{place}" for place in range(1, 200) for _ in range(1 + 300 // place)]
    (tmp_path / "corpus.txt").write_text(" ".join(words))
    rng = random.Random(1)
    rows = [
        {"round": number, "answer": " ".join(rng.choices(words, k=8))}
        for number in range(1, 13)
        for _ in range(30)
    ]
    collapsed = [{**row, "answer": "the same again"} if row["round"] > 9 else row for row in rows]
    for name, lines in (("healthy.jsonl", rows), ("collapsed.jsonl", collapsed)):
        (tmp_path / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    for mode in ("act", "observe"):
        (tmp_path / f"{mode}.toml").write_text(RULES.replace("MODE", mode))
    return tmp_path


def test_rules_go_from_the_plan_to_a_check_an_evaluation_and_a_simulation(folder, capsys):
    plan = ["plan", "corpus.txt", "--keep", "0.7", "--generations", "10", "--replicates", "0"]
    plan += ["--rules-kind", "below"]
    assert main([*plan, "--write-rules", "rules.toml"]) == 0
    assert "wrote rules-kpi.csv" in capsys.readouterr().err
    assert (folder / "rules-kpi.html").exists()
    assert main([*plan, "--write-rules", "rules.toml"]) == 2
    assert "rules.toml: exists already" in capsys.readouterr().err
    common = ["--corpus", "corpus.txt", "--generations", "10"]
    assert main(["rules", "check", "rules.toml", *common]) == 0
    assert "the limit is" in capsys.readouterr().out
    runs = ["--replicates", "8", "--format", "json"]
    assert main(["rules", "evaluate", "rules.toml", *common, *runs]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["keep"] == 0.7
    assert record["with_rule"]["lowest"] > record["without"]["lowest"]
    simulate = ["simulate", "discrete", *common, "--replicates", "4", "--format", "json"]
    assert main([*simulate, "--rules", "rules.toml", "--out", "run.nc"]) == 0
    provenance = json.loads(capsys.readouterr().out)["provenance"]
    assert provenance["parameters"]["regime"] == "triggered:rule=rules.toml,base=replace"
    assert main(["rules", "check", "rules.toml", "--history", "run.nc"]) == 0


def test_a_plan_without_rules_is_still_printed(folder, capsys):
    plan = ["plan", "corpus.txt", "--keep", "0.99", "--generations", "10", "--replicates", "0"]
    assert main([*plan, "--write-rules", "rules.toml", "--rules-kind", "fresh"]) == 2
    captured = capsys.readouterr()
    assert "none of the kind fresh keep 99.0%" in captured.err
    assert "anchor (" in captured.err
    assert "Recommended" in captured.out
    assert not (folder / "rules.toml").exists()


def test_a_plan_is_printed_although_the_runs_of_its_rules_are_interrupted(
    folder, capsys, monkeypatch
):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("hayflick.rules.trial.simulate", stop)
    plan = ["plan", "corpus.txt", "--keep", "0.7", "--generations", "10", "--replicates", "0"]
    assert main([*plan, "--write-rules", "rules.toml"]) == 130
    assert "Recommended" in capsys.readouterr().out
    assert not (folder / "rules.toml").exists()


def test_answers_are_held_against_the_rules(folder, capsys):
    table = ["--text", "answer", "--by", "round"]
    assert main(["watch", "healthy.jsonl", *table, "--rules", "act.toml"]) == 0
    assert "Healthy: the rules have decided nothing" in capsys.readouterr().out
    page = ["--out", "page.html"]
    assert main(["watch", "collapsed.jsonl", *table, "--rules", "act.toml", *page]) == 1
    shown = capsys.readouterr().out
    assert "The rules have decided, first in round 10" in shown
    assert "put in 300 real items" in shown
    assert "put in 300 real items" in (folder / "page.html").read_text(encoding="utf-8")
    assert main(["watch", "collapsed.jsonl", *table, "--rules", "observe.toml"]) == 0
    assert "held back" in capsys.readouterr().out
    as_json = ["--rules", "act.toml", "--format", "json"]
    assert main(["watch", "collapsed.jsonl", *table, *as_json]) == 1
    record = json.loads(capsys.readouterr().out)
    assert [one["round"] for one in record["rules"]["decisions"]] == ["10", "11", "12"]
    assert record["baseline"] == 5
    assert main(["rules", "check", "act.toml", "--answers", "collapsed.jsonl", *table]) == 0


def test_the_schema_is_json(capsys):
    assert main(["rules", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["additionalProperties"] is False
    assert {"format_version", "mode", "watch"} == set(schema["required"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rules", "check", "nowhere.toml"], "nowhere.toml: no such file"),
        (["rules", "evaluate", "act.toml"], "corpus: got nothing, takes the real data"),
        (["rules", "check", "act.toml", "--answers", "healthy.jsonl"], "--text answer --by round"),
        (
            ["rules", "check", "act.toml", "--history", "act.toml"],
            "is no file of hayflick simulate",
        ),
        (
            ["rules", "check", "act.toml", "--history", "a.nc", "--answers", "b.jsonl"],
            "takes nothing beside history",
        ),
        (["simulate", "gaussian", "--rules", "act.toml", "--samples", "9"], "the family discrete"),
        (["plan", "corpus.txt", "--write-rules", "rules.txt"], "ends in .toml"),
        (
            ["watch", "healthy.jsonl", "--by", "round", "--text", "answer", "--rules", "x"],
            "x: no such file",
        ),
    ],
)
def test_a_mistake_is_a_line_on_standard_error(folder, capsys, arguments, message):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""
