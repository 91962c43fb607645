"""Families of a few numbers: simulation against law at 4.5 standard errors, fixed seeds."""

import numpy as np
import pytest

import hayflick as hf
from hayflick.laws.bernoulli import bernoulli_law
from hayflick.laws.gaussian_moments import fresh_moments
from hayflick.laws.poisson import poisson_law

RUNS = 20_000


def assert_shares(found, law):
    error = np.sqrt(law * (1.0 - law) / RUNS)
    assert (np.abs(found - law) <= 4.5 * error + 1e-9).all()


def assert_means(values, law):
    error = values.std(axis=0) / np.sqrt(len(values))
    assert (np.abs(values.mean(axis=0) - law) <= 4.5 * error + 1e-12).all()


@pytest.mark.parametrize(("samples", "ddof"), [(2, 1), (10, 1), (10, 0), (100, 1)])
def test_the_gaussian_scale(samples, ddof):
    model = hf.Gaussian(0.0, 1.0, ddof=ddof)
    runs = hf.simulate(model, samples=samples, generations=60, replicates=RUNS, seed=1)
    law = hf.gaussian_scale(samples, generations=60, ddof=ddof)
    for threshold in (0.1, 0.5, 1.0, 1.5):
        found = (runs["deviation"].to_numpy() > threshold).mean(axis=0)
        assert_shares(found[1:], law.survival(2.0 * np.log(threshold))[1:])


def test_the_generalised_variance():
    model = hf.MultivariateGaussian(np.zeros(3), np.diag([1.0, 4.0, 0.25]))
    runs = hf.simulate(model, samples=12, generations=20, replicates=RUNS, seed=2)
    law = hf.gaussian_scale(12, generations=20, dimensions=3)
    for threshold in (-12.0, -9.0, -6.0, -1.0):
        found = (runs["log_variance_ratio"].to_numpy() > threshold).mean(axis=0)
        assert_shares(found[1:], law.survival(threshold)[1:])
    # The numbers that were checked elsewhere, before this code was written.
    last = law.survival(np.array([-12.0, -9.0, -6.0]))[:, 20]
    assert last == pytest.approx([0.4863, 0.1943, 0.0442], abs=6e-5)


def test_the_gaussian_with_fresh_data():
    regime = hf.Fresh(share=0.1)
    settings = {"samples": 20, "generations": 60}
    runs = hf.simulate(hf.Gaussian(0.0, 1.0), regime=regime, replicates=RUNS, seed=3, **settings)
    law = fresh_moments(20, fresh=2, generations=60)
    assert_means(runs["deviation"].to_numpy() ** 2, law.variance)
    assert_means(runs["mean"].to_numpy() ** 2, law.displacement)
    assert law.variance[[1, 5, 21, 60]] == pytest.approx([1.0, 1.0352, 1.2130, 1.3137], abs=6e-5)


@pytest.mark.parametrize("rate", [0.2, 1.0, 10.0])
def test_poisson_rates(rate):
    runs = hf.simulate(hf.Poisson(rate), samples=10, generations=50, replicates=RUNS, seed=4)
    values, law = runs["rate"].to_numpy(), poisson_law(rate, samples=10, generations=50)
    assert_shares((values > 0.0).mean(axis=0), law.present)
    assert_means(values, law.mean)


@pytest.mark.parametrize(("probability", "samples"), [(0.01, 100), (0.3, 20), (0.5, 7)])
def test_bernoulli_chances(probability, samples):
    settings = {"samples": samples, "generations": 50}
    runs = hf.simulate(hf.Bernoulli(probability), replicates=RUNS, seed=5, **settings)
    values, law = runs["probability"].to_numpy(), bernoulli_law(probability, **settings)
    assert_shares((values > 0.0).mean(axis=0), law.present)
    assert_shares(((values > 0.0) & (values < 1.0)).mean(axis=0), law.polymorphic)
