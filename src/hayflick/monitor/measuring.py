"""How the rounds of a stream of answers are measured: one reading per round and group.

The first part of the baseline sets what all rounds are measured against: the scale of distances,
the baseline's words, and the sizes that rounds are rarefied to. The vectors of that part are held
while it is measured, then those of one round at a time.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, reduce
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController, threadpool_limits

from hayflick.core.effort import Effort, expect
from hayflick.core.progress import Progress
from hayflick.core.records import Reading
from hayflick.core.reproducibility import stream
from hayflick.corpus.answers import Answers
from hayflick.corpus.tokenizers import tokenizer_for
from hayflick.diversity.group_mix import GroupMix
from hayflick.diversity.lexical import NgramCounts
from hayflick.diversity.observing import (
    CommonSizes,
    Observer,
    RoundAnswers,
    RoundCounts,
    count_rounds,
)
from hayflick.diversity.pairs import Pairs, disjoint_pairs, squared_distances
from hayflick.diversity.prompt_pairs import PromptMix
from hayflick.embed.embedder import Embedder, embed_all
from hayflick.monitor.charting import scaling_rounds

if TYPE_CHECKING:
    import os

    from hayflick.storage.embedding_cache import EmbeddingCache

Readings: TypeAlias = Mapping[str, tuple[Reading, ...]]
Sample: TypeAlias = tuple[list[str], NDArray[Any]]

VALUE = "value "
"""What the columns of further numbers begin with in `Answers.frame`."""

_TOKENIZER_TEXTS = 1000
_SAMPLED_VECTORS = 2000
_HELD = 50_000
"""Answers of the baseline whose phrases are kept until they are measured."""

_COUNTED_TOGETHER = 5000
"""Number of answers whose words are counted at once, if their rounds have fewer."""

NO_GROUP = "no group"
"""The group of answers whose cell is empty, where others have one."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Measurement:
    """How the rounds of a stream are measured.

    Parameters
    ----------
    baseline
        Number of healthy rounds at the beginning.
    embedder
        Turns texts into vectors, where the answers have none.
    tokenizer
        How texts are split into words; ``auto`` follows from the baseline.
    must_keep
        Weights of what is to be retained.
    slow
        The slow metrics to measure.
    seed
        Seed of the pairs and of every other random draw.
    """

    baseline: int
    embedder: Embedder
    tokenizer: str
    must_keep: Mapping[str, float]
    slow: frozenset[str]
    seed: int

    @property
    def scaling(self) -> int:
        """Number of rounds that set the scale of distances."""
        return scaling_rounds(self.baseline)


@dataclass(frozen=True, eq=False)
class Measured:
    """The rounds of a stream that were measured.

    Parameters
    ----------
    observer
        What measured them.
    rounds
        The readings of each round, by group.
    samples
        Texts with vectors of the first and of the last round that have any; those alone of which
        the rounds were measured just now.
    """

    observer: Observer
    rounds: tuple[Mapping[str, Reading], ...]
    samples: tuple[Sample, ...] = ()

    def readings(self, labels: Sequence[str]) -> Readings:
        """Return the readings by group; of a group that is silent in a round, an empty one.

        Parameters
        ----------
        labels
            Names of the rounds.
        """
        groups = sorted(set().union(*self.rounds))
        return {
            group: tuple(
                found.get(group, Reading(number, group=group, label=label))
                for number, (label, found) in enumerate(
                    zip(labels, self.rounds, strict=True), start=1
                )
            )
            for group in groups
        }


def has_text(answers: Answers) -> bool:
    """Return whether there are texts."""
    return "text" in answers.frame.columns


def embeds(answers: Answers) -> bool:
    """Return whether the texts are to be turned into vectors."""
    return answers.vectors is None and has_text(answers)


def value_columns(answers: Answers) -> list[str]:
    """Return the columns of further numbers in `Answers.frame`."""
    return [name for name in answers.frame.columns if name.startswith(VALUE)]


def measure_rounds(
    answers: Answers,
    settings: Measurement,
    *,
    cache: str | os.PathLike[str] | None,
    progress: Progress,
    known: Measured | None = None,
) -> Measured:
    """Measure all rounds, or those behind the ones that are known."""
    # The threads of a small matrix wait for one another longer than one alone takes. Last digits do
    # not depend on their number either.
    with threadpool_limits(1, "blas"):
        return _measured(answers, settings, cache=cache, progress=progress, known=known)


