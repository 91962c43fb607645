"""Report answers from a program of asyncio: a task of its event loop sends them."""

from __future__ import annotations

import asyncio
import atexit
import time
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

from hayflick_client.delivery import ServiceReply, encoded
from hayflick_client.outbox import Batch
from hayflick_client.recorder import Recorder
from hayflick_client.sending import failed, reply_of

if TYPE_CHECKING:
    from typing import Self

    import httpx


class AsyncWatcher(Recorder):
    """Reports the answers of a stream, by a task of the event loop instead of a thread.

    `record` is no coroutine: it puts an answer into a queue and returns, as that of `Watcher` does.
    The task begins with the first answer. What waits when the event loop ends is sent at the end of
    the program.

    Parameters
    ----------
    stream, url, token, batch, interval_s, capacity, capacity_bytes, timeout_s, exit_timeout_s
        See `Watcher`.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> import asyncio
    >>> from hayflick_client import AsyncWatcher
    >>> async def answer():
    ...     watcher = AsyncWatcher("help desk", url="http://127.0.0.1:9", token="hf_...")
    ...     watcher.record("Your order is on its way.", group="model-a")
    ...     await watcher.close(timeout_s=0)  # nothing listens there
    ...     return watcher.counts.dropped
    >>> asyncio.run(answer())
    1
    """

    def _begin(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._wake, self._settled = asyncio.Event(), asyncio.Event()

    async def flush(self, timeout_s: float | None = None) -> bool:
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
            self._start(asyncio.get_running_loop())
            self._wake.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not self._outbox.settled(number):
                    self._settled.clear()
                    await self._settled.wait()
        return self._outbox.settled(number)

    async def close(self, timeout_s: float | None = None) -> None:
        """Send what waits, for a time, and take nothing more; what is left is dropped and counted.

        Parameters
        ----------
        timeout_s
            Seconds to take at most; None is `exit_timeout_s`.
        """
        atexit.unregister(self._close_at_exit)
        self._closed = True
        await self.flush(self._exit_timeout_s if timeout_s is None else timeout_s)
        self._give_up()
        # The task of a loop that has ended has ended with it.
        if self._task is not None and self._loop is asyncio.get_running_loop():
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def _close_at_exit(self) -> None:
        self._closed = True
        self._send_until(time.monotonic() + self._exit_timeout_s)
        self._give_up()

    def _queued(self, waiting: int) -> None:
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is not None:
            self._start(here)
        if waiting != 1 and waiting < self._batch:
            return
        if here is not None and here is self._loop:
            self._wake.set()
        elif self._loop is not None and not self._loop.is_closed():
            # Another thread than the loop's.
            self._loop.call_soon_threadsafe(self._wake.set)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        ended = self._loop is None or self._loop.is_closed()
        if not ended and (loop is not self._loop or (self._task and not self._task.done())):
            return
        # Events belong to the loop that waits for them first.
        self._wake, self._settled = asyncio.Event(), asyncio.Event()
        self._loop = loop
        self._task = loop.create_task(self._run(), name="hayflick watcher")

    async def _run(self) -> None:
        """Send what waits, until the watcher is closed and nothing waits."""
        import httpx

        async with httpx.AsyncClient(**self._options()) as client:
            while (batch := await self._next()) is not None:
                wait_s = self._settle(batch, await self._exchange(client, batch))
                self._settled.set()
                if wait_s > 0.0:
                    await asyncio.sleep(wait_s)

    async def _next(self) -> Batch | None:
        while True:
            self._wake.clear()
            wait_s = self._wait_s()
            if wait_s == 0.0:
                batch = self._outbox.take()
                if batch is not None:
                    return batch
            elif wait_s is None and self._closed:
                return None
            else:
                try:
                    async with asyncio.timeout(wait_s):
                        await self._wake.wait()
                except TimeoutError:
                    continue

    async def _exchange(self, client: httpx.AsyncClient, batch: Batch) -> ServiceReply:
        try:
            body, headers = encoded(batch.body())
            address = f"{self._address}/{batch.path}"
            return reply_of(await client.post(address, content=body, headers=headers))
        except Exception as fault:
            return failed(fault)
