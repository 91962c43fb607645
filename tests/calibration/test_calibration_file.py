"""Files of calibrated resamplers: what is written is read again, and what is damaged is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from hayflick.calibration.calibration_file import resampler_of, resampler_record
from hayflick.chains.gaussian_resampler import GaussianResampler
from hayflick.chains.resampler import Resampler
from hayflick.core.errors import ArgumentError, DataError

_COVARIANCE = tuple(tuple(row) for row in np.diag([0.0004, 0.01, 0.0025, 0.000004]).tolist())
_TRAINER = Resampler(1.1, 1.25, 0.5, 0.01, _COVARIANCE)


def _written(folder: Path, change: object = None) -> Path:
    record = resampler_record(_TRAINER, model_deviation=0.01)
    path = folder / "calibration.json"
    path.write_text(json.dumps(record if change is None else {**record, **change}))
    return path


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    found = resampler_of(_written(tmp_path))
    np.testing.assert_allclose(np.array(found.covariance), np.array(_COVARIANCE), rtol=1e-12)
    np.testing.assert_array_equal(found.values, _TRAINER.values)
    assert json.loads(_written(tmp_path).read_text())["covariance"][0][0] == pytest.approx(0.0003)


@pytest.mark.parametrize(
    "trainer",
    [Resampler(), Resampler(0.95, math.inf, 0.0, 0.2), GaussianResampler(0.5, 0.99)],
    ids=["ideal", "no noise", "numbers"],
)
def test_resamplers_of_all_kinds_are_read_again(trainer: Resampler, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps(resampler_record(trainer), allow_nan=False))
    assert resampler_of(path) == trainer
    assert resampler_of(str(path)) == trainer
    assert resampler_of(trainer) is trainer


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format_version": 2}, "format_version: got 2"),
        ({"format_version": True}, "format_version: got True"),
        ({"family": "poisson"}, "family: got 'poisson'"),
        ({"family": ["discrete"]}, "family"),
        ({"parameters": None}, "parameters: holds None"),
        ({"parameters": {}}, "parameters.sharpening is missing"),
        ({"parameters": {"sharpening": 1.1}}, "parameters.sharpening: holds 1.1"),
        ({"covariance": [[1.0]]}, "covariance: takes 4 lists of 4 numbers"),
        ({"covariance": "none"}, "covariance: takes 4 lists"),
        ({"covariance": [[0.0] * 4] * 3 + [[0.0, 0.0, 0.0, "a"]]}, r"covariance\[3\]\[3\]"),
        ({"covariance": np.diag([-1.0, 0, 0, 0]).tolist()}, "covariance: got"),
        ({"covariance": [[1e300] * 4] * 4}, "covariance: holds numbers above"),
        ({"model_deviation": -0.1}, "model_deviation: got -0.1"),
        ({"model_deviation": "a"}, "model_deviation: got 'a'"),
    ],
)
def test_damaged_files_are_refused_with_file_and_key(
    change: dict[str, object], says: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=says) as fault:
        resampler_of(_written(tmp_path, change))
    assert "calibration.json" in str(fault.value)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("sharpening", 0.0, "sharpening: got 0.0"),
        ("sharpening", None, "parameters.sharpening.value: got None"),
        ("sharpening", "1.1", "parameters.sharpening.value: got '1.1'"),
        ("size_power", None, "parameters.size_power.value"),
        ("return_weight", -1.0, "return_weight: got -1.0"),
        ("return_wait", 0.1, "did you mean return_weight"),
    ],
)
def test_parameters_out_of_range_are_refused(
    key: str, value: object, says: str, tmp_path: Path
) -> None:
    parameters = resampler_record(_TRAINER)["parameters"]
    changed = {**parameters, key: {"value": value, "standard_error": None}}
    with pytest.raises(DataError, match=says):
        resampler_of(_written(tmp_path, {"parameters": changed}))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is no JSON"),
        (b"[1, 2]", "holds a list"),
        (b"{}", "format_version is missing"),
        (b'{"format_version": 1}', "parameters is missing"),
        (b'{"format_version": NaN}', "holds NaN"),
        (b"\xff\xfe{}", "is not UTF-8"),
        (b"[" * 5000, "is nested deeper"),
        (b" " * 1_000_001, "is larger than 1,000,000 bytes"),
        (b'{"format_version": 1, "parameters": {"sharpening": {"value": 1e999}}}', "no finite"),
    ],
)
def test_what_is_no_calibration_is_refused(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=says) as fault:
        resampler_of(path)
    assert "calibration.json" in str(fault.value)


def test_missing_files_folders_and_other_objects_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        resampler_of(tmp_path / "none.json")
    with pytest.raises(DataError, match="is a folder"):
        resampler_of(tmp_path)
    with pytest.raises(ArgumentError, match="resampler: got 7"):
        resampler_of(7)  # type: ignore[arg-type]
