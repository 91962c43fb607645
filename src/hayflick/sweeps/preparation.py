"""From cells to work: models, regimes and files are read and checked, and the effort estimated."""

from __future__ import annotations

import pickle
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hayflick.calibration.calibration_file import resampler_of
from hayflick.chains.family import FamilyData, parse_family
from hayflick.chains.trained import retrained_by
from hayflick.core.effort import Effort
from hayflick.core.errors import ArgumentError, DataError, HayflickError
from hayflick.core.progress import Progress
from hayflick.core.protocols import Regime
from hayflick.core.source import Source, sources_of
from hayflick.regimes.regime import parse_regime
from hayflick.simulation.blocks import BlockRuns
from hayflick.simulation.effort import simulation_effort
from hayflick.sweeps.cells import Cell, cells_of
from hayflick.sweeps.study import IDEAL, Study
from hayflick.sweeps.work import CellWork, ReadyCell

_ITEM_S, _ROUND_S = 6e-8, 2e-6
_TRIED = 6
_LAW_S, _FEW_LAWS = 0.5, 20
_CELL_BYTES, _NUMBER_BYTES, _RUN_BYTES = 3000.0, 48.0, 16.0
_TASK_RUNS = 256
_FILE_REGIMES = ("anchor", "scheduled")


@dataclass(eq=False)
class Preparation:
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

    def cells(self) -> list[ReadyCell]:
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

    @property
    def work(self) -> CellWork:
        """The work on the cells that were read."""
        return CellWork(tuple(self._pickled), self.study.chosen_law)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The files that were read."""
        return tuple(self._files.values())

    def _ready(self, cell: Cell) -> ReadyCell:
        place, model = self._model(cell)
        regime, regime_digest = self._regime(cell, model)
        samples = model.training_size(cell.samples)
        common = {
            "law": self.study.chosen_law,
            "replicates": self.study.most_replicates,
            "standard_error": self.study.standard_error,
            "column": self.study.column,
            "tokenizer": self.study.tokenizer,
            "corpus": self._digest(self.study.corpus, "data"),
            "calibration": None
            if cell.resampler in (None, IDEAL)
            else self._digest(cell.resampler, "calibration"),
            "regime_file": regime_digest,
        }
        return ReadyCell(cell, cell.identity(common), place, regime, samples)

    def _digest(self, name: str | None, role: str) -> str | None:
        if name is None:
            return None
        path = self.folder / name
        if path not in self._files:
            self._files[path] = replace(Source.of(path), role=role)
        return self._files[path].sha256

    def _model(self, cell: Cell) -> tuple[int, Any]:
        key = cell.family, cell.estimator, cell.resampler
        if key not in self._models:
            study = self.study
            columns = () if study.column is None else (study.column,)
            path = None if study.corpus is None else self.folder / study.corpus
            data = FamilyData(path, columns, study.tokenizer, progress=self.progress)
            model: Any = parse_family(cell.family, data=data, estimator=cell.estimator)
            if cell.resampler is not None and cell.resampler != IDEAL:
                model = retrained_by(model, resampler_of(self.folder / cell.resampler))
            if path is not None:
                for one in sources_of(model, getattr(model, "sentences", None)):
                    self._files.setdefault(path, one)
            self._models[key] = len(self._pickled), model
            self._pickled.append(pickle.dumps(model, pickle.HIGHEST_PROTOCOL))
        return self._models[key]

    def _regime(self, cell: Cell, model: Any) -> tuple[Regime, str | None]:
        key = cell.regime_text, cell.family
        if key not in self._regimes:
            text, digest = cell.regime_text, None
            name, _, file = text.partition(":")
            path = self.folder / file.removeprefix("file=")
            if name in _FILE_REGIMES and len(file) < 1000 and path.is_file():
                digest = self._digest(file.removeprefix("file="), "regime")
                text = f"{name}:file={path}"
            like = getattr(model, "source", None) or Source(cell.family)
            self._regimes[key] = parse_regime(text, like=like), digest
        return self._regimes[key]


@dataclass(frozen=True, eq=False)
class SweepLoad:
    """The cells that are left to do, and about how long they take.

    Parameters
    ----------
    work
        What is done with them.
    by_law
        Cells that a law answers.
    simulated
        The others.
    law_seconds
        How long a law takes, on average.
    rate
        Measured over estimated seconds of the simulated cells.
    replicates
        Runs of a simulated cell, at most.
    memory
        Bytes that a simulated cell takes, at most.
    """

    work: CellWork
    by_law: Sequence[ReadyCell]
    simulated: Sequence[ReadyCell]
    law_seconds: float
    rate: float
    replicates: int
    memory: float

    @classmethod
    def of(cls, cells: Sequence[ReadyCell], work: CellWork, *, replicates: int) -> SweepLoad:
        """Return the workload of cells; a few of them are tried.

        Raises
        ------
        DataError
            If a cell cannot be simulated.
        """
        by_law, simulated = _divided(cells, work)
        _check(simulated, work)
        seconds = _LAW_S
        if len(by_law) > _FEW_LAWS:
            tried = _spread_out(by_law, 2)
            start = time.perf_counter()
            for ready in tried:
                work.by_law(ready)
            seconds = (time.perf_counter() - start) / len(tried)
        rate, memory = 1.0, 0.0
        tried = _spread_out(simulated, _TRIED)
        if tried:
            efforts = [_effort(work.runs(ready), replicates) for ready in tried]
            rough = sum(_rough_seconds(ready, replicates) for ready in tried)
            rate = sum(one.seconds for one in efforts) / rough
            memory = max(_memory(work, ready, replicates) for ready in tried)
        return cls(work, by_law, simulated, seconds, rate, replicates, memory)

    def seconds_of(self, ready: ReadyCell, replicates: int) -> float:
        """Return about how long runs of a simulated cell take on one worker."""
        return self.rate * _rough_seconds(ready, replicates)

    def effort(self, workers: int) -> Effort:
        """Return what all cells take on so many workers."""
        seconds = self.law_seconds * len(self.by_law)
        seconds += sum(self.seconds_of(ready, self.replicates) for ready in self.simulated)
        cells = (*self.by_law, *self.simulated)
        numbers = sum(ready.cell.generations + 1 for ready in cells)
        parts = [f"a study of {len(cells):,} cells", f"{len(self.by_law):,} of them by law"]
        if self.simulated:
            parts.append(f"the others with up to {self.replicates:,} runs each")
        return Effort(
            f"{', '.join(parts)},",
            seconds=seconds / workers,
            memory=_CELL_BYTES * len(cells) + _NUMBER_BYTES * numbers + self.memory,
        )


def _divided(
    cells: Sequence[ReadyCell], work: CellWork
) -> tuple[Sequence[ReadyCell], Sequence[ReadyCell]]:
    """Return the cells that a law answers, and the others."""
    by_law: list[ReadyCell] = []
    simulated: list[ReadyCell] = []
    for ready in cells:
        try:
            (by_law if work.has_law(ready) else simulated).append(ready)
        except (ArgumentError, DataError) as fault:
            raise DataError(f"{ready.cell}: {fault}") from None
    return by_law, simulated


def _memory(work: CellWork, ready: ReadyCell, replicates: int) -> float:
    """Return what a cell takes: its runs' values, and what is measured in a task."""
    values = _RUN_BYTES * replicates * (ready.cell.generations + 1)
    return values + _effort(work.runs(ready), min(replicates, _TASK_RUNS)).memory


def _effort(runs: BlockRuns, replicates: int) -> Effort:
    return simulation_effort(runs.chain, runs.schedule, replicates=replicates, threads=1)


def _check(cells: Sequence[ReadyCell], work: CellWork) -> None:
    """Refuse cells that cannot be simulated, each combination of settings once."""
    longest: dict[tuple[int, str, int], ReadyCell] = {}
    for ready in cells:
        key = ready.model, ready.cell.regime_text, ready.samples
        if key not in longest or longest[key].cell.generations < ready.cell.generations:
            longest[key] = ready
    for ready in longest.values():
        try:
            work.check(ready)
        except (ArgumentError, DataError) as fault:
            raise DataError(f"{ready.cell}: {fault}") from None


def _rough_seconds(ready: ReadyCell, replicates: int) -> float:
    return replicates * ready.cell.generations * (ready.samples * _ITEM_S + _ROUND_S)


def _spread_out(cells: Sequence[ReadyCell], most: int) -> Sequence[ReadyCell]:
    """Return at most so many cells, evenly spread over all."""
    step = max(1, -(-len(cells) // most))
    return cells[::step]
