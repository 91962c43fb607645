r"""How much the numbers of a trial vary between answers and between rounds.

An answer's number is mean + round effect + residual. With the standard deviation σ of an answer
and the intra-round correlation ρ, the mean of a round of n answers has the variance

    σ² ρ + σ² (1 − ρ) / n  =  σ²/n · (1 + (n − 1) ρ).

The last factor is the design effect of cluster-randomised trials. A number that a round has
only one of, such as a spread, has no ρ.

One-way analysis of variance estimates both from measured values: σ_b² = (MSB − MSW) / n_0, not
below 0, with n_0 = (N − Σ n_i² / N) / (k − 1) for rounds of different sizes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import numpy as np
import polars as pl

from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import positive_number, share, whole_number
from hayflick.core.errors import DataError
from hayflick.core.source import Source
from hayflick.corpus.answer_columns import AnswerColumns
from hayflick.corpus.answer_rows import BadRows
from hayflick.corpus.answers import Answers, read_answers
from hayflick.corpus.json_lines import refuse_line
from hayflick.corpus.table_format import TableFormat


@dataclass(frozen=True, eq=False)
class PilotData:
    """Values of a trial with their rounds and arms.

    Parameters
    ----------
    name
        Name of the file.
    values
        Measured values, shape ``(rows,)``.
    rounds
        Number of the round, from 1, shape ``(rows,)``.
    arms
        Name of the arm, shape ``(rows,)``; empty without a column of arms.
    lines
        Line or row in the file, shape ``(rows,)``.
    bad
        Rows that were skipped.
    sources
        What was read.
    """

    name: str
    values: Floats
    rounds: Integers
    arms: tuple[str, ...]
    lines: Integers
    bad: BadRows = field(default_factory=BadRows)
    sources: tuple[Source, ...] = ()


def read_pilot_data(
    path: str | os.PathLike[str],
    *,
    arm_column: str | None = None,
    round_column: str = "round",
    value_column: str = "value",
    positive: bool = False,
    skip_bad: bool = False,
    encoding: str = "utf-8",
    normalize: str = "nfc",
    table: TableFormat | None = None,
) -> PilotData:
    """Read arms, rounds and values from a CSV, TSV, JSON lines, Parquet or xlsx file.

    Parameters
    ----------
    path
        The table.
    arm_column, round_column, value_column
        Its columns; None for no arms.
    positive
        Whether values must be above 0, for logarithms.
    skip_bad
        Whether rows that cannot be used are counted and skipped instead of refused.
    encoding, normalize, table
        How the table is read; see `hayflick.corpus.answers.read_answers`.

    Raises
    ------
    DataError
        If the file cannot be read, lacks a column, or a row cannot be used; its line is named.
    """
    columns = AnswerColumns(by=round_column, group=arm_column, values=(value_column,))
    answers = read_answers(
        path,
        columns=columns,
        skip_bad=skip_bad,
        encoding=encoding,
        normalize=normalize,
        table=table,
    )
    frame = answers.frame.rename({f"value {value_column}": "value"})
    wrong = {f"has nothing in the column {value_column!r}": pl.col("value").is_null()}
    if arm_column is None:
        frame = frame.with_columns(group=pl.lit(""))
    else:
        wrong[f"has nothing in the column {arm_column!r}, its arm"] = pl.col("group").is_null()
    if positive:
        takes = "takes a number above 0 for relative changes"
        reason = f"holds no number above 0 in the column {value_column!r}, {takes}"
        wrong[reason] = pl.col("value") <= 0.0
    for reason, condition in wrong.items():
        lines = frame.filter(condition)["row"].to_list()
        if lines and not skip_bad:
            raise refuse_line(Path(path), min(lines), reason)
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
        _sources(answers),
    )


def _sources(answers: Answers) -> tuple[Source, ...]:
    """Return the sources of readings, of which further rows were skipped since."""
    source, *others = answers.sources
    known = sum(one.number for one in source.left_out)
    more = answers.bad.total - known
    return (source.without("rows without a usable value or without an arm", more), *others)


class Scale(StrEnum):
    """Scales on which arms are compared."""

    ABSOLUTE = "absolute"
    RELATIVE = "relative"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """How much the numbers of a trial vary.

    Parameters
    ----------
    sd
        Standard deviation of an answer's number, or of a round's where `correlation` is None.
        On the relative scale it is that of the logarithm, so that 0.1 is about a tenth.
    correlation
        Intra-round correlation ρ, from 0 to 1; None where a round has one number.
    rounds
        Number of rounds that it was estimated from; None where it was stated.

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
        """Return the variance of a round's number; the limit of many answers for None."""
        if self.correlation is None:
            return self.sd**2
        own = 0.0 if answers is None else (1.0 - self.correlation) / answers
        return self.sd**2 * (self.correlation + own)

    def design_effect(self, answers: int) -> float:
        """Return the variance of a round relative to that of independent answers."""
        return 1.0 + (answers - 1) * (self.correlation or 0.0)


def round_means(values: Floats, rounds: Integers) -> tuple[Floats, Integers, Integers]:
    """Return the means of the rounds, the place of each value's round, and the rounds' sizes."""
    _, where, sizes = np.unique(rounds, return_inverse=True, return_counts=True)
    return np.bincount(where, weights=values) / sizes, where, sizes


def estimate_variation(
    values: Floats, *, rounds: Integers, scale: str = Scale.ABSOLUTE
) -> Variation:
    """Estimate the variation of values by one-way analysis of variance.

    Parameters
    ----------
    values, rounds
        Values and the round of each, shape ``(values,)``.
    scale
        On the ``relative`` one, a round's number is the logarithm of its mean.

    Raises
    ------
    DataError
        If there is only one round, or the values do not vary.

    Examples
    --------
    >>> values = np.array([1.0, 3.0, 4.0, 6.0])
    >>> found = estimate_variation(values, rounds=np.array([1, 1, 2, 2]))
    >>> round(found.sd**2, 6), round(found.correlation, 6)
    (5.5, 0.636364)
    """
    means, where, sizes = round_means(values, rounds)
    total, count = values.size, sizes.size
    if count < 2:
        raise DataError("baseline: has one round, takes at least 2 to see how rounds differ")
    if scale == Scale.RELATIVE or sizes.max() == 1:
        numbers = np.log(means) if scale == Scale.RELATIVE else means
        return Variation(sd=_above_zero(numbers.var(ddof=1)), rounds=count)
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
    normalize: str = "nfc",
    table: TableFormat | None = None,
) -> tuple[Variation, tuple[Source, ...]]:
    """Return the variation of a table with a row per answer or per round, and what was read.

    Raises
    ------
    DataError
        If the file cannot be used; a bad row is named by its line.
    """
    found = read_pilot_data(
        path,
        round_column=round_column,
        value_column=value_column,
        positive=scale == Scale.RELATIVE,
        encoding=encoding,
        normalize=normalize,
        table=table,
    )
    try:
        variation = estimate_variation(found.values, rounds=found.rounds, scale=scale)
    except DataError as fault:
        raise DataError(f"{Path(path)}: {fault}") from None
    return variation, tuple(replace(one, role="baseline") for one in found.sources)


def _above_zero(variance: float) -> float:
    if not variance > 0.0:
        raise DataError("baseline: its readings do not vary; there is nothing to plan with")
    return float(np.sqrt(variance))
