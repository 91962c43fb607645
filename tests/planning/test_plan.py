import functools
import json

import numpy as np
import pytest
import xarray

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError, SimulationInterrupted
from hayflick.planning import kept_runs as simulated
from hayflick.planning import targets as module
from hayflick.planning.cost import PRICES, Usage
from hayflick.planning.designs import collapse_round
from hayflick.planning.history import History, read_history

average_plan = functools.partial(hf.plan, confidence=None)
"""Plan by averages: their optimum can be found by brute force."""

KEEP, ROUNDS = 0.8, 12


@pytest.fixture
def small():
    return hf.Discrete.from_counts({"a": 12, "b": 8, "c": 5, "d": 3, "e": 1, "f": 1})


def brute_force(model, costs):
    """Return (cost, description) of every share, period, reserve and size that keeps enough."""
    n, found = model.total, []

    def look(regime, samples, real):
        settings = {"generations": ROUNDS, "samples": samples, "law": "branching"}
        law = hf.survival(model, regime=regime, **settings)
        left = law.surviving_fraction[1:]
        if left.min() >= KEEP - 1e-12:
            mixes = [regime.mix(k, samples=samples) for k in range(1, ROUNDS + 1)]
            generated = np.mean([mix.generated for mix in mixes])
            missing = model.types * (1 - left.mean())
            parts = (real, generated, 1, 1, missing)
            price = real if costs is None else np.dot(costs.prices, parts)
            found.append((price, regime.describe()))

    for items in range(n + 1):
        look(hf.Fresh(items / n), n, items)
        for every in (2, 3, 5, 10):
            look(hf.Periodic(share=items / n, every=every), n, items * (ROUNDS // every) / ROUNDS)
    rarest = np.argsort(model.weights, kind="stable")
    for stored in range(1, model.types + 1):
        held = hf.Anchor.from_mapping({model.symbols[place]: 1 for place in rarest[:stored]})
        look(held, n, stored / ROUNDS)
    if costs is not None and costs.generated:
        for size in range(n, 40 * n):
            look(hf.Fresh(0.0), size, 0)
        for multiple in (1.5, 2, 4, 8):
            size = round(multiple * n)
            for items in range(size + 1):
                look(hf.Fresh(items / size), size, items)
    return min(found)


@pytest.mark.parametrize(
    "costs",
    [
        None,
        hf.CostModel(real=1.0, generated=0.01),
        hf.CostModel(real=60.0, generated=0.002, loss=0.5),
        hf.CostModel(real=100.0, generated=0.0001),
        hf.CostModel(real=0.3, generated=0.3, loss=40.0),
    ],
)
def test_the_planted_optimum_is_found(small, costs):
    result = average_plan(
        small, keep=KEEP, generations=ROUNDS, costs=costs, law="branching", replicates=0
    )
    cheapest, _ = brute_force(small, costs)
    assert result.best.price == pytest.approx(cheapest)


def test_the_designs_are_a_table(words):
    result = average_plan(words, keep=0.85, generations=8, replicates=0)
    table = result.to_frame()
    assert table["design"].to_list() == [design.kind for design in result.designs]
    assert table["kept"].to_list() == [design.lowest for design in result.designs]
    assert "cost_per_round" not in table.columns
    priced = average_plan(
        words, keep=0.85, generations=8, replicates=0, costs=hf.CostModel(real=2.0)
    )
    costs = [design.cost_per_round for design in priced.designs]
    assert priced.to_frame()["cost_per_round"].to_list() == costs


def test_a_list_of_types_is_a_must_keep_list(words):
    result = average_plan(words, of="types", must_keep=["here"], generations=5, replicates=0)
    assert result.target.kind == "must-keep"


def test_designs_are_ranked_by_real_items_without_prices(words):
    result = average_plan(words, keep=0.85, generations=20, replicates=0)
    real = [design.real_items for design in result.designs]
    assert real == sorted(real)
    assert [design.kind for design in result.designs][:2] == ["anchor", "fresh"]
    assert all(design.lowest >= 0.85 for design in result.designs)
    assert result.margin.price == pytest.approx((real[1] - real[0]) / 20)
    assert 20 * result.fresh.items == real[1]


def test_real_items_decide_where_prices_do_not(words):
    check = hf.CostModel(check=5.0)
    result = average_plan(words, keep=0.85, generations=8, costs=check, replicates=0)
    free = average_plan(words, keep=0.85, generations=8, replicates=0)
    assert {design.cost_per_round for design in result.designs} == {5.0}
    assert [design.kind for design in result.designs] == [design.kind for design in free.designs]
    assert result.break_even == {}


def test_a_break_even_of_zero_but_for_rounding_is_left_out():
    prices = hf.CostModel(real=0.1, generated=0.3)
    # They differ in real items alone, which would have to be free.
    one, other = Usage(3, 0.2, 1, 1, 0), Usage(0.3, 0.2, 1, 1, 0)
    assert prices.break_even(one, other) == {}
    nearly = Usage(0.3, 0.2 + 1e-16, 1, 1, 0)
    assert prices.break_even(one, nearly) == {}


def test_nothing_is_needed_for_a_low_target(words):
    result = average_plan(words, keep=0.2, generations=10, replicates=0)
    assert (result.best.kind, result.best.real_per_round) == ("replace", 0)
    assert result.step_in is None


def test_fresh_draws_alone_may_not_do(words):
    result = average_plan(words, keep=0.95, generations=20, replicates=0)
    assert result.feasible
    assert not result.fresh.feasible
    assert "fresh draws alone cannot keep 95.0%" in result.reason
    assert result.best.kind == "anchor"


def test_nothing_may_do():
    tail = hf.Discrete.from_counts({f"word{number}": 1 for number in range(50)})
    result = average_plan(tail, keep=0.9, generations=5, samples=20, replicates=0)
    assert not result.feasible
    assert result.best is result.runner_up is result.margin is None
    assert "no design" in result.reason
    assert result.designs[0].lowest == max(design.lowest for design in result.designs)


def test_the_frontier_is_not_beaten(words):
    found = average_plan(words, keep=0.8, generations=8, replicates=0).frontier
    for point in found.efficient:
        for other in found.points:
            cheaper = other.price <= point.price and other.retention.lowest > point.retention.lowest
            assert not cheaper


def test_costs_are_those_of_the_parts(words):
    costs = hf.CostModel(real=2.0, generated=0.5, check=3.0, monitoring=1.0, loss=7.0)
    result = average_plan(words, keep=0.85, generations=6, costs=costs, replicates=0)
    fresh = next(design for design in result.designs if design.kind == "fresh")
    items = fresh.real_per_round
    missing = 4 * (1 - fresh.retention.expected[1:].mean())
    looks = fresh.inspection
    known = 2 * items + 0.5 * (100 - items) + 1 + 7 * missing
    # A check every T rounds, and what unseen faults lose until then.
    assert fresh.cost_per_round == pytest.approx(known + 3 / looks.every + looks.fault_cost)
    assert fresh.usage.check == 1 / looks.every
    assert result.inspection is result.best.inspection
    assert costs.per_year(2.0) == 24.0


def test_at_its_break_even_price_the_runner_up_costs_the_same(words):
    costs = hf.CostModel(real=2.0, generated=0.5)
    result = average_plan(words, keep=0.85, generations=6, costs=costs, replicates=0)
    assert result.break_even
    for name, value in result.break_even.items():
        prices = {price: getattr(costs, price) for price in PRICES} | {name: value}
        moved = hf.CostModel(**prices)
        best, second = result.best.usage, result.runner_up.usage
        assert moved.per_round(best) == pytest.approx(moved.per_round(second))


@pytest.mark.parametrize(
    ("prices", "message"),
    [
        ({}, "costs: got all 0, takes at least one above 0: there is nothing to trade"),
        ({"real": -1}, "cost of real: got -1"),
        ({"loss": float("nan")}, "cost of loss"),
        ({"real": 1, "rounds_per_month": 0}, "rounds_per_month"),
    ],
)
def test_prices_are_checked(prices, message):
    with pytest.raises(ArgumentError, match=message):
        hf.CostModel(**prices)


def test_a_break_even_below_nothing_is_none():
    costs = hf.CostModel(real=1.0)
    assert costs.break_even(Usage(2, 1, 1, 1, 0), Usage(1, 1, 1, 1, 0)) == {}


def test_keeping_everything_keeps_diversity(small):
    result = average_plan(small, keep=0.9, generations=40, of="diversity", replicates=256, seed=4)
    kept = {design.kind: design for design in result.designs}
    assert result.best.kind == "accumulate-subsample"
    assert kept["accumulate"].retention.law == result.best.retention.law == "exact"
    assert result.simulated_distance() < 4


def test_what_accumulates_is_charged_its_real_items_once(small):
    costs = hf.CostModel(real=3.0, generated=1.0)
    for samples in (30, 50):
        settings = {"generations": 8, "of": "diversity", "replicates": 0, "samples": samples}
        designs = average_plan(small, keep=0.5, costs=costs, **settings).designs
        kept = {design.kind: design for design in designs}
        every, some = kept["accumulate"], kept["accumulate-subsample"]
        in_samples = [samples * 30 / (30 + k * samples) for k in range(1, 9)]
        assert every.real_per_round == 30
        assert some.real_per_round == pytest.approx(np.mean(in_samples))
        assert every.usage.real == some.usage.real == 30 / 8
        assert every.cost_per_round == pytest.approx(3 * 30 / 8 + samples)


@pytest.fixture
def flat():
    return hf.Discrete.from_counts({f"w{place}": 4 for place in range(40)})


def simulated_best(model, costs, generations):
    """Return (price, regime) of the accumulating designs that keep enough, by loops of our own."""
    found, n = [], model.total
    for regime in (hf.Accumulate(), hf.AccumulateSubsample()):
        runs = hf.simulate(model, regime=regime, generations=generations, replicates=64, seed=1)
        left = runs["surviving_fraction"].to_numpy()
        low = left.mean(axis=0) - 2 * left.std(axis=0, ddof=1) / 8
        parts = (n / generations, n, 1, 1, model.types * (1 - left[:, 1:].mean()))
        if low[1:].min() >= 0.7:
            price = parts[0] if costs is None else np.dot(costs.prices, parts)
            found.append((price, regime.describe()))
    return min(found)


@pytest.mark.parametrize(
    ("costs", "kind"),
    [(None, "anchor"), (hf.CostModel(real=1.0, generated=1.0, loss=1.0), "anchor")],
)
def test_the_optimum_is_found_among_what_is_simulated_too(flat, costs, kind, monkeypatch):
    monkeypatch.setattr(module, "_REPLICATES", (4, 64))
    rounds, n, prices = 30, flat.total, []
    result = average_plan(
        flat, keep=0.7, generations=rounds, costs=costs, law="branching", replicates=2
    )

    def look(regime, real):
        law = hf.survival(flat, regime=regime, generations=rounds, law="branching")
        left = law.surviving_fraction[1:]
        if left.min() >= 0.7 - 1e-12:
            mixes = [regime.mix(k, samples=n) for k in range(1, rounds + 1)]
            generated = np.mean([mix.generated for mix in mixes])
            parts = (real, generated, 1, 1, 40 * (1 - left.mean()))
            prices.append(real if costs is None else np.dot(costs.prices, parts))

    for items in range(n + 1):
        look(hf.Fresh(items / n), items)
        for every in (2, 3, 5, 10, 20, 50):
            look(hf.Periodic(share=items / n, every=every), items * (rounds // every) / rounds)
    for stored in range(1, 41):
        held = hf.Anchor.from_mapping({f"w{place}": 1 for place in range(stored)})
        look(held, stored / rounds)
    cheapest = min(*prices, simulated_best(flat, costs, rounds)[0])
    assert result.best.price == pytest.approx(cheapest)
    assert result.best.kind == kind


def test_what_is_simulated_says_so(flat, monkeypatch):
    monkeypatch.setattr(module, "_REPLICATES", (4, 64))
    shown = []
    settings = {"keep": 0.7, "generations": 15, "seed": 5}
    result = average_plan(
        flat, replicates=2, progress=lambda *told: shown.append(told[0]), **settings
    )
    pooled = next(one for one in result.designs if one.kind == "accumulate-subsample")
    assert (pooled.retention.law, pooled.retention.runs) == ("simulated", 64)
    assert pooled.retention.standard_error[-1] > 0
    assert pooled.retention.assured < pooled.lowest
    # The law's designs were there before the first simulation.
    assert shown.index("designs without a law") < shown.index("simulating")
    assert result.left_out == ()
    again = average_plan(flat, replicates=2, **settings)
    other = next(one for one in again.designs if one.kind == "accumulate-subsample")
    assert other.retention.expected.tolist() == pooled.retention.expected.tolist()


def test_without_replicates_the_laws_stand_alone(flat):
    result = average_plan(flat, keep=0.7, generations=10, replicates=0)
    assert result.left_out == ("accumulate", "accumulate-subsample")
    assert {design.retention.law for design in result.designs} <= {"exact", "branching"}


def test_a_list_is_kept_by_accumulating_too():
    counts = {f"w{place}": 8 for place in range(20)} | {"much": 2000}
    model = hf.Discrete.from_counts(counts)
    listed = [f"w{place}" for place in range(20)]
    settings = {"keep": 0.5, "generations": 30, "replicates": 2}
    result = average_plan(model, must_keep=listed, **settings)
    kinds = {design.kind: design for design in result.designs}
    runs = hf.simulate(model, regime=hf.Accumulate(), generations=30, replicates=400, seed=9)
    left = (runs["surviving_types"].to_numpy() - 1) / 20
    error = left.std(axis=0, ddof=1) / 20
    own = kinds["accumulate"].retention
    gap = np.abs(own.expected[1:] - left.mean(axis=0)[1:])
    assert (gap < 4 * np.hypot(error, own.standard_error)[1:] + 1e-12).all()
    unequal = average_plan(model, must_keep={"w1": 1.0, "w2": 2.0}, **settings)
    assert unequal.left_out == ()


@pytest.mark.parametrize("of", ["types", "diversity"])
def test_law_and_simulation_agree(small, of):
    result = average_plan(small, keep=0.8, generations=10, of=of, replicates=256, seed=4)
    assert result.simulated.replicates == 256
    assert result.simulated_distance() < 4
    simulated = [
        sensitivity.name
        for sensitivity in result.sensitivities
        if sensitivity.method == "simulation"
    ]
    assert simulated == ["temperature", "accuracy", "bits"]


def test_a_list_is_simulated_as_it_is(small):
    model = hf.Discrete.from_counts({"much": 300, "more": 200, "rare": 2, "some": 5})
    settings = {"keep": 0.7, "generations": 6, "replicates": 512, "seed": 4}
    for symbols in (["rare", "some"], list(model.symbols)):
        assert average_plan(model, must_keep=symbols, **settings).simulated_distance() < 4
    weighted = average_plan(model, must_keep={"rare": 1, "some": 2}, **settings)
    assert weighted.simulated_distance() < 4
    # What is not listed may be lost here, and does not count.
    assert average_plan(small, must_keep=["a", "b"], **settings).simulated_distance() < 4


def test_a_step_for_the_worse_brings_the_collapse_forward(words):
    result = average_plan(
        words, keep=0.85, generations=10, costs=hf.CostModel(real=1.0), replicates=0
    )
    assert {sensitivity.name for sensitivity in result.sensitivities} >= {"samples"}
    for sensitivity in result.sensitivities:
        assert sensitivity.left_moved < sensitivity.left
        assert sensitivity.collapse_moved < sensitivity.collapse == 10
        assert sensitivity.elasticity > 0


def test_the_round_of_collapse_is_between_rounds():
    assert collapse_round(np.array([1.0, 0.8, 0.6]), 0.7) == 1.5
    assert collapse_round(np.array([1.0, 0.8]), 0.7) is None
    assert collapse_round(np.array([0.5, 0.4]), 0.7) == 0.0


def test_ctrl_c_leaves_the_laws(words, monkeypatch):
    def interrupted(*arguments, **settings):
        raise SimulationInterrupted(None)

    monkeypatch.setattr(simulated, "simulate", interrupted)
    result = average_plan(words, keep=0.85, generations=5)
    assert result.interrupted
    assert result.simulated is None
    assert result.sensitivities
    assert result.best.retention.law == "exact"
    assert result.left_out == ("accumulate", "accumulate-subsample")


def test_the_same_seed_gives_the_same_plan(small):
    runs = [
        average_plan(small, keep=0.8, generations=5, replicates=32, seed=seed) for seed in (3, 3, 4)
    ]
    means = [run.simulated.kept.tolist() for run in runs]
    assert means[0] == means[1] != means[2]
    assert json.dumps(runs[0].provenance())


def recorded(model, path, **options):
    settings = {"generations": 6, "replicates": 64, "seed": 2, **options}
    runs = hf.simulate(model, **settings)
    runs.to_netcdf(path, engine="h5netcdf")
    return runs


def test_a_history_is_planned_on_from(small, tmp_path):
    runs = recorded(small, tmp_path / "run.nc")
    history = read_history(tmp_path / "run.nc", model=small)
    assert history.rounds == 6
    np.testing.assert_allclose(history.left, runs["surviving_fraction"].mean("replicate"))
    result = average_plan(
        small, keep=0.8, generations=20, history=tmp_path / "run.nc", replicates=0
    )
    compared = result.comparison
    assert (compared.elapsed.rounds, compared.planned.size) == (6, 7)
    assert compared.planned[-1] >= 0.8 > history.left[-1]
    assert result.problem.generations == 14
    for design in result.designs:
        assert design.retention.expected.size == 15
        assert design.retention.expected[10:].min() >= 0.8
        assert design.retention.expected[0] == pytest.approx(history.left[-1], abs=0.05)


def test_planning_on_follows_the_law_of_both_parts(small):
    runs = hf.simulate(small, generations=6, replicates=64, seed=2)
    result = average_plan(small, keep=0.8, generations=12, history=runs, replicates=0)
    design = next(design for design in result.designs if design.kind == "fresh")
    share = design.regime.share

    class Both:
        constant = False

        def mix(self, generation, *, samples):
            return hf.Fresh(share if generation > 6 else 0.0).mix(1, samples=samples)

        def describe(self):
            return "both"

    law = hf.survival(small, generations=12, regime=Both()).surviving_fraction
    np.testing.assert_allclose(design.retention.expected, law[6:], atol=0.002)


def test_a_history_off_the_law_is_placed_where_it_stands(small, tmp_path):
    recorded(small, tmp_path / "run.nc", replicates=1)
    runs = xarray.load_dataset(tmp_path / "run.nc", engine="h5netcdf")
    runs["surviving_fraction"][:] = np.linspace(1.0, 0.97, 7)
    elapsed = History.of_runs(runs, model=small).elapsed(small)
    assert elapsed.rounds < 3


def test_a_history_must_be_one(small, words, tmp_path):
    path = tmp_path / "run.nc"
    with pytest.raises(DataError, match="no such file"):
        read_history(path, model=small)
    path.write_text("no netcdf")
    with pytest.raises(DataError, match="cannot be read as a history"):
        read_history(path, model=small)
    runs = recorded(small, path)
    with pytest.raises(DataError, match="recorded with 6 types, counts has 4"):
        read_history(path, model=words)
    with pytest.raises(DataError, match="holds no share of types"):
        History.of_runs(runs.drop_vars("surviving_fraction"), model=small)
    with pytest.raises(DataError, match="does not say how it was made"):
        History.of_runs(runs.drop_attrs(), model=small)
    with pytest.raises(ArgumentError, match="generations: got 6, takes more than the 6 rounds"):
        average_plan(small, generations=6, history=path)
