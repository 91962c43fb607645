"""Networks of models that are trained on one another's output, as cells of a study: by law."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from typing_extensions import override

from hayflick.core.errors import DataError, HayflickError
from hayflick.core.source import Source
from hayflick.laws.network import law_of_mixing, mixing, sample_sizes
from hayflick.network.topology import Topology, mean_neighbours, parse_topology
from hayflick.simulation.blocks import Block
from hayflick.sweeps.cells import Cell, cells_of
from hayflick.sweeps.kept import LawfulRetention
from hayflick.sweeps.network_quantities import TOTAL, ShareKept
from hayflick.sweeps.network_study import TrainedNetworkStudy
from hayflick.sweeps.tasks import CellAnswer, Failed, LawTask, ReadyCell, RunsTask, SweepWorkload

_EDGES = "edges"
_PRODUCT_S, _PAIR_S, _ROUND_S = 5e-10, 1e-8, 2e-5
"""Of a product of two numbers, of a pair of models, and of a round."""


@dataclass(frozen=True, eq=False)
class TrainedNetworkCell(ReadyCell):
    """A cell that is a network of models.

    Parameters
    ----------
    cell, identifier
        As of `ReadyCell`.
    topology
        Who is trained on whose output: its name, or one that was read from a file.
    seconds
        About how long its law takes.
    """

    topology: str | Topology
    seconds: float

    @property
    @override
    def rounds(self) -> int:
        return int(self.cell.settings["rounds"])


@lru_cache(maxsize=8)
def _made(name: str, agents: int) -> Topology:
    return parse_topology(name, agents=agents)


@dataclass(frozen=True)
class TrainedNetworkWork:
    """The work on networks of models; a call answers cells by law.

    Parameters
    ----------
    name
        Of the quantity that is kept.
    """

    name: str

    def __call__(self, task: LawTask[TrainedNetworkCell]) -> list[CellAnswer]:
        """Return what is found in a task."""
        return [CellAnswer(ready.cell.number, self._kept(ready)) for ready in task.cells]

    def _kept(self, ready: TrainedNetworkCell) -> LawfulRetention | Failed:
        settings, topology = ready.cell.settings, ready.topology
        agents = int(settings["agents"])
        if isinstance(topology, str):
            topology = _made(topology, agents)
        try:
            mix = mixing(topology.reading(itself=True), real_shares=settings["share"])
            sizes = sample_sizes(settings["samples"], models=agents)
            # All diversity is in proportion to that of the real law.
            law = law_of_mixing(mix, samples=sizes, real=1.0, generations=ready.rounds)
        except HayflickError as fault:
            return Failed(str(fault))
        kept = law.total if self.name == TOTAL else law.within_mean
        return LawfulRetention(kept, law.name, 0.0)

    def quantity(self, ready: TrainedNetworkCell) -> ShareKept:  # noqa: ARG002
        """Return what is kept in a cell."""
        return ShareKept(self.name)

    def tasks_of(
        self,
        ready: TrainedNetworkCell,  # noqa: ARG002
        blocks: Sequence[Block],  # noqa: ARG002
        *,
        seconds: float,  # noqa: ARG002
    ) -> Iterator[RunsTask[TrainedNetworkCell]]:
        """Yield nothing: a law answers every cell."""
        yield from ()

    def for_cluster(self) -> TrainedNetworkWork:
        """Return itself: no file is read in a task."""
        return self


@dataclass(eq=False)
class TrainedNetworkPreparation:
    """Reads who is trained on whose output.

    Parameters
    ----------
    study
        The study.
    folder
        Where files of topologies are looked up.
    """

    study: TrainedNetworkStudy
    folder: Path
    _neighbours: dict[tuple[str, int], float] = field(default_factory=dict)
    _read: dict[tuple[str, int], Topology] = field(default_factory=dict)
    _files: dict[str, Source] = field(default_factory=dict)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The files that were read."""
        return tuple(self._files.values())

    def cells(self) -> list[TrainedNetworkCell]:
        """Return the cells, in order.

        Raises
        ------
        DataError
            If a topology cannot be made of so many models; the cell is named.
        """
        found = []
        for cell in cells_of(self.study):
            try:
                found.append(self._ready(cell))
            except HayflickError as fault:
                raise DataError(f"{cell}: {fault}") from None
        return found

    def _ready(self, cell: Cell) -> TrainedNetworkCell:
        name, agents = str(cell.settings["topology"]), int(cell.settings["agents"])
        key = name, agents
        if key not in self._neighbours:
            self._neighbours[key] = mean_neighbours(name, agents=agents, folder=self.folder)
            kind, _, file = name.partition(":")
            if kind.strip() == _EDGES:
                self._read[key] = parse_topology(name, agents=agents, folder=self.folder)
                path = self.folder / file.removeprefix("file=")
                self._files[name] = Source.files(("topology", path))[0]
        source = self._files.get(name)
        common = {
            "kind": self.study.kind,
            "quantity": self.study.quantity,
            "file": None if source is None else source.sha256,
        }
        # A product of matrices, from both sides.
        products = 2.0 * agents**2 * (1.0 + self._neighbours[key])
        a_round = products * _PRODUCT_S + agents**2 * _PAIR_S + _ROUND_S
        seconds = int(cell.settings["rounds"]) * a_round
        topology = self._read.get(key, name)
        return TrainedNetworkCell(cell, cell.identity(common), topology, seconds)

    def workload(self, left: Sequence[TrainedNetworkCell]) -> SweepWorkload:
        """Return the work on the cells that are left."""
        most = max((int(ready.cell.settings["agents"]) for ready in left), default=0)
        return SweepWorkload(
            work=TrainedNetworkWork(self.study.quantity),
            simulated=(),
            by_law=left,
            law_seconds=sum(ready.seconds for ready in left) / len(left),
            seconds_of=lambda *_: 0.0,
            blocks=(),
            first_blocks=1,
            worker_memory=8.0 * 6.0 * most**2,
            described=", all of them by law,",
        )
