"""Where the blocks of a simulation run: threads, processes, or the machines of a Dask cluster.

An executor is one of `concurrent.futures`, or any with its interface. Blocks carry their own random
streams, so that all of them give the same numbers.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from contextlib import contextmanager, suppress
from multiprocessing import parent_process
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, TypeVar

from typing_extensions import override

from hayflick.core.checks import MOST_THREADS, whole_number
from hayflick.core.errors import ArgumentError, ExecutorError, MissingExtraError

Task = TypeVar("Task")
Result = TypeVar("Result")


def worker_count(workers: int | None) -> int:
    """Return the number of workers, one for each processor where None.

    Raises
    ------
    ArgumentError
        If it is out of its range.
    """
    number = (os.cpu_count() or 1) if workers is None else workers
    return whole_number("workers", number, at_least=1, at_most=MOST_THREADS)


@contextmanager
def process_executor(workers: int | None = None) -> Iterator[Executor]:
    """Open processes of this machine.

    A script that does so keeps its own work under ``if __name__ == "__main__":``, as each process
    imports it.

    Parameters
    ----------
    workers
        How many; one for each processor where None.

    Raises
    ------
    ArgumentError
        If the number is out of its range.

    Examples
    --------
    >>> from hayflick.simulation.simulate import simulate
    >>> with process_executor(1) as processes:
    ...     runs = simulate("zipf:9", samples=9, generations=2, seed=1, executor=processes)
    >>> runs.sizes["replicate"]
    200
    """
    executor = ProcessesExecutor(worker_count(workers))
    try:
        yield executor
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
        # What still works after Ctrl-C is waited for by nobody.
        executor.context.end()


class ProcessesExecutor(Executor):
    """Processes of this machine, of which others can be started where one was killed.

    Parameters
    ----------
    workers
        How many.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        # A process that is forked beside threads may wait for a lock that nobody holds any more.
        self.context = _Workers()
        self._pool = self._opened()

    def _opened(self) -> Executor:
        return ProcessPoolExecutor(self.workers, mp_context=self.context, initializer=_begin_worker)

    def renew(self) -> None:
        """Start other processes: when one is killed, all others end too."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = self._opened()

    @override
    def submit(self, fn: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:
        return self._pool.submit(fn, *args, **kwargs)

    @override
    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)


def _begin_worker() -> None:
    """Leave Ctrl-C to the process that started this one, and end with it even if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()

    def end_with_parent() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


class _Worker(SpawnProcess):
    """A process that leaves Ctrl-C to the one that started it, from its first moment."""

    @override
    def start(self) -> None:
        if hasattr(signal, "pthread_sigmask"):
            before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
            try:
                super().start()
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        else:
            super().start()


class _Workers(SpawnContext):
    """Starts processes, and ends them."""

    def __init__(self) -> None:
        super().__init__()
        self._started: list[_Worker] = []

    def Process(self, *args: Any, **kwargs: Any) -> _Worker:  # type: ignore[override]  # noqa: N802
        worker = _Worker(*args, **kwargs)
        self._started.append(worker)
        return worker

    def end(self) -> None:
        deadline = time.monotonic() + _GRACE_S
        for worker in self._started:
            worker.join(max(0.0, deadline - time.monotonic()))
        for worker in self._started:
            if worker.is_alive():
                worker.terminate()
                worker.join()
        # The pool's own thread may have seen one end first, and be about to say so.
        deadline = time.monotonic() + _GRACE_S
        while any(worker.is_alive() for worker in self._started) and time.monotonic() < deadline:
            time.sleep(0.001)


