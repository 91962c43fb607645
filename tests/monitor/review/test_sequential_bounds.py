import itertools
import math

import numpy as np
import pytest

from hayflick.core.errors import ArgumentError
from hayflick.monitor import acceptance as sequential_bounds
from hayflick.monitor.acceptance import is_above, lower_bound, upper_bound


def capital(values, mean, population):
    """Return the largest capital of all looks, bet by bet and value by value."""
    most = 0.0
    for looks in range(1, len(values) + 1):
        total = 0.0
        for bet, weight in zip(sequential_bounds.BETS, sequential_bounds.WEIGHTS, strict=True):
            product = 1.0
            for k, value in enumerate(values[:looks]):
                own = mean
                if population is not None:
                    own = (population * mean - sum(values[:k])) / (population - k)
                product *= 1.0 + bet * (value / own - 1.0)
            total += weight * product
        most = max(most, total)
    return most


@pytest.mark.parametrize("population", [None, 20, 40])
@pytest.mark.parametrize("error", [0.3, 0.05])
def test_the_bound_is_where_the_capital_reaches_its_limit(population, error):
    values = np.random.default_rng(2).beta(4.0, 1.0, 12).tolist()
    bound = lower_bound(values, error=error, population=population)
    assert capital(values, bound - 1e-6, population) >= 1.0 / error
    assert capital(values, bound + 1e-6, population) < 1.0 / error


@pytest.mark.parametrize("population", [None, 50])
def test_above_is_what_the_bound_says(population):
    values = np.random.default_rng(8).random(40)
    settings = {"error": 0.05, "population": population}
    bound = lower_bound(values, **settings)
    assert is_above(values, mean=bound - 1e-9, **settings)
    assert not is_above(values, mean=bound + 1e-9, **settings)
    assert is_above([1.0, 1.0], mean=0.04 if population else 0.0, **settings)


def test_equal_values_have_a_bound_by_hand():
    # The bet of everything alone has 1/4 (1/m)^n, and the others add to it.
    bound = lower_bound([1.0] * 50, error=0.05)
    assert bound > (0.25 * 0.05) ** (1 / 50)
    assert bound < 0.05 ** (1 / 50)


@pytest.mark.parametrize("population", [None, 60])
def test_upper_mirrors_lower(population):
    values = np.random.default_rng(3).random(40)
    low = lower_bound(values, error=0.1, population=population)
    high = upper_bound(1.0 - values, error=0.1, population=population)
    assert low == pytest.approx(1.0 - high, abs=1e-12)
    assert low < values.mean() < upper_bound(values, error=0.1, population=population)


def test_more_looks_never_widen_it():
    values = np.random.default_rng(4).random(200)
    bounds = [lower_bound(values[:k], error=0.05) for k in range(0, 201, 10)]
    assert all(one <= two for one, two in itertools.pairwise(bounds))
    assert bounds[0] == 0.0


def test_each_parameter_matters():
    values = np.random.default_rng(5).random(100)
    base = lower_bound(values, error=0.05)
    assert lower_bound(values, error=0.01) < base
    assert lower_bound(values, error=0.05, population=120) > base
    assert lower_bound(values, error=0.05, population=10**6) == pytest.approx(base, abs=1e-3)


def test_it_comes_near_the_width_of_the_central_limit():
    values = np.random.default_rng(6).beta(20.0, 10.0, 4000)
    width = values.mean() - lower_bound(values, error=0.05)
    # At every look costs about twice what one look does.
    assert width < 2.5 * 1.645 * values.std() / math.sqrt(4000)


def test_all_of_a_population_leave_nothing_open():
    values = [1.0, 0.0, 0.5, 1.0]
    assert lower_bound(values, error=0.05, population=4) == 0.625
    assert upper_bound(values, error=0.05, population=4) == 0.625


@pytest.mark.parametrize(
    ("values", "settings", "message"),
    [
        ([1.2], {"error": 0.05}, "values: got .*1.2.*, takes numbers from 0 to 1"),
        ([float("nan")], {"error": 0.05}, "values: got .*nan"),
        ([[0.5]], {"error": 0.05}, r"values: got \(1, 1\)"),
        ([0.5], {"error": 0.0}, "error: got 0.0"),
        ([0.5], {"error": 1.5}, "error: got 1.5"),
        ([0.5] * 3, {"error": 0.05, "population": 2}, "population: got 2"),
    ],
)
def test_a_mistake_is_named(values, settings, message):
    with pytest.raises(ArgumentError, match=message):
        lower_bound(values, **settings)
