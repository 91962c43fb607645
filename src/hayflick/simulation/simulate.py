"""The one loop over generations: blocks of replicates, over threads, into one Dataset."""

from __future__ import annotations

import difflib
import itertools
import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from hayflick.chains.stages import Stages
from hayflick.core.checks import MOST_GENERATIONS, MOST_REPLICATES, whole_number
from hayflick.core.errors import ArgumentError, SimulationInterrupted
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import (
    Accumulator,
    Chain,
    CompiledChain,
    Model,
    Pools,
    ReactiveRegime,
    Recorded,
    Regime,
)
from hayflick.core.records import Mix, Reading, Schedule
from hayflick.core.reproducibility import (
    LOGICAL_BLOCK,
    fresh_seed,
    logical_blocks,
    provenance,
    stream,
)
from hayflick.corpus.counts import Source
from hayflick.regimes.replace import Replace

if TYPE_CHECKING:
    import xarray


Step: TypeAlias = tuple[Callable[[], Recorded], Recorded]
"""A generation: a function that measures it if it is the last one, and what is measured in each."""


def advance(
    chain: Chain[Any, Any], rng: np.random.Generator, population: Any, mix: Mix[Any]
) -> Any:
    """Return the models of the next generation."""
    pool = chain.generate(rng, population, mix.generated)
    pool = chain.mix(rng, pool, mix)
    return chain.estimate(pool)


def pools_of(chain: Chain[Any, Any], schedule: Schedule) -> Pools | None:
    """Return the pools of accumulating rounds; None if no round accumulates.

    Raises
    ------
    ArgumentError
        If the family cannot keep them.
    """
    if not schedule.accumulates:
        return None
    if not isinstance(chain, Accumulator):
        takes = "rounds that keep nothing in this family, such as replace or fresh"
        raise ArgumentError("regime", got="rounds that accumulate", takes=takes)
    return chain.pools(schedule.mixes)


def accumulating_rounds(
    chain: Chain[Any, Any],
    pools: Pools,
    schedule: Schedule,
    *,
    rng: np.random.Generator,
    replicates: int,
) -> Iterator[Step]:
    """Yield every generation; beside the models, what is kept is measured."""
    population, kept = chain.start(replicates), pools.start(rng, replicates)
    yield (
        partial(chain.measure_last, population),
        {**chain.measure(population), **pools.measure(None, kept)},
    )
    for mix in schedule.mixes:
        pool = chain.mix(rng, chain.generate(rng, population, mix.generated), mix)
        kept = pools.add(rng, kept, pool)
        training_set = pool
        if mix.accumulate:
            training_set = pools.training_set(rng, kept, mix.subsample)
            # Where a part of what is kept is drawn, that part is the training sample.
            pool = pool if mix.subsample is None else training_set
        population = chain.estimate(training_set)
        yield (
            partial(chain.measure_last, population),
            {**chain.measure(population), **pools.measure(pool, kept)},
        )


def check_metrics(chain: Chain[Any, Any], regime: ReactiveRegime) -> None:
    """Refuse a regime that reads a metric which the family does not measure.

    Raises
    ------
    ArgumentError
        If it does; the nearest name is offered.
    """
    measured = chain.measure(chain.start(1))
    names = [name for name, values in measured.items() if values.ndim == 1]
    for metric in regime.metrics:
        if metric not in names:
            near = difflib.get_close_matches(metric, names, n=1)
            remedy = f"did you mean {near[0]}?" if near else ""
            takes = f"one of {', '.join(names)}"
            raise ArgumentError("metric", got=metric, takes=takes, remedy=remedy)


