"""Lines of models as cells of a study: answered by law, or simulated."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from typing_extensions import override

from hayflick.chains.stages import Stages
from hayflick.core.arrays import Floats
from hayflick.core.errors import HayflickError
from hayflick.core.protocols import ReactiveRegime, Regime
from hayflick.core.records import Schedule
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.replace import Replace
from hayflick.simulation.blocks import (
    COMPILED_TOGETHER,
    Block,
    BlockRuns,
    check_metrics,
    compiled_chain,
    pools_of,
)
from hayflick.sweeps.kept import KeptQuantity, LawfulRetention, kept_quantity
from hayflick.sweeps.study import NO_LAW
from hayflick.sweeps.tasks import TASK_S, CellAnswer, Failed, LawTask, ReadyCell, RunsTask, batches


@dataclass(frozen=True, eq=False)
class ChainCell(ReadyCell):
    """A cell of one line of models.

    Parameters
    ----------
    cell, identifier
        As of `ReadyCell`.
    model
        Place of its model in `ChainWork.models`.
    regime
        What each round is trained on.
    regime_text
        The regime in the grammar of the command line.
    samples
        Size of a training set.
    """

    model: int
    regime: Regime
    regime_text: str
    samples: int

    @property
    @override
    def rounds(self) -> int:
        return int(self.cell.settings["generations"])

    @override
    def row(self) -> dict[str, Any]:
        own = {"regime": self.regime_text, "share": self.share, "samples": self.samples}
        return {**self.cell.settings, **own}

    @property
    def share(self) -> float | None:
        """The share of fresh data in every round; None where a regime has no such share."""
        if isinstance(self.regime, Fresh):
            return self.regime.share
        return 0.0 if isinstance(self.regime, Replace) else None

    def schedule(self) -> Schedule:
        """Return what generations 1 … K are trained on."""
        rounds = range(1, self.rounds + 1)
        mixes = [self.regime.mix(generation, samples=self.samples) for generation in rounds]
        return Schedule(
            mixes, self.regime.start if isinstance(self.regime, ReactiveRegime) else None
        )


@lru_cache(maxsize=16)
def _loaded(pickled: bytes) -> tuple[Any, KeptQuantity]:
    model = pickle.loads(pickled)
    return model, kept_quantity(model)


@dataclass(frozen=True, eq=False)
class ChainWork:
    """The work on the cells of lines of models; a call does a task.

    Parameters
    ----------
    models
        The models, pickled; each process unpickles each of them once.
    law
        The law that the study wants.
    """

    models: Sequence[bytes]
    law: str

    def quantity(self, ready: ChainCell) -> KeptQuantity:
        """Return what is kept in a cell."""
        return _loaded(self.models[ready.model])[1]

    def runs(self, ready: ChainCell) -> BlockRuns:
        """Return the simulation of a cell."""
        model = _loaded(self.models[ready.model])[0]
        chain = model.chain(ready.samples, stages=Stages())
        return BlockRuns(chain, ready.schedule(), ready.cell.seed)

    def check(self, ready: ChainCell) -> None:
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

    def has_law(self, ready: ChainCell) -> bool:
        """Return whether a law answers a cell."""
        return self.law != NO_LAW and self.quantity(ready).has_law(ready.regime, ready.samples)

    def by_law(self, ready: ChainCell) -> LawfulRetention:
        """Return what is kept by law."""
        return self.quantity(ready).by_law(
            regime=ready.regime, samples=ready.samples, generations=ready.rounds, law=self.law
        )

    def __call__(self, task: LawTask[ChainCell] | RunsTask[ChainCell]) -> list[CellAnswer]:
        """Return what is found in a task."""
        if isinstance(task, LawTask):
            return [CellAnswer(ready.cell.number, self._lawful(ready)) for ready in task.cells]
        return [CellAnswer(task.ready.cell.number, self._simulated(task), task.blocks[0][0])]

    def _lawful(self, ready: ChainCell) -> LawfulRetention | Failed:
        try:
            return self.by_law(ready)
        except HayflickError as fault:
            return Failed(str(fault))

    def _simulated(self, task: RunsTask[ChainCell]) -> Floats | Failed:
        try:
            recorded = self.runs(task.ready)(task.blocks)
        except HayflickError as fault:
            return Failed(str(fault))
        of_runs = self.quantity(task.ready).of_runs
        return np.concatenate([of_runs(recorded[block]) for block, _ in task.blocks])

    def tasks_of(
        self, ready: ChainCell, blocks: Sequence[Block], *, seconds: float
    ) -> Iterator[RunsTask[ChainCell]]:
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
        size = max(1, round(len(blocks) * TASK_S / max(seconds, 1e-9)))
        if size < len(blocks):
            runs = self.runs(ready)
            if compiled_chain(runs.chain, runs.schedule) is not None:
                # Compiled calls run several blocks side by side.
                size = -(-size // COMPILED_TOGETHER) * COMPILED_TOGETHER
        for part in batches(blocks, size):
            yield RunsTask(ready, part)

    def for_cluster(self) -> ChainWork:
        """Return itself: what the files hold is in the models."""
        return self
