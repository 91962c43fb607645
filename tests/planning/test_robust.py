import json

import numpy as np
import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError
from hayflick.planning.designs import Design
from hayflick.planning.problem import planning_problem
from hayflick.planning.questions import EveryRounds, answers_to
from hayflick.planning.robust import robustness_of, with_half_the_real_data
from hayflick.planning.strategies import AnchorStrategy, PeriodicStrategy, strategies_for

LABELS = {"R": 900, "PG-13": 300, "PG": 80, "NC-17": 8}


@pytest.fixture(scope="module")
def planned():
    model = hf.Discrete.from_counts(LABELS)
    return hf.plan(model, keep=0.9, at_least=5, generations=30, replicates=2)


def held(plan, design, **stages):
    """Return the share of independent runs that hold the target, and its standard error."""
    runs = plan.target.runs(
        regime=design.regime,
        samples=design.samples,
        generations=plan.problem.generations,
        replicates=1000,
        stages=hf.Stages(**stages),
        simulation=type(plan.problem.simulation)(seed=77),
    )
    share = float(np.mean(runs[:, 1:].min(axis=1) >= plan.keep - 1e-9))
    return share, (share * (1 - share) / 1000) ** 0.5


def test_the_robust_design_survives_runs_that_were_not_used_to_find_it(planned):
    robust = planned.robustness
    assert not {trial.name for trial in robust.trials} ^ {"temperature", "noise", "real"}
    assert robust.broken[0].name == "temperature"
    assert all(trial.holds for trial in robust.design_trials)
    assert robust.design.real_items >= planned.best.real_items
    worst, _ = held(planned, planned.best, sampler=hf.Temperature(0.95))
    assert worst < 0.9
    for stages in ({"sampler": hf.Temperature(0.95)}, {"degradation": hf.LabelNoise(0.01)}):
        share, error = held(planned, robust.design, **stages)
        assert share >= planned.confidence - 2 * max(error, 0.01)


def test_half_of_what_is_stored_is_every_second_item():
    problem = planning_problem(hf.Discrete.from_counts(LABELS), generations=10, at_least=5)
    half = with_half_the_real_data(AnchorStrategy(problem), 3)
    assert half.reserve.total == 7
    periodic = with_half_the_real_data(PeriodicStrategy(problem, 5), 200)
    assert periodic.mix(5, samples=problem.samples).fresh == 100


def test_a_single_stored_item_has_no_half():
    words = hf.Discrete.from_counts({"the": 60, "cat": 30, "here": 1})
    problem = planning_problem(words, generations=10)
    assert with_half_the_real_data(AnchorStrategy(problem), 1).describe() == "replace"


def test_another_temperature_is_tried_in_place_of_the_guess(planned):
    found = robustness_of(
        planned.best,
        list(strategies_for(planned.problem))[:3],
        keep=planned.keep,
        costs=None,
        simulation=planned.problem.simulation,
        temperature=1.0,
    )
    sharper = next(trial for trial in found.trials if trial.name == "temperature")
    assert sharper.value == 1.0
    assert sharper.holds
    with pytest.raises(ArgumentError, match="temperature"):
        hf.plan(planned.target.model, temperature=0.0)


def test_without_runs_it_is_said_what_was_not_tried():
    model = hf.Discrete.from_counts(LABELS)
    result = hf.plan(model, keep=0.9, generations=10, replicates=0)
    assert result.robustness.not_tried[:2] == ("temperature", "noise")
    assert result.robustness.design is None


def test_questions_have_a_row_each(planned):
    answers = {answer.question: answer for answer in planned.answers}
    assert list(answers) == ["nothing", "recommended", "twice", "fifth", "waiting"]
    assert answers["nothing"].real_items == 0.0
    assert answers["recommended"].real_items == planned.best.real_items
    assert answers["twice"].samples == 2 * planned.problem.samples
    assert answers["fifth"].real_items == answers["waiting"].real_items
    share = answers["nothing"].assurance.confidence
    assert share < answers["recommended"].assurance.confidence
    assert answers["waiting"].assurance.confidence < answers["recommended"].assurance.confidence


def test_fresh_data_come_in_every_fifth_round_in_the_same_number():
    model = hf.Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    problem = planning_problem(model, generations=20, of="diversity")
    fresh = next(one for one in strategies_for(problem) if one.kind == "fresh")
    best = Design.at(fresh, 10, keep=0.9, costs=None)
    answers = {one.question: one for one in answers_to(best, keep=0.9, costs=None)}
    assert answers["fifth"].real_items == answers["recommended"].real_items == 200.0
    assert answers["waiting"].real_items == 100.0


def test_a_return_is_what_is_saved_by_what_is_spent():
    costs = hf.CostModel(real=2.0, generated=0.01, check=10.0, loss=50.0)
    model = hf.Discrete.from_counts(LABELS)
    result = hf.plan(model, keep=0.9, generations=30, costs=costs, replicates=0)
    nothing, best = result.answers[:2]
    spent = costs.per_round(result.best.usage) - costs.loss * result.best.usage.loss
    assert best.cost_per_round == pytest.approx(result.best.cost_per_round)
    assert best.saved is None or best.saved > 0.0
    assert nothing.cost_per_round > best.cost_per_round
    assert spent > 0.0
    for design in result.designs:
        assert design.usage.check == pytest.approx(1 / design.inspection.every)


def test_a_regime_of_some_rounds_has_no_real_data_in_the_others():
    regime = EveryRounds(hf.Fresh(0.1), 3)
    fresh = [regime.mix(generation, samples=100).fresh for generation in range(1, 7)]
    assert fresh == [0, 0, 10, 0, 0, 10]


def test_the_page_for_the_meeting(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{label}\n" * number for label, number in LABELS.items())
    (tmp_path / "films.csv").write_text("rating\n" + rows)
    arguments = ["plan", "films.csv", "--column", "rating", "--generations", "8"]
    arguments += ["--replicates", "2", "--brief", "brief.html", "--format", "json"]
    assert main(arguments) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["classes"][0]["symbol"] == "R"
    assert record["designs"][0]["mass_lost"] < 0.01
    assert record["trials"]["robust"]["regime"].startswith("anchor:{")
    page = (tmp_path / "brief.html").read_text(encoding="utf-8")
    assert "What people ask" in page
    assert "Robust:" in page
    assert main([*arguments, "--out", "brief.html", "--force"]) == 2
    assert "another file than out" in capsys.readouterr().err
    assert main([*arguments, "--force", "--lang", "ja"]) == 0
    assert "頑健な設計" in (tmp_path / "brief.html").read_text(encoding="utf-8")
