"""From cells to work: models, regimes and files are read and checked, and the effort estimated."""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import override

from hayflick.calibration.calibration_file import resampler_of
from hayflick.chains.family import FamilyData, parse_family
from hayflick.chains.stages import Stages
from hayflick.chains.trained import retrained_by
from hayflick.core.arrays import Floats
from hayflick.core.effort import Effort
from hayflick.core.errors import ArgumentError, DataError, HayflickError
from hayflick.core.progress import Progress
from hayflick.core.protocols import ReactiveRegime, Regime
from hayflick.core.records import Schedule
from hayflick.core.reproducibility import logical_blocks
from hayflick.core.source import Source, sources_of
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.regime import parse_regime
from hayflick.regimes.replace import Replace
from hayflick.simulation.blocks import (
    COMPILED_TOGETHER,
    Block,
    BlockRuns,
    check_metrics,
    compiled_chain,
    pools_of,
)
from hayflick.simulation.effort import simulation_effort
from hayflick.sweeps.cells import Cell, cells_of
from hayflick.sweeps.kept import KeptQuantity, LawfulRetention, kept_quantity
from hayflick.sweeps.study import IDEAL, NO_LAW, Study
from hayflick.sweeps.tasks import (
    TASK_S,
    CellAnswer,
    Failed,
    LawTask,
    ReadyCell,
    RunsTask,
    SweepWorkload,
    batches,
    spread_out,
)


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


_ITEM_S, _ROUND_S = 6e-8, 2e-6
_TRIED = 6
_LAW_S, _FEW_LAWS = 0.5, 20
_RUN_BYTES = 16.0
_FIRST_BLOCKS = 2
_TASK_RUNS = 256
_FILE_REGIMES = ("anchor", "scheduled")


