r"""How much the numbers of a trial vary: between answers, and between rounds.

An answer's number is mean + (round effect) + (own deviation). With standard deviation σ of an
answer and intra-round correlation ρ, the mean of a round of n answers has the variance

    σ² ρ + σ² (1 − ρ) / n  =  σ²/n · (1 + (n − 1) ρ),

the last factor being the design effect of cluster-randomised trials. A number that a round has
only one of, such as a spread, has no ρ.

From readings, one-way analysis of variance estimates both: σ_b² = (MSB − MSW) / n_0, not below
0, with n_0 = (N − Σ n_i² / N) / (k − 1) for rounds of different sizes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np
import polars as pl

from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import positive_number, share, whole_number
from hayflick.core.errors import ArgumentError, DataError
from hayflick.corpus.answers import (
    AnswerColumns,
    Answers,
    BadRows,
    read_answers,
)
from hayflick.corpus.tables import refuse_line


@dataclass(frozen=True, eq=False)
class PilotData:
    """Numbers with their rounds and arms.

    Parameters
    ----------
    name
        Of the file.
    values
        Shape ``(rows,)``.
    rounds
        Round of each, from 1, shape ``(rows,)``.
    arms
        Arm of each, shape ``(rows,)``; empty texts without a column of arms.
    lines
        Line or row of each in the file.
    bad
        Rows that were passed over.
    """

    name: str
    values: Floats
    rounds: Integers
    arms: tuple[str, ...]
    lines: Integers
    bad: BadRows = field(default_factory=BadRows)


def read_pilot_data(
    path: str | os.PathLike[str],
    *,
    arm_column: str | None = None,
    round_column: str = "round",
    value_column: str = "value",
    positive: bool = False,
    skip_bad: bool = False,
    encoding: str = "utf-8",
) -> PilotData:
    """Read arms, rounds and numbers from a CSV, TSV, JSON lines, Parquet or xlsx file.

    Parameters
    ----------
    path
        The table.
    arm_column, round_column, value_column
        Its columns; None for no arms.
    positive
        Whether numbers must be above 0, as their logarithms are to be taken.
    skip_bad
        Whether rows that cannot be used are counted and passed over instead of refused.
    encoding
        Of CSV, TSV and JSON lines.

    Raises
    ------
    DataError
        If the file cannot be read, lacks a column, or a row cannot be used: its line is named.
    """
    columns = AnswerColumns(by=round_column, group=arm_column, values=(value_column,))
    answers = read_answers(path, columns=columns, skip_bad=skip_bad, encoding=encoding)
    return _usable(Path(path), answers, columns, positive=positive, skip_bad=skip_bad)


def _usable(
    path: Path, answers: Answers, columns: AnswerColumns, *, positive: bool, skip_bad: bool
) -> PilotData:
    """Return the rows that have a number, and an arm where there are arms."""
    value, arm = columns.values[0], columns.group
    named = answers.frame.rename({f"value {value}": "value"})
    frame = named if arm is not None else named.with_columns(group=pl.lit(""))
    wrong = {f"has nothing in the column {value!r}": pl.col("value").is_null()}
    if arm is not None:
        wrong[f"has nothing in the column {arm!r}, its arm"] = pl.col("group").is_null()
    if positive:
        takes = "takes a number above 0 for relative changes"
        wrong[f"holds no number above 0 in the column {value!r}, {takes}"] = pl.col("value") <= 0.0
    for reason, condition in wrong.items():
        lines = frame.filter(condition)["row"].to_list()
        if lines and not skip_bad:
            raise refuse_line(path, min(lines), reason)
        for line in lines:
            answers.bad.add(line, reason)
        frame = frame.filter(~condition)
    if frame.is_empty():
        raise DataError(f"{path}: holds no row that can be used; {answers.bad.total} were bad")
    return PilotData(
        answers.name,
        frame["value"].to_numpy().astype(np.float64),
        frame["round"].to_numpy(),
        tuple(frame["group"].to_list()),
        frame["row"].to_numpy(),
        answers.bad,
    )


class Scale(StrEnum):
    """How arms are compared."""

    ABSOLUTE = "absolute"
    RELATIVE = "relative"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """How much the numbers of a trial vary.

    Parameters
    ----------
    sd
        Standard deviation of an answer's number, or of a round's where `correlation` is None;
        on the relative scale of its logarithm, so that 0.1 is about a tenth.
    correlation
        Intra-round correlation ρ, from 0 to 1; None where a round has one number.
    rounds
        How many rounds of readings that was estimated from; None where it was stated.

    Raises
    ------
    ArgumentError
        If a number is out of its range.

    Examples
    --------
    >>> answers = Variation(sd=0.5, correlation=0.02)
    >>> round(answers.of_round(100), 6), answers.design_effect(100)
    (0.00745, 2.98)
    >>> Variation(sd=0.5).of_round(None)
    0.25
    """

    sd: float
    correlation: float | None = None
    rounds: int | None = None

    def __post_init__(self) -> None:
        positive_number("sd", self.sd)
        if self.correlation is not None:
            share("correlation", self.correlation)
        if self.rounds is not None:
            whole_number("rounds", self.rounds, at_least=2)

    def of_round(self, answers: int | None) -> float:
        """Return the variance of a round's number; with endless answers for None."""
        if self.correlation is None:
            return self.sd**2
        own = 0.0 if answers is None else (1.0 - self.correlation) / answers
        return self.sd**2 * (self.correlation + own)

    def design_effect(self, answers: int) -> float:
        """Return how much larger a round's variance is than that of independent answers."""
        return 1.0 + (answers - 1) * (self.correlation or 0.0)


