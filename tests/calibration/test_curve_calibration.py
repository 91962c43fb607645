"""Calibration on the shares that rounds kept, from files and memory, and curves that are none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from recorded_rounds import count_files, mappings, recorded_counts

import hayflick as hf
from hayflick.calibration.calibration_file import resampler_of
from hayflick.calibration.curve_fit import read_curve
from hayflick.chains.resampler import Resampler
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, DataError

_COUNTS = recorded_counts(Resampler(1.05, 3.0, 0.25), types=400, items=4000, rounds=7)
_KEPT = np.count_nonzero(_COUNTS, axis=1) / _COUNTS.shape[1]
_SHARES = _KEPT[1:5].tolist()
QUICK = {"ahead": 2, "replicates": 40}


@pytest.fixture(scope="module")
def calibrated() -> hf.CurveCalibration:
    return hf.calibrate(mappings(_COUNTS)[0], curve=_SHARES, **QUICK)


def test_a_curve_gives_parameters_and_a_forecast(calibrated: hf.CurveCalibration) -> None:
    sharpening = calibrated.parameters["sharpening"]
    assert abs(sharpening.value - 1.05) < 3.0 * sharpening.standard_error
    assert calibrated.parameters["return_weight"].standard_error is None
    assert [one.round for one in calibrated.forecast] == [5, 6]
    for one in calibrated.forecast:
        assert one.low <= _KEPT[one.round] <= one.high
    assert calibrated.ideal.size == 7


def test_a_curve_is_saved_as_a_resampler_and_as_a_page(
    calibrated: hf.CurveCalibration, tmp_path: Path
) -> None:
    path = calibrated.save(tmp_path / "calibration.json")
    np.testing.assert_allclose(resampler_of(path).values, calibrated.resampler.values)
    found = json.loads(path.read_text())
    assert found["diagnoses"] == []
    assert found["kept"] == [1.0, *_SHARES]
    english = calibrated.save(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Counts of two rounds tell far more" in english
    assert "個の割合" in calibrated.save(tmp_path / "ja.html", lang="ja").read_text(
        encoding="utf-8"
    )


def test_all_ways_to_give_a_curve_are_the_same(tmp_path: Path) -> None:
    shares = [0.9, 0.8, 0.72]
    table, json_file = tmp_path / "curve.csv", tmp_path / "curve.json"
    table.write_text("round;share\n2;0,8\n1;0,9\n3;0,72\n")
    json_file.write_text(json.dumps([{"round": k, "share": s} for k, s in enumerate(shares, 1)]))
    by_round = {"0": 1.0, "1": 0.9, "2": 0.8, "3": 0.72}
    columns = {"round": [0, 1, 2, 3], "retention": [1.0, *shares], "items": [5, 50, 60, 70]}
    for given in (
        shares,
        (1.0, *shares),
        np.array(shares),
        by_round,
        columns,
        pl.DataFrame(columns),
        table,
        str(json_file),
    ):
        assert read_curve(given).shares.tolist() == shares
    assert read_curve(columns).sizes == (50, 60, 70)
    json_file.write_text(json.dumps(by_round))
    assert read_curve(json_file).shares.tolist() == shares


@pytest.mark.parametrize(
    ("curve", "says"),
    [
        ([0.9, 0.8], "the shares of 2 rounds give no reading"),
        ([], "round: got none|no reading|holds no round"),
        ([0.9, 80, 0.7], "share: got 80, takes a number from 0 to 1"),
        ([0.9, float("nan"), 0.7], "share: got nan"),
        ({1: 0.9, 2: 0.8, 4: 0.7}, "round: got 1, 2, 4, takes 1, 2, 3"),
        ({1: 0.9, "b": 0.8, 3: 0.7}, "round: got 'b'"),
        ({"round": [1, 2, 3], "part": [0.9, 0.8, 0.7]}, "'share'"),
        ({"round": [1, 2, 3], "share": ["0.9", "none", "x"]}, "column 'share'"),
        ({"round": [1, 2, 3], "share": [0.9, None, 0.7]}, "column 'share': holds nothing"),
        ({"round": [1, 2, 3], "share": [0.9, 0.8, 0.7], "items": [5, 0, 5]}, "items: takes"),
    ],
)
def test_what_is_no_curve_is_refused(curve: object, says: str) -> None:
    with pytest.raises(DataError, match=says):
        read_curve(curve)


def test_files_that_are_no_curve_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "curve.txt"
    text.write_text("0.9")
    with pytest.raises(DataError, match=r"curve\.txt: is no table"):
        read_curve(text)
    broken = tmp_path / "curve.json"
    for content in ("{", '"a"', "3", "[[1, 2], [3]]", '{"share": "a"}', "null"):
        broken.write_text(content)
        with pytest.raises(DataError, match=r"curve"):
            read_curve(broken)
    with pytest.raises(DataError, match=r"none\.csv"):
        read_curve(tmp_path / "none.csv")
    with pytest.raises(ArgumentError, match="curve: got 3"):
        read_curve(3)


def test_a_curve_takes_the_real_data_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real = str(count_files(tmp_path, _COUNTS[:1])[0])
    for option, says in (
        ({"by": "round"}, "by: got round"),
        ({"keep": 0.5}, "keep: got 0.5"),
        ({"regime": "fresh:0.1"}, "regime: got fresh:0.1"),
    ):
        with pytest.raises(ArgumentError, match=says):
            hf.calibrate(real, curve=_SHARES, **option)
    with pytest.raises(ArgumentError, match="sources: got 2 inputs, takes the real data alone"):
        hf.calibrate([real, "b.json"], curve=_SHARES)
    curve = tmp_path / "curve.csv"
    curve.write_text("round,share\n1,0.9\n2,0.8\n")
    assert main(["calibrate", real, "--curve", str(curve)]) == 2
    assert "2 rounds give no reading" in capsys.readouterr().err
