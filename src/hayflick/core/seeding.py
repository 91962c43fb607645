"""One random stream per logical block of 32 replicates, independent of the executor.

The random draws of a run depend on the seed and on the logical block alone, never on the
thread, the executor or the number of blocks per task. Inside a block the stream is consumed in
the order of generations, so a longer run begins with the shorter one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hayflick.core.checks import whole_number

LOGICAL_BLOCK = 32
"""Replicates that share one random stream."""


def fresh_seed() -> int:
    """Return a seed from the operating system's entropy, small enough to type.

    Examples
    --------
    >>> 0 <= fresh_seed() < 2**32
    True
    """
    return int(np.random.SeedSequence().generate_state(1)[0])


def stream(seed: int, *, block: int) -> np.random.Generator:
    """Return the generator of one logical block.

    Parameters
    ----------
    seed
        The run's seed, at least 0.
    block
        Index of the logical block, from 0.

    Raises
    ------
    ArgumentError
        If `seed` or `block` is negative or no integer.

    Examples
    --------
    >>> float(stream(7, block=0).random()) == float(stream(7, block=0).random())
    True
    >>> float(stream(7, block=0).random()) == float(stream(7, block=1).random())
    False
    """
    seed = whole_number("seed", seed, at_least=0)
    block = whole_number("block", block, at_least=0)
    sequence = np.random.SeedSequence(seed, spawn_key=(block,))
    return np.random.Generator(np.random.Philox(sequence))


def logical_blocks(replicates: int) -> Iterator[tuple[int, int]]:
    """Yield (block, replicates in it) for a run of `replicates`.

    Examples
    --------
    >>> list(logical_blocks(70))
    [(0, 32), (1, 32), (2, 6)]
    """
    for block, first in enumerate(range(0, replicates, LOGICAL_BLOCK)):
        yield block, min(LOGICAL_BLOCK, replicates - first)