def _measured(
    answers: Answers,
    settings: Measurement,
    *,
    cache: str | os.PathLike[str] | None,
    progress: Progress,
    known: Measured | None,
) -> Measured:
    embedder = settings.embedder if embeds(answers) else None
    first = 1 if known is None else len(known.rounds) + 1
    tried = settings.scaling + 1 if known is None else first + 1
    with _opened(cache, settings.embedder) as store:
        rounds = _rounds(answers, embedder, store, progress, first=first, tried=tried)
        if known is not None:
            later, samples = _measure(rounds, known.observer, {})
            return Measured(known.observer, (*known.rounds, *later), samples)
        scaling = list(itertools.islice(rounds, settings.scaling))
        counted = _baseline_counts(answers, settings)
        observer = _observer(scaling, counted, settings)
        measured, samples = _measure(itertools.chain(scaling, rounds), observer, counted.rounds)
        return Measured(observer, measured, samples)


def learn_baseline(answers: Answers, settings: Measurement) -> Observer:
    """Return what measures the rounds of a stream, from its baseline alone.

    Parameters
    ----------
    answers
        Those of the baseline.
    settings
        How the rounds are measured.
    """
    embedder = settings.embedder if embeds(answers) else None
    with threadpool_limits(1, "blas"):
        batches = (_batch(answers, *one) for one in answers.by_round())
        scaling = [
            _embedded(batch, embedder, None)
            for batch in itertools.islice(batches, settings.scaling)
        ]
        return _observer(scaling, _baseline_counts(answers, settings), settings)


def round_answers(answers: Answers, number: int) -> RoundAnswers:
    """Return the answers of one round as they are measured, not yet with vectors of their texts.

    Parameters
    ----------
    answers
        Those of the round, and of no other one.
    number
        Number of the round in its stream.
    """
    return replace(_batch(answers, 1, answers.frame, answers.vectors), round=number)


def measure_round(
    batch: RoundAnswers,
    observer: Observer,
    *,
    embedder: Embedder,
    counted: RoundCounts | None = None,
) -> tuple[dict[str, Reading], RoundAnswers]:
    """Return the readings of one round by group, and its answers with their vectors.

    Parameters
    ----------
    batch
        The answers of the round.
    observer
        What measures it.
    embedder
        Turns texts into vectors, where the answers have none.
    counted
        The counts of its words, where they are known.
    """
    with _libraries().limit(limits=1, user_api="blas"):
        batch = _embedded(batch, embedder if batch.vectors is None else None, None)
        read = observer.read(batch, counted=counted)
        return {reading.group: reading for reading in read}, batch


@cache
def _libraries() -> ThreadpoolController:
    """Return the libraries that have threads: to find them takes as long as a small round."""
    return ThreadpoolController()


@contextmanager
def _opened(
    cache: str | os.PathLike[str] | None, embedder: Embedder
) -> Iterator[EmbeddingCache | None]:
    """Yield the store of vectors, or None without a `cache`."""
    if cache is None:
        yield None
        return
    from hayflick.storage.database import Database
    from hayflick.storage.embedding_cache import EmbeddingCache

    with Database(cache) as database:
        yield EmbeddingCache(database, embedder=embedder.id)


def _rounds(
    answers: Answers,
    embedder: Embedder | None,
    cache: EmbeddingCache | None,
    progress: Progress,
    *,
    first: int,
    tried: int,
) -> Iterator[RoundAnswers]:
    """Yield the answers of each round from the `first` on, with their vectors.

    The round `tried` tells what the others will take: the ones before it were held, and in the
    first one kernels are compiled.
    """
    done = 0
    for number, frame, vectors in itertools.islice(answers.by_round(), first - 1, None):
        begun = time.monotonic()
        yield _embedded(_batch(answers, number, frame, vectors), embedder, cache)
        done += len(frame)
        if number == tried:
            left = len(answers.frame) - done
            seconds = (time.monotonic() - begun) * left / max(1, len(frame))
            expect(progress, Effort(f"measuring {left:,} more answers", seconds))
        progress("measuring answers", done, len(answers.frame))


def _embedded(
    batch: RoundAnswers, embedder: Embedder | None, cache: EmbeddingCache | None
) -> RoundAnswers:
    if embedder is None or not batch.texts:
        return batch
    return replace(
        batch, vectors=np.concatenate(list(embed_all(embedder, batch.texts, cache=cache)))
    )