@contextmanager
def open_executor(
    scheduler: str | None, *, workers: int | None = None
) -> Iterator[Executor | None]:
    """Open where a command's work runs.

    Parameters
    ----------
    scheduler
        ``threads`` of this process, ``processes`` of this machine, or the address of a running
        Dask scheduler such as ``tcp://host:8786``. None for threads.
    workers
        Number of processes; one for each processor where None. A cluster has its own.

    Yields
    ------
    The executor; None for threads, which the work opens by itself.

    Raises
    ------
    ArgumentError
        If `scheduler` is none of these, or a cluster with `workers`.
    MissingExtraError
        If it is an address, and the extra ``cluster`` is not installed.
    ExecutorError
        If the scheduler cannot be reached, has no worker, or runs other versions.

    Examples
    --------
    >>> with open_executor("threads") as executor:
    ...     print(executor)
    None
    """
    if scheduler is None or scheduler == "threads":
        yield None
    elif scheduler == "processes":
        with process_executor(workers) as executor:
            yield executor
    elif _ADDRESS.fullmatch(scheduler):
        if workers is not None:
            takes = "nothing beside a cluster, which has its own workers"
            raise ArgumentError("workers", got=workers, takes=takes)
        with _dask_executor(scheduler) as executor:
            yield executor
    else:
        takes = "threads, processes, or the address of a Dask scheduler: tcp://host:8786"
        raise ArgumentError("scheduler", got=scheduler, takes=takes)


POLL_S = 0.05
"""How often what waits for work looks for Ctrl-C, seconds."""

_GRACE_S = 1.0


