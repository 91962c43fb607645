"""Targets with a confidence: the share of runs that keep enough in every round."""

import json
import math
from functools import cache

import numpy as np
import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError
from hayflick.planning.assurance import assurance_of
from hayflick.planning.confidence import Assurance, bounds_by_law, required, simulated_assurance
from hayflick.planning.problem import PlanningProblem, planning_problem
from hayflick.planning.retention import SimulationSettings
from hayflick.planning.strategies import FreshStrategy
from hayflick.planning.targets import SymbolTarget
from hayflick.regimes.regime import parse_regime

ROUNDS = 20


def runs_by_loop(model, regime, samples, *, least, rounds=ROUNDS, runs=2000, seed=99, before=None):
    """Return which types each run keeps, ``(runs, rounds, types)``, by a loop of our own."""
    rng, real = np.random.default_rng(seed), model.probabilities
    law = np.tile(real if before is None else before(real), (runs, 1))
    kept = np.empty((runs, rounds, model.types), dtype=bool)
    for k in range(1, rounds + 1):
        mix = regime.mix(k, samples=samples)
        counts = rng.multinomial(mix.generated, law)
        counts += rng.multinomial(mix.fresh, real, size=runs)
        counts += model.align(mix.reserve)
        kept[:, k - 1] = counts >= least
        law = counts / counts.sum(axis=1, keepdims=True)
    return kept


def share_that_holds(kept, needed):
    return float((kept.sum(axis=2).min(axis=1) >= needed).mean())


def labels(*counts):
    return hf.Discrete.from_counts({f"c{place}": count for place, count in enumerate(counts)})


