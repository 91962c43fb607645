import numpy as np
import pytest
from numpy.testing import assert_allclose

import hayflick as hf
from hayflick.core.errors import ArgumentError
from hayflick.laws.bounds import best_power, chernoff_scale, theorem_3_sharp


def test_the_checked_numbers():
    upper = chernoff_scale(0.1, samples=10, generations=200).upper
    assert_allclose(upper[[51, 101, 151, 200]], [0.9379, 0.3653, 0.1064, 0.0295], atol=5e-5)


@pytest.mark.parametrize("n", [2, 3, 5, 10, 100, 10_000, 10**6])
@pytest.mark.parametrize("ratio", [1e-6, 0.01, 0.1, 0.5, 0.9, 1.0, 1.5, 50.0])
@pytest.mark.parametrize("ddof", [0, 1])
def test_the_bounds_hold(n, ratio, ddof):
    exact = hf.gaussian_scale(n, generations=200, ddof=ddof).survival(2 * np.log(ratio))
    bounds = chernoff_scale(ratio, samples=n, generations=200, ddof=ddof)
    assert (bounds.lower <= exact + 1e-10).all()
    assert (bounds.upper >= exact - 1e-10).all()
    assert bounds.lower[0] == bounds.upper[0] == exact[0]


@pytest.mark.parametrize("n", [2, 10, 1000])
@pytest.mark.parametrize("ratio", [0.01, 0.5, 2.0])
def test_no_other_power_is_better(n, ratio):
    best = chernoff_scale(ratio, samples=n, generations=100).upper
    powers = best_power(ratio, samples=n, generations=100)
    assert np.isnan(powers[0])
    for k in (1, 7, 40, 100):
        for power in np.append(np.geomspace(1e-3, 100, 30), max(powers[k], 0.0)):
            other = theorem_3_sharp(ratio, samples=n, generations=100, power=power).upper[k]
            assert best[k] <= other * (1 + 1e-10)
        own = theorem_3_sharp(ratio, samples=n, generations=100, power=max(powers[k], 0.0))
        assert best[k] == pytest.approx(own.upper[k], rel=1e-10)


def test_each_parameter_changes_the_answer():
    ends = [
        chernoff_scale(ratio, samples=n, generations=k, ddof=ddof).upper[-1]
        for ratio, n, k, ddof in (
            (0.1, 10, 100, 1),
            (0.11, 10, 100, 1),
            (0.1, 11, 100, 1),
            (0.1, 10, 101, 1),
            (0.1, 10, 100, 0),
        )
    ]
    assert len(set(ends)) == 5


@pytest.mark.parametrize(
    ("argument", "value"),
    [("ratio", 0.0), ("ratio", np.nan), ("samples", 1), ("generations", 0), ("ddof", 2)],
)
def test_arguments_out_of_range_are_refused(argument, value):
    values = {"ratio": 0.1, "samples": 10, "generations": 5} | {argument: value}
    with pytest.raises(ArgumentError, match=argument):
        chernoff_scale(values.pop("ratio"), **values)
