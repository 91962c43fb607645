"""What is sent to the targets of alerts: messages that wait, were sent, or were given up."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from hayflick.storage.service_tables import deliveries, targets
from hayflick.storage.targets import targets_of

EVERY_KIND = ("apprise", "webhook")
"""Kinds of targets."""

_LONGEST_ERROR = 500


@dataclass(frozen=True, kw_only=True)
class DeliveryRow:
    """A message as it is stored; see `hayflick.storage.service_tables.deliveries`.

    `content` is the message itself: a mapping that is ready for JSON.
    """

    id: int
    target: int
    kind: str
    subject: int | None
    content: Mapping[str, Any]
    state: str
    attempts: int
    created: float
    next_attempt: float
    error: str | None


_COLUMNS = list(deliveries.c)


def _row(row: sa.Row[Any]) -> DeliveryRow:
    record = dict(row._mapping)
    return DeliveryRow(**{**record, "content": json.loads(record["content"])})


def add_deliveries(
    connection: sa.Connection,
    project: int,
    kind: str,
    *,
    subject: int,
    content: Mapping[str, Any],
    now: float,
    to: Collection[str] = EVERY_KIND,
) -> int:
    """Have a message sent to every enabled target of a project; return their number.

    Parameters
    ----------
    project
        Number of the project.
    kind
        ``alarm``, ``cleared``, ``silent`` or ``action``.
    subject
        Number of the alert or action that it is about.
    content
        The message, ready for JSON.
    now
        The time.
    to
        Kinds of the targets.
    """
    rows = [
        {
            "target": target.id,
            "kind": kind,
            "subject": subject,
            "content": json.dumps(dict(content)),
            "created": now,
            "next_attempt": now,
        }
        for target in targets_of(connection, project, enabled_only=True)
        if target.kind in to
    ]
    if rows:
        connection.execute(sa.insert(deliveries), rows)
    return len(rows)


def record_test(
    connection: sa.Connection,
    target: int,
    *,
    content: Mapping[str, Any],
    error: str | None,
    now: float,
) -> None:
    """Store that a test message was sent to a target, or why it was not."""
    row = {
        "target": target,
        "kind": "test",
        "content": json.dumps(dict(content)),
        "state": "sent" if error is None else "given up",
        "attempts": 1,
        "created": now,
        "next_attempt": now,
        "error": error and error[:_LONGEST_ERROR],
    }
    connection.execute(sa.insert(deliveries).values(row))


def deliveries_of(
    connection: sa.Connection,
    project: int,
    *,
    target: int | None = None,
    before: int | None = None,
    most: int = 100,
) -> list[DeliveryRow]:
    """Return messages of a project, the newest first.

    Parameters
    ----------
    project
        Number of the project.
    target
        Number of the target; None for all.
    before
        Those with smaller numbers; None for all.
    most
        How many at most.
    """
    query = sa.select(*_COLUMNS).join(targets, targets.c.id == deliveries.c.target)
    query = query.where(targets.c.project == project)
    if target is not None:
        query = query.where(deliveries.c.target == target)
    if before is not None:
        query = query.where(deliveries.c.id < before)
    return [
        _row(row) for row in connection.execute(query.order_by(deliveries.c.id.desc()).limit(most))
    ]


def targets_due(connection: sa.Connection, *, now: float) -> list[int]:
    """Return the numbers of the targets whose oldest waiting message is due.

    The messages of a target are sent in their order: while one waits to be tried again, so do
    those behind it.
    """
    oldest = (
        sa.select(sa.func.min(deliveries.c.id))
        .join(targets, targets.c.id == deliveries.c.target)
        .where(deliveries.c.state == "waiting", targets.c.enabled)
        .group_by(deliveries.c.target)
    )
    query = sa.select(deliveries.c.target).where(
        deliveries.c.id.in_(oldest), deliveries.c.next_attempt <= now
    )
    return list(connection.scalars(query.order_by(deliveries.c.id)))


def claim_deliveries(
    connection: sa.Connection, target: int, *, now: float, until: float, most: int
) -> list[DeliveryRow]:
    """Return messages of a target that the caller is to send now, the oldest first.

    No other process gets them, or later ones of the target, before a time, when the caller is
    taken to have ended.

    Parameters
    ----------
    target
        Number of the target.
    now
        The time.
    until
        When others may try.
    most
        How many are wanted.
    """
    waiting = deliveries.c.target == target, deliveries.c.state == "waiting"
    oldest = connection.scalar(sa.select(sa.func.min(deliveries.c.id)).where(*waiting))
    if oldest is None or not _claimed(connection, oldest, now=now, until=until):
        return []
    query = sa.select(*_COLUMNS).where(*waiting).order_by(deliveries.c.id).limit(most)
    rows = [_row(row) for row in connection.execute(query)]
    numbers = [row.id for row in rows]
    connection.execute(
        sa.update(deliveries).where(deliveries.c.id.in_(numbers)).values(next_attempt=until)
    )
    return rows


def _claimed(connection: sa.Connection, number: int, *, now: float, until: float) -> bool:
    # Of two transactions the second one waits for the first, and then finds it not due.
    update = sa.update(deliveries).where(
        deliveries.c.id == number, deliveries.c.state == "waiting", deliveries.c.next_attempt <= now
    )
    return connection.execute(update.values(next_attempt=until)).rowcount == 1


def record_sent(connection: sa.Connection, numbers: Sequence[int]) -> None:
    """Store that messages were sent."""
    update = sa.update(deliveries).where(deliveries.c.id.in_(numbers))
    attempts = deliveries.c.attempts + 1
    connection.execute(update.values(state="sent", attempts=attempts, error=None))


def record_failure(
    connection: sa.Connection, numbers: Sequence[int], *, error: str, again: float | None
) -> None:
    """Store why messages could not be sent.

    Parameters
    ----------
    numbers
        The messages that were tried.
    error
        What went wrong.
    again
        When they are tried again; None gives them up.
    """
    update = sa.update(deliveries).where(deliveries.c.id.in_(numbers))
    values: dict[str, Any] = {
        "attempts": deliveries.c.attempts + 1,
        "error": error[:_LONGEST_ERROR],
    }
    values |= {"state": "given up"} if again is None else {"next_attempt": again}
    connection.execute(update.values(values))


def release_deliveries(
    connection: sa.Connection, numbers: Sequence[int], *, until: float, now: float
) -> None:
    """Give back those messages of a claim that were not tried.

    Parameters
    ----------
    numbers
        The messages of the claim.
    until
        The time that the claim was for: those that were tried have another one by now.
    now
        The time.
    """
    update = sa.update(deliveries).where(
        deliveries.c.id.in_(numbers),
        deliveries.c.state == "waiting",
        deliveries.c.next_attempt == until,
    )
    connection.execute(update.values(next_attempt=now))
