"""Report answers from any program: a thread sends them, and the program never waits for it."""

from __future__ import annotations

import atexit
import queue
import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING

from hayflick_client.outbox import Batch
from hayflick_client.recorder import Recorder
from hayflick_client.sending import exchange

if TYPE_CHECKING:
    from typing import Self


class Watcher(Recorder):
    """Reports the answers of a stream to the service of hayflick.

    `record` puts an answer into a queue and returns; a thread sends what waits, in batches. While
    the service cannot be reached the answers wait; when too many do, the oldest are dropped and
    counted. An item carries a key of its own, so that one that is sent twice is counted once.

    A process that is forked has an empty queue and a thread of its own. At the end of the program
    what waits is sent, for `exit_timeout_s` at most; a program that ends by a signal or by
    ``os._exit`` calls `flush` before.

    Parameters
    ----------
    stream
        Name of the stream.
    url
        Address of the service; None takes it from the environment (``HAYFLICK_URL``).
    token
        A token with the scope ``ingest``; None takes it from ``HAYFLICK_TOKEN``.
    batch
        Items that are sent together at most.
    interval_s
        Seconds that an item waits for others at most.
    capacity, capacity_bytes
        Items that may wait, and the bytes that they may have together.
    timeout_s
        Seconds that a request may take.
    exit_timeout_s
        Seconds that are taken at the end of the program to send what waits.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> from hayflick_client import Watcher
    >>> watcher = Watcher("help desk", url="http://127.0.0.1:9", token="hf_...")
    >>> watcher.record("Your order is on its way.", group="model-a", prompt="Where is my order?")
    >>> watcher.close(timeout_s=0)  # nothing listens there
    >>> watcher.counts.dropped
    1
    """

    def _begin(self) -> None:
        self._thread: threading.Thread | None = None
        self._starting = threading.RLock()
        # A queue that may be written to from a signal handler, which an event may not.
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._awake = False
        self._settled = threading.Condition()
        self._deadline: float | None = None

    def flush(self, timeout_s: float | None = None) -> bool:
        """Wait until all that was recorded before is delivered, refused or dropped.

        Parameters
        ----------
        timeout_s
            Seconds to wait at most; None waits as long as it takes.

        Returns
        -------
        bool
            Whether nothing of it waits any more.
        """
        number = self._outbox.last
        self._flush_to = max(self._flush_to, number)
        if not self._outbox.settled(number):
            self._start()
            self._wake.put(None)
        with self._settled:
            return self._settled.wait_for(lambda: self._outbox.settled(number), timeout_s)

    def close(self, timeout_s: float | None = None) -> None:
        """Send what waits, for a time, and take nothing more; what is left is dropped and counted.

        Parameters
        ----------
        timeout_s
            Seconds to take at most; None is `exit_timeout_s`.
        """
        atexit.unregister(self._close_at_exit)
        timeout_s = self._exit_timeout_s if timeout_s is None else timeout_s
        self._closed = True
        self._deadline = time.monotonic() + timeout_s
        if not self._outbox.settled(self._outbox.last):
            try:
                self._start()
            except RuntimeError:
                # The interpreter is about to end, and starts no thread any more.
                self._send_until(self._deadline)
        self._wake.put(None)
        if self._thread is not None:
            self._thread.join(timeout_s)
        self._give_up()

    def _close_at_exit(self) -> None:
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _queued(self, waiting: int) -> None:
        if not self._runs():
            self._start()
        if not self._awake and (waiting == 1 or waiting >= self._batch):
            self._awake = True
            self._wake.put(None)

    def _start(self) -> None:
        with self._starting:
            if self._runs():
                return
            # Known before it runs: a signal handler that records meanwhile must not start another.
            self._thread = threading.Thread(target=self._run, name="hayflick watcher", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:
                self._thread = None
                raise
            self._close_with_worker()

    def _runs(self) -> bool:
        thread = self._thread
        return thread is not None and (thread.ident is None or thread.is_alive())

    def _close_with_worker(self) -> None:
        """Close at the end of a process of `multiprocessing`, which runs no other handlers."""
        process = sys.modules.get("multiprocessing.process")
        if process is not None and process.parent_process() is not None:
            from multiprocessing.util import Finalize

            Finalize(None, self._close_at_exit, exitpriority=10)

    def _run(self) -> None:
        """Send what waits, until the watcher is closed and nothing waits."""
        import httpx

        with httpx.Client(**self._options()) as client:
            while (batch := self._next()) is not None:
                wait_s = self._settle(batch, exchange(client, self._address, batch))
                with self._settled:
                    self._settled.notify_all()
                if not self._pause(wait_s):
                    return

    def _next(self) -> Batch | None:
        while True:
            self._awake = False
            wait_s = self._wait_s()
            if wait_s == 0.0:
                self._awake = True
                batch = self._outbox.take()
                if batch is not None:
                    return batch
            elif wait_s is None and self._closed:
                return None
            else:
                self._sleep(wait_s)

    def _pause(self, wait_s: float) -> bool:
        """Wait before the next request; False if the time to close is over."""
        end = time.monotonic() + wait_s
        while (left := end - time.monotonic()) > 0.0:
            if self._deadline is not None:
                left = min(left, self._deadline - time.monotonic())
                if left <= 0.0:
                    return False
            closed = self._closed
            self._sleep(left)
            if self._closed and not closed:
                # One more try, at once, before the program ends.
                return True
        return True

    def _sleep(self, seconds: float | None) -> None:
        try:
            most = threading.TIMEOUT_MAX
            self._wake.get(timeout=None if seconds is None else min(seconds, most))
        except queue.Empty:
            return
