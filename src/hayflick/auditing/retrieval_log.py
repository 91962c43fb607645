"""What was retrieved for which answers, and which runs of words these took over: a run or a log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.auditing.shingle_kernels import common_runs
from hayflick.auditing.shingles import Shingles, shingles_of
from hayflick.core.arrays import Integers
from hayflick.core.errors import DataError
from hayflick.core.progress import Progress
from hayflick.corpus.normalization import normalized
from hayflick.corpus.tokenizers import Tokenizer

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
_SEED = 18_073


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


@final
@dataclass(frozen=True, eq=False)
class Copies:
    """Answers and what they read.

    Parameters
    ----------
    pairs
        A row per answer and document that was retrieved for it, both with a run of words at
        least: ``answer``, ``document``, ``request`` and ``copied``.
    by_chance
        The share of pairs with a common run where the document was not retrieved, one drawn for
        each pair of the same pool, or of all documents; None where there are none.
    short
        Number of answers that are too short for a run, apart from words of the prompt.
    """

    pairs: pl.DataFrame
    by_chance: float | None
    short: int


def find_copies(
    log: RetrievalLog, *, tokenizer: Tokenizer, normalize: str, length: int, progress: Progress
) -> Copies:
    """Return which answers have a run of `length` words in common with what they read.

    Runs that the prompt has too are left out: answers and documents repeat those anyway.
    """

    def runs(texts: pl.Series) -> Shingles:
        spelled = normalized(texts, normalize).fill_null("")
        return shingles_of(
            spelled, tokenizer=tokenizer, length=length, shortest=length, progress=progress
        )

    documents = runs(log.documents["text"])
    answers = _without_prompts(runs(log.answers["text"]), log, runs)
    has_run = np.diff(answers.offsets) > 0
    numbered = log.answers.select("request").with_row_index("answer").cast(pl.Int64)
    pairs = (
        numbered.filter(pl.Series(has_run))
        .join(log.reads, on="request", maintain_order="left_right")
        .select("answer", "document", "request")
    )
    pairs = pairs.filter(pl.Series(np.diff(documents.offsets) > 0).gather(pairs["document"]))
    copied = _have_common(answers, documents, pairs["answer"], pairs["document"])
    drawn = _not_retrieved(log, pairs)
    drawn = drawn.filter(pl.Series(np.diff(documents.offsets) > 0).gather(drawn["document"]))
    common = _have_common(answers, documents, drawn["answer"], drawn["document"])
    by_chance = float(common.mean()) if common.size else None
    return Copies(
        pairs.with_columns(copied=pl.Series(copied, dtype=pl.Boolean)),
        by_chance,
        int(np.count_nonzero(~has_run)),
    )


def _without_prompts(
    answers: Shingles, log: RetrievalLog, runs: Callable[[pl.Series], Shingles]
) -> Shingles:
    """Return the runs of answers without those of their prompts."""
    prompts = log.requests["prompt"].unique().drop_nulls().sort()
    if not len(prompts):
        return answers
    of_prompts = runs(prompts)
    place = log.requests["prompt"].replace_strict(
        prompts, np.arange(len(prompts)), default=None, return_dtype=pl.Int64
    )
    of_run = np.repeat(np.arange(len(log.answers)), np.diff(answers.offsets))
    frame = pl.DataFrame(
        {
            "answer": of_run,
            "run": answers.hashes,
            "prompt": place.gather(log.answers["request"]).gather(of_run),
        }
    )
    asked = pl.DataFrame(
        {
            "prompt": np.repeat(np.arange(len(prompts)), np.diff(of_prompts.offsets)),
            "run": of_prompts.hashes,
        }
    )
    kept = frame.join(asked, on=["prompt", "run"], how="anti", maintain_order="left")
    numbers = np.bincount(kept["answer"].to_numpy(), minlength=len(log.answers))
    offsets = np.concatenate(([0], np.cumsum(numbers)))
    return replace(answers, hashes=kept["run"].to_numpy(), offsets=offsets)


def _have_common(
    answers: Shingles, documents: Shingles, answer: pl.Series, document: pl.Series
) -> NDArray[np.bool_]:
    return common_runs(
        answers.hashes,
        answers.offsets,
        documents.hashes,
        documents.offsets,
        answer.to_numpy(),
        document.to_numpy(),
    )


def _not_retrieved(log: RetrievalLog, pairs: pl.DataFrame) -> pl.DataFrame:
    """Return for each pair a document that was not retrieved, where the first one drawn is none."""
    rng = np.random.Generator(np.random.Philox(_SEED))
    request = pairs["request"].to_numpy()
    draws = rng.random(request.size)
    pool = log.pool_of[request]
    drawn: Integers = (draws * len(log.documents)).astype(np.int64)
    for number in np.unique(pool[pool >= 0]):
        members, chosen = log.pools[number], pool == number
        if members.size:
            drawn[chosen] = members[(draws[chosen] * members.size).astype(np.int64)]
    return (
        pairs.select("answer", "request")
        .with_columns(document=pl.Series(drawn, dtype=pl.Int64))
        .join(log.reads, on=["request", "document"], how="anti", maintain_order="left")
    )
