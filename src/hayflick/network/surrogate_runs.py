"""Runs of interacting Gaussian mixtures, over threads, processes or a cluster."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.checks import MOST_REPLICATES, MOST_THREADS, whole_number
from hayflick.core.effort import Effort, expect
from hayflick.core.errors import ArgumentError
from hayflick.core.progress import Progress, silent
from hayflick.core.reproducibility import LOGICAL_BLOCK, fresh_seed, provenance, stream
from hayflick.network import surrogate as kernels
from hayflick.network.surrogate import Surrogate, Workload
from hayflick.simulation.executors import DaskExecutor, completed

if TYPE_CHECKING:
    import xarray

FORMAT_VERSION = 1
"""Of the Dataset's names and dimensions."""

_Run: TypeAlias = tuple[Floats, ...]

_MOST_POINTS = 2**32
# Weights of a run: its own, two of the distance, and the Dataset's.
_COPIES = 4
_LONG_ENOUGH_S = 0.1


def simulate_surrogate(
    surrogate: Surrogate,
    *,
    rounds: int,
    replicates: int = 20,
    seed: int | None = None,
    threads: int | None = None,
    executor: Executor | None = None,
    progress: Progress = silent,
) -> xarray.Dataset:
    """Simulate interacting mixtures.

    The same seed gives the same Dataset, whatever the threads and the executor. Agents read where
    the pool lies. A large pool (of more than 67 million points times components) keeps the points
    alone, and likelihoods are worked out on reading: an eleventh of the memory for 11 components,
    in up to twice the time, and the same numbers.

    Parameters
    ----------
    surrogate
        The system.
    rounds
        Number of rounds, T.
    replicates
        Number of independent runs.
    seed
        Of the random streams, at least 0; None to draw one, which is recorded.
    threads
        Number of threads; None for one per processor. On an executor, of every run; None for 1.
    executor
        Where the runs are made, each as a task: of `concurrent.futures`, or any with its
        interface, such as `hayflick.simulation.executors.process_executor`; None for threads of
        this process.
    progress
        Called with the number of runs done.

    Returns
    -------
    A Dataset with dimensions ``replicate``, ``generation`` (rounds 0 … T), ``agent`` and
    ``component``: ``weights`` and ``squared_distance`` (|D|_F², D_ij = |π_i - π_j|), and over
    ``round`` (1 … T) ``seen``, the mean responsibilities of the points that were read, ``read``,
    how many points an agent read, and ``pool``, how many points there were. Attribute
    ``provenance`` is JSON.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or nothing or too much would be read.
    EffortError
        If the runs take more memory than the machine has.
    ExecutorError
        If the executor is lost: a process that was killed, a scheduler that is gone.

    Examples
    --------
    >>> paper = Surrogate(means=(-5.0, 5.0), agents=3, draws=3, share_read=0.5)
    >>> runs = simulate_surrogate(paper, rounds=40, replicates=10, seed=1)
    >>> distance = runs["squared_distance"].mean("replicate")
    >>> bool(distance[40] < 0.1 * distance[0])
    True
    """
    replicates = whole_number("replicates", replicates, at_least=1, at_most=MOST_REPLICATES)
    seed = fresh_seed() if seed is None else whole_number("seed", seed, at_least=0)
    unsaid = 1 if executor is not None else os.cpu_count() or 1
    workers = unsaid if threads is None else threads
    workers = whole_number("threads", workers, at_least=1, at_most=MOST_THREADS)
    simulation = _Simulation(surrogate, rounds=rounds, seed=seed)
    expect(progress, simulation.effort(replicates, threads=workers, executor=executor))
    runs = {}
    for number, run in simulation.runs(replicates, threads=workers, executor=executor):
        runs[number] = run
        progress("simulating", len(runs), replicates)
    return simulation.dataset([runs[number] for number in range(replicates)])


@dataclass(frozen=True, eq=False)
class SurrogateMeasures:
    """What was measured in some runs.

    Parameters
    ----------
    squared_distance
        |D|_F², shape ``(runs, rounds + 1)``.
    components
        The expected share of components among what agents post in a round, of the same shape.
    seen
        The mean responsibilities of the points that were read in the last round, shape
        ``(runs, components)``.
    """

    squared_distance: Floats
    components: Floats
    seen: Floats


