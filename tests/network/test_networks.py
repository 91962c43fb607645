"""A rules file in a network: the same file that watches real answers."""

import json

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, DataError
from hayflick.rules.loading import load_rules
from hayflick.rules.rule_set import decisions

TEXTS = ["It rains in May.", "It snows in June.", "The river is high.", "Bread is cheap today."]
EXPERIMENT = """
format_version = 1
rounds = 6
answers = 4
query = "How is it?"
rules = "rules.toml"
review = "continue"
[pool]
texts = {texts}
[[agents]]
name = "anna"
kind = "ngram"
texts = {texts}
[[agents]]
name = "bert"
kind = "ngram"
texts = {texts}
"""
RULES = """
format_version = 1
mode = "act"
baseline = 2
[[watch]]
name = "narrow"
metric = "rms_distance"
groups = ["*"]
below = 1000
cool_down = 2
actions = ["real", "other"]
[[action]]
name = "real"
kind = "inject"
items = 2
reserve = "reserve.txt"
[[action]]
name = "other"
kind = "vary_prompts"
prompts = ["Tell me more: {query}", "And what else?"]
items = 2
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "village.toml").write_text(EXPERIMENT.format(texts=json.dumps(TEXTS)))
    (tmp_path / "rules.toml").write_text(RULES.replace('groups = ["*"]\n', ""))
    (tmp_path / "reserve.txt").write_text("\n".join(f"Stored text {place}." for place in range(9)))
    return tmp_path


def test_what_the_rules_decide_is_done(folder):
    run = hf.run_network(folder / "village.toml", out=folder / "run")
    kinds = {one.kind.value for one in run.decisions}
    assert kinds == {"inject", "vary_prompts"}
    injected = [one.text for one in run.texts if one.origin == "injected"]
    asked = [text for one in run.decisions if one.kind == "inject" for text in one.texts]
    assert injected == asked[: len(injected)]
    assert injected
    assert all(text.startswith("Stored text") for text in injected)


def test_the_same_readings_lead_to_the_same_decisions_as_on_real_answers(folder):
    run = hf.run_network(folder / "village.toml", out=folder / "run")
    found = decisions(load_rules(folder / "rules.toml").rule_set, run.readings)
    expected = [
        (one.round, action.kind, action.items, action.reason)
        for one in found
        for action in one.actions
    ]
    assert [(one.round, one.kind, one.items, one.reason) for one in run.decisions] == expected


def test_python_and_the_command_line_obey_the_rules_alike(folder, capsys):
    run = hf.run_network(folder / "village.toml", out=folder / "python")
    assert run.decisions
    command = ["network", "run", str(folder / "village.toml"), "--out", str(folder / "command")]
    assert main([*command, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(run.to_dict()))


def test_a_rule_of_ones_own_stands_in_for_those_of_the_experiment(folder):
    class Silent:
        def decide(self, reading):
            return ()

    run = hf.run_network(folder / "village.toml", out=folder / "run", rule=Silent())
    assert not run.decisions


def test_a_metric_that_no_reading_has_is_refused_before_anybody_is_asked(folder):
    rules = (folder / "rules.toml").read_text()
    (folder / "rules.toml").write_text(rules.replace("rms_distance", "retention"))
    for verb in (hf.estimate_network, lambda path: hf.run_network(path, out=folder / "run")):
        with pytest.raises(DataError, match=r"no reading has 'retention'; it needs .*must_keep"):
            verb(folder / "village.toml")
    assert not (folder / "run").exists()


def test_a_run_goes_on_with_its_rules(folder, monkeypatch):
    whole = hf.run_network(folder / "village.toml", out=folder / "whole")

    class StoppedError(Exception):
        pass

    def stop(message, done, total):
        if done == 3:
            raise StoppedError

    with pytest.raises(StoppedError):
        hf.run_network(folder / "village.toml", out=folder / "run", progress=stop)
    run = hf.resume_network(folder / "run")
    assert run.decisions == whole.decisions
    assert [one.text for one in run.texts] == [one.text for one in whole.texts]


def test_rules_that_are_missing_or_have_changed_are_refused(folder):
    hf.run_network(folder / "village.toml", out=folder / "run")
    with (folder / "rules.toml").open("a") as file:
        file.write("# another line\n")
    with pytest.raises(DataError, match=r"rules\.toml: is not what the run began with"):
        hf.resume_network(folder / "run")
    (folder / "rules.toml").unlink()
    with pytest.raises((DataError, ArgumentError), match=r"rules\.toml"):
        hf.run_network(folder / "village.toml", out=folder / "other")
    assert not (folder / "other").exists()
