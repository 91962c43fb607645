"""The stored answers of a stream as `watch` takes them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
import sqlalchemy as sa

from hayflick.core.errors import DataError
from hayflick.core.reproducibility import stream as random_stream
from hayflick.corpus.answers import Answers
from hayflick.corpus.normalization import normalized_expression
from hayflick.monitor.measuring import VALUE
from hayflick.service.round_samples import most_measured, sampled
from hayflick.service.stream_settings import MOST_VALUES, StreamSettings
from hayflick.storage.readings import AnswerOfRound, answers_of_rounds, rows_of_round
from hayflick.storage.rounds import RoundRow

_VECTOR = np.dtype("<f4")


@dataclass(frozen=True)
class StreamColumns:
    """What the answers of a stream are measured by, which its baseline fixes.

    Parameters
    ----------
    text, vectors, group, prompt
        Whether answers have any.
    values
        Names of their numbers.
    dimensions
        Length of the vectors; 0 without any.
    """

    text: bool
    vectors: bool
    group: bool
    prompt: bool
    values: tuple[str, ...] = ()
    dimensions: int = 0

    @classmethod
    def of(
        cls, rows: Sequence[AnswerOfRound], settings: StreamSettings, *, kind: str
    ) -> StreamColumns:
        """Return what the answers of a baseline have.

        Parameters
        ----------
        rows
            The answers.
        settings
            Those of the stream; numbers are those that they name.
        kind
            What the stream's items hold; of values, all numbers are measured where the settings
            name none.

        Raises
        ------
        DataError
            If those are more than a stream may have.
        """
        values = settings.values
        if kind == "values" and not values:
            values = tuple(sorted({name for row in rows for name in _numbers(row)}))
            if len(values) > MOST_VALUES:
                takes = f"{MOST_VALUES}: make a stream whose settings name those to watch (values)"
                raise DataError(f"its items name {len(values):,} numbers, takes at most {takes}")
        vector = next((row.vector for row in rows if row.vector), b"")
        return cls(
            text=any(row.text is not None for row in rows),
            vectors=bool(vector),
            group=any(row.group for row in rows),
            prompt=any(row.prompt for row in rows),
            values=values,
            dimensions=len(vector) // _VECTOR.itemsize,
        )

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)

    @classmethod
    def of_record(cls, record: Any) -> StreamColumns:
        """Return what `record` returned."""
        return cls(**{**record, "values": tuple(record["values"])})


def answers_of(
    rows: Sequence[AnswerOfRound],
    columns: StreamColumns,
    *,
    name: str,
    labels: Sequence[str],
    first: int,
) -> Answers:
    """Return answers of rounds that follow one another; a row of a count stands for as many.

    Parameters
    ----------
    rows
        The answers, by round.
    columns
        What they are measured by.
    name
        Name of the stream.
    labels
        Names of the rounds.
    first
        Number of the first of them.
    """
    total = sum(row.weight for row in rows)
    cells: dict[str, Any] = {
        "round": pl.Series([row.round - first + 1 for row in rows], dtype=pl.Int64)
    }
    for has, role in ((columns.text, "text"), (columns.group, "group"), (columns.prompt, "prompt")):
        if has:
            cells[role] = pl.Series([getattr(row, role) for row in rows], dtype=pl.String)
    if columns.values:
        found = [_numbers(row) for row in rows]
        for value in columns.values:
            cells[VALUE + value] = pl.Series([one.get(value) for one in found], dtype=pl.Float64)
    frame = pl.DataFrame(cells).with_columns(
        normalized_expression(pl.col(role), "nfc") for role in cells if role in _LABELS
    )
    if columns.prompt:
        frame = frame.with_columns(_told_apart(frame["prompt"]))
    vectors = _vectors(rows, columns.dimensions) if columns.vectors else None
    if total != len(rows):
        places = np.repeat(np.arange(len(rows)), [row.weight for row in rows])
        frame = frame[places]
        vectors = None if vectors is None else vectors[places]
    return Answers(name, tuple(labels), frame.with_row_index("row", 1), vectors)


_LABELS = ("text", "group", "prompt")


def _told_apart(prompts: pl.Series) -> pl.Series:
    """Return prompts as hashes: they are only told apart, and a baseline would keep their text."""
    known = {
        one: hashlib.blake2b(one.encode(), digest_size=12).hexdigest() if one else one
        for one in prompts.unique()
        if one is not None
    }
    found = [None if one is None else known[one] for one in prompts]
    return pl.Series("prompt", found, dtype=pl.String)


def measured_answers(
    connection: sa.Connection, round_row: RoundRow, settings: StreamSettings
) -> list[AnswerOfRound]:
    """Return the answers of a round, or a random sample of them where there are very many.

    Parameters
    ----------
    connection
        For reading.
    round_row
        The round.
    settings
        Those of the stream.
    """
    most, answers = most_measured(settings), round_row.answers
    stream, number = round_row.stream, round_row.number
    if settings.capacity is not None:
        return sampled(answers_of_rounds(connection, stream, number), settings)
    if answers <= most:
        return answers_of_rounds(connection, stream, number)
    held = rows_of_round(connection, stream, number)
    rows = answers_of_rounds(connection, stream, number, share=most / max(most, held))
    weights = np.array([row.weight for row in rows])
    if weights.sum() <= most:
        return rows
    rng = random_stream(settings.seed, block=number)
    chosen = rng.multivariate_hypergeometric(weights, most, method="marginals")
    kept = zip(rows, chosen.tolist(), strict=True)
    return [row._replace(weight=weight) for row, weight in kept if weight]


def _numbers(row: AnswerOfRound) -> dict[str, float]:
    found: dict[str, float] = json.loads(row.numbers) if row.numbers else {}
    return found


def _vectors(rows: Sequence[AnswerOfRound], dimensions: int) -> np.ndarray[Any, Any]:
    vectors = np.full((len(rows), dimensions), np.nan, np.float32)
    for place, row in enumerate(rows):
        if row.vector and len(row.vector) == dimensions * _VECTOR.itemsize:
            vectors[place] = np.frombuffer(row.vector, _VECTOR)
    return vectors
