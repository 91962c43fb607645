import numpy as np
import pytest

from hayflick.core.errors import DataError
from hayflick.core.records import Reading
from hayflick.detection.baseline import Baseline, scores_of, value_of


def scored(rounds):
    return Baseline.of_scores(
        [Reading(t, scores={"spread": np.array(one)}) for t, one in enumerate(rounds, 1)],
        metric="spread",
    )


def valued(values):
    return Baseline.of_values(
        [Reading(t, {"diversity": value}) for t, value in enumerate(values, 1)], metric="diversity"
    )


def test_numbers_by_hand():
    baseline = valued([1.0, 2.0, 4.0, 1.0])
    assert (baseline.readings, baseline.mean) == (4, 2.0)
    assert baseline.deviation == pytest.approx(np.sqrt(2.0))
    assert baseline.autocorrelation == pytest.approx((0.0 + 0.0 - 2.0) / 6.0)


def test_scores_count_by_round():
    baseline = scored([[0.2, 0.4], [0.9]])
    assert baseline.series.tolist() == pytest.approx([0.3, 0.9])
    assert [one.tolist() for one in baseline.scores] == [[0.2, 0.4], [0.9]]


def test_readings_without_the_metric_are_left_out():
    readings = [Reading(1, {"diversity": 1.0}), Reading(2), Reading(3, {"diversity": np.nan})]
    assert Baseline.of_values(readings, metric="diversity").readings == 1
    assert Baseline.of_scores(readings, metric="diversity").readings == 0


def test_undefined_is_not_zero():
    empty = valued([])
    assert np.isnan([empty.mean, empty.deviation, empty.autocorrelation, empty.round_effect]).all()
    assert np.isnan(valued([3.0, 3.0, 3.0]).autocorrelation)
    assert np.isnan(scored([[0.5, 0.5], [0.5, 0.5]]).round_effect)
    assert empty.warnings == ()


def test_independent_scores_give_no_warning():
    rng = np.random.default_rng(1)
    assert scored(rng.random((50, 30))).warnings == ()


def test_readings_that_follow_one_another_give_a_warning():
    walk = np.cumsum(np.random.default_rng(2).normal(size=40))
    warnings = valued(walk).warnings
    assert any("follow one another" in warning for warning in warnings)
    # As unlike as can be, but not alike.
    assert valued([0.0, 1.0] * 20).warnings == ()


def test_rounds_with_an_effect_of_their_own_give_a_warning():
    rng = np.random.default_rng(3)
    effects = rng.permutation(np.linspace(-0.1, 0.1, 30))
    (warning,) = scored(0.5 + effects[:, None] + rng.uniform(-0.1, 0.1, (30, 20))).warnings
    assert "scores of one round are alike" in warning


def test_a_score_outside_of_its_range_is_refused():
    for score in (1.5, -0.1, np.nan):
        reading = Reading(4, scores={"spread": np.array([0.5, score])}, label="May")
        with pytest.raises(DataError, match=r"round May: spread .* takes numbers from 0 to 1"):
            scores_of(reading, metric="spread")


def test_no_reading():
    assert value_of(Reading(1, {"diversity": np.inf}), metric="diversity") is None
    assert value_of(Reading(1), metric="diversity") is None
    assert scores_of(Reading(1), metric="spread") is None
