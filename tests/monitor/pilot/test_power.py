import numpy as np
import pytest
from scipy import integrate, stats

from hayflick.monitor.pilot_design import welch_power


def slow(effect, *, variance, rounds, level, sides):
    """Integrate over the share of one arm's variance in the sum of both."""
    degrees, shift = 2 * (rounds - 1), effect / np.sqrt(2.0 * variance / rounds)
    half = 0.5 * (rounds - 1)

    def found(u):
        critical = stats.t.isf(level / sides, (rounds - 1) / (u**2 + (1.0 - u) ** 2))
        chance = stats.nct.sf(critical, degrees, shift)
        if sides == 2:
            chance += stats.nct.cdf(-critical, degrees, shift)
        return chance * stats.beta.pdf(u, half, half)

    return integrate.quad(found, 0.0, 1.0, limit=200)[0]


@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize("rounds", [4, 9, 30])
def test_it_is_the_integral(rounds, sides):
    settings = {"variance": 2.0, "rounds": rounds, "level": 0.05, "sides": sides}
    assert welch_power(1.5, **settings) == pytest.approx(slow(1.5, **settings), abs=2e-4)


def test_many_rounds_are_a_normal_test():
    expected = stats.norm.cdf(0.1 / np.sqrt(2 / 2000) - stats.norm.isf(0.025))
    power = welch_power(0.1, variance=1.0, rounds=2000, level=0.05, sides=2)
    assert power == pytest.approx(expected, abs=1e-3)


def test_no_effect_is_found_as_often_as_false_alarms():
    # Welch's test is a little cautious with few rounds.
    assert 0.04 < welch_power(0.0, variance=1.0, rounds=5, level=0.05, sides=2) <= 0.05
    assert welch_power(0.0, variance=1.0, rounds=50, level=0.05, sides=1) == pytest.approx(
        0.05, abs=5e-4
    )


def test_each_parameter_matters():
    base = {"variance": 1.0, "rounds": 10, "level": 0.05, "sides": 2}
    power = welch_power(1.0, **base)
    assert welch_power(1.2, **base) > power
    assert welch_power(-1.0, **base) == pytest.approx(power)
    for change, more in (
        ({"variance": 0.8}, True),
        ({"rounds": 12}, True),
        ({"level": 0.1}, True),
        ({"sides": 1}, True),
        ({"level": 0.01}, False),
    ):
        assert (welch_power(1.0, **{**base, **change}) > power) is more


def test_what_is_sure_is_sure():
    settings = {"variance": 1e-6, "rounds": 3, "level": 0.05, "sides": 2}
    assert welch_power(1.0, **settings) == pytest.approx(1.0, abs=1e-6)
    assert welch_power(-1.0, **{**settings, "sides": 1}) < 1e-9


def simulated(effect, *, rounds, level, sides, trials=100_000):
    arms = np.random.default_rng(6).normal(size=(2, trials, rounds))
    arms[1] += effect
    tail = stats.ttest_ind(arms[1], arms[0], axis=1, equal_var=False)
    p = tail.pvalue if sides == 2 else stats.t.sf(tail.statistic, tail.df)
    return (p < level).mean()


@pytest.mark.parametrize(
    ("effect", "rounds", "level", "sides"),
    [(38.0, 2, 0.001, 2), (38.0, 2, 0.001, 1), (200.0, 2, 1e-4, 2), (30.0, 3, 1e-4, 2)],
)
def test_a_large_effect_in_few_rounds_is_not_sure(effect, rounds, level, sides):
    power = welch_power(effect, variance=1.0, rounds=rounds, level=level, sides=sides)
    expected = simulated(effect, rounds=rounds, level=level, sides=sides)
    assert power == pytest.approx(expected, abs=0.006)


def test_the_power_has_no_step_where_the_computation_changes():
    settings = {"variance": 1.0, "rounds": 2, "level": 0.001, "sides": 2}
    before, after = (welch_power(shift, **settings) for shift in (36.9999, 37.0001))
    assert after == pytest.approx(before, abs=1e-5)
