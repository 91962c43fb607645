import numpy as np
import pytest
from numpy.testing import assert_allclose

import hayflick as hf
from hayflick.core.errors import ArgumentError

LAW = np.array([0.4, 0.1, 0.3, 0.2, 0.0])


def test_temperature_by_hand():
    square = LAW**2 / np.sum(LAW**2)
    assert_allclose(hf.Temperature(0.5).reweight(LAW), square)
    assert_allclose(hf.Temperature(1.0).reweight(LAW), LAW)


def test_the_coldest_takes_the_most_probable_and_the_hottest_all_alike():
    assert_allclose(hf.Temperature(1e-3).reweight(LAW), [1, 0, 0, 0, 0], atol=1e-12)
    assert_allclose(hf.Temperature(1e6).reweight(LAW), [0.25, 0.25, 0.25, 0.25, 0], atol=1e-5)


@pytest.mark.parametrize(
    ("number", "expected"),
    [(1, [1, 0, 0, 0, 0]), (2, [4 / 7, 0, 3 / 7, 0, 0]), (9, [0.4, 0.1, 0.3, 0.2, 0])],
)
def test_top_k_by_hand(number, expected):
    assert_allclose(hf.TopK(number).reweight(LAW), expected)


@pytest.mark.parametrize(
    ("mass", "kept"), [(0.01, 1), (0.4, 1), (0.41, 2), (0.7, 2), (0.9, 3), (0.91, 4), (1.0, 4)]
)
def test_top_p_keeps_the_smallest_set_that_holds_the_mass(mass, kept):
    assert np.count_nonzero(hf.TopP(mass).reweight(LAW)) == kept


def test_of_equals_the_first_come_first():
    equal = np.full(4, 0.25)
    assert hf.TopK(2).reweight(equal).tolist() == [0.5, 0.5, 0, 0]
    assert hf.TopP(0.5).reweight(equal).tolist() == [0.5, 0.5, 0, 0]


@pytest.mark.parametrize("sampler", [hf.Temperature(0.7), hf.TopK(2), hf.TopP(0.6)])
def test_many_laws_at_once_are_each_by_itself(sampler):
    laws = np.random.default_rng(1).dirichlet(np.ones(5), 6)
    together = sampler.reweight(laws)
    assert_allclose(together.sum(axis=1), 1.0)
    for row, law in enumerate(laws):
        assert_allclose(together[row], sampler.reweight(law))


@pytest.mark.parametrize(
    "make",
    [
        lambda: hf.Temperature(0.0),
        lambda: hf.Temperature(float("nan")),
        lambda: hf.TopK(0),
        lambda: hf.TopP(0.0),
        lambda: hf.TopP(1.1),
    ],
)
def test_a_sampler_that_leaves_nothing_to_draw_is_refused(make):
    with pytest.raises(ArgumentError):
        make()