LAWS = {
    "four": labels(3000, 1500, 400, 16),
    "flat": labels(*[20] * 10),
    "skewed": labels(*(max(1, int(400 / (i + 1) ** 1.5)) for i in range(30))),
    "words": labels(*(max(1, 300 // (i + 3)) for i in range(150))),
}


@cache
def lossy_runs(name, regime):
    """Return a law, a regime without fresh data, and which types its runs keep, once for all."""
    model, chosen = LAWS[name], hf.Replace()
    if regime == "anchor":
        rare = np.argsort(model.weights, kind="stable")[: model.types // 3]
        chosen = hf.Anchor.from_mapping({model.symbols[place]: 1 for place in rare})
    return model, chosen, runs_by_loop(model, chosen, model.total, least=1)


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("keep", [0.5, 0.8, 0.95, 1.0])
@pytest.mark.parametrize("regime", ["replace", "anchor"])
def test_the_law_states_no_more_than_runs_show(name, keep, regime):
    model, chosen, kept = lossy_runs(name, regime)
    target, sizes = SymbolTarget.of_types(model), {"samples": model.total, "generations": ROUNDS}
    found = assurance_of(target, regime=chosen, keep=keep, **sizes)
    assert found.law in ("poisson-binomial", "bound")
    share = share_that_holds(kept, required(keep, model.types))
    error = math.sqrt(max(share * (1 - share), 1e-4) / 2000)
    assert found.confidence <= share + 3 * error
    if found.law == "poisson-binomial":
        assert found.confidence >= share - 0.1


@pytest.mark.parametrize("name", ["four", "skewed"])
@pytest.mark.parametrize("regime", ["fresh:0.05", "fresh:0.5", "periodic:share=0.5,every=4"])
@pytest.mark.parametrize("least", [1, 3])
def test_the_bound_is_one(name, regime, least):
    model = LAWS[name]
    chosen = parse_regime(regime, like=model.source)
    needed = np.minimum(least, model.counts)
    target = SymbolTarget.of_types(model, least=needed if least > 1 else None)
    for keep in (0.5, 0.9, 1.0):
        sizes = {"samples": model.total, "generations": ROUNDS}
        bounds = target.bounds(keep, regime=chosen, **sizes)
        kept = runs_by_loop(model, chosen, model.total, least=needed)
        share = share_that_holds(kept, required(keep, model.types))
        error = math.sqrt(max(share * (1 - share), 1e-4) / 2000)
        assert bounds.low <= share + 3 * error
        assert bounds.high >= share - 3 * error - 0.02


@pytest.mark.parametrize("name", ["flat", "skewed"])
def test_simulated_shares_are_those_of_a_loop(name):
    model, keep = LAWS[name], 0.8
    regime = hf.Fresh(0.1)
    target = SymbolTarget.of_types(model, least=np.minimum(2, model.counts))
    found = assurance_of(
        target,
        regime=regime,
        samples=model.total,
        generations=ROUNDS,
        keep=keep,
        simulation=SimulationSettings(seed=5),
    )
    kept = runs_by_loop(model, regime, model.total, least=target.needed)
    share = share_that_holds(kept, required(keep, model.types))
    assert abs(found.confidence - share) <= 4 * math.hypot(0.02, found.standard_error)


# Both shares are all of the six kinds.
@pytest.mark.parametrize(("keep", "at_least"), [(0.9, None), (0.95, 1)])
def test_every_recommended_design_holds_in_other_runs(tmp_path, keep, at_least):
    table = tmp_path / "labels.csv"
    counts = [900, 300, 120, 60, 25, 9]
    rows = [f"kind {place}" for place, count in enumerate(counts) for _ in range(count)]
    table.write_text("\n".join(["label", *rows]), encoding="utf-8")
    plan = hf.plan(table, column="label", keep=keep, at_least=at_least, generations=ROUNDS)
    model = plan.target.model
    least = np.minimum(1 if at_least else 5, model.counts)
    assert plan.examples == least.max()
    for design in plan.designs:
        if any(design.regime.mix(k, samples=1449).accumulate for k in (1, 2)):
            continue
        kept = runs_by_loop(model, design.regime, design.samples, least=least)
        share = share_that_holds(kept, required(keep, model.types))
        assert share >= 0.95 - 2 * math.sqrt(0.95 * 0.05 / 2000), design.kind
        assert design.assurance.confidence <= share + 0.015


def test_a_share_of_classes_is_rounded_up():
    assert [required(keep, 4) for keep in (0.5, 0.51, 0.75, 0.76, 1.0)] == [2, 3, 3, 4, 4]
    assert required(0.7, 10) == 7


def test_the_worst_round_bounds_and_all_rounds_add_up():
    chances = np.array([[0.9, 0.8, 0.7]])
    found = bounds_by_law(1, chances, np.array([1.0]), absorbing=False)
    assert found.high == pytest.approx(0.7)
    assert found.low == pytest.approx(1 - 0.1 - 0.2 - 0.3)
    assert bounds_by_law(0, chances, np.array([1.0]), absorbing=False).low == 1.0


def test_the_share_that_is_compared_lies_below_what_runs_show():
    assert Assurance(0.96, "simulated", 0.003, 4096).assured < 0.96
    assert Assurance(0.96, "poisson-binomial").assured == 0.96


def test_without_runs_a_lower_bound_decides(tmp_path):
    model = LAWS["four"]
    plan = hf.plan(model, keep=0.95, generations=10, replicates=0)
    fresh = next(design for design in plan.designs if design.kind == "fresh")
    simulated = hf.plan(model, keep=0.95, generations=10, replicates=2)
    own = next(design for design in simulated.designs if design.kind == "fresh")
    assert fresh.assurance.law == "bound"
    assert own.assurance.law == "simulated"
    assert fresh.number >= own.number


def test_many_types_keep_on_average_what_runs_keep():
    words = hf.Discrete.from_counts({f"w{place}": 1 + 20000 // place for place in range(1, 3000)})
    settings = {"keep": 0.8, "generations": 20, "replicates": 0}
    sure, average = (hf.plan(words, confidence=share, **settings) for share in (0.95, None))
    assert sure.fresh.share == pytest.approx(average.fresh.share, abs=0.02)


def test_the_variance_has_a_confidence_too():
    model = hf.Gaussian(10.0, 2.0, total=400)
    plan = hf.plan(model, keep=0.7, generations=10, replicates=2)
    best = plan.best
    runs = (
        hf.simulate(model, regime=best.regime, generations=10, replicates=2000, seed=8)
        if (best.kind in ("fresh", "periodic"))
        else None
    )
    assert best.assurance.law == "simulated"
    assert best.assurance.assured >= 0.95
    if runs is not None:
        lowest = (runs["deviation"].to_numpy()[:, 1:] / 2.0).min(axis=1) ** 2
        assert (lowest >= 0.7).mean() >= 0.94


@pytest.mark.parametrize("confidence", [0, 1, 1.5, -0.1, "much", float("nan")])
def test_a_confidence_is_a_share_of_runs(confidence):
    with pytest.raises(ArgumentError, match="confidence"):
        hf.plan(LAWS["flat"], confidence=confidence)


@pytest.mark.parametrize("at_least", [0, -1, 2.5])
def test_at_least_is_a_whole_number(at_least):
    with pytest.raises(ArgumentError, match="at_least"):
        hf.plan(LAWS["flat"], at_least=at_least)


def test_the_command_line_states_confidence_and_its_law(tmp_path, capsys):
    table = tmp_path / "labels.csv"
    rows = ["rare"] * 8 + ["often"] * 200 + ["some"] * 40
    table.write_text("\n".join(["label", *rows]), encoding="utf-8")
    arguments = ["plan", str(table), "--column", "label", "--keep", "0.9", "--generations", "4"]
    assert main([*arguments, "--format", "json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["confidence"] == 0.95
    for design in record["designs"]:
        assert design["confidence"] >= 0.95
        assert design["confidence_law"] in ("poisson-binomial", "bound", "simulated")
    assert main([*arguments, "--at-least", "1", "--confidence", "0.99"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "in 99.0% of runs" in shown
    assert "at least" not in shown.split("Recommended")[0]


def drawn_runs(chance, asked):
    """Return runs of which a share of `chance` keeps everything, and note what is asked for."""

    def runs_of(number, *, seed):
        asked.append((number, seed))
        lost = np.random.default_rng(seed).random(number) >= chance
        return np.where(lost, 0.0, 1.0)[:, None]

    return runs_of


def test_a_look_adds_runs_to_those_before():
    asked = []
    wanted = {"keep": 0.9, "confidence": 0.95, "most": 10_000, "seed": 4}
    found = simulated_assurance(drawn_runs(0.952, asked), **wanted)
    assert [number for number, _ in asked] == [256, 768, 3072]
    assert len({seed for _, seed in asked}) == 3
    assert (found.runs, found.caution) == (4096, 2.0)
    asked.clear()
    searched = simulated_assurance(drawn_runs(0.952, asked), searching=True, **wanted)
    assert [number for number, _ in asked] == [256, 768]
    assert (searched.runs, searched.caution) == (1024, 1.0)
    # As far below as two standard errors of all runs.
    assert searched.confidence - searched.assured == pytest.approx(0.007, abs=0.002)
    asked.clear()
    few = simulated_assurance(drawn_runs(0.952, asked), searching=True, **{**wanted, "most": 700})
    assert (few.runs, few.caution) == (700, 2.0)


def test_a_share_that_is_shown_takes_more_runs():
    wanted = {"keep": 0.9, "confidence": 0.95, "most": 10_000, "seed": 4}
    assert simulated_assurance(drawn_runs(0.5, []), **wanted).runs == 256
    assert simulated_assurance(drawn_runs(0.5, []), fewest=1024, **wanted).runs == 1024


def test_a_recommended_design_that_more_runs_do_not_confirm_is_enlarged(monkeypatch):
    model = labels(*(max(1, int(300 / (i + 1) ** 1.2)) for i in range(25)))
    problem = planning_problem(
        model, generations=5, confidence=0.95, simulation=SimulationSettings(seed=3)
    )
    strategy = FreshStrategy(problem, model.total)
    number = strategy.smallest(0.9)
    assert 0 < number < model.total
    # The runs of the search say that it is enough; suppose that all runs need some more.
    needed = round(1.05 * number)

    def assurance(self, regime, *given, searching=False, **settings):
        share = regime.mix(1, samples=model.total).fresh
        if searching:
            return Assurance(0.96, "simulated", 0.006, 1024, 1.0)
        return Assurance(0.97 if share >= needed else 0.95, "simulated", 0.003, 4096)

    strategy._assured.clear()
    monkeypatch.setattr(PlanningProblem, "assurance", assurance)
    found = strategy.confirmed(number, 0.9)
    assert needed <= found <= 1.1 * number
    assert strategy.smallest(0.9) == found
    assert strategy.assurance(found, 0.9).runs == 4096
