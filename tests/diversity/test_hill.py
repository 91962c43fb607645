"""Hill numbers by hand, and their limits."""

import itertools
import math

import numpy as np
import pytest

from hayflick.core.errors import ArgumentError
from hayflick.diversity.hill import hill_number, shannon_entropy

ORDERS = (0, 0.5, 1, 1.7, 2, 5, math.inf)


@pytest.mark.parametrize("order", ORDERS)
def test_equal_kinds_count_as_what_they_are(order):
    assert hill_number([3] * 7, order=order) == pytest.approx(7)
    assert hill_number([3] * 7 + [0], order=order) == pytest.approx(7)
    assert hill_number([0.2], order=order) == pytest.approx(1)


def test_unequal_kinds_by_hand():
    weights = [6, 3, 1]
    assert hill_number(weights, order=0) == 3
    entropy = -(0.6 * math.log(0.6) + 0.3 * math.log(0.3) + 0.1 * math.log(0.1))
    assert shannon_entropy(weights) == pytest.approx(entropy)
    assert hill_number(weights, order=1) == pytest.approx(math.exp(entropy))
    assert hill_number(weights, order=2) == pytest.approx(1 / 0.46)
    assert hill_number(weights, order=3) == pytest.approx((0.216 + 0.027 + 0.001) ** -0.5)
    assert hill_number(weights, order=math.inf) == pytest.approx(1 / 0.6)


def test_it_falls_with_the_order_and_is_continuous_in_it():
    numbers = [hill_number([6, 3, 1], order=order) for order in ORDERS]
    assert all(before > after for before, after in itertools.pairwise(numbers))
    for point in (0.5, 1, 1.5):
        near = [hill_number([6, 3, 1], order=point + step) for step in (-1e-12, 0, 1e-12)]
        assert near == pytest.approx([near[1]] * 3, rel=1e-9)


def test_high_orders_do_not_underflow():
    assert hill_number([1] * 1000, order=500) == pytest.approx(1000)
    assert hill_number([2, 1], order=1e6) == pytest.approx(1.5, rel=1e-5)


def test_nothing_has_no_number():
    assert hill_number([], order=1) is None
    assert hill_number([0, 0], order=1) is None
    assert shannon_entropy([0]) is None
    assert shannon_entropy([5]) == 0.0


@pytest.mark.parametrize("order", [-0.5, math.nan, "two"])
def test_orders_are_numbers_from_zero(order):
    with pytest.raises(ArgumentError, match="order: got"):
        hill_number([1], order=order)


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_weights_are_finite_numbers_from_zero(wrong):
    with pytest.raises(ArgumentError, match=f"weights: got {wrong}, takes finite numbers"):
        hill_number([1.0, wrong], order=1)
