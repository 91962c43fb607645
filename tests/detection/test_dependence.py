"""The tests of a baseline: false warnings at their rate, true ones as often as is said."""

import itertools

import numpy as np
import pytest
from scipy import stats

import hayflick as hf
from hayflick.detection.dependence import dependence_tests, lag_one, share_seen

RUNS = 600


def autoregressive(rng, readings, coefficient):
    series = rng.normal(size=(RUNS, readings + 50))
    for place in range(1, series.shape[1]):
        series[:, place] += coefficient * series[:, place - 1]
    return [dependence_tests(one) for one in series[:, 50:]]


@pytest.mark.parametrize("readings", [10, 30])
def test_each_test_finds_one_healthy_baseline_in_twenty(readings, rng):
    found = autoregressive(rng, readings, 0.0)
    for share in (
        np.mean([one.is_autocorrelated for one in found]),
        np.mean([one.falls or one.rises for one in found]),
    ):
        # Three standard errors.
        assert abs(share - 0.05) <= 0.027


def test_also_if_readings_are_skewed_or_tied(rng):
    skewed = [dependence_tests(one) for one in rng.exponential(size=(RUNS, 20))]
    assert np.mean([one.is_autocorrelated for one in skewed]) <= 0.077
    tied = [dependence_tests(one) for one in rng.integers(0, 3, (RUNS, 20)).astype(float)]
    assert np.mean([one.falls or one.rises for one in tied]) <= 0.077
    assert np.mean([one.is_autocorrelated for one in tied]) <= 0.077


@pytest.mark.parametrize(("readings", "least"), [(10, 0.25), (20, 0.55), (30, 0.75)])
def test_autocorrelation_is_seen_as_often_as_is_said(readings, least, rng):
    found = np.mean([one.is_autocorrelated for one in autoregressive(rng, readings, 0.5)])
    assert found >= least
    assert found == pytest.approx(share_seen(readings), abs=0.06)


def test_the_trend_is_that_of_all_orders():
    series = np.array([3.0, 1.0, 2.5, 0.5, 0.7, 0.1])
    rising = [
        sum(np.sign(b - a) for a, b in itertools.combinations(order, 2))
        for order in itertools.permutations(series)
    ]
    observed = sum(np.sign(b - a) for a, b in itertools.combinations(series, 2))
    as_clear = np.mean([abs(one) >= abs(observed) for one in rising])
    assert dependence_tests(series).trend == pytest.approx(as_clear)


@pytest.mark.parametrize("readings", [8, 30, 60])
def test_the_trend_is_kendalls(readings, rng):
    series = rng.normal(size=readings) + 0.05 * np.arange(readings)
    reference = stats.kendalltau(np.arange(readings), series)
    found = dependence_tests(series)
    assert found.tau == pytest.approx(reference.statistic)
    assert found.trend == pytest.approx(reference.pvalue, rel=0.1)


def test_long_baselines_take_the_normal_law(rng):
    series = rng.normal(size=500)
    found = dependence_tests(series)
    orders = rng.permuted(np.tile(series, (2000, 1)), axis=1)
    assert found.memory == pytest.approx(
        np.mean([lag_one(one) >= found.autocorrelation for one in orders]), abs=0.04
    )


def test_too_few_or_equal_readings_say_nothing():
    for series in ([], [1.0], [4.0, 3.0, 2.0, 1.0], [1.0] * 20):
        tests = dependence_tests(np.array(series))
        assert not tests.found
        assert not tests.was_possible
        assert tests.notes("words") == ()


def test_a_falling_baseline_is_the_worse_one():
    falling = dependence_tests(np.linspace(9.0, 1.0, 10))
    assert "falls already in the baseline" in str(falling.notes("words")[0])
    rising = dependence_tests(np.linspace(1.0, 9.0, 10))
    assert rising.rises
    assert not rising.falls


def test_verdicts_carry_the_names_of_rounds():
    months = [f"2024-{month:02}" for month in range(1, 13)]
    values = [10.0 + 0.1 * (place % 3) for place in range(8)] + [1.0] * 4
    readings = [
        hf.Reading(number, {"words": value}, label=month)
        for number, (month, value) in enumerate(zip(months, values, strict=True), 1)
    ]
    chart = hf.ShewhartChart(readings[:8], metric="words", run_length=20, direction="falls")
    alarm = chart.update(readings[8])
    assert (alarm.alarm, alarm.name, alarm.since_name) == (True, "2024-09", "2024-09")