def reactive_rounds(
    chain: Chain[Any, Any], schedule: Schedule, *, rng: np.random.Generator, replicates: int
) -> Iterator[Step]:
    """Yield every generation, where each replicate reacts to its own readings.

    Beside the models, ``real_items`` of the training set are recorded, and the number of
    ``actions`` decided on the reading.
    """
    assert schedule.respond is not None
    streams = rng.spawn(replicates)
    responders = [schedule.respond() for _ in streams]
    populations = [chain.start(1) for _ in streams]
    measured = [chain.measure(population) for population in populations]
    real = actions = [0] * replicates
    for generation in range(len(schedule.mixes) + 1):
        if generation:
            mixes = [one.mix(generation, samples=chain.samples) for one in responders]
            populations = [
                advance(chain, *run) for run in zip(streams, populations, mixes, strict=True)
            ]
            measured = [chain.measure(population) for population in populations]
            readings = [_reading(generation, recorded) for recorded in measured]
            actions = [
                len(one.read(reading)) for one, reading in zip(responders, readings, strict=True)
            ]
            real = [mix.fresh + mix.reserved for mix in mixes]
        decided = {"real_items": np.array(real), "actions": np.array(actions)}
        yield partial(_last, chain, populations), {**_side_by_side(measured), **decided}


def _reading(generation: int, measured: Recorded) -> Reading:
    """Return the numbers of one replicate; what is undefined is left out."""
    single = {name: float(values[0]) for name, values in measured.items() if values.ndim == 1}
    return Reading(generation, {name: value for name, value in single.items() if value == value})


def _last(chain: Chain[Any, Any], populations: Sequence[Any]) -> Recorded:
    return _side_by_side([chain.measure_last(population) for population in populations])


def _side_by_side(recorded: Sequence[Recorded]) -> Recorded:
    return {name: np.concatenate([one[name] for one in recorded]) for name in recorded[0]}


_ROUNDS_PER_CALL = 256


def compiled_chain(chain: Chain[Any, Any], schedule: Schedule) -> CompiledChain | None:
    """Return the chain if it makes many rounds in one compiled call, else None."""
    if schedule.accumulates or schedule.respond is not None:
        return None
    return chain if isinstance(chain, CompiledChain) and chain.compiled else None


def run_block(
    chain: Chain[Any, Any],
    schedule: Schedule,
    *,
    rng: np.random.Generator,
    replicates: int,
    tick: Callable[[int], bool],
) -> Recorded | None:
    """Run one logical block through all generations.

    Parameters
    ----------
    chain
        The chain of the family.
    schedule
        What generations 1 … K are trained on.
    rng
        The block's own stream.
    replicates
        How many the block holds.
    tick
        Called with the number of rounds done since the last call; returns False to stop.

    Returns
    -------
    Arrays by name, or None if it was stopped. Their axes are the replicate, then the generation
    (0 … K) where it was measured in each, then the family's own dimension.
    """
    pools = pools_of(chain, schedule)
    if schedule.respond is not None:
        rounds = reactive_rounds(chain, schedule, rng=rng, replicates=replicates)
    elif pools is not None:
        rounds = accumulating_rounds(chain, pools, schedule, rng=rng, replicates=replicates)
    else:
        rounds = _rounds(chain, schedule, rng=rng, replicates=replicates)
    measure_last, first = next(rounds)
    history = [_single(first)]
    for measure_last, recorded in rounds:  # noqa: B007 (the last is called below)
        history.append(_single(recorded))
        if not tick(1):
            return None
    return {**_joined(history), **measure_last()}


def _rounds(
    chain: Chain[Any, Any], schedule: Schedule, *, rng: np.random.Generator, replicates: int
) -> Iterator[Step]:
    """Yield every generation of models that are trained as the schedule says."""
    population = chain.start(replicates)
    yield partial(chain.measure_last, population), chain.measure(population)
    for mix in schedule.mixes:
        population = advance(chain, rng, population, mix)
        yield partial(chain.measure_last, population), chain.measure(population)


def run_compiled(
    chain: CompiledChain,
    schedule: Schedule,
    *,
    rngs: tuple[np.random.Generator, ...],
    replicates: int,
    tick: Callable[[int], bool],
) -> Recorded | None:
    """Run several logical blocks side by side, in compiled calls; see `run_block`.

    `rngs` are their streams, `replicates` is their number of replicates in all.
    """
    population = chain.start(replicates)
    history = [_single(chain.measure(population))]
    for first in range(0, len(schedule.mixes), _ROUNDS_PER_CALL):
        rounds = slice(first, first + _ROUNDS_PER_CALL)
        path = chain.run_rounds(
            rngs, population, schedule.generated[rounds], schedule.fresh[rounds]
        )
        population = path[-1]
        history.append(chain.measure(path))
        if not tick(len(path) * len(rngs)):
            return None
    return _joined(history)


