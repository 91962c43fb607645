import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import hayflick as hf
from hayflick.laws.bounds import scale_bound


@pytest.mark.parametrize("n", [2, 10, 1000])
@pytest.mark.parametrize("ratio", [0.05, 0.5, 2.0])
def test_the_bound_holds_and_is_the_mean_of_a_chi_variable(n, ratio):
    bounds = scale_bound(ratio, samples=n, generations=150)
    exact = hf.gaussian_scale(n, generations=150).survival(2 * np.log(ratio))
    assert bounds.lower is None
    assert (bounds.upper >= exact - 1e-10).all()
    moment = stats.chi.mean(n - 1) / np.sqrt(n - 1)
    assert_allclose(bounds.upper[1:], np.minimum(moment ** np.arange(1, 151) / ratio, 1))
