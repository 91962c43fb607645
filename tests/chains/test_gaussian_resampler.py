"""Trainers of numbers that are not ideal: parameters, the chain, and its law."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import hayflick as hf
from hayflick.core.errors import ArgumentError
from hayflick.laws.gaussian_moments import fresh_moments
from hayflick.laws.gaussian_scale import GaussianSchedule, gaussian_scale

HALF = hf.GaussianResampler(effective_share=0.5, variance_factor=0.97)
VARYING = hf.GaussianResampler(0.5, 0.97, ((0.09, 0.006), (0.006, 0.0009)))


def spreads(resampler, *, samples=40, generations=6, replicates=4096, regime="replace"):
    model = hf.Gaussian(1.0, 2.0, total=samples).with_estimator(resampler)
    runs = hf.simulate(
        model, generations=generations, replicates=replicates, regime=regime, seed=3, threads=1
    )
    return runs["deviation"].to_numpy() / 2.0, (runs["mean"].to_numpy() - 1.0) / 2.0


@pytest.mark.parametrize("regime", ["replace", "fresh:0.2", "accumulate"])
def test_an_ideal_resampler_is_the_chain_of_today(regime):
    plain = hf.Gaussian(1.0, 2.0, total=30)
    ideal = plain.with_estimator(hf.GaussianResampler())
    assert ideal == plain
    runs = [
        hf.simulate(one, generations=4, replicates=33, regime=regime, seed=1)
        for one in (plain, ideal)
    ]
    assert_array_equal(*(run["deviation"] for run in runs))
    law = gaussian_scale(30, generations=5, resampler=hf.GaussianResampler())
    assert_array_equal(law.quantile(0.3), gaussian_scale(30, generations=5).quantile(0.3))


def test_the_law_is_that_of_the_effective_size_and_the_factor():
    law = gaussian_scale(200, generations=6, resampler=HALF)
    plain = gaussian_scale(100, generations=6)
    bias = np.arange(7) * math.log(0.97)
    assert_allclose(law.quantile(0.2), plain.quantile(0.2) + bias, atol=1e-10)
    unequal = GaussianSchedule((200,) * 6, resampler=HALF)
    assert_allclose(unequal.quantile(0.2), law.quantile(0.2), atol=1e-9)


def test_maximum_likelihood_is_a_factor():
    ml = hf.GaussianResampler(variance_factor=19 / 20)
    found = gaussian_scale(20, generations=9, resampler=ml).quantile(0.5)
    assert_allclose(found, gaussian_scale(20, generations=9, ddof=0).quantile(0.5), atol=1e-10)


def test_simulated_runs_follow_the_law():
    found, _ = spreads(HALF)
    law = gaussian_scale(40, generations=6, resampler=HALF)
    for level in (0.1, 0.5, 0.9):
        below = (2.0 * np.log(found) <= law.quantile(level)[None]).mean(axis=0)[1:]
        assert np.abs(below - level).max() < 4.0 * math.sqrt(level * (1.0 - level) / len(found))


@pytest.mark.parametrize("share", [0.0, 0.25])
def test_simulated_runs_have_the_exact_moments(share):
    spread, moved = spreads(HALF, regime=f"fresh:{share}" if share else "replace")
    law = fresh_moments(40, fresh=round(40 * share), generations=6, resampler=HALF)
    for values, exact in ((spread**2, law.variance), (moved**2, law.displacement)):
        error = values.std(axis=0)[1:] / math.sqrt(len(values))
        assert (np.abs(values.mean(axis=0) - exact)[1:] < 4.0 * error).all()


def test_limits_are_fixed_points_of_a_round():
    for trainer in (hf.GaussianResampler(), HALF, hf.GaussianResampler(1.0, 1.05)):
        law = fresh_moments(50, fresh=10, generations=900, resampler=trainer)
        assert law.stationary_variance == pytest.approx(law.variance[-1], rel=1e-6)
        assert law.stationary_displacement == pytest.approx(law.displacement[-1], rel=1e-6)
    growing = fresh_moments(50, fresh=10, generations=9, resampler=hf.GaussianResampler(1.0, 1.5))
    assert growing.stationary_variance is None
    alone = fresh_moments(50, fresh=0, generations=2000, resampler=HALF)
    assert alone.stationary_variance == 0.0
    assert alone.stationary_displacement == pytest.approx(alone.displacement[-1])


def test_every_run_has_a_trainer_of_its_own_where_parameters_vary():
    known, _ = spreads(HALF, samples=4000)
    varying, _ = spreads(VARYING, samples=4000)
    # The factor is the same in all rounds of a run, so its scatter grows with the rounds.
    scatter = np.log(varying).std(axis=0) ** 2 - np.log(known).std(axis=0) ** 2
    rounds = np.arange(1, 7)
    assert_allclose(scatter[1:], (rounds * 0.03 / 2.0) ** 2, rtol=0.15)
    with pytest.raises(ArgumentError, match="known parameters"):
        gaussian_scale(4000, generations=5, resampler=VARYING)


def test_more_draws_do_not_lessen_the_scatter_of_training():
    model = hf.Gaussian(0.0, 1.0).with_estimator(hf.GaussianResampler(effective_share=0.1))
    sizes = hf.Scheduled(samples=(100, 100_000), fresh=(0, 0))
    runs = hf.simulate(model, samples=100, generations=2, regime=sizes, replicates=4096, seed=5)
    moved = runs["mean"].to_numpy()[:, 2] - runs["mean"].to_numpy()[:, 1]
    relative = moved / runs["deviation"].to_numpy()[:, 1]
    assert relative.std() == pytest.approx(math.sqrt(1e-5 + 9.0 / 100.0), rel=0.05)


@pytest.mark.parametrize(
    "wrong",
    [
        {"effective_share": 0.0},
        {"effective_share": math.nan},
        {"variance_factor": -1.0},
        {"variance_factor": math.inf},
        {"covariance": ((1.0,),)},
        {"covariance": ((1.0, 2.0), (2.0, 1.0))},
        {"covariance": ((1.0, 0.0), (0.5, 1.0))},
    ],
)
def test_impossible_parameters_are_refused(wrong):
    with pytest.raises(ArgumentError, match=next(iter(wrong)).replace("_", ".")):
        hf.GaussianResampler(**wrong)


def test_what_does_not_fit_a_calibrated_trainer_is_refused():
    with pytest.raises(ArgumentError, match="ddof"):
        hf.Gaussian(0.0, 1.0, ddof=0, resampler=HALF)
    with pytest.raises(ArgumentError, match="GaussianResampler for the family gaussian"):
        hf.Gaussian(0.0, 1.0).with_estimator(hf.AddDelta(0.5))
    model = hf.Gaussian(0.0, 1.0).with_estimator(hf.GaussianResampler(effective_share=0.01))
    with pytest.raises(ArgumentError, match="at least 200, which have two effective items"):
        hf.simulate(model, samples=100, generations=2)
    calibrated = hf.Gaussian(0.0, 1.0, total=50).with_estimator(HALF)
    selection = hf.Stages(selection=hf.Interval(-1.0, 1.0))
    with pytest.raises(ArgumentError, match="for the family gaussian: none"):
        hf.simulate(calibrated, generations=2, stages=selection)


@pytest.mark.parametrize("regime", ["accumulate", "accumulate-subsample"])
def test_accumulating_rounds_take_the_trainer(regime):
    smoother = hf.GaussianResampler(variance_factor=1.2)
    spread, _ = spreads(smoother, samples=400, regime=regime, replicates=64, generations=1)
    # Half of what is kept after one round is real.
    assert (spread[:, 1] ** 2).mean() == pytest.approx(1.1, abs=0.03)


def test_forecasts_and_plans_take_it():
    law = hf.forecast(hf.Gaussian(0.0, 1.0, total=400).with_estimator(HALF), generations=20)
    assert law.law_name == "exact"
    plain = hf.forecast(hf.Gaussian(0.0, 1.0, total=200), generations=20)
    assert law.left[-1] == pytest.approx(plain.left[-1] * 0.97**10)
    varying = hf.Gaussian(0.0, 1.0, total=400).with_estimator(VARYING)
    assert hf.forecast(varying, generations=20).law_name == "simulation"
    for model in (hf.Gaussian(0.0, 1.0, total=400).with_estimator(HALF), varying):
        made = hf.plan(model, keep=0.8, generations=4, replicates=2)
        assert made.best is not None
