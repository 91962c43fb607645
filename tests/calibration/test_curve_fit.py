"""Resamplers from the shares of the types that rounds kept."""

from __future__ import annotations

import numpy as np
import pytest
from planted_records import real_counts, record_of

from hayflick.calibration.curve_fit import fit_curve, predict_curve
from hayflick.chains.resampler import Resampler
from hayflick.core.errors import DataError


@pytest.mark.parametrize("sharpening", [0.95, 1.1])
def test_curve_of_a_planted_trainer(sharpening: float) -> None:
    trainer = Resampler(sharpening, 3.0, 0.25)
    record = record_of(trainer, rounds=9, real=real_counts(800, 8000))
    sizes = record.sizes[1:5].tolist()
    found = fit_curve(record.counts[0], sizes, record.kept[1:5].tolist())
    assert found.resampler.covariance is not None
    error = np.sqrt(found.resampler.covariance[0][0])
    assert abs(found.resampler.sharpening - sharpening) < 3.0 * error
    assert found.deviation < 0.02
    ahead = predict_curve(record.counts[0], sizes, found, ahead=4, replicates=50)
    assert ahead.rounds.tolist() == [5, 6, 7, 8]
    assert np.abs(ahead.share - record.kept[5:]).max() < 0.06
    assert ((ahead.low <= ahead.share) & (ahead.share <= ahead.high)).all()


@pytest.mark.parametrize(
    ("sizes", "shares", "message"),
    [
        ([100, 100], [0.9, 0.8], "2 rounds give no reading"),
        ([100, 100, 100], [0.9, 0.8], "3 sizes of rounds, but 2 shares"),
        ([100, 100, 100], [0.9, 0.8, 1.2], "a number from 0 to 1"),
        ([100, 100, 0], [0.9, 0.8, 0.7], "at least one item"),
    ],
)
def test_curves_that_tell_too_little_are_refused(
    sizes: list[int], shares: list[float], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        fit_curve(np.arange(1, 50), sizes, shares)


def test_everything_lost_is_no_crash() -> None:
    found = fit_curve(np.arange(1, 50), [1225] * 3, [0.1, 0.0, 0.0])
    assert np.isfinite(found.shares).all()
