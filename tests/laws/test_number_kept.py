import numpy as np
import pytest
from numpy.testing import assert_allclose

from hayflick.laws.number_kept import chance_to_keep, number_kept


def convolved(chances, numbers):
    law = np.ones(1)
    for chance, number in zip(chances, numbers, strict=True):
        for _ in range(int(number)):
            law = np.convolve(law, [1.0 - chance, chance])
    return law


@pytest.mark.parametrize("seed", range(4))
def test_the_law_is_the_convolution(seed):
    rng = np.random.default_rng(seed)
    chances = np.concatenate([rng.random(20), [0.0, 1.0, 1e-9, 1 - 1e-9, 0.5]])
    numbers = rng.integers(0, 30, chances.size)
    slow = convolved(chances, numbers)
    first, law = number_kept(chances, numbers)
    assert_allclose(law, slow[first : first + law.size], atol=1e-13)
    assert slow[:first].sum() + slow[first + law.size :].sum() < 1e-12
    for required in (0, 1, int(slow @ np.arange(slow.size)), slow.size - 1, slow.size):
        chance = chance_to_keep(required, chances=chances, numbers=numbers)
        assert chance == pytest.approx(slow[required:].sum(), abs=1e-12)


def test_many_types_are_a_normal_law():
    rng = np.random.default_rng(1)
    chances, numbers = rng.random(2000), np.full(2000, 500)
    first, law = number_kept(chances, numbers)
    at = first + np.arange(law.size)
    assert law @ at == pytest.approx(numbers @ chances, rel=1e-9)
    variance = law @ (at - law @ at) ** 2
    assert variance == pytest.approx(numbers @ (chances * (1 - chances)), rel=1e-6)
    assert law.size < 12_000


def test_what_is_sure_has_one_number():
    first, law = number_kept([1.0, 0.0], [3, 5])
    assert (first, law.tolist()) == (3, [1.0])
    assert chance_to_keep(3, chances=[1.0, 0.0], numbers=[3, 5]) == 1.0
    assert chance_to_keep(4, chances=[1.0, 0.0], numbers=[3, 5]) == 0.0
