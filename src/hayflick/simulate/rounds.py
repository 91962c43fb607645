"""One logical block through all generations: the stages of a round, in their order.

generate → mix → estimate. Degrading and selecting come between the first two, weighting
and rounding around the last; a stage that is not asked for is absent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hayflick.core.protocols import Chain, Recorded
from hayflick.core.records import Mix


def advance(
    chain: Chain[Any, Any], rng: np.random.Generator, population: Any, mix: Mix[Any]
) -> Any:
    """Return the models of the next generation."""
    pool = chain.generate(rng, population, mix.generated)
    pool = chain.mix(rng, pool, mix)
    return chain.estimate(pool)


def run_block(
    chain: Chain[Any, Any],
    mixes: Sequence[Mix[Any]],
    *,
    rng: np.random.Generator,
    replicates: int,
    tick: Callable[[], bool],
) -> Recorded | None:
    """Return what was measured of one block, or None where `tick` said to stop.

    Parameters
    ----------
    chain
        The family in motion.
    mixes
        What generations 1 … K are trained on.
    rng
        The block's own stream.
    replicates
        How many the block holds.
    tick
        Called after every generation; False stops the block.

    Returns
    -------
    Arrays by name: the replicate first, then the generation (0 … K) where it was measured
    in each, then the family's own dimension.
    """
    population = chain.start(replicates)
    history = [chain.measure(population)]
    for mix in mixes:
        population = advance(chain, rng, population, mix)
        history.append(chain.measure(population))
        if not tick():
            return None
    stacked = {name: np.stack([at[name] for at in history], axis=1) for name in history[0]}
    return {**stacked, **chain.measure_last(population)}
