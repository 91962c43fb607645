from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, stats

import hayflick as hf
from hayflick.core.errors import ArgumentError

SIZES = [2, 3, 5, 10, 100, 1000, 100_000]
LEVELS = np.array([1e-9, 1e-4, 0.01, 0.2, 0.5, 0.9, 0.999, 1 - 1e-9])


def log_density(y, n):
    """Density of ln(χ²/(n-1)), by the change of variable."""
    return stats.chi2.pdf((n - 1) * np.exp(y), n - 1) * (n - 1) * np.exp(y)


def test_the_checked_numbers():
    law = hf.gaussian_scale(10, generations=200)
    found = law.survival(2 * np.log(0.1))[[21, 51, 101, 151, 200]]
    assert_allclose(found[:4], [0.8312, 0.3644, 0.0791, 0.0174], atol=5e-5)
    assert found[4] == pytest.approx(0.00404, abs=5e-6)
    assert law.collapse_time(2 * np.log(0.1)) == 41
    volume = hf.gaussian_scale(12, generations=20, dimensions=3).survival([-12.0, -9.0, -6.0])
    assert_allclose(volume[:, 20], [0.4863, 0.1943, 0.0442], atol=5e-5)


@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize("n", SIZES)
def test_one_round_is_chi_squared(n, ddof):
    limits = stats.chi2.ppf(LEVELS, n - 1)
    found = hf.gaussian_scale(n, generations=3, ddof=ddof).survival(np.log(limits / (n - ddof)))
    assert_allclose(found[:, 1], stats.chi2.sf(limits, n - 1), atol=1e-10)


@pytest.mark.parametrize("n", SIZES)
def test_two_rounds_by_quadrature(n):
    law = hf.gaussian_scale(n, generations=2)
    ends = (
        np.log(stats.chi2.ppf(1e-13, n - 1) / (n - 1)),
        np.log(stats.chi2.isf(1e-16, n - 1) / (n - 1)),
    )
    middle = law.quantile(0.5)[1]
    for level in (1e-6, 0.01, 0.3, 0.5, 0.9, 0.9999):
        x = law.quantile(level)[2]

        def joint(y, x=x):
            return log_density(y, n) * stats.chi2.sf((n - 1) * np.exp(x - y), n - 1)

        found, _ = integrate.quad(joint, *ends, points=[middle], epsabs=1e-12, limit=400)
        assert law.survival(x)[2] == pytest.approx(found, abs=1e-10)


@pytest.mark.parametrize("n", [3, 4, 10, 1000])
def test_one_round_of_a_plane_is_a_chi_squared_variable_squared(n):
    # χ²_{n-1} χ²_{n-2} has the law of (χ²_{2n-4})²/4.
    limits = stats.chi2.ppf(LEVELS, 2 * n - 4)
    law = hf.gaussian_scale(n, generations=1, dimensions=2)
    found = law.survival(2 * np.log(limits / 2 / (n - 1)))[:, 1]
    assert_allclose(found, stats.chi2.sf(limits, 2 * n - 4), atol=1e-10)


@pytest.mark.parametrize(("n", "k"), [(2, 30), (5, 30), (10, 41), (10, 200), (100, 200)])
def test_many_rounds_by_convolution_on_a_grid(n, k):
    law = hf.gaussian_scale(n, generations=k)
    mean, spread = law.drift * k, np.sqrt(law.variance * k)
    step = spread / 4000
    # The grid is wide enough for one round and, around its own mean, for all of them.
    y = step * np.arange(-(2**17), 2**17) + law.drift
    mass = np.fft.rfft(np.fft.ifftshift(log_density(y, n) * step))
    total = np.fft.fftshift(np.fft.irfft(mass**k))
    upper = np.cumsum(total[::-1])[::-1] - 0.5 * total
    grid = step * np.arange(-(2**17), 2**17) + mean
    places = np.flatnonzero(np.abs(grid - mean) < 5 * spread)[::2500]
    assert_allclose(law.survival(grid[places])[:, k], upper[places], atol=2e-8)


def test_three_dimensions_against_simulation(rng):
    n, d, k, runs = 6, 3, 12, 20_000
    total = np.zeros(runs)
    for _ in range(k):
        draws = rng.standard_normal((runs, n, d))
        draws -= draws.mean(axis=1, keepdims=True)
        scatter = np.einsum("rni,rnj->rij", draws, draws) / n
        total += np.linalg.slogdet(scatter)[1]
    law = hf.gaussian_scale(n, generations=k, dimensions=d, ddof=0)
    for x in law.quantile(0.5)[k] + np.array([-6.0, 0.0, 6.0]):
        expected = law.survival(x)[k]
        error = np.sqrt(expected * (1 - expected) / runs)
        assert abs((total > x).mean() - expected) < 4 * error
    assert abs(total.mean() - k * law.drift) < 4 * np.sqrt(k * law.variance / runs)


