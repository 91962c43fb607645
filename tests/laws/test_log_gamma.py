import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import special

from hayflick.laws.log_gamma import centred_cumulant, log_mean_excess


@pytest.mark.parametrize("shape", [0.5, 1.0, 2.0, 7.5, 40.0])
def test_small_shapes_against_scipy(shape):
    for argument in (np.linspace(-0.9 * shape, 30, 40), 1j * np.linspace(-60, 60, 41)):
        expected = special.loggamma(shape + argument) - special.loggamma(shape)
        expected = expected - argument * special.psi(shape)
        assert_allclose(centred_cumulant(shape, argument), expected, atol=1e-12, rtol=1e-13)


@pytest.mark.parametrize("shape", [1e3, 5e4, 1e8])
def test_large_shapes_against_the_series_of_polygammas(shape):
    # K(w) = Σ ψ^(j-1)(a) w^j / j!, which converges fast for |w| well below a.
    for argument in (np.linspace(-3, 3, 7) * np.sqrt(shape), 3j * np.sqrt(shape) * np.ones(1)):
        terms = [
            special.polygamma(order - 1, shape) * argument**order / special.factorial(order)
            for order in range(2, 20)
        ]
        assert_allclose(centred_cumulant(shape, argument), sum(terms), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("shape", [0.5, 1.0, 4.5, 30.0, 1e3])
def test_the_mean_against_scipy(shape):
    expected = special.psi(shape) - np.log(shape)
    assert log_mean_excess(shape) == pytest.approx(expected, abs=2e-15)


def test_the_mean_of_a_large_shape_keeps_its_digits():
    assert log_mean_excess(1e9) == pytest.approx(-0.5e-9, rel=1e-8)