def estimate_variation(
    values: Floats, *, rounds: Integers, scale: str = Scale.ABSOLUTE
) -> Variation:
    """Return the variation of readings.

    Parameters
    ----------
    values, rounds
        Numbers, and the round of each, shape ``(readings,)``.
    scale
        On the ``relative`` one, a round's number is the logarithm of its mean.

    Raises
    ------
    DataError
        If there is one round only, or nothing varies.

    Examples
    --------
    >>> readings = np.array([1.0, 3.0, 4.0, 6.0])
    >>> found = estimate_variation(readings, rounds=np.array([1, 1, 2, 2]))
    >>> round(found.sd**2, 6), round(found.correlation, 6)
    (5.5, 0.636364)
    """
    _, where, sizes = np.unique(rounds, return_inverse=True, return_counts=True)
    if sizes.size < 2:
        raise DataError("baseline: has one round, takes at least 2 to see how rounds differ")
    means = np.bincount(where, weights=values) / sizes
    if scale == Scale.RELATIVE or sizes.max() == 1:
        numbers = np.log(means) if scale == Scale.RELATIVE else means
        return Variation(sd=_above_zero(numbers.var(ddof=1)), rounds=sizes.size)
    total, count = values.size, sizes.size
    within = ((values - means[where]) ** 2).sum() / (total - count)
    between = (sizes * (means - values.mean()) ** 2).sum() / (count - 1)
    typical = (total - (sizes**2).sum() / total) / (count - 1)
    of_rounds = max(0.0, float(between - within) / typical)
    sd = _above_zero(of_rounds + within)
    return Variation(sd=sd, correlation=float(of_rounds / sd**2), rounds=count)


def read_variation(
    path: str | os.PathLike[str],
    *,
    scale: str = Scale.ABSOLUTE,
    round_column: str = "round",
    value_column: str = "value",
    encoding: str = "utf-8",
) -> Variation:
    """Return the variation of readings in a table, with one row per answer or per round.

    Raises
    ------
    DataError
        If the file cannot be used; rows are named by their line.
    """
    found = read_pilot_data(
        path,
        round_column=round_column,
        value_column=value_column,
        positive=scale == Scale.RELATIVE,
        encoding=encoding,
    )
    try:
        return estimate_variation(found.values, rounds=found.rounds, scale=scale)
    except DataError as fault:
        raise DataError(f"{Path(path)}: {fault}") from None


def stated_variation(sd: float, *, correlation: float | None, scale: str) -> Variation:
    """Return a variation that was stated.

    Raises
    ------
    ArgumentError
        If a number is out of its range, or there is a correlation on the relative scale.
    """
    if scale == Scale.RELATIVE and correlation is not None:
        takes = "none on the relative scale, where a round has one number"
        raise ArgumentError("correlation", got=correlation, takes=takes)
    return Variation(sd=sd, correlation=correlation)


def _above_zero(variance: float) -> float:
    if not variance > 0.0:
        raise DataError("baseline: its readings do not vary; there is nothing to plan with")
    return float(np.sqrt(variance))
