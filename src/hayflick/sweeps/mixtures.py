"""Interacting mixtures as cells of a study."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.errors import ArgumentError, DataError, HayflickError
from hayflick.core.source import Source
from hayflick.laws.surrogate import distance_floor
from hayflick.network.surrogate import Surrogate
from hayflick.network.surrogate_runs import surrogate_measures, surrogate_memory
from hayflick.network.topology import Topology, parse_topology
from hayflick.simulation.blocks import Block
from hayflick.sweeps.cells import Cell, cells_of
from hayflick.sweeps.network_quantities import DISTANCE, DistanceKept, ShareKept
from hayflick.sweeps.network_study import NetworkStudy
from hayflick.sweeps.tasks import (
    TASK_S,
    CellAnswer,
    CellQuantity,
    Failed,
    ReadyCell,
    RunsTask,
    SweepWorkload,
    batches,
)

_APART = 10.0
"""Between neighbouring components, as in `hayflick reproduce wang2025`."""

_FIRST_RUNS = 20
_MOST_ROUNDS_OF_AGENTS = 10**8
_EDGES = "edges"


@dataclass(frozen=True, eq=False)
class MixtureCell(ReadyCell):
    """A cell of interacting mixtures.

    Parameters
    ----------
    cell, identifier
        As of `ReadyCell`.
    surrogate
        The system.
    """

    surrogate: Surrogate

    @property
    def rounds(self) -> int:
        """Number of its rounds."""
        return int(self.cell.settings["rounds"])


@dataclass(frozen=True)
class MixtureWork:
    """The work on cells of interacting mixtures; a call does a task.

    Parameters
    ----------
    name
        Of the quantity that is kept.
    """

    name: str

    def __call__(self, task: RunsTask[MixtureCell]) -> list[CellAnswer]:
        """Return what is found in a task."""
        found: Floats | Failed
        try:
            found = self._measured(task.ready, [run for run, _ in task.blocks])
        except HayflickError as fault:
            found = Failed(str(fault))
        return [CellAnswer(task.ready.cell.number, found, task.blocks[0][0])]

    def quantity(self, ready: MixtureCell) -> CellQuantity:  # noqa: ARG002
        """Return what is kept in a cell."""
        return DistanceKept() if self.name == DISTANCE else ShareKept(self.name)

    def tasks_of(
        self, ready: MixtureCell, blocks: Sequence[Block], *, seconds: float
    ) -> Iterator[RunsTask[MixtureCell]]:
        """Yield the tasks of runs of a cell."""
        size = max(1, round(len(blocks) * TASK_S / max(seconds, 1e-9)))
        for part in batches(blocks, size):
            yield RunsTask(ready, part)

    def for_cluster(self) -> MixtureWork:
        """Return itself: no file is read in a task."""
        return self

    def _measured(self, ready: MixtureCell, runs: Sequence[int]) -> Floats:
        system = ready.surrogate
        found = surrogate_measures(system, rounds=ready.rounds, seed=ready.cell.seed, runs=runs)
        if self.name != DISTANCE:
            return found.components
        floors = _floors(system, ready.rounds, found.seen)
        return np.column_stack([np.sqrt(found.squared_distance), floors])


def _floors(system: Surrogate, rounds: int, seen: Floats) -> Floats:
    """Return the squared noise floor after the last round, by run; NaN where it is not known."""
    number = int(system.numbers_read(rounds)[-1, 0])
    if system.topology is not None or number < 2:
        return np.full(len(seen), np.nan)
    part = number / int(system.readable(rounds)[-1, 0])
    # Rounding may leave a sum of shares above 1.
    seen = np.clip(seen, 0.0, 1.0)
    return distance_floor(seen, agents=system.agents, read=number, share_read=part)


@dataclass(eq=False)
class MixturePreparation:
    """Makes the systems that cells name.

    Parameters
    ----------
    study
        The study.
    folder
        Where files of topologies are looked up.
    """

    study: NetworkStudy
    folder: Path
    _topologies: dict[tuple[str, int], Topology | None] = field(default_factory=dict)
    _files: dict[str, Source] = field(default_factory=dict)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The files that were read."""
        return tuple(self._files.values())

    def cells(self) -> list[MixtureCell]:
        """Return the cells, in order.

        Raises
        ------
        DataError
            If settings do not fit each other; the cell is named.
        """
        found = []
        for cell in cells_of(self.study):
            try:
                found.append(self._ready(cell))
            except HayflickError as fault:
                raise DataError(f"{cell}: {fault}") from None
        return found

    def _ready(self, cell: Cell) -> MixtureCell:
        values = dict(cell.settings)
        rounds, components = int(values.pop("rounds")), int(values.pop("components"))
        values.pop("seed")
        if rounds * values["agents"] > _MOST_ROUNDS_OF_AGENTS:
            takes = f"at most {_MOST_ROUNDS_OF_AGENTS:,} rounds of all agents together"
            got = f"{rounds:,} rounds of {values['agents']:,} agents"
            raise ArgumentError("rounds", got=got, takes=takes)
        middle = (components - 1) / 2.0
        means = tuple(_APART * (place - middle) for place in range(components))
        topology = self._topology(values.pop("topology"), values["agents"])
        system = Surrogate(means=means, topology=topology, **values)
        system.numbers_read(rounds)
        common = {
            "kind": "network",
            "quantity": self.study.quantity,
            "replicates": self.study.most_replicates,
            "standard_error": self.study.standard_error,
            "files": {
                name: one.sha256
                for name, one in self._files.items()
                if name == cell.settings["topology"]
            },
        }
        return MixtureCell(cell, cell.identity(common), system)

    def _topology(self, text: str, agents: int) -> Topology | None:
        """Return a topology; None where all read all, which is drawn without lists of them."""
        key = text, agents
        if key not in self._topologies:
            kind, _, file = text.partition(":")
            # A million links of each agent would only be sent around.
            complete = text.strip() == "complete"
            made = None if complete else parse_topology(text, agents=agents, folder=self.folder)
            self._topologies[key] = made
            if kind.strip() == _EDGES:
                path = self.folder / file.removeprefix("file=")
                self._files[text] = Source.files(("topology", path))[0]
        return self._topologies[key]

    def workload(self, left: Sequence[MixtureCell]) -> SweepWorkload:
        """Return the work on the cells that are left."""
        runs = self.study.most_replicates
        longest = max((ready.rounds for ready in left), default=0)
        return SweepWorkload(
            work=MixtureWork(self.study.quantity),
            simulated=left,
            seconds_of=_seconds,
            blocks=tuple((run, 1) for run in range(runs)),
            first_blocks=_FIRST_RUNS,
            memory=8.0 * runs * (longest + 2),
            worker_memory=max(surrogate_memory(one.surrogate, one.rounds) for one in left),
            described=f" with up to {runs:,} runs each,",
        )


def _seconds(ready: MixtureCell, runs: int) -> float:
    return ready.surrogate.work(ready.rounds, replicates=runs).seconds
