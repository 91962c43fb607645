"""The one loop over generations: blocks of replicates, over threads, into one Dataset."""

from __future__ import annotations

import itertools
import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from hayflick.chains.stages import Stages
from hayflick.core.checks import MOST_GENERATIONS, MOST_REPLICATES, MOST_THREADS, whole_number
from hayflick.core.effort import expect
from hayflick.core.errors import ArgumentError, SimulationInterrupted
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Model, ReactiveRegime, Recorded, Regime
from hayflick.core.records import Schedule
from hayflick.core.reproducibility import LOGICAL_BLOCK, fresh_seed, logical_blocks, provenance
from hayflick.core.source import Source, sources_of, sources_record
from hayflick.corpus.frames import as_table, holds_counts, is_in_memory
from hayflick.corpus.table_format import TableFormat
from hayflick.regimes.replace import Replace
from hayflick.simulation.blocks import COMPILED_TOGETHER, Block, BlockRuns, check_metrics, pools_of
from hayflick.simulation.effort import simulation_effort
from hayflick.simulation.executors import DaskExecutor, completed

if TYPE_CHECKING:
    import xarray


FORMAT_VERSION = 1
"""Of the Dataset's names and dimensions."""

_POLL_SECONDS = 0.05


class RegimeRules(Protocol):
    """Rules that turn a regime into one that reacts to what is measured."""

    def regime(self, base: Regime, *, model: Any, samples: int | None, generations: int) -> Regime:
        """Return the regime in which the rules decide, `base` where they do nothing."""


