"""Short forms of benchmarks/false_alarms.py: what the charts promise, with fixed seeds."""

import numpy as np
import pytest
from scipy.stats import binomtest

import hayflick as hf


def reading(t, scores):
    return hf.Reading(t, scores={"spread": scores})


def first_alarm(chart, draw, *, most):
    alarms = (t for t in range(1, most + 1) if chart.update(reading(t, draw())).alarm)
    return next(alarms, most + 1)


def pool_of(law, rng):
    draws = {
        "Gaussian": rng.normal(size=(4000, 2, 16)),
        "heavy-tailed": rng.standard_t(3, size=(4000, 2, 16)),
        "discrete": np.eye(16)[rng.integers(0, 16, size=(4000, 2)) // 3],
    }[law]
    squares = ((draws[:, 0] - draws[:, 1]) ** 2).sum(axis=-1)
    return 1.0 - np.exp(-squares / np.median(squares))


@pytest.mark.parametrize("law", ["Gaussian", "heavy-tailed", "discrete"])
def test_at_the_boundary_the_product_form_alarms_in_at_most_the_stated_share(law):
    rng = np.random.default_rng(1)
    pool = pool_of(law, rng)
    alarms = 0
    for _ in range(40):
        chart = hf.GuaranteedChart.at(float(pool.mean()), false_alarms=0.1, form="product")
        alarms += first_alarm(chart, lambda: rng.choice(pool, 10), most=100) <= 100
    assert binomtest(alarms, 40, 0.1, alternative="greater").pvalue > 0.01


def test_at_the_boundary_the_sum_form_runs_as_long_as_stated():
    rng = np.random.default_rng(2)
    pool = pool_of("Gaussian", rng)
    lengths = []
    for _ in range(60):
        chart = hf.GuaranteedChart.at(float(pool.mean()), false_alarms=0.02)
        lengths.append(first_alarm(chart, lambda: rng.choice(pool, 5), most=1000))
    assert np.mean(lengths) >= 50.0


def test_the_baseline_error_is_included():
    rng = np.random.default_rng(3)
    pool = pool_of("Gaussian", rng)
    alarms = 0
    for _ in range(40):
        baseline = [reading(t, rng.choice(pool, 10)) for t in range(1, 21)]
        chart = hf.GuaranteedChart(baseline, tolerance=0.0, false_alarms=0.1, form="product")
        alarms += first_alarm(chart, lambda: rng.choice(pool, 10), most=100) <= 100
    assert binomtest(alarms, 40, 0.1, alternative="greater").pvalue > 0.01


@pytest.mark.parametrize("mean", [0.0, 100.0])
@pytest.mark.parametrize(("factor", "tolerance", "rounds"), [(0.5, 0.05, 2), (0.95, 0.02, 10)])
def test_a_loss_of_spread_is_caught_whatever_the_mean(mean, factor, tolerance, rounds):
    delays = []
    for seed in range(7):
        rng = np.random.default_rng((4, seed))

        def squares(spread, rng=rng):
            answers = mean + spread * rng.normal(size=(100, 2, 32))
            return ((answers[:, 0] - answers[:, 1]) ** 2).sum(axis=1)

        scale = np.median(np.concatenate([squares(1.0) for _ in range(5)]))

        def scores(spread, squares=squares, scale=scale):
            return 1.0 - np.exp(-squares(spread) / scale)

        baseline = [reading(t, scores(1.0)) for t in range(1, 16)]
        chart = hf.GuaranteedChart(baseline, tolerance=tolerance, false_alarms=0.001)
        assert first_alarm(chart, lambda scores=scores: scores(1.0), most=10) == 11
        delays.append(first_alarm(chart, lambda scores=scores: scores(factor), most=50))
    assert np.median(delays) <= rounds


def test_a_narrower_mix_of_prompts_is_an_alarm_only_across_prompts():
    rng = np.random.default_rng(5)
    centres = 2.0 * rng.normal(size=(20, 8))

    def squares(prompts, within):
        asked = rng.integers(0, prompts, 100)
        other = asked if within else rng.integers(0, prompts, 100)
        gaps = centres[asked] - centres[other] + rng.normal(size=(2, 100, 8)).sum(axis=0)
        return (gaps**2).sum(axis=1)

    found = {}
    for within in (True, False):
        scale = np.median(squares(20, within))

        def scores(prompts, within=within, scale=scale):
            return 1.0 - np.exp(-squares(prompts, within) / scale)

        baseline = [reading(t, scores(20)) for t in range(1, 21)]
        chart = hf.GuaranteedChart(baseline, tolerance=0.0, false_alarms=0.05, form="product")
        found[within] = first_alarm(chart, lambda scores=scores: scores(3), most=50) <= 50
    assert found == {True: False, False: True}
