"""Recorded rounds of a trainer of numbers: means and variances of its training sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import LARGEST_SIZE
from hayflick.core.errors import ArgumentError, DataError, listed
from hayflick.core.fit_check import FitCheck
from hayflick.core.notes import Note, translatable
from hayflick.core.protocols import Regime
from hayflick.core.source import Source
from hayflick.laws.gaussian_scale import LARGEST_SAMPLE
from hayflick.laws.rounds import refuse_reactions
from hayflick.regimes.replace import Replace

FEWEST_ROUNDS = 3
"""Round 0 and two transitions."""

_UNEVEN = 1.5
_MOST_SKEWED = 100.0
_LARGEST_LEAP = float(np.log(1e12))


@dataclass(frozen=True, eq=False)
class NumberRecord:
    """Moments of the training sets of successive rounds, round 0 being the real data.

    Parameters
    ----------
    columns
        Names of the columns, or of recorded lines of the same trainer.
    means, variances
        Of the training sets, shape ``(columns, rounds)``; variances with divisor n - 1.
    sizes
        Numbers in each, of the same shape.
    fresh
        Numbers among those of each round after round 0 that were drawn from the real law anew,
        shape ``(columns, rounds - 1)``.
    kurtosis
        Excess kurtosis, shape ``(columns, rounds)``; None where only moments were recorded.
    sources
        What was read.
    notes
        What a reader should know of the record.
    checks
        Where the numbers of round 0 and of the last round do not look Gaussian.

    Raises
    ------
    DataError
        If there are fewer than three rounds, a round has fewer than two numbers, a column is
        constant in a round, or two successive rounds are the same.
    """

    columns: tuple[str, ...]
    means: Floats
    variances: Floats
    sizes: Integers
    fresh: Integers
    kurtosis: Floats | None = None
    sources: tuple[Source, ...] = ()
    notes: tuple[Note, ...] = ()
    checks: tuple[FitCheck, ...] = ()

    def __post_init__(self) -> None:
        rounds = self.means.shape[1]
        refuse_few(rounds)
        for row, name in enumerate(self.columns):
            self._check(row, name)

    def _check(self, row: int, name: str) -> None:
        sizes, variances, means = self.sizes[row], self.variances[row], self.means[row]
        small = np.flatnonzero(sizes < 2)
        if small.size:
            count = sizes[small[0]]
            raise DataError(f"{name}: round {small[0]} has {count} numbers, takes at least 2")
        known = np.isfinite(means) & np.isfinite(variances) & (np.abs(means) <= LARGEST_SIZE)
        known &= (variances >= 0.0) & (variances <= LARGEST_SIZE)
        if not known.all():
            wrong = int(np.flatnonzero(~known)[0])
            raise DataError(
                f"{name}: round {wrong} has mean {means[wrong]:g} and variance "
                f"{variances[wrong]:g}; takes finite numbers, and a variance of at least 0"
            )
        constant = np.flatnonzero(variances <= 1e-24 * np.maximum(means**2, 1e-276))
        if constant.size:
            raise DataError(
                f"{name}: is constant in round {constant[0]}: a variance of 0 has no factor to the "
                f"next one, so there is no reading; leave out that round and those after it"
            )
        logs = np.log(variances / variances[0])
        leaps = np.flatnonzero(np.abs(np.diff(logs, prepend=0.0)) > _LARGEST_LEAP)
        if leaps.size:
            raise DataError(
                f"{name}: the variance leaps from {variances[leaps[0] - 1]:.3g} to "
                f"{variances[leaps[0]]:.3g} in round {leaps[0]}; are both in the same unit?"
            )
        same = np.flatnonzero((np.diff(means) == 0.0) & (np.diff(variances) == 0.0))
        if same.size:
            raise DataError(
                f"{name}: rounds {same[0]} and {same[0] + 1} hold the same numbers; "
                f"check whether a file was given twice"
            )
        crowded = np.flatnonzero(self.fresh[row] >= sizes[1:])
        if crowded.size:
            place = crowded[0] + 1
            real = self.fresh[row, place - 1]
            raise DataError(
                f"{name}: round {place} has {sizes[place]:,} numbers, and {real:,} real ones were "
                f"said to be in it: nothing is left that the trainer made"
            )

    @property
    def rounds(self) -> int:
        """Number of rounds, round 0 included."""
        return int(self.means.shape[1])

    @property
    def transitions(self) -> int:
        """Number of pairs of successive rounds, over all columns."""
        return len(self.means) * (self.rounds - 1)

    @property
    def spread(self) -> Floats:
        """Standard deviation of every round, as a share of that of round 0."""
        spread: Floats = np.sqrt(self.variances / self.variances[:, :1])
        return spread

    def first(self, rounds: int) -> NumberRecord:
        """Return the first rounds alone."""
        kurtosis = None if self.kurtosis is None else self.kurtosis[:, :rounds]
        moments = (self.means[:, :rounds], self.variances[:, :rounds], self.sizes[:, :rounds])
        fresh = self.fresh[:, : rounds - 1]
        return NumberRecord(
            self.columns, *moments, fresh, kurtosis, self.sources, self.notes, self.checks
        )


def refuse_few(rounds: int) -> None:
    """Refuse records of fewer than two transitions.

    Raises
    ------
    DataError
        If there are fewer than three rounds.
    """
    if rounds < FEWEST_ROUNDS:
        raise DataError(
            f"rounds: got {rounds}, takes at least {FEWEST_ROUNDS} (the real data and two "
            f"rounds of the trainer): one step says nothing of how steps vary"
        )


def record_of_moments(
    means: ArrayLike,
    variances: ArrayLike,
    sizes: ArrayLike,
    *,
    regime: Regime = Replace(),
    columns: Sequence[str] | None = None,
    kurtosis: ArrayLike | None = None,
    **read: Any,
) -> NumberRecord:
    """Return the record of means and variances, one per round, or per line and round.

    Parameters
    ----------
    means, variances
        Shape ``(rounds,)``, or ``(lines, rounds)``; variances with divisor n - 1.
    sizes
        Numbers in a round: one for all, or of a shape that fits.
    regime
        What each round after round 0 was trained on.
    columns
        Names of the lines.
    kurtosis
        Excess kurtosis, of the shape of `means`.
    read
        Further parameters of `NumberRecord`: ``sources``, ``notes``, ``checks``.

    Raises
    ------
    ArgumentError
        If shapes do not fit, or something is no number.
    DataError
        As `NumberRecord`.

    Examples
    --------
    >>> record_of_moments([0.0, 0.1, 0.1], [1.0, 0.9, 0.95], 100).spread.round(2).tolist()
    [[1.0, 0.95, 0.97]]
    """
    table = _rows("means", means)
    scatter = _fitting("variances", variances, table)
    counts = _fitting("sizes", sizes, table)
    if not ((counts == np.floor(counts)) & (counts >= 0.0) & (counts <= LARGEST_SAMPLE)).all():
        takes = f"whole numbers from 2 to {LARGEST_SAMPLE:,}"
        raise ArgumentError("sizes", got=sizes, takes=takes)
    names = tuple(columns or _numbered(len(table)))
    if len(names) != len(table):
        raise ArgumentError("columns", got=len(names), takes=f"{len(table)} names")
    real = fresh_numbers(regime, counts[:, 1:].astype(np.int64))
    fourth = None if kurtosis is None else _fitting("kurtosis", kurtosis, table)
    record = NumberRecord(names, table, scatter, counts.astype(np.int64), real, fourth, **read)
    notes = (*record.notes, *_notes(record))
    return NumberRecord(**{**vars(record), "notes": notes})


def _numbered(lines: int) -> list[str]:
    return ["numbers"] if lines == 1 else [f"line {number}" for number in range(1, lines + 1)]


def _rows(name: str, values: ArrayLike) -> Floats:
    takes = "numbers by round, or by line and round"
    try:
        table = np.atleast_2d(np.asarray(values, dtype=np.float64))
    except (TypeError, ValueError):
        raise ArgumentError(name, got=values, takes=takes) from None
    if table.ndim != 2 or table.size == 0:
        raise ArgumentError(name, got=f"shape {table.shape}", takes=takes)
    return table


def _fitting(name: str, values: ArrayLike, table: Floats) -> Floats:
    given = _rows(name, values)
    try:
        return np.broadcast_to(given, table.shape).astype(np.float64)
    except ValueError:
        takes = f"as many as there are means, shape {table.shape}"
        raise ArgumentError(name, got=f"shape {given.shape}", takes=takes) from None


def fresh_numbers(regime: Regime, sizes: Integers, *, first: int = 1) -> Integers:
    """Return the fresh real numbers among those of rounds, shape ``(columns, rounds)``.

    Parameters
    ----------
    regime
        What they are trained on.
    sizes
        Numbers in each, of the same shape.
    first
        Number of the first of these rounds.

    Raises
    ------
    ArgumentError
        If rounds of the regime are not known beforehand, keep what came before, or hold stored
        numbers.
    """
    refuse_reactions(regime)
    fresh = np.zeros(sizes.shape, np.int64)
    for (row, place), size in np.ndenumerate(sizes):
        mix = regime.mix(first + place, samples=int(size))
        if mix.accumulate or mix.reserve is not None:
            takes = "replace, fresh, periodic or scheduled for numbers"
            raise ArgumentError("regime", got=regime.describe(), takes=takes)
        fresh[row, place] = mix.fresh
    return fresh


def _notes(record: NumberRecord) -> list[Note]:
    """Return what is odd about a record, though it can be used."""
    notes = []
    sizes = record.sizes
    if (sizes.max(axis=1) > _UNEVEN * sizes.min(axis=1)).any():
        message = translatable(
            "the rounds have very different sizes ({smallest} to {largest} numbers)"
        )
        ends = {"smallest": f"{sizes.min():,}", "largest": f"{sizes.max():,}"}
        notes.append(Note(message, **ends))
    steps = np.abs(np.diff(np.log(record.variances), axis=1)) > np.log(_MOST_SKEWED)
    jumps = [record.columns[row] for row in np.flatnonzero(steps.any(axis=1))]
    if jumps:
        message = translatable(
            "the variance of {columns} changes a hundredfold in one round: another unit?"
        )
        notes.append(Note(message, columns=listed(jumps)))
    return notes
