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

from dataclasses import dataclass
from typing import Any

import numpy as np

from hayflick.core.arrays import Integers
from hayflick.core.checks import (
    finite_number,
    positive_number,
    share,
    whole_number,
)
from hayflick.core.errors import ArgumentError
from hayflick.core.seeding import LOGICAL_BLOCK
from hayflick.network.topology import Topology

_MOST_ROUNDS = 100_000
# Measured on x86-64, one thread: a call for 32 agents, a point read, and each of its components.
_SECONDS_PER_CALL = 5e-5
_SECONDS_PER_READ = 4e-8
_SECONDS_PER_EVALUATION = 6e-9


@dataclass(frozen=True, kw_only=True)
class Surrogate:
    """A system of interacting mixtures.

    Parameters
    ----------
    means
        μ of the components, at least 2.
    deviation
        σ, the same for all.
    agents
        How many, n.
    draws
        Points that an agent posts in a round, L.
    share_read
        k_t = ⌊β |A_t|⌋ points are read, a share β of those that the agent may read.
    read
        Or always k points.
    originals
        Points of all components in equal parts that are in the pool at the start; where 0,
        every agent posts once before the first round.
    injected
        Such points that join the pool in every round: real data.
    topology
        Whose points an agent may read, beside its own and what no agent wrote; everyone's
        where None.

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

    def numbers_read(self, rounds: int) -> Integers:
        """Return how many points each agent reads in rounds 1 … T, shape ``(rounds, agents)``.

        Raises
        ------
        ArgumentError
            If that is none, or more than there are.
        """
        points = self.readable(whole_number("rounds", rounds, at_least=1, at_most=_MOST_ROUNDS))
        if self.read is not None:
            takes = f"a whole number from 1 to {points.min()}, the points to read in round 1"
            if not 1 <= whole_number("read", self.read, at_least=1) <= points.min():
                raise ArgumentError("read", got=self.read, takes=takes, remedy="add originals")
            return np.full(points.shape, self.read, np.int64)
        beta = share("share_read", self.share_read or 0.0)
        # Products like .29 · 100 fall short of the whole number that is meant.
        numbers: Integers = np.floor(beta * points + 1e-9).astype(np.int64)
        if numbers.min() < 1:
            takes = f"a share that gives at least one of the {points.min()} points of round 1"
            raise ArgumentError("share_read", got=self.share_read, takes=takes)
        return numbers

    def work(self, rounds: int, *, replicates: int = 1, threads: int = 1) -> Work:
        """Return how much there is to compute, and about how long it takes.

        With a share read that is about β n² L T² B / 2 evaluations, with a number n k T B. The
        time is that of a machine that was measured once;
        `hayflick.network.surrogate_runs.timed_work` measures this one.

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
        return Work(evaluations, seconds / threads)

    def describe(self) -> dict[str, Any]:
        """Return the parameters that make the system again, ready for JSON."""
        names = ("agents", "draws", "deviation", "share_read", "read", "originals", "injected")
        topology = None if self.topology is None else self.topology.name
        settings = {name: getattr(self, name) for name in names}
        return {"family": "surrogate", "means": list(self.means), **settings, "topology": topology}


@dataclass(frozen=True, slots=True)
class Work:
    """What a run costs.

    Parameters
    ----------
    evaluations
        How often a component is evaluated at a point.
    seconds
        About how long that takes on this kind of machine; not how long compiling does.
    """

    evaluations: int
    seconds: float