def _batch(
    answers: Answers, number: int, frame: pl.DataFrame, vectors: NDArray[Any] | None
) -> RoundAnswers:
    return RoundAnswers(
        round=number,
        label=answers.rounds[number - 1],
        texts=_filled(frame, "text"),
        vectors=vectors,
        groups=_groups(frame),
        prompts=_filled(frame, "prompt"),
        values={
            name.removeprefix(VALUE): frame[name].fill_null(np.nan).to_numpy()
            for name in value_columns(answers)
        },
    )


def _groups(frame: pl.DataFrame) -> list[str] | None:
    groups = _filled(frame, "group")
    # An empty name stands for all answers together.
    return None if groups is None else [group or NO_GROUP for group in groups]


def _filled(frame: pl.DataFrame, name: str) -> list[str] | None:
    if name not in frame.columns:
        return None
    column = frame[name]
    return (column.fill_null("") if column.null_count() else column).to_list()


@dataclass(frozen=True, eq=False)
class _BaselineCounts:
    """The words of the baseline, and what all rounds are rarefied to.

    `rounds` are the counts of its first rounds, with phrases. Those of many answers would take too
    much memory together: further rounds are counted again where they are read.
    """

    tokenizer: str
    rounds: dict[int, RoundCounts]
    words: Sequence[RoundCounts]
    sizes: Mapping[str, CommonSizes]
    groups: GroupMix | None

    @property
    def together(self) -> NgramCounts | None:
        """The words of the whole baseline, without longer phrases; None without texts."""
        known = [counts for counts, _ in self.words if counts is not None]
        return reduce(NgramCounts.merge, known) if known else None

    @property
    def of_groups(self) -> dict[str, NgramCounts]:
        """The words of each group's baseline, without longer phrases."""
        parts: dict[str, list[NgramCounts]] = {}
        for _, by_group in self.words:
            for group, counts in by_group.items():
                parts.setdefault(group, []).append(counts)
        return {group: reduce(NgramCounts.merge, counts) for group, counts in parts.items()}


def _words_alone(found: RoundCounts) -> RoundCounts:
    together, by_group = found

    def alone(counts: NgramCounts) -> NgramCounts:
        return NgramCounts(counts.tokenizer, counts.tables[:1], counts.texts)

    groups = {group: alone(counts) for group, counts in by_group.items()}
    return None if together is None else alone(together), groups


def _baseline_counts(answers: Answers, settings: Measurement) -> _BaselineCounts:
    """Count the words of the baseline's rounds, and return the sizes that follow from them."""
    healthy = answers.frame.filter(pl.col("round") <= settings.baseline)
    tokenizer = settings.tokenizer
    if tokenizer == "auto" and has_text(answers):
        texts = healthy["text"].drop_nulls().head(_TOKENIZER_TEXTS)
        tokenizer = tokenizer_for(texts.to_list()).name
    rounds: dict[int, RoundCounts] = {}
    alone: list[RoundCounts] = []
    held = 0
    words: dict[str, list[int]] = {}
    sizes: dict[str, list[int]] = {}
    prompts: dict[str, list[list[str]]] = {}
    answered: list[dict[str, tuple[int, int]]] = []
    batches = (
        _batch(answers, *one) for one in itertools.islice(answers.by_round(), settings.baseline)
    )
    for batch, found in _counted(batches, tokenizer, {}):
        together, by_group = found
        alone.append(_words_alone(found))
        held += batch.size
        if held <= _HELD:
            rounds[batch.round] = found
        parts = batch.by_group()
        said = {group: one.answered() for group, one in parts.items()}
        answered.append({group: (one.size, int(one.sum())) for group, one in said.items()})
        for group, one in {"": batch, **parts}.items():
            counts = by_group.get(group) if group else together
            words.setdefault(group, []).append(0 if counts is None else counts.total())
            sizes.setdefault(group, []).append(_with_content(one))
            if one.prompts is not None:
                asked = itertools.compress(one.prompts, one.answered().tolist())
                prompts.setdefault(group, []).append(list(asked))
    rng = stream(settings.seed, block=0)
    return _BaselineCounts(
        tokenizer,
        rounds,
        alone,
        {
            group: CommonSizes.of(
                words=[number for number in words[group] if number],
                answers=[number for number in sizes[group] if number],
                # A round in which nobody answered says nothing of the mix.
                mix=PromptMix.of([one for one in prompts[group] if one], rng=rng)
                if group in prompts
                else None,
            )
            for group in sizes
        },
        GroupMix.of(answered) if any(answered) else None,
    )


