"""The file of a calibrated resampler, ``calibration.json``: how it is read and what it holds.

::

    {"format_version": 1, "family": "discrete",
     "parameters": {"sharpening": {"value": 1.01, "standard_error": 0.004}, ...},
     "covariance": [[...], ...], "model_deviation": 0.006, ...}

The covariance is in the order of the parameters. A log_size of null is infinite: draws without
noise of the trainer's own. All else in the file is for people, and what ``--format json`` prints
is such a file.
"""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias, cast, runtime_checkable

import numpy as np

from hayflick.chains.gaussian_resampler import GaussianResampler
from hayflick.chains.resampler import PARAMETERS, Resampler
from hayflick.core.documents import read_json
from hayflick.core.errors import ArgumentError, DataError

FORMAT_VERSION = 1
"""Version of the file."""

AnyResampler: TypeAlias = Resampler | GaussianResampler
"""What a file holds."""

_NAMES = {"discrete": PARAMETERS, "gaussian": ("effective_share", "variance_factor")}
_WHAT = "a calibration that hayflick calibrate --save has written"


@runtime_checkable
class Calibrated(Protocol):
    """A result that has a resampler."""

    @property
    def resampler(self) -> AnyResampler:
        """The resampler, with the covariance of its parameters."""


def resampler_of(value: AnyResampler | Calibrated | str | os.PathLike[str]) -> AnyResampler:
    """Return the resampler of a file, of a calibration, or one that is given as it is.

    Parameters
    ----------
    value
        The path of a ``calibration.json``, what `hayflick.calibrate` returned, or a resampler.

    Raises
    ------
    ArgumentError
        If it is something else.
    DataError
        If the file cannot be read, or holds no resampler; the key is named.

    Examples
    --------
    >>> resampler_of(Resampler(sharpening=1.1)).sharpening
    1.1
    """
    if isinstance(value, Resampler | GaussianResampler):
        return value
    if isinstance(value, Calibrated):
        return value.resampler
    if not isinstance(value, str | os.PathLike):
        takes = "a calibration, a resampler, or the path of a calibration.json"
        raise ArgumentError("resampler", got=value, takes=takes)
    return _resampler(read_json(value, what=_WHAT), os.fsdecode(value))


def resampler_record(
    resampler: AnyResampler,
    *,
    standard_errors: Mapping[str, float | None] | None = None,
    model_deviation: float = 0.0,
) -> dict[str, Any]:
    """Return the keys of a file that a resampler is read from.

    Parameters
    ----------
    resampler
        The resampler.
    standard_errors
        Of the parameters by their names; None for one that was not fitted.
    model_deviation
        The part of the deviation of the first parameter that stands for the error of the model.
        The covariance in the file is without it, and a reader adds it.

    Examples
    --------
    >>> found = resampler_record(Resampler(sharpening=1.1))
    >>> found["parameters"]["sharpening"]
    {'value': 1.1, 'standard_error': None}
    """
    family = "discrete" if isinstance(resampler, Resampler) else "gaussian"
    errors = standard_errors or {}
    covariance = None
    if resampler.covariance is not None:
        matrix = np.array(resampler.covariance)
        matrix[0, 0] = max(matrix[0, 0] - model_deviation**2, 0.0)
        covariance = matrix.tolist()
    values = {name: getattr(resampler, name) for name in _NAMES[family]}
    return {
        "format_version": FORMAT_VERSION,
        "family": family,
        "parameters": {
            name: {
                "value": value if math.isfinite(value) else None,
                "standard_error": errors.get(name),
            }
            for name, value in values.items()
        },
        "covariance": covariance,
        "model_deviation": model_deviation,
    }


def _resampler(found: Any, name: str) -> AnyResampler:
    record = _object(found, name)
    version = _value(record, "format_version", name)
    if version != FORMAT_VERSION or isinstance(version, bool):
        reads = f"this version of hayflick reads {FORMAT_VERSION}; calibrate again"
        raise DataError(f"{name}: format_version: got {version!r}, {reads}")
    family = record.get("family", "discrete")
    if not isinstance(family, str) or family not in _NAMES:
        raise DataError(f"{name}: family: got {family!r}, takes {' or '.join(_NAMES)}")
    parameters = _object(_value(record, "parameters", name), f"{name}: parameters")
    values = {}
    for key in _NAMES[family]:
        where = f"{name}: parameters.{key}"
        one = _object(_value(parameters, key, name, below="parameters."), where)
        value = _value(one, "value", name, below=f"parameters.{key}.")
        infinite = value is None and key == "log_size"
        values[key] = math.inf if infinite else _number(value, f"{where}.value")
    unknown = [key for key in parameters if key not in _NAMES[family]]
    if unknown:
        near = difflib.get_close_matches(unknown[0], _NAMES[family], n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise DataError(f"{name}: parameters.{unknown[0]}: there is no such parameter{hint}")
    deviation = _number(record.get("model_deviation", 0.0), f"{name}: model_deviation")
    if not 0.0 <= deviation < _LARGEST:
        raise DataError(f"{name}: model_deviation: got {deviation}, takes a number from 0")
    covariance = _covariance(record.get("covariance"), len(values), name)
    if deviation:
        covariance = np.zeros((len(values),) * 2) if covariance is None else covariance
        covariance[0, 0] += deviation**2
    rows = None if covariance is None else tuple(tuple(row) for row in covariance.tolist())
    kind = Resampler if family == "discrete" else GaussianResampler
    try:
        return kind(**values, covariance=rows)
    except ArgumentError as fault:
        raise DataError(f"{name}: {fault}") from None


_LARGEST = 1e6


def _object(found: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        kind = "a list" if isinstance(found, list) else repr(found)[:80]
        raise DataError(f"{where}: holds {kind}, takes an object; give {_WHAT}")
    return found


def _value(record: Mapping[str, Any], key: str, name: str, *, below: str = "") -> Any:
    if key not in record:
        raise DataError(f"{name}: {below}{key} is missing; give {_WHAT}")
    return record[key]


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        shown = "no finite number" if isinstance(value, float) else repr(value)[:80]
        raise DataError(f"{where}: got {shown}, takes a number")
    return float(value)


def _covariance(found: Any, size: int, name: str) -> np.ndarray | None:
    """Return a covariance of numbers; whether it can be one is the resampler's to say."""
    if found is None:
        return None
    where = f"{name}: covariance"
    takes = f"takes {size} lists of {size} numbers"
    if not isinstance(found, list) or len(found) != size:
        raise DataError(f"{where}: {takes}")
    for row in cast(Sequence[Any], found):
        if not isinstance(row, list) or len(row) != size:
            raise DataError(f"{where}: {takes}")
    rows = [
        [_number(cell, f"{where}[{i}][{j}]") for j, cell in enumerate(row)]
        for i, row in enumerate(found)
    ]
    matrix = np.array(rows)
    if np.abs(matrix).max(initial=0.0) > _LARGEST**2:
        raise DataError(f"{where}: holds numbers above {_LARGEST**2:g}")
    return matrix
