"""The service: the store, the thread that writes to it, and the workers behind its pages."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TypeAlias

from hayflick.service.settings import ServiceSettings
from hayflick.service.writer import Writer
from hayflick.storage.database import Database
from hayflick.storage.streams import last_answer

LONGEST_BEHIND_S = 86_400.0
"""Seconds for which a clock that was set back is waited for."""


class Clock:
    """Seconds since 1970 in UTC that never go back, also where the machine's clock is set back.

    Parameters
    ----------
    now
        The machine's clock.

    Examples
    --------
    >>> times = iter([5.0, 3.0, 6.0])
    >>> clock = Clock(lambda: next(times))
    >>> clock.now(), clock.now(), clock.now()
    (5.0, 5.0, 6.0)
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now, self._last = now, 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Return the time."""
        with self._lock:
            self._last = max(self._last, self._now())
            return self._last

    def follow(self, time: float) -> None:
        """Go on from a time that was given out before, such as the last one in the store.

        One that is more than `LONGEST_BEHIND_S` ahead is left: it was wrong, and is not waited for.
        """
        with self._lock:
            if time - self._now() <= LONGEST_BEHIND_S:
                self._last = max(self._last, time)

    @property
    def behind_s(self) -> float:
        """Seconds that the machine's clock is behind a time that was given out; 0 if it is not."""
        return max(0.0, self._last - self._now())


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
        Those that run while the service does: `hayflick.service.app` adds them.
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


_LONGEST_WAIT_S = 300.0
_FORGOTTEN_AFTER_S = 3600.0
_MOST_KNOWN = 10_000
_MOST_AT_ONCE, _MOST_LOGGING_IN = 2, 10


_Key: TypeAlias = tuple[str | None, str | None]


@dataclass
class _Failures:
    number: int
    last: float


class Throttle:
    """How long somebody waits who has given wrong passwords: twice as long after each one.

    Who tries one name from one address waits after five failures; who tries many names from one
    address after twenty; and whoever tries a name that is being tried from everywhere after fifty.

    Attributes
    ----------
    slots : threading.BoundedSemaphore
        Held while a password is checked, which takes 32 MB.
    places : threading.BoundedSemaphore
        Held by those who log in and wait for a slot: each takes up a thread.

    Examples
    --------
    >>> throttle = Throttle()
    >>> for _ in range(6):
    ...     throttle.failed("admin", "192.0.2.1", now=0.0)
    >>> throttle.wait_s("admin", "192.0.2.1", now=0.0), throttle.wait_s("ann", "192.0.2.1", now=0.0)
    (2.0, 0.0)
    """

    def __init__(self) -> None:
        self._failures: OrderedDict[_Key, _Failures] = OrderedDict()
        self._lock = threading.Lock()
        self.slots = threading.BoundedSemaphore(_MOST_AT_ONCE)
        self.places = threading.BoundedSemaphore(_MOST_LOGGING_IN)

    def wait_s(self, name: str, address: str, *, now: float) -> float:
        """Return the seconds until a password may be given again; 0 if it may."""
        with self._lock:
            return max(self._wait(key, free, now) for key, free in _keys(name, address))

    def failed(self, name: str, address: str, *, now: float) -> None:
        """Count a wrong password."""
        with self._lock:
            for key, _ in _keys(name, address):
                known = self._failures.pop(key, None)
                fresh = known is None or now - known.last > _FORGOTTEN_AFTER_S
                number = 1 if known is None or fresh else known.number + 1
                self._failures[key] = _Failures(number, now)
            while len(self._failures) > _MOST_KNOWN:
                self._failures.popitem(last=False)

    def succeeded(self, name: str, address: str) -> None:
        """Forget the wrong passwords that were given for a name from an address."""
        with self._lock:
            self._failures.pop((name, address), None)

    def _wait(self, key: _Key, free: int, now: float) -> float:
        known = self._failures.get(key)
        if known is None or known.number < free:
            return 0.0
        wait = min(_LONGEST_WAIT_S, 2.0 ** min(known.number - free, 20))
        return max(0.0, known.last + wait - now)


def _keys(name: str, address: str) -> Iterable[tuple[_Key, int]]:
    """Return what failures are counted by, each with those that cost nothing."""
    return (((name, address), 5), ((None, address), 20), ((name, None), 50))
