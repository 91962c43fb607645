"""Answers that are erased because somebody asks for it: by key, by group, or by time.

The readings of rounds stay: they are numbers over all answers of a round. So do the numbers of
answers that came, the counts of words that a baseline has, and the names of groups in readings.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from hayflick.core.errors import ArgumentError
from hayflick.storage.answers import has_key
from hayflick.storage.retention import Spelled, delete_answers
from hayflick.storage.service_tables import answers, reviews
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
