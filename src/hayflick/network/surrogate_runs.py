"""Runs of interacting Gaussian mixtures, over threads."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import MOST_REPLICATES, whole_number
from hayflick.core.errors import ArgumentError
from hayflick.core.progress import Progress, silent
from hayflick.core.provenance import provenance
from hayflick.core.seeding import LOGICAL_BLOCK, fresh_seed, stream
from hayflick.network import surrogate as kernels
from hayflick.network.surrogate import Surrogate, Workload

if TYPE_CHECKING:
    import xarray

FORMAT_VERSION = 1
"""Of the Dataset's names and dimensions."""

_MOST_LIKELIHOODS = 2**31
_LONG_ENOUGH_S = 0.1


def simulate_surrogate(
    surrogate: Surrogate,
    *,
    rounds: int,
    replicates: int = 20,
    seed: int | None = None,
    threads: int | None = None,
    progress: Progress = silent,
) -> xarray.Dataset:
    """Simulate interacting mixtures; the same seed gives the same, whatever the threads.

    Parameters
    ----------
    surrogate
        The system.
    rounds
        How many, T.
    replicates
        How many independent runs.
    seed
        Of the random streams, at least 0; drawn from the system and recorded where None.
    threads
        How many work at once; one per processor where None.
    progress
        Told the runs done.

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

    Examples
    --------
    >>> from hayflick.network.surrogate import Surrogate
    >>> paper = Surrogate(means=(-5.0, 5.0), agents=3, draws=3, share_read=0.5)
    >>> runs = simulate_surrogate(paper, rounds=40, replicates=10, seed=1)
    >>> distance = runs["squared_distance"].mean("replicate")
    >>> bool(distance[40] < 0.1 * distance[0])
    True
    """
    replicates = whole_number("replicates", replicates, at_least=1, at_most=MOST_REPLICATES)
    seed = fresh_seed() if seed is None else whole_number("seed", seed, at_least=0)
    workers = (os.cpu_count() or 1) if threads is None else threads
    workers = whole_number("threads", workers, at_least=1)
    system = _System(surrogate, surrogate.numbers_read(rounds), seed)
    system.check_memory()
    runs = []
    with ThreadPoolExecutor(workers) as executor:
        # Where blocks of agents keep all threads busy, runs wait for one another.
        inside = system.blocks >= workers
        inner, outer = (executor.map, map) if inside else (map, executor.map)
        for run in outer(lambda number: system.run(number, over=inner), range(replicates)):
            runs.append(run)
            progress("simulating", len(runs), replicates)
    return _dataset(system, runs)


