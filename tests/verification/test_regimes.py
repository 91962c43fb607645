"""Regimes whose rounds differ: simulation against law, 4 standard errors, fixed seeds."""

import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError
from hayflick.laws.gaussian_moments import accumulate_moments

RUNS = 2000
COUNTS = {"a": 40, "b": 30, "c": 20, "d": 6, "e": 3, "f": 1}


def assert_means(values, law):
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    assert (np.abs(values.mean(axis=0) - law) <= 4.0 * error + 1e-9).all()


@pytest.mark.parametrize("delta", [0.0, 0.3])
@pytest.mark.parametrize(
    "regime",
    [
        hf.Periodic(share=0.3, every=4),
        hf.Periodic(share=1.0, every=7),
        hf.Scheduled(samples=(30, 200, 60, 90), fresh=(0, 0, 12, 60, 5)),
    ],
    ids=lambda regime: regime.describe(),
)
def test_rounds_that_differ(regime, delta):
    model = hf.Discrete.from_counts(COUNTS, estimator=hf.AddDelta(delta))
    settings = {"generations": 20, "regime": regime}
    exact = hf.survival(model, law="exact", **settings)
    branching = hf.survival(model, law="branching", **settings)
    excess = exact.surviving_fraction - branching.surviving_fraction
    assert -1e-9 < excess.min() <= excess.max() <= branching.error
    runs = hf.simulate(model, replicates=RUNS, seed=1, **settings)
    assert_means(runs["surviving_fraction"].to_numpy(), exact.surviving_fraction)
    assert_means(runs["diversity"].to_numpy(), hf.expected_diversity(model, **settings).expected)


ACCUMULATING = [hf.Accumulate(), hf.AccumulateSubsample()]


@pytest.mark.parametrize("regime", ACCUMULATING, ids=lambda regime: regime.describe())
@pytest.mark.parametrize("delta", [0.0, 0.3])
@pytest.mark.parametrize("samples", [5, 100])
def test_diversity_where_rounds_accumulate(regime, delta, samples):
    model = hf.Discrete.from_counts(COUNTS, estimator=hf.AddDelta(delta))
    settings = {"generations": 20, "regime": regime, "samples": samples}
    runs = hf.simulate(model, replicates=RUNS, seed=2, **settings)
    assert_means(runs["diversity"].to_numpy(), hf.expected_diversity(model, **settings).expected)
    assert (runs["surviving_in_pool"] == len(COUNTS)).all()
    with pytest.raises(ArgumentError, match="simulate it"):
        hf.survival(model, **settings)


@pytest.mark.parametrize("regime", ACCUMULATING, ids=lambda regime: regime.describe())
@pytest.mark.parametrize("delta", [0.0, 0.3])
def test_diversity_where_the_real_data_are_drawn_from_a_law(regime, delta):
    model = hf.Discrete.zipf_mandelbrot(9, exponent=1.2).with_estimator(hf.AddDelta(delta))
    settings = {"generations": 20, "regime": regime, "samples": 12}
    runs = hf.simulate(model, replicates=RUNS, seed=3, **settings)
    assert_means(runs["diversity"].to_numpy(), hf.expected_diversity(model, **settings).expected)
    assert (runs["surviving_in_pool"].diff("generation") >= 0).all()
    assert (runs["surviving_in_pool"] >= runs["surviving_types"])[:, 1:].all()


def test_what_accumulates_keeps_most_of_its_diversity():
    # Π (1 - 1/(n (j + 1)²)) is about exp(-(π²/6 - 1)/n), far from replace's exp(-k/n).
    model = hf.Discrete.from_counts(COUNTS)
    law = hf.expected_diversity(model, generations=100_000, regime=hf.Accumulate())
    limit = law.expected[0] * np.exp(-(np.pi**2 / 6 - 1) / 100)
    assert law.expected[-1] == pytest.approx(limit, rel=1e-5)
    assert law.half_life is None


@pytest.mark.parametrize("ddof", [0, 1])
def test_moments_of_an_accumulating_gaussian(ddof):
    # The law begins with the fit to n real items, the simulation with a given fit.
    n, generations = 10, 100
    law = accumulate_moments(n, generations=generations, ddof=ddof)
    model = hf.Gaussian(3.0, 2.0, total=n, ddof=ddof)
    settings = {"samples": n, "generations": generations, "regime": hf.Accumulate()}
    runs = hf.simulate(model, replicates=5000, seed=4, **settings)
    assert_means((runs["deviation"].to_numpy() / 2.0) ** 2, law.variance / law.variance[0])
    growth = (law.displacement - law.displacement[0]) / law.variance[0]
    assert_means(((runs["mean"].to_numpy() - 3.0) / 2.0) ** 2, growth)
    found = law.variance[100], n * law.displacement[100]
    assert found == pytest.approx([(0.8443, 1.56), (0.9361, 1.62)][ddof], abs=6e-3)


def test_a_bernoulli_is_a_discrete_law_of_two_symbols():
    chances = {}
    model = hf.Discrete.from_counts({"1": 12, "0": 28})
    for regime in ACCUMULATING:
        settings = {"samples": 25, "generations": 15, "regime": regime}
        runs = hf.simulate(hf.Bernoulli(0.3, total=40), replicates=8000, seed=5, **settings)
        p = runs["probability"].to_numpy()
        chances[regime] = p[:, -1]
        assert_means(p, np.full(16, 0.3))
        assert_means(2 * p * (1 - p), hf.expected_diversity(model, **settings).expected)
    assert chances[ACCUMULATING[0]].std() < chances[ACCUMULATING[1]].std()
