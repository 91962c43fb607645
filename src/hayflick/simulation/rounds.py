"""One logical block through all generations: the stages of a round, in their order.

generate → mix → estimate. A family draws what is left after sampling, degrading and
selecting in one go, from its own law; weighting and rounding are parts of its fit. A family
of a few numbers makes many rounds in one compiled call, with the same draws in the same
order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from hayflick.core.protocols import Chain, Recorded, Walker
from hayflick.core.records import Schedule
from hayflick.simulation.accumulating import accumulated, pools_of
from hayflick.simulation.reacting import reacted
from hayflick.simulation.steps import Step, advance

_ROUNDS_PER_CALL = 256


def walker_of(chain: Chain[Any, Any], schedule: Schedule) -> Walker | None:
    """Return the chain as one that makes many rounds in one call; None where it cannot."""
    if schedule.accumulates or schedule.respond is not None:
        return None
    return chain if isinstance(chain, Walker) and chain.compiled else None


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
    walker: Walker,
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
        path = walker.walk(rngs, population, schedule.generated[rounds], schedule.fresh[rounds])
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
