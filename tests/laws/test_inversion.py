import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from hayflick.laws.gaussian_scale import Inversion


def normal_blocks(scale, generations):
    return Inversion.blocks(
        lambda w: 0.5 * (scale * w) ** 2, generations=generations, deviation=scale, lowest=-np.inf
    )


@pytest.mark.parametrize("scale", [1e-4, 1.0, 50.0])
def test_sums_of_normal_steps(scale):
    first = 1
    for block in normal_blocks(scale, 5000):
        spread = scale * np.sqrt(np.arange(first, first + block.low.size))
        for z in (-40.0, -7.0, -2.0, 0.0, 0.5, 6.0, 40.0):
            assert_allclose(block.above(z * spread), stats.norm.sf(z), atol=2e-13)
        assert_allclose(block.density(spread) * spread, stats.norm.pdf(1.0), rtol=1e-11)
        assert_allclose(block.quantile(0.01) / spread, stats.norm.ppf(0.01), rtol=1e-10)
        first += block.low.size
    assert first == 5001


def test_blocks_are_bounded():
    sizes = [block.low.size for block in normal_blocks(1.0, 20_000)]
    assert sum(sizes) == 20_000
    assert max(sizes) == 4096
