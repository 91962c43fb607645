"""Who may read whose texts from which round on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hayflick.core.errors import ArgumentError
from hayflick.network.topology import Topology


@dataclass(frozen=True)
class Topologies:
    """Topologies that follow one another.

    Parameters
    ----------
    from_rounds
        The round from which each is in force, rising; the first is 1.
    topologies
        All of as many agents.

    Raises
    ------
    ArgumentError
        If the rounds do not rise from 1.

    Examples
    --------
    >>> from hayflick.network.topology import complete, ring
    >>> later = Topologies((1, 20), (complete(5), ring(5)))
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
        """What may not be meant, in words; empty where nothing is."""
        alone = len(self.topologies) == 1
        return tuple(
            warning if alone else f"from round {first} on, {warning}"
            for first, topology in zip(self.from_rounds, self.topologies, strict=True)
            for warning in topology.warnings
        )
