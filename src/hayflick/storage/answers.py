"""The answers of a stream as they came, each with its key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import sqlalchemy as sa

from hayflick.storage.service_tables import answers, readings

_SEPARATOR = "\x1f"
_MOST_TOGETHER = 5000
"""Keys in one question: databases bound the parameters of a statement."""


class AnswerRow(TypedDict):
    """An answer as it is stored; see `hayflick.storage.service_tables.answers`."""

    stream: int
    key: str
    digest: bytes
    round: int
    late: bool
    received: float
    at: float
    group: str | None
    prompt: str | None
    text: str | None
    vector: bytes | None
    numbers: str | None
    weight: int


def key_of_row(key: str, number: int) -> str:
    """Return the key of a row: an item of label counts has a row for every label.

    Parameters
    ----------
    key
        Key of the item, which holds no control character.
    number
        Place of the row in the item; the first has the item's own key.
    """
    return f"{key}{_SEPARATOR}{number}" if number else key


def has_key(key: str, column: sa.Column[str] = answers.c.key) -> sa.ColumnElement[bool]:
    """Return the condition that a row, whose key a column holds, is of the item with a key."""
    labels = f"{key}{_SEPARATOR}"
    # No comparison of order, which depends on the database's language.
    return sa.or_(column == key, sa.func.substr(column, 1, len(labels)) == labels)


def digests_of_keys(
    connection: sa.Connection, stream: int, keys: Sequence[str]
) -> dict[str, bytes]:
    """Return the digests of the answers that are stored under some keys, by key."""
    found: dict[str, bytes] = {}
    for first in range(0, len(keys), _MOST_TOGETHER):
        some = keys[first : first + _MOST_TOGETHER]
        query = sa.select(answers.c.key, answers.c.digest)
        rows = connection.execute(query.where(answers.c.stream == stream, answers.c.key.in_(some)))
        found.update((row.key, bytes(row.digest)) for row in rows)
    return found


def number_in_time(connection: sa.Connection, stream: int, number: int) -> int:
    """Return how many answers are stored that came in time for a round."""
    query = sa.select(sa.func.sum(answers.c.weight))
    these = (answers.c.stream == stream, answers.c.round == number, sa.not_(answers.c.late))
    return int(connection.scalar(query.where(*these)) or 0)


def add_answers(connection: sa.Connection, rows: Sequence[AnswerRow]) -> None:
    """Store answers."""
    if rows:
        connection.execute(sa.insert(answers), rows)


def recent_groups(connection: sa.Connection, stream: int, measured: int) -> frozenset[str]:
    """Return the groups of a stream: those of its readings, and of what is not measured yet.

    Parameters
    ----------
    stream
        Number of the stream.
    measured
        The last round that was measured.
    """
    of_readings = sa.select(readings.c.group).where(readings.c.stream == stream).distinct()
    later = sa.select(answers.c.group).where(
        answers.c.stream == stream, answers.c.round > measured, answers.c.group.is_not(None)
    )
    found = connection.scalars(of_readings.union(later))
    return frozenset(one for one in found if one)


def vector_bytes(connection: sa.Connection, stream: int) -> int | None:
    """Return the number of bytes of a stream's vectors; None if it has none."""
    query = sa.select(sa.func.length(answers.c.vector)).where(answers.c.stream == stream)
    return connection.scalar(query.limit(1))