@dataclass(eq=False)
class ChainPreparation:
    """Reads what cells name, each model, regime and file once.

    Parameters
    ----------
    study
        The study.
    folder
        Where the files that it names are looked up.
    progress
        Called with how far reading the data has come.
    """

    study: Study
    folder: Path
    progress: Progress
    _models: dict[tuple[str, str | None, str | None], tuple[int, Any]] = field(default_factory=dict)
    _pickled: list[bytes] = field(default_factory=list)
    _regimes: dict[tuple[str, str], tuple[Regime, str | None]] = field(default_factory=dict)
    _files: dict[Path, Source] = field(default_factory=dict)

    def cells(self) -> list[ChainCell]:
        """Return the cells, in order.

        Raises
        ------
        ArgumentError, DataError
            If a family, estimator, calibration or regime is unknown, or does not fit; the cell is
            named where it is about several settings.
        """
        found = []
        for cell in cells_of(self.study):
            try:
                found.append(self._ready(cell))
            except HayflickError as fault:
                raise DataError(f"{cell}: {fault}") from None
        return found

    def workload(self, left: Sequence[ChainCell]) -> SweepWorkload:
        """Return the work on the cells that are left; a few of them are tried.

        Raises
        ------
        DataError
            If a cell cannot be simulated.
        """
        work = ChainWork(tuple(self._pickled), self.study.chosen_law)
        replicates = self.study.most_replicates
        by_law, simulated = _divided(left, work)
        _check(simulated, work)
        law_seconds = _LAW_S
        if len(by_law) > _FEW_LAWS:
            tried = spread_out(by_law, 2)
            start = time.perf_counter()
            for ready in tried:
                work.by_law(ready)
            law_seconds = (time.perf_counter() - start) / len(tried)
        rate, memory = 1.0, 0.0
        tried = spread_out(simulated, _TRIED)
        if tried:
            efforts = [_effort(work.runs(ready), replicates) for ready in tried]
            rough = sum(_rough_seconds(ready, replicates) for ready in tried)
            rate = sum(one.seconds for one in efforts) / rough
            memory = max(_memory(work, ready, replicates) for ready in tried)
        others = f" the others with up to {replicates:,} runs each," if simulated else ""
        return SweepWorkload(
            work=work,
            by_law=by_law,
            simulated=simulated,
            law_seconds=law_seconds,
            seconds_of=lambda ready, runs: rate * _rough_seconds(ready, runs),
            blocks=tuple(logical_blocks(replicates)),
            first_blocks=_FIRST_BLOCKS,
            memory=memory,
            described=f", {len(by_law):,} of them by law,{others}",
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """The files that were read."""
        return tuple(self._files.values())

    def _ready(self, cell: Cell) -> ChainCell:
        place, model = self._model(cell)
        regime, regime_digest = self._regime(cell, model)
        settings = cell.settings
        samples = model.training_size(settings.get("samples"))
        resampler = settings.get("resampler")
        common = {
            "law": self.study.chosen_law,
            "replicates": self.study.most_replicates,
            "standard_error": self.study.standard_error,
            "column": self.study.column,
            "tokenizer": self.study.tokenizer,
            "corpus": self._digest(self.study.corpus, "data"),
            "calibration": None
            if resampler in (None, IDEAL)
            else self._digest(resampler, "calibration"),
            "regime_file": regime_digest,
        }
        text = regime_text(cell)
        return ChainCell(cell, cell.identity(common), place, regime, text, samples)

    def _digest(self, name: str | None, role: str) -> str | None:
        if name is None:
            return None
        path = self.folder / name
        if path not in self._files:
            self._files[path] = replace(Source.of(path), role=role)
        return self._files[path].sha256

    def _model(self, cell: Cell) -> tuple[int, Any]:
        family, estimator, resampler = (
            cell.settings.get(name) for name in ("family", "estimator", "resampler")
        )
        key = str(family), estimator, resampler
        if key not in self._models:
            study = self.study
            columns = () if study.column is None else (study.column,)
            path = None if study.corpus is None else self.folder / study.corpus
            data = FamilyData(path, columns, study.tokenizer, progress=self.progress)
            model: Any = parse_family(key[0], data=data, estimator=estimator)
            if resampler is not None and resampler != IDEAL:
                model = retrained_by(model, resampler_of(self.folder / resampler))
            if path is not None:
                for one in sources_of(model, getattr(model, "sentences", None)):
                    self._files.setdefault(path, one)
            self._models[key] = len(self._pickled), model
            self._pickled.append(pickle.dumps(model, pickle.HIGHEST_PROTOCOL))
        return self._models[key]

    def _regime(self, cell: Cell, model: Any) -> tuple[Regime, str | None]:
        key = regime_text(cell), str(cell.settings["family"])
        if key not in self._regimes:
            text, digest = key[0], None
            name, _, file = text.partition(":")
            path = self.folder / file.removeprefix("file=")
            if name in _FILE_REGIMES and len(file) < 1000 and path.is_file():
                digest = self._digest(file.removeprefix("file="), "regime")
                text = f"{name}:file={path}"
            like = getattr(model, "source", None) or Source(key[1])
            self._regimes[key] = parse_regime(text, like=like), digest
        return self._regimes[key]


def regime_text(cell: Cell) -> str:
    """Return the regime of a cell in the grammar of the command line."""
    share = cell.settings.get("share")
    if share is not None:
        return f"fresh:{share!r}"
    return str(cell.settings.get("regime") or "replace")


def _divided(
    cells: Sequence[ChainCell], work: ChainWork
) -> tuple[Sequence[ChainCell], Sequence[ChainCell]]:
    """Return the cells that a law answers, and the others."""
    by_law: list[ChainCell] = []
    simulated: list[ChainCell] = []
    for ready in cells:
        try:
            (by_law if work.has_law(ready) else simulated).append(ready)
        except (ArgumentError, DataError) as fault:
            raise DataError(f"{ready.cell}: {fault}") from None
    return by_law, simulated


def _memory(work: ChainWork, ready: ChainCell, replicates: int) -> float:
    """Return what a cell takes: its runs' values, and what is measured in a task."""
    values = _RUN_BYTES * replicates * (ready.rounds + 1)
    return values + _effort(work.runs(ready), min(replicates, _TASK_RUNS)).memory


def _effort(runs: BlockRuns, replicates: int) -> Effort:
    return simulation_effort(runs.chain, runs.schedule, replicates=replicates, threads=1)


def _check(cells: Sequence[ChainCell], work: ChainWork) -> None:
    """Refuse cells that cannot be simulated, each combination of settings once."""
    longest: dict[tuple[int, str, int], ChainCell] = {}
    for ready in cells:
        key = ready.model, ready.regime_text, ready.samples
        if key not in longest or longest[key].rounds < ready.rounds:
            longest[key] = ready
    for ready in longest.values():
        try:
            work.check(ready)
        except (ArgumentError, DataError) as fault:
            raise DataError(f"{ready.cell}: {fault}") from None


def _rough_seconds(ready: ChainCell, replicates: int) -> float:
    return replicates * ready.rounds * (ready.samples * _ITEM_S + _ROUND_S)
