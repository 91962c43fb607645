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
from hayflick.core.reproducibility import logical_blocks
from hayflick.core.source import Source, sources_of
from hayflick.regimes.regime import parse_regime
from hayflick.simulation.blocks import BlockRuns
from hayflick.simulation.effort import simulation_effort
from hayflick.sweeps.cells import Cell, cells_of
from hayflick.sweeps.study import IDEAL, Study
from hayflick.sweeps.tasks import SweepWorkload, spread_out
from hayflick.sweeps.work import ChainCell, ChainWork

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
