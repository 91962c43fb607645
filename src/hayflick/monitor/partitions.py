"""Files that are summarised each by itself, here or by the workers of an executor.

What fails for a reason that may pass is tried again; a file whose process is killed each time is
told apart from those that were read beside it.
"""

from __future__ import annotations

import errno
import os
import platform
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import polars as pl

from hayflick.core.effort import Effort, expect
from hayflick.core.errors import (
    ArgumentError,
    DataError,
    ExecutorError,
    HayflickError,
    MissingExtraError,
    OutputError,
    StoreError,
    UndecodableError,
)
from hayflick.core.object_faults import AccessError
from hayflick.core.progress import Progress, silent
from hayflick.corpus.files import InputFile
from hayflick.embed.embedder import Embedder, embed_all, parse_embedder
from hayflick.monitor.summaries import AnswerSummary
from hayflick.simulation.executors import (
    POLL_S,
    DaskExecutor,
    ProcessesExecutor,
    scheduler_lost,
    sender,
    worker_address,
)

_KEPT: dict[str, Embedder] = {}
_LOCK = threading.Lock()


def kept_embedder(given: str | Embedder) -> Embedder:
    """Return an embedder, the same one for every partition that this process reads.

    Its model is loaded once.
    """
    with _LOCK:
        if not isinstance(given, str):
            return _KEPT.setdefault(given.id, given)
        if given not in _KEPT:
            _KEPT[given] = parse_embedder(given)
        return _KEPT[given]


def with_vectors(frame: pl.DataFrame, embedder: Embedder) -> pl.DataFrame:
    """Return answers with the vectors of their texts, an empty list for one that holds nothing.

    Raises
    ------
    ArgumentError
        If the answers have no texts.
    DataError
        If the embedder fails.
    """
    if "text" not in frame.columns:
        takes = "none where the answers have no texts"
        raise ArgumentError("embedder", got=embedder.id, takes=takes)
    texts = frame["text"].fill_null("").to_list()
    # Models may not bear several threads at once.
    with _LOCK:
        parts = list(embed_all(embedder, texts))
    if not parts:
        return frame.with_columns(vector=pl.lit([], pl.List(pl.Float32)))
    vectors = np.concatenate(parts).astype(np.float32)
    lists = pl.Series("vector", vectors).cast(pl.List(pl.Float32))
    known = pl.Series(np.isfinite(vectors).all(axis=1))
    empty = pl.lit([], pl.List(pl.Float32))
    columns = frame.with_columns(lists).with_columns(
        vector=pl.when(known).then(pl.col("vector")).otherwise(empty)
    )
    return columns.select(sorted(columns.columns))


_ATTEMPTS = 3
_PAUSE_S = 0.5
_MEASURED_S = 10.0
"""Time after which the rate tells what the rest takes."""

_MOST_KILLED = 5
"""From so many files in a row that kill their process on, it is the machine that does."""

_AHEAD = 2
"""How many files each worker has waiting, beside the one that it reads."""


