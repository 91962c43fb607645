"""Random answers for a person to check: a stratified sample, the same for the same seed.

Group g has N_g answers, of which k_g are drawn without replacement; each stands for N_g / k_g
answers, its inclusion weight. The order of the sample is random within each group and even
across groups, so that whatever was checked from its beginning is a random sample too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import polars as pl

from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import whole_number
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.seeding import stream
from hayflick.corpus.answers import Answers

ALL = ""
"""Name of the only stratum where answers are drawn from all of them."""


class Allocation(StrEnum):
    """How a sample is divided among groups."""

    PROPORTIONAL = "proportional"
    EQUAL = "equal"


@dataclass(frozen=True, slots=True)
class Drawn:
    """An answer that a person is to check.

    Parameters
    ----------
    position
        Its place in the order of checking, from 1.
    id
        Line or row of the answer in its file, from 1.
    round, group, prompt, answer
        What it is; empty where there is no such column.
    stratum
        Of which group it was drawn; empty where all answers were one.
    population
        How many answers that group has, N_g.
    weight
        How many answers it stands for, N_g / k_g.
    """

    position: int
    id: int
    round: str
    group: str
    prompt: str
    answer: str
    stratum: str
    population: int
    weight: float


@dataclass(frozen=True, eq=False)
class Sample:
    """Answers that were drawn.

    Parameters
    ----------
    source
        Name of their file.
    seed, allocation
        How they were drawn.
    drawn
        The answers, in the order of checking.
    """

    source: str
    seed: int
    allocation: Allocation
    drawn: tuple[Drawn, ...]

    @property
    def strata(self) -> dict[str, int]:
        """Answers that there are, by stratum."""
        return {one.stratum: one.population for one in self.drawn}


def draw_answers(
    answers: Answers, *, number: int, seed: int, allocation: str = Allocation.PROPORTIONAL
) -> Sample:
    """Draw random answers, each group at least one where `number` allows it.

    Where there are more groups than answers to draw, they are drawn from all as one.

    Parameters
    ----------
    answers
        What there is; rows without a text are passed over.
    number
        How many to draw, at most as many as there are.
    seed
        Of the draw.
    allocation
        ``proportional`` to what the groups have, or ``equal`` as far as they have enough.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.
    DataError
        If the answers have no text.

    Examples
    --------
    >>> talk = {"round": [1] * 8, "text": list("abcdefgh"), "group": list("xxxxxxyy")}
    >>> frame = pl.DataFrame({"row": range(1, 9), **talk})
    >>> sample = draw_answers(Answers("talk.jsonl", ("1",), frame), number=4, seed=7)
    >>> [(one.group, one.weight) for one in sample.drawn]
    [('x', 2.0), ('y', 2.0), ('x', 2.0), ('x', 2.0)]
    """
    if allocation not in tuple(Allocation):
        takes = f"one of {', '.join(Allocation)}"
        raise ArgumentError("allocation", got=allocation, takes=takes)
    frame = _with_text(answers)
    number = whole_number("number", number, at_least=1, at_most=frame.height)
    groups = _strata(frame, number)
    sizes = np.array([len(rows) for rows in groups.values()])
    shares = sizes / sizes.sum() if allocation == Allocation.PROPORTIONAL else np.ones(sizes.size)
    parts = allocated(number, sizes=sizes, shares=shares)
    picks = _picked(list(groups.items()), parts, seed)
    names = answers.rounds
    drawn = [
        _drawn(place, frame.row(row, named=True), names, stratum, len(groups[stratum]), weight)
        for place, (row, stratum, weight) in enumerate(picks, start=1)
    ]
    return Sample(answers.name, seed, Allocation(allocation), tuple(drawn))


def allocated(number: int, *, sizes: Integers, shares: Floats) -> Integers:
    """Return how many of each group are drawn: one each, then as Sainte-Laguë divides seats.

    Parameters
    ----------
    number
        In all; at least one per group, and at most all there are.
    sizes, shares
        What the groups have, and what they should get of the sample, shape ``(groups,)``.

    Examples
    --------
    >>> allocated(10, sizes=np.array([90, 9, 1]), shares=np.array([0.9, 0.09, 0.01])).tolist()
    [8, 1, 1]
    """
    parts = np.ones(sizes.size, dtype=np.int64)
    for _ in range(number - sizes.size):
        claims = np.where(parts < sizes, shares / (2 * parts + 1), -1.0)
        parts[int(np.argmax(claims))] += 1
    return parts


def _with_text(answers: Answers) -> pl.DataFrame:
    if "text" not in answers.frame.columns:
        raise DataError(f"{answers.name}: was read without a text; name its column")
    frame = answers.frame.filter(pl.col("text").is_not_null())
    if frame.is_empty():
        raise DataError(f"{answers.name}: holds no answer with a text")
    return frame


def _strata(frame: pl.DataFrame, number: int) -> dict[str, list[int]]:
    """Return the rows of each group, by name in alphabetical order."""
    if "group" not in frame.columns:
        return {ALL: list(range(frame.height))}
    names = frame["group"].fill_null(ALL)
    groups: dict[str, list[int]] = {name: [] for name in sorted(names.unique())}
    if len(groups) > number:
        return {ALL: list(range(frame.height))}
    for row, name in enumerate(names):
        groups[name].append(row)
    return groups


def _picked(
    groups: Sequence[tuple[str, Sequence[int]]], parts: Integers, seed: int
) -> list[tuple[int, str, float]]:
    """Return row, stratum and weight of what is drawn, in the order of checking."""
    rng = stream(seed, block=0)
    found: list[tuple[float, int, str, float]] = []
    for (name, rows), part in zip(groups, parts, strict=True):
        chosen = rng.permutation(len(rows))[:part]
        start = rng.random()
        for place, row in enumerate(chosen):
            found.append(((place + start) / part, rows[row], name, len(rows) / int(part)))
    return [(row, name, weight) for _, row, name, weight in sorted(found)]


def _drawn(
    position: int,
    row: dict[str, Any],
    rounds: Sequence[str],
    stratum: str,
    population: int,
    weight: float,
) -> Drawn:
    return Drawn(
        position=position,
        id=row["row"],
        round=rounds[row["round"] - 1],
        group=row.get("group") or "",
        prompt=row.get("prompt") or "",
        answer=row["text"],
        stratum=stratum,
        population=population,
        weight=weight,
    )
