"""One step of a block: the next models, and what they leave behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from hayflick.core.protocols import Chain, Recorded
from hayflick.core.records import Mix

Step: TypeAlias = tuple[Callable[[], Recorded], Recorded]
"""How to measure a generation that is the last, and what every generation leaves behind."""


def advance(
    chain: Chain[Any, Any], rng: np.random.Generator, population: Any, mix: Mix[Any]
) -> Any:
    """Return the models of the next generation."""
    pool = chain.generate(rng, population, mix.generated)
    pool = chain.mix(rng, pool, mix)
    return chain.estimate(pool)
