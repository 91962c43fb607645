"""How often to check: against plain sums, simulated faults, and a state that is computed."""

from dataclasses import replace

import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError
from hayflick.planning.cost import Usage
from hayflick.planning.inspection import design_inspection, inspection_of
from hayflick.planning.problem import ElapsedRounds, planning_problem


def cost_by_hand(curve, *, check, loss, every, chance):
    """The mean cost per round of one interval, every beginning of the fault by itself."""
    total = check
    for begins in range(1, every + 1):
        unseen = every - begins
        lost = sum(
            max(0.0, curve[0] - curve[min(after, len(curve) - 1)]) for after in range(1, unseen + 1)
        )
        total += chance * (1 - chance) ** (begins - 1) * loss * lost
    return total / every


def random_curve(rng, rounds):
    kind = rng.integers(4)
    after = np.arange(rounds + 1)
    if kind == 0:
        floor = rng.uniform(0, 0.8)
        return floor + (1 - floor) * np.exp(-after * rng.uniform(0.005, 0.3))
    if kind == 1:
        return 1 / (1 + after * rng.uniform(0.02, 1))
    if kind == 2:
        return np.concatenate([[1.0], 1 - np.sort(rng.uniform(0, 1, rounds))])
    # Noise, as of a simulation, may rise.
    return np.clip(1 - 0.01 * after + rng.normal(0, 0.02, rounds + 1), 0, 1)


def test_the_interval_is_the_best_of_all_on_random_curves():
    rng = np.random.default_rng(5)
    for _ in range(50):
        rounds = int(rng.integers(5, 80))
        curve = random_curve(rng, rounds)
        check, loss, faults = 10 ** rng.uniform(-1, 2), 10 ** rng.uniform(0, 3), rng.uniform(0.1, 3)
        found = inspection_of(curve, check=check, loss=loss, horizon=rounds, faults=faults)
        costs = [
            cost_by_hand(curve, check=check, loss=loss, every=every, chance=faults / rounds)
            for every in range(1, rounds + 1)
        ]
        np.testing.assert_allclose(found.by_interval, costs, rtol=1e-9)
        assert found.every == int(np.argmin(costs)) + 1
        assert found.cost_per_round == pytest.approx(min(costs))
        assert found.fault_cost == pytest.approx(found.cost_per_round - check / found.every)


def one_fault(curve, *, check, loss, every, rounds):
    """The mean cost per round where one fault begins in a round that is not known."""
    missing = loss * np.maximum(0, curve[0] - curve[1:])
    lost = [missing[:unseen].sum() for unseen in range(every)]
    return check / every + np.mean(lost) / rounds


def test_the_interval_is_good_where_exactly_one_fault_comes():
    # Another law of the fault, whose best interval is up to a fifth shorter.
    rng, more = np.random.default_rng(6), []
    for _ in range(50):
        curve = random_curve(rng, 50)
        check, loss = 10 ** rng.uniform(-1, 2), 10 ** rng.uniform(0, 3)
        every = inspection_of(curve, check=check, loss=loss, horizon=50).every
        costs = [
            one_fault(curve, check=check, loss=loss, every=one, rounds=50) for one in range(1, 51)
        ]
        more.append(costs[every - 1] / min(costs) - 1)
    assert np.mean(np.array(more) < 0.02) >= 0.95
    assert max(more) < 0.05


def test_simulated_faults_cost_what_is_said():
    curve, check, loss, rounds, every = 0.97 ** np.arange(41), 30.0, 200.0, 40, 12
    rng, missing, since = np.random.default_rng(7), np.maximum(0, curve[0] - curve), None
    costs, intervals = [], 20_000
    for _ in range(intervals):
        cost, since = check, None
        for at in range(every):
            if since is None and rng.random() < 1 / rounds:
                since = at
            if since is not None and at < every - 1:
                cost += loss * missing[at - since + 1]
        costs.append(cost / every)
    told = inspection_of(curve, check=check, loss=loss, horizon=rounds).by_interval[every - 1]
    assert np.mean(costs) == pytest.approx(told, abs=4 * np.std(costs) / np.sqrt(intervals))


