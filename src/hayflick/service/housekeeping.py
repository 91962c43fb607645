"""Housekeeping: what is old is pruned, hour by hour, and what is asked for is erased."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

from hayflick.corpus.normalization import normalize_text
from hayflick.service.service import Service
from hayflick.service.streams import settings_of
from hayflick.storage.audit import record_audit
from hayflick.storage.database import Database
from hayflick.storage.retention import (
    Erasure,
    RetentionLimits,
    answers_to_erase,
    delete_answers,
    erase_answers,
    erase_reviews,
    expired_answers,
    forget_events,
    forget_reviews,
    forget_samples,
    forget_texts,
    thinned_answers,
)
from hayflick.storage.rounds import forget_parcels
from hayflick.storage.service_counts import set_value, value_of
from hayflick.storage.streams import StreamRow, answered_streams

T = TypeVar("T")

_MOST_FOUND = 50_000
_MOST_TOGETHER = 500
_SECONDS_BEFORE = 60.0
_SECONDS_BETWEEN = 3600.0
_REQUESTS_S = 86_400.0
"""For so long a request is known that is sent again to a stream with a capacity."""

_LAST = "last pruning"
_spelled = partial(normalize_text, how="nfc")
_log = logging.getLogger(__name__)


class Write(Protocol):
    """Returns what a job returns, once it is committed."""

    def __call__(self, job: Callable[[sa.Connection], T], /) -> T:
        """Run a job in a transaction."""


@dataclass(kw_only=True)
class Pruned:
    """How much was removed.

    Parameters
    ----------
    answers
        Answers that were older than their stream keeps them.
    texts
        Answers whose texts are beyond the share that their stream keeps.
    samples
        Rounds whose sample of texts was as old.
    reviews
        Checked answers whose text was as old.
    unchecked
        Answers as old that waited to be checked.
    """

    answers: int = 0
    texts: int = 0
    samples: int = 0
    reviews: int = 0
    unchecked: int = 0

    def __str__(self) -> str:
        return ", ".join(f"{name}: {number:,}" for name, number in asdict(self).items() if number)


@dataclass(frozen=True, kw_only=True)
class Erased:
    """How much was erased: answers, and of those that people were to check."""

    answers: int
    reviews: int


def write_to(database: Database) -> Write:
    """Return what writes to a store that no service has."""

    def write(job: Callable[[sa.Connection], T], /) -> T:
        with database.transaction() as connection:
            return job(connection)

    return write


def prune(database: Database, write: Write, *, actor: str = "service", now: float) -> Pruned:
    """Remove what is older than its stream keeps it, and say how much that was.

    Parameters
    ----------
    database
        The store.
    write
        Writes to it.
    actor
        Who has asked for it, for the audit log.
    now
        The time.
    """
    pruned = Pruned()
    with database.connect() as connection:
        streams = answered_streams(connection)
    for stream in streams:
        _prune_stream(database, write, stream, pruned, now=now)

    def finish(connection: sa.Connection) -> None:
        forget_events(connection, now=now)
        if str(pruned):
            record_audit(connection, None, actor, "pruned", str(pruned), now=now)

    write(finish)
    return pruned


def erase(
    database: Database, write: Write, stream: StreamRow, what: Erasure, *, actor: str, now: float
) -> Erased:
    """Erase answers of a stream, and say how many those were.

    Parameters
    ----------
    database, write
        The store, and what writes to it.
    stream, what
        The stream, and which of its answers.
    actor
        Who has asked for it, for the audit log.
    now
        The time.

    Raises
    ------
    ArgumentError
        If there is no condition.
    """
    what.check()
    if what.group is not None:
        # As it was stored.
        what = replace(what, group=_spelled(what.group))
    number = reviewed = 0
    for some in _portions(
        database, lambda connection: answers_to_erase(connection, stream, what, most=_MOST_FOUND)
    ):
        reviewed += write(partial(erase_answers, stream=stream, numbers=some, spelled=_spelled))
        number += len(some)

    def finish(connection: sa.Connection) -> int:
        more = erase_reviews(connection, stream, what)
        subject = f"{number:,} answers of {stream.name}, by {what}"
        record_audit(connection, stream.project, actor, "erased", subject, now=now)
        return more

    reviewed += write(finish)
    # What was deleted may still be in the store's log.
    database.reclaim(("answers", "reviews", "rounds"))
    return Erased(answers=number, reviews=reviewed)


def _prune_stream(
    database: Database, write: Write, stream: StreamRow, pruned: Pruned, *, now: float
) -> None:
    settings = settings_of(stream)
    share = settings.keep_sample if settings.keep_text else 0.0
    kept = RetentionLimits(days=settings.keep_days, text_share=share)
    for some in _portions(
        database,
        lambda connection: expired_answers(connection, stream, kept, now=now, most=_MOST_FOUND),
    ):
        write(partial(delete_answers, stream=stream, numbers=some, spelled=_spelled))
        pruned.answers += len(some)
    for some in _portions(
        database, lambda connection: thinned_answers(connection, stream, kept, most=_MOST_FOUND)
    ):
        write(partial(forget_texts, stream=stream, numbers=some, spelled=_spelled))
        pruned.texts += len(some)

    def finish(connection: sa.Connection) -> None:
        pruned.samples += forget_samples(connection, stream, kept, now=now)
        checked, unchecked = forget_reviews(connection, stream, kept, now=now)
        pruned.reviews += checked
        pruned.unchecked += unchecked

    write(finish)
    parcels = partial(
        forget_parcels,
        stream=stream.id,
        requests=now - _REQUESTS_S,
        files=min(kept.limit(now), now - _REQUESTS_S),
        most=_MOST_TOGETHER,
    )
    while write(parcels) == _MOST_TOGETHER:
        pass


def _portions(
    database: Database, find: Callable[[sa.Connection], Sequence[int]]
) -> Iterator[Sequence[int]]:
    """Yield what is found, some at a time, until nothing is."""
    while True:
        with database.connect() as connection:
            found = find(connection)
        for first in range(0, len(found), _MOST_TOGETHER):
            yield found[first : first + _MOST_TOGETHER]
        if len(found) < _MOST_FOUND:
            return


def _take_turn(connection: sa.Connection, *, now: float) -> bool:
    """Return whether nobody has pruned the store lately; then the caller does."""
    last = value_of(connection, _LAST)
    due = last is None or not 0.0 <= now - last < _SECONDS_BETWEEN / 2
    if due:
        set_value(connection, _LAST, now)
    return due


class Housekeeper:
    """Prunes the store every hour.

    Parameters
    ----------
    service
        The service.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hayflick housekeeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the writes that it waits for."""
        self._ended.set()
        self._thread.join()

    def wake(self) -> None:
        """Say that there may be something to do; what is old can wait for its hour."""

    def _run(self) -> None:
        service, wait = self._service, _SECONDS_BEFORE
        while not self._ended.wait(wait):
            wait = _SECONDS_BETWEEN
            now = service.clock.now()
            try:
                # Several processes share a server's store.
                if self._write(partial(_take_turn, now=now)):
                    prune(service.database, self._write, now=now)
            except _Ended:
                return
            except Exception:
                # A thread that has died would prune nothing any more.
                _log.exception("the store could not be pruned, and will be in an hour")

    def _write(self, job: Callable[[sa.Connection], Any], /) -> Any:
        if self._ended.is_set():
            raise _Ended
        return self._service.writer.write(job)


class _Ended(Exception):  # noqa: N818
    """The service ends: what is left is pruned by the next one."""