def completed(
    executor: Executor, work: Callable[[Task], Result], tasks: Iterable[Task]
) -> Iterator[Result]:
    """Yield what `work` returns for each task, in the order in which they finish.

    What was not begun is cancelled where the caller stops before the end.

    Parameters
    ----------
    executor
        Where the tasks run. To a cluster, `work` is sent once.
    work, tasks
        What is called, and with what; both can be pickled.

    Raises
    ------
    ExecutorError
        If the processes or machines are lost.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with ThreadPoolExecutor(2) as threads:
    ...     sorted(completed(threads, abs, [-2, 3, -1]))
    [1, 2, 3]
    """
    pending: set[Future[Result]] = set()
    killed: tuple[type[Exception], ...] = (BrokenExecutor,)
    try:
        if isinstance(executor, DaskExecutor):
            killed += (executor.killed,)
        submit = sender(executor, work)
        pending = {submit(task) for task in tasks}
        while pending:
            # Without a timeout, Ctrl-C would have to wait.
            done, pending = wait(pending, timeout=POLL_S, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    except CancelledError as fault:
        raise scheduler_lost() from fault
    except killed as fault:
        lost = "a process that does the work was killed, perhaps as the memory was full"
        raise ExecutorError(f"{lost}; run it again with fewer workers") from fault
    finally:
        for future in pending:
            future.cancel()


def sender(executor: Executor, work: Callable[[Task], Result]) -> Callable[[Task], Future[Result]]:
    """Return what begins `work` for a task; to a cluster, `work` is sent once.

    A task that failed on workers of a cluster, `failed_on`, is sent to other ones.
    """
    if isinstance(executor, DaskExecutor):
        shared = executor.share(work)
        return lambda task: executor.submit(
            _call, shared, task, **executor.elsewhere(getattr(task, "failed_on", ()))
        )
    return lambda task: executor.submit(work, task)


def worker_address() -> str | None:
    """Return the address of the worker of a cluster that runs this; None elsewhere."""
    distributed: Any = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        return str(distributed.get_worker().address)
    except ValueError:
        return None


def scheduler_lost() -> ExecutorError:
    """Return the error of work that a scheduler has cancelled."""
    lost = "the scheduler is lost, or has cancelled the work"
    return ExecutorError(f"{lost}; see its log, and run it again")


def _call(work: Callable[[Task], Result], task: Task) -> Result:
    return work(task)


class DaskExecutor(Executor):
    """The workers of a Dask cluster.

    Parameters
    ----------
    client
        Connected to the cluster's scheduler.
    killed
        What Dask raises for a task whose workers were killed, one after the other.
    """

    def __init__(self, client: Any, *, killed: type[Exception]) -> None:
        self._client = client
        self._executor: Executor = client.get_executor(pure=False)
        self.killed = killed

    @property
    def workers(self) -> int:
        """How many tasks run at once."""
        return max(sum(self._threads().values()), 1)

    def _threads(self) -> dict[str, int]:
        """Return the number of threads of each worker, by its address."""
        try:
            return dict(self._client.nthreads())
        except (OSError, TimeoutError, ValueError) as fault:
            raise scheduler_lost() from fault

    def share(self, value: object) -> Any:
        """Send a value to the cluster once; return what stands for it in tasks.

        It is the result of a task: where its worker is lost, another one makes it again.
        """
        import dask

        # A large value is no mistake, as it is sent once.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}):
            return self._client.submit(pickle.loads, pickle.dumps(value), pure=False)

    def elsewhere(self, failed_on: Collection[str]) -> dict[str, Any]:
        """Return what `submit` takes for a task that prefers other workers, by their addresses."""
        if not failed_on:
            return {}
        others = [one for one in self._threads() if one not in failed_on]
        return {"workers": others, "allow_other_workers": True} if others else {}

    @override
    def submit(self, fn: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:
        return self._executor.submit(fn, *args, **kwargs)

    @override
    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._executor.shutdown(wait=wait and not cancel_futures)


_ADDRESS = re.compile(r"(?:tcp|tls|wss?)://\S+:\d+")
_CONNECT_S = 10


@contextmanager
def _dask_executor(address: str) -> Iterator[Executor]:
    try:
        import distributed
    except ImportError:
        raise MissingExtraError("a Dask cluster", extra="cluster") from None
    _quiet()
    _check_scheduler(address)
    connect: Any = distributed.Client
    try:
        client = connect(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as fault:
        raise _unreachable(address) from fault
    try:
        # Workers may be on their way.
        with suppress(TimeoutError):
            client.wait_for_workers(1, timeout=_CONNECT_S)
        _check_versions(client, address)
        yield DaskExecutor(client, killed=distributed.KilledWorker)
    finally:
        with suppress(OSError, TimeoutError):
            client.close(timeout=_CONNECT_S)


def _check_scheduler(address: str) -> None:
    """Refuse an address at which no scheduler answers in time; other servers may say anything."""
    import distributed

    # It has no types for what it exports.
    dask: Any = distributed

    async def ask() -> None:
        arguments = dask.Security().get_connection_args("client")
        async with dask.rpc(address, timeout=_CONNECT_S, connection_args=arguments) as scheduler:
            if (await scheduler.identity())["type"] != "Scheduler":
                raise ValueError

    async def ask_in_time() -> None:
        await asyncio.wait_for(ask(), _CONNECT_S)

    # In a thread of its own, as a notebook has a loop in this one.
    with ThreadPoolExecutor(1) as thread:
        try:
            thread.submit(asyncio.run, ask_in_time()).result()
        except Exception as fault:
            raise _unreachable(address) from fault


def _unreachable(address: str) -> ExecutorError:
    check = "check the address, and that the scheduler runs (dask scheduler)"
    if address.startswith(("tls:", "wss:")):
        check += "; its certificates are named in Dask's settings, distributed.comm.tls"
    return ExecutorError(f"{address}: no scheduler answers; {check}")


def _quiet() -> None:
    """Leave to our own messages what Dask logs when connections are lost."""
    for name in ("distributed.client", "distributed.batched", "distributed.core"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


_PACKAGES = ("hayflick", "numpy", "dask", "distributed", "cloudpickle")


def _check_versions(client: Any, address: str) -> None:
    """Refuse a cluster without workers, and one whose machines have other versions."""
    found = client.get_versions(packages=["hayflick"])
    if not found["workers"]:
        raise ExecutorError(f"{address}: the scheduler has no worker; start some: dask worker")
    own = _versions(found["client"])
    others = {"the scheduler": found["scheduler"], **found["workers"]}
    for place, one in others.items():
        theirs = _versions(one)
        # The scheduler never loads what tasks are made of.
        names = own if place != "the scheduler" else ("Python", "dask", "distributed")
        for name in names:
            if theirs.get(name) != own[name]:
                has = theirs.get(name) or "none"
                raise ExecutorError(
                    f"{address}: {place} has {name} {has}, this machine has {own[name]};"
                    " install the same version on all machines"
                )


def _versions(one: Mapping[str, Any]) -> dict[str, str | None]:
    packages = one["packages"]
    python = ".".join(str(packages.get("python", "")).split(".")[:2])
    return {"Python": python, **{name: packages.get(name) for name in _PACKAGES}}
