"""Roots of functions against scipy's."""

import math

import pytest
from scipy.optimize import brentq

from hayflick.core.roots import root_between

FUNCTIONS = [
    (lambda x: x**3 - 2.0 * x - 5.0, 2.0, 3.0),
    (lambda x: math.exp(-x) - 1e-9, -600.0, 600.0),
    (lambda x: math.expm1(x) + 1e-3, -600.0, 0.0),
    (lambda x: math.atan(x - 7.0), -1e6, 1e3),
    (lambda x: math.copysign(1.0, x - 0.3), 0.0, 1.0),
    (lambda x: x, 0.0, 1.0),
    (lambda x: x - 1.0, 0.0, 1.0),
    (lambda x: x - 1e-300, -1.0, 1.0),
]


@pytest.mark.parametrize(("function", "low", "high"), FUNCTIONS)
def test_the_root_is_that_of_scipy(function, low, high):
    calls = []

    def counted(x):
        calls.append(x)
        return function(x)

    expected = brentq(function, low, high, xtol=1e-12)
    for ends in ((low, high), (high, low)):
        calls.clear()
        assert root_between(counted, *ends) == pytest.approx(expected, rel=1e-14, abs=2e-12)
        assert len(calls) < 120
        assert all(low <= x <= high for x in calls)
