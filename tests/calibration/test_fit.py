"""Fits of records of planted trainers, and of records that tell too little."""

from __future__ import annotations

import numpy as np
import pytest
from planted_records import NOISY, real_counts, record_of

from hayflick.calibration.fit import Fit, fit_resampler
from hayflick.calibration.record import Record
from hayflick.chains.resampler import Resampler
from hayflick.core.errors import DataError


def deviations(fit: Fit, trainer: Resampler) -> list[float]:
    errors = np.sqrt(np.diag(fit.covariance))
    told = errors > 0.0
    return list(np.abs(fit.resampler.values - trainer.values)[told] / errors[told])


@pytest.mark.parametrize(
    "mixing",
    [{}, {"fresh": 2000}, {"stored": np.arange(real_counts().size) % 7 == 0}],
    ids=["replace", "fresh", "stored"],
)
@pytest.mark.parametrize("sharpening", [0.95, 1.0, 1.1])
def test_planted_parameters_are_recovered(sharpening: float, mixing: dict[str, object]) -> None:
    trainer = Resampler(sharpening, NOISY.log_size, NOISY.size_power, NOISY.return_weight)
    if "stored" in mixing:
        mixing = {"stored": np.asarray(mixing["stored"]).astype(np.int64)}
    fit = fit_resampler(record_of(trainer, **mixing))  # type: ignore[arg-type]
    assert fit.fixed == ()
    assert max(deviations(fit, trainer)) < 3.0
    assert fit.standard_error("sharpening") == pytest.approx(0.005, rel=0.6)
    assert fit.resampler.effective_share(10.0) == pytest.approx(
        trainer.effective_share(10.0), abs=0.06
    )


def test_ideal_chain_has_no_noise_of_its_own() -> None:
    for seed in range(5):
        fit = fit_resampler(record_of(Resampler(), seed=seed))
        assert abs(fit.resampler.sharpening - 1.0) < 3.0 * (fit.standard_error("sharpening") or 0)
        assert fit.resampler.effective_share(10.0) > 0.93
        assert "return_weight" in fit.fixed
        assert fit.resampler.return_weight == 0.0


def test_totals_are_what_the_trainer_drew() -> None:
    record = record_of(NOISY, fresh=2000)
    np.testing.assert_allclose(fit_resampler(record).totals, record.sizes[1:] - 2000, rtol=0.05)


def test_where_nothing_was_absent_no_return_is_fitted() -> None:
    fit = fit_resampler(record_of(NOISY, real=np.full(200, 100, np.int64) * np.arange(1, 201)))
    assert fit.fixed == ("return_weight",)
    assert fit.standard_error("return_weight") is None


def test_rounds_may_differ_in_size() -> None:
    record = record_of(NOISY)
    rng = np.random.default_rng(2)
    third = rng.binomial(record.counts[1:], 0.3)
    mixed = np.array([record.counts[0], record.counts[1], third[1], third[2]])
    fit = fit_resampler(Record(record.symbols, mixed, record.fresh, record.stored))
    assert fit.totals[1] < 0.5 * fit.totals[0]


def test_large_counts() -> None:
    real = real_counts() * 1_000_000
    fit = fit_resampler(record_of(NOISY, real=real))
    assert max(deviations(fit, NOISY)) < 3.5
    mixed = fit_resampler(record_of(NOISY, real=real, fresh=int(real.sum()) // 10))
    assert max(deviations(mixed, NOISY)) < 4.5


def plain_record(*rounds: list[int]) -> Record:
    counts = np.array(rounds)
    names = tuple("abcdefgh"[: counts.shape[1]])
    fresh, stored = np.zeros(len(rounds) - 1, np.int64), np.zeros(counts.shape[1], np.int64)
    return Record(names, counts, fresh, stored)


@pytest.mark.parametrize(
    ("rounds", "message"),
    [
        (([5, 3], [6, 2]), "1 transition"),
        (([5], [5], [5]), "a single type"),
        (([5, 5, 5], [5, 5, 5], [1, 7, 2]), "types of different counts"),
        (([5, 3, 1], [9, 0, 0], [9, 0, 0]), "no resampler fits"),
    ],
)
def test_records_that_tell_too_little_are_refused(rounds: list[list[int]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        fit_resampler(plain_record(*rounds))
