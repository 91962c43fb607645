"""Two workers of a Dask cluster on this machine against one, and Dask against processes."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import partial

import hayflick as hf
from hayflick.core.reproducibility import LOGICAL_BLOCK
from hayflick.simulation.executors import open_executor
from pairs import Result, seconds

# A task, 32 replicates, takes about a second.
SETTINGS = {"samples": 1_000_000, "generations": 28, "seed": 1, "block_size": LOGICAL_BLOCK}
TASKS, PAIRS, CELLS = 20, 5, 80
# Cells that no law answers, over a minute of work for one processor.
STUDY = {
    "format_version": 1,
    "family": "zipf:10000",
    "generations": 10,
    "samples": [80_000 + 1_000 * step for step in range(CELLS)],
    "regime": "accumulate",
    "replicates": 64,
}


def run(executor: Executor, *, tasks: int) -> None:
    hf.simulate("zipf:10000", replicates=LOGICAL_BLOCK * tasks, executor=executor, **SETTINGS)


@contextmanager
def dask_workers(number: int) -> Iterator[Executor]:
    """Open workers of one thread each, processes of this machine, that have worked already."""
    import distributed

    with (
        distributed.LocalCluster(
            n_workers=number, threads_per_worker=1, protocol="tcp", dashboard_address=":0"
        ) as cluster,
        open_executor(cluster.scheduler_address) as executor,
    ):
        run(executor, tasks=2 * number)
        yield executor


def speedup() -> Result:
    """Measure a study on one worker and on two."""
    took = []
    for number in (1, 2):
        with dask_workers(number) as executor:
            took.append(seconds(partial(hf.sweep, STUDY, executor=executor)))
    one, two = took
    return Result(
        name=f"a study of {CELLS} simulated cells, on Dask workers of one thread of this machine",
        ours=f"2 workers: {two:.3g} s",
        alternative=f"1 worker: {one:.3g} s",
        figure=f"{one / two:.2f} ×",
        target="≥ 1.7 ×, of ≥ 60 s",
        met=one / two >= 1.7 and one >= 60,
    )


def overhead() -> Result:
    """Measure the same tasks of a second on Dask and on processes, in pairs."""
    with dask_workers(2) as dask, open_executor("processes", workers=2) as processes:
        run(processes, tasks=4)
        pairs = [
            (seconds(lambda: run(dask, tasks=TASKS)), seconds(lambda: run(processes, tasks=TASKS)))
            for _ in range(PAIRS)
        ]
    ratios = sorted(ours / theirs for ours, theirs in pairs)
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    above = statistics.median(ratios) - 1
    spread = f"{ratios[0] - 1:.1%} to {ratios[-1] - 1:.1%}"
    return Result(
        name=f"{TASKS} tasks of about {2 * theirs / TASKS:.1f} s on two workers",
        ours=f"Dask: {ours:.3g} s",
        alternative=f"processes: {theirs:.3g} s",
        figure=f"{above:.1%} above ({spread})",
        target="< 5%",
        met=above < 0.05,
    )


def results() -> Iterator[Result]:
    yield speedup()
    yield overhead()