def _with_content(batch: RoundAnswers) -> int:
    """Return the number of answers that are not empty."""
    if batch.texts is None:
        return batch.size
    return sum(bool(text.strip()) for text in batch.texts)


def _observer(
    scaling: Sequence[RoundAnswers], counted: _BaselineCounts, settings: Measurement
) -> Observer:
    """Return what measures every round: the scale is set by the first rounds alone."""
    whole = [batch.with_direction() for batch in scaling]
    vectors = [batch.vectors[:_SAMPLED_VECTORS] for batch in whole if batch.vectors is not None]
    slow = settings.slow
    mix = counted.sizes[""].mix
    return Observer(
        scale=_scale(whole, settings.seed),
        between_scale=None if mix is None else _scale(whole, settings.seed, mix=mix),
        sizes=counted.sizes,
        tokenizer=counted.tokenizer,
        baseline=counted.together,
        baselines=counted.of_groups,
        baseline_vectors=np.concatenate(vectors) if slow and vectors else None,
        must_keep=settings.must_keep,
        slow=slow,
        groups=counted.groups,
        seed=settings.seed,
    )


def _scale(
    batches: Sequence[RoundAnswers], seed: int, *, mix: PromptMix | None = None
) -> float | None:
    """Return the median squared distance over disjoint pairs; None if it is 0 or there is none.

    The pairs are those within prompts, or those of a mix between prompts.
    """
    squares = [np.empty(0)]
    for batch in batches:
        if batch.vectors is not None:
            rng = stream(seed, block=batch.round)
            pairs: Pairs | None = disjoint_pairs(batch.size, rng=rng, prompts=batch.prompts)
            if mix is not None:
                pairs = mix.matched(batch.prompts or (), rng=rng)
            if pairs is not None:
                ends = batch.vectors[pairs.first], batch.vectors[pairs.second]
                squares.append(squared_distances(*ends))
    together = np.concatenate(squares)
    median = float(np.median(together)) if together.size else 0.0
    return median if median > 0.0 else None


def _measure(
    batches: Iterator[RoundAnswers], observer: Observer, counted: dict[int, RoundCounts]
) -> tuple[tuple[Mapping[str, Reading], ...], tuple[Sample, ...]]:
    """Return the readings of each round, and texts with vectors of the first and the last one."""
    rounds: list[dict[str, Reading]] = []
    samples: list[Sample] = []
    for batch, words in _counted(batches, observer.tokenizer, counted):
        read = observer.read(batch, counted=words)
        rounds.append({reading.group: reading for reading in read})
        sample = sample_of(batch, observer.seed)
        if sample is not None:
            samples[1:] = [sample]
    return tuple(rounds), tuple(samples)


def _counted(
    batches: Iterator[RoundAnswers], tokenizer: str, known: dict[int, RoundCounts]
) -> Iterator[tuple[RoundAnswers, RoundCounts]]:
    """Yield every round with the counts of its words; those of small rounds are counted together.

    The first two are counted alone: their time tells what the others will take.
    """
    waiting: list[RoundAnswers] = []
    for place, batch in enumerate(batches):
        if batch.round in known:
            yield batch, known.pop(batch.round)
            continue
        waiting.append(batch)
        if place < 2 or sum(one.size for one in waiting) >= _COUNTED_TOGETHER:
            yield from zip(waiting, count_rounds(waiting, tokenizer=tokenizer), strict=True)
            waiting = []
    yield from zip(waiting, count_rounds(waiting, tokenizer=tokenizer), strict=True)


def sample_of(batch: RoundAnswers, seed: int) -> Sample | None:
    """Return texts of a round with their vectors, at random where there are many; None without."""
    whole = batch.with_direction()
    if whole.vectors is None or whole.texts is None or not whole.size:
        return None
    places = np.arange(whole.size)
    if whole.size > _SAMPLED_VECTORS:
        rng = stream(seed, block=batch.round)
        places = np.sort(rng.choice(whole.size, _SAMPLED_VECTORS, replace=False))
    return [whole.texts[int(place)] for place in places], np.asarray(
        whole.vectors[places], np.float64
    )
