"""What calibrations of a trainer have in common: its parameters, and how they are saved."""

from __future__ import annotations

import json
import math
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import expit, ndtri
from typing_extensions import override

from hayflick.calibration.prediction import LEVEL
from hayflick.chains.resampler import PARAMETERS, Resampler
from hayflick.core.arrays import Floats
from hayflick.core.display import Result
from hayflick.core.errors import ArgumentError
from hayflick.core.output import PAGE_SUFFIXES, check_writable, write_text

QUANTILE = float(ndtri((1.0 + LEVEL) / 2.0))
"""Standard errors to either side of an estimate in a 90 % interval."""

_COUNTS = (1, 10, 100, 1000, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate with its standard error and its 90 % interval.

    Parameters
    ----------
    value
        The estimate.
    standard_error
        None where it was not fitted, as the record says nothing of it.
    low, high
        Ends of the interval; None like that.
    """

    value: float
    standard_error: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class EffectiveSize:
    """The effective sample size of types with a count, as a share of the training set's.

    Parameters
    ----------
    count
        The count.
    share
        n_e(c)/n, 1 for an ideal resampler.
    low, high
        Ends of its 90 % interval; None where the trainer shows no noise of its own.
    """

    count: int
    share: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class ForecastRound:
    """The share of the real types in a round ahead.

    Parameters
    ----------
    round
        Its number, counted from the real data (0).
    share
        Expected share.
    low, high
        A single run lies between them with a chance of 90 %.
    """

    round: int
    share: float
    low: float
    high: float


class CalibratedTrainer(Result, ABC):
    """A trainer whose resampler was fitted, with the errors of the parameters.

    `save` writes a page, or the file ``calibration.json`` for other commands.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def fitted(self) -> Resampler:
        """The resampler that fits best."""

    @property
    @abstractmethod
    def resampler(self) -> Resampler:
        """The resampler with the covariance of its parameters, the model's error included."""

    @property
    @abstractmethod
    def errors(self) -> Floats:
        """Covariance of the parameters by the fit alone, shape ``(4, 4)``."""

    @property
    @abstractmethod
    def fixed(self) -> tuple[str, ...]:
        """Parameters that were not fitted."""

    @property
    @abstractmethod
    def largest_count(self) -> int:
        """The largest count in the data."""

    @property
    @abstractmethod
    def forecast(self) -> tuple[ForecastRound, ...]:
        """The rounds ahead, with 90 % intervals."""

    def standard_error(self, parameter: str) -> float | None:
        """Return a parameter's standard error; None where it was not fitted."""
        if parameter in self.fixed:
            return None
        place = PARAMETERS.index(parameter)
        return math.sqrt(self.errors[place, place])

    @property
    def parameters(self) -> Mapping[str, Estimate]:
        """The four parameters by name, without the model's error."""
        values = self.fitted.values.tolist()
        return {
            name: self._estimate(value, self.standard_error(name), name)
            for name, value in zip(PARAMETERS, values, strict=True)
        }

    @staticmethod
    def _estimate(value: float, error: float | None, name: str) -> Estimate:
        if error is None:
            return Estimate(value)
        low, high = value - QUANTILE * error, value + QUANTILE * error
        return Estimate(value, error, max(low, 0.0) if name == "return_weight" else low, high)

    @property
    def equivalent_temperature(self) -> Estimate:
        """1/b: the temperature at which an ideal resampler sharpens as much."""
        sharpening = self.parameters["sharpening"]
        low, high = sharpening.low, sharpening.high
        if low is None or high is None or low <= 0.0:
            return Estimate(1.0 / sharpening.value)
        return Estimate(1.0 / sharpening.value, None, 1.0 / high, 1.0 / low)

    @property
    def effective_size(self) -> tuple[EffectiveSize, ...]:
        """Effective sample size by count: 1, 10, 100 and so on, as far as the data go."""
        largest = self.largest_count
        return tuple(self.effective_size_at(count) for count in _COUNTS if count <= largest)

    def effective_size_at(self, count: int) -> EffectiveSize:
        """Return the effective sample size of types with a count."""
        share = self.fitted.effective_share(float(count))
        if not math.isfinite(self.fitted.log_size):
            return EffectiveSize(count, share, None, None)
        # ln(c/ρ(c)) = ln c - s - u ln c.
        slope = np.array([1.0, math.log(count)])
        variance = float(slope @ self.errors[1:3, 1:3] @ slope)
        middle = math.log(share / (1.0 - share)) if 0.0 < share < 1.0 else math.inf
        width = QUANTILE * math.sqrt(max(variance, 0.0))
        low, high = float(expit(middle - width)), float(expit(middle + width))
        return EffectiveSize(count, share, low, high)

    @override
    def save(self, path: str | os.PathLike[str], *, lang: str = "en", force: bool = False) -> Path:
        target = Path(path)
        if target.suffix.lower() in PAGE_SUFFIXES:
            return super().save(path, lang=lang, force=force)
        check_calibration_path(target, force=force)
        text = json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False, indent=2)
        return write_text(target, f"{text}\n", force=force)


def check_calibration_path(path: Path, *, name: str = "path", force: bool) -> None:
    """Refuse a name that a ``calibration.json`` cannot be written to.

    Raises
    ------
    ArgumentError
        If it does not end in ``.json``.
    OutputError
        If it exists and `force` is not set, or cannot be written.
    """
    if path.suffix.lower() != ".json":
        pages = ", ".join(PAGE_SUFFIXES)
        takes = f"a name ending in .json for other commands, or in {pages} for a page"
        raise ArgumentError(name, got=str(path), takes=takes)
    check_writable(path, force=force)
