"""The rarefied entropy against all samples by hand, and against samples drawn at random."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hayflick.core.errors import ArgumentError
from hayflick.diversity.hill import rarefied_entropy, shannon_entropy


def mean_over_all_samples(counts, size):
    items = [kind for kind, number in enumerate(counts) for _ in range(number)]
    samples = itertools.combinations(items, size)
    entropies = [shannon_entropy(np.bincount(sample)) for sample in samples]
    return sum(entropies) / len(entropies)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=4), st.integers(1, 6))
def test_it_is_the_mean_over_all_samples(counts, size):
    found = rarefied_entropy(counts, size=size)
    if size > sum(counts):
        assert found is None
    else:
        assert found == pytest.approx(mean_over_all_samples(counts, size), abs=1e-12)


def test_large_counts_agree_with_drawn_samples(rng):
    counts = np.bincount(rng.zipf(1.3, 20_000) % 4000)
    size = int(counts.sum()) // 2
    drawn = [shannon_entropy(rng.multivariate_hypergeometric(counts, size)) for _ in range(200)]
    error = np.std(drawn) / math.sqrt(len(drawn))
    assert rarefied_entropy(counts, size=size) == pytest.approx(np.mean(drawn), abs=4 * error)


def test_totals_beyond_the_digits_of_a_factorial():
    counts = [10**9, 10**9]
    assert rarefied_entropy(counts, size=10**9) == pytest.approx(math.log(2), abs=1e-9)


def test_the_whole_is_its_own_sample():
    counts = [9, 5, 1, 1]
    assert rarefied_entropy(counts, size=16) == pytest.approx(shannon_entropy(counts))


@pytest.mark.parametrize("counts", [[1, -1], [0.5, 1], [float("nan")]])
def test_what_is_no_count_is_refused(counts):
    with pytest.raises(ArgumentError, match="counts"):
        rarefied_entropy(counts, size=1)
