"""Write to the store: jobs that wait together are committed together.

A commit waits for the disk, whatever it holds, so one for a hundred answers costs what one for a
single answer does. What a job returns is handed out after the commit: then it is durable.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeAlias, TypeVar

import sqlalchemy as sa

from hayflick.core.errors import HayflickError
from hayflick.storage.database import Database

T = TypeVar("T")
Job: TypeAlias = Callable[[sa.Connection], T]

_MOST_TOGETHER = 200
# PostgreSQL: serialization failure, and deadlock.
_CONFLICTS = ("40001", "40P01")


class WriterBusy(HayflickError):  # noqa: N818
    """So many jobs wait that another one would wait too long."""


class WriteFailure(HayflickError):  # noqa: N818
    """The store cannot be written now; nothing of the job was kept."""


class Writer:
    """A thread that runs jobs in the order of their arrival, many in one transaction.

    A job that raises an error leaves nothing behind, and the others of its transaction stay. If the
    transaction itself fails, every job of it fails with `WriteFailure`, and the next ones are
    tried again.

    Parameters
    ----------
    database
        The store.
    most_waiting
        Jobs that may wait; another one is refused.
    """

    def __init__(self, database: Database, *, most_waiting: int = 1000) -> None:
        self._database = database
        self._waiting: queue.Queue[tuple[Job[Any], Future[Any]] | None] = queue.Queue(most_waiting)
        self._thread = threading.Thread(target=self._run, name="hayflick writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end."""
        self._waiting.put(None)
        self._thread.join()

    @property
    def waiting(self) -> int:
        """Number of jobs that wait."""
        return self._waiting.qsize()

    def submit(self, job: Job[T]) -> Future[T]:
        """Return what the job will return, after its commit.

        Raises
        ------
        WriterBusy
            If too many jobs wait.
        """
        future: Future[T] = Future()
        try:
            self._waiting.put_nowait((job, future))
        except queue.Full:
            raise WriterBusy(f"{self._waiting.maxsize} writes are waiting") from None
        return future

    def write(self, job: Job[T]) -> T:
        """Return what the job returns, once it is committed; waits for its turn."""
        future: Future[T] = Future()
        self._waiting.put((job, future))
        return future.result()

    def _run(self) -> None:
        ended = False
        while not ended:
            batch = [self._waiting.get()]
            while len(batch) < _MOST_TOGETHER and batch[-1] is not None:
                try:
                    batch.append(self._waiting.get_nowait())
                except queue.Empty:
                    break
            ended = batch[-1] is None
            # A job whose requester has gone away is not begun.
            jobs = [one for one in batch if one and one[1].set_running_or_notify_cancel()]
            if jobs:
                self._write(jobs)

    def _write(self, batch: list[tuple[Job[Any], Future[Any]]]) -> None:
        done: list[tuple[Future[Any], Any, BaseException | None]] = []
        try:
            with self._database.transaction() as connection:
                for job, future in batch:
                    done.append((future, *_outcome(connection, job)))
        except Exception as fault:
            if len(batch) > 1 and _is_conflict(fault):
                # Another process holds what these jobs take in another order.
                for one in batch:
                    self._write([one])
                return
            failure = WriteFailure(str(fault))
            failure.__cause__ = fault
            done = [(future, None, failure) for _, future in batch]
        for future, result, error in done:
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)


def _is_conflict(fault: BaseException) -> bool:
    """Return whether a transaction was ended because two of them waited for each other."""
    cause = fault.__cause__
    return isinstance(cause, sa.exc.DBAPIError) and (
        getattr(cause.orig, "sqlstate", None) in _CONFLICTS
    )


def _outcome(connection: sa.Connection, job: Job[T]) -> tuple[T | None, BaseException | None]:
    """Return what a job returns, or the error that it raises without harm to the transaction."""
    try:
        with connection.begin_nested():
            return job(connection), None
    except sa.exc.OperationalError as fault:
        # The store itself fails: so does the transaction.
        raise _first(fault) from None
    except Exception as fault:
        return None, fault


def _first(fault: sa.exc.OperationalError) -> sa.exc.OperationalError:
    """Return what went wrong first: a savepoint is gone where the transaction has ended already."""
    first, chained = fault, fault.__context__
    while chained is not None:
        first = chained if isinstance(chained, sa.exc.OperationalError) else first
        chained = chained.__context__
    return first
