import math

import pytest

from hayflick.planning.search import cheapest, smallest


@pytest.mark.parametrize("place", [0, 1, 2, 499, 998, 999, 1000])
@pytest.mark.parametrize(
    "shape", [lambda x: x, math.sqrt, lambda x: 1 - math.exp(-x / 30), lambda x: float(x > 700)]
)
def test_the_smallest_is_found(place, shape):
    target = shape(place)
    found = smallest(shape, target=target, low=0, high=1000)
    assert found == next(x for x in range(1001) if shape(x) >= target - 1e-12)


def test_none_is_enough():
    assert smallest(lambda x: x / 10, target=2, low=0, high=10) is None


def test_few_evaluations_are_enough():
    asked = []

    def of(number):
        asked.append(number)
        return 1 - math.exp(-number / 1e5)

    assert smallest(of, target=0.5, low=0, high=10**9) == math.ceil(1e5 * math.log(2))
    assert len(asked) < 60


@pytest.mark.parametrize("place", [0, 3, 17, 250, 777, 1000])
def test_the_cheapest_of_one_valley_is_found(place):
    assert cheapest(lambda x: abs(x - place), low=0, high=1000) == place
    assert cheapest(lambda x: 0.0, low=5, high=1000) == 5
