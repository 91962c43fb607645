"""Rounds of answers, embedded and measured one after the other.

The first part of the baseline sets what all rounds are measured against: the scale of
distances and the baseline's words. Only one round's vectors are held at a time, beside those
of that first part.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.core.progress import Progress, silent
from hayflick.core.records import Reading
from hayflick.core.seeding import stream
from hayflick.corpus.answers import Answers
from hayflick.corpus.tokenizers import tokenizer_for
from hayflick.diversity.lexical import NgramCounts
from hayflick.diversity.observing import Observer, RoundAnswers
from hayflick.diversity.pairs import disjoint_pairs, squared_distances
from hayflick.embed.embedder import Embedder, embed_all

if TYPE_CHECKING:
    from hayflick.storage.embedding_cache import EmbeddingCache

_SAMPLED_TEXTS = 1000
_SAMPLED_VECTORS = 2000
VALUE = "value "
"""What the columns of further numbers begin with in `Answers.frame`."""


@dataclass(frozen=True, kw_only=True)
class MeasurementSettings:
    """How rounds are measured.

    Parameters
    ----------
    baseline
        Number of rounds in the baseline.
    scaling
        How many of these, the first ones, set the scale of distances.
    embedder
        Turns texts into vectors; None where the answers bring their own, or have no text.
    cache
        Of vectors; None for none.
    tokenizer
        Name of what splits the texts, or ``auto``.
    must_keep
        Words or phrases with weights.
    slow
        Names of slow metrics that are measured too.
    seed
        Of whatever is drawn.
    """

    baseline: int
    scaling: int
    embedder: Embedder | None = None
    cache: EmbeddingCache | None = None
    tokenizer: str = "auto"
    must_keep: Mapping[str, float] = field(default_factory=dict)
    slow: frozenset[str] = frozenset()
    seed: int = 1


@dataclass(frozen=True, eq=False)
class TypicalAnswers:
    """Some answers of a round with their vectors, to show what is typical of it."""

    round: str
    texts: tuple[str, ...]
    vectors: NDArray[Any]

    def typical(self, number: int = 5) -> list[str]:
        """Return the different texts that are nearest to the mean of all."""
        if not self.texts:
            return []
        gaps = self.vectors - self.vectors.mean(axis=0)
        order = np.argsort(np.einsum("ij,ij->i", gaps, gaps), kind="stable")
        return list(dict.fromkeys(self.texts[place] for place in order))[:number]


@dataclass(frozen=True, eq=False)
class Observation:
    """What was measured.

    Parameters
    ----------
    readings
        By group, one per round, the empty name for all answers together. A group that is
        silent in a round has an empty reading there.
    scale
        h of the pairs' scores; None where there is none.
    first, last
        Answers of the first and of the last round that has vectors; None without any.
    """

    readings: Mapping[str, tuple[Reading, ...]]
    scale: float | None
    first: TypicalAnswers | None
    last: TypicalAnswers | None


def observe(
    answers: Answers, *, settings: MeasurementSettings, progress: Progress = silent
) -> Observation:
    """Return the readings of all rounds.

    Parameters
    ----------
    answers
        What was said.
    how
        How it is measured.
    progress
        Told the answers that are done.
    """
    rounds = _rounds(answers, settings, progress)
    head = [next(rounds) for _ in range(min(settings.scaling, len(answers.rounds)))]
    observer = _observer(answers, head, settings)
    first = last = None
    readings: list[tuple[Reading, ...]] = []
    for batch in itertools.chain(head, rounds):
        readings.append(observer.read(batch))
        example = _example(batch, settings.seed)
        first, last = first or example, example or last
    return Observation(_by_group(readings, answers.rounds), observer.scale, first, last)


def _rounds(
    answers: Answers, settings: MeasurementSettings, progress: Progress
) -> Iterator[RoundAnswers]:
    done, total = 0, len(answers.frame)
    values = [name for name in answers.frame.columns if name.startswith(VALUE)]
    for number, frame, stored in answers.by_round():
        texts = _column(frame, "text")
        if texts is not None:
            texts = [text or "" for text in texts]
        vectors = stored
        if stored is None and texts is not None and settings.embedder is not None:
            vectors = _embedded(texts, settings)
        yield RoundAnswers(
            round=number,
            label=answers.rounds[number - 1],
            texts=texts,
            vectors=vectors,
            groups=_named(_column(frame, "group")),
            prompts=_named(_column(frame, "prompt")),
            values={
                name.removeprefix(VALUE): frame[name].fill_null(np.nan).to_numpy()
                for name in values
            },
        )
        done += len(frame)
        progress("measuring answers", done, total)


def _column(frame: pl.DataFrame, name: str) -> list[Any] | None:
    return frame[name].to_list() if name in frame.columns else None


def _named(column: list[str | None] | None) -> list[str] | None:
    return None if column is None else [name or "" for name in column]


def _embedded(texts: list[str], settings: MeasurementSettings) -> NDArray[Any] | None:
    assert settings.embedder is not None
    parts = list(embed_all(settings.embedder, texts, cache=settings.cache))
    return np.concatenate(parts) if parts else None


def _observer(
    answers: Answers, head: list[RoundAnswers], settings: MeasurementSettings
) -> Observer:
    """Return what measures every round, made from the baseline."""
    tokenizer, counts = settings.tokenizer, None
    if "text" in answers.frame.columns:
        before = answers.frame.filter(pl.col("round") <= settings.baseline)["text"].drop_nulls()
        if tokenizer == "auto":
            tokenizer = tokenizer_for(before.head(_SAMPLED_TEXTS).to_list()).name
        counts = NgramCounts.of(before.to_list(), tokenizer=tokenizer)
    vectors = [
        part.vectors for batch in head if (part := batch.with_direction()).vectors is not None
    ]
    sample = np.concatenate([rows[:_SAMPLED_VECTORS] for rows in vectors]) if vectors else None
    return Observer(
        scale=_scale(head, settings.seed),
        tokenizer=tokenizer,
        baseline=counts,
        baseline_vectors=sample if settings.slow else None,
        must_keep=settings.must_keep,
        slow=settings.slow,
        seed=settings.seed,
    )


def _scale(head: list[RoundAnswers], seed: int) -> float | None:
    """Return the median squared distance over disjoint pairs of the first rounds."""
    squares = []
    for batch in head:
        directed = batch.with_direction()
        if directed.vectors is None:
            continue
        rng = stream(seed, block=batch.round)
        pairs = disjoint_pairs(directed.size, rng=rng, prompts=directed.prompts)
        ends = directed.vectors[pairs.first], directed.vectors[pairs.second]
        squares.append(squared_distances(*ends))
    together = np.concatenate(squares) if squares else np.empty(0)
    median = float(np.median(together)) if together.size else 0.0
    return median if median > 0.0 else None


def _example(batch: RoundAnswers, seed: int) -> TypicalAnswers | None:
    directed = batch.with_direction()
    if directed.vectors is None or directed.texts is None or not directed.size:
        return None
    places = np.arange(directed.size)
    if directed.size > _SAMPLED_VECTORS:
        rng = stream(seed, block=batch.round)
        places = np.sort(rng.choice(directed.size, _SAMPLED_VECTORS, replace=False))
    texts = tuple(directed.texts[int(place)] for place in places)
    return TypicalAnswers(
        batch.label, texts, np.asarray(directed.vectors[places], dtype=np.float64)
    )


def _by_group(
    measured: list[tuple[Reading, ...]], rounds: tuple[str, ...]
) -> dict[str, tuple[Reading, ...]]:
    groups = sorted({reading.group for readings in measured for reading in readings})
    by_group = [{reading.group: reading for reading in readings} for readings in measured]
    return {
        group: tuple(
            readings.get(group, Reading(number, group=group, label=rounds[number - 1]))
            for number, readings in enumerate(by_group, start=1)
        )
        for group in groups
    }
