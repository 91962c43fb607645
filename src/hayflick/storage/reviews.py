"""Answers that people check: drawn from rounds, decided one by one, and what the decisions are.

An answer is ``pending`` until someone decides it: ``accepted``, ``rejected`` or ``unsure``. A
decision stands until it is taken back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from hayflick.core.errors import ArgumentError
from hayflick.storage.changes import record_change
from hayflick.storage.service_tables import reviews, rounds, streams
from hayflick.storage.streams import StreamRow, streams_of

DECISIONS = ("accepted", "rejected", "unsure")
"""What an answer that was checked can be."""

STATES = ("pending", *DECISIONS)
"""What an answer of the queue can be."""


@dataclass(frozen=True, kw_only=True)
class StoredReview:
    """An answer to check as it is stored; see `hayflick.storage.service_tables.reviews`.

    `stream_name` and `round_name` are the names of its stream and its round.
    """

    id: int
    project: int
    stream: int
    stream_name: str
    round: int
    round_name: str
    key: str
    group: str
    prompt: str | None
    text: str
    size: int
    drawn: int
    state: str
    created: float
    decided: float | None
    decided_by: str | None


@dataclass(frozen=True, kw_only=True)
class ReviewedRound:
    """The decisions about the answers that were drawn from a round.

    Parameters
    ----------
    round, name
        Number and name of the round.
    size
        Number of answers that they were drawn from.
    states
        One of `STATES` per answer, in the order of the draw.
    """

    round: int
    name: str
    size: int
    states: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ReviewCounts:
    """How many answers of a stream are in each state."""

    stream: StreamRow
    pending: int = 0
    accepted: int = 0
    rejected: int = 0
    unsure: int = 0

    @property
    def decided(self) -> int:
        """Number of answers that were checked."""
        return self.accepted + self.rejected + self.unsure


def add_reviews(
    connection: sa.Connection,
    stream: StreamRow,
    round: int,  # noqa: A002
    drawn: Sequence[Mapping[str, Any]],
    size: int,
    *,
    now: float,
) -> int:
    """Put answers into the queue, and return how many are new there.

    Parameters
    ----------
    stream, round
        The stream, and the number of the round.
    drawn
        A random sample of the round's answers in the order of the draw: mappings with ``key`` and
        ``text``, and ``group`` and ``prompt`` where there are any.
    size
        Number of answers that it was drawn from.
    now
        The time.
    """
    keys = [str(one["key"]) for one in drawn]
    held = sa.select(reviews.c.key).where(reviews.c.stream == stream.id, reviews.c.key.in_(keys))
    known = set(connection.scalars(held))
    rows = [
        {
            "project": stream.project,
            "stream": stream.id,
            "round": round,
            "key": key,
            "group": one.get("group") or "",
            "prompt": one.get("prompt"),
            "text": one["text"],
            "size": size,
            "drawn": len(drawn),
            "created": now,
        }
        for key, one in zip(keys, drawn, strict=True)
        if key not in known
    ]
    if rows:
        connection.execute(sa.insert(reviews), rows)
        content = {"stream": stream.name, "round": round, "added": len(rows)}
        record_change(connection, stream.project, "review", content, now=now, stream=stream.id)
    return len(rows)


def reviews_of(
    connection: sa.Connection,
    project: int,
    *,
    state: str | None = None,
    stream: int | None = None,
    after: int = 0,
    most: int = 100,
) -> list[StoredReview]:
    """Return answers of the queue in the order in which they are to be checked.

    Parameters
    ----------
    project
        Number of the project.
    state
        One of `STATES`; None for all.
    stream
        Number of the stream; None for all.
    after
        Those with greater numbers. The last number of a page gives the next one.
    most
        How many at most.
    """
    query = _select().where(reviews.c.project == project, reviews.c.id > after)
    if state is not None:
        query = query.where(reviews.c.state == state)
    if stream is not None:
        query = query.where(reviews.c.stream == stream)
    rows = connection.execute(query.order_by(reviews.c.id).limit(most))
    return [StoredReview(**row._mapping) for row in rows]


def last_decisions(
    connection: sa.Connection, project: int, *, stream: int | None = None, most: int = 10
) -> list[StoredReview]:
    """Return the answers that were decided last, the latest first."""
    query = _select().where(reviews.c.project == project, reviews.c.decided.is_not(None))
    if stream is not None:
        query = query.where(reviews.c.stream == stream)
    order = (reviews.c.decided.desc(), reviews.c.id.desc())
    return [
        StoredReview(**row._mapping)
        for row in connection.execute(query.order_by(*order).limit(most))
    ]


def review_numbered(connection: sa.Connection, project: int, number: int) -> StoredReview | None:
    """Return an answer of the queue; None if there is no such one."""
    query = _select().where(reviews.c.project == project, reviews.c.id == number)
    row = connection.execute(query).first()
    return None if row is None else StoredReview(**row._mapping)


def decide_review(
    connection: sa.Connection, project: int, number: int, state: str, *, by: str, now: float
) -> StoredReview | None:
    """Store a decision, or take one back.

    What someone has decided stays: if two people decide the same answer, the first one counts.

    Parameters
    ----------
    project, number
        The project, and the answer's number in the queue.
    state
        One of `DECISIONS`; ``pending`` takes a decision back.
    by
        Name of the user or token.
    now
        The time.

    Returns
    -------
    StoredReview or None
        The answer as it is now, whose `state` is another one if somebody decided otherwise before;
        None if there is no such one.

    Raises
    ------
    ArgumentError
        If there is no such state.
    """
    if state not in STATES:
        raise ArgumentError("state", got=ascii(state)[:120], takes=f"one of {', '.join(STATES)}")
    wanted = [reviews.c.project == project, reviews.c.id == number]
    values: dict[str, Any] = {"state": state, "decided": now, "decided_by": by}
    if state == "pending":
        values |= {"decided": None, "decided_by": None}
        wanted.append(reviews.c.state != "pending")
    else:
        wanted.append(reviews.c.state == "pending")
    changed = connection.execute(sa.update(reviews).where(*wanted).values(values)).rowcount
    row = review_numbered(connection, project, number)
    if changed and row is not None:
        content = {"id": row.id, "stream": row.stream_name, "round": row.round, "state": state}
        record_change(connection, project, "review", content, now=now, stream=row.stream)
    return row


def undo_review(
    connection: sa.Connection, project: int, *, by: str, now: float, stream: int | None = None
) -> StoredReview | None:
    """Take back the last decision of a person, and return its answer; None if there is none.

    Parameters
    ----------
    project, stream
        The project, and the stream if only its decisions count.
    by
        Name of the user or token.
    now
        The time.
    """
    last = sa.select(reviews.c.id).where(reviews.c.project == project, reviews.c.decided_by == by)
    if stream is not None:
        last = last.where(reviews.c.stream == stream)
    order = (reviews.c.decided.desc(), reviews.c.id.desc())
    number = connection.scalar(last.order_by(*order).limit(1))
    if number is None:
        return None
    return decide_review(connection, project, number, "pending", by=by, now=now)


def review_counts(connection: sa.Connection, project: int) -> list[ReviewCounts]:
    """Return the numbers of answers by state, for every stream of a project that has any."""
    numbers = sa.select(reviews.c.stream, reviews.c.state, sa.func.count().label("number"))
    numbers = numbers.where(reviews.c.project == project)
    counted: dict[int, dict[str, int]] = {}
    for row in connection.execute(numbers.group_by(reviews.c.stream, reviews.c.state)):
        counted.setdefault(row.stream, {})[row.state] = row.number
    return [
        ReviewCounts(stream=stream, **counted[stream.id])
        for stream in streams_of(connection, project)
        if stream.id in counted
    ]


def reviewed_rounds(
    connection: sa.Connection, stream: int, *, most: int = 50
) -> list[ReviewedRound]:
    """Return the decisions about the last rounds of a stream in which anything was decided.

    Parameters
    ----------
    stream
        Number of the stream.
    most
        How many rounds at most; the last ones, in their order.
    """
    decided = (reviews.c.stream == stream, reviews.c.state != "pending")
    last = sa.select(reviews.c.round).where(*decided).distinct()
    numbers = list(connection.scalars(last.order_by(reviews.c.round.desc()).limit(most)))
    query = (
        sa.select(reviews.c.round, reviews.c.size, reviews.c.state, rounds.c.name)
        .join(rounds, _same_round(), isouter=True)
        .where(reviews.c.stream == stream, reviews.c.round.in_(numbers))
        .order_by(reviews.c.round, reviews.c.id)
    )
    found: dict[int, list[Any]] = {}
    for row in connection.execute(query):
        found.setdefault(row.round, []).append(row)
    return [
        ReviewedRound(
            round=number,
            name=rows[0].name or str(number),
            size=rows[0].size,
            states=tuple(row.state for row in rows),
        )
        for number, rows in found.items()
    ]


def _same_round() -> sa.ColumnElement[bool]:
    return sa.and_(rounds.c.stream == reviews.c.stream, rounds.c.number == reviews.c.round)


def _select() -> sa.Select[Any]:
    round_name = sa.func.coalesce(rounds.c.name, sa.cast(reviews.c.round, sa.Text))
    query = sa.select(
        *reviews.c, streams.c.name.label("stream_name"), round_name.label("round_name")
    )
    query = query.join(streams, streams.c.id == reviews.c.stream)
    return query.join(rounds, _same_round(), isouter=True)
