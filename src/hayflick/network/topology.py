"""Who may read whose texts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import networkx as nx
import numpy as np
from scipy import sparse

from hayflick.core.checks import share, whole_number
from hayflick.core.documents import refuse_pipe
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.grammar import Entry, number, parse, whole

_MOST_AGENTS = 10_000
_MOST_MADE = 200
"""Agents of a topology that is made to count neighbours."""


@dataclass(frozen=True)
class Topology:
    """A directed graph of agents: who may read whom.

    Parameters
    ----------
    name
        In the grammar of the command line.
    neighbours
        For every agent the others that it may read, in order, without itself.

    Examples
    --------
    >>> ring(5, neighbours=1).neighbours[0]
    (1, 4)
    """

    name: str
    neighbours: tuple[tuple[int, ...], ...]

    @property
    def agents(self) -> int:
        """Number of agents."""
        return len(self.neighbours)

    @property
    def isolated(self) -> tuple[int, ...]:
        """Agents that read nobody else."""
        return tuple(agent for agent, read in enumerate(self.neighbours) if not read)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings about isolated agents and separate groups."""
        found = []
        isolated = self.isolated
        if isolated:
            shown = ", ".join(map(str, isolated[:10]))
            more = f" and {len(isolated) - 10} more" if len(isolated) > 10 else ""
            found.append(f"agents that read nobody else: {shown}{more}")
        if self.agents > 1 and self.groups > 1:
            found.append(f"the network falls into {self.groups} parts that never hear of another")
        return tuple(found)

    @property
    def groups(self) -> int:
        """Number of groups without any reading between them."""
        if all(len(read) == self.agents - 1 for read in self.neighbours):
            return 1
        graph = nx.Graph((i, j) for i, read in enumerate(self.neighbours) for j in read)
        graph.add_nodes_from(range(self.agents))
        return int(nx.number_connected_components(graph))

    def reading(self, *, itself: bool) -> sparse.csr_array:
        """Return the row-stochastic reading matrix, which weights all that an agent reads equally.

        Parameters
        ----------
        itself
            Whether an agent reads its own texts too. If not, the row of an isolated agent is
            zero, which is valid only for a model trained on real data alone.

        Returns
        -------
        Shape ``(agents, agents)``; row i has the weights of what agent i reads.

        Examples
        --------
        >>> ring(3, neighbours=1).reading(itself=False).toarray().tolist()
        [[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]]
        """
        lists = [
            sorted((*read, agent)) if itself else read for agent, read in enumerate(self.neighbours)
        ]
        lengths = np.array([len(read) for read in lists])
        columns = np.array([other for read in lists for other in read], dtype=np.int64)
        values = np.repeat(1.0 / np.maximum(lengths, 1), lengths)
        starts = np.concatenate([[0], np.cumsum(lengths)])
        return sparse.csr_array((values, columns, starts), shape=(self.agents, self.agents))


def complete(agents: int) -> Topology:
    """Return the topology in which all agents may read one another.

    Examples
    --------
    >>> complete(3).neighbours
    ((1, 2), (0, 2), (0, 1))
    """
    everyone = tuple(range(_agents(agents)))
    # Slices of one tuple: ten thousand agents have a hundred million neighbours.
    return Topology("complete", tuple(everyone[:one] + everyone[one + 1 :] for one in everyone))


def ring(agents: int, *, neighbours: int = 1) -> Topology:
    """Return a ring in which every agent may read the nearest `neighbours` on each side.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.
    """
    agents = _agents(agents)
    each = whole_number("neighbours", neighbours, at_least=1)
    return _of_graph(f"ring:{each}", nx.circulant_graph(agents, range(1, each + 1)))


