"""A calibration from less: the share of the real types by round, beside the real counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from typing_extensions import override

from hayflick.calibration.calibrated_trainer import CalibratedTrainer, ForecastRound
from hayflick.calibration.calibration_file import resampler_record
from hayflick.calibration.curve_fit import (
    Curve,
    CurveFit,
    CurvePrediction,
    fit_curve,
    predict_curve,
)
from hayflick.chains.discrete import Discrete
from hayflick.chains.resampler import PARAMETERS, Resampler
from hayflick.core.arrays import Floats
from hayflick.core.effort import Effort, expect
from hayflick.core.progress import Progress, silent
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.corpus.reading import Corpus
from hayflick.laws.survival import survival

_CELL_S = 1e-7
_RUNS_OF_FIT = 1000


@dataclass(frozen=True, eq=False, kw_only=True)
class CurveCalibration(CalibratedTrainer):
    """A resampler that was calibrated on a curve of shares, and what comes next.

    It is weaker than a `hayflick.Calibration`: a curve tells sharpening and noise apart badly, and
    nothing of what comes back.

    Parameters
    ----------
    corpus
        The real data.
    curve
        The recorded shares.
    fit
        The resampler that fits them best.
    prediction
        The rounds ahead.
    ideal
        What the ideal law has left in rounds 0, 1 and so on, to the last one ahead.
    runs, seed
        Of the simulation.
    """

    corpus: Corpus
    curve: Curve
    fit: CurveFit
    prediction: CurvePrediction
    ideal: Floats
    runs: int
    seed: int

    def __repr__(self) -> str:
        rounds = f"{self.curve.shares.size} rounds"
        return f"CurveCalibration({self.name!r}, {rounds}, {self.resampler.describe()!r})"

    @property
    def name(self) -> str:
        """What was calibrated on: the real data."""
        return self.corpus.source.name

    @property
    @override
    def sources(self) -> tuple[Source, ...]:
        return tuple(one for one in (self.corpus.source, self.curve.source) if one.was_read)

    @property
    @override
    def fitted(self) -> Resampler:
        return self.fit.resampler

    @property
    @override
    def resampler(self) -> Resampler:
        return self.fit.resampler

    @property
    @override
    def errors(self) -> Floats:
        return np.array(self.fit.resampler.covariance)

    @property
    @override
    def fixed(self) -> tuple[str, ...]:
        return self.fit.fixed

    @property
    @override
    def largest_count(self) -> int:
        return int(self.corpus.counts.numbers.max())

    @property
    @override
    def forecast(self) -> tuple[ForecastRound, ...]:
        found = self.prediction
        rows = zip(found.rounds, found.share, found.low, found.high, strict=True)
        return tuple(ForecastRound(int(k), float(s), float(a), float(b)) for k, s, a, b in rows)

    def provenance(self) -> dict[str, Any]:
        """Return the record that reproduces the calibration."""
        parameters = {
            "curve": self.curve.shares.tolist(),
            "ahead": len(self.forecast),
            "replicates": self.runs,
        }
        return provenance(parameters, seed=self.seed)

    def describe_resampler(self) -> dict[str, Any]:
        """Return what a ``calibration.json`` is read for."""
        errors = {name: self.standard_error(name) for name in PARAMETERS}
        return resampler_record(self.resampler, standard_errors=errors)


def calibrate_curve(
    corpus: Corpus,
    curve: Curve,
    *,
    ahead: int,
    replicates: int,
    seed: int,
    progress: Progress = silent,
) -> CurveCalibration:
    """Calibrate a resampler on a curve of shares; see `hayflick.calibrate`.

    Raises
    ------
    DataError
        If the curve tells too little.
    """
    real, known = corpus.counts.numbers, curve.shares.size
    sizes = curve.sizes or (corpus.counts.total,) * known
    cells = real.size * (known + ahead) * (replicates + min(_RUNS_OF_FIT, 4e7 / real.size))
    expect(progress, Effort("fitting a curve", seconds=cells * _CELL_S))
    progress("fitting the curve", 0, 2)
    fit = fit_curve(real, sizes, curve.shares.tolist(), seed=seed)
    progress("fitting the curve", 1, 2)
    prediction = predict_curve(real, sizes, fit, ahead=ahead, replicates=replicates, seed=seed)
    progress("fitting the curve", 2, 2)
    model = Discrete.from_corpus(corpus)
    law = survival(model, generations=known + ahead, samples=sizes[-1])
    return CurveCalibration(
        corpus=corpus,
        curve=curve,
        fit=fit,
        prediction=prediction,
        ideal=law.surviving_fraction,
        runs=replicates,
        seed=seed,
    )
