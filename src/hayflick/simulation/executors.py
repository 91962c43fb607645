"""Where the blocks of a simulation run: threads, processes, or the machines of a Dask cluster.

An executor is one of `concurrent.futures`, or any with its interface. Blocks carry their own random
streams, so that all of them give the same numbers.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager

from hayflick.core.checks import MOST_THREADS, whole_number


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
    # A process that is forked beside threads may wait for a lock that nobody holds any more.
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(worker_count(workers), mp_context=context)
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)
