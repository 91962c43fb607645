"""What every agent reads in a round, drawn from a stream of its own.

The stream follows from the run's seed, the agent, the round and the query alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import TypeAlias

import numpy as np

from hayflick.core.arrays import Floats, Integers
from hayflick.core.errors import ArgumentError
from hayflick.network.pool import Pool
from hayflick.network.retrieval import Reader, readable_texts
from hayflick.network.setting import Setting

Place: TypeAlias = tuple[int, int]
"""Number of an agent, and of a query."""


def texts_read(
    setting: Setting, pool: Pool, *, targets: Floats, number: int
) -> dict[Place, Integers]:
    """Return the numbers of the texts that agents read for queries, in the order of reading.

    Parameters
    ----------
    setting
        Who reads what.
    pool
        All texts; those of A_{number - 1} are read.
    targets
        Embeddings of the queries, shape ``(queries, d)``.
    number
        Of the round, from 1.

    Raises
    ------
    ArgumentError
        If a share of the texts is none of them.
    """
    numbers = pool.in_force(after=number - 1)
    view = pool.view(numbers)
    found: dict[Place, Integers] = {}
    for agent, name in enumerate(setting.names):
        readable = readable_texts(view, may_read=setting.may_read(agent, round=number))
        for query, target in enumerate(targets):
            rng = _stream(setting.experiment.seed, name, number, query)
            reader = Reader(agent, readable, target)
            try:
                found[agent, query] = numbers[setting.retrieval.read(rng, view, reader)]
            except ArgumentError as fault:
                raise ArgumentError(
                    "retrieval",
                    got=setting.retrieval.describe(),
                    takes=f"what gives agent {name} a text in round {number}",
                    remedy=str(fault),
                ) from None
    return found


def contexts(read: Mapping[Place, Integers], pool: Pool, *, agent: int) -> list[str]:
    """Return the texts that an agent read in a round, query by query."""
    mine = [
        numbers
        for (reader, _), numbers in sorted(read.items(), key=lambda one: one[0])
        if reader == agent
    ]
    return [pool.texts[number].text for numbers in mine for number in numbers]


def _stream(seed: int, agent: str, number: int, query: int) -> np.random.Generator:
    name = int.from_bytes(blake2b(agent.encode(), digest_size=8).digest(), "little")
    # One number less than an answer's key, so that the two are never the same.
    sequence = np.random.SeedSequence(seed, spawn_key=(name, number, query))
    return np.random.Generator(np.random.Philox(sequence))
