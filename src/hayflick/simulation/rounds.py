"""One logical block through all generations: the stages of a round, in their order.

generate → mix → estimate. A family draws what is left after sampling, degrading and
selecting in one go, from its own law; weighting and rounding are parts of its fit. A family
of a few numbers makes many rounds in one compiled call, with the same draws in the same
order.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
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
    Responder,
)
from hayflick.core.records import Mix, Reading, Schedule

Step: TypeAlias = tuple[Callable[[], Recorded], Recorded]
"""How to measure a generation that is the last, and what every generation leaves behind."""


def advance(
    chain: Chain[Any, Any], rng: np.random.Generator, population: Any, mix: Mix[Any]
) -> Any:
    """Return the models of the next generation."""
    pool = chain.generate(rng, population, mix.generated)
    pool = chain.mix(rng, pool, mix)
    return chain.estimate(pool)


def pools_of(chain: Chain[Any, Any], schedule: Schedule) -> Pools | None:
    """Return how pools are kept; None where no round accumulates.

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


def accumulated(
    chain: Chain[Any, Any],
    pools: Pools,
    schedule: Schedule,
    *,
    rng: np.random.Generator,
    replicates: int,
) -> Iterator[Step]:
    """Yield every generation, what was measured of the pools beside the models'."""
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
            # Of a part of what is kept, the part is the round's training sample.
            pool = pool if mix.subsample is None else training_set
        population = chain.estimate(training_set)
        yield (
            partial(chain.measure_last, population),
            {**chain.measure(population), **pools.measure(pool, kept)},
        )


def check_metrics(chain: Chain[Any, Any], regime: ReactiveRegime) -> None:
    """Refuse a regime that reads what the family does not measure.

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
            raise ArgumentError("metric", got=metric, takes=_one_of(names), remedy=remedy)


def _one_of(names: Sequence[str]) -> str:
    return f"one of {', '.join(names)}"


def reacted(
    chain: Chain[Any, Any], schedule: Schedule, *, rng: np.random.Generator, replicates: int
) -> Iterator[Step]:
    """Yield every generation; beside the models', what was put in and decided.

    ``real_items`` are those of the generation's training set, ``actions`` counts what was
    decided on its reading.
    """
    assert schedule.respond is not None
    runs = [_Run(chain, own, schedule.respond()) for own in rng.spawn(replicates)]
    yield _step(runs, [run.start() for run in runs])
    for generation in range(1, len(schedule.mixes) + 1):
        yield _step(runs, [run.round(generation) for run in runs])


@dataclass
class _Run:
    """One replicate."""

    chain: Chain[Any, Any]
    rng: np.random.Generator
    responder: Responder
    population: Any = None

    def start(self) -> Recorded:
        """Return what the fit to the real data leaves behind."""
        self.population = self.chain.start(1)
        measured = self.chain.measure(self.population)
        return {**measured, "real_items": np.zeros(1, np.int64), "actions": np.zeros(1, np.int64)}

    def round(self, generation: int) -> Recorded:
        """Make a round, read it, and return what it leaves behind."""
        mix = self.responder.mix(generation, samples=self.chain.samples)
        self.population = advance(self.chain, self.rng, self.population, mix)
        measured = self.chain.measure(self.population)
        actions = self.responder.read(_reading(generation, measured))
        real = np.array([mix.fresh + mix.reserved])
        return {**measured, "real_items": real, "actions": np.array([len(actions)])}


def _reading(generation: int, measured: Recorded) -> Reading:
    """Return the numbers of one replicate; what is undefined is left out."""
    single = {name: float(values[0]) for name, values in measured.items() if values.ndim == 1}
    return Reading(generation, {name: value for name, value in single.items() if value == value})


def _step(runs: Sequence[_Run], recorded: Sequence[Recorded]) -> Step:
    populations = [run.population for run in runs]
    return partial(_last, runs[0].chain, populations), _side_by_side(recorded)


def _last(chain: Chain[Any, Any], populations: Sequence[Any]) -> Recorded:
    return _side_by_side([chain.measure_last(population) for population in populations])


def _side_by_side(recorded: Sequence[Recorded]) -> Recorded:
    return {name: np.concatenate([one[name] for one in recorded]) for name in recorded[0]}


_ROUNDS_PER_CALL = 256


def walker_of(chain: Chain[Any, Any], schedule: Schedule) -> CompiledChain | None:
    """Return the chain as one that makes many rounds in one call; None where it cannot."""
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
    """Return what was measured of one block, or None where `tick` said to stop.

    Parameters
    ----------
    chain
        The family in motion.
    schedule
        What generations 1 … K are trained on.
    rng
        The block's own stream.
    replicates
        How many the block holds.
    tick
        Called with the number of rounds that are done since; False stops the block.

    Returns
    -------
    Arrays by name: the replicate first, then the generation (0 … K) where it was measured
    in each, then the family's own dimension.
    """
    rounds = _course(chain, schedule, rng=rng, replicates=replicates)
    measure_last, first = next(rounds)
    history = [_single(first)]
    for measure_last, recorded in rounds:  # noqa: B007 (the last is called below)
        history.append(_single(recorded))
        if not tick(1):
            return None
    return {**_joined(history), **measure_last()}


def _course(
    chain: Chain[Any, Any], schedule: Schedule, *, rng: np.random.Generator, replicates: int
) -> Iterator[Step]:
    """Yield the steps of a block, by the kind of its rounds."""
    if schedule.respond is not None:
        return reacted(chain, schedule, rng=rng, replicates=replicates)
    pools = pools_of(chain, schedule)
    if pools is not None:
        return accumulated(chain, pools, schedule, rng=rng, replicates=replicates)
    return _rounds(chain, schedule, rng=rng, replicates=replicates)


def _rounds(
    chain: Chain[Any, Any], schedule: Schedule, *, rng: np.random.Generator, replicates: int
) -> Iterator[Step]:
    """Yield every generation of models that are trained as the schedule says."""
    population = chain.start(replicates)
    yield partial(chain.measure_last, population), chain.measure(population)
    for mix in schedule.mixes:
        population = advance(chain, rng, population, mix)
        yield partial(chain.measure_last, population), chain.measure(population)


def walk_blocks(
    walker: CompiledChain,
    schedule: Schedule,
    *,
    rngs: tuple[np.random.Generator, ...],
    replicates: int,
    tick: Callable[[int], bool],
) -> Recorded | None:
    """Return the same for several logical blocks side by side, in compiled calls.

    `rngs` are their streams, `replicates` is how many they hold together.
    """
    population = walker.start(replicates)
    history = [_single(walker.measure(population))]
    for first in range(0, len(schedule.mixes), _ROUNDS_PER_CALL):
        rounds = slice(first, first + _ROUNDS_PER_CALL)
        path = walker.run_rounds(rngs, population, schedule.generated[rounds], schedule.fresh[rounds])
        population = path[-1]
        history.append(walker.measure(path))
        if not tick(len(path) * len(rngs)):
            return None
    return _joined(history)


def _joined(history: Sequence[Recorded]) -> Recorded:
    """Return what was measured, generations joined, the replicate first."""
    stacked = {name: np.concatenate([at[name] for at in history]) for name in history[0]}
    return {name: np.swapaxes(values, 0, 1) for name, values in stacked.items()}


def _single(recorded: Recorded) -> Recorded:
    return {name: values[None] for name, values in recorded.items()}
