import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError


def readings(values, *, first=1):
    return [hf.Reading(t, {"diversity": float(value)}) for t, value in enumerate(values, first)]


def falling(rounds, *, floor=0.3, drop=0.5, rate=0.1, noise=0.0, seed=1):
    times = np.arange(rounds)
    errors = np.random.default_rng(seed).normal(0.0, noise, rounds) if noise else 0.0
    return floor + drop * np.exp(-rate * times) + errors


def test_a_fall_without_noise_is_projected_exactly():
    ahead = hf.early_warning(readings(falling(15)), metric="diversity", limit=0.4)
    crossing = 1.0 + np.log(0.5 / 0.1) / 0.1
    assert ahead.round == pytest.approx(crossing, rel=1e-3)
    assert ahead.low <= ahead.round <= ahead.high
    assert ahead.floor == pytest.approx(0.3, abs=1e-3)
    assert ahead.rate == pytest.approx(0.1, rel=2e-3)
    assert ahead.reason == ""


def test_the_interval_covers_as_often_as_stated():
    crossing = 1.0 + np.log(5.0) / 0.1
    runs, covered = 30, 0
    for seed in range(runs):
        series = falling(15, noise=0.01, seed=seed)
        ahead = hf.early_warning(readings(series), metric="diversity", limit=0.4)
        covered += ahead.low <= crossing <= (ahead.high or np.inf)
    assert covered / runs == pytest.approx(0.9, abs=3.0 * np.sqrt(0.09 / runs))


def test_more_confidence_is_a_wider_interval_and_a_lower_limit_a_later_round():
    series = readings(falling(15, noise=0.005))
    ahead = hf.early_warning(series, metric="diversity", limit=0.4)
    sure = hf.early_warning(series, metric="diversity", limit=0.4, confidence=0.99)
    assert sure.low < ahead.low
    assert sure.high > ahead.high
    assert hf.early_warning(series, metric="diversity", limit=0.37).round > ahead.round


def test_order_and_origin_of_the_rounds_do_not_matter():
    series = falling(12, noise=0.005)
    ahead = hf.early_warning(readings(series), metric="diversity", limit=0.4)
    late = hf.early_warning(readings(series, first=101)[::-1], metric="diversity", limit=0.4)
    assert late.round == pytest.approx(ahead.round + 100.0)
    assert late.high == pytest.approx(ahead.high + 100.0)


def test_an_interval_may_have_no_end():
    series = readings(falling(8, noise=0.004, seed=2))
    ahead = hf.early_warning(series, metric="diversity", limit=0.33)
    assert ahead.high is None
    assert ahead.low is not None


def test_the_floor_is_not_below_what_the_metric_can_be():
    line = readings(0.9 - 0.02 * np.arange(12) + 0.001 * np.tile([1, -1], 6))
    ahead = hf.early_warning(line, metric="diversity", limit=0.3)
    below = hf.early_warning(line, metric="diversity", limit=0.3, lowest=-100.0)
    assert ahead.floor == 0.0
    assert below.round < ahead.round


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([0.9, 0.8, 0.7], "3 readings of diversity, takes at least 6"),
        ([], "0 readings of diversity"),
        ([0.5] * 20, "shows no fall"),
        (0.5 + 0.01 * np.random.default_rng(1).normal(size=20), "shows no fall"),
        (0.5 + 0.01 * np.arange(20), "shows no fall"),
        (falling(30, floor=0.5, drop=0.3, noise=0.003), "levels off at 0.498, above its limit"),
    ],
)
def test_no_projection_is_a_reason_and_never_0(values, reason):
    ahead = hf.early_warning(readings(values), metric="diversity", limit=0.4)
    assert reason in ahead.reason
    assert (ahead.round, ahead.high) == (None, None)


def test_arguments_out_of_range_are_refused():
    with pytest.raises(ArgumentError, match=r"limit: got 0.0, takes a number above lowest"):
        hf.early_warning([], metric="diversity", limit=0.0)
    with pytest.raises(ArgumentError, match=r"confidence: got 1.0"):
        hf.early_warning([], metric="diversity", limit=0.5, confidence=1.0)
