"""What is a trainer of numbers like, and what comes next? From means and variances of its rounds.

References
----------
Section 1 of Kazdan et al., arXiv:2410.16713, for the Gaussian chain of an ideal trainer.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from typing_extensions import override

from hayflick.calibration.calibrated_trainer import check_calibration_path
from hayflick.calibration.diagnoses import Diagnosis
from hayflick.calibration.number_likelihood import NumberTransitions, diagnose_numbers, posterior
from hayflick.calibration.number_record import (
    NumberRecord,
    fresh_numbers,
    record_of_moments,
    refuse_few,
)
from hayflick.chains.fit_checks import checked_source, gaussian_checks
from hayflick.chains.gaussian_resampler import GaussianResampler, effective_draws
from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import MOST_GENERATIONS, whole_number
from hayflick.core.display import Result
from hayflick.core.errors import ArgumentError, DataError, listed
from hayflick.core.notes import Note
from hayflick.core.output import PAGE_SUFFIXES, write_text
from hayflick.core.protocols import Regime
from hayflick.core.reproducibility import provenance, stream
from hayflick.core.source import Source
from hayflick.corpus.frames import is_in_memory
from hayflick.corpus.numbers import NumericTable, read_number_groups, read_numbers
from hayflick.corpus.rounds import round_order
from hayflick.corpus.table_format import TableFormat
from hayflick.regimes.regime import parse_regime
from hayflick.regimes.replace import Replace


def read_number_rounds(
    rounds: Any,
    *,
    columns: Sequence[str] | None = None,
    by: str | None = None,
    regime: Regime = Replace(),
    table: TableFormat | None = None,
    encoding: str = "utf-8",
) -> NumberRecord:
    """Return the record of rounds of numbers; see `hayflick.calibration.numbers.calibrate_numbers`.

    Raises
    ------
    ArgumentError
        If an argument does not fit another.
    DataError
        If a round cannot be read, rounds have different columns, or the record cannot be used.
    """
    names = [columns] if isinstance(columns, str) else columns
    if by is not None:
        return _of_table(rounds, names, by, regime, table, encoding)
    if not isinstance(rounds, (list, tuple)) or isinstance(rounds, (str, bytes)):
        takes = "a list: the real data, then the numbers of every round"
        remedy = "one table of all rounds takes by, the column of the round"
        raise ArgumentError("rounds", got=type(rounds).__name__, takes=takes, remedy=remedy)
    read = [_numbers(place, one, names, table, encoding) for place, one in enumerate(rounds)]
    if len({len(one.columns) for one in read}) > 1:
        raise DataError("rounds: have different columns; name those that all of them have")
    sources = tuple(
        checked_source(one, found, gaussian_checks(found.values, found.columns), encoding=encoding)
        for one, found in zip(rounds, read, strict=True)
        if not is_in_memory(one)
    )
    values = [one.values for one in read]
    return _record(values, read[0].columns if read else (), regime, sources)


def _numbers(
    place: int, one: Any, columns: Sequence[str] | None, table: TableFormat | None, encoding: str
) -> NumericTable:
    """Return the numbers of one round; arrays are taken as they are."""
    if isinstance(one, np.ndarray) and one.dtype.kind in "fiu" and one.ndim in (1, 2):
        values = one.reshape(len(one), -1).astype(np.float64)
        if not np.isfinite(values).all():
            raise DataError(f"round {place}: holds NaN or infinity; takes finite numbers")
        numbers = range(values.shape[1])
        names = tuple(columns or (["numbers"] if len(numbers) == 1 else map(str, numbers)))
        if len(names) != len(numbers):
            raise ArgumentError("columns", got=len(names), takes=f"{len(numbers)} names")
        return NumericTable(values, names, f"round {place}")
    return read_numbers(one, columns=columns, given=table, encoding=encoding)


def _of_table(
    rounds: Any,
    columns: Sequence[str] | None,
    by: str,
    regime: Regime,
    table: TableFormat | None,
    encoding: str,
) -> NumberRecord:
    one = rounds[0] if isinstance(rounds, (list, tuple)) and len(rounds) == 1 else rounds
    if isinstance(one, (list, tuple)) and any(isinstance(name, str | os.PathLike) for name in one):
        takes = "nothing beside several files, each of which is a round"
        raise ArgumentError("by", got=by, takes=takes)
    read, labels = read_number_groups(one, by=by, columns=columns, given=table, encoding=encoding)
    order = round_order(labels.unique(maintain_order=True).to_list())
    places = np.array([order.places[label] for label in labels.to_list()], dtype=np.int64)
    values = [read.values[places == number] for number in range(1, len(order.names) + 1)]
    ends = [gaussian_checks(own, read.columns) for own in values[:1] + values[-1:]]
    found = tuple({check.name + check.column: check for own in ends for check in own}.values())
    sources = (checked_source(one, read, found, encoding=encoding),)
    return _record(values, read.columns, regime, sources, order.notes)


def _record(
    values: Sequence[Floats],
    columns: tuple[str, ...],
    regime: Regime,
    sources: tuple[Source, ...],
    notes: tuple[Note, ...] = (),
) -> NumberRecord:
    refuse_few(len(values))
    small = next((place for place, own in enumerate(values) if len(own) < 2), None)
    if small is not None:
        number = len(values[small])
        raise DataError(
            f"round {small} has {number} numbers in {listed(columns)}, takes at least 2"
        )
    ends = [gaussian_checks(own, columns) for own in (*values[:1], *values[-1:])]
    checks = tuple({check.name + check.column: check for own in ends for check in own}.values())
    moments = np.array([_moments(own) for own in values]).reshape(len(values), 4, -1)
    means, variances, kurtosis, sizes = np.moveaxis(moments, 0, -1)
    return record_of_moments(
        means,
        variances,
        sizes,
        regime=regime,
        columns=columns,
        kurtosis=kurtosis,
        sources=sources,
        notes=notes,
        checks=checks,
    )


def _moments(values: Floats) -> Floats:
    """Return mean, variance, excess kurtosis and number by column, shape ``(4, columns)``."""
    mean, variance = values.mean(axis=0), values.var(axis=0, ddof=1)
    unit = np.where(variance > 0.0, np.sqrt(variance), 1.0)
    kurtosis = (((values - mean) / unit) ** 4).mean(axis=0) - 3.0
    sizes = np.full(values.shape[1], float(len(values)))
    return np.stack([mean, variance, kurtosis, sizes])


LEVEL = 0.9
_RUNS = 4000
_RANGE = 1e-280, 1e280


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
        The 90 % interval.
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

    `save` writes a page, or the file ``calibration.json`` for other commands.

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
    regime
        What rounds were trained on, and will be.
    seed
        Of the simulated runs ahead.
    """

    record: NumberRecord
    resampler: GaussianResampler
    parameters: Mapping[str, NumberEstimate]
    diagnoses: tuple[Diagnosis, ...]
    forecast: SpreadForecast
    regime: Regime
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
        parameters = {
            "columns": list(self.record.columns),
            "regime": self.regime.describe(),
            "rounds": self.record.rounds,
            "ahead": self.forecast.rounds.size,
        }
        return provenance(parameters, seed=self.seed)

    @override
    def save(self, path: str | os.PathLike[str], *, lang: str = "en", force: bool = False) -> Path:
        target = Path(path)
        if target.suffix.lower() in PAGE_SUFFIXES:
            return super().save(path, lang=lang, force=force)
        check_calibration_path(target, force=force)
        text = json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False, indent=2)
        return write_text(target, f"{text}\n", force=force)


