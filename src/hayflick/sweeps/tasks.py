"""What a thread, process or machine does for a study, and about how long that takes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from hayflick.core.arrays import Floats
from hayflick.core.effort import Effort
from hayflick.core.source import Source
from hayflick.simulation.blocks import Block
from hayflick.sweeps.cells import Cell
from hayflick.sweeps.kept import LawfulRetention
from hayflick.sweeps.store import CellResult

TASK_S = 2.0
"""How long a task is, about: short ones cost more than they spread."""

_CELL_BYTES, _NUMBER_BYTES = 3000.0, 48.0


@dataclass(frozen=True, eq=False)
class ReadyCell(ABC):
    """A cell whose settings were read.

    Parameters
    ----------
    cell
        The cell.
    identifier
        See `Cell.identity`.
    """

    cell: Cell
    identifier: str

    @property
    @abstractmethod
    def rounds(self) -> int:
        """Number of its rounds."""

    def row(self) -> dict[str, Any]:
        """Return its settings as the summary has them, also those that the study leaves out."""
        return dict(self.cell.settings)


Ready = TypeVar("Ready", bound=ReadyCell)


@dataclass(frozen=True, eq=False)
class LawTask(Generic[Ready]):
    """Cells that a law answers."""

    cells: Sequence[Ready]


@dataclass(frozen=True, eq=False)
class RunsTask(Generic[Ready]):
    """Blocks of the runs of one cell: the number of each, and how many runs it has."""

    ready: Ready
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
        The law, or the values of its runs, one row each.
    first_block
        The first block of the runs.
    """

    number: int
    found: LawfulRetention | Floats | Failed
    first_block: int = 0


class CellQuantity(Protocol):
    """What a cell's ``kept`` is."""

    @property
    def name(self) -> str:
        """Such as ``types`` or ``distance``."""

    def result(self, runs: Floats) -> CellResult:
        """Return what runs keep, one row each."""


class CellWork(Protocol):
    """The work on the cells of a study; a call does a task."""

    def __call__(self, task: Any) -> list[CellAnswer]:
        """Return what is found in a task."""

    def quantity(self, ready: Any) -> CellQuantity:
        """Return what is kept in a cell."""

    def tasks_of(
        self, ready: Any, blocks: Sequence[Block], *, seconds: float
    ) -> Iterator[RunsTask[Any]]:
        """Yield the tasks of blocks of a cell's runs, which take so long in all."""

    def for_cluster(self) -> CellWork:
        """Return the work for machines that have none of the files of this one."""


@dataclass(frozen=True, eq=False, kw_only=True)
class SweepWorkload:
    """The cells that are left to do, and about how long they take.

    Parameters
    ----------
    work
        What is done with them.
    simulated
        Cells that are simulated.
    by_law
        Cells that a law answers.
    law_seconds
        How long a law takes, on average.
    seconds_of
        Returns how long runs of a simulated cell take on one worker.
    blocks
        The blocks of the runs of a simulated cell, at most.
    first_blocks
        How many of them a standard error is first told from.
    memory
        Bytes that a simulated cell takes, at most.
    worker_memory
        Bytes that each worker takes.
    described
        The rest of the phrase that says what is done, after the number of cells.
    """

    work: CellWork
    simulated: Sequence[ReadyCell]
    by_law: Sequence[ReadyCell] = ()
    law_seconds: float = 0.0
    seconds_of: Callable[[Any, int], float]
    blocks: Sequence[Block]
    first_blocks: int
    memory: float = 0.0
    worker_memory: float = 0.0
    described: str

    def effort(self, workers: int, *, elsewhere: bool = False) -> Effort:
        """Return what all cells take on so many workers.

        Parameters
        ----------
        workers
            How many tasks are done at once.
        elsewhere
            Whether that is on other machines, with their own memory.
        """
        runs = sum(size for _, size in self.blocks)
        seconds = self.law_seconds * len(self.by_law)
        seconds += sum(self.seconds_of(ready, runs) for ready in self.simulated)
        cells = (*self.by_law, *self.simulated)
        numbers = sum(ready.rounds + 1 for ready in cells)
        memory = _CELL_BYTES * len(cells) + _NUMBER_BYTES * numbers + self.memory
        if not elsewhere:
            memory += workers * self.worker_memory
        number = "one cell" if len(cells) == 1 else f"{len(cells):,} cells"
        return Effort(f"a study of {number}{self.described}", seconds / workers, memory)


class Preparation(Protocol):
    """Reads what the cells of a study name, and estimates the work."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """The files that were read."""

    def cells(self) -> Sequence[ReadyCell]:
        """Return the cells, in order."""

    def workload(self, left: Sequence[Any]) -> SweepWorkload:
        """Return the work on the cells that are left to do."""


def spread_out(cells: Sequence[Ready], most: int) -> Sequence[Ready]:
    """Return at most so many cells, evenly spread over all."""
    step = max(1, -(-len(cells) // most))
    return cells[::step]


def batches(blocks: Sequence[Block], size: int) -> Iterator[Sequence[Block]]:
    """Yield blocks in parts of one size."""
    for first in range(0, len(blocks), size):
        yield blocks[first : first + size]
