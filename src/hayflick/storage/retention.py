"""What is kept of a stream and for how long, and what is erased because somebody asks.

What is to go is looked for while others write, and then removed by its numbers, some at a time: so
no sender waits for long.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa

from hayflick.core.errors import ArgumentError
from hayflick.storage.answers import has_key
from hayflick.storage.service_tables import (
    answers,
    audit,
    changes,
    deliveries,
    pack,
    reviews,
    rounds,
    sessions,
    unpack,
)
from hayflick.storage.streams import StreamRow, stream_numbered


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """Which answers of a stream are erased: those that meet all conditions.

    Parameters
    ----------
    key
        The key that the sender gave.
    group
        The group.
    begins, ends
        When they were given, from the one and before the other.
    """

    key: str | None = None
    group: str | None = None
    begins: float | None = None
    ends: float | None = None

    def check(self) -> None:
        """Refuse an erasure without any condition.

        Raises
        ------
        ArgumentError
            If there is none, it begins after its end, or no answer can have such a key or group.
        """
        for name, value in (("key", self.key), ("group", self.group)):
            if value is not None and {"Cc", "Cs"} & {unicodedata.category(one) for one in value}:
                takes = "text without control characters"
                raise ArgumentError(name, got=ascii(value)[:120], takes=takes)
        if self == Erasure():
            takes = "a key, a group, or a time from which or until which"
            raise ArgumentError("erase", got="no condition", takes=takes)
        if self.begins is not None and self.ends is not None and self.begins >= self.ends:
            raise ArgumentError("erase", got="an end before its beginning", takes="a time after it")

    def __str__(self) -> str:
        """Return what it goes by, and not what it looks for: that is to be forgotten."""
        named = {"key": self.key, "group": self.group, "time": self.begins or self.ends}
        return " and ".join(name for name, value in named.items() if value is not None)


def answers_to_erase(
    connection: sa.Connection, stream: StreamRow, what: Erasure, *, most: int
) -> list[int]:
    """Return the numbers of answers of a stream that are to be erased."""
    wanted = [answers.c.stream == stream.id]
    if what.key is not None:
        wanted.append(has_key(what.key))
    if what.group is not None:
        wanted.append(answers.c.group == what.group)
    if what.begins is not None:
        wanted.append(answers.c.at >= what.begins)
    if what.ends is not None:
        wanted.append(answers.c.at < what.ends)
    return list(connection.scalars(sa.select(answers.c.id).where(*wanted).limit(most)))


def erase_answers(
    connection: sa.Connection, stream: StreamRow, numbers: Sequence[int], *, spelled: Spelled
) -> int:
    """Remove answers with all that is kept of them, and return the number of their reviews."""
    # Rounds that are being measured store nothing of them afterwards.
    stream_numbered(connection, stream.id, lock=True)
    keys = sa.select(answers.c.key).where(answers.c.id.in_(numbers))
    theirs = (reviews.c.stream == stream.id, reviews.c.key.in_(keys))
    removed = connection.execute(sa.delete(reviews).where(*theirs)).rowcount
    delete_answers(connection, stream, numbers, spelled=spelled)
    return removed


def erase_reviews(connection: sa.Connection, stream: StreamRow, what: Erasure) -> int:
    """Remove reviews of answers that were pruned before, and return how many there were.

    A time is that at which an answer was drawn: when it was given is not known any more.
    """
    wanted = [reviews.c.stream == stream.id]
    if what.key is not None:
        wanted.append(has_key(what.key, reviews.c.key))
    if what.group is not None:
        wanted.append(reviews.c.group == what.group)
    if what.begins is not None:
        wanted.append(reviews.c.created >= what.begins)
    if what.ends is not None:
        wanted.append(reviews.c.created < what.ends)
    held = sa.select(answers.c.id).where(
        answers.c.stream == reviews.c.stream, answers.c.key == reviews.c.key
    )
    pruned = sa.not_(sa.exists(held))
    return connection.execute(sa.delete(reviews).where(*wanted, pruned)).rowcount


Spelled: TypeAlias = Callable[[str], str]
"""Returns a text as it is measured, and so as samples hold it: without what cannot be seen."""

_DAY_S = 86_400.0
_CHANGES_S = 7 * _DAY_S
_DELIVERIES_S = 30 * _DAY_S
_AUDIT_S = 730 * _DAY_S
_LARGEST = 2**64
_TEXT_IS_KEPT = sa.or_(answers.c.text.is_not(None), answers.c.prompt.is_not(None))


@dataclass(frozen=True, kw_only=True)
class RetentionLimits:
    """How long a stream's answers are kept.

    Parameters
    ----------
    days
        Days that answers are kept after they came.
    text_share
        Share of the answers whose text is kept after they were measured.
    """

    days: float
    text_share: float

    def limit(self, now: float) -> float:
        """Return the time before which answers have come that are removed."""
        return now - _DAY_S * self.days


def expired_answers(
    connection: sa.Connection, stream: StreamRow, kept: RetentionLimits, *, now: float, most: int
) -> list[int]:
    """Return the numbers of answers that are removed now: old, and measured.

    As long as the baseline is not complete, its answers are still needed.
    """
    if stream.state == "baseline":
        return []
    limit = kept.limit(now)
    last = sa.select(sa.func.max(rounds.c.number)).where(
        rounds.c.stream == stream.id,
        rounds.c.number <= stream.measured_round,
        rounds.c.closed < limit,
    )
    query = sa.select(answers.c.id).where(
        answers.c.stream == stream.id,
        answers.c.round <= sa.func.coalesce(last.scalar_subquery(), 0),
        answers.c.received < limit,
    )
    return list(connection.scalars(query.limit(most)))


def thinned_answers(
    connection: sa.Connection, stream: StreamRow, kept: RetentionLimits, *, most: int
) -> list[int]:
    """Return the numbers of measured answers whose texts are beyond the share that is kept.

    Which ones is decided by what an answer is made of, so the same ones each time.
    """
    if stream.state == "baseline" or kept.text_share >= 1.0:
        return []
    query = sa.select(answers.c.id).where(
        answers.c.stream == stream.id,
        answers.c.round <= stream.measured_round,
        answers.c.digest >= int(kept.text_share * _LARGEST).to_bytes(8, "big"),
        _TEXT_IS_KEPT,
    )
    return list(connection.scalars(query.limit(most)))


def delete_answers(
    connection: sa.Connection, stream: StreamRow, numbers: Sequence[int], *, spelled: Spelled
) -> None:
    """Remove answers, and their texts from the samples of their rounds."""
    _forget_in_samples(connection, stream, numbers, spelled)
    connection.execute(sa.delete(answers).where(answers.c.id.in_(numbers)))


def forget_texts(
    connection: sa.Connection, stream: StreamRow, numbers: Sequence[int], *, spelled: Spelled
) -> None:
    """Remove the texts and prompts of answers, also from the samples of their rounds."""
    _forget_in_samples(connection, stream, numbers, spelled)
    these = sa.update(answers).where(answers.c.id.in_(numbers))
    connection.execute(these.values(text=None, prompt=None))


def forget_samples(
    connection: sa.Connection, stream: StreamRow, kept: RetentionLimits, *, now: float
) -> int:
    """Remove the samples of texts of rounds that are old, and return how many there were."""
    if stream.state == "baseline":
        return 0
    old = (
        rounds.c.stream == stream.id,
        rounds.c.number <= stream.measured_round,
        rounds.c.closed < kept.limit(now),
        rounds.c.texts.is_not(None),
    )
    return connection.execute(sa.update(rounds).where(*old).values(texts=None)).rowcount


def forget_reviews(
    connection: sa.Connection, stream: StreamRow, kept: RetentionLimits, *, now: float
) -> tuple[int, int]:
    """Remove the texts of old answers that people have checked, and old ones that nobody has.

    Returns
    -------
    tuple of int
        How many of each.
    """
    old = (reviews.c.stream == stream.id, reviews.c.created < kept.limit(now))
    waiting = sa.delete(reviews).where(*old, reviews.c.state == "pending")
    dropped = connection.execute(waiting).rowcount
    checked = sa.update(reviews).where(*old, reviews.c.text != "").values(text="", prompt=None)
    return connection.execute(checked).rowcount, dropped


def forget_events(connection: sa.Connection, *, now: float) -> None:
    """Remove what has had its time: sessions, changes, what was sent, and the oldest of the log."""
    connection.execute(sa.delete(sessions).where(sessions.c.expires < now))
    connection.execute(sa.delete(changes).where(changes.c.at < now - _CHANGES_S))
    sent = (deliveries.c.state != "waiting", deliveries.c.created < now - _DELIVERIES_S)
    connection.execute(sa.delete(deliveries).where(*sent))
    connection.execute(sa.delete(audit).where(audit.c.at < now - _AUDIT_S))


def _forget_in_samples(
    connection: sa.Connection, stream: StreamRow, numbers: Sequence[int], spelled: Spelled
) -> None:
    query = sa.select(answers.c.round, answers.c.text).where(answers.c.id.in_(numbers))
    gone: dict[int, set[str]] = {}
    for row in connection.execute(query.where(answers.c.text.is_not(None)).distinct()):
        gone.setdefault(row.round, set()).add(spelled(row.text))
    held = sa.select(rounds.c.number, rounds.c.texts).where(
        rounds.c.stream == stream.id, rounds.c.number.in_(gone), rounds.c.texts.is_not(None)
    )
    for row in connection.execute(held).all():
        left = _without(unpack(row.texts), gone[row.number])
        this = (rounds.c.stream == stream.id, rounds.c.number == row.number)
        connection.execute(
            sa.update(rounds).where(*this).values(texts=None if left is None else pack(left))
        )


def _without(samples: Any, gone: Collection[str]) -> dict[str, list[str]] | None:
    """Return the samples of a round, by name, without some texts; None where nothing is left."""
    left = {name: [one for one in texts if one not in gone] for name, texts in samples.items()}
    return left if any(left.values()) else None