def calibrate_numbers(
    rounds: Any = None,
    *,
    means: ArrayLike | None = None,
    variances: ArrayLike | None = None,
    sizes: ArrayLike | None = None,
    columns: Sequence[str] | None = None,
    by: str | None = None,
    regime: str | Regime = "replace",
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
    regime
        What each round after round 0 was trained on, and will be: a regime or its name in the
        grammar of the command line, such as ``"fresh:0.05"``.
    ahead
        Number of rounds to forecast.
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
    like = Source("numbers")
    mixed = parse_regime(regime, like=like) if isinstance(regime, str) else regime
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
            regime=mixed,
            columns=columns,
        )
    else:
        for name, value in given.items():
            if value is not None:
                raise ArgumentError(name, got=value, takes="nothing beside rounds")
        record = read_number_rounds(
            rounds, columns=columns, by=by, regime=mixed, table=table, encoding=encoding
        )
    return fit_numbers(record, regime=mixed, ahead=number, seed=seed)


def fit_numbers(
    record: NumberRecord, *, regime: Regime = Replace(), ahead: int = 5, seed: int = 1
) -> NumbersFit:
    """Return the calibrated trainer of a record; parameters are those of `calibrate_numbers`."""
    transitions = NumberTransitions(record)
    found = posterior(transitions)
    middle, covariance = found.middle, found.covariance
    share, factor = np.exp(middle)
    estimates = {}
    for place, name in enumerate(("effective_share", "variance_factor")):
        value = math.exp(middle[place])
        error = value * math.sqrt(covariance[place, place])
        estimates[name] = NumberEstimate(value, error, *found.interval(place, LEVEL))
    rng = stream(seed, block=0)
    drawn = found.draw(rng, _RUNS)
    resampler = GaussianResampler(
        float(share), float(factor), tuple(map(tuple, covariance.tolist()))
    )
    return NumbersFit(
        record=record,
        resampler=resampler,
        parameters=estimates,
        diagnoses=diagnose_numbers(record, transitions, share, factor),
        forecast=_forecast(_Ahead.of(record, regime, ahead), drawn, np.exp(middle), rng),
        regime=regime,
        seed=seed,
    )


