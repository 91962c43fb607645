"""Forecasts of the rounds after a record."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from planted_records import NOISY, next_counts, real_counts, record_of

import hayflick as hf
from hayflick.calibration.fit import fit_resampler
from hayflick.calibration.prediction import Prediction, predict
from hayflick.calibration.record import Record
from hayflick.calibration.simulated_rounds import (
    RoundItems,
    parameters_of,
    simulate_kept,
    simulate_kept_plainly,
)
from hayflick.chains.resampler import Resampler
from hayflick.core.errors import ArgumentError

SHARED = Path(__file__).parents[3] / "shared" / "data" / "rounds-t1"


def predicted(record: Record, **settings: object) -> Prediction:
    return predict(record, fit_resampler(record), replicates=40, **settings)  # type: ignore[arg-type]


def recorded_rounds() -> Record:
    if not SHARED.is_dir():
        pytest.skip("the recorded rounds are not here")
    rounds = [Counter((SHARED / f"round{k}.txt").read_text().split()) for k in range(9)]
    symbols = tuple(rounds[0])
    counts = np.array([[one[symbol] for symbol in symbols] for one in rounds])
    none = np.zeros(8, np.int64), np.zeros(len(symbols), np.int64)
    return Record(symbols, counts, *none)


def test_recorded_rounds_of_a_language_model_are_forecast() -> None:
    record = recorded_rounds()
    found = predicted(record.first(4), ahead=5)
    assert np.abs(found.share - record.kept[4:]).max() <= 0.035
    assert ((found.low <= record.kept[4:]) & (record.kept[4:] <= found.high)).all()
    shorter = predicted(record.first(3), ahead=6)
    assert np.abs(shorter.share - record.kept[3:]).max() <= 0.06


def test_forecast_of_a_planted_trainer() -> None:
    record = record_of(NOISY, rounds=9)
    found = predicted(record.first(4), ahead=5)
    assert found.rounds.tolist() == [4, 5, 6, 7, 8]
    assert ((found.low <= record.kept[4:]) & (record.kept[4:] <= found.high)).all()
    assert (found.low < found.share).all()
    assert (found.share <= found.high).all()
    assert np.mean(found.high - found.low) < 0.2
    assert set(found.parts) == {"parameter", "noise", "model"}
    assert found.left_out_error == pytest.approx(found.within[-1].error)
    assert [(one.origin, one.horizon) for one in found.within] == [(1, 1), (1, 2), (2, 1)]
    assert found.resampler.covariance is not None
    assert found.resampler.covariance[0][0] > fit_resampler(record.first(4)).covariance[0, 0]
    assert found.model_deviation > 0.0


def test_same_seed_gives_the_same_forecast() -> None:
    record = record_of(NOISY)
    first, second, other = (predicted(record, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.share, second.share)
    assert (first.share != other.share).any()


def test_ideal_trainer_follows_the_law() -> None:
    record = record_of(Resampler())
    found = predicted(record, ahead=3)
    law = hf.survival(
        hf.Discrete(record.symbols, record.counts[0]), generations=6
    ).surviving_fraction
    naive = {one.name: one for one in found.naive}
    assert list(naive) == ["ideal law", "power law", "exponential", "last value"]
    ideal = naive["ideal law"].share
    assert ideal is not None
    np.testing.assert_allclose(ideal, law[4:], rtol=1e-3)
    np.testing.assert_allclose(found.share, law[4:], atol=0.03)
    assert naive["last value"].left_out_error == pytest.approx(record.kept[2] - record.kept[3])


def test_fresh_items_ahead_keep_more() -> None:
    record = record_of(NOISY)
    none = predicted(record, regime=hf.Replace())
    some = predicted(record, regime=hf.Fresh(share=0.2))
    larger = predicted(record, samples=4 * int(record.sizes[-1]))
    assert (some.share > none.share + 0.05).all()
    assert (larger.share > none.share).all()
    mixed = predicted(replace(record_of(NOISY, fresh=4000)), ahead=2)
    assert mixed.share[-1] > none.share[1]


def test_stored_items_stay() -> None:
    stored = (np.arange(real_counts().size) % 2 == 0).astype(np.int64)
    found = predicted(record_of(NOISY, stored=stored), ahead=4)
    assert (found.share >= stored.mean()).all()
    anchored = predicted(
        record_of(NOISY), regime=hf.Anchor.from_mapping({"w1": 1, "w5": 2}), ahead=2
    )
    assert anchored.share[0] < found.share[0]


def test_first_transition_that_differs_is_left_out() -> None:
    first = replace(NOISY, sharpening=1.25, log_size=-1.0)
    record = record_of(NOISY, first=first, rounds=9)
    found = predicted(record.first(5), ahead=4)
    assert found.first_left_out
    assert np.abs(found.share - record.kept[5:]).max() < 0.05


def test_drift_widens_the_interval() -> None:
    drifting, steady = (
        predicted(record_of(NOISY, rounds=5, drift=drift), ahead=5) for drift in (0.03, 0.0)
    )
    assert drifting.parts["model"][-1] > 1.5 * steady.parts["model"][-1]


def test_what_can_never_return_does_not_rise() -> None:
    trainer = replace(NOISY, return_weight=0.0)
    record = record_of(trainer)
    found = predicted(record, ahead=3)
    assert (found.high <= record.kept[-1]).all()
    assert (np.diff(found.share) <= 0.0).all()


def test_trainer_that_loses_nearly_everything() -> None:
    record = record_of(Resampler(sharpening=1.6, log_size=1.0), rounds=4)
    found = predicted(record, ahead=8)
    assert np.isfinite(found.share).all()
    assert ((found.low >= 0.0) & (found.high <= 1.0)).all()


def test_simulated_rounds_agree_with_plain_draws() -> None:
    real = real_counts(300, 3000)
    mixing = RoundItems(np.array([2700, 2700]), np.array([300, 0]), np.zeros_like(real))
    law = real / real.sum()
    rng = np.random.default_rng(1)
    kept = simulate_kept(parameters_of(NOISY, 400), real, mixing, law=law, rng=rng)
    slow = []
    for _ in range(400):
        first = next_counts(NOISY, real, 2700, rng) + rng.poisson(300 * law)
        second = next_counts(NOISY, first, 2700, rng)
        slow.append([np.count_nonzero(first), np.count_nonzero(second)])
    difference = kept.mean(axis=1) - np.mean(slow, axis=0) / real.size
    error = np.std(slow, axis=0) / real.size * np.sqrt(2.0 / 400.0)
    assert (np.abs(difference) < 4.0 * error).all()


@pytest.mark.parametrize("trainer", [NOISY, Resampler(1.05)], ids=["noisy", "without noise"])
def test_compiled_rounds_have_the_law_of_plain_ones(
    trainer: Resampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = real_counts(400, 4000)
    mixing = RoundItems(np.array([4000, 4000, 3000]), np.zeros(3, np.int64), np.zeros_like(real))
    law, values = real / real.sum(), parameters_of(trainer, 600)
    steps = np.array([0.0, 0.05, 0.1])
    plain = simulate_kept_plainly(
        values, real, mixing, law=law, rng=np.random.default_rng(1), drift=steps
    )
    monkeypatch.setattr("hayflick.calibration.simulated_rounds._COMPILED_CELLS", 0.0)
    compiled = simulate_kept(
        values, real, mixing, law=law, rng=np.random.default_rng(2), drift=steps
    )
    error = plain.std(axis=1) * np.sqrt(2.0 / 600.0)
    assert (np.abs(plain.mean(axis=1) - compiled.mean(axis=1)) < 4.5 * error).all()
    np.testing.assert_allclose(plain.std(axis=1), compiled.std(axis=1), rtol=0.2)


def test_arguments_are_checked() -> None:
    record = record_of(NOISY)
    with pytest.raises(ArgumentError, match="ahead"):
        predicted(record, ahead=0)
