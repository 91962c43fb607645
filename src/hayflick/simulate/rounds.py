"""One logical block through all generations: the stages of a round, in their order.

generate → mix → estimate. A family draws what is left after sampling, degrading and
selecting in one go, from its own law; weighting and rounding are parts of its fit. A family
of a few numbers makes many rounds in one compiled call, with the same draws in the same
order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from hayflick.core.protocols import Chain, Recorded, Walker
from hayflick.core.records import Mix, Schedule

_ROUNDS_PER_CALL = 256


def advance(
    chain: Chain[Any, Any], rng: np.random.Generator, population: Any, mix: Mix[Any]
) -> Any:
    """Return the models of the next generation."""
    pool = chain.generate(rng, population, mix.generated)
    pool = chain.mix(rng, pool, mix)
    return chain.estimate(pool)


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
    history = []
    # The last population is measured once more below.
    for population, recorded in _populations(chain, schedule, rng, replicates):  # noqa: B007
        history.append(recorded)
        rounds = len(next(iter(recorded.values()))) if len(history) > 1 else 0
        if rounds and not tick(rounds):
            return None
    stacked = {name: np.concatenate([at[name] for at in history]) for name in history[0]}
    by_replicate = {name: np.swapaxes(values, 0, 1) for name, values in stacked.items()}
    return {**by_replicate, **chain.measure_last(population)}


def _populations(
    chain: Chain[Any, Any], schedule: Schedule, rng: np.random.Generator, replicates: int
) -> Iterator[tuple[Any, Recorded]]:
    """Yield populations and what was measured of the rounds before, generation first."""
    population = chain.start(replicates)
    yield population, _single(chain.measure(population))
    if isinstance(chain, Walker) and chain.compiled:
        for first in range(0, len(schedule.mixes), _ROUNDS_PER_CALL):
            rounds = slice(first, first + _ROUNDS_PER_CALL)
            path = chain.walk(rng, population, schedule.generated[rounds], schedule.fresh[rounds])
            population = path[-1]
            yield population, chain.measure(path)
        return
    for mix in schedule.mixes:
        population = advance(chain, rng, population, mix)
        yield population, _single(chain.measure(population))


def _single(recorded: Recorded) -> Recorded:
    return {name: values[None] for name, values in recorded.items()}