@pytest.mark.parametrize("n", SIZES)
def test_falls_with_the_threshold_and_is_a_probability(n):
    law = hf.gaussian_scale(n, generations=64)
    spread = np.sqrt(64 * law.variance)
    found = law.survival(np.linspace(64 * law.drift - 9 * spread, 9 * spread, 301))
    assert ((found >= 0) & (found <= 1)).all()
    assert np.diff(found, axis=0).max() <= 1e-11
    assert_allclose(law.survival([-np.inf, np.inf])[:, 1:], [[1] * 64, [0] * 64])


@pytest.mark.parametrize("dimensions", [1, 3])
def test_quantiles_invert_the_law(dimensions):
    law = hf.gaussian_scale(6, generations=40, dimensions=dimensions)
    for level in (1e-6, 0.05, 0.5, 0.95, 1 - 1e-6):
        quantiles = law.quantile(level)
        assert quantiles[0] == 0
        above = law.survival(quantiles)[np.arange(41), np.arange(41)]
        assert_allclose(above[1:], 1 - level, atol=1e-11)


def test_generation_zero_is_the_start():
    found = hf.gaussian_scale(10, generations=1).survival([-0.1, 0.0, 0.1])
    assert found[:, 0].tolist() == [1, 0, 0]


def test_each_parameter_changes_the_answer():
    base = {"samples": 10, "generations": 20, "dimensions": 2, "ddof": 1}
    changes = ({}, {"samples": 11}, {"generations": 21}, {"dimensions": 3}, {"ddof": 0})
    found = []
    for change in changes:
        values = base | change
        law = hf.gaussian_scale(values.pop("samples"), **values)
        found.append((law.survival(-6.0)[-1], law.quantile(0.4)[-1]))
    for column in np.array(found).T:
        assert np.unique(column.round(6)).size == len(changes)


def test_a_longer_horizon_changes_nothing_before():
    short, long = (hf.gaussian_scale(10, generations=k).survival(-3.0) for k in (7, 300))
    assert_allclose(short, long[:8], atol=1e-11)


def test_collapse_times_are_where_the_law_says():
    law = hf.gaussian_scale(10, generations=90)
    for probability in (0.2, 0.5, 0.9):
        time = law.collapse_time(-4.6, probability=probability)
        survival = law.survival(-4.6)
        assert survival[time] <= probability < survival[time - 1]
    times = [law.collapse_time(-4.6, probability=p) for p in (0.9, 0.5, 0.3)]
    assert all(early < late for early, late in pairwise(times))
    assert law.collapse_time(-100.0) is None
    assert law.collapse_time(0.0) == 0


@pytest.mark.parametrize("samples", [2, 3])
def test_too_few_draws_collapse_at_once(samples):
    law = hf.gaussian_scale(samples, generations=3, dimensions=3)
    assert law.singular
    assert law.survival([-1e9, 1.0]).tolist() == [[1, 0, 0, 0], [0, 0, 0, 0]]
    assert law.quantile(0.9).tolist() == [0, -np.inf, -np.inf, -np.inf]
    assert law.collapse_time(-1e9) == 1
    assert law.drift == -np.inf
    assert np.isnan(law.variance)
    assert not hf.gaussian_scale(4, generations=1, dimensions=3).singular


@pytest.mark.parametrize(
    ("argument", "value"),
    [("samples", 1), ("generations", 0), ("dimensions", 0), ("ddof", 2), ("ddof", -1)],
)
def test_arguments_out_of_range_are_refused(argument, value):
    values = {"samples": 10, "generations": 5} | {argument: value}
    with pytest.raises(ArgumentError, match=argument):
        hf.gaussian_scale(values.pop("samples"), **values)


def test_thresholds_and_probabilities_out_of_range_are_refused():
    law = hf.gaussian_scale(10, generations=5)
    for bad in (np.nan, [0.0, np.nan], [[0.0]]):
        with pytest.raises(ArgumentError, match="log_ratio"):
            law.survival(bad)
    for bad in (0.0, 1.0, np.nan):
        with pytest.raises(ArgumentError, match="probability"):
            law.quantile(bad)
    with pytest.raises(ArgumentError, match="probability"):
        law.collapse_time(-1.0, probability=1.5)
