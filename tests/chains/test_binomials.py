import numpy as np
import pytest
from scipy import stats

from hayflick.chains.parametric_kernels import binomials


@pytest.mark.parametrize(
    ("draws", "chance"),
    [(1, 0.3), (5, 0.9), (10, 0.5), (10_000, 1e-4), (10_000, 1.9e-3), (50, 0.39), (10**9, 1e-8)],
)
def test_hits_follow_the_binomial_law(rng, draws, chance):
    runs = 40_000
    hits = binomials(rng, draws, np.full(runs, chance))
    law = stats.binom(draws, chance)
    low, high = int(law.ppf(1e-4)), int(law.ppf(1.0 - 1e-4))
    values = np.arange(low, high + 1)
    expected = runs * law.pmf(values)
    common = expected >= 10
    found = np.array([(hits == value).sum() for value in values[common]])
    chi = np.sum((found - expected[common]) ** 2 / expected[common])
    assert chi < stats.chi2(common.sum()).ppf(1 - 1e-5)
    assert abs(hits.mean() - law.mean()) < 4.5 * law.std() / np.sqrt(runs)
    assert hits.min() >= 0
    assert hits.max() <= draws


def test_certain_hits_and_misses(rng):
    assert binomials(rng, 7, np.array([0.0, 1.0, -1e-17, 1.0 + 1e-16])).tolist() == [0, 7, 0, 7]
    assert binomials(rng, 0, np.array([0.5])).tolist() == [0]
