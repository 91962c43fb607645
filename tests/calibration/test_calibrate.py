"""Calibration of recorded rounds: what the trainer is like, what comes next, and its file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from recorded_rounds import TRAINER, mappings, recorded_counts

import hayflick as hf
from hayflick.calibration.calibration_file import resampler_of
from hayflick.calibration.simulated_rounds import RoundItems, parameters_of, simulate_kept
from hayflick.chains.resampler import PARAMETERS, Resampler
from hayflick.core.errors import ArgumentError, DataError, OutputError

QUICK = {"ahead": 3, "replicates": 40}


@pytest.fixture(scope="module")
def calibrated() -> hf.Calibration:
    return hf.calibrate(mappings(recorded_counts()), **QUICK)


def test_a_planted_trainer_is_found(calibrated: hf.Calibration) -> None:
    for name, planted in zip(PARAMETERS, TRAINER.values, strict=True):
        found = calibrated.parameters[name]
        assert abs(found.value - planted) < 3.0 * found.standard_error
        assert found.low < found.value < found.high
    ten = calibrated.effective_size_at(10)
    assert ten.low < TRAINER.effective_share(10.0) < ten.high
    assert [one.count for one in calibrated.effective_size] == [1, 10, 100]
    assert calibrated.equivalent_temperature.value == pytest.approx(
        1.0 / calibrated.parameters["sharpening"].value
    )
    assert 0.5 < calibrated.returns / calibrated.fit.resampler.return_weight < 1.5


def test_the_next_rounds_are_in_the_interval(calibrated: hf.Calibration) -> None:
    later = recorded_counts(rounds=7)
    assert np.array_equal(later[:4].sum(axis=1), calibrated.record.sizes)
    kept = np.count_nonzero(later, axis=1) / later.shape[1]
    assert [one.round for one in calibrated.forecast] == [4, 5, 6]
    for one in calibrated.forecast:
        assert one.low <= kept[one.round] <= one.high
        assert one.low < one.share < one.high


def test_the_answer_for_an_ideal_trainer() -> None:
    found = hf.calibrate(mappings(recorded_counts(Resampler(), seed=3)), **QUICK)
    sharpening = found.parameters["sharpening"]
    assert abs(sharpening.value - 1.0) < 3.0 * sharpening.standard_error
    assert found.returns == 0.0
    assert found.ideal_share == pytest.approx(found.forecast[-1].share, abs=0.05)


def test_the_share_of_fresh_data_keeps_what_it_says() -> None:
    rounds = mappings(recorded_counts(types=400, items=4000))
    found = hf.calibrate(rounds, keep=0.8, **QUICK)
    share = found.fresh.share
    assert 0.05 < share < 0.9
    record, size = found.record, int(found.record.sizes[-1])

    def kept(fresh: int) -> float:
        mixing = RoundItems(np.full(3, size - fresh), np.full(3, fresh), record.stored)
        parameters = parameters_of(found.fit.resampler, 200)
        rng = np.random.default_rng(5)
        shares = simulate_kept(parameters, record.counts[-1], mixing, law=record.real_law, rng=rng)
        return float(shares[-1].mean())

    assert kept(round(share * size)) == pytest.approx(0.8, abs=0.02)
    assert hf.calibrate(rounds, keep=0.1, **QUICK).fresh.share == 0.0
    assert hf.calibrate(rounds, keep=1.0, **QUICK).fresh.share is None
    default = hf.calibrate(rounds, **QUICK).fresh.keep
    assert default == pytest.approx(np.floor(100 * record.kept[-1]) / 100)


def test_the_record_has_what_other_tools_read(calibrated: hf.Calibration) -> None:
    found = json.loads(json.dumps(calibrated.to_dict(), allow_nan=False))
    assert found["format_version"] == 1
    assert set(found["parameters"]) == set(PARAMETERS)
    assert all({"value", "standard_error"} <= set(one) for one in found["parameters"].values())
    assert [one["round"] for one in found["forecast"]] == [4, 5, 6]
    assert all({"share", "low", "high"} <= set(one) for one in found["forecast"])
    assert [one["count"] for one in found["effective_size"]] == [1, 10, 100]
    assert {one["name"] for one in found["diagnoses"]} >= {"fit", "drift", "memory"}
    assert {one["name"] for one in found["naive"]} == {
        "ideal law",
        "power law",
        "exponential",
        "last value",
    }


def test_what_is_saved_is_the_resampler(calibrated: hf.Calibration, tmp_path: Path) -> None:
    path = calibrated.save(tmp_path / "calibration.json")
    loaded = resampler_of(path)
    np.testing.assert_array_equal(loaded.values, calibrated.resampler.values)
    np.testing.assert_allclose(loaded.covariance, calibrated.resampler.covariance, rtol=1e-9)
    assert resampler_of(calibrated) is calibrated.resampler
    variance = calibrated.parameters["sharpening"].standard_error ** 2
    widened = variance + calibrated.prediction.model_deviation**2
    assert loaded.covariance[0][0] == pytest.approx(widened)
    with pytest.raises(OutputError, match="exists already"):
        calibrated.save(path)
    assert calibrated.save(path, force=True) == path
    with pytest.raises(ArgumentError, match=r"path: got .*\.toml, takes a name ending in \.json"):
        calibrated.save(tmp_path / "calibration.toml")


def test_pages_say_the_answer_in_both_languages(calibrated: hf.Calibration, tmp_path: Path) -> None:
    english = calibrated.save(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Your trainer sharpens (b = 1.02 [1.01, 1.03], as a temperature of 0.98" in english
    assert "of fresh data in every round would keep" in english
    assert english.count("<svg") == 5
    japanese = calibrated.save(tmp_path / "ja.html", lang="ja").read_text(encoding="utf-8")
    assert "この学習器は分布を尖らせます" in japanese
    assert "Your trainer" in calibrated._repr_html_()


def test_the_seed_decides(calibrated: hf.Calibration) -> None:
    rounds = mappings(recorded_counts())
    again = hf.calibrate(rounds, **QUICK)
    assert again.to_dict() == calibrated.to_dict()
    other = hf.calibrate(rounds, seed=2, **QUICK)
    assert other.parameters == calibrated.parameters
    assert other.forecast != calibrated.forecast


def test_known_mixing_is_accounted_for() -> None:
    rounds = mappings(recorded_counts(fresh=800))
    stated = hf.calibrate(rounds, regime="fresh:0.1", **QUICK)
    found = stated.parameters["sharpening"]
    assert abs(found.value - TRAINER.sharpening) < 3.0 * found.standard_error
    assert stated.to_dict()["regime"] == "fresh:share=0.1"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"ahead": 0}, "ahead: got 0"),
        ({"ahead": 1.5}, "ahead: got 1.5"),
        ({"keep": 1.2}, "keep: got 1.2"),
        ({"replicates": 1}, "replicates: got 1"),
        ({"seed": -1}, "seed: got -1"),
        ({"regime": "fresher:0.1"}, "regime"),
        ({"regime": "accumulate"}, "regime: got accumulate"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, object], says: str) -> None:
    with pytest.raises(ArgumentError, match=says):
        hf.calibrate(mappings(recorded_counts()), **arguments)


def test_records_that_tell_nothing_are_refused() -> None:
    with pytest.raises(DataError, match="a single type"):
        hf.calibrate([{"a": 10}, {"a": 11}, {"a": 9}])
    with pytest.raises(DataError, match="types of different counts"):
        hf.calibrate([{"a": 5, "b": 5}, {"a": 5, "b": 5}, {"a": 6, "b": 4}])


@pytest.mark.parametrize("sharpening", [1.3, 1.5])
def test_calibrations_of_wild_trainers_are_loaded_again(sharpening: float, tmp_path: Path) -> None:
    # Types that come back can make a sharper trainer keep more, not fewer.
    rng = np.random.default_rng(0)
    for attempt in range(3):
        counts = [np.full(40, 3) + np.append(np.full(5, 100), np.zeros(35, int))]
        for _ in range(3):
            weights = np.where(counts[-1] > 0, counts[-1] ** sharpening, 0.3)
            counts.append(rng.multinomial(300, weights / weights.sum()))
        found = hf.calibrate(mappings(np.array(counts)), ahead=2, replicates=20)
        assert found.prediction.model_deviation >= 0.0
        resampler_of(found.save(tmp_path / f"{attempt}.json"))
