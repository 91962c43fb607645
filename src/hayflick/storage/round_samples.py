"""What is kept of rounds of which a sample is stored, and which parcels of answers were taken."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from hayflick.storage.service_tables import answers, pack, parcels, round_samples, unpack

REQUEST_BYTES = 16
"""Length of the hash of a request; those of files are longer."""

_TOGETHER = 1000
"""Rows in one statement: databases bound its parameters."""


def sample_record(connection: sa.Connection, stream: int, number: int) -> Any | None:
    """Return what is kept of the sample of a round; None for nothing."""
    query = sa.select(round_samples.c.content).where(*_these(stream, number))
    content = connection.scalar(query)
    return None if content is None else unpack(content)


def save_sample(connection: sa.Connection, stream: int, number: int, record: Any) -> None:
    """Keep a record of the sample of a round, in place of the one that there is.

    Parameters
    ----------
    connection
        In a transaction for writing that holds the row of the stream.
    stream, number
        The round.
    record
        Plain values.
    """
    content = pack(record)
    kept = sa.update(round_samples).where(*_these(stream, number)).values(content=content)
    if not connection.execute(kept).rowcount:
        row = {"stream": stream, "round": number, "content": content}
        connection.execute(sa.insert(round_samples).values(**row))


def drop_samples(connection: sa.Connection, stream: int, first: int, last: int) -> None:
    """Forget what is kept of the samples of rounds, both included."""
    these = round_samples.c.stream == stream, round_samples.c.round.between(first, last)
    connection.execute(sa.delete(round_samples).where(*these))


def keys_of_round(connection: sa.Connection, stream: int, number: int) -> list[tuple[int, str]]:
    """Return the numbers and keys of the answers of a round that came in time."""
    query = sa.select(answers.c.id, answers.c.key).where(
        answers.c.stream == stream, answers.c.round == number, sa.not_(answers.c.late)
    )
    return [(row.id, row.key) for row in connection.execute(query)]


def drop_answers(connection: sa.Connection, numbers: Sequence[int]) -> None:
    """Remove answers of rounds that are not measured yet."""
    for first in range(0, len(numbers), _TOGETHER):
        some = numbers[first : first + _TOGETHER]
        connection.execute(sa.delete(answers).where(answers.c.id.in_(some)))


def known_parcels(
    connection: sa.Connection, stream: int, digests: Collection[bytes]
) -> frozenset[bytes]:
    """Return those of some parcels that a stream has taken, by their hashes."""
    query = sa.select(parcels.c.digest).where(
        parcels.c.stream == stream, parcels.c.digest.in_(digests)
    )
    return frozenset(map(bytes, connection.scalars(query)))


def add_parcels(
    connection: sa.Connection, stream: int, digests: Collection[bytes], *, now: float
) -> None:
    """Store that a stream has taken parcels: they are taken once."""
    rows = [{"stream": stream, "digest": one, "received": now} for one in digests]
    if rows:
        connection.execute(sa.insert(parcels), rows)


def forget_parcels(
    connection: sa.Connection, stream: int, *, requests: float, files: float, most: int
) -> int:
    """Forget some parcels that were taken long ago, and return how many.

    Parameters
    ----------
    stream
        Number of the stream.
    requests, files
        Times before which requests, and files, were taken that are forgotten.
    most
        So many at most.
    """
    is_request = sa.func.length(parcels.c.digest) == REQUEST_BYTES
    limit = sa.case((is_request, requests), else_=files)
    old = sa.select(parcels.c.digest).where(parcels.c.stream == stream, parcels.c.received < limit)
    these = sa.delete(parcels).where(
        parcels.c.stream == stream, parcels.c.digest.in_(old.limit(most).scalar_subquery())
    )
    return connection.execute(these).rowcount


def _these(stream: int, number: int) -> tuple[sa.ColumnElement[bool], ...]:
    return round_samples.c.stream == stream, round_samples.c.round == number
