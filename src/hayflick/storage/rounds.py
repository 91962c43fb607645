"""The rounds of a stream: made as answers come, closed by the clock or when full, also sampled."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from hayflick.storage.database import Database
from hayflick.storage.service_tables import (
    answers,
    pack,
    parcels,
    round_samples,
    rounds,
    streams,
    unpack,
)

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


@dataclass(frozen=True, kw_only=True)
class RoundRow:
    """A round as it is stored; see `hayflick.storage.service_tables.rounds`."""

    stream: int
    number: int
    name: str
    begins: float | None = None
    ends: float | None = None
    due: float | None = None
    status: str = "open"
    answers: int = 0
    late: int = 0
    closed: float | None = None
    note: str | None = None

    @classmethod
    def of_number(cls, stream: int, number: int) -> RoundRow:
        """Return a new round of a number of answers."""
        return cls(stream=stream, number=number, name=str(number))


_COLUMNS = [rounds.c[field.name] for field in fields(RoundRow)]


def rounds_of(
    connection: sa.Connection,
    stream: int,
    *,
    after: int = 0,
    most: int | None = None,
    status: str | None = None,
) -> list[RoundRow]:
    """Return the rounds of a stream in order.

    Parameters
    ----------
    stream
        Number of the stream.
    after
        Only rounds behind this one.
    most
        So many at most; None for all.
    status
        Only those with this status; None for any.
    """
    query = sa.select(*_COLUMNS).where(rounds.c.stream == stream, rounds.c.number > after)
    if status is not None:
        query = query.where(rounds.c.status == status)
    found = connection.execute(query.order_by(rounds.c.number).limit(most))
    return [RoundRow(**row._mapping) for row in found]


def latest_rounds(connection: sa.Connection, stream: int, *, most: int) -> list[RoundRow]:
    """Return the last rounds of a stream, the latest first."""
    query = sa.select(*_COLUMNS).where(rounds.c.stream == stream)
    found = connection.execute(query.order_by(rounds.c.number.desc()).limit(most))
    return [RoundRow(**row._mapping) for row in found]


def round_numbered(connection: sa.Connection, stream: int, number: int) -> RoundRow | None:
    """Return a round; None if there is no such one."""
    query = sa.select(*_COLUMNS).where(rounds.c.stream == stream, rounds.c.number == number)
    row = connection.execute(query).first()
    return None if row is None else RoundRow(**row._mapping)


def add_rounds(connection: sa.Connection, made: Sequence[RoundRow]) -> None:
    """Store new rounds."""
    rows = [{name.name: getattr(one, name.name) for name in fields(RoundRow)} for one in made]
    if rows:
        connection.execute(sa.insert(rounds), rows)


def count_answers(
    connection: sa.Connection, stream: int, counted: Mapping[int, tuple[int, int]]
) -> None:
    """Add to the numbers of answers of rounds.

    Parameters
    ----------
    stream
        Number of the stream.
    counted
        Answers in time, and late ones, by the number of the round.
    """
    for number, (in_time, late) in counted.items():
        connection.execute(
            sa.update(rounds)
            .where(rounds.c.stream == stream, rounds.c.number == number)
            .values(answers=rounds.c.answers + in_time, late=rounds.c.late + late)
        )


def close_rounds(
    connection: sa.Connection, stream: int, numbers: Sequence[int], *, now: float
) -> None:
    """Close rounds: nothing goes in any more."""
    if not numbers:
        return
    connection.execute(
        sa.update(rounds)
        .where(rounds.c.stream == stream, rounds.c.number.in_(numbers), rounds.c.status == "open")
        .values(status="closed", closed=now)
    )


def add_to_stream(
    connection: sa.Connection,
    stream: int,
    *,
    open_round: int,
    open_answers: int,
    answers: int,
    late: int,
    now: float,
) -> None:
    """Store which round of a stream is open, and add to its numbers of answers."""
    connection.execute(
        sa.update(streams)
        .where(streams.c.id == stream)
        .values(
            open_round=open_round,
            open_answers=open_answers,
            answers=streams.c.answers + answers,
            late=streams.c.late + late,
            last_answer=now,
        )
    )


def round_names(connection: sa.Connection, stream: int, *, last: int) -> dict[int, str]:
    """Return the names of rounds by number, up to the last one."""
    query = sa.select(rounds.c.number, rounds.c.name)
    query = query.where(rounds.c.stream == stream, rounds.c.number <= last)
    return {row.number: row.name for row in connection.execute(query.order_by(rounds.c.number))}


def number_of_answers(connection: sa.Connection, stream: int, *, last: int) -> int:
    """Return how many answers came in time for the rounds of a stream, up to the last one."""
    query = sa.select(sa.func.sum(rounds.c.answers))
    these = rounds.c.stream == stream, rounds.c.number <= last
    return int(connection.scalar(query.where(*these)) or 0)


def due_rounds(connection: sa.Connection, *, now: float) -> list[int]:
    """Return the streams with a window that the clock closes now."""
    query = sa.select(rounds.c.stream).where(rounds.c.status == "open", rounds.c.due <= now)
    return sorted(connection.scalars(query.distinct()))


def close_due_rounds(connection: sa.Connection, stream: int, *, now: float) -> None:
    """Close the windows of a stream that the clock closes now."""
    connection.execute(
        sa.update(rounds)
        .where(rounds.c.stream == stream, rounds.c.status == "open", rounds.c.due <= now)
        .values(status="closed", closed=now)
    )


def close_later(connection: sa.Connection, stream: int, due: float, *, now: float) -> None:
    """Have the clock close later what it would close now."""
    connection.execute(
        sa.update(rounds)
        .where(rounds.c.stream == stream, rounds.c.status == "open", rounds.c.due <= now)
        .values(due=due)
    )


def unmeasured_streams(connection: sa.Connection) -> dict[int, list[int]]:
    """Return the streams with rounds that are closed and not yet measured, by project."""
    query = sa.select(streams.c.project, streams.c.id).distinct()
    query = query.join_from(rounds, streams, rounds.c.stream == streams.c.id)
    found: dict[int, list[int]] = {}
    for row in connection.execute(query.where(rounds.c.status == "closed").order_by(streams.c.id)):
        found.setdefault(row.project, []).append(row.id)
    return found


_LOCK = 0x6861796600000000
"""What the keys of advisory locks begin with; the number of the stream follows."""


@contextmanager
def measuring_lock(database: Database, stream: int) -> Iterator[bool]:
    """Hold a stream for measuring; yield whether no other process does.

    On SQLite there is one process.
    """
    if database.dialect != "postgresql":
        yield True
        return
    with database.connect() as connection:
        key = _LOCK + stream
        held = bool(connection.scalar(sa.select(sa.func.pg_try_advisory_lock(key))))
        connection.commit()
        try:
            yield held
        finally:
            if held:
                connection.execute(sa.select(sa.func.pg_advisory_unlock(key)))
                connection.commit()