def test_the_whole_curve_counts_not_its_first_round():
    # Little is lost in the first round, much later.
    curve = 1 - (np.arange(51) / 50) ** 2
    whole = inspection_of(curve, check=5, loss=1000, horizon=50)
    first = hf.inspection(check=5, delay=1000 * (curve[0] - curve[1]), horizon=50)
    assert whole.every < first.every / 2
    assert whole.cost_per_round < whole.by_interval[first.every - 1] / 3


def test_a_constant_delay_is_timed_by_its_cost():
    answer = hf.inspection(check=100, delay=40, horizon=50)
    p, costs = 1 / 50, []
    for every in range(1, 51):
        unseen = sum(1 - (1 - p) ** i for i in range(every))
        costs.append((100 + 40 * unseen) / every)
    np.testing.assert_allclose(answer.by_interval, costs)
    assert answer.every == int(np.argmin(costs)) + 1
    assert answer.every == pytest.approx((2 * 100 / (p * 40)) ** 0.5, rel=0.2)
    assert hf.inspection(check=100, delay=[40] * 50, horizon=50).every == answer.every
    assert hf.inspection(check=0, delay=1, horizon=9).every == 1
    assert hf.inspection(check=1, delay=0, horizon=9).every == 9
    # On average in the middle of the interval, or a little later: at most one fault is seen.
    assert (answer.every - 1) / 2 < answer.delay < 0.6 * answer.every


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"check": -1}, "check: got -1"),
        ({"check": 0, "delay": 0}, "all 0"),
        ({"check": 0, "delay": [0, 0]}, "all 0"),
        ({"delay": []}, "delay"),
        ({"delay": [1, -2]}, "delay: got -2"),
        ({"delay": [1, float("nan")]}, "delay"),
        ({"horizon": 0}, "horizon: got 0"),
        ({"faults": 0}, "faults: got 0"),
        ({"faults": 6}, "faults: got 6"),
    ],
)
def test_inspection_refuses(options, message):
    with pytest.raises(ArgumentError, match=message):
        hf.inspection(**{"check": 1, "delay": 1, "horizon": 5, **options})


@pytest.mark.parametrize("curve", [[], [1.0, float("nan")], [[1.0], [0.5]]])
def test_a_curve_must_be_one_of_shares(curve):
    with pytest.raises(ArgumentError, match="curve"):
        inspection_of(curve, check=1, loss=1, horizon=5)


def test_a_million_rounds_take_a_moment():
    answer = hf.inspection(check=1e6, delay=1e-3, horizon=1_000_000)
    assert answer.by_interval.size == 1_000_000


def test_a_design_is_checked_for_the_fall_from_its_own_state():
    counts = {f"w{rank}": 1 + 400 // rank for rank in range(1, 300)}
    problem = planning_problem(hf.Discrete.from_counts(counts), generations=40)
    size, costs = problem.samples, hf.CostModel(check=100.0, loss=4.0)
    price = costs.loss * problem.target.total_weight
    for share in (0.05, 0.2, 0.5):
        regime = hf.Fresh(share)
        kept = problem.retention(regime, size).expected
        found = design_inspection(problem, size, kept, costs=costs)
        # The state that the design has reached after 40 rounds, and what is left from there.
        elapsed = replace(problem, elapsed=ElapsedRounds(regime, size, 40))
        fall = elapsed.retention(hf.Replace(), size).expected
        truth = inspection_of(fall, check=costs.check, loss=price, horizon=40)
        assert truth.by_interval[found.every - 1] < 1.02 * truth.cost_per_round
        assert found.cost_per_round == pytest.approx(truth.cost_per_round, rel=0.15)


def test_without_prices_of_check_and_loss_there_is_no_answer(words):
    problem = planning_problem(words, generations=10)
    kept = problem.retention(hf.Fresh(0.2), 100).expected
    for costs in (None, hf.CostModel(check=1.0), hf.CostModel(loss=1.0)):
        assert design_inspection(problem, 100, kept, costs=costs) is None


def test_usage_is_charged_with_checks_and_unseen_faults():
    costs = hf.CostModel(check=10.0, loss=2.0)
    found = inspection_of(0.95 ** np.arange(21), check=10.0, loss=2.0 * 100, horizon=20)
    plain = Usage(real=5, generated=95, check=1, monitoring=1, loss=3)
    used = plain.inspected(found, loss=costs.loss)
    assert used.check == 1 / found.every < 1
    assert costs.per_round(used) == pytest.approx(2.0 * 3 + found.cost_per_round)