def _joined(history: Sequence[Recorded]) -> Recorded:
    """Return the generations joined, the replicate as the first axis."""
    stacked = {name: np.concatenate([at[name] for at in history]) for name in history[0]}
    return {name: np.swapaxes(values, 0, 1) for name, values in stacked.items()}


def _single(recorded: Recorded) -> Recorded:
    return {name: values[None] for name, values in recorded.items()}


FORMAT_VERSION = 1
"""Of the Dataset's names and dimensions."""

_POLL_SECONDS = 0.05
_COMPILED_TOGETHER = 8


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
    estimator: str | None = None,
    generations: int,
    regime: Regime | str = Replace(),
    rules: RegimeRules | None = None,
    samples: int | None = None,
    stages: Stages = Stages(),
    replicates: int = 200,
    seed: int | None = None,
    threads: int | None = None,
    block_size: int | None = None,
    progress: Progress = silent,
) -> xarray.Dataset:
    """Simulate recursive training.

    The same seed gives the same Dataset, whatever the threads and the block size.

    Parameters
    ----------
    model
        The model fitted to the real data, such as `hayflick.Discrete`, or a family in the
        grammar of the command line, such as ``"zipf:1000"`` or ``"gaussian"``.
    corpus, column, columns, tokenizer, encoding
        What a named family is fitted to, and how it is read: a text, a folder of texts or a
        table; see `hayflick.corpus.reading.read_corpus`.
    estimator
        Of the family, in the grammar of the command line, such as ``"add:0.5"``; the model's
        own where None.
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
    ``real_items`` of a generation's training set, and ``actions`` decided after it.
    Attribute ``provenance`` is JSON.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or does not fit another.
    DataError
        If a file cannot be used.
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
        path = None if corpus is None else os.fspath(corpus)
        data = FamilyData(path, named, tokenizer, encoding, progress)
        source: Any = Source(model)
        model = parse_family(model, data=data, estimator=estimator)
    else:
        given = {"corpus": corpus, "column": column, "columns": columns, "tokenizer": tokenizer}
        for name, value in {**given, "estimator": estimator}.items():
            if value is not None:
                takes = "nothing beside a model: it is for a family's name"
                raise ArgumentError(name, got=value, takes=takes)
        source = Source(str(model.describe()["family"]))
    if isinstance(regime, str):
        from hayflick.regimes.regime import parse_regime

        regime = parse_regime(regime, like=getattr(model, "source", source))
    if rules is not None:
        regime = rules.regime(regime, model=model, samples=samples, generations=generations)
    generations = whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS)
    replicates = whole_number("replicates", replicates, at_least=1, at_most=MOST_REPLICATES)
    seed = fresh_seed() if seed is None else whole_number("seed", seed, at_least=0)
    workers = (os.cpu_count() or 1) if threads is None else threads
    workers = whole_number("threads", workers, at_least=1)
    workers = min(workers, -(-replicates // LOGICAL_BLOCK))
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
    simulation = _Simulation(chain, schedule, seed, replicates, progress)
    interrupted = simulation.execute(threads=workers, block_size=block_size)
    if interrupted and not simulation.finished:
        raise SimulationInterrupted(None)
    runs = simulation.dataset(regime)
    if interrupted:
        raise SimulationInterrupted(runs)
    return runs


def check_running(*, replicates: int, seed: int, threads: int | None) -> None:
    """Refuse settings that are out of range, before any work starts.

    Raises
    ------
    ArgumentError
        If one is out of its range; 0 replicates are allowed: no simulation.
    """
    whole_number("replicates", replicates, at_least=0)
    whole_number("seed", seed, at_least=0)
    whole_number("threads", 1 if threads is None else threads, at_least=1)


def run_until_interrupted(run: Callable[[], xarray.Dataset]) -> tuple[xarray.Dataset | None, bool]:
    """Return the runs (None if none finished), and whether they were interrupted."""
    try:
        return run(), False
    except SimulationInterrupted as stop:
        return stop.partial, True


@dataclass
class _Simulation:
    """All blocks of a simulation; the counter and what is finished are shared by threads."""

    chain: Chain[Any, Any]
    schedule: Schedule
    seed: int
    replicates: int
    progress: Progress
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    rounds_done: int = 0
    finished: dict[int, Recorded] = field(default_factory=dict)

    @cached_property
    def compiled(self) -> CompiledChain | None:
        """The chain, if it makes many rounds in one call."""
        return compiled_chain(self.chain, self.schedule)

    def execute(self, *, threads: int, block_size: int | None) -> bool:
        """Run all blocks; return whether Ctrl-C came in between."""
        if block_size is None:
            together = LOGICAL_BLOCK * _COMPILED_TOGETHER
            many = self.compiled is not None and self.replicates >= threads * together
            block_size = together if many else LOGICAL_BLOCK
        if whole_number("block_size", block_size, at_least=1) % LOGICAL_BLOCK:
            takes = f"a multiple of {LOGICAL_BLOCK}"
            raise ArgumentError("block_size", got=block_size, takes=takes)
        tasks = _batched(logical_blocks(self.replicates), block_size // LOGICAL_BLOCK)
        with ThreadPoolExecutor(threads) as executor:
            try:
                _wait([executor.submit(self.work, tasks) for _ in range(threads)])
            except KeyboardInterrupt:
                return True
            finally:
                # An error in one block ends the others too, at their next generation.
                self.stop.set()
        return False

    def work(self, tasks: Iterator[Sequence[tuple[int, int]]]) -> None:
        """Run tasks until none is left; keep finished logical blocks by index."""
        while not self.stop.is_set():
            with self.lock:
                task = next(tasks, ())
            if not task:
                return
            # A kernel is compiled for two sizes only: blocks side by side, and single ones.
            whole = len(task) - len(task) % _COMPILED_TOGETHER if self.compiled else 0
            starts = range(0, whole, _COMPILED_TOGETHER)
            groups = [task[first : first + _COMPILED_TOGETHER] for first in starts]
            for group in [*groups, *((block,) for block in task[whole:])]:
                if not self.run(group):
                    return

    def run(self, group: Sequence[tuple[int, int]]) -> bool:
        """Run logical blocks (index, size) side by side; return False if stopped."""
        rngs = tuple(stream(self.seed, block=block) for block, _ in group)
        replicates = sum(size for _, size in group)
        if self.compiled is None:
            (rng,) = rngs
            recorded = run_block(
                self.chain, self.schedule, rng=rng, replicates=replicates, tick=self.tick
            )
        else:
            recorded = run_compiled(
                self.compiled, self.schedule, rngs=rngs, replicates=replicates, tick=self.tick
            )
        if recorded is None:
            return False
        for place, (block, size) in enumerate(group):
            own = slice(LOGICAL_BLOCK * place, LOGICAL_BLOCK * place + size)
            self.finished[block] = {name: values[own] for name, values in recorded.items()}
        return True

    def tick(self, rounds: int) -> bool:
        """Count rounds of a block; return whether to go on."""
        blocks = -(-self.replicates // LOGICAL_BLOCK)
        with self.lock:
            self.rounds_done += rounds
            self.progress("simulating", self.rounds_done, blocks * len(self.schedule.mixes))
        return not self.stop.is_set()

    def dataset(self, regime: Regime) -> xarray.Dataset:
        """Return what was measured in the finished blocks."""
        import xarray

        own = self.chain.coordinates()
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
        coordinates["generation"] = np.arange(len(self.schedule.mixes) + 1)
        parameters = {
            "model": dict(self.chain.describe()),
            "regime": regime.describe(),
            "generations": len(self.schedule.mixes),
            "replicates": self.replicates,
        }
        record = provenance(parameters, seed=self.seed)
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
