"""One block of replicates through all generations, step by step or in compiled calls."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeAlias

import numpy as np

from hayflick.core.errors import ArgumentError
from hayflick.core.protocols import (
    Accumulator,
    Chain,
    CompiledChain,
    Pools,
    ReactiveRegime,
    Recorded,
)
from hayflick.core.records import Mix, Reading, Schedule
from hayflick.core.reproducibility import LOGICAL_BLOCK, stream

Step: TypeAlias = tuple[Callable[[], Recorded], Recorded]
"""A generation: a function that measures it if it is the last one, and what is measured in each."""

Block: TypeAlias = tuple[int, int]
"""A logical block: its index and its number of replicates."""


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

    Beside the models, ``real_items`` of the training set are recorded, ``stored_items`` among
    them, and the number of ``actions`` decided on the reading.
    """
    assert schedule.respond is not None
    streams = rng.spawn(replicates)
    responders = [schedule.respond() for _ in streams]
    populations = [chain.start(1) for _ in streams]
    measured = [chain.measure(population) for population in populations]
    real = stored = actions = [0] * replicates
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
            stored = [mix.reserved for mix in mixes]
        decided = {
            "real_items": np.array(real),
            "stored_items": np.array(stored),
            "actions": np.array(actions),
        }
        yield partial(_last, chain, populations), {**_side_by_side(measured), **decided}


def _reading(generation: int, measured: Recorded) -> Reading:
    """Return the numbers of one replicate; what is undefined is left out."""
    single = {name: float(values[0]) for name, values in measured.items() if values.ndim == 1}
    return Reading(generation, {name: value for name, value in single.items() if value == value})


def _last(chain: Chain[Any, Any], populations: Sequence[Any]) -> Recorded:
    return _side_by_side([chain.measure_last(population) for population in populations])


def _side_by_side(recorded: Sequence[Recorded]) -> Recorded:
    return {name: np.concatenate([one[name] for one in recorded]) for name in recorded[0]}


ROUNDS_PER_CALL = 256
COMPILED_TOGETHER = 8
"""Logical blocks that a compiled call runs side by side."""


def compiled_chain(chain: Chain[Any, Any], schedule: Schedule) -> CompiledChain | None:
    """Return the chain if it makes many rounds in one compiled call, else None."""
    if schedule.accumulates or schedule.respond is not None:
        return None
    return chain if isinstance(chain, CompiledChain) and chain.compiled else None


@dataclass(frozen=True)
class BlockRuns:
    """The logical blocks of a simulation, to be run by any thread, process or machine.

    Parameters
    ----------
    chain
        The chain of the family.
    schedule
        What generations 1 … K are trained on.
    seed
        Of the random streams: every logical block has its own.
    """

    chain: Chain[Any, Any]
    schedule: Schedule
    seed: int

    @cached_property
    def compiled(self) -> CompiledChain | None:
        """The chain, if it makes many rounds in one call."""
        return compiled_chain(self.chain, self.schedule)

    def groups(self, task: Sequence[Block]) -> list[Sequence[Block]]:
        """Return the blocks of a task (index, size) in groups that run side by side."""
        # A kernel is compiled for two sizes only: blocks side by side, and single ones.
        whole = len(task) - len(task) % COMPILED_TOGETHER if self.compiled else 0
        starts = range(0, whole, COMPILED_TOGETHER)
        together = [task[first : first + COMPILED_TOGETHER] for first in starts]
        return [*together, *((block,) for block in task[whole:])]

    def run(
        self, group: Sequence[Block], *, tick: Callable[[int], bool]
    ) -> dict[int, Recorded] | None:
        """Return what was measured in blocks that run side by side; None if `tick` stopped them."""
        rngs = tuple(stream(self.seed, block=block) for block, _ in group)
        replicates = sum(size for _, size in group)
        if self.compiled is None:
            (rng,) = rngs
            recorded = run_block(
                self.chain, self.schedule, rng=rng, replicates=replicates, tick=tick
            )
        else:
            recorded = run_compiled(
                self.compiled, self.schedule, rngs=rngs, replicates=replicates, tick=tick
            )
        if recorded is None:
            return None
        found: dict[int, Recorded] = {}
        for place, (block, size) in enumerate(group):
            own = slice(LOGICAL_BLOCK * place, LOGICAL_BLOCK * place + size)
            found[block] = {name: values[own] for name, values in recorded.items()}
        return found

    def __call__(self, task: Sequence[Block]) -> dict[int, Recorded]:
        """Return what was measured in the blocks of a task."""
        found: dict[int, Recorded] = {}
        for group in self.groups(task):
            found |= self.run(group, tick=_go_on) or {}
        return found


def _go_on(rounds: int) -> bool:  # noqa: ARG001
    return True


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
    for first in range(0, len(schedule.mixes), ROUNDS_PER_CALL):
        rounds = slice(first, first + ROUNDS_PER_CALL)
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