@dataclass(frozen=True, eq=False)
class _Ahead:
    """The last recorded round, and the sizes of the rounds ahead by column and round."""

    record: NumberRecord
    sizes: Floats
    fresh: Floats

    @classmethod
    def of(cls, record: NumberRecord, regime: Regime, ahead: int) -> _Ahead:
        first, last = record.rounds, record.sizes[:, -1:]
        sizes = np.array(
            [
                [regime.mix(k, samples=int(n)).samples for k in range(first, first + ahead)]
                for (n,) in last
            ]
        )
        fresh = fresh_numbers(regime, np.repeat(last, ahead, axis=1), first=first)
        return cls(record, sizes.astype(np.float64), fresh.astype(np.float64))

    def log_spreads(self, trainers: Floats, rng: np.random.Generator) -> Floats:
        """Return ln of the spread over that of round 0, shape ``(columns, ahead, runs)``.

        `trainers` are e and g of every run, shape ``(2, runs)``.
        """
        share, factor = trainers
        record, (columns, ahead) = self.record, self.sizes.shape
        shape = columns, share.size
        # In units of the real data.
        unit = record.variances[:, :1]
        mean = np.broadcast_to((record.means[:, -1:] - record.means[:, :1]) / np.sqrt(unit), shape)
        variance = np.broadcast_to(record.variances[:, -1:] / unit, shape)
        before = record.sizes[:, -1:].astype(np.float64)
        path = np.empty((columns, ahead, share.size))
        for place in range(ahead):
            n, m = self.sizes[:, place : place + 1], self.fresh[:, place : place + 1]
            q = n - m
            effective = effective_draws(np.maximum(q, 1.0), before, share)
            own = factor * variance
            moved = mean + np.sqrt(own / effective) * rng.standard_normal(shape)
            chi = rng.chisquare(effective - 1.0, shape) / (effective - 1.0)
            scatter = own * np.maximum(q - 1.0, 0.0) * chi
            if m.any():
                error = np.sqrt(np.divide(1.0, m, out=np.zeros_like(m), where=m > 0.0))
                fresh = error * rng.standard_normal(shape)
                degrees = np.broadcast_to(np.maximum(m - 1.0, 0.5), shape)
                chi = np.where(m > 1.0, rng.chisquare(degrees), 0.0)
                scatter = scatter + chi + q * m / n * (moved - fresh) ** 2
                moved = (q * moved + m * fresh) / n
            mean, variance, before = moved, np.clip(scatter / (n - 1.0), *_RANGE), n
            path[:, place] = 0.5 * np.log(variance)
        return path


def _forecast(
    ahead: _Ahead, drawn: Floats, middle: Floats, rng: np.random.Generator
) -> SpreadForecast:
    """Return the spread of the rounds ahead, for drawn parameters and for the middle ones."""
    runs, first = drawn.shape[1], ahead.record.rounds
    logs = ahead.log_spreads(drawn, rng)
    alone = ahead.log_spreads(np.repeat(middle[:, None], runs, axis=1), rng)
    ideal = ahead.log_spreads(np.ones((2, runs)), rng)
    low, share, high = np.exp(np.quantile(logs, _tails(LEVEL), axis=2))
    noise = alone.var(axis=2)
    parameter = np.maximum(logs.var(axis=2) - noise, 0.0)
    return SpreadForecast(
        rounds=np.arange(first, first + logs.shape[1]),
        share=share,
        low=low,
        high=high,
        parts={"parameter": np.sqrt(parameter), "noise": np.sqrt(noise)},
        ideal=np.exp(np.median(ideal, axis=2)),
    )


def _tails(level: float) -> tuple[float, float, float]:
    return 0.5 - level / 2.0, 0.5, 0.5 + level / 2.0
