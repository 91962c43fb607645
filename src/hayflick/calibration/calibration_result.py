"""The result of a calibration: what a trainer is like, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from typing_extensions import override

from hayflick.calibration.calibrated_trainer import CalibratedTrainer, ForecastRound
from hayflick.calibration.calibration_file import resampler_record
from hayflick.calibration.diagnoses import Diagnosis
from hayflick.calibration.fit import Fit
from hayflick.calibration.goodness import CountClassFit
from hayflick.calibration.prediction import Prediction
from hayflick.calibration.reading import RecordedRounds
from hayflick.calibration.record import Record
from hayflick.chains.resampler import PARAMETERS, Resampler
from hayflick.core.arrays import Floats
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source, sources_of

FITS, DEPARTS, DOES_NOT_FIT = "fits", "departs", "does not fit"
"""Verdicts on the chain: nothing found; found, but forecasts within the record hold; neither."""

_SMALL_ERROR = 0.05


@dataclass(frozen=True, slots=True)
class SufficientShare:
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
class Calibration(CalibratedTrainer):
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
    fresh: SufficientShare
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
    @override
    def fitted(self) -> Resampler:
        return self.fit.resampler

    @property
    @override
    def resampler(self) -> Resampler:
        return self.prediction.resampler

    @property
    @override
    def errors(self) -> Floats:
        return self.fit.covariance

    @property
    @override
    def fixed(self) -> tuple[str, ...]:
        return self.fit.fixed

    @property
    @override
    def largest_count(self) -> int:
        return int(self.record.counts.max())

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
    def returns(self) -> float:
        """Items of an absent type that a round draws on average."""
        weights = self.fit.resampler.weights(self.record.counts[-1].astype(np.float64))
        rate = self.fit.resampler.return_weight / float(weights.sum())
        return float(self.record.sizes[-1] * rate)

    @property
    @override
    def forecast(self) -> tuple[ForecastRound, ...]:
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
        errors = {name: self.standard_error(name) for name in PARAMETERS}
        return resampler_record(
            self.resampler, standard_errors=errors, model_deviation=self.prediction.model_deviation
        )
