"""How a study is run: laws where they apply, simulations elsewhere, each cell kept as it ends."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.documents import read_small_text
from hayflick.core.effort import Effort, expect
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.progress import Progress, silent
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.core.toml import parse_toml
from hayflick.simulation.blocks import Block
from hayflick.simulation.executors import DaskExecutor, completed, open_executor, worker_count
from hayflick.sweeps.kept import LawfulRetention
from hayflick.sweeps.network_study import ExperimentStudy, NetworkStudy, TrainedNetworkStudy
from hayflick.sweeps.preparation import ChainPreparation
from hayflick.sweeps.results import SweepResult, write_result
from hayflick.sweeps.store import CELLS, CellResult, SweepStore, open_store
from hayflick.sweeps.study import CellStudy, Study
from hayflick.sweeps.tasks import (
    CellAnswer,
    CellQuantity,
    CellWork,
    Failed,
    LawTask,
    Preparation,
    ReadyCell,
    RunsTask,
    SweepWorkload,
)

StudyInput: TypeAlias = CellStudy | Mapping[str, Any] | str | os.PathLike[str]

_KINDS: Mapping[str, type[CellStudy]] = {
    "chain": Study,
    "network": NetworkStudy,
    "trained-network": TrainedNetworkStudy,
}


def study_of(values: Mapping[str, Any], *, name: str = "study", text: str = "") -> CellStudy:
    """Return the study of the values of a file, of the kind that they name.

    Parameters
    ----------
    values, name, text
        As of `CellStudy.of`.

    Raises
    ------
    ArgumentError
        As `CellStudy.of`, and if there is no such kind.

    Examples
    --------
    >>> type(study_of({"format_version": 1, "kind": "network", "agents": 3, "rounds": 4})).__name__
    'NetworkStudy'
    """
    if "experiment" in values:
        return ExperimentStudy.of(values, name=name, text=text)
    kind = values.get("kind", "chain")
    if not isinstance(kind, str) or kind not in _KINDS:
        takes = (
            "chain (a line of models; the default), network (agents that read one pool) or "
            "trained-network (models that are trained on one another's output)"
        )
        raise ArgumentError(f"{name}: kind", got=kind, takes=takes)
    if "kind" not in values and "agents" in values:
        remedy = 'add kind = "network"'
        raise ArgumentError(f"{name}: agents", got="a key of networks", takes="none", remedy=remedy)
    return _KINDS[kind].of(values, name=name, text=text)


def read_study(path: str | os.PathLike[str]) -> CellStudy:
    """Return the study of a TOML file.

    Raises
    ------
    DataError
        If the file cannot be read, or is no TOML.
    ArgumentError
        If a key or a value is not understood; its line is named.
    """
    text = read_small_text(path, what="a study (.toml)")
    name = str(Path(path))
    return study_of(parse_toml(text, name=name), name=name, text=text)


def study_in(study: StudyInput) -> tuple[CellStudy, Path]:
    """Return a study, read if it is a file, and the folder of the files that it names.

    Raises
    ------
    DataError, ArgumentError
        As `read_study`.
    """
    if isinstance(study, CellStudy):
        return study, Path()
    if isinstance(study, Mapping):
        return study_of(study), Path()
    if isinstance(study, str | os.PathLike):
        return read_study(study), Path(study).parent
    takes = "a study file (.toml), its values by key, or a hayflick.Study"
    raise ArgumentError("study", got=study, takes=takes)


AUTO = "auto"
"""Processes where the work is long, else threads."""

_WORTH_PROCESSES_S = 20.0
_LAW_TASK_S, _MOST_LAWS = 0.5, 256
_TASKS_TOGETHER = 10_000


def sweep(
    study: StudyInput,
    *,
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    scheduler: str = "threads",
    workers: int | None = None,
    executor: Executor | None = None,
    progress: Progress = silent,
) -> SweepResult:
    """Run a study: what is kept over a grid of settings.

    Each cell is answered by a law where one is known, else simulated; a cell of an experiment is a
    run of it. The same study gives the same numbers whatever the scheduler and the workers.

    Parameters
    ----------
    study
        A study file (``study.toml``), its values by key, or a `Study`.
    out
        Folder of the results: ``summary.parquet``, ``results.zarr``, and ``cells.jsonl``, in which
        each cell is kept as it is finished. None to keep nothing.
    resume
        Whether a folder that exists is gone on with: cells that it holds are not computed again,
        also those of a smaller study.
    scheduler
        ``threads`` of this process, ``processes`` of this machine, ``auto`` (processes where the
        work takes more than 20 seconds), or the address of a running Dask scheduler such as
        ``tcp://host:8786``. A script that starts processes keeps its own work under
        ``if __name__ == "__main__":``.
    workers
        Number of threads or processes; one for each processor where None.
    executor
        Where the tasks run, in place of `scheduler`: of `concurrent.futures`, or any with its
        interface.
    progress
        Called with the number of cells that are done.

    Raises
    ------
    ArgumentError
        If the study is not understood, or has more than a million cells.
    DataError
        If a file that it names cannot be used, settings of a cell do not fit each other, or another
        process works on the folder.
    OutputError
        If the folder exists and `resume` is not set, or cannot be written.
    ExecutorError
        If the processes or machines are lost; the finished cells are kept.

    Examples
    --------
    >>> found = sweep({
    ...     "format_version": 1, "family": "zipf:100", "generations": 5, "samples": 200,
    ...     "regime": ["replace", "fresh:0.2", "accumulate"],
    ... })
    >>> found.to_frame()["law"].to_list()
    ['exact', 'exact', 'simulated']
    >>> found.to_frame()["kept"].round(3).to_list()
    [0.31, 0.464, 0.513]
    """
    if executor is not None and scheduler != "threads":
        raise ArgumentError("scheduler", got=scheduler, takes="nothing beside an executor")
    read, folder = study_in(study)
    where = None if out is None else Path(out)
    preparation = _preparation(read, folder, progress)
    cells = preparation.cells()
    record = provenance({"study": read.parameters()}, seed=read.seed[0])
    with open_store(where, study=record, resume=resume) as store:
        own = [ready.identifier for ready in cells]
        store.finished = {key: store.finished[key] for key in own if key in store.finished}
        _check_finished(cells, store)
        left = [ready for ready in cells if ready.identifier not in store.finished]
        interrupted = False
        if left:
            load = preparation.workload(left)
            with _opened(executor, scheduler, workers, load.effort) as (opened, effort):
                expect(progress, effort)
                running = _Sweep(read, load, store, progress, len(cells))
                interrupted = running.execute(opened)
        given = study if isinstance(study, str | os.PathLike) else None
        result = SweepResult(
            study=read,
            ready=tuple(cells),
            results=tuple(store.finished.get(key) for key in own),
            interrupted=interrupted,
            folder=where,
            read=(*Source.files(("study", given)), *preparation.sources),
        )
        if where is not None:
            write_result(result, where)
    if interrupted and not any(result.results):
        raise KeyboardInterrupt
    return result


def _check_finished(cells: Sequence[ReadyCell], store: SweepStore) -> None:
    """Refuse results that someone has cut: they would fit no array of the rounds."""
    for ready in cells:
        found = store.finished.get(ready.identifier)
        if found is not None and len(found.kept) != ready.rounds + 1:
            has = f"{ready.cell} has {len(found.kept)} values in {CELLS}"
            takes = f"takes {ready.rounds + 1}; delete its line, and it is computed again"
            raise DataError(f"{store.folder}: {has}, {takes}")


def _preparation(study: CellStudy, folder: Path, progress: Progress) -> Preparation:
    # What networks need is loaded where there are some.
    match study:
        case Study():
            return ChainPreparation(study, folder, progress)
        case NetworkStudy():
            from hayflick.sweeps.mixtures import MixturePreparation

            return MixturePreparation(study, folder)
        case TrainedNetworkStudy():
            from hayflick.sweeps.trained_networks import TrainedNetworkPreparation

            return TrainedNetworkPreparation(study, folder)
        case ExperimentStudy():
            from hayflick.sweeps.experiments import ExperimentPreparation

            return ExperimentPreparation(study, folder)
        case _:
            raise TypeError(f"no kind of study: {type(study).__name__}")


@contextmanager
def _opened(
    executor: Executor | None, scheduler: str, workers: int | None, effort: Callable[..., Effort]
) -> Iterator[tuple[Executor, Effort]]:
    """Open where the tasks run; yield it, and what all of them take there."""
    number = worker_count(workers)
    if executor is None and scheduler == AUTO:
        long = effort(number).seconds > _WORTH_PROCESSES_S
        scheduler = "processes" if long else "threads"
    with ExitStack() as stack:
        if executor is None:
            executor = stack.enter_context(open_executor(scheduler, workers=workers))
        if executor is None:
            executor = stack.enter_context(ThreadPoolExecutor(number))
        if isinstance(executor, DaskExecutor):
            yield executor, effort(executor.workers, elsewhere=True)
        else:
            yield executor, effort(number)


@dataclass(eq=False)
class _Simulated:
    """A cell that is being simulated, and the runs that came back."""

    ready: ReadyCell
    blocks: Sequence[Block]
    """All its blocks, at most."""
    asked: int = 0
    """Blocks that were sent out."""
    found: dict[int, Floats] = field(default_factory=dict)
    """Runs by their first block."""

    def next_blocks(self, *, first: int | None) -> Sequence[Block]:
        """Return the blocks to run next: all, or after the first ones as many again."""
        size = len(self.blocks)
        if first is not None:
            size = min(size, max(first, 2 * self.asked))
        blocks, self.asked = self.blocks[self.asked : size], size
        return blocks

    @property
    def is_complete(self) -> bool:
        """Whether all blocks that were sent out came back."""
        runs = sum(size for _, size in self.blocks[: self.asked])
        return sum(len(values) for values in self.found.values()) == runs

    def result(self, quantity: CellQuantity) -> CellResult:
        """Return what the runs keep so far."""
        runs = np.concatenate([self.found[first] for first in sorted(self.found)])
        return quantity.result(runs)

    def is_enough(self, result: CellResult, wanted: float | None) -> bool:
        """Return whether the standard error is small enough, or all runs are done."""
        if wanted is None or self.asked == len(self.blocks):
            return True
        # Runs that all end the same show no error; n of them leave room for about 1/n.
        error = result.last_error
        return (1.0 / result.runs if error is None else error) <= wanted


@dataclass(eq=False)
class _Sweep:
    """The cells of a study on their way through an executor."""

    study: CellStudy
    load: SweepWorkload
    store: SweepStore
    progress: Progress
    total: int
    simulated: dict[int, _Simulated] = field(default_factory=dict)

    def execute(self, executor: Executor) -> bool:
        """Run all cells; return whether Ctrl-C came in between."""
        self.simulated = {
            ready.cell.number: _Simulated(ready, self.load.blocks) for ready in self.load.simulated
        }
        work = self.load.work
        if isinstance(executor, DaskExecutor):
            work = work.for_cluster()
        try:
            self._tell()
            self._run(executor, work, self._law_tasks())
            while self.simulated:
                # Where cells are to reach a standard error, each round has as many runs again.
                self._run(executor, work, self._run_tasks())
        except KeyboardInterrupt:
            return True
        return False

    def _tell(self) -> None:
        self.progress("cells", len(self.store.finished), self.total)

    def _law_tasks(self) -> Iterator[LawTask[ReadyCell]]:
        cells = self.load.by_law
        size = int(np.clip(_LAW_TASK_S / max(self.load.law_seconds, 1e-9), 1, _MOST_LAWS))
        for first in range(0, len(cells), size):
            yield LawTask(cells[first : first + size])

    def _run_tasks(self) -> Iterator[RunsTask[ReadyCell]]:
        first = None if self.study.wanted_error is None else self.load.first_blocks
        for one in list(self.simulated.values()):
            blocks = one.next_blocks(first=first)
            seconds = self.load.seconds_of(one.ready, sum(size for _, size in blocks))
            yield from self.load.work.tasks_of(one.ready, blocks, seconds=seconds)

    def _run(
        self,
        executor: Executor,
        work: CellWork,
        tasks: Iterator[LawTask[ReadyCell]] | Iterator[RunsTask[ReadyCell]],
    ) -> None:
        """Do tasks, a part of them at a time; keep each cell that is finished."""
        numbers = {ready.cell.number: ready for ready in self.load.by_law}
        while part := list(itertools.islice(tasks, _TASKS_TOGETHER)):
            for answers in completed(executor, work, part):
                finished = []
                for answer in answers:
                    ready = numbers.get(answer.number)
                    if ready is None:
                        ready = self.simulated[answer.number].ready
                    if isinstance(answer.found, Failed):
                        raise DataError(f"{ready.cell}: {answer.found.message}")
                    result = self._result(ready, answer)
                    if result is not None:
                        finished.append((ready.identifier, result))
                if finished:
                    self.store.commit(finished)
                    self._tell()

    def _result(self, ready: ReadyCell, answer: CellAnswer) -> CellResult | None:
        """Return the result of a cell; None if runs of it are still to come."""
        quantity, found = self.load.work.quantity(ready), answer.found
        if isinstance(found, LawfulRetention):
            return CellResult(quantity.name, found.name, found.kept, None, found.error, 0)
        assert isinstance(found, np.ndarray)
        one = self.simulated[answer.number]
        one.found[answer.first_block] = found
        if not one.is_complete:
            return None
        result = one.result(quantity)
        if not one.is_enough(result, self.study.wanted_error):
            return None
        del self.simulated[answer.number]
        return result