def small_world(
    agents: int, *, neighbours: int = 2, rewired: float = 0.1, seed: int = 1
) -> Topology:
    """Return a ring of `neighbours` on each side with a share of its links rewired.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    References
    ----------
    Watts and Strogatz, *Collective dynamics of small-world networks*, Nature 393 (1998).
    """
    agents = _agents(agents)
    each = whole_number("neighbours", neighbours, at_least=1)
    if 2 * each >= agents:
        takes = f"fewer than half of the {agents} agents"
        raise ArgumentError("neighbours", got=each, takes=takes)
    moved = share("rewired", rewired)
    seed = whole_number("seed", seed, at_least=0)
    name = f"small-world:neighbours={each},rewired={moved:g},seed={seed}"
    return _of_graph(name, nx.watts_strogatz_graph(agents, 2 * each, moved, seed=seed))


def blocks(agents: int, *, count: int, bridges: int = 0) -> Topology:
    """Return `count` groups of nearly equal size; agents of a group may read one another.

    Parameters
    ----------
    agents, count
        Number of agents, and of groups.
    bridges
        Number of links from each group to the next, from the last to the first: the first
        `bridges` agents of a group and the last ones of the next may read one another.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> blocks(4, count=2).neighbours
    ((1,), (0,), (3,), (2,))
    >>> blocks(4, count=2, bridges=1).neighbours
    ((1, 3), (0, 2), (1, 3), (0, 2))
    """
    agents = _agents(agents)
    count = whole_number("count", count, at_least=1, at_most=agents)
    bridges = whole_number("bridges", bridges, at_least=0, at_most=agents // count)
    groups = np.array_split(np.arange(agents), count)
    graph = nx.Graph()
    graph.add_nodes_from(range(agents))
    for place, group in enumerate(groups):
        graph.add_edges_from(nx.complete_graph(group.tolist()).edges)
        if count > 1:
            following = groups[(place + 1) % count][::-1].tolist()
            graph.add_edges_from(zip(group.tolist()[:bridges], following[:bridges], strict=True))
    name = f"blocks:count={count}" + (f",bridges={bridges}" if bridges else "")
    return _of_graph(name, graph)


def star(agents: int) -> Topology:
    """Return the topology in which agent 0 and each of the others may read one another.

    Examples
    --------
    >>> star(3).neighbours
    ((1, 2), (0,), (0,))
    """
    return _of_graph("star", nx.star_graph(_agents(agents) - 1))


def of_edges(edges: Iterable[tuple[int, int]], *, agents: int, name: str = "edges") -> Topology:
    """Return a topology from pairs (reader, read), numbered from 0.

    Raises
    ------
    ArgumentError
        If a number is not that of an agent.

    Examples
    --------
    >>> of_edges([(0, 1), (1, 0), (2, 0)], agents=3).neighbours
    ((1,), (0,), (0,))
    """
    agents = _agents(agents)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(agents))
    for reader, read in edges:
        for agent in (reader, read):
            whole_number("edges", agent, at_least=0, at_most=agents - 1)
        graph.add_edge(reader, read)
    return _of_graph(name, graph)


def of_file(path: str | os.PathLike[str], *, agents: int) -> Topology:
    """Return a topology from a text with two numbers a line: reader and read.

    Spaces, tabs or a comma separate the numbers; lines that begin with ``#`` are skipped.

    Raises
    ------
    DataError
        If the file cannot be read or a line is invalid.
    ArgumentError
        If a number is not that of an agent.
    """
    refuse_pipe(path)
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise DataError(f"{path}: cannot be read as UTF-8 text ({fault})") from None
    edges = []
    for place, line in enumerate(lines, start=1):
        parts = line.replace(",", " ").split()
        if not parts or parts[0].startswith("#"):
            continue
        if len(parts) != 2 or not all(part.isdecimal() for part in parts):
            raise DataError(f"{path}: line {place} is {line!r}, takes two numbers: reader and read")
        edges.append((int(parts[0]), int(parts[1])))
    return of_edges(edges, agents=agents, name=f"edges:{path}")


def _agents(agents: int) -> int:
    return whole_number("agents", agents, at_least=1, at_most=_MOST_AGENTS)


def _of_graph(name: str, graph: nx.Graph) -> Topology:
    lists = (sorted(set(graph.adj[agent]) - {agent}) for agent in range(len(graph)))
    return Topology(name, tuple(tuple(read) for read in lists))


