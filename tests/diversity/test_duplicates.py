"""Equal answers and near ones, against all distances."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from hayflick.core.errors import ArgumentError, DataError
from hayflick.diversity import repetition as module
from hayflick.diversity.repetition import duplicate_rate, near_duplicate_rate


def test_equal_answers_by_hand():
    assert duplicate_rate(["a", "b", "a", "a"]) == 0.75
    assert duplicate_rate(["a", "A"]) == 0.0
    assert duplicate_rate(["", ""]) == 1.0
    assert duplicate_rate(["a"]) is None
    assert duplicate_rate([]) is None


def reference(vectors, threshold):
    distances = cdist(vectors, vectors)
    np.fill_diagonal(distances, np.inf)
    return np.mean(distances.min(axis=1) < threshold)


@pytest.mark.parametrize("block", [7, 64, 1024])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_near_answers_are_those_of_all_distances(rng, monkeypatch, block, offset):
    monkeypatch.setattr(module, "_BLOCK", block)
    vectors = rng.normal(size=(150, 3)) + offset
    for threshold in (0.1, 0.3, 1.0):
        rate = near_duplicate_rate(vectors, threshold=threshold, rng=rng)
        assert rate == reference(vectors, threshold)


def test_a_copy_is_near_at_any_threshold(rng):
    vectors = rng.normal(size=(20, 8))
    assert near_duplicate_rate(np.tile(vectors, (2, 1)), threshold=1e-6, rng=rng) == 1.0
    assert near_duplicate_rate(vectors, threshold=1e-6, rng=rng) == 0.0


def test_moving_and_turning_change_nothing(rng):
    vectors = rng.normal(size=(80, 4))
    turn, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    rates = {
        near_duplicate_rate(moved, threshold=0.7, rng=rng)
        for moved in (vectors, vectors @ turn, vectors + 3, vectors[::-1])
    }
    assert len(rates) == 1


def test_a_sample_of_answers_is_compared_with_all(rng):
    vectors = rng.normal(size=(400, 3))
    exact = reference(vectors, 0.3)
    estimates = [
        near_duplicate_rate(vectors, threshold=0.3, rng=rng, queries=40) for _ in range(200)
    ]
    assert abs(np.mean(estimates) - exact) < 4 * np.std(estimates) / np.sqrt(200)
    assert np.std(estimates) > 0


def test_many_answers_are_sampled_and_a_seed_repeats_it(rng, monkeypatch):
    monkeypatch.setattr(module, "MOST_EXACT", 50)
    vectors = rng.normal(size=(400, 3))
    rates = [
        near_duplicate_rate(vectors, threshold=0.3, rng=np.random.default_rng(seed))
        for seed in (1, 1, 2, 3)
    ]
    assert rates[0] == rates[1]
    assert len(set(rates)) > 1
    assert all(6 * rate == pytest.approx(round(6 * rate)) for rate in rates)


def test_too_few_is_no_reading_and_bad_input_is_refused(rng):
    assert near_duplicate_rate([[1.0]], threshold=1, rng=rng) is None
    assert near_duplicate_rate(np.empty((0, 2)), threshold=1, rng=rng) is None
    with pytest.raises(DataError, match="row 1 holds a number that is not finite"):
        near_duplicate_rate([[1.0], [np.nan]], threshold=1, rng=rng)
    with pytest.raises(ArgumentError, match="threshold: got 0"):
        near_duplicate_rate([[1.0], [2.0]], threshold=0, rng=rng)
    with pytest.raises(ArgumentError, match="queries: got 0"):
        near_duplicate_rate([[1.0], [2.0]], threshold=1, rng=rng, queries=0)
