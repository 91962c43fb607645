"""Interacting Gaussian mixtures: a network of language models in milliseconds.

All agents know the same components N(μ_b, σ²), and an agent is its weights π ~ Dir(1). In round
t every agent posts L points of its mixture, then reads k_t points of the pool as it was before,
without replacement, and moves its weights towards the responsibilities of each. All that was
posted joins the pool.

References
----------
Wang et al., arXiv:2506.15690, Algorithms 2 and 3; Zivkovic and van der Heijden, *Recursive
unsupervised learning of finite mixture models*, IEEE TPAMI 26 (2004), for the update.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import finite_number, positive_number, share, whole_number
from hayflick.core.compiled import njit
from hayflick.core.errors import ArgumentError
from hayflick.core.reproducibility import LOGICAL_BLOCK
from hayflick.network.topology import Topology

_MOST_ROUNDS = 100_000
# Measured on x86-64, one thread: a call for 32 agents, a point read, and each of its components.
_SECONDS_PER_CALL = 5e-5
_SECONDS_PER_READ = 4e-8
_SECONDS_PER_EVALUATION = 6e-9
# Where the pool keeps points: the exponential of an evaluation.
_SECONDS_PER_EXPONENTIAL = 6e-9

MOST_LIKELIHOODS = 2**26
"""A pool of more points times components keeps points; likelihoods are worked out on reading."""


@dataclass(frozen=True, kw_only=True)
class Surrogate:
    """A system of interacting mixtures.

    Parameters
    ----------
    means
        μ of the components, at least 2.
    agents
        Number of agents, n.
    draws
        Number of points that an agent posts in a round, L.
    deviation
        σ, the same for all components.
    share_read
        Share β of the points that an agent may read: it reads k_t = ⌊β |A_t|⌋.
    read
        Number of points that an agent reads in every round, k, in place of a share.
    originals
        Number of real points, of all components in equal parts, in the pool at the start; if 0,
        every agent posts once before the first round.
    injected
        Number of such points that are added in every round.
    topology
        Whose points an agent may read, beside its own and the real ones; None for everyone's.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or not one of `share_read` and `read` is given.

    Examples
    --------
    >>> Surrogate(means=(-5.0, 5.0), agents=3, draws=3, share_read=0.5).numbers_read(3).tolist()
    [[4, 4, 4], [9, 9, 9], [13, 13, 13]]
    """

    means: tuple[float, ...]
    agents: int
    draws: int
    deviation: float = 1.0
    share_read: float | None = None
    read: int | None = None
    originals: int = 0
    injected: int = 0
    topology: Topology | None = None

    def __post_init__(self) -> None:
        if len(self.means) < 2:
            raise ArgumentError("means", got=self.means, takes="at least 2 components")
        for mean in self.means:
            finite_number("means", mean)
        positive_number("deviation", self.deviation)
        whole_number("agents", self.agents, at_least=1)
        whole_number("draws", self.draws, at_least=1)
        whole_number("originals", self.originals, at_least=0)
        whole_number("injected", self.injected, at_least=0)
        if (self.share_read is None) == (self.read is None):
            got = f"share_read={self.share_read}, read={self.read}"
            raise ArgumentError("read", got=got, takes="either a number or share_read, a share")
        if self.topology is not None and self.topology.agents != self.agents:
            got = f"{self.topology.agents} agents"
            raise ArgumentError("topology", got=got, takes=f"one of {self.agents} agents")

    @property
    def components(self) -> int:
        """Number of components, B."""
        return len(self.means)

    def readable(self, rounds: int) -> Integers:
        """Return how many points each agent may read in rounds 1 … T, ``(rounds, agents)``."""
        if self.topology is None:
            authors = [self.agents] * self.agents
        else:
            authors = [len(read) + 1 for read in self.topology.neighbours]
        joining = np.array(authors, np.int64) * self.draws + self.injected
        earlier = np.arange(rounds) + (self.originals == 0)
        points: Integers = self.originals + np.multiply.outer(earlier, joining)
        return points

    def pool(self, rounds: int) -> Integers:
        """Return how many points there are after rounds 0 … T, ``(rounds + 1,)``."""
        joined = np.arange(rounds + 1) + (self.originals == 0)
        points: Integers = self.originals + joined * (self.agents * self.draws + self.injected)
        return points

    def numbers_kept(self, rounds: int) -> int:
        """Return how many numbers are kept of a point: its likelihoods, or 1 in a large pool."""
        many = int(self.pool(rounds)[-1]) * self.components > MOST_LIKELIHOODS
        return 1 if many else self.components

    def numbers_read(self, rounds: int) -> Integers:
        """Return how many points each agent reads in rounds 1 … T, shape ``(rounds, agents)``.

        Raises
        ------
        ArgumentError
            If that is none, or more than the agent may read.
        """
        points = self.readable(whole_number("rounds", rounds, at_least=1, at_most=_MOST_ROUNDS))
        if self.read is not None:
            takes = f"a whole number from 1 to {points.min()}, the points to read in round 1"
            if not 1 <= whole_number("read", self.read, at_least=1) <= points.min():
                raise ArgumentError("read", got=self.read, takes=takes, remedy="add originals")
            return np.full(points.shape, self.read, np.int64)
        beta = share("share_read", self.share_read or 0.0)
        # Products such as 0.29 · 100 fall short of the whole number.
        numbers: Integers = np.floor(beta * points + 1e-9).astype(np.int64)
        if numbers.min() < 1:
            takes = f"a share that gives at least one of the {points.min()} points of round 1"
            raise ArgumentError("share_read", got=self.share_read, takes=takes)
        return numbers

    def work(self, rounds: int, *, replicates: int = 1, threads: int = 1) -> Workload:
        """Return how much there is to compute, and about how long it takes.

        With `share_read` that is about β n² L T² B / 2 evaluations, with `read` n k T B. The
        time is that of one machine; `hayflick.network.surrogate_runs.timed_work` measures this
        one.

        Raises
        ------
        ArgumentError
            As `numbers_read`.

        Examples
        --------
        >>> paper = Surrogate(means=(-5.0, 5.0), agents=3, draws=3, share_read=0.5)
        >>> paper.work(200).evaluations
        542400
        """
        reads = replicates * int(self.numbers_read(rounds).sum())
        evaluations = reads * self.components
        calls = 2 * replicates * rounds * -(-self.agents // LOGICAL_BLOCK)
        seconds = calls * _SECONDS_PER_CALL + reads * _SECONDS_PER_READ
        seconds += evaluations * _SECONDS_PER_EVALUATION
        if self.numbers_kept(rounds) == 1:
            seconds += evaluations * _SECONDS_PER_EXPONENTIAL
        return Workload(evaluations, seconds / threads)

    def describe(self) -> dict[str, Any]:
        """Return the parameters, ready for JSON."""
        names = ("agents", "draws", "deviation", "share_read", "read", "originals", "injected")
        topology = None if self.topology is None else self.topology.name
        settings = {name: getattr(self, name) for name in names}
        return {"family": "surrogate", "means": list(self.means), **settings, "topology": topology}


@dataclass(frozen=True, slots=True)
class Workload:
    """The computing work of a run.

    Parameters
    ----------
    evaluations
        Number of evaluations of a component at a point.
    seconds
        About how long they take, without compiling.
    """

    evaluations: int
    seconds: float


Booleans: TypeAlias = NDArray[np.bool_]

SMALLEST_WEIGHT = 1e-12
"""ε, which a weight that falls to 0 or below is set to."""

_GATHERED = 64
# A hash table of what an agent has read is smaller than a flag for each of so many points.
_FEW = 64


@njit(nogil=True, cache=True)
def post(
    rng: np.random.Generator,
    weights: Floats,
    means: Floats,
    deviation: float,
    draws: int,
    pool: Floats,
) -> None:
    """Draw points of every agent, and write them into rows of the pool.

    Parameters
    ----------
    rng
        Of these agents.
    weights
        Shape ``(agents, components)``.
    means, deviation
        Of the components.
    draws
        Number of points of an agent.
    pool
        Shape ``(agents · draws, components)`` for likelihoods, ``(agents · draws, 1)`` for points.
    """
    agents, components = weights.shape
    for agent in range(agents):
        for draw in range(draws):
            left, chosen = rng.random(), 0
            while chosen < components - 1 and left >= weights[agent, chosen]:
                left -= weights[agent, chosen]
                chosen += 1
            point = means[chosen] + deviation * rng.standard_normal()
            row = pool[agent * draws + draw]
            if row.size == 1:
                row[0] = point
            else:
                _evaluate(point, means, deviation, row)


@njit(nogil=True, cache=True)
def _evaluate(point: float, means: Floats, deviation: float, likelihoods: Floats) -> None:
    """Write N(u; μ_b, σ²) of a point u, without the factor that all components share."""
    for component in range(means.size):
        away = (point - means[component]) / deviation
        likelihoods[component] = math.exp(-0.5 * away * away)


@njit(nogil=True, cache=True)
def read(
    rng: np.random.Generator,
    weights: Floats,
    means: Floats,
    deviation: float,
    pool: Floats,
    layout: Integers,
    authors: Integers,
    starts: Integers,
    numbers: Integers,
    seen: Floats,
) -> None:
    """Let every agent read points of the pool, without replacement and one after the other.

    Parameters
    ----------
    rng
        Of these agents.
    weights
        Shape ``(agents, components)``, changed in place.
    means, deviation
        Of the components.
    pool
        Likelihoods, ``(points, components)``, or points, ``(points, 1)``; it is not copied.
    layout
        Number of points at the start, and by round: of one agent, of all agents, injected.
    authors, starts
        Agent i may read ``authors[starts[i]:starts[i + 1]]``, and real points; all of ``authors``
        if ``starts`` is empty.
    numbers
        Number of points that each agent reads, ``(agents,)``.
    seen
        The responsibilities of all points read are added here, ``(components,)``.
    """
    gathered = np.empty((_GATHERED, weights.shape[1]))
    rows = np.empty(max(1, numbers.max()), np.int64)
    sparse = rows.size * _FEW < len(pool)
    taken = np.zeros(0 if sparse else len(pool), np.bool_)
    table = np.empty(_table_size(rows.size) if sparse else 0, np.int64)
    for agent in range(len(weights)):
        number, points = numbers[agent], len(pool)
        readable = authors[:0]
        if starts.size > 0:
            readable = authors[starts[agent] : starts[agent + 1]]
            points = _readable_points(len(pool), layout, readable.size)
        if sparse:
            _draw_few_places(rng, points, number, table, rows)
        else:
            _draw_places(rng, points, number, taken, rows)
        if starts.size > 0:
            _to_rows(rows[:number], layout, readable)
        # Rows are gathered first: the processor then waits for several at once.
        for first in range(0, number, _GATHERED):
            last = min(first + _GATHERED, number)
            _gather(pool, rows[first:last], means, deviation, gathered)
            for turn in range(last - first):
                _update(weights[agent], gathered[turn], number, seen)


@njit(nogil=True, cache=True)
def _gather(
    pool: Floats, rows: Integers, means: Floats, deviation: float, likelihoods: Floats
) -> None:
    """Write the likelihoods of rows of the pool."""
    if pool.shape[1] > 1:
        for turn in range(rows.size):
            likelihoods[turn] = pool[rows[turn]]
        return
    for turn in range(rows.size):
        likelihoods[turn, 0] = pool[rows[turn], 0]
    for turn in range(rows.size):
        _evaluate(likelihoods[turn, 0], means, deviation, likelihoods[turn])


@njit(nogil=True, cache=True)
def _readable_points(points: int, layout: Integers, authors: int) -> int:
    originals, draws, posted, injected = layout
    rounds = (points - originals) // (posted + injected)
    readable: int = originals + rounds * (authors * draws + injected)
    return readable


@njit(nogil=True, cache=True)
def _to_rows(places: Integers, layout: Integers, authors: Integers) -> None:
    """Turn positions among the points that an agent may read into rows of the pool."""
    originals, draws, posted, injected = layout
    own = authors.size * draws
    for turn in range(places.size):
        later = places[turn] - originals
        if later < 0:
            continue
        moment = later // (own + injected)
        within = later - moment * (own + injected)
        if within < own:
            within = authors[within // draws] * draws + within % draws
        else:
            within += posted - own
        places[turn] = originals + moment * (posted + injected) + within


@njit(nogil=True, cache=True)
def _draw_places(
    rng: np.random.Generator, points: int, number: int, taken: Booleans, places: Integers
) -> None:
    """Draw distinct positions below `points` in random order; `taken` is all False afterwards."""
    for turn in range(number):
        place = int(rng.random() * points)
        while taken[place]:
            place = int(rng.random() * points)
        taken[place] = True
        places[turn] = place
    for turn in range(number):
        taken[places[turn]] = False


@njit(nogil=True, cache=True)
def _table_size(number: int) -> int:
    """Return a power of two that leaves at least half of a table free."""
    size = 4
    while size < 2 * number:
        size *= 2
    return size


@njit(nogil=True, cache=True)
def _draw_few_places(
    rng: np.random.Generator, points: int, number: int, table: Integers, places: Integers
) -> None:
    """Draw the same positions as `_draw_places`, with a hash table of those that are taken."""
    table[:] = -1
    turn = 0
    while turn < number:
        place = int(rng.random() * points)
        # The multiplier spreads neighbours; its product wraps around.
        slot = (place * 0x9E3779B97F4A7C1) >> 20 & (table.size - 1)
        while table[slot] >= 0 and table[slot] != place:
            slot = (slot + 1) & (table.size - 1)
        if table[slot] < 0:
            table[slot] = place
            places[turn] = place
            turn += 1


@njit(nogil=True, cache=True, inline="always")
def _update(weights: Floats, likelihood: Floats, number: int, seen: Floats) -> None:
    """Move weights towards the responsibilities of a point.

    π_b becomes (1 - α) π_b + α (o_b - c) / (1 - B c), c = 1 / (k B²); a π_b of at most 0 becomes
    ε after the others were divided by 1 + ε - π_b. The gain α is 1/k, but 1/2 for a single point:
    a gain of 1 would erase the weights.
    """
    components, gain = weights.size, 1.0 / max(2, number)
    push = 1.0 / (number * components * components)
    strength = gain / (1.0 - components * push)
    total = 0.0
    for component in range(components):
        total += weights[component] * likelihood[component]
    divisor, scale = 1.0 / total, 1.0
    for component in range(components):
        responsibility = weights[component] * likelihood[component] * divisor
        seen[component] += responsibility
        new = (1.0 - gain) * weights[component] + strength * (responsibility - push)
        # The divisions are gathered in one factor that all weights take at the end.
        if new <= 0.0:
            scale /= 1.0 + SMALLEST_WEIGHT - new * scale
            new = SMALLEST_WEIGHT / scale
        weights[component] = new
    if scale != 1.0:
        for component in range(components):
            weights[component] *= scale