def surrogate_measures(
    surrogate: Surrogate, *, rounds: int, seed: int, runs: Sequence[int]
) -> SurrogateMeasures:
    """Return what is measured in some of the runs of `simulate_surrogate`, without their weights.

    Parameters
    ----------
    surrogate, rounds, seed
        As of `simulate_surrogate`.
    runs
        Numbers of the runs, from 0.

    Raises
    ------
    ArgumentError
        As `simulate_surrogate`.

    Examples
    --------
    >>> paper = Surrogate(means=(-5.0, 5.0), agents=3, draws=3, share_read=0.5)
    >>> found = surrogate_measures(paper, rounds=4, seed=1, runs=[1])
    >>> whole = simulate_surrogate(paper, rounds=4, seed=1, replicates=2)
    >>> bool((whole["squared_distance"][1] == found.squared_distance[0]).all())
    True
    """
    simulation = _Simulation(surrogate, rounds=rounds, seed=seed)
    distances, components, seen = [], [], []
    for number in runs:
        weights, squared_distance, responsibilities = simulation.run(number, over=map)
        distances.append(squared_distance)
        missed = np.prod((1.0 - weights) ** surrogate.draws, axis=1)
        components.append(1.0 - missed.mean(axis=1))
        seen.append(responsibilities[-1])
    return SurrogateMeasures(np.stack(distances), np.stack(components), np.stack(seen))


def surrogate_memory(surrogate: Surrogate, rounds: int) -> float:
    """Return the bytes that one run takes: its pool, and the weights of all rounds."""
    pool = 8.0 * float(surrogate.pool(rounds)[-1]) * surrogate.numbers_kept(rounds)
    return pool + 8.0 * 2 * (rounds + 1) * surrogate.agents * surrogate.components


def timed_work(
    surrogate: Surrogate, rounds: int, *, replicates: int = 20, threads: int | None = None
) -> Workload:
    """Return how much there is to compute, and how long it takes on this machine.

    A first part of the work is timed three times, for a tenth of a second or more each, and
    scaled up with `Surrogate.work`. Compiling is not included.

    Parameters
    ----------
    surrogate, rounds, replicates, threads
        As of `simulate_surrogate`.

    Raises
    ------
    ArgumentError
        As `simulate_surrogate`.

    Examples
    --------
    >>> paper = Surrogate(means=(-5.0, 5.0), agents=3, draws=3, share_read=0.5)
    >>> work = timed_work(paper, 200)
    >>> work.evaluations, work.seconds > 0
    (10848000, True)
    """
    whole = surrogate.work(rounds, replicates=replicates)
    workers = (os.cpu_count() or 1) if threads is None else threads
    runs = min(replicates, 2 * workers)

    def timed(tried: int) -> float:
        start = time.perf_counter()
        simulate_surrogate(surrogate, rounds=tried, replicates=runs, seed=0, threads=workers)
        return time.perf_counter() - start

    tried = 1
    timed(tried)
    while tried < rounds and timed(tried) < _LONG_ENOUGH_S:
        tried = min(2 * tried, rounds)
    # Other programs may get in the way of one of them.
    seconds = median(timed(tried) for _ in range(3))
    part = surrogate.work(tried, replicates=runs)
    return replace(whole, seconds=seconds * whole.seconds / part.seconds)


