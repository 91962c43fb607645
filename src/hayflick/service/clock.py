"""The time of the service, which never goes back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

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
