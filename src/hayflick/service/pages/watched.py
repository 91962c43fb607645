"""A watched stream as its pages show it: kept for a moment, so that viewers share the work."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hayflick.monitor.watch_result import WatchResult
from hayflick.service.service import Service
from hayflick.service.stored_watch import stored_watch
from hayflick.storage.readings import size_of_texts
from hayflick.storage.streams import StreamRow

T = TypeVar("T")

_MOST_KEPT = 8
"""Streams; one of 1,000 rounds takes about ten megabytes."""
_SHARE = 20.0
"""A result may be shown for so many times as long as it took to make."""
_LONGEST_S = 10.0
_LONGEST_UNCHANGED_S = 300.0


@dataclass(frozen=True, eq=False)
class Watched:
    """A stream's result.

    Parameters
    ----------
    result
        What `watch` finds in the rounds that are stored; None during the baseline.
    round
        The last round in it.
    made
        When it was made, and how many seconds that took.
    took
        See `made`.
    texts
        Number and size of the samples of texts in it.
    """

    result: WatchResult | None
    round: int
    made: float
    took: float
    texts: tuple[int, int] = (0, 0)
    _drawn: dict[Hashable, Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def once(self, key: Hashable, draw: Callable[[], T]) -> T:
        """Return what `draw` returned for this key the first time; it goes with the result.

        None is not kept, for there is no end of keys without anything to draw.
        """
        with self._lock:
            found: T = self._drawn.get(key) or draw()
            if found is not None:
                self._drawn[key] = found
            return found


class WatchedStreams:
    """The results of the streams that were looked at last.

    With rounds in quick succession, a result is shown a little longer than it is the newest, so
    that fifty viewers cost the service no more than one does.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[int, Watched] = OrderedDict()
        self._locks: dict[int, threading.Lock] = {}
        self._lock = threading.Lock()

    def of(self, service: Service, stream: StreamRow) -> Watched:
        """Return what is known of a stream, nearly up to date."""
        with self._lock:
            own = self._locks.setdefault(stream.id, threading.Lock())
        with own:
            found = self._kept.get(stream.id)
            texts = _texts(service, stream)
            if found is None or not _will_do(found, stream, texts):
                begun = time.monotonic()
                result = stored_watch(service.database, stream)
                made = time.monotonic()
                found = Watched(result, stream.measured_round, made, made - begun, texts)
        with self._lock:
            self._kept[stream.id] = found
            self._kept.move_to_end(stream.id)
            while len(self._kept) > _MOST_KEPT:
                gone, _ = self._kept.popitem(last=False)
                self._locks.pop(gone, None)
        return found


def _texts(service: Service, stream: StreamRow) -> tuple[int, int]:
    with service.database.connect() as connection:
        return size_of_texts(connection, stream.id)


def _will_do(known: Watched, stream: StreamRow, texts: tuple[int, int]) -> bool:
    if known.round == stream.measured_round:
        # What was erased meanwhile is shown no more.
        same = texts == known.texts
        return same and time.monotonic() - known.made < _LONGEST_UNCHANGED_S
    # A stream whose baseline has just ended, or that begins to alarm, is shown at once.
    if known.result is None or (stream.state == "alarm" and not known.result.alarms):
        return False
    return time.monotonic() - known.made < min(_LONGEST_S, _SHARE * known.took)
