"""Plans, simulations and rules of a trained model."""

import json
import shlex

import numpy as np
import pytest

import hayflick as hf
from hayflick.calibration.calibration_file import resampler_record
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError

WORDS = {f"word{rank}": 1 + 60 // rank for rank in range(1, 40)}
COVARIANCE = tuple(map(tuple, np.diag([4e-4, 1e-2, 1e-3, 0.0])))
TRAINER = hf.Resampler(1.08, 1.3, 0.5, 0.002, COVARIANCE)
RULES = """
format_version = 1
mode = "act"
[[watch]]
name = "words"
metric = "surviving_fraction"
below = 0.8
target = 0.6
actions = ["real data"]
[[action]]
name = "real data"
kind = "inject"
items = 100
"""


@pytest.fixture
def words():
    return hf.Discrete.from_counts(WORDS)


@pytest.fixture(scope="module")
def planned():
    return hf.plan(hf.Discrete.from_counts(WORDS), keep=0.6, generations=6, resampler=TRAINER)


@pytest.fixture
def calibration(tmp_path):
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(resampler_record(TRAINER)))
    return path


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "real.txt"
    path.write_text(" ".join(word for word, count in WORDS.items() for _ in range(count)))
    return path


def test_every_design_is_simulated(planned):
    assert planned.feasible
    assert {design.retention.law for design in planned.designs} == {"simulated"}
    assert {design.assurance.law for design in planned.designs} == {"simulated"}
    # No law gives what lost words cover.
    assert {design.mass_lost for design in planned.designs} == {None}


def test_the_recommended_design_holds_in_runs_of_another_seed(planned, words):
    best = planned.designs[0]
    runs = hf.simulate(
        words, resampler=TRAINER, regime=best.regime, generations=6, replicates=2000, seed=99
    )
    share = runs["surviving_fraction"][:, 1:].min("generation").to_numpy() >= 0.6 - 1e-9
    assert share.mean() > 0.95 - 4.5 * np.sqrt(0.95 * 0.05 / 2000)


def test_a_trainer_that_sharpens_takes_more_real_data_than_an_ideal_one(planned, words):
    ideal = hf.plan(words, keep=0.6, generations=6, replicates=0)
    assert planned.fresh.share > ideal.fresh.share


def test_an_ideal_resampler_is_planned_by_law(words):
    plain = hf.plan(words, keep=0.6, generations=6, replicates=0)
    same = hf.plan(words, keep=0.6, generations=6, replicates=0, resampler=hf.Resampler())
    assert [one.number for one in same.designs] == [one.number for one in plain.designs]


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "the calibrated resampler"), ("ja", "較正したリサンプラー")]
)
def test_the_page_names_the_resampler(planned, tmp_path, lang, said):
    page = planned.save(tmp_path / "p.html", lang=lang).read_text(encoding="utf-8")
    assert said in page


def test_laws_alone_are_refused(words):
    with pytest.raises(ArgumentError, match="no law of a trained model is known"):
        hf.plan(words, resampler=TRAINER, replicates=0)


def test_the_command_line_plans_with_the_file(text, calibration, capsys):
    asked = ["plan", str(text), "--keep", "0.5", "--generations", "3", "--format", "json"]
    assert main([*asked, "--resampler", str(calibration)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["designs"][0]["law"] == "simulated"
    assert (
        told["provenance"]["parameters"]["model"]["resampler"]["parameters"]["sharpening"] == 1.08
    )


def test_rules_of_a_calibrated_plan_are_tried_on_the_same_trainer(text, calibration, capsys):
    rules = text.with_name("rules.toml")
    plan = ["plan", str(text), "--keep", "0.5", "--generations", "3", "--write-rules", str(rules)]
    assert main([*plan, "--resampler", str(calibration)]) == 0
    lines = rules.read_text(encoding="utf-8").splitlines()
    (command,) = (line.removeprefix("#") for line in lines if "rules evaluate" in line)
    arguments = shlex.split(command)[1:]
    assert arguments[-2:] == ["--resampler", str(calibration)]
    capsys.readouterr()
    assert main([*arguments, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["held"] > 0.9


def test_simulate_takes_the_file_and_the_object(text, calibration, capsys, words):
    asked = ["simulate", "discrete", "--corpus", str(text), "--generations", "3", "--seed", "5"]
    assert main([*asked, "--resampler", str(calibration), "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    runs = hf.simulate("discrete", corpus=text, generations=3, seed=5, resampler=TRAINER)
    left = float(runs["surviving_types"][:, -1].mean())
    assert told["variables"]["surviving_types"]["mean"][-1] == pytest.approx(left)
    with pytest.raises(ArgumentError, match="nothing beside a resampler"):
        hf.simulate("discrete", corpus=text, estimator="add:1", generations=3, resampler=TRAINER)
    with pytest.raises(ArgumentError, match=r"takes a hayflick\.Resampler"):
        hf.simulate(words, generations=3, resampler=1.1)


def test_rules_are_tried_on_the_trainer(words, tmp_path, calibration, text, capsys):
    path = tmp_path / "rules.toml"
    path.write_text(RULES)
    settings = {"corpus": words, "generations": 6, "replicates": 40, "seed": 2}
    ideal = hf.evaluate_rules(path, **settings)
    tried = hf.evaluate_rules(path, resampler=TRAINER, **settings)
    assert tried.without_rule.mean_minimum < ideal.without_rule.mean_minimum
    assert tried.with_rule.mean_minimum > tried.without_rule.mean_minimum
    assert tried.fixed_share > ideal.fixed_share
    asked = ["rules", "evaluate", str(path), "--corpus", str(text), "--generations", "3"]
    more = ["--replicates", "16", "--resampler", str(calibration), "--format", "json"]
    assert main([*asked, *more]) == 0
    assert json.loads(capsys.readouterr().out)
