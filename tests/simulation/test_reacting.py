"""Rounds that depend on what was read, against the regimes that they come down to."""

import numpy as np
import pytest

from hayflick.chains.discrete import Discrete
from hayflick.chains.gaussian import Gaussian
from hayflick.core.errors import ArgumentError
from hayflick.core.records import Action, ActionKind
from hayflick.laws.diversity import expected_diversity
from hayflick.laws.survival import survival
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.triggered import Threshold, Triggered
from hayflick.simulation.simulate import simulate

WORDS = Discrete.zipf_mandelbrot(60, exponent=1.0, offset=2.7)
ALWAYS, NEVER = Threshold(below=2.0, items=20), Threshold(below=-1.0, items=20)


def run(rule, **settings):
    given = {"samples": 100, "generations": 12, "replicates": 70, "seed": 3, **settings}
    return simulate(WORDS, regime=Triggered(rule), **given)


def within_standard_errors(runs, law, limit=4.0):
    values = runs["surviving_fraction"].to_numpy()[:, 1:]
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    return np.abs(values.mean(axis=0) - law.surviving_fraction[1:]) < limit * error


def test_a_rule_that_never_fires_is_replace():
    runs = run(NEVER, replicates=1000)
    assert not runs["real_items"].any()
    assert not runs["actions"].any()
    assert within_standard_errors(runs, survival(WORDS, samples=100, generations=12)).all()


def test_a_rule_that_always_fires_is_fresh_data_from_the_second_round_on():
    runs = run(ALWAYS, replicates=1000)
    np.testing.assert_array_equal(runs["real_items"][:, 2:], 20)
    np.testing.assert_array_equal(runs["actions"][:, 1:], 1)
    shares = survival(WORDS, samples=100, generations=12, regime=Fresh(0.2))
    later = runs["surviving_fraction"].to_numpy()[:, -1]
    error = later.std(ddof=1) / np.sqrt(later.size)
    # The first round without fresh data is long forgotten.
    assert abs(later.mean() - shares.surviving_fraction[-1]) < 4.0 * error


def test_runs_part_ways():
    runs = run(Threshold(below=0.55, items=50))
    left, real = runs["surviving_fraction"].to_numpy(), runs["real_items"].to_numpy()
    np.testing.assert_array_equal(real[:, 2:], np.where(left[:, 1:-1] < 0.55, 50, 0))
    assert 0 < (real > 0).mean() < 1


@pytest.mark.parametrize("settings", [{"threads": 1}, {"threads": 2}, {"block_size": 64}])
def test_the_same_seed_gives_the_same_runs(settings):
    one, other = (
        run(Threshold(below=0.55, items=50)),
        run(Threshold(below=0.55, items=50), **settings),
    )
    for name in ("surviving_types", "real_items", "count_by_rank"):
        np.testing.assert_array_equal(one[name], other[name])


def test_a_longer_run_with_more_replicates_begins_with_the_shorter_one():
    rule = Threshold(below=0.55, items=50)
    short, long = run(rule, replicates=40, generations=5), run(rule)
    np.testing.assert_array_equal(short["surviving_types"], long["surviving_types"][:40, :6])


class Counting:
    """Fires in every third round that it has seen: a rule that remembers."""

    def __init__(self):
        self.seen = 0

    def decide(self, reading):
        self.seen += 1
        fires = self.seen % 3 == 0
        return (Action(kind=ActionKind.INJECT, reason="third", items=9),) if fires else ()


def test_each_run_remembers_for_itself():
    runs = run(Counting())
    expected = np.where(np.arange(13) % 3 == 1, 9, 0)
    expected[1] = 0
    np.testing.assert_array_equal(runs["real_items"], np.tile(expected, (70, 1)))


def test_other_families_take_part():
    rule = Threshold(below=0.5, items=10, metric="deviation")
    regime = Triggered(rule)
    runs = simulate(
        Gaussian(0.0, 1.0), samples=20, generations=60, regime=regime, replicates=64, seed=1
    )
    assert runs["real_items"].any()
    assert float(runs["deviation"][:, -1].median()) > 0.3


def test_a_metric_that_is_not_measured_is_refused_by_name():
    with pytest.raises(ArgumentError, match=r"metric: got divercity, takes one of .* did you mean"):
        run(Threshold(below=0.5, items=1, metric="divercity"))


@pytest.mark.parametrize("law", [survival, expected_diversity])
def test_no_law_is_known(law):
    with pytest.raises(ArgumentError, match="no law is known for those that react: simulate"):
        law(WORDS, samples=100, generations=5, regime=Triggered(ALWAYS))
