"""Distances from a baseline by hand, and the level and power of the test."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist

from hayflick.core.errors import ArgumentError, DataError
from hayflick.diversity.drift import METHODS, drift


def reference(one, other, method):
    """Return the distance, mean by mean."""
    both = np.concatenate([one, other])
    squares = cdist(both, both) ** 2
    scale = np.median(squares[np.triu_indices(len(both), k=1)])
    similar = np.exp(-squares / scale) if method == "mmd" else -np.sqrt(squares)
    n = len(one)
    within = [block[~np.eye(len(block), dtype=bool)].mean() for block in _corners(similar, n)]
    return sum(within) - 2 * similar[:n, n:].mean()


def _corners(matrix, n):
    return matrix[:n, :n], matrix[n:, n:]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_the_distance_is_that_of_the_formula(rng, method, offset):
    one, other = rng.normal(size=(13, 3)) + offset, rng.normal(size=(20, 3)) * 2 + offset
    result = drift(one, baseline=other, rng=rng, method=method)
    assert result.statistic == pytest.approx(reference(one, other, method), rel=1e-6)
    assert result.compared == (13, 20)


def test_energy_by_hand(rng):
    result = drift([[0.0], [1.0]], baseline=[[4.0], [6.0]], rng=rng, method="energy")
    # 2 · mean(4, 6, 3, 5) - 1 - 2
    assert result.statistic == pytest.approx(2 * 4.5 - 3)


@pytest.mark.parametrize("method", METHODS)
def test_moving_turning_and_order_change_no_distance(rng, method):
    one, other = rng.normal(size=(30, 3)), rng.normal(size=(30, 3)) + 1
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    here = drift(one, baseline=other, rng=rng, method=method).statistic
    for change in (lambda x: x + 5, lambda x: x @ turn, lambda x: x[::-1]):
        moved = drift(change(one), baseline=change(other), rng=rng, method=method)
        assert moved.statistic == pytest.approx(here, rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_without_drift_p_values_are_uniform(rng, method):
    values = [
        drift(
            rng.standard_t(2, size=(12, 2)),
            baseline=rng.standard_t(2, size=(15, 2)),
            rng=rng,
            method=method,
            permutations=99,
        ).p_value
        for _ in range(300)
    ]
    for level in (0.05, 0.2, 0.5):
        below = np.sum(np.array(values) <= level)
        assert stats.binomtest(int(below), 300, level).pvalue > 0.001


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("change", [lambda x: x + 0.7, lambda x: x / 2])
def test_a_moved_mean_and_a_lost_spread_are_seen(rng, method, change):
    before, after = rng.normal(size=(150, 4)), change(rng.normal(size=(150, 4)))
    result = drift(after, baseline=before, rng=rng, method=method)
    assert result.p_value == 1 / 500
    assert result.numbers() == {"drift": result.statistic, "drift_p": result.p_value}


def test_every_parameter_changes_the_answer(rng):
    one, other = rng.normal(size=(40, 2)), rng.normal(size=(40, 2)) + 0.4

    def result(**settings):
        return drift(one, baseline=other, rng=np.random.default_rng(3), **settings)

    assert result() == result()
    assert result(method="energy").statistic != result().statistic
    assert result(permutations=50).permutations == 50
    assert result(most=20).compared == (20, 20)
    assert result(most=20).statistic != result().statistic
    seeds = {drift(one, baseline=other, rng=np.random.default_rng(s)).p_value for s in range(5)}
    assert len(seeds) > 1


def test_no_reading_where_there_is_nothing_to_compare(rng):
    assert drift([[1.0]], baseline=[[1.0], [2.0]], rng=rng) is None
    assert drift([[1.0], [2.0]], baseline=[[1.0]], rng=rng) is None
    assert drift([[1.0]] * 3, baseline=[[1.0]] * 3, rng=rng) is None


def test_half_of_all_answers_the_same_leaves_a_scale(rng):
    result = drift([[0.0]] * 20, baseline=[[0.0]] * 10 + [[1.0]] * 10, rng=rng)
    assert result.p_value < 0.01


def test_bad_input(rng):
    with pytest.raises(ArgumentError, match="method: got ks, takes one of mmd, energy"):
        drift([[1.0]], baseline=[[1.0]], rng=rng, method="ks")
    with pytest.raises(ArgumentError, match="baseline: got 1 components, takes 2, as the vectors"):
        drift([[1.0, 2.0]], baseline=[[1.0]], rng=rng)
    with pytest.raises(DataError, match="baseline: row 1 holds a number that is not finite"):
        drift([[1.0], [2.0]], baseline=[[1.0], [np.nan]], rng=rng)
    for name, value in (("permutations", 0), ("most", 1)):
        with pytest.raises(ArgumentError, match=f"{name}: got {value}"):
            drift([[1.0], [2.0]], baseline=[[1.0], [2.0]], rng=rng, **{name: value})