def _parse_ring(neighbours: str = "1") -> Callable[..., Topology]:
    return partial(ring, neighbours=whole("neighbours", neighbours))


def _parse_small_world(
    neighbours: str = "2", rewired: str = "0.1", seed: str = "1"
) -> Callable[..., Topology]:
    return partial(
        small_world,
        neighbours=whole("neighbours", neighbours),
        rewired=number("rewired", rewired),
        seed=whole("seed", seed),
    )


def _parse_blocks(count: str, bridges: str = "0") -> Callable[..., Topology]:
    return partial(blocks, count=whole("count", count), bridges=whole("bridges", bridges))


TOPOLOGIES: Mapping[str, Entry[Callable[..., Topology]]] = {
    "complete": Entry(lambda: complete),
    "ring": Entry(_parse_ring, (), ("neighbours",)),
    "small-world": Entry(_parse_small_world, (), ("neighbours", "rewired", "seed")),
    "blocks": Entry(_parse_blocks, ("count",), ("bridges",)),
    "star": Entry(lambda: star),
}
"""All topologies but that of a file, by name, as functions of the number of agents."""


def parse_topology(text: str, *, agents: int, folder: Path = Path()) -> Topology:
    """Return the topology of `agents` agents that `text` names; `folder` is that of a file.

    Raises
    ------
    ArgumentError
        If the name, a key or a value is invalid; the nearest name is offered.
    DataError
        If a file that it names cannot be read.

    Examples
    --------
    >>> parse_topology("ring:2", agents=9).neighbours[0]
    (1, 2, 7, 8)
    """
    edges: Entry[Callable[..., Topology]] = Entry(
        lambda file: partial(of_file, folder / file), ("file",)
    )
    return parse("topology", text, {**TOPOLOGIES, "edges": edges})(agents=agents)


def mean_neighbours(text: str, *, agents: int, folder: Path = Path()) -> float:
    """Return the mean number of agents that one reads, without making a large topology.

    Raises
    ------
    ArgumentError, DataError
        As `parse_topology`.

    Examples
    --------
    >>> mean_neighbours("complete", agents=10_000), mean_neighbours("ring:2", agents=9)
    (9999.0, 4.0)
    """
    small = min(agents, _MOST_MADE)
    if text.partition(":")[0].strip() == "edges" or small == agents:
        made = parse_topology(text, agents=agents, folder=folder)
        return float(np.mean([len(read) for read in made.neighbours]))
    made = parse_topology(text, agents=small, folder=folder)
    mean = float(np.mean([len(read) for read in made.neighbours]))
    # What grows with the number of agents does so in proportion to it.
    grows = made.name.partition(":")[0] in ("complete", "blocks")
    return (mean + 1.0) * agents / small - 1.0 if grows else mean


@dataclass(frozen=True)
class TopologySchedule:
    """The topologies of a run, each in force from a round on.

    Parameters
    ----------
    from_rounds
        The first round of each, increasing from 1.
    topologies
        All with the same number of agents.

    Raises
    ------
    ArgumentError
        If the rounds do not increase from 1.

    Examples
    --------
    >>> later = TopologySchedule((1, 20), (complete(5), ring(5)))
    >>> later.at(round=19).name, later.at(round=20).name
    ('complete', 'ring:1')
    """

    from_rounds: Sequence[int]
    topologies: Sequence[Topology]

    def __post_init__(self) -> None:
        rounds = list(self.from_rounds)
        if rounds[:1] != [1] or sorted(set(rounds)) != rounds:
            takes = "rounds that rise from 1"
            raise ArgumentError("from_round", got=", ".join(map(str, rounds)), takes=takes)

    def at(self, *, round: int) -> Topology:  # noqa: A002
        """Return the topology of a round, from 1."""
        place = sum(first <= round for first in self.from_rounds) - 1
        return self.topologies[place]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings of all topologies."""
        alone = len(self.topologies) == 1
        return tuple(
            warning if alone else f"from round {first} on, {warning}"
            for first, topology in zip(self.from_rounds, self.topologies, strict=True)
            for warning in topology.warnings
        )
