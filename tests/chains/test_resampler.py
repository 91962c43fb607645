"""The resampler's parameters, weights, sizes and what it refuses."""

import math

import numpy as np
import pytest

from hayflick.chains.resampler import Resampler
from hayflick.core.errors import ArgumentError


def test_the_default_is_the_ideal_resampler():
    assert Resampler().ideal
    assert Resampler().effective_share(1000.0) == 1.0


@pytest.mark.parametrize(
    "changed", [{"sharpening": 1.1}, {"log_size": 2.0}, {"return_weight": 0.1}]
)
def test_any_other_parameter_makes_it_no_ideal_one(changed):
    assert not Resampler(**changed).ideal


def test_weights_and_sizes_are_those_of_the_formula():
    trainer = Resampler(sharpening=1.5, log_size=1.0, size_power=0.5, return_weight=0.2)
    counts = np.array([0.0, 1.0, 4.0])
    np.testing.assert_allclose(trainer.weights(counts), [0.2, 1.0, 8.0])
    np.testing.assert_allclose(trainer.sizes(counts), [math.e, math.e, 2 * math.e])
    assert trainer.effective_share(4.0) == pytest.approx(1 / (1 + 4 / (2 * math.e)))


def test_every_replicate_has_parameters_of_its_own_where_they_have_a_covariance():
    covariance = np.diag([0.01, 0.0, 0.04, 0.0])
    trainer = Resampler(1.1, size_power=0.3, covariance=tuple(map(tuple, covariance)))
    drawn = trainer.draw_parameters(np.random.default_rng(1), 4000)
    assert drawn.shape == (4, 4000)
    np.testing.assert_allclose(drawn[0].mean(), 1.1, atol=0.01)
    np.testing.assert_allclose(drawn[0].std(), 0.1, rtol=0.05)
    assert np.isinf(drawn[1]).all()
    np.testing.assert_allclose(drawn[2].std(), 0.2, rtol=0.05)
    assert (drawn[3] == 0.0).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"sharpening": 0.0},
        {"sharpening": math.nan},
        {"log_size": -math.inf},
        {"return_weight": -1.0},
        {"covariance": ((1.0,),)},
        {"covariance": tuple(map(tuple, -np.eye(4)))},
    ],
)
def test_impossible_parameters_are_refused(wrong):
    with pytest.raises(ArgumentError, match=next(iter(wrong)).replace("_", ".")):
        Resampler(**wrong)
