"""One logical block whose rounds accumulate: each is trained on what came before it too.

generate → mix → keep → estimate. What is kept stands beside the models.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from hayflick.core.errors import ArgumentError
from hayflick.core.protocols import Accumulator, Chain, Pools
from hayflick.core.records import Schedule
from hayflick.simulation.steps import Step


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
