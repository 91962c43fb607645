"""How long somebody waits who guesses passwords."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

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
