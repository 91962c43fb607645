import numpy as np
import pytest
from numpy.testing import assert_allclose

from hayflick.core.errors import ArgumentError
from hayflick.laws.poisson import poisson_law

RUNS = 100_000


CASES = [(0.05, 10, 0), (1.0, 1, 0), (1.0, 10, 0), (4.0, 7, 0), (0.05, 10, 1), (0.1, 7, 7)]


@pytest.mark.parametrize(("rate", "samples", "fresh"), CASES)
def test_the_law_against_simulation(rate, samples, fresh, rng):
    law = poisson_law(rate, samples=samples, generations=25, fresh=fresh)
    found = np.full(RUNS, rate)
    for generation in range(1, 26):
        found = rng.poisson((samples - fresh) * found + fresh * rate) / samples
        alive = law.present[generation]
        error = np.sqrt(alive * (1 - alive) / RUNS)
        assert abs((found > 0).mean() - alive) <= 4 * error + 1e-9
        squares = (found - rate) ** 2
        assert abs(found.mean() - rate) < 4 * found.std() / np.sqrt(RUNS)
        assert abs(squares.mean() - law.variance[generation]) < 4 * squares.std() / np.sqrt(RUNS)


def test_one_round_is_a_poisson_law():
    law = poisson_law(0.3, samples=5, generations=1)
    assert_allclose(law.present, [1, 1 - np.exp(-1.5)])
    assert_allclose(law.mean, 0.3)
    assert_allclose(law.variance, [0, 0.06])


def test_no_rate_has_nothing():
    law = poisson_law(0.0, samples=5, generations=3)
    assert not law.present.any()
    assert not law.variance.any()


def test_each_parameter_changes_the_answer():
    ends = [
        poisson_law(rate, samples=samples, generations=generations).present[-1]
        for rate, samples, generations in ((1, 10, 20), (1.1, 10, 20), (1, 12, 20), (1, 10, 21))
    ]
    assert len(set(ends)) == 4


@pytest.mark.parametrize(
    ("argument", "value"), [("rate", -1.0), ("rate", np.nan), ("samples", 0), ("generations", 0)]
)
def test_arguments_out_of_range_are_refused(argument, value):
    values = {"rate": 1.0, "samples": 10, "generations": 5} | {argument: value}
    with pytest.raises(ArgumentError, match=argument):
        poisson_law(values.pop("rate"), **values)
