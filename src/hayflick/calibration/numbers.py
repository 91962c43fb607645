"""What is a trainer of numbers like, and what comes next? From means and variances of its rounds.

References
----------
Section 1 of Kazdan et al., arXiv:2410.16713, for the Gaussian chain of an ideal trainer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from typing_extensions import override

from hayflick.calibration.diagnoses import Diagnosis
from hayflick.calibration.number_diagnoses import diagnose_numbers
from hayflick.calibration.number_likelihood import NumberTransitions, posterior
from hayflick.calibration.number_reading import read_number_rounds
from hayflick.calibration.number_record import NumberRecord, record_of_moments
from hayflick.chains.gaussian_resampler import GaussianResampler, effective_draws
from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import MOST_GENERATIONS, whole_number
from hayflick.core.display import Result
from hayflick.core.errors import ArgumentError
from hayflick.core.reproducibility import provenance, stream
from hayflick.core.source import Source
from hayflick.corpus.table_format import TableFormat

PARAMETER_LEVEL, FORECAST_LEVEL = 0.95, 0.9
_RUNS = 4000


@dataclass(frozen=True, slots=True)
class NumberEstimate:
    """An estimate with its error.

    Parameters
    ----------
    value
        The middle on the logarithmic scale.
    standard_error
        Of the value; half of what a factor of one standard deviation changes.
    low, high
        The 95 % interval.
    """

    value: float
    standard_error: float
    low: float
    high: float

    def scaled(self, factor: float) -> NumberEstimate:
        """Return the estimate in another unit."""
        return NumberEstimate(
            *(factor * one for one in (self.value, self.standard_error, self.low, self.high))
        )


@dataclass(frozen=True, eq=False)
class SpreadForecast:
    """The spread in the rounds ahead, as a share of that of round 0, with 90 % intervals.

    Parameters
    ----------
    rounds
        Their numbers, shape ``(rounds,)``.
    share
        The median of every column, shape ``(columns, rounds)``.
    low, high
        Ends of the interval that a single run falls in with a chance of 90 %.
    parts
        Standard deviations of the spread's logarithm by round: ``parameter`` and ``noise``.
    ideal
        The median of an ideal trainer from the same round on.
    """

    rounds: Integers
    share: Floats
    low: Floats
    high: Floats
    parts: Mapping[str, Floats]
    ideal: Floats


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class NumbersFit(Result):
    """A calibrated trainer of numbers.

    Parameters
    ----------
    record
        What was recorded.
    resampler
        The trainer, with the covariance of its parameters: `hayflick.forecast`, `plan` and
        `simulate` take it.
    parameters
        The effective share and the variance factor, by name.
    diagnoses
        Where the record departs from a resampler that stays the same.
    forecast
        The spread in the rounds ahead.
    seed
        Of the simulated runs ahead.
    """

    record: NumberRecord
    resampler: GaussianResampler
    parameters: Mapping[str, NumberEstimate]
    diagnoses: tuple[Diagnosis, ...]
    forecast: SpreadForecast
    seed: int

    def __repr__(self) -> str:
        share, factor = (f"{one.value:.3g}" for one in self.parameters.values())
        what = f"effective_share={share}, variance_factor={factor}"
        return f"NumbersFit({what}, rounds={self.record.rounds})"

    @property
    def samples(self) -> int:
        """Numbers in the last round; of several columns the fewest."""
        return int(self.record.sizes[:, -1].min())

    @property
    def effective_size(self) -> NumberEstimate:
        """The effective sample size n_e of a round of `samples` generated numbers."""
        return self.parameters["effective_share"].scaled(float(self.samples))

    @property
    @override
    def sources(self) -> tuple[Source, ...]:
        return self.record.sources

    def provenance(self) -> dict[str, Any]:
        """Return what the result was made with."""
        return provenance({"verb": "calibrate", "columns": self.record.columns}, seed=self.seed)


def calibrate_numbers(
    rounds: Any = None,
    *,
    means: ArrayLike | None = None,
    variances: ArrayLike | None = None,
    sizes: ArrayLike | None = None,
    columns: Sequence[str] | None = None,
    by: str | None = None,
    fresh: float | Sequence[float] = 0.0,
    ahead: int = 5,
    seed: int = 1,
    table: TableFormat | None = None,
    encoding: str = "utf-8",
) -> NumbersFit:
    """Calibrate a trainer of numbers on recorded rounds.

    Parameters
    ----------
    rounds
        The real data, then the numbers of every round: files, frames or arrays; with `by`, one
        table of all. None where moments were recorded.
    means, variances, sizes
        In place of `rounds`: moments by round, or by line (or column) and round; variances with
        divisor n - 1. Several lines are of the same trainer, and independent.
    columns
        The columns of `rounds` to read, or names of the lines of the moments. Columns share their
        parameters.
    by
        The column of the round, where `rounds` is one table; its first round is the real data.
    fresh
        Share of each round after round 0 that was drawn from the real law anew, or one per round.
    ahead
        Rounds to forecast, with the mix of the last recorded one.
    seed
        Of the simulated runs ahead.
    table, encoding
        How files are read; see `hayflick.corpus.reading.read_corpus`.

    Raises
    ------
    ArgumentError
        If an argument does not fit another, or is out of its range.
    DataError
        If a round cannot be read, there are fewer than two transitions, or a variance is 0: then
        there is no reading.

    Examples
    --------
    >>> rng = np.random.default_rng(5)
    >>> rounds = [rng.normal(50.0, 9.0, 400)]
    >>> for _ in range(4):
    ...     half = rng.choice(rounds[-1], 200, replace=False)
    ...     rounds.append(rng.normal(half.mean(), half.std(ddof=1), 400))
    >>> trainer = calibrate_numbers(rounds)
    >>> found = trainer.parameters["effective_share"]
    >>> found.low < 0.5 < found.high
    True
    """
    number = whole_number("ahead", ahead, at_least=1, at_most=min(1000, MOST_GENERATIONS))
    whole_number("seed", seed, at_least=0)
    given = {"means": means, "variances": variances, "sizes": sizes}
    if rounds is None:
        for name, value in given.items():
            if value is None:
                takes = "numbers by round, where no rounds are given"
                raise ArgumentError(name, got=None, takes=takes)
        if by is not None:
            raise ArgumentError("by", got=by, takes="nothing beside means and variances")
        record = record_of_moments(
            means,  # type: ignore[arg-type]
            variances,  # type: ignore[arg-type]
            sizes,  # type: ignore[arg-type]
            fresh=fresh,
            columns=columns,
        )
    else:
        for name, value in given.items():
            if value is not None:
                raise ArgumentError(name, got=value, takes="nothing beside rounds")
        record = read_number_rounds(
            rounds, columns=columns, by=by, fresh=fresh, table=table, encoding=encoding
        )
    return fit_numbers(record, ahead=number, seed=seed)


def fit_numbers(record: NumberRecord, *, ahead: int = 5, seed: int = 1) -> NumbersFit:
    """Return the calibrated trainer of a record; parameters are those of `calibrate_numbers`."""
    transitions = NumberTransitions(record)
    found = posterior(transitions)
    middle, covariance = found.middle, found.covariance
    share, factor = np.exp(middle)
    estimates = {}
    for place, name in enumerate(("effective_share", "variance_factor")):
        value = math.exp(middle[place])
        error = value * math.sqrt(covariance[place, place])
        estimates[name] = NumberEstimate(value, error, *found.interval(place, PARAMETER_LEVEL))
    rng = stream(seed, block=0)
    drawn = found.draw(rng, _RUNS)
    resampler = GaussianResampler(share, factor, tuple(map(tuple, covariance.tolist())))
    return NumbersFit(
        record=record,
        resampler=resampler,
        parameters=estimates,
        diagnoses=diagnose_numbers(record, transitions, share, factor),
        forecast=_forecast(record, drawn, np.exp(middle), ahead, rng),
        seed=seed,
    )


def _forecast(
    record: NumberRecord, drawn: Floats, middle: Floats, ahead: int, rng: np.random.Generator
) -> SpreadForecast:
    """Return the spread of the rounds ahead, for drawn parameters and for the middle ones."""
    runs = drawn.shape[1]
    logs = _log_spreads(record, drawn, ahead, rng)
    alone = _log_spreads(record, np.repeat(middle[:, None], runs, axis=1), ahead, rng)
    ideal = _log_spreads(record, np.ones((2, runs)), ahead, rng)
    low, share, high = np.exp(np.quantile(logs, _tails(FORECAST_LEVEL), axis=2))
    noise = alone.var(axis=2)
    parameter = np.maximum(logs.var(axis=2) - noise, 0.0)
    return SpreadForecast(
        rounds=np.arange(record.rounds, record.rounds + ahead),
        share=share,
        low=low,
        high=high,
        parts={"parameter": np.sqrt(parameter), "noise": np.sqrt(noise)},
        ideal=np.exp(np.median(ideal, axis=2)),
    )


def _tails(level: float) -> tuple[float, float, float]:
    return 0.5 - level / 2.0, 0.5, 0.5 + level / 2.0


def _log_spreads(
    record: NumberRecord, trainers: Floats, ahead: int, rng: np.random.Generator
) -> Floats:
    """Return ln of the spread over that of round 0, shape ``(columns, ahead, runs)``."""
    share, factor = trainers
    shape = record.means.shape[0], share.size
    n = record.sizes[:, -1:].astype(np.float64)
    m = record.fresh[:, -1:].astype(np.float64)
    q = n - m
    real_mean, real_variance = record.means[:, :1], record.variances[:, :1]
    mean = np.broadcast_to(record.means[:, -1:], shape)
    variance = np.broadcast_to(record.variances[:, -1:], shape)
    effective = effective_draws(q, n, share)
    path = np.empty((shape[0], ahead, shape[1]))
    for place in range(ahead):
        own = factor * variance
        moved = mean + np.sqrt(own / effective) * rng.standard_normal(shape)
        scatter = own * (q - 1.0) * rng.chisquare(effective - 1.0, shape) / (effective - 1.0)
        if m.any():
            error = np.sqrt(np.divide(real_variance, m, out=np.zeros_like(m), where=m > 0.0))
            fresh = real_mean + error * rng.standard_normal(shape)
            degrees = np.maximum(m - 1.0, 0.5)
            chi = np.where(m > 1.0, rng.chisquare(np.broadcast_to(degrees, shape)), 0.0)
            scatter = scatter + real_variance * chi + q * m / n * (moved - fresh) ** 2
            moved = (q * moved + m * fresh) / n
        mean, variance = moved, scatter / (n - 1.0)
        path[:, place] = 0.5 * np.log(np.maximum(variance, 1e-300) / real_variance)
    return path
