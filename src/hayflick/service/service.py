"""The service: the store, the thread that writes to it, and the workers behind its pages."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

from hayflick.service.clock import Clock
from hayflick.service.settings import ServiceSettings
from hayflick.service.throttle import Throttle
from hayflick.service.writer import Writer
from hayflick.storage.database import Database
from hayflick.storage.streams import last_answer


class Worker(Protocol):
    """A thread of the service."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End, after what it is doing."""

    def wake(self) -> None:
        """Say that there may be something to do; returns at once."""


class Service:
    """What requests and workers share.

    Parameters
    ----------
    database
        The store.
    settings
        The settings.
    clock
        Its time.

    Attributes
    ----------
    writer : Writer
        Writes to the store.
    throttle : Throttle
        Slows down who guesses passwords.
    known_groups : dict
        Groups of streams, by the stream's number: what was seen of them so far.
    workers : list of Worker
        Those that run while the service does: `hayflick.service.assembly` adds them.
    """

    def __init__(
        self, database: Database, settings: ServiceSettings, *, clock: Clock | None = None
    ) -> None:
        self.database, self.settings = database, settings
        self.clock = clock or Clock()
        self.writer = Writer(database, most_waiting=settings.limits.waiting)
        self.throttle = Throttle()
        self.known_groups: dict[int, frozenset[str]] = {}
        self.workers: list[Worker] = []

    def start(self, workers: Sequence[Worker] = ()) -> None:
        """Begin to write and to work."""
        with self.database.connect() as connection:
            self.clock.follow(last_answer(connection))
        self.writer.start()
        self.workers = list(workers)
        for worker in self.workers:
            worker.start()

    def stop(self) -> None:
        """End the workers, write what waits, and leave the store open."""
        for worker in self.workers:
            worker.stop()
        self.writer.stop()

    def wake(self) -> None:
        """Say to all workers that there may be something to do."""
        for worker in self.workers:
            worker.wake()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
