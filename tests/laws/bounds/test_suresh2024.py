import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, stats

import hayflick as hf
from hayflick.core.errors import ArgumentError
from hayflick.laws import bounds as suresh2024
from hayflick.laws.bernoulli import bernoulli_law
from hayflick.laws.poisson import poisson_law

SHARES = [0.0, 1e-4, 0.001, 0.01, 0.05, 0.2, 0.5, 0.9, 0.999, 1.0]
# The law itself is right to this.
NOISE = 1e-10


def test_theorem_1_checked_numbers():
    bounds = suresh2024.theorem_1(0.01, samples=100, generations=50)
    assert_allclose(bounds.lower[[1, 10, 50]], [0.63212, 0.15824, 0.03765], atol=5e-6)
    assert_allclose(bounds.upper[[1, 10, 50]], [0.65419, 0.43602, 1.0], atol=5e-6)


@pytest.mark.parametrize("n", [1, 2, 10, 100, 1000])
@pytest.mark.parametrize("p", SHARES)
def test_theorem_1_holds(p, n):
    law = bernoulli_law(p, samples=n, generations=60)
    for two_sided, exact in ((False, law.present), (True, law.polymorphic)):
        bounds = suresh2024.theorem_1(p, samples=n, generations=60, two_sided=two_sided)
        assert (bounds.lower <= exact + NOISE).all()
        assert (bounds.upper >= exact - NOISE).all()
        assert bounds.lower[0] == bounds.upper[0] == exact[0]


@pytest.mark.parametrize("n", [20, 100, 1000])
@pytest.mark.parametrize("exponent", [1.0, 2.0])
def test_corollary_1_holds(n, exponent):
    model = hf.Discrete.zipf_mandelbrot(50, exponent=exponent, offset=2.7)
    law = hf.survival(model, generations=30, samples=n, law="exact")
    exact = 50 * law.surviving_fraction
    bounds = suresh2024.corollary_1(model.probabilities, samples=n, generations=30)
    assert (bounds.lower <= exact + NOISE * 50).all()
    assert (bounds.upper >= exact - NOISE * 50).all()


def test_corollary_1_is_the_sum_of_theorem_1():
    p = np.array([0.5, 0.3, 0.1, 0.05, 0.05, 0.0])
    bounds = suresh2024.corollary_1(p, samples=40, generations=9)
    each = [suresh2024.theorem_1(chance, samples=40, generations=9) for chance in p]
    assert_allclose(bounds.lower, sum(bound.lower for bound in each))
    assert_allclose(bounds.upper, sum(bound.upper for bound in each))


@pytest.mark.parametrize("rate", [0.0, 1e-3, 0.1, 1.0, 10.0])
@pytest.mark.parametrize("n", [1, 10, 1000])
def test_theorem_2_holds(rate, n):
    exact = poisson_law(rate, samples=n, generations=500).present
    bounds = suresh2024.theorem_2(rate, samples=n, generations=500)
    assert (bounds.lower <= exact + 1e-14).all()
    assert (bounds.upper >= exact - 1e-14).all()


@pytest.mark.parametrize("n", [2, 3, 5, 10, 100, 10_000])
@pytest.mark.parametrize("ratio", [0.01, 0.1, 0.5, 0.9, 1.0, 1.5])
@pytest.mark.parametrize("ddof", [0, 1])
def test_theorem_3_holds(n, ratio, ddof):
    # The paper's estimate has ddof = 1, and with ddof = 0 the scale is smaller.
    exact = hf.gaussian_scale(n, generations=200, ddof=ddof).survival(2 * np.log(ratio))
    arguments = {"samples": n, "generations": 200}
    plain = suresh2024.theorem_3(ratio, **arguments)
    assert plain.lower is None
    assert (plain.upper >= exact - NOISE).all()
    for power in (0.0, 0.3, 0.7, 1.0, 2.0, 5.0):
        sharp = suresh2024.theorem_3_sharp(ratio, power=power, **arguments)
        assert (sharp.upper >= exact - NOISE).all()
    first = suresh2024.theorem_3_sharp(ratio, power=1.0, **arguments)
    assert (first.upper <= plain.upper + 1e-12).all()


