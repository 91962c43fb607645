"""Rounds of which a sample is stored, and exact totals: what they take does not grow with them.

The sample are the answers whose keys have the smallest keyed hashes, so that it is the same
whatever process an answer comes to, and in whatever order. Answers that cannot be among them any
more are counted and not written.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from hayflick.monitor.round_summary import RoundSummary
from hayflick.service.stream_settings import StreamSettings
from hayflick.storage.answers import AnswerRow, add_answers
from hayflick.storage.readings import AnswerOfRound
from hayflick.storage.rounds import drop_answers, keys_of_round, sample_record, save_sample

_MOST_MEASURED, _MOST_OF_BASELINE = 50_000, 500_000

_SURPLUS = 1.5
"""How many times as many rows as the sample has are held before those beyond it are removed."""

_OF_FILE = re.compile("([0-9a-f]{64})\x1f([0-9]+:[0-9]+)")


def most_measured(settings: StreamSettings) -> int:
    """Return how many answers of a round are measured; of a larger one, a random sample is.

    Examples
    --------
    >>> most_measured(StreamSettings()), most_measured(StreamSettings(baseline=100))
    (50000, 5000)
    """
    most = min(_MOST_MEASURED, _MOST_OF_BASELINE // settings.baseline)
    return most if settings.capacity is None else min(most, settings.capacity)


def key_of_file(sha256: str, row: int, part: int) -> str:
    """Return the key of an answer in a file that was summarised; no sender can give such a key."""
    return f"{sha256}\x1f{row}:{part}"


def priority_of(key: str, seed: int) -> int:
    """Return the place of an answer among those of its round: the smallest are kept.

    Of an answer in a file it is that of `hayflick.monitor.summaries`, so that samples merge.

    Examples
    --------
    >>> priority_of("order-17", 1) == priority_of("order-17", 1) < 2**64
    True
    """
    found = _OF_FILE.fullmatch(key)
    secret = b"%d" % seed if found is None else bytes.fromhex(found[1])
    content = key if found is None else found[2]
    return int.from_bytes(hashlib.blake2b(content.encode(), key=secret, digest_size=8).digest())


@dataclass(kw_only=True)
class RoundSample:
    """What is known of the answers of a round of which a sample is stored.

    Parameters
    ----------
    totals
        Exact sums over all its answers.
    limit
        Answers of this priority and above are not in the sample; None while it takes all.
    held
        Rows that are stored.
    notes
        What a reader should know of it.
    """

    totals: RoundSummary = field(default_factory=RoundSummary)
    limit: int | None = None
    held: int = 0
    notes: tuple[str, ...] = ()

    @classmethod
    def stored(cls, connection: sa.Connection, stream: int, number: int) -> RoundSample:
        """Return that of a round; an empty one where nothing is stored."""
        record = sample_record(connection, stream, number)
        if record is None:
            return cls()
        totals, notes = RoundSummary.of_record(record["totals"]), tuple(record["notes"])
        return cls(totals=totals, limit=record["limit"], held=record["held"], notes=notes)

    def store(self, connection: sa.Connection, stream: int, number: int) -> None:
        """Store it, in a transaction that holds the row of the stream."""
        known = {"limit": self.limit, "held": self.held, "notes": list(self.notes)}
        save_sample(connection, stream, number, {"totals": self.totals.record(), **known})

    def add(
        self,
        connection: sa.Connection,
        stream: int,
        number: int,
        rows: Sequence[AnswerRow],
        settings: StreamSettings,
    ) -> None:
        """Store those answers of a round that may be in its sample, and remove others for them."""
        seed, limit = settings.seed, self.limit
        if limit is not None:
            rows = [row for row in rows if priority_of(row["key"], seed) < limit]
        add_answers(connection, rows)
        self.held += len(rows)
        most = most_measured(settings)
        if self.held > _SURPLUS * most:
            self.limit = thin_round(connection, stream, number, most=most, seed=seed)
            self.held = most


def thin_round(
    connection: sa.Connection, stream: int, number: int, *, most: int, seed: int
) -> int | None:
    """Remove the answers of a round beyond its sample; return their smallest priority."""
    found = keys_of_round(connection, stream, number)
    ordered = sorted((priority_of(key, seed), one) for one, key in found)
    drop_answers(connection, [one for _, one in ordered[most:]])
    return ordered[most][0] if len(ordered) > most else None


def sampled(rows: Sequence[AnswerOfRound], settings: StreamSettings) -> list[AnswerOfRound]:
    """Return those stored answers of a round that are its sample, in the order of arrival."""
    most = most_measured(settings)
    if len(rows) <= most:
        return list(rows)
    priorities = [priority_of(row.key, settings.seed) for row in rows]
    limit = sorted(priorities)[most]
    return [row for row, one in zip(rows, priorities, strict=True) if one < limit]


def add_to_samples(
    connection: sa.Connection, stream: int, settings: StreamSettings, rows: Iterable[AnswerRow]
) -> None:
    """Take answers into the samples and totals of their rounds; late ones are counted elsewhere.

    Parameters
    ----------
    connection
        In a transaction for writing that holds the row of the stream.
    stream, settings
        The stream.
    rows
        The answers.
    """
    by_round: dict[int, list[AnswerRow]] = {}
    for row in rows:
        if not row["late"]:
            by_round.setdefault(row["round"], []).append(row)
    for number, some in by_round.items():
        sample = RoundSample.stored(connection, stream, number)
        sample.totals = sample.totals.merge(_totals(some))
        sample.add(connection, stream, number, some, settings)
        sample.store(connection, stream, number)


def _totals(rows: Sequence[AnswerRow]) -> RoundSummary:
    texts = [row["text"] or "" for row in rows]
    values: dict[str, tuple[int, float]] = {}
    for row in rows:
        numbers: Mapping[str, Any] = json.loads(row["numbers"]) if row["numbers"] else {}
        for name, number in numbers.items():
            count, total = values.get(name, (0, 0.0))
            values[name] = (count + 1, total + number)
    return RoundSummary(
        answers=len(rows),
        empty=sum(not text.strip() for text in texts),
        letters=sum(map(len, texts)),
        groups=Counter(row["group"] or "" for row in rows),
        values=values,
    )
