"""What a thread, process or machine does: answer cells by law, or make runs of one cell."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from hayflick.chains.stages import Stages
from hayflick.core.arrays import Floats
from hayflick.core.errors import HayflickError
from hayflick.core.protocols import ReactiveRegime, Regime
from hayflick.core.records import Schedule
from hayflick.simulation.blocks import (
    COMPILED_TOGETHER,
    Block,
    BlockRuns,
    check_metrics,
    compiled_chain,
    pools_of,
)
from hayflick.sweeps.cells import Cell
from hayflick.sweeps.kept import KeptQuantity, LawfulRetention, kept_quantity
from hayflick.sweeps.study import NO_LAW

_TASK_S = 2.0


@dataclass(frozen=True, eq=False)
class ReadyCell:
    """A cell whose settings were read.

    Parameters
    ----------
    cell
        The cell.
    identifier
        See `Cell.identity`.
    model
        Place of its model in `CellWork.models`.
    regime
        What each round is trained on.
    samples
        Size of a training set.
    """

    cell: Cell
    identifier: str
    model: int
    regime: Regime
    samples: int

    def schedule(self) -> Schedule:
        """Return what generations 1 … K are trained on."""
        rounds = range(1, self.cell.generations + 1)
        mixes = [self.regime.mix(generation, samples=self.samples) for generation in rounds]
        return Schedule(
            mixes, self.regime.start if isinstance(self.regime, ReactiveRegime) else None
        )


@dataclass(frozen=True, eq=False)
class LawTask:
    """Cells that a law answers."""

    cells: Sequence[ReadyCell]


@dataclass(frozen=True, eq=False)
class RunsTask:
    """Logical blocks of the runs of one cell."""

    ready: ReadyCell
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Failed:
    """An error of a cell; errors themselves do not all travel between processes."""

    message: str


@dataclass(frozen=True, eq=False)
class CellAnswer:
    """What was found of a cell.

    Parameters
    ----------
    number
        The cell's number.
    found
        The law, or the values of its runs of shape ``(replicates, K + 1)``.
    first_block
        The first logical block of the runs.
    """

    number: int
    found: LawfulRetention | Floats | Failed
    first_block: int = 0


@lru_cache(maxsize=16)
def _loaded(pickled: bytes) -> tuple[Any, KeptQuantity]:
    model = pickle.loads(pickled)
    return model, kept_quantity(model)


@dataclass(frozen=True, eq=False)
class CellWork:
    """The work on the cells of a study; a call does a task.

    Parameters
    ----------
    models
        The models, pickled; each process unpickles each of them once.
    law
        The law that the study wants.
    """

    models: Sequence[bytes]
    law: str

    def quantity(self, ready: ReadyCell) -> KeptQuantity:
        """Return what is kept in a cell."""
        return _loaded(self.models[ready.model])[1]

    def runs(self, ready: ReadyCell) -> BlockRuns:
        """Return the simulation of a cell."""
        model = _loaded(self.models[ready.model])[0]
        chain = model.chain(ready.samples, stages=Stages())
        return BlockRuns(chain, ready.schedule(), ready.cell.seed)

    def check(self, ready: ReadyCell) -> None:
        """Refuse a cell that cannot be simulated.

        Raises
        ------
        ArgumentError, DataError
            If the regime or the size does not fit the family.
        """
        runs = self.runs(ready)
        runs.chain.check(runs.schedule.mixes)
        if isinstance(ready.regime, ReactiveRegime):
            check_metrics(runs.chain, ready.regime)
        pools_of(runs.chain, runs.schedule)

    def has_law(self, ready: ReadyCell) -> bool:
        """Return whether a law answers a cell."""
        return self.law != NO_LAW and self.quantity(ready).has_law(ready.regime, ready.samples)

    def by_law(self, ready: ReadyCell) -> LawfulRetention:
        """Return what is kept by law."""
        return self.quantity(ready).by_law(
            regime=ready.regime,
            samples=ready.samples,
            generations=ready.cell.generations,
            law=self.law,
        )

    def __call__(self, task: LawTask | RunsTask) -> list[CellAnswer]:
        """Return what is found in a task."""
        if isinstance(task, LawTask):
            return [CellAnswer(ready.cell.number, self._lawful(ready)) for ready in task.cells]
        return [CellAnswer(task.ready.cell.number, self._simulated(task), task.blocks[0][0])]

    def _lawful(self, ready: ReadyCell) -> LawfulRetention | Failed:
        try:
            return self.by_law(ready)
        except HayflickError as fault:
            return Failed(str(fault))

    def _simulated(self, task: RunsTask) -> Floats | Failed:
        try:
            recorded = self.runs(task.ready)(task.blocks)
        except HayflickError as fault:
            return Failed(str(fault))
        of_runs = self.quantity(task.ready).of_runs
        return np.concatenate([of_runs(recorded[block]) for block, _ in task.blocks])

    def tasks_of(
        self, ready: ReadyCell, blocks: Sequence[Block], *, seconds: float
    ) -> Iterator[RunsTask]:
        """Yield the tasks of a cell's runs: short ones cost more than they spread.

        Parameters
        ----------
        ready
            The cell.
        blocks
            The logical blocks to run.
        seconds
            About how long they take in all.
        """
        size = max(1, round(len(blocks) * _TASK_S / max(seconds, 1e-9)))
        if size < len(blocks):
            runs = self.runs(ready)
            if compiled_chain(runs.chain, runs.schedule) is not None:
                # Compiled calls run several blocks side by side.
                size = -(-size // COMPILED_TOGETHER) * COMPILED_TOGETHER
        for first in range(0, len(blocks), size):
            yield RunsTask(ready, blocks[first : first + size])