def test_theorem_3_sharp_is_a_moment():
    def scaled(x):
        return stats.chi2.pdf(x, 9) * (x / 9) ** 0.35

    moment, _ = integrate.quad(scaled, 0, np.inf, epsabs=1e-13)
    found = suresh2024.theorem_3_sharp(0.1, samples=10, generations=200).upper
    expected = np.minimum(10**0.7 * moment ** np.arange(1, 201), 1)
    assert_allclose(found[1:], expected, rtol=1e-9)


def refit(mean, scale, n, rng, eta=2.0):
    """Return the paper's approximate joint maximum likelihood of one round."""
    signs = rng.choice([-1.0, 1.0], (mean.size, n))
    y = signs * mean[:, None] + scale[:, None] * rng.standard_normal((mean.size, n))
    first, second = np.abs(y).mean(axis=1), (y**2).mean(axis=1)
    exponent = (eta - 1) * ((n - 1) / 2 + 4 * eta) / (eta * (n - 1) * (n + 4 * eta - 1))
    grown = np.exp(exponent) * first**2
    with np.errstate(divide="ignore", invalid="ignore"):
        a = np.where(second <= grown, 50, 2 * np.exp(exponent) * second / (second - grown))
        inner = a * second * (second - first**2) / (a * first**2 + 2 * second)
        variance = np.where(second <= 2 * a / (a - 2) * first**2, inner, second)
    return np.sqrt(np.maximum(second - variance, 0)), np.sqrt(np.maximum(variance, 0))


@pytest.mark.parametrize("n", [2, 3, 10, 40])
@pytest.mark.parametrize("mean", [0.0, 1.0, 4.0])
def test_theorem_4_holds_in_simulation(n, mean, rng):
    runs = 2000
    means, scales = np.full(runs, mean), np.ones(runs)
    ratios = [0.1, 0.3, 0.7]
    bounds = [suresh2024.theorem_4(r, samples=n, generations=60).upper for r in ratios]
    for generation in range(1, 61):
        means, scales = refit(means, scales, n, rng)
        for ratio, upper in zip(ratios, bounds, strict=True):
            bound = upper[generation]
            error = np.sqrt(bound * (1 - bound) / runs)
            assert (scales > ratio).mean() <= bound + 4 * error


def test_theorem_4_is_its_formula():
    upper = suresh2024.theorem_4(0.1, samples=10, generations=200).upper
    assert upper[0] == 1
    assert_allclose(upper[1:], np.minimum(10 * np.exp(-np.arange(1, 201) / 40), 1))


def test_bad_arguments_are_refused():
    with pytest.raises(ArgumentError, match="probability"):
        suresh2024.theorem_1(-0.1, samples=10, generations=5)
    for bad in ([0.6, 0.6], [-0.1], 0.5, [np.nan]):
        with pytest.raises(ArgumentError, match="probabilities"):
            suresh2024.corollary_1(bad, samples=10, generations=5)
    with pytest.raises(ArgumentError, match="rate"):
        suresh2024.theorem_2(-1.0, samples=10, generations=5)
    with pytest.raises(ArgumentError, match="power"):
        suresh2024.theorem_3_sharp(0.1, samples=10, generations=5, power=-1.0)
    for theorem in (suresh2024.theorem_3, suresh2024.theorem_3_sharp, suresh2024.theorem_4):
        with pytest.raises(ArgumentError, match="ratio"):
            theorem(0.0, samples=10, generations=5)
        with pytest.raises(ArgumentError, match="samples"):
            theorem(0.1, samples=1, generations=5)
        with pytest.raises(ArgumentError, match="generations"):
            theorem(0.1, samples=10, generations=0)
