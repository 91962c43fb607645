"""The result of a calibration: what a trainer is like, and what comes next."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, ndtri
from typing_extensions import override

from hayflick.calibration.calibration_file import resampler_record
from hayflick.calibration.diagnoses import Diagnosis
from hayflick.calibration.fit import Fit
from hayflick.calibration.goodness import CountClassFit
from hayflick.calibration.prediction import LEVEL, Prediction
from hayflick.calibration.reading import RecordedRounds
from hayflick.calibration.record import Record
from hayflick.chains.resampler import PARAMETERS, Resampler
from hayflick.core.display import Result
from hayflick.core.errors import ArgumentError
from hayflick.core.output import PAGE_SUFFIXES, check_writable, write_text
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source, sources_of

QUANTILE = float(ndtri((1.0 + LEVEL) / 2.0))
"""Standard errors to either side of an estimate in a 90 % interval."""

FITS, DEPARTS, DOES_NOT_FIT = "fits", "departs", "does not fit"
"""Verdicts on the chain: nothing found; found, but forecasts within the record hold; neither."""

_SMALL_ERROR = 0.05
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


@dataclass(frozen=True, slots=True)
class FreshShare:
    """Fresh data that would keep a share of the real types in the rounds ahead, on average.

    Parameters
    ----------
    keep
        The share of the types.
    share
        The smallest share of fresh data in every round; None where all fresh data would not do.
    """

    keep: float
    share: float | None


@dataclass(frozen=True, eq=False, kw_only=True)
class Calibration(Result):
    """A resampler that was calibrated on recorded rounds, and what comes next.

    It is what ``resampler=`` of `hayflick.forecast`, `hayflick.plan` and `hayflick.simulate`
    takes. `save` writes a page, or the file ``calibration.json`` for those commands.

    Parameters
    ----------
    rounds
        The record, the names of its rounds and their regime.
    fit
        The resampler that fits them best.
    prediction
        The rounds ahead.
    diagnoses
        Where the trainer departs from the chain.
    classes
        Goodness of fit by count.
    fresh
        Fresh data that would keep a share of the types.
    runs, seed
        Of the simulation.
    """

    rounds: RecordedRounds
    fit: Fit
    prediction: Prediction
    diagnoses: tuple[Diagnosis, ...]
    classes: tuple[CountClassFit, ...]
    fresh: FreshShare
    runs: int
    seed: int

    def __repr__(self) -> str:
        transitions = f"{self.record.transitions} transitions"
        return f"Calibration({self.name!r}, {transitions}, {self.resampler.describe()!r})"

    @property
    def record(self) -> Record:
        """The recorded counts."""
        return self.rounds.record

    @property
    def resampler(self) -> Resampler:
        """The resampler with the covariance of its parameters, the model's error included."""
        return self.prediction.resampler

    @property
    @override
    def sources(self) -> tuple[Source, ...]:
        read = tuple(one for one in self.rounds.sources if one.was_read)
        return (*read, *sources_of(self.rounds.regime))

    @property
    def name(self) -> str:
        """What was calibrated on: the first input."""
        return self.rounds.sources[0].name

    @property
    def parameters(self) -> Mapping[str, Estimate]:
        """The four parameters by name, without the model's error."""
        values = self.fit.resampler.values.tolist()
        return {
            name: self._estimate(value, self.fit.standard_error(name), name)
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
        largest = int(self.record.counts.max())
        return tuple(self.effective_size_at(count) for count in _COUNTS if count <= largest)

    def effective_size_at(self, count: int) -> EffectiveSize:
        """Return the effective sample size of types with a count."""
        share = self.fit.resampler.effective_share(float(count))
        if not math.isfinite(self.fit.resampler.log_size):
            return EffectiveSize(count, share, None, None)
        # ln(c/ρ(c)) = ln c - s - u ln c.
        slope = np.array([1.0, math.log(count)])
        variance = float(slope @ self.fit.covariance[1:3, 1:3] @ slope)
        middle = math.log(share / (1.0 - share)) if 0.0 < share < 1.0 else math.inf
        width = QUANTILE * math.sqrt(max(variance, 0.0))
        low, high = float(expit(middle - width)), float(expit(middle + width))
        return EffectiveSize(count, share, low, high)

    @property
    def returns(self) -> float:
        """Items of an absent type that a round draws on average."""
        weights = self.fit.resampler.weights(self.record.counts[-1].astype(np.float64))
        rate = self.fit.resampler.return_weight / float(weights.sum())
        return float(self.record.sizes[-1] * rate)

    @property
    def forecast(self) -> tuple[ForecastRound, ...]:
        """The rounds ahead, with 90 % intervals."""
        found = self.prediction
        rows = zip(found.rounds, found.share, found.low, found.high, strict=True)
        return tuple(ForecastRound(int(k), float(s), float(a), float(b)) for k, s, a, b in rows)

    @property
    def ideal_share(self) -> float | None:
        """Share of the types in the last round ahead by the ideal law; None without one."""
        for curve in self.prediction.naive:
            if curve.name == "ideal law" and curve.share is not None:
                return float(curve.share[-1])
        return None

    @property
    def largest_error(self) -> float | None:
        """Largest error of a forecast within the record; None where none could be made."""
        return max((abs(one.error) for one in self.prediction.within), default=None)

    @property
    def verdict(self) -> str:
        """Whether the chain fits the record: one of `FITS`, `DEPARTS`, `DOES_NOT_FIT`."""
        if not any(one.found for one in self.diagnoses):
            return FITS
        error = self.largest_error
        return DEPARTS if error is not None and error <= _SMALL_ERROR else DOES_NOT_FIT

    def provenance(self) -> dict[str, Any]:
        """Return the record that reproduces the calibration."""
        parameters = {
            "regime": self.rounds.regime.describe(),
            "rounds": len(self.rounds.names),
            "ahead": len(self.forecast),
            "keep": self.fresh.keep,
            "replicates": self.runs,
        }
        return provenance(parameters, seed=self.seed)

    def describe_resampler(self) -> dict[str, Any]:
        """Return what a ``calibration.json`` is read for."""
        errors = {name: self.fit.standard_error(name) for name in PARAMETERS}
        return resampler_record(
            self.resampler, standard_errors=errors, model_deviation=self.prediction.model_deviation
        )

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
