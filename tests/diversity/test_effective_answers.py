"""The Vendi score at a fixed number of answers."""

import numpy as np
import pytest

from hayflick.diversity.spectrum import effective_answers, vendi_score_of_kernel


def test_it_is_the_mean_score_of_disjoint_subsets(rng):
    vectors = rng.standard_normal((40, 6))
    rows = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    order = np.random.default_rng(3).permutation(40)
    parts = [rows[order[first : first + 12]] for first in (0, 12, 24)]
    expected = np.mean([vendi_score_of_kernel(part @ part.T) for part in parts])
    found = effective_answers(vectors, size=12, rng=np.random.default_rng(3))
    assert found == pytest.approx(expected)


def test_more_answers_of_the_same_kind_do_not_change_it(rng):
    few, many = rng.standard_normal((50, 20)), rng.standard_normal((500, 20))
    small, large = (effective_answers(rows, size=25, rng=rng) for rows in (few, many))
    assert small == pytest.approx(large, rel=0.1)


def test_too_few_answers_have_none(rng):
    assert effective_answers(np.eye(3), size=4, rng=rng) is None
