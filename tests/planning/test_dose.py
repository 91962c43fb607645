import numpy as np
import pytest

from hayflick.chains.discrete import Discrete
from hayflick.core.errors import ArgumentError, DataError
from hayflick.planning.confidence import default_least
from hayflick.planning.dose import spread, threshold_policy
from hayflick.planning.problem import planning_problem
from hayflick.planning.retention import SimulationSettings
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
    share = found.fixed / problem.samples
    assert later.retention(Fresh(share), problem.samples).lowest >= 0.7 + found.margin
    assert later.assurance(Fresh(share), problem.samples, 0.7).confidence >= 0.95
    less = Fresh(share - 1 / problem.samples)
    assert later.assurance(less, problem.samples, 0.7).confidence < 0.95


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
    assert threshold_policy(WORDS, keep=0.7, generations=20, confidence=0.9).dose < base.dose
    assert threshold_policy(WORDS, keep=0.7, generations=20, samples=5000).share < base.share
    rare = threshold_policy(WORDS, keep=0.7, generations=20, must_keep=["w300", "w350"])
    assert rare.dose != base.dose
    assert threshold_policy(WORDS, keep=0.7, generations=20, false_alarms=0.4).limit >= base.limit


def test_few_labels_get_their_margin_from_the_law_of_counts():
    labels = Discrete.from_counts({"R": 3377, "PG-13": 1003, "PG": 528, "NC-17": 16})
    target = SymbolTarget.of_types(labels, least=default_least(labels, 5))
    found = threshold_policy(target, keep=0.9, generations=50)
    # All four are to be kept: the first reading below any limit is a miss already.
    assert found.always
    assert found.below > 1.0
    assert found.dose == found.fixed
    runs = target.runs(
        regime=Fresh(found.share),
        samples=labels.total,
        generations=50,
        replicates=1024,
        simulation=SimulationSettings(seed=4),
    )
    held = float((runs.min(axis=1) >= 0.9).mean())
    assert held >= 0.95 - 2.0 * np.sqrt(0.95 * 0.05 / 1024)
    fewer = threshold_policy(target, keep=0.9, generations=50, confidence=0.5)
    assert fewer.dose < found.dose


def test_a_target_that_three_of_four_labels_meet_needs_less():
    labels = Discrete.from_counts({"R": 3377, "PG-13": 1003, "PG": 528, "NC-17": 16})
    target = SymbolTarget.of_types(labels, least=default_least(labels, 5))
    assert threshold_policy(target, keep=0.75, generations=50).fixed == 0


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
        ({"confidence": 1.0}, "confidence: got 1"),
        ({"false_alarms": 0.0}, "false_alarms: got 0"),
        ({"generations": 0}, "generations: got 0"),
    ],
)
def test_what_does_not_fit_is_refused(settings, message):
    with pytest.raises(ArgumentError, match=message):
        threshold_policy(WORDS, **{"keep": 0.7, "generations": 20, **settings})