def timed_work(
    surrogate: Surrogate, rounds: int, *, replicates: int = 20, threads: int | None = None
) -> Workload:
    """Return how much there is to compute, and how long it takes on this machine.

    A first part of the work is timed three times, each a tenth of a second or more;
    `Surrogate.work` says what share of the whole it is. What a first call compiles is compiled
    before.

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
    >>> from hayflick.network.surrogate import Surrogate
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


@dataclass(frozen=True, eq=False)
class _System:
    """What all runs share."""

    surrogate: Surrogate
    numbers: Integers
    seed: int

    @cached_property
    def owned(self) -> list[slice]:
        """The agents of each logical block."""
        firsts = range(0, self.surrogate.agents, LOGICAL_BLOCK)
        return [slice(first, min(first + LOGICAL_BLOCK, self.surrogate.agents)) for first in firsts]

    @property
    def blocks(self) -> int:
        """Number of logical blocks of agents."""
        return len(self.owned)

    @cached_property
    def authors(self) -> tuple[Integers, Integers]:
        """Whose points every agent may read, one list after the other, and where each starts."""
        agents, topology = self.surrogate.agents, self.surrogate.topology
        if topology is None:
            return np.arange(agents), np.zeros(0, np.int64)
        lists = [sorted((*read, agent)) for agent, read in enumerate(topology.neighbours)]
        starts = np.concatenate([[0], np.cumsum([len(read) for read in lists])])
        return np.concatenate(lists), starts

    @cached_property
    def layout(self) -> Integers:
        """How the pool is laid out; see `hayflick.network.surrogate.read`."""
        system = self.surrogate
        posted = system.agents * system.draws
        return np.array([system.originals, system.draws, posted, system.injected])

    def points(self, rounds: int) -> int:
        """Return how many points the pool holds after so many rounds."""
        originals, _, posted, injected = self.layout.tolist()
        return int(originals + (rounds + (originals == 0)) * (posted + injected))

    def check_memory(self) -> None:
        """Refuse a pool beyond 16 GiB."""
        rounds, components = len(self.numbers), self.surrogate.components
        if self.points(rounds) * components > _MOST_LIKELIHOODS:
            got = f"{rounds} rounds of {self.surrogate.agents} agents"
            takes = f"a pool of at most {_MOST_LIKELIHOODS:,} points times components"
            raise ArgumentError("rounds", got=got, takes=takes)

    def run(self, number: int, *, over: Callable[..., Iterable[None]]) -> _Recorded:
        """Return what is kept of a run; `over` maps over blocks of agents, as `map` does."""
        run = _Run.start(self, number)
        run.post_real(slice(0, self.surrogate.originals))
        if self.surrogate.originals == 0:
            run.post(0, first=0, over=over)
        for place in range(len(self.numbers)):
            old = self.points(place)
            run.post(place, first=old, over=over)
            run.read(place, old=old, over=over)
        # The pool itself is let go.
        return _Recorded(run.weights, run.squared_distance, run.responsibilities)


class _Recorded(NamedTuple):
    """What is kept of a run."""

    weights: Floats
    squared_distance: Floats
    responsibilities: Floats


@dataclass(frozen=True, eq=False)
class _Run:
    """Arrays that a run fills, and its streams: one per block of agents, one for real data."""

    system: _System
    rngs: tuple[np.random.Generator, ...]
    likelihoods: Floats
    weights: Floats
    seen: Floats

    @classmethod
    def start(cls, system: _System, number: int) -> _Run:
        streams, rounds = system.blocks + 1, len(system.numbers)
        rngs = tuple(stream(system.seed, block=number * streams + own) for own in range(streams))
        agents, components = system.surrogate.agents, system.surrogate.components
        weights = np.empty((rounds + 1, agents, components))
        for rng, own in zip(rngs, system.owned, strict=False):
            weights[0, own] = rng.dirichlet(np.ones(components), own.stop - own.start)
        likelihoods = np.empty((system.points(rounds), components))
        seen = np.zeros((rounds, system.blocks, components))
        return cls(system, rngs, likelihoods, weights, seen)

    def post(self, place: int, *, first: int, over: Callable[..., Iterable[None]]) -> None:
        """Let all agents post, and put real points behind them, from row `first` on."""
        surrogate = self.system.surrogate

        def post_block(block: int) -> None:
            own = self.system.owned[block]
            start = first + own.start * surrogate.draws
            rows = slice(start, start + (own.stop - own.start) * surrogate.draws)
            self._draw(self.rngs[block], self.weights[place, own], rows)

        # Every block is waited for.
        list(over(post_block, range(self.system.blocks)))
        last = first + surrogate.agents * surrogate.draws
        self.post_real(slice(last, last + surrogate.injected))

    def post_real(self, rows: slice) -> None:
        """Put points of all components in equal parts into rows of the pool."""
        components = self.system.surrogate.components
        even = np.full((rows.stop - rows.start, components), 1.0 / components)
        self._draw(self.rngs[-1], even, rows)

    def _draw(self, rng: np.random.Generator, weights: Floats, rows: slice) -> None:
        surrogate = self.system.surrogate
        means, deviation = np.array(surrogate.means), float(surrogate.deviation)
        each = (rows.stop - rows.start) // max(1, len(weights))
        kernels.post(rng, weights, means, deviation, each, self.likelihoods[rows])

    def read(self, place: int, *, old: int, over: Callable[..., Iterable[None]]) -> None:
        """Let all agents read the first `old` rows of the pool."""
        self.weights[place + 1] = self.weights[place]
        authors, starts = self.system.authors

        def read_block(block: int) -> None:
            own = self.system.owned[block]
            kernels.read(
                self.rngs[block],
                self.weights[place + 1, own],
                self.likelihoods[:old],
                self.system.layout,
                authors,
                starts[own.start : own.stop + 1],
                self.system.numbers[place, own],
                self.seen[place, block],
            )

        list(over(read_block, range(self.system.blocks)))

    @property
    def squared_distance(self) -> Floats:
        """|D|_F² after rounds 0 … T."""
        away = self.weights - self.weights.mean(axis=1, keepdims=True)
        distance: Floats = 2.0 * self.weights.shape[1] * np.sum(away**2, axis=(1, 2))
        return distance

    @property
    def responsibilities(self) -> Floats:
        """Mean responsibilities of the points read in rounds 1 … T, ``(rounds, components)``."""
        mean: Floats = self.seen.sum(axis=1) / self.system.numbers.sum(axis=1, keepdims=True)
        return mean


def _dataset(system: _System, runs: list[_Recorded]) -> xarray.Dataset:
    import xarray

    rounds = len(system.numbers)
    moments = ("replicate", "generation")
    parameters = {**system.surrogate.describe(), "rounds": rounds, "replicates": len(runs)}
    return xarray.Dataset(
        {
            "weights": ((*moments, "agent", "component"), np.stack([run.weights for run in runs])),
            "squared_distance": (moments, np.stack([run.squared_distance for run in runs])),
            "seen": (
                ("replicate", "round", "component"),
                np.stack([run.responsibilities for run in runs]),
            ),
            "read": (("round", "agent"), system.numbers),
            "pool": ("round", np.array([system.points(place) for place in range(rounds)])),
        },
        coords={
            "replicate": np.arange(len(runs)),
            "generation": np.arange(rounds + 1),
            "round": np.arange(1, rounds + 1),
            "component": np.array(system.surrogate.means),
        },
        attrs={
            "format_version": FORMAT_VERSION,
            "provenance": json.dumps(provenance(parameters, seed=system.seed)),
        },
    )