def simulate(
    model: Model | str,
    *,
    corpus: str | os.PathLike[str] | None = None,
    column: str | None = None,
    columns: Sequence[str] | None = None,
    tokenizer: str | None = None,
    encoding: str = "utf-8",
    normalize: str = "nfc",
    table: TableFormat | None = None,
    estimator: str | None = None,
    resampler: Any = None,
    generations: int,
    regime: Regime | str = Replace(),
    rules: RegimeRules | None = None,
    samples: int | None = None,
    stages: Stages = Stages(),
    replicates: int = 200,
    seed: int | None = None,
    threads: int | None = None,
    block_size: int | None = None,
    executor: Executor | None = None,
    progress: Progress = silent,
) -> xarray.Dataset:
    """Simulate recursive training.

    The same seed gives the same Dataset, whatever the threads, the block size and the executor.

    Parameters
    ----------
    model
        The model fitted to the real data, such as `hayflick.Discrete`, or a family in the
        grammar of the command line, such as ``"zipf:1000"`` or ``"gaussian"``.
    corpus, column, columns, tokenizer, encoding, normalize, table
        What a named family is fitted to, and how it is read: a text, a folder of texts or a
        table; see `hayflick.corpus.reading.read_corpus`.
    estimator
        Of the family, in the grammar of the command line, such as ``"add:0.5"``; the model's
        own where None.
    resampler
        The calibrated trainer in the estimator's place: a `hayflick.Resampler`, of numbers a
        `hayflick.GaussianResampler`, or what `hayflick.calibrate` returned; None for an ideal one.
    generations
        Number of rounds, K.
    regime
        What each round is trained on: a regime, or its name in the grammar of the command
        line, such as ``"fresh:0.05"``.
    rules
        Rules that decide on every reading, on top of the regime; see
        `hayflick.SimulatedRules`.
    samples
        Size of a training set; the data's own size where None.
    stages
        Sampler, degradation, selection, weight of real items, rounding.
    replicates
        Number of independent runs.
    seed
        Of the random streams, at least 0; drawn from the system and recorded where None.
    threads
        How many work at once; one per processor where None.
    block_size
        Replicates per task, a multiple of 32, chosen where None. It affects only the speed.
    executor
        Where the tasks run: of `concurrent.futures`, or any with its interface, such as a client's
        of Dask (`hayflick.simulation.executors`); threads of this process where None.
    progress
        Called with the number of generations that are done, over all blocks.

    Returns
    -------
    A Dataset with dimensions ``replicate`` and ``generation`` (0 … K), to be saved with
    ``to_netcdf(path, engine="h5netcdf")`` and drawn by `hayflick.plot_runs`. For the discrete
    family: ``surviving_types``, ``surviving_fraction``, ``diversity`` (Gini-Simpson),
    ``class_survivors`` (also by ``count_class``, the smallest original count of a class)
    and ``count_by_rank`` (last generation, by ``rank``). Where rounds accumulate, survivors
    are counted in the newest n items (of a subsample: in it), ``surviving_in_pool`` in all
    that is kept; diversity and ranks are the model's. Where rounds react to what was read,
    ``real_items`` of a generation's training set, ``stored_items`` among them, and ``actions``
    decided after it.
    Attribute ``provenance`` is JSON.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or does not fit another.
    DataError
        If a file cannot be used.
    ExecutorError
        If the executor is lost: a process that was killed, a scheduler that is gone.
    SimulationInterrupted
        On Ctrl-C; its ``partial`` holds the finished replicates.

    Examples
    --------
    >>> from hayflick.chains.discrete import Discrete
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> runs = simulate(words, generations=10, replicates=64, seed=7)
    >>> dict(runs["surviving_types"].sizes)
    {'replicate': 64, 'generation': 11}
    >>> runs = simulate("gaussian:deviation=2", samples=20, generations=5, regime="fresh:0.1")
    >>> runs["deviation"].dims
    ('replicate', 'generation')
    """
    if isinstance(model, str):
        from hayflick.chains.family import FamilyData, parse_family

        if column is not None and columns is not None:
            raise ArgumentError("columns", got=",".join(columns), takes="nothing beside column")
        named = tuple(columns or ()) if column is None else (column,)
        path = None if corpus is None or is_in_memory(corpus) else os.fspath(corpus)
        found = as_table(corpus) if is_in_memory(corpus) and not holds_counts(corpus) else corpus
        data = FamilyData(
            found if path is None else path, named, tokenizer, encoding, normalize, table, progress
        )
        source: Any = Source(model)
        model = parse_family(model, data=data, estimator=estimator)
        read = sources_of(model, getattr(model, "sentences", None)) or Source.files(("data", path))
    else:
        given = {"corpus": corpus, "column": column, "columns": columns, "tokenizer": tokenizer}
        _refuse_beside_model(**given, estimator=estimator)
        source = Source(str(model.describe()["family"]))
        read = sources_of(model)
    if resampler is not None:
        from hayflick.chains.trained import retrained_by

        model = cast(Model, retrained_by(model, resampler))
    if isinstance(regime, str):
        from hayflick.regimes.regime import parse_regime

        regime = parse_regime(regime, like=getattr(model, "source", None) or source)
    read += (*sources_of(regime), *Source.files(("rules", getattr(rules, "path", None))))
    if rules is not None:
        regime = rules.regime(regime, model=model, samples=samples, generations=generations)
    generations = whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS)
    replicates = whole_number("replicates", replicates, at_least=1, at_most=MOST_REPLICATES)
    seed = fresh_seed() if seed is None else whole_number("seed", seed, at_least=0)
    workers = (os.cpu_count() or 1) if threads is None else threads
    workers = whole_number("threads", workers, at_least=1, at_most=MOST_THREADS)
    cluster = executor.workers if isinstance(executor, DaskExecutor) else None
    workers = min(cluster or workers, -(-replicates // LOGICAL_BLOCK))
    size = model.training_size(samples)
    mixes = [regime.mix(generation, samples=size) for generation in range(1, generations + 1)]
    chain = model.chain(size, stages=stages)
    chain.check(mixes)
    respond = None
    if isinstance(regime, ReactiveRegime):
        check_metrics(chain, regime)
        respond = regime.start
    schedule = Schedule(mixes, respond)
    pools_of(chain, schedule)
    effort = simulation_effort(
        chain, schedule, replicates=replicates, threads=workers, workers=cluster
    )
    expect(progress, effort)
    simulation = _Simulation(BlockRuns(chain, schedule, seed), replicates, progress)
    interrupted = simulation.execute(executor, workers=workers, block_size=block_size)
    if interrupted and not simulation.finished:
        raise SimulationInterrupted(None)
    runs = simulation.dataset(regime)
    runs.attrs["inputs"] = sources_record(read)
    if interrupted:
        raise SimulationInterrupted(runs)
    return runs


def _refuse_beside_model(**given: object) -> None:
    for name, value in given.items():
        if value is not None:
            takes = "nothing beside a model: it is for a family's name"
            raise ArgumentError(name, got=value, takes=takes)


def check_running(*, replicates: int, seed: int, threads: int | None) -> None:
    """Refuse settings that are out of range, before any work starts.

    Raises
    ------
    ArgumentError
        If one is out of its range; 0 replicates are allowed: no simulation.
    """
    whole_number("replicates", replicates, at_least=0, at_most=MOST_REPLICATES)
    whole_number("seed", seed, at_least=0)
    whole_number("threads", 1 if threads is None else threads, at_least=1, at_most=MOST_THREADS)


def run_until_interrupted(run: Callable[[], xarray.Dataset]) -> tuple[xarray.Dataset | None, bool]:
    """Return the runs (None if none finished), and whether they were interrupted."""
    try:
        return run(), False
    except SimulationInterrupted as stop:
        return stop.partial, True


@dataclass
class _Simulation:
    """All blocks of a simulation; the counter and what is finished are shared by threads."""

    runs: BlockRuns
    replicates: int
    progress: Progress
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    rounds_done: int = 0
    finished: dict[int, Recorded] = field(default_factory=dict)

    def tasks(self, *, workers: int, block_size: int | None) -> Iterator[Sequence[Block]]:
        """Return the blocks of each task."""
        if block_size is None:
            together = LOGICAL_BLOCK * COMPILED_TOGETHER
            many = self.runs.compiled is not None and self.replicates >= workers * together
            block_size = together if many else LOGICAL_BLOCK
        if whole_number("block_size", block_size, at_least=1) % LOGICAL_BLOCK:
            takes = f"a multiple of {LOGICAL_BLOCK}"
            raise ArgumentError("block_size", got=block_size, takes=takes)
        return _batched(logical_blocks(self.replicates), block_size // LOGICAL_BLOCK)

    def execute(self, executor: Executor | None, *, workers: int, block_size: int | None) -> bool:
        """Run all blocks, in threads without an executor; return whether Ctrl-C came between."""
        tasks = self.tasks(workers=workers, block_size=block_size)
        try:
            if executor is None:
                self.execute_in_threads(tasks, workers)
            else:
                for found in completed(executor, self.runs, tasks):
                    self.finished |= found
                    self.tick(len(found) * len(self.runs.schedule.mixes))
        except KeyboardInterrupt:
            return True
        return False

    def execute_in_threads(self, tasks: Iterator[Sequence[Block]], threads: int) -> None:
        """Run all tasks; an error in one ends the others too, at their next generation."""
        with ThreadPoolExecutor(threads) as executor:
            try:
                _wait([executor.submit(self.work, tasks) for _ in range(threads)])
            finally:
                self.stop.set()

    def work(self, tasks: Iterator[Sequence[Block]]) -> None:
        """Run tasks until none is left; keep finished logical blocks by index."""
        while not self.stop.is_set():
            with self.lock:
                task = next(tasks, ())
            if not task:
                return
            for group in self.runs.groups(task):
                found = self.runs.run(group, tick=self.tick)
                if found is None:
                    return
                self.finished |= found

    def tick(self, rounds: int) -> bool:
        """Count rounds of a block; return whether to go on."""
        blocks = -(-self.replicates // LOGICAL_BLOCK)
        with self.lock:
            self.rounds_done += rounds
            self.progress("simulating", self.rounds_done, blocks * len(self.runs.schedule.mixes))
        return not self.stop.is_set()

    def dataset(self, regime: Regime) -> xarray.Dataset:
        """Return what was measured in the finished blocks."""
        import xarray

        own = self.runs.chain.coordinates()
        blocks = sorted(self.finished)
        variables = {}
        for name in self.finished[blocks[0]]:
            values = np.concatenate([self.finished[block][name] for block in blocks])
            # What was measured in every generation has it as its second axis.
            shape = values.ndim - (name in own)
            dimensions = ("replicate", "generation")[:shape]
            variables[name] = ((*dimensions, own[name][0]) if name in own else dimensions, values)
        coordinates = dict(own.values())
        # After Ctrl-C any of the blocks may be missing: a replicate keeps its number.
        sizes = dict(logical_blocks(self.replicates))
        numbers = [LOGICAL_BLOCK * block + np.arange(sizes[block]) for block in blocks]
        coordinates["replicate"] = np.concatenate(numbers)
        coordinates["generation"] = np.arange(len(self.runs.schedule.mixes) + 1)
        parameters = {
            "model": dict(self.runs.chain.describe()),
            "regime": regime.describe(),
            "generations": len(self.runs.schedule.mixes),
            "replicates": self.replicates,
        }
        record = provenance(parameters, seed=self.runs.seed)
        attributes = {"format_version": FORMAT_VERSION, "provenance": json.dumps(record)}
        return xarray.Dataset(variables, coords=coordinates, attrs=attributes)


def _batched(blocks: Iterator[tuple[int, int]], size: int) -> Iterator[Sequence[tuple[int, int]]]:
    while batch := tuple(itertools.islice(blocks, size)):
        yield batch


def _wait(futures: Sequence[Future[None]]) -> None:
    """Wait for all futures; raise the first error."""
    pending = set(futures)
    while pending:
        # Without a timeout, Ctrl-C would have to wait: on Windows always, and elsewhere once a
        # library has asked the system to restart interrupted waits, as polars does.
        done, pending = wait(pending, timeout=_POLL_SECONDS, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()
