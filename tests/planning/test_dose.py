import numpy as np
import pytest

from hayflick.chains.discrete import Discrete
from hayflick.core.errors import ArgumentError, DataError
from hayflick.planning.dose import spread, threshold_policy
from hayflick.planning.problem import planning_problem
from hayflick.planning.targets import SymbolTarget
from hayflick.regimes.fresh import Fresh
from hayflick.simulation.simulate import simulate

WORDS = Discrete.from_counts({f"w{place}": 1 + 600 // place for place in range(1, 400)})


def test_the_dose_holds_target_and_margin_and_one_item_less_does_not():
    found = threshold_policy(WORDS, keep=0.7, generations=20)
    assert found.margin > 0.0
    assert found.retention.lowest >= found.keep + found.margin
    problem = found.problem
    later = planning_problem(WORDS, generations=20)
    assert later.retention(Fresh(found.fixed_share), problem.samples).lowest >= 0.7 + found.margin
    less = Fresh(found.fixed_share - 1 / problem.samples)
    assert later.retention(less, problem.samples).lowest < 0.7 + found.margin


def test_at_the_limit_one_more_round_is_at_the_target():
    found = threshold_policy(WORDS, keep=0.7, generations=20)
    assert found.next_unaided >= found.keep
    assert found.limit > found.keep
    assert not found.always


def test_a_target_that_leaves_no_room_asks_for_a_dose_in_every_round():
    alone = planning_problem(WORDS, generations=20).retention(Fresh(1.0), WORDS.total).lowest
    found = threshold_policy(WORDS, keep=alone - 0.001, generations=20)
    assert found.always
    assert (found.limit, found.unaided, found.margin) == (1.0, 1, 0.0)
    assert found.false_alarms > 0.999
    with pytest.raises(DataError, match=r"fresh data alone keep .* at most, and so does any rule"):
        threshold_policy(WORDS, keep=alone + 0.001, generations=20)


def test_every_argument_moves_the_answer():
    base = threshold_policy(WORDS, keep=0.7, generations=20)
    assert threshold_policy(WORDS, keep=0.72, generations=20).dose > base.dose
    assert threshold_policy(WORDS, keep=0.7, generations=40).dose > base.dose
    assert threshold_policy(WORDS, keep=0.7, generations=20, assurance=0.9).dose < base.dose
    assert threshold_policy(WORDS, keep=0.7, generations=20, samples=5000).share < base.share
    rare = threshold_policy(WORDS, keep=0.7, generations=20, must_keep=["w300", "w350"])
    assert rare.dose != base.dose
    assert threshold_policy(WORDS, keep=0.7, generations=20, false_alarms=0.4).limit >= base.limit


def test_diversity_has_no_margin():
    found = threshold_policy(SymbolTarget.of_diversity(WORDS), keep=0.99, generations=200)
    assert (found.margin, found.spread) == (0.0, 0.0)
    assert found.retention.lowest >= 0.99


def test_the_spread_bounds_the_simulated_one_from_above():
    problem = planning_problem(WORDS, generations=10)
    runs = simulate(WORDS, generations=10, regime=Fresh(0.1), replicates=512, seed=3)
    simulated = float(runs["surviving_fraction"].values[:, -1].std())
    bound = spread(problem, Fresh(0.1))
    assert 0.8 * bound < simulated < bound * (1.0 + 4.0 / np.sqrt(2 * 512))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"keep": 1.5}, "keep: got 1.5"),
        ({"assurance": 1.0}, "assurance: got 1"),
        ({"false_alarms": 0.0}, "false_alarms: got 0"),
        ({"generations": 0}, "generations: got 0"),
    ],
)
def test_what_does_not_fit_is_refused(settings, message):
    with pytest.raises(ArgumentError, match=message):
        threshold_policy(WORDS, **{"keep": 0.7, "generations": 20, **settings})
