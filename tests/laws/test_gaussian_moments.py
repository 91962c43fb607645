import numpy as np
import pytest
from numpy.testing import assert_allclose

from hayflick.core.errors import ArgumentError
from hayflick.laws.gaussian_moments import accumulate_moments, fresh_moments

RUNS = 40_000


def close(sample, expected):
    return abs(sample.mean() - expected) < 4 * sample.std() / np.sqrt(sample.size)


def test_the_checked_numbers():
    moments = fresh_moments(20, fresh=2, generations=60)
    assert_allclose(moments.variance[[1, 5, 21, 60]], [1, 1.0352, 1.2130, 1.3137], atol=5e-5)
    assert moments.stationary_variance == pytest.approx(1.3214, abs=5e-5)
    for ddof, variance, displacement in ((0, 0.8443, 1.56), (1, 0.9361, 1.62)):
        pool = accumulate_moments(10, generations=100, ddof=ddof)
        assert pool.variance[100] == pytest.approx(variance, abs=5e-5)
        assert 10 * pool.displacement[100] == pytest.approx(displacement, abs=5e-3)


@pytest.mark.parametrize(("n", "m"), [(2, 1), (5, 0), (5, 2), (20, 2), (6, 6)])
def test_fresh_data_against_simulation(n, m, rng):
    mean, scale = np.zeros(RUNS), np.ones(RUNS)
    moments = fresh_moments(n, fresh=m, generations=10)
    for generation in range(1, 11):
        made = mean[:, None] + scale[:, None] * rng.standard_normal((RUNS, n - m))
        pool = np.concatenate([made, rng.standard_normal((RUNS, m))], axis=1)
        mean, scale = pool.mean(axis=1), pool.std(axis=1, ddof=1)
        assert close(scale**2, moments.variance[generation])
        assert close(mean**2, moments.displacement[generation])


@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize("n", [2, 10])
def test_accumulation_against_simulation(n, ddof, rng):
    pool = rng.standard_normal((RUNS, n))
    moments = accumulate_moments(n, generations=8, ddof=ddof)
    for generation in range(9):
        mean, scale = pool.mean(axis=1), pool.std(axis=1, ddof=ddof)
        assert close(scale**2, moments.variance[generation])
        assert close(mean**2, moments.displacement[generation])
        made = mean[:, None] + scale[:, None] * rng.standard_normal((RUNS, n))
        pool = np.concatenate([pool, made], axis=1)


def test_a_given_fit_is_the_law_rescaled(rng):
    start = np.array([3.0, 5.0, 9.0, 4.0, 4.0])
    start = (start - start.mean()) / start.std()
    pool = np.tile(start, (RUNS, 1))
    for _ in range(6):
        mean, scale = pool.mean(axis=1), pool.std(axis=1)
        made = mean[:, None] + scale[:, None] * rng.standard_normal((RUNS, 5))
        pool = np.concatenate([pool, made], axis=1)
    moments = accumulate_moments(5, generations=6, ddof=0)
    assert close(pool.var(axis=1), moments.variance[6] / moments.variance[0])
    drift = (moments.displacement[6] - moments.displacement[0]) / moments.variance[0]
    assert close(pool.mean(axis=1) ** 2, drift)


@pytest.mark.parametrize(("n", "m"), [(2, 1), (2, 2), (20, 2), (300, 1), (50, 49)])
def test_moments_tend_to_their_stationary_values(n, m):
    moments = fresh_moments(n, fresh=m, generations=20_000)
    assert moments.variance[-1] == pytest.approx(moments.stationary_variance, rel=1e-9)
    assert moments.displacement[-1] == pytest.approx(moments.stationary_displacement, rel=1e-9)


def test_replace_wanders_and_keeps_its_mean_variance():
    moments = fresh_moments(10, fresh=0, generations=50)
    assert_allclose(moments.variance, 1.0)
    assert_allclose(moments.displacement, np.arange(51) / 10)
    assert moments.stationary_variance == 1.0
    assert moments.stationary_displacement is None


def test_accumulated_displacement_tends_to_its_known_limit():
    moments = accumulate_moments(10**6, generations=100_000)
    assert 1e6 * moments.displacement[-1] == pytest.approx(np.pi**2 / 6, abs=2e-5)


def test_each_parameter_changes_the_answer():
    fresh = [(20, 2, 60), (21, 2, 60), (20, 3, 60), (20, 2, 61)]
    ends = [fresh_moments(n, fresh=m, generations=k) for n, m, k in fresh]
    pools = [(10, 100, 1), (11, 100, 1), (10, 101, 1), (10, 100, 0)]
    more = [accumulate_moments(n, generations=k, ddof=ddof) for n, k, ddof in pools]
    for group in (ends, more):
        assert len({(m.variance[-1], m.displacement[-1]) for m in group}) == 4


def test_arguments_out_of_range_are_refused():
    with pytest.raises(ArgumentError, match="fresh"):
        fresh_moments(10, fresh=11, generations=5)
    with pytest.raises(ArgumentError, match="samples"):
        fresh_moments(1, fresh=0, generations=5)
    with pytest.raises(ArgumentError, match="generations"):
        fresh_moments(10, fresh=1, generations=0)
    with pytest.raises(ArgumentError, match="ddof"):
        accumulate_moments(10, generations=5, ddof=2)
    with pytest.raises(ArgumentError, match="samples"):
        accumulate_moments(1, generations=5)
