import numpy as np
import pytest
from numpy.testing import assert_allclose

import hayflick as hf
from hayflick.core.errors import ArgumentError
from hayflick.laws.gaussian_scale import GaussianSchedule


@pytest.mark.parametrize("samples", [2, 3, 10, 500, 400_000])
@pytest.mark.parametrize("ddof", [0, 1])
def test_equal_sizes_are_the_law_of_equal_sizes(samples, ddof):
    law = GaussianSchedule([samples] * 40, ddof)
    same = hf.gaussian_scale(samples, generations=40, ddof=ddof)
    for level in (0.05, 0.5, 0.99):
        assert_allclose(law.quantile(level), same.quantile(level), atol=1e-11)


def test_one_round_is_a_chi_squared_variable():
    from scipy.stats import chi2

    law = GaussianSchedule([7], 0).quantile(0.3)
    assert_allclose(law, [0.0, np.log(chi2.ppf(0.3, 6) / 7)], atol=1e-12)


def test_the_order_of_the_rounds_does_not_matter_at_their_end():
    sizes = [3, 50, 4, 20, 1000]
    forth, back = GaussianSchedule(sizes), GaussianSchedule(sizes[::-1])
    assert forth.quantile(0.5)[-1] == pytest.approx(back.quantile(0.5)[-1], abs=1e-11)
    assert abs(forth.quantile(0.5)[1] - back.quantile(0.5)[1]) > 0.1
    assert GaussianSchedule(sizes, 0).quantile(0.5)[-1] < forth.quantile(0.5)[-1]


def test_quantiles_are_those_of_drawn_products():
    sizes, rng = np.array([3, 50, 4, 20, 1000]), np.random.default_rng(3)
    steps = np.log(rng.chisquare(sizes - 1, size=(100_000, 5)) / (sizes - 1))
    sums = np.sort(np.cumsum(steps, axis=1), axis=0)
    for level in (0.1, 0.5, 0.9):
        law = GaussianSchedule(sizes.tolist()).quantile(level)[1:]
        below = np.array([np.searchsorted(sums[:, k], law[k]) for k in range(5)]) / len(sums)
        error = np.sqrt(level * (1 - level) / len(sums))
        assert (np.abs(below - level) < 4 * error).all()


@pytest.mark.parametrize(
    ("sizes", "message"),
    [([], "rounds: got 0"), ([5, 1], "samples of round 2: got 1"), ([2.5], "samples of round 1")],
)
def test_sizes_are_checked(sizes, message):
    with pytest.raises(ArgumentError, match=message):
        GaussianSchedule(sizes)


def test_a_level_is_a_probability():
    with pytest.raises(ArgumentError, match="probability"):
        GaussianSchedule([5]).quantile(0.0)
    with pytest.raises(ArgumentError, match="ddof"):
        GaussianSchedule([5], 2)
