"""Recorded rounds of a trainer: the counts of its training sets, one after another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hayflick.core.arrays import Floats, Integers
from hayflick.core.errors import DataError
from hayflick.core.source import Source


@dataclass(frozen=True, eq=False)
class Record:
    """Counts of the training sets of successive rounds, round 0 being the real data.

    Parameters
    ----------
    symbols
        The types of round 0.
    counts
        Of the training sets, shape ``(rounds, types)``, 0 where a type is absent. What is real in
        a training set is counted too.
    fresh
        Items among those of each round after round 0 that were drawn from the real law anew (m),
        shape ``(rounds - 1,)``.
    stored
        Stored real items that were added to each round after round 0, the same in each: their
        counts, shape ``(types,)``.
    sources
        What was read, one per round or file.

    Raises
    ------
    DataError
        If shapes do not fit, a round is empty, or it holds fewer items than the real ones in it.
    """

    symbols: tuple[str, ...]
    counts: Integers
    fresh: Integers
    stored: Integers
    sources: tuple[Source, ...] = ()

    def __post_init__(self) -> None:
        rounds, types = self.counts.shape
        if len(self.symbols) != types or self.stored.shape != (types,):
            raise DataError(f"record: {types} types are counted, {len(self.symbols)} are named")
        if self.fresh.shape != (rounds - 1,):
            raise DataError(f"record: {rounds} rounds need the fresh items of {rounds - 1}")
        real = self.fresh + int(self.stored.sum())
        for number, size in enumerate(self.sizes):
            if size == 0:
                raise DataError(f"record: round {number} is empty")
            if number and real[number - 1] > size:
                raise DataError(
                    f"record: round {number} holds {size:,} items, fewer than the "
                    f"{real[number - 1]:,} real ones that were said to be in it"
                )

    @property
    def transitions(self) -> int:
        """Number of pairs of successive rounds."""
        return len(self.counts) - 1

    @property
    def sizes(self) -> Integers:
        """Items of every round, shape ``(rounds,)``."""
        sizes: Integers = self.counts.sum(axis=1)
        return sizes

    @property
    def real_law(self) -> Floats:
        """The law p_0 of the real data, shape ``(types,)``."""
        law: Floats = self.counts[0] / self.counts[0].sum()
        return law

    @property
    def kept(self) -> Floats:
        """Share of the types of round 0 in every round, shape ``(rounds,)``."""
        share: Floats = np.count_nonzero(self.counts, axis=1) / len(self.symbols)
        return share

    def first(self, rounds: int) -> Record:
        """Return the first rounds alone."""
        counts, fresh = self.counts[:rounds], self.fresh[: rounds - 1]
        return Record(self.symbols, counts, fresh, self.stored, self.sources)
