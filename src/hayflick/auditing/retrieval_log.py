"""What was retrieved for which answers, as columns of numbers: a network's run or a log of RAG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import final

import numpy as np
import polars as pl

from hayflick.core.arrays import Integers
from hayflick.core.errors import DataError

DOCUMENTS = pl.Schema(
    {
        "text": pl.String,
        "generated": pl.Boolean,
        "source": pl.String,
        "author": pl.String,
        "entered": pl.Int64,
    }
)
REQUESTS = pl.Schema(
    {"round": pl.Int64, "reader": pl.String, "prompt": pl.String, "pool": pl.Int64}
)
READS = pl.Schema({"request": pl.Int64, "document": pl.Int64})
ANSWERS = pl.Schema({"request": pl.Int64, "text": pl.String})


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class RetrievalLog:
    """Documents, requests, what each of them retrieved, and the answers to it.

    Parameters
    ----------
    rounds
        Names of the rounds, in order.
    documents
        A row per document: ``text`` (null where only its name is known), ``generated`` (null where
        nobody knows), ``source`` (null for none), ``author``: who gave it as an answer in this
        very log (null for others), ``entered``: the round of that answer.
    requests
        A row per request: ``round`` (from 1), ``reader`` (who asked, null for one), ``prompt``
        (null for none) and ``pool`` (its number in `pools`, null where it is not known).
    reads
        A row per document that was retrieved: ``request`` and ``document``, each pair once.
    answers
        A row per answer: ``request`` and ``text``.
    pools
        The documents of each pool, ascending.

    Raises
    ------
    DataError
        If the columns differ from these, or a number is of no row.
    """

    rounds: tuple[str, ...]
    documents: pl.DataFrame
    requests: pl.DataFrame
    reads: pl.DataFrame
    answers: pl.DataFrame
    pools: Sequence[Integers] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        for name, frame, schema in (
            ("documents", self.documents, DOCUMENTS),
            ("requests", self.requests, REQUESTS),
            ("reads", self.reads, READS),
            ("answers", self.answers, ANSWERS),
        ):
            if frame.schema != schema:
                raise DataError(f"{name}: has the columns {dict(frame.schema)}, takes {schema}")
        for name, numbers, size in (
            ("round", self.requests["round"] - 1, len(self.rounds)),
            ("pool", self.requests["pool"].drop_nulls(), len(self.pools)),
            ("request", self.reads["request"], len(self.requests)),
            ("request", self.answers["request"], len(self.requests)),
            ("document", self.reads["document"], len(self.documents)),
        ):
            if len(numbers) and not ((numbers >= 0) & (numbers < size)).all():
                raise DataError(f"{name}: a number is of no row")

    @cached_property
    def pool_of(self) -> Integers:
        """Number of the pool of each request; -1 where it is not known."""
        return self.requests["pool"].fill_null(-1).to_numpy()

    @cached_property
    def known(self) -> pl.DataFrame:
        """The documents of known origin that were retrieved, as `reads`."""
        known = self.documents["generated"].is_not_null()
        return self.reads.filter(known.gather(self.reads["document"]))

    @cached_property
    def is_generated(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether each document is known to be generated."""
        return self.documents["generated"].fill_null(value=False).to_numpy()

    @cached_property
    def known_pools(self) -> tuple[Integers, ...]:
        """The documents of known origin of each pool."""
        known = self.documents["generated"].is_not_null().to_numpy()
        return tuple(pool[known[pool]] for pool in self.pools)
