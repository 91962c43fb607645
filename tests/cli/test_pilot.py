import json
import os

import numpy as np
import pytest

from hayflick.cli import main as command

DESIGN = ["--arms", "0,0.05,0.2", "--effect", "0.1", "--sd", "0.25", "--correlation", "0.02"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    return command.main(["pilot", *map(str, arguments)])


def write_results(path, plan, means, *, drop=()):
    """Write results of the planned size, with round effects."""
    rng = np.random.default_rng(1)
    with open(path, "w") as file:
        for arm, mean in zip(plan["arms"], means, strict=True):
            for number, answers in enumerate(arm["answers_per_round"], start=1):
                center = mean + rng.normal(0.0, 0.03)
                for value in center + rng.normal(0.0, 0.24, answers):
                    row = {"arm": arm["name"], "round": number, "value": float(value)}
                    if (arm["name"], number) not in drop:
                        print(json.dumps(row), file=file)


@pytest.fixture
def plan(folder, capsys):
    assert run(*DESIGN, "--out", "pilot.json") == 0
    capsys.readouterr()
    return json.loads((folder / "pilot.json").read_text())


def test_a_design_is_printed_and_written(folder, capsys):
    assert run(*DESIGN, "--price", "0.5", "--currency", "EUR", "--out", "pilot.json") == 0
    out, err = capsys.readouterr()
    shown = " ".join(out.split())
    assert err == "wrote pilot.json\n"
    assert "Each arm: 6 rounds of 100 answers A change of +0.1 is found with a power of" in shown
    assert "A round of 100 answers is worth 33.6 independent ones." in shown
    assert "false alarms 5.0% over all 2 treatments together (Holm)" in shown
    assert "0 (control) 6 600 300" in shown
    fields = json.loads((folder / "pilot.json").read_text())
    assert [arm["name"] for arm in fields["arms"]] == ["0", "0.05", "0.2"]
    assert fields["arms"][2]["answers_per_round"] == [100] * 6


def test_json_has_the_same_numbers(capsys):
    assert run(*DESIGN, "--rounds", "8", "--format", "json") == 0
    record = json.loads(capsys.readouterr().out)
    assert record["power"] >= 0.8
    assert record["level_per_comparison"] == 0.025
    assert record["answers_per_arm"] == 8 * record["arms"][0]["answers_per_round"][0]
    assert record["cost_per_arm"] is None
    assert record["design_effect"] > 1.0


def test_a_baseline_gives_the_variation(folder, capsys):
    rng = np.random.default_rng(2)
    rows = "".join(f"{k // 50},{value:.4f}\n" for k, value in enumerate(rng.normal(1, 0.2, 600)))
    (folder / "baseline.csv").write_text("week,score\n" + rows)
    named = ["--baseline", "baseline.csv", "--round", "week", "--value", "score"]
    assert run("--effect", "0.1", *named) == 0
    assert "estimated from 12 rounds of readings" in " ".join(capsys.readouterr().out.split())
    assert run("--effect", "-0.1", "--scale", "relative", *named, "--rounds", 3) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "A change of -10.0% is found with a power of" in shown
    assert "Standard deviation of a round's number" in shown


def test_a_trial_too_small_says_what_is_enough(capsys):
    assert run("--effect", "0.1", "--sd", "0.2", "--rounds", "5") == 0
    assert "64 rounds would be enough" in " ".join(capsys.readouterr().out.split())


def test_results_are_analysed(plan, folder, capsys):
    write_results("results.jsonl", plan, (0.5, 0.5, 0.62))
    assert run("analyse", "results.jsonl", "--plan", "pilot.json", "--out", "page.html") == 0
    out, err = capsys.readouterr()
    shown = " ".join(out.split())
    assert err.endswith("wrote page.html\n")
    assert "results.jsonl: 3 arms with 18 rounds and 1,800 values. 0.05: no go; 0.2: go" in shown
    assert "A change that would matter is ruled out." in shown
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 1
    assert "<h1>Trial: results.jsonl</h1>" in page
    assert "arms.csv" in page


def test_json_of_an_analysis(plan, capsys):
    write_results("results.jsonl", plan, (0.5, 0.5, 0.62))
    assert run("analyse", "results.jsonl", "--plan", "pilot.json", "--format", "json") == 0
    record = json.loads(capsys.readouterr().out)
    assert [one["outcome"] for one in record["comparisons"]] == ["no-go", "go"]
    assert record["comparisons"][1]["low"] < 0.12 < record["comparisons"][1]["high"]
    assert record["confidence"] == 0.975
    assert record["arms"][0]["rounds"] == 6


def test_unbalanced_results_are_analysed_and_said_so(plan, capsys):
    write_results("results.jsonl", plan, (0.5, 0.5, 0.62), drop={("0.2", 1), ("0.2", 4)})
    assert run("analyse", "results.jsonl", "--plan", "pilot.json") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "Fewer rounds than the 6 that were planned: 0.2 (4)." in shown


def test_bad_rows_are_passed_over_if_asked(plan, capsys):
    write_results("results.jsonl", plan, (0.5, 0.5, 0.62))
    with open("results.jsonl", "a") as file:
        print('{"arm": "0.2", "round": 1, "value": "n/a"}', file=file)
        print('{"arm": null, "round": 1, "value": 0.5}', file=file)
    arguments = ["analyse", "results.jsonl", "--plan", "pilot.json"]
    assert run(*arguments) == 2
    told = "line 1801 has nothing in the column 'value'"
    assert told in capsys.readouterr().err
    assert run(*arguments, "--skip-bad") == 0
    out, err = capsys.readouterr()
    assert err.startswith("note: skipped 2 rows that cannot be used\n")
    assert "Rows that were skipped: 2." in " ".join(out.split())


def test_any_table_and_other_names_of_columns(plan, folder, capsys):
    rows = [
        f"{arm},{week},{0.1 * k + week % 2}\n"
        for k, arm in enumerate(("0", "0.05", "0.2"))
        for week in (1, 2, 3)
    ]
    (folder / "results.csv").write_text("group,week,score\n" + "".join(rows))
    named = ["--arm", "group", "--round", "week", "--value", "score"]
    assert run("analyse", "results.csv", "--plan", "pilot.json", *named) == 0


def test_japanese_is_spoken(plan, capsys):
    assert run(*DESIGN, "--lang", "ja") == 0
    assert "検出力" in capsys.readouterr().out
    write_results("results.jsonl", plan, (0.5, 0.5, 0.62))
    arguments = ["--plan", "pilot.json", "--lang", "ja", "--out", "page.html"]
    assert run("analyse", "results.jsonl", *arguments) == 0
    assert "実施" in capsys.readouterr().out


def test_files_are_replaced_by_force_alone(plan, folder, capsys):
    assert run(*DESIGN, "--out", "pilot.json") == 2
    assert "pilot.json: exists already" in capsys.readouterr().err
    assert run(*DESIGN, "--out", "pilot.json", "--force") == 0
    write_results("results.jsonl", plan, (0.5, 0.5, 0.62))
    arguments = ["analyse", "results.jsonl", "--plan", "pilot.json", "--force", "--out"]
    for name in ("results.jsonl", "pilot.json"):
        assert run(*arguments, name) == 2
        assert f"{name}: is the input; choose another name" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "effect: got none, takes the change to find: --effect 0.05"),
        (["--effect", "0", "--sd", "1"], "effect: got 0.0, takes a change other than 0"),
        (["--effect", "1"], "sd: got none, takes a standard deviation, or readings"),
        (["--effect", "1", "--sd", "0"], "sd: got 0.0, takes a number above 0"),
        (["--effect", "1", "--sd", "1", "--power", "1"], "power: got 1.0"),
        (["--effect", "1", "--sd", "1", "--power", "80"], "power: got 80.0, takes a number from 0"),
        (["--effect", "1", "--sd", "1", "--false-alarms", "0"], "false_alarms: got 0.0"),
        (["--effect", "1", "--sd", "1", "--arms", "one"], "arms: got one, takes at least two"),
        (["--effect", "1", "--sd", "1", "--rounds", "1"], "rounds: got 1"),
        (["--effect", "1", "--sd", "1", "--out", "plan.txt"], "out: got plan.txt, takes a name"),
        (["--effect", "1", "--sd", "1", "--out", "no/plan.json"], "the folder does not exist"),
        (["--effect", "1", "--sd", "1", "--baseline", "x.csv"], "takes nothing beside a baseline"),
        (["--effect", "1", "--baseline", "x.csv"], "x.csv: no such file"),
        (
            ["--effect", "0.1", "--sd", "1", "--correlation", "0.1", "--rounds", "5"],
            "rounds: got 5, takes at least 158; endless answers in each would reach a power of",
        ),
        (["analyse", "none.jsonl"], "plan: got none, takes the trial's plan: --plan pilot.json"),
        (["analyse", "none.jsonl", "--plan", "none.json"], "none.json: no such file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line(arguments, message, folder, capsys):
    assert run(*arguments) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("error: ")
    assert message in err
    assert os.listdir(folder) == []


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("0", 1, 0.5), ("0.05", 1, 0.5)], "no row is of the arm '0.2'; it has '0', '0.05'"),
        ([("0", 1, 0.5), ("0.1", 1, 0.5)], "line 2 is of the arm '0.1', not in the plan"),
        (
            [(arm, 1, value) for arm in ("0", "0.05", "0.2") for value in (0.1, 0.2)],
            "the arm '0' has one round, takes at least 2",
        ),
    ],
)
def test_results_that_do_not_fit_are_named(rows, message, plan, capsys):
    with open("results.jsonl", "w") as file:
        for arm, number, value in rows:
            print(json.dumps({"arm": arm, "round": number, "value": value}), file=file)
    assert run("analyse", "results.jsonl", "--plan", "pilot.json", "--out", "page.html") == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
    assert not os.path.exists("page.html")


@pytest.mark.parametrize("spelled", [{"0": "0.0", "0.05": "0.050"}, {"0": 0.0, "0.2": 0.2}])
def test_arms_are_found_by_equal_numbers(plan, folder, spelled):
    write_results("results.jsonl", plan, (0.5, 0.5, 0.62))
    rows = [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
    for row in rows:
        row["arm"] = spelled.get(row["arm"], row["arm"])
    path = folder / "spelled.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run("analyse", path, "--plan", "pilot.json") == 0
