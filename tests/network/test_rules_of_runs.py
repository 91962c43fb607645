"""Rules that a run cannot obey: named beforehand, stopped in a run, replaced when it goes on."""

import json
import sqlite3
from contextlib import closing

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, DataError

from .conftest import REAL, village

RULES = """
format_version = 1
mode = "act"
baseline = {baseline}
[[watch]]
name = "w"
metric = "{metric}"
healthy = "higher"
{limit}
groups = {groups}
actions = ["t"]
[[action]]
name = "t"
{action}
"""
SETTINGS = {
    "baseline": 8,
    "metric": "spread",
    "limit": 'chart = "shewhart"',
    "groups": "[]",
    "action": 'kind = "notify"',
}


def rules(folder, name="rules.toml", **changes):
    (folder / name).write_text(RULES.format(**{**SETTINGS, **changes}))
    return folder / name


def written(folder, **changes):
    """Write an experiment as a file and return its path."""
    values = village(rounds=12, rules="rules.toml", **changes).model_dump(exclude_none=True)
    sections = {name: values.pop(name) for name in ("pool", "agents", "reserve") if name in values}
    lines = [
        f"{key} = {json.dumps(value)}"
        for key, value in values.items()
        if not isinstance(value, dict) and value != []
    ]
    for name, section in sections.items():
        for one in section if name == "agents" else [section]:
            lines.append(f"[[{name}]]" if name == "agents" else f"[{name}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in one.items()]
    path = folder / "experiment.toml"
    path.write_text("\n".join(lines))
    return path


INJECT = 'kind = "inject"\nitems = 9'


@pytest.mark.parametrize(
    ("changes", "experiment", "message"),
    [
        ({"baseline": 60}, {}, "learns from 60 rounds, and the run has 12"),
        ({"baseline": 12}, {}, "learns from 12 rounds, and the run has 12"),
        (
            {"limit": 'chart = "cusum"'},
            {},
            r"takes at least \d+ readings of the baseline and has 8",
        ),
        ({"metric": "drift"}, {}, r"no reading has 'drift'; it needs \[observe\] slow"),
        ({"metric": "retention", "limit": "below = 0.5"}, {}, "it needs .observe. must_keep"),
        ({"groups": '["nobody"]'}, {}, "groups: got 'nobody', takes names of agents: 'anna'"),
        (
            {"metric": "vocabulary_kept", "groups": '["*"]', "limit": "below = 0.1"},
            {},
            "no reading of one agent has 'vocabulary_kept'",
        ),
        ({"action": INJECT}, {}, "names no reserve, and the experiment has no section"),
        ({"action": INJECT}, {"reserve": {"texts": REAL[:3]}}, "holds 3 texts, fewer than 9"),
        ({"action": INJECT + '\nreserve = "gone.txt"'}, {}, "gone.txt is missing"),
    ],
)
def test_what_can_be_known_is_refused_before_anybody_is_asked(
    tmp_path, capsys, changes, experiment, message
):
    rules(tmp_path, **changes)
    path = written(tmp_path, **experiment)
    with pytest.raises(DataError, match=message):
        hf.estimate_network(path)
    with pytest.raises(DataError, match=message):
        hf.run_network(path, out=tmp_path / "run")
    assert main(["network", "run", str(path), "--out", str(tmp_path / "run")]) == 2
    assert not (tmp_path / "run").exists()


def test_the_case_that_bricked_runs_is_refused(cases, tmp_path, capsys):
    path = cases / "attack" / "bricked-run.toml"
    for line in (["estimate", str(path)], ["run", str(path), "--out", str(tmp_path / "run")]):
        assert main(["network", *line]) == 2
        assert "rules.toml: [[watch]] w: cusum learns from 60 rounds" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def bricked(folder):
    """Return a run of an earlier version that its rules had stopped in the middle of round 5."""

    class StoppedError(Exception):
        pass

    def stop(message, done, total):
        if done == 4:
            raise StoppedError

    rules(folder)
    path = written(folder)
    with pytest.raises(StoppedError):
        hf.run_network(path, out=folder / "run", progress=stop)
    text = rules(folder, limit='chart = "cusum"')
    with closing(sqlite3.connect(folder / "run" / "run.db")) as database:
        (config,) = database.execute("SELECT config FROM run").fetchone()
        config = json.loads(config)
        del config["rules"]
        from hayflick.network.experiment import fingerprints

        config["files"] = fingerprints(hf.Experiment.of(config["experiment"]), folder=folder)
        database.execute("UPDATE run SET config = ?", [json.dumps(config)])
        database.commit()
    return folder / "run", text


def test_a_bricked_run_goes_on_and_says_that_its_rule_has_stopped(tmp_path, capsys):
    run, _ = bricked(tmp_path)
    answers = len(hf.report_network(run).answers)
    assert main(["network", "resume", str(run)]) == 0
    said = capsys.readouterr()
    assert "warning: [[watch]] w: cusum takes at least" in said.err
    found = hf.report_network(run)
    assert found.finished
    assert len(found.answers) > answers
    (notice,) = found.decisions
    assert notice.kind == "notify"
    assert notice.round >= 5
    assert "[[watch]] w has stopped, and decides nothing more" in notice.reason
    assert "--rules FILE" in notice.reason
    page = found.save(tmp_path / "page.html").read_text()
    assert "has stopped, and decides nothing more" in page


def test_a_bricked_run_goes_on_with_corrected_rules(tmp_path, capsys):
    run, _ = bricked(tmp_path)
    better = rules(tmp_path, "better.toml")
    assert main(["network", "resume", str(run), "--rules", str(better)]) == 0
    assert "from round 5 on," in capsys.readouterr().err
    found = hf.report_network(run)
    assert found.finished
    assert [(one.from_round, one.name) for one in found.rules][-1] == (5, str(better))
    assert not any("stopped" in one.reason for one in found.decisions)
    assert hf.verify_network(run).sound
    assert '"from_round": 5' in json.dumps(found.to_dict()["rules"])
    page = found.save(tmp_path / "page.html").read_text()
    assert "From round 1 on, rules.toml decides (SHA-256 " in page
    assert "From round 5 on, better.toml decides (SHA-256 " in page
    capsys.readouterr()
    assert main(["network", "resume", str(run)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "From round 5 on, better.toml decides" in shown


def test_rules_that_cannot_work_are_refused_when_a_run_goes_on_and_it_stays_as_it_is(tmp_path):
    run, _ = bricked(tmp_path)
    before = hf.report_network(run).to_dict()
    for changes in ({"limit": 'chart = "cusum"'}, {"baseline": 40}, {"metric": "drift"}):
        with pytest.raises(DataError, match=r"rules2\.toml"):
            hf.resume_network(run, rules=rules(tmp_path, "rules2.toml", **changes))
    with pytest.raises(DataError, match="no such file"):
        hf.resume_network(run, rules=tmp_path / "gone.toml")
    assert hf.report_network(run).to_dict() == before


def test_a_rule_that_fails_stops_and_the_answers_are_kept(tmp_path):
    class Failing:
        def decide(self, reading):
            if reading.round == 3:
                raise DataError("a chart that is broken")
            return ()

    run = hf.run_network(village(rounds=5), out=tmp_path / "run", rule=Failing())
    assert run.finished
    assert [one.round for one in run.decisions] == [3]
    assert "the rules have stopped, and decide nothing more: a chart" in run.decisions[0].reason


def test_a_budget_that_cannot_pay_the_first_prompts_is_refused(tmp_path):
    pytest.importorskip("aiohttp", reason="aiohttp is not installed: extra llm")
    agent = {"name": "a", "kind": "openai", "base_url": "http://127.0.0.1:1/v1", "model": "m"}
    for budget in ({"tokens": 20}, {"money": 1e-9}):
        prices = {"price_in": 1.0, "price_out": 1.0}
        experiment = village(agents=[agent | prices], budget=budget)
        with pytest.raises(ArgumentError, match=r"budget\..*the first round alone"):
            hf.run_network(experiment, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    # An estimate says so in its own words.
    assert hf.estimate_network(village(agents=[agent], budget={"tokens": 20})).spent_in_round == 1
