"""Numbers from a table: which arm and round each belongs to, and what is wrong with a row."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from hayflick.core.arrays import Floats, Integers
from hayflick.core.errors import DataError
from hayflick.corpus.answer_columns import AnswerColumns
from hayflick.corpus.answer_rows import BadRows
from hayflick.corpus.answers import Answers, read_answers
from hayflick.corpus.json_lines import refuse_line


@dataclass(frozen=True, eq=False)
class Readings:
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


def read_readings(
    path: str | os.PathLike[str],
    *,
    arm_column: str | None = None,
    round_column: str = "round",
    value_column: str = "value",
    positive: bool = False,
    skip_bad: bool = False,
    encoding: str = "utf-8",
) -> Readings:
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
) -> Readings:
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
    return Readings(
        answers.name,
        frame["value"].to_numpy().astype(np.float64),
        frame["round"].to_numpy(),
        tuple(frame["group"].to_list()),
        frame["row"].to_numpy(),
        answers.bad,
    )
