"""What waits to be sent: a bounded queue whose oldest items go first when it is full.

It does no input or output of its own, so the watcher of threads and the one of asyncio share it.
Every method may be called from any thread, and again from a signal handler that interrupts it.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass

from hayflick_client.delivery import MOST_BYTES, DeliveryOutcome, ServiceReply

_MOST_REASONS = 20
_REFUSED_IN_A_ROW = 5
_INTERNAL_ERROR, _MOST_FAILURES = 500, 8


@dataclass(frozen=True)
class DeliveryCounts:
    """What has become of the items that a watcher or an answer log was given.

    Parameters
    ----------
    recorded
        Items that it was given; the sum of `delivered`, `dropped`, `refused` and `waiting`.
    delivered
        Those that the service has stored, or that are in the file of an answer log.
    duplicates, late
        Of the delivered ones: those that it had already, and those that came after their round was
        closed, which are never measured.
    dropped
        The oldest ones that made room when too many waited, and those that waited at the end.
    refused
        Those that cannot be sent or written, or that the service refused for good.
    waiting
        Those that are not sent yet.
    reasons
        Why items were refused, and how many for each reason.
    """

    recorded: int
    delivered: int
    duplicates: int
    late: int
    dropped: int
    refused: int
    waiting: int
    reasons: Mapping[str, int]


@dataclass(frozen=True)
class _Entry:
    number: int
    path: str
    body: bytes


@dataclass(frozen=True)
class Batch:
    """Items that are sent in one request.

    Parameters
    ----------
    path
        The end of the address, such as ``answers``.
    entries
        The items.
    """

    path: str
    entries: tuple[_Entry, ...]

    def body(self) -> bytes:
        """Return the body of the request."""
        return b'{"items":[' + b",".join(entry.body for entry in self.entries) + b"]}"

    def halves(self) -> tuple[Batch, Batch]:
        """Return its first and its second half."""
        middle = len(self.entries) // 2
        return (Batch(self.path, self.entries[:middle]), Batch(self.path, self.entries[middle:]))


class Outbox:
    """A bounded queue of items, and the batches that are under way.

    Parameters
    ----------
    capacity
        Items that may wait.
    capacity_bytes
        Bytes that they may have together.
    batch
        Items of a request.
    """

    def __init__(self, *, capacity: int, capacity_bytes: int, batch: int) -> None:
        self._capacity, self._capacity_bytes, self._batch = capacity, capacity_bytes, batch
        self.forget()

    def forget(self) -> None:
        """Begin anew, as a process that was just forked does: the parent sends what waits."""
        # Another thread of the parent may have held the lock.
        self._lock = threading.RLock()
        self._waiting: deque[_Entry] = deque()
        self._under_way: deque[Batch] = deque()
        self._size = 0
        self._recorded = self._delivered = self._duplicates = self._late = 0
        self._dropped = self._refused = self._refused_in_a_row = self._failures = 0
        self._reasons: Counter[str] = Counter()

    def put(self, path: str, body: bytes) -> int:
        """Take an item up, and return how many wait; the oldest ones make room."""
        with self._lock:
            self._recorded += 1
            self._waiting.append(_Entry(self._recorded, path, body))
            self._size += len(body)
            while len(self._waiting) > self._capacity or (
                self._size > self._capacity_bytes and len(self._waiting) > 1
            ):
                self._size -= len(self._waiting.popleft().body)
                self._dropped += 1
            return len(self._waiting)

    def refuse(self, reason: str, *, number: int = 1) -> None:
        """Count an item that cannot be sent."""
        with self._lock:
            self._recorded += number
            self._count_refused(reason, number)

    def take(self) -> Batch | None:
        """Return the batch that is to be sent now; None if nothing waits."""
        with self._lock:
            if not self._under_way:
                entries = self._next_entries()
                if not entries:
                    return None
                self._under_way.append(Batch(entries[0].path, tuple(entries)))
            return self._under_way[0]

    def _next_entries(self) -> list[_Entry]:
        entries: list[_Entry] = []
        size = 0
        while self._waiting and len(entries) < self._batch:
            entry = self._waiting[0]
            size += len(entry.body)
            if entries and (size > MOST_BYTES or entry.path != entries[0].path):
                break
            entries.append(self._waiting.popleft())
            self._size -= len(entry.body)
        return entries

    def settle(self, batch: Batch, reply: ServiceReply) -> DeliveryOutcome:
        """Take up what a batch was answered; one that may be sent again stays under way."""
        outcome = reply.outcome()
        with self._lock:
            if not self._under_way or self._under_way[0] is not batch:
                return (
                    DeliveryOutcome.REFUSED if outcome is DeliveryOutcome.SPLIT else outcome
                )  # Given up meanwhile.
            if outcome is DeliveryOutcome.RETRY and not self._fails_for_good(reply):
                return outcome
            self._under_way.popleft()
            if outcome is DeliveryOutcome.DELIVERED:
                self._count_delivered(batch, reply)
                return outcome
            if outcome is not DeliveryOutcome.REFUSED and self._split(batch, reply):
                return DeliveryOutcome.SPLIT
            self._refused_in_a_row += 1
            self._count_refused(reply.reason(), len(batch.entries))
        return DeliveryOutcome.REFUSED

    def _fails_for_good(self, reply: ServiceReply) -> bool:
        """Return whether a batch has failed so often that one of its items must be why."""
        self._failures = self._failures + 1 if reply.status == _INTERNAL_ERROR else 0
        if self._failures < _MOST_FAILURES:
            return False
        self._failures = 0
        return True

    def _split(self, batch: Batch, reply: ServiceReply) -> bool:
        """Keep the good items of a batch under way; False if nothing tells that there are some."""
        refused = reply.refused_items(len(batch.entries))
        for reason in refused.values():
            self._count_refused(reason, 1)
        good = tuple(one for place, one in enumerate(batch.entries) if place not in refused)
        if refused and good:
            self._under_way.appendleft(Batch(batch.path, good))
        elif not refused and self._worth_splitting(batch):
            self._under_way.extendleft(reversed(batch.halves()))
        return bool(refused) or self._worth_splitting(batch)

    def _worth_splitting(self, batch: Batch) -> bool:
        # One bad item must not take the others along; of a batch that is all bad, a few tell.
        return len(batch.entries) > 1 and self._refused_in_a_row < _REFUSED_IN_A_ROW

    def _count_delivered(self, batch: Batch, reply: ServiceReply) -> None:
        self._refused_in_a_row = 0
        self._delivered += len(batch.entries)
        duplicates, late = reply.counts()
        self._duplicates += duplicates
        self._late += late

    def _count_refused(self, reason: str, number: int) -> None:
        self._refused += number
        if reason not in self._reasons and len(self._reasons) >= _MOST_REASONS:
            reason = "other reasons"
        self._reasons[reason] += number

    def give_up(self) -> int:
        """Drop all that waits, and return how many items that were."""
        with self._lock:
            number = self._number_waiting()
            self._dropped += number
            self._waiting.clear()
            self._under_way.clear()
            self._size = 0
            return number

    @property
    def waiting(self) -> int:
        """Number of items that are not under way."""
        return len(self._waiting)

    @property
    def under_way(self) -> bool:
        """Whether a batch was taken and is not settled."""
        return bool(self._under_way)

    @property
    def last(self) -> int:
        """Number of the item that was taken up last."""
        return self._recorded

    def settled(self, number: int) -> bool:
        """Return whether no item up to a number waits any more."""
        with self._lock:
            heads = [batch.entries[0].number for batch in self._under_way]
            heads += [self._waiting[0].number] if self._waiting else []
            return not heads or min(heads) > number

    def counts(self) -> DeliveryCounts:
        """Return what has become of the items."""
        with self._lock:
            return DeliveryCounts(
                recorded=self._recorded,
                delivered=self._delivered,
                duplicates=self._duplicates,
                late=self._late,
                dropped=self._dropped,
                refused=self._refused,
                waiting=self._number_waiting(),
                reasons=dict(self._reasons),
            )

    def _number_waiting(self) -> int:
        return len(self._waiting) + sum(len(batch.entries) for batch in self._under_way)