class _Simulation:
    """The runs of a system: what they share, and how one is made."""

    def __init__(self, surrogate: Surrogate, *, rounds: int, seed: int) -> None:
        self.surrogate, self.seed = surrogate, seed
        self.numbers = surrogate.numbers_read(rounds)
        agents = surrogate.agents
        posted = agents * surrogate.draws
        starts = range(0, agents, LOGICAL_BLOCK)
        self.blocks = [slice(start, min(start + LOGICAL_BLOCK, agents)) for start in starts]
        self.layout = np.array(
            [surrogate.originals, surrogate.draws, posted, surrogate.injected], np.int64
        )
        self.points, self.kept = surrogate.pool(rounds), surrogate.numbers_kept(rounds)
        if self.points[-1] > _MOST_POINTS:
            got = f"{len(self.numbers)} rounds of {agents} agents"
            takes = f"a pool of at most {_MOST_POINTS:,} points"
            raise ArgumentError("rounds", got=got, takes=takes)
        # Whose points every agent may read, one list after the other, and where each starts.
        self.authors, self.starts = np.arange(agents), np.zeros(0, np.int64)
        if surrogate.topology is not None:
            neighbours = enumerate(surrogate.topology.neighbours)
            lists = [sorted((*read, agent)) for agent, read in neighbours]
            self.authors = np.concatenate(lists)
            self.starts = np.concatenate([[0], np.cumsum([len(read) for read in lists])])

    def effort(self, replicates: int, *, threads: int, executor: Executor | None) -> Effort:
        """Return what runs take: on this machine all results, and the pools of its runs."""
        surrogate, rounds = self.surrogate, len(self.numbers)
        pools = 1 if executor is not None or self.inside(threads) else min(threads, replicates)
        workers = threads
        if isinstance(executor, DaskExecutor):
            pools, workers = 0, threads * min(executor.workers, replicates)
        work = surrogate.work(rounds, replicates=replicates, threads=workers)
        weights = 8.0 * (rounds + 1) * surrogate.agents * surrogate.components
        memory = 8.0 * pools * int(self.points[-1]) * self.kept
        memory += _COPIES * replicates * weights
        runs = "a run" if replicates == 1 else f"{replicates:,} runs"
        name = f"simulating {runs} of {surrogate.agents:,} mixtures"
        return Effort(name, seconds=work.seconds, memory=memory)

    def inside(self, threads: int) -> bool:
        """Return whether the blocks of one run keep all threads busy."""
        return len(self.blocks) >= threads

    def runs(
        self, replicates: int, *, threads: int, executor: Executor | None
    ) -> Iterator[tuple[int, _Run]]:
        """Yield the number of each run and the run, in any order."""
        if executor is not None:
            yield from completed(executor, partial(self.run_alone, threads), range(replicates))
            return
        with ThreadPoolExecutor(threads) as pool:
            inner, outer = (pool.map, map) if self.inside(threads) else (map, pool.map)
            made = outer(lambda number: self.run(number, over=inner), range(replicates))
            yield from enumerate(made)

    def run_alone(self, threads: int, number: int) -> tuple[int, _Run]:
        """Return the number of a run, and the run, made by threads of its own."""
        if threads == 1:
            return number, self.run(number, over=map)
        with ThreadPoolExecutor(threads) as pool:
            return number, self.run(number, over=pool.map)

    def run(self, number: int, *, over: Callable[..., Iterable[None]]) -> _Run:
        """Return the weights, |D|_F² and the mean responsibilities of a run.

        `over` maps over blocks of agents, as `map` does. Every block has a stream of random
        numbers, and real points have one.
        """
        surrogate, blocks = self.surrogate, self.blocks
        rounds, agents, components = len(self.numbers), surrogate.agents, surrogate.components
        means, deviation = np.array(surrogate.means), float(surrogate.deviation)
        streams = len(blocks) + 1
        rngs = [stream(self.seed, block=number * streams + own) for own in range(streams)]
        weights = np.empty((rounds + 1, agents, components))
        for rng, own in zip(rngs, blocks, strict=False):
            weights[0, own] = rng.dirichlet(np.ones(components), own.stop - own.start)
        pool = np.empty((self.points[-1], self.kept))
        seen = np.zeros((rounds, len(blocks), components))

        def post_real(first: int, count: int) -> None:
            even = np.full((count, components), 1.0 / components)
            kernels.post(rngs[-1], even, means, deviation, 1, pool[first : first + count])

        def post(place: int, first: int) -> None:
            def post_block(block: int) -> None:
                own = blocks[block]
                rows = slice(
                    first + own.start * surrogate.draws, first + own.stop * surrogate.draws
                )
                args = (weights[place, own], means, deviation, surrogate.draws, pool[rows])
                kernels.post(rngs[block], *args)

            # Every block is waited for.
            list(over(post_block, range(len(blocks))))
            post_real(first + agents * surrogate.draws, surrogate.injected)

        def read(place: int, old: int) -> None:
            weights[place + 1] = weights[place]

            def read_block(block: int) -> None:
                own = blocks[block]
                kernels.read(
                    rngs[block],
                    weights[place + 1, own],
                    means,
                    deviation,
                    pool[:old],
                    self.layout,
                    self.authors,
                    self.starts[own.start : own.stop + 1],
                    self.numbers[place, own],
                    seen[place, block],
                )

            list(over(read_block, range(len(blocks))))

        post_real(0, surrogate.originals)
        if surrogate.originals == 0:
            post(0, 0)
        for place, old in enumerate(self.points[:-1].tolist()):
            post(place, old)
            read(place, old)
        away = weights - weights.mean(axis=1, keepdims=True)
        squared_distance = 2.0 * agents * np.sum(away**2, axis=(1, 2))
        responsibilities = seen.sum(axis=1) / self.numbers.sum(axis=1, keepdims=True)
        return weights, squared_distance, responsibilities

    def dataset(self, runs: list[_Run]) -> xarray.Dataset:
        """Return runs as a Dataset."""
        import xarray

        rounds = len(self.numbers)
        weights, squared_distance, seen = (np.stack(values) for values in zip(*runs, strict=True))
        axes = ("replicate", "generation")
        parameters = {**self.surrogate.describe(), "rounds": rounds, "replicates": len(runs)}
        return xarray.Dataset(
            {
                "weights": ((*axes, "agent", "component"), weights),
                "squared_distance": (axes, squared_distance),
                "seen": (("replicate", "round", "component"), seen),
                "read": (("round", "agent"), self.numbers),
                "pool": ("round", self.points[:-1]),
            },
            coords={
                "replicate": np.arange(len(runs)),
                "generation": np.arange(rounds + 1),
                "round": np.arange(1, rounds + 1),
                "component": np.array(self.surrogate.means),
            },
            attrs={
                "format_version": FORMAT_VERSION,
                "provenance": json.dumps(provenance(parameters, seed=self.seed)),
            },
        )
