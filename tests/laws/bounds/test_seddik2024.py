import numpy as np
import pytest
from numpy.testing import assert_allclose

from hayflick.core.errors import ArgumentError
from hayflick.laws.bernoulli import bernoulli_law
from hayflick.laws.bounds import diversity_bounds


@pytest.mark.parametrize("n", [1, 2, 3, 10, 100, 1000])
@pytest.mark.parametrize("p", [0.0, 1e-4, 0.001, 0.0137, 0.2, 0.5, 0.9, 0.999, 1.0])
def test_the_bounds_hold(p, n):
    exact = bernoulli_law(p, samples=n, generations=100).polymorphic
    bounds = diversity_bounds(p, samples=n, generations=100)
    assert (bounds.lower <= exact + 1e-10).all()
    assert (bounds.upper >= exact - 1e-10).all()


def test_the_bounds_are_their_formulas():
    bounds = diversity_bounds(0.1, samples=20, generations=100)
    decay = (1 - 1 / 20) ** np.arange(1, 101)
    assert_allclose(bounds.lower[1:], 4 * 0.1 * 0.9 * decay)
    assert_allclose(bounds.upper[1:], np.minimum(2 * 20 * 0.1 * 0.9 * decay, 1))
    assert bounds.lower[0] == bounds.upper[0] == 1


@pytest.mark.parametrize(
    ("argument", "value"), [("probability", 2.0), ("samples", 0), ("generations", 0)]
)
def test_arguments_out_of_range_are_refused(argument, value):
    values = {"probability": 0.2, "samples": 10, "generations": 5} | {argument: value}
    with pytest.raises(ArgumentError, match=argument):
        diversity_bounds(values.pop("probability"), **values)