@dataclass(frozen=True)
class Partition:
    """A file to be summarised.

    Parameters
    ----------
    file
        The file.
    name
        What summaries call it.
    attempt
        How often it was tried before.
    alone
        Whether no other one is read meanwhile.
    failed_on
        Workers of a cluster on which it failed.
    """

    file: InputFile
    name: str
    attempt: int = 0
    alone: bool = False
    failed_on: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Its size, 0 if that is not known."""
        try:
            return self.file.size
        except OSError:
            return 0


Read: TypeAlias = Callable[[Partition, Progress], AnswerSummary]


@dataclass(frozen=True)
class _Outcome:
    """A summary, or why there is none, whether that may pass, and on which worker it was."""

    found: AnswerSummary | HayflickError
    passing: bool = False
    worker: str | None = None


def read_partitions(
    read: Read, partitions: Sequence[Partition], *, executor: Executor | None, progress: Progress
) -> Iterator[tuple[str, AnswerSummary | HayflickError]]:
    """Yield the names of files as they are finished, with their summary, or why there is none.

    Parameters
    ----------
    read
        Reads a file; it can be pickled where there is an executor.
    partitions
        The files.
    executor
        Where they are read. None for one after the other in this process.
    progress
        Called with the number of files and of bytes that were read.

    Raises
    ------
    ExecutorError
        If the scheduler of a cluster, or processes that were not started by hayflick, are lost.
    EffortError
        If it takes so long that a command asks, and nobody agrees.
    """
    if executor is None:
        found = _one_by_one(read, partitions, progress if len(partitions) == 1 else silent)
    else:
        found = _Spread(_Attempt(read), executor).run(partitions)
    sizes = [one.bytes for one in partitions]
    whole = sum(sizes)
    by_name = {one.name: size for one, size in zip(partitions, sizes, strict=True)}
    done = 0
    rate = _Rate(whole)
    for number, (name, one) in enumerate(found, start=1):
        done += by_name[name]
        rate.announce(done, len(partitions) - number, progress)
        progress(f"{len(partitions):,} files", number, len(partitions))
        progress(f"{whole / 1e6:,.2f} MB", done, max(whole, 1))
        yield name, one


class _Rate:
    """How fast files are read, and once what is left of them takes."""

    def __init__(self, whole: int) -> None:
        self._whole = whole
        self._first: tuple[float, int] | None = None
        self._announced = False

    def announce(self, done: int, files: int, progress: Progress) -> None:
        """Say what the bytes that are left take, as soon as that is known."""
        now = time.monotonic()
        if self._first is None:
            # Processes start, and libraries are loaded, before the first file is finished.
            self._first = now, done
            return
        since, before = self._first
        if self._announced or now - since < _MEASURED_S or done == before:
            return
        self._announced = True
        left = (self._whole - done) * (now - since) / (done - before)
        expect(progress, Effort(f"summarising {files:,} more files", left))


def _one_by_one(
    read: Read, partitions: Sequence[Partition], progress: Progress
) -> Iterator[tuple[str, AnswerSummary | HayflickError]]:
    attempt = _Attempt(read, progress)
    for partition in partitions:
        for tried in range(_ATTEMPTS):
            outcome = attempt(replace(partition, attempt=tried))
            if not outcome.passing:
                break
        yield partition.name, outcome.found


@dataclass(frozen=True)
class _Attempt:
    """Reads a file, by any process or machine, and returns errors as values."""

    read: Read
    progress: Progress = silent

    def __call__(self, partition: Partition) -> _Outcome:
        time.sleep(_PAUSE_S * partition.attempt)
        outcome = self._outcome(partition)
        return replace(outcome, worker=worker_address()) if outcome.passing else outcome

    def _outcome(self, partition: Partition) -> _Outcome:
        try:
            return _Outcome(self.read(partition, self.progress))
        except (OutputError, StoreError) as fault:
            return _Outcome(fault, passing=True)
        except AccessError as fault:
            # The environment is that of the worker, where the command has set nothing.
            reader = f" (said by the worker on {platform.node()})" if worker_address() else ""
            return _Outcome(DataError(f"{fault}{reader}"))
        except MissingExtraError as fault:
            where = f"{partition.name}: {platform.node()} cannot read it"
            return _Outcome(DataError(f"{where}: {fault}"))
        except FileNotFoundError:
            lacks = f"{partition.name}: no such file on {platform.node()}, where it is read"
            remedy = "name files of a disk that all machines share, or of an object store"
            return _Outcome(DataError(f"{lacks}; {remedy}"), passing=True)
        except OSError as fault:
            reason = (fault.strerror or str(fault) or "cannot be read").lower()
            return _Outcome(DataError(f"{partition.name}: {reason}"), passing=_may_pass(fault))
        except DataError as fault:
            # This one cannot be pickled.
            found = DataError(str(fault)) if isinstance(fault, UndecodableError) else fault
            return _Outcome(found, passing=_may_pass(fault))


_LASTING = (
    errno.EACCES,
    errno.EPERM,
    errno.EISDIR,
    errno.ENOTDIR,
    errno.EINVAL,
    errno.ENAMETOOLONG,
)


def _may_pass(fault: BaseException | None) -> bool:
    """Return whether an error comes from the disk or the network, not from what a file holds."""
    while fault is not None:
        if isinstance(fault, (ConnectionError, TimeoutError)):
            return True
        # What is wrong with compressed data is an OSError too, without a number.
        if isinstance(fault, OSError) and fault.errno is not None:
            return fault.errno not in _LASTING
        fault = fault.__cause__ or fault.__context__
    return False


class _Spread:
    """Files that are read by the workers of an executor, few of them under way at a time."""

    def __init__(self, attempt: _Attempt, executor: Executor) -> None:
        self._executor = executor
        self._send = sender(executor, attempt)
        self._killed: tuple[type[Exception], ...] = (BrokenExecutor,)
        if isinstance(executor, DaskExecutor):
            self._killed += (executor.killed,)
        self._waiting: deque[Partition] = deque()
        # Files beside which a process was killed are read alone, to tell which of them it was.
        self._suspects: deque[Partition] = deque()
        self._running: dict[Future[_Outcome], Partition] = {}
        self._is_broken = False
        self._killed_in_a_row = 0

    def run(
        self, partitions: Sequence[Partition]
    ) -> Iterator[tuple[str, AnswerSummary | HayflickError]]:
        """Yield the names of files as they are finished, with what was found."""
        self._waiting.extend(map(_reachable, partitions))
        try:
            while self._waiting or self._suspects or self._running:
                self._begin()
                # Without a timeout, Ctrl-C would have to wait.
                done, _ = wait(self._running, timeout=POLL_S, return_when=FIRST_COMPLETED)
                yield from self._finished(done)
                if self._is_broken and isinstance(self._executor, ProcessesExecutor):
                    # All its processes end when one is killed.
                    done, _ = wait(self._running)
                    yield from self._finished(done)
                    self._executor.renew()
                    self._is_broken = False
        finally:
            for future in self._running:
                future.cancel()

    def _begin(self) -> None:
        """Send off what is next: files enough to keep all workers busy, or a suspect alone."""
        if self._suspects:
            if not self._running:
                self._submit(self._suspects)
            return
        while (
            self._waiting
            and not self._is_broken
            and len(self._running) < (1 + _AHEAD) * self._workers
        ):
            self._submit(self._waiting)

    def _submit(self, queue: deque[Partition]) -> None:
        try:
            future = self._send(queue[0])
        except BrokenExecutor as fault:
            self._break(fault)
        else:
            self._running[future] = queue.popleft()

    def _break(self, fault: Exception) -> None:
        """Note that a process was killed; processes of another program are not started again."""
        renewed = isinstance(self._executor, (DaskExecutor, ProcessesExecutor))
        if not renewed or self._killed_in_a_row >= _MOST_KILLED:
            lost = "a process that does the work was killed, perhaps as the memory was full"
            raise ExecutorError(f"{lost}; run it again with fewer workers") from fault
        self._is_broken = isinstance(fault, BrokenExecutor)

    def _finished(
        self, done: Iterable[Future[_Outcome]]
    ) -> Iterator[tuple[str, AnswerSummary | HayflickError]]:
        for future in done:
            partition = self._running.pop(future)
            try:
                outcome = future.result()
            except CancelledError as fault:
                raise scheduler_lost() from fault
            except self._killed as fault:
                self._killed_in_a_row += partition.alone
                self._break(fault)
                if partition.alone:
                    reason = "the process that read it was killed, perhaps as the memory was full"
                    yield partition.name, DataError(f"{partition.name}: {reason}")
                else:
                    self._suspects.append(replace(partition, alone=True))
                continue
            self._killed_in_a_row = 0
            if outcome.passing and partition.attempt + 1 < _ATTEMPTS:
                failed_on = (*partition.failed_on, *filter(None, [outcome.worker]))
                again = replace(partition, attempt=partition.attempt + 1, failed_on=failed_on)
                self._waiting.append(again)
            else:
                yield partition.name, outcome.found

    @property
    def _workers(self) -> int:
        executor = self._executor
        if isinstance(executor, (DaskExecutor, ProcessesExecutor)):
            return executor.workers
        # Executors of the standard library have it; of others, that of this machine is a guess.
        return int(getattr(executor, "_max_workers", os.cpu_count() or 1))


def _reachable(partition: Partition) -> Partition:
    """Return a file by its whole path: workers have other folders of work."""
    file = partition.file
    if file.url is not None:
        return partition
    return replace(partition, file=replace(file, path=file.path.absolute()))
