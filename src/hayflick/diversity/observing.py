"""Measure a round of answers: one reading of all answers, and one per group.

What a round is measured against (the scale of distances, the words of the baseline, the must-keep
list) is fixed beforehand, so that all rounds are measured alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hayflick.core.arrays import Floats, Integers
from hayflick.core.errors import ArgumentError
from hayflick.core.records import Reading
from hayflick.core.reproducibility import stream
from hayflick.diversity.drift import drift
from hayflick.diversity.group_mix import GroupMix
from hayflick.diversity.groups import Groups
from hayflick.diversity.hill import rarefied_entropy
from hayflick.diversity.lexical import NgramCounts, tail_mass, vocabulary_kept
from hayflick.diversity.metrics import MetricSource, defined, measured
from hayflick.diversity.pairs import disjoint_pairs, pair_scores
from hayflick.diversity.prompt_pairs import PromptMix
from hayflick.diversity.repetition import duplicate_rate, near_duplicate_rate
from hayflick.diversity.retention import retention
from hayflick.diversity.scatter import Scatter
from hayflick.diversity.spectrum import effective_answers, spectrum_numbers

SPREAD = "spread"
"""The metric of the guaranteed chart: scores of disjoint pairs."""

BETWEEN_PROMPTS = "between_prompts"
"""The metric of pairs of answers to different prompts, which has scores too."""

LEFT_OUT = "left_out_answers"
"""Number of answers that are in no number of all answers together, so that the mix of groups stays;
a round in which no group lacks answers has none."""

SLOW = ("near_duplicate_rate", "drift")
"""Metrics that are measured only on request."""

_NEAR_COSINE = 0.95

_COUNTED_TOGETHER = 5000
"""Answers of a round up to which all its words are held at once."""

_MOST_ANSWERS = 150
"""Largest number of answers that ``effective_answers`` is measured at: time grows with its square,
and what it says of a loss hardly does."""

_MANY = 2000
"""Texts from which on it is worth a thread to compress them."""


@dataclass(frozen=True, eq=False, kw_only=True)
class RoundAnswers:
    """The answers of one round.

    Parameters
    ----------
    round, label
        Its number, from 1, and its name.
    texts
        The answers; None if there are only vectors or values.
    vectors
        Shape ``(answers, dimensions)``; a row of NaN stands for an empty answer, which is
        counted and left out. None for no vectors.
    groups, prompts
        The group and the prompt of each answer; None if all have the same.
    values
        Further numbers of each answer by name, NaN for a missing one.
    """

    round: int
    label: str = ""
    texts: Sequence[str] | None = None
    vectors: NDArray[Any] | None = None
    groups: Sequence[str] | None = None
    prompts: Sequence[str] | None = None
    values: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of answers.

        Raises
        ------
        ArgumentError
            If columns differ in length.
        """
        columns = (self.texts, self.vectors, self.groups, self.prompts, *self.values.values())
        sizes = {len(column) for column in columns if column is not None}
        if len(sizes) > 1:
            takes = "columns of one length"
            raise ArgumentError("answers", got=f"lengths {sorted(sizes)}", takes=takes)
        return sizes.pop() if sizes else 0

    def taken(self, places: Integers) -> RoundAnswers:
        """Return the answers at some positions."""
        return RoundAnswers(
            round=self.round,
            label=self.label,
            texts=_picked(self.texts, places),
            vectors=None if self.vectors is None else self.vectors[places],
            prompts=_picked(self.prompts, places),
            values={name: values[places] for name, values in self.values.items()},
        )

    def answered(self) -> NDArray[np.bool_]:
        """Return which rows hold an answer."""
        known: NDArray[np.bool_]
        if self.vectors is not None:
            known = np.isfinite(self.vectors).all(axis=1)
        elif self.texts is not None:
            known = np.array([bool(text.strip()) for text in self.texts], np.bool_)
        else:
            found = [np.isfinite(numbers) for numbers in self.values.values()]
            known = np.logical_or.reduce(found) if found else np.ones(self.size, np.bool_)
        return known

    def with_direction(self) -> RoundAnswers:
        """Return the answers whose vectors are finite."""
        whole = self.directed()
        return self if whole.size == self.size else self.taken(whole)

    def directed(self) -> Integers:
        """Return the positions of the answers whose vectors are finite; all without vectors."""
        if self.vectors is None:
            return np.arange(self.size)
        return np.flatnonzero(np.isfinite(self.vectors).all(axis=1))

    def by_group(self) -> dict[str, RoundAnswers]:
        """Return the answers of each group, in the order of the group names."""
        if self.groups is None:
            return {}
        names = np.asarray(self.groups, dtype=object).astype(str)
        kinds, where = np.unique(names, return_inverse=True)
        places = (np.flatnonzero(where == kind) for kind in range(len(kinds)))
        return {str(kind): self.taken(rows) for kind, rows in zip(kinds, places, strict=True)}


@dataclass(frozen=True, slots=True)
class CommonSizes:
    """What the rounds of a stream, or of one group, are measured at, from the baseline.

    Parameters
    ----------
    words
        Number of words of ``effective_words``: half of the smallest round's; None if there is
        none.
    answers
        Number of answers of ``effective_answers``, likewise, but at most 150.
    mix
        The pairs of prompts of ``between_prompts``, whose answers the other two are measured on
        too; None without prompts. Where no prompt comes again, all answers are measured.
    """

    words: int | None = None
    answers: int | None = None
    mix: PromptMix | None = None

    @classmethod
    def of(
        cls, *, words: Sequence[int], answers: Sequence[int], mix: PromptMix | None = None
    ) -> CommonSizes:
        """Return the sizes of a baseline.

        Parameters
        ----------
        words, answers
            Numbers of words and of answers of each round.
        mix
            See the class.

        Examples
        --------
        >>> sizes = CommonSizes.of(words=[90, 70], answers=[9, 8])
        >>> sizes.words, sizes.answers
        (35, 4)
        """
        if mix is not None and mix.pairs:
            share = [2 * len(mix.pairs) / number for number in answers if number]
            words = [int(number * part) for number, part in zip(words, share, strict=False)]
            answers = [2 * len(mix.pairs)]
        half = min(min(answers, default=0) // 2, _MOST_ANSWERS)
        return cls(min(words, default=0) // 2 or None, half or None, mix)

    @property
    def has_mix(self) -> bool:
        """Whether the rounds are measured at a mix of prompts."""
        return self.mix is not None and bool(self.mix.pairs)


@dataclass(frozen=True, eq=False, kw_only=True)
class Observer:
    """How the rounds of one stream are measured.

    Parameters
    ----------
    scale
        h of the pair scores, in the vectors' units squared; None for no scores.
    between_scale
        h of the scores between prompts, likewise.
    sizes
        The sizes that numbers are rarefied to, by group; the empty name stands for all answers.
    tokenizer
        Name of the tokenizer that splits the texts.
    baseline
        Counts of the baseline's texts, for ``vocabulary_kept`` and ``tail_mass``; None for none.
    baselines
        The same of each group, which is measured against its own words; groups are measured against
        all words if there are none.
    baseline_vectors
        Vectors of the baseline, for ``drift``; None for none.
    must_keep
        Words or phrases with their weights, for ``retention``.
    slow
        Names of the `SLOW` metrics to measure too.
    groups
        How much of what they are asked the groups of the baseline answer; None for rounds that are
        measured as they are.
    seed
        Seed of the pairs and of every other random draw.

    Examples
    --------
    >>> import numpy as np
    >>> observer = Observer(scale=1.0, tokenizer="words")
    >>> answers = RoundAnswers(
    ...     round=1, texts=["a cat", "a dog"], vectors=np.eye(2), groups=["m", "m"]
    ... )
    >>> whole, model = observer.read(answers)
    >>> model.group, whole.values["distinct_1"], whole.scores["spread"].round(4).tolist()
    ('m', 0.75, [0.8647])
    """

    scale: float | None
    tokenizer: str
    between_scale: float | None = None
    sizes: Mapping[str, CommonSizes] = field(default_factory=dict)
    baseline: NgramCounts | None = None
    baselines: Mapping[str, NgramCounts] = field(default_factory=dict)
    baseline_vectors: NDArray[Any] | None = None
    must_keep: Mapping[str, float] = field(default_factory=dict)
    slow: frozenset[str] = frozenset()
    groups: GroupMix | None = None
    seed: int = 1

    def read(
        self, answers: RoundAnswers, *, counted: RoundCounts | None = None
    ) -> tuple[Reading, ...]:
        """Return the reading of all answers, then that of each group.

        A metric that is undefined, as most are for fewer than two answers, is absent.

        Parameters
        ----------
        answers
            The answers of a round.
        counted
            What `count_words` returned for them; None if they were not counted yet.
        """
        parts = answers.by_group()
        together, counts = counted or count_words(answers, tokenizer=self.tokenizer)
        rng = stream(self.seed, block=answers.round)
        kept: Integers | None = None
        if self.groups is not None and answers.groups is not None:
            kept = self.groups.kept(answers.groups, answers.answered(), rng=rng)
        if kept is None:
            whole = self._reading("", answers, together, rng, self._of_all(answers, parts, rng))
        else:
            whole = self._at_mix(answers, kept, parts, rng)
        return (whole, *(self._reading(n, part, counts.get(n), rng) for n, part in parts.items()))

    def _at_mix(
        self,
        answers: RoundAnswers,
        places: Integers,
        parts: Mapping[str, RoundAnswers],
        rng: np.random.Generator,
    ) -> Reading:
        """Return the reading of a round in which groups lack answers: of some answers, or none."""
        answered = int(answers.answered().sum())
        values = {
            "answers": float(answers.size),
            "empty_answers": float(answers.size - answered),
            LEFT_OUT: float(answered - len(places)),
        }
        if not places.size:
            return Reading(answers.round, values, {}, "", answers.label)
        chosen = answers.taken(places)
        counts, _ = count_words(chosen, tokenizer=self.tokenizer)
        read = self._reading("", chosen, counts, rng, self._of_all(chosen, parts, rng))
        return replace(read, values={**read.values, **values})

    def _reading(
        self,
        group: str,
        answers: RoundAnswers,
        counts: NgramCounts | None,
        rng: np.random.Generator,
        more: Mapping[str, float] | None = None,
    ) -> Reading:
        values: dict[str, float] = {"answers": answers.size}
        scores: dict[str, Floats] = {}
        sizes = self.sizes.get(group, CommonSizes())
        texts = () if counts is None or answers.texts is None else answers.texts
        with ThreadPoolExecutor(1) as beside:
            # To compress takes as long as the rest.
            of_texts = partial(measured, texts, on=MetricSource.TEXTS)
            found = beside.submit(of_texts).result if len(texts) >= _MANY else of_texts
            if answers.vectors is not None:
                directed = answers.with_direction()
                values["empty_answers"] = answers.size - directed.size
                self._of_vectors(directed, rng, values, scores)
            self._of_mix(answers, counts, sizes, rng, values, scores)
            if counts is not None:
                own = self.baselines.get(group) if group and self.baselines else self.baseline
                values |= self._of_texts(texts, counts, own, found)
        for name, numbers in answers.values.items():
            known = numbers[np.isfinite(numbers)]
            values |= {name: float(known.mean())} if known.size else {}
        values |= more or {}
        values = {name: float(value) for name, value in values.items()}
        return Reading(answers.round, values, scores, group, answers.label)

    def _of_vectors(
        self,
        answers: RoundAnswers,
        rng: np.random.Generator,
        values: dict[str, float],
        scores: dict[str, Floats],
    ) -> None:
        """Add distances, the scores of disjoint pairs and the number of unpaired answers."""
        vectors = answers.vectors
        if vectors is None or not len(vectors):
            return
        values |= Scatter.of(vectors).numbers() | measured(vectors, on=MetricSource.VECTORS)
        pairs = disjoint_pairs(answers.size, rng=rng, prompts=answers.prompts)
        values["unpaired_answers"] = pairs.unpaired
        if self.scale is not None and pairs.first.size:
            found = pair_scores(vectors[pairs.first], vectors[pairs.second], scale=self.scale)
            values[SPREAD], scores[SPREAD] = float(found.mean()), found

    def _of_mix(
        self,
        answers: RoundAnswers,
        counts: NgramCounts | None,
        sizes: CommonSizes,
        rng: np.random.Generator,
        values: dict[str, float],
        scores: dict[str, Floats],
    ) -> None:
        """Add what is measured at the baseline's sizes and, with prompts, at its mix of prompts."""
        chosen = answers
        words = None if counts is None else counts.numbers_of(1)
        if sizes.has_mix:
            chosen = answers.with_direction()
            assert sizes.mix is not None
            pairs = sizes.mix.matched(chosen.prompts or (), rng=rng)
            if pairs is None:
                return
            if chosen.vectors is not None and self.between_scale is not None:
                ends = chosen.vectors[pairs.first], chosen.vectors[pairs.second]
                y = pair_scores(*ends, scale=self.between_scale)
                values[BETWEEN_PROMPTS], scores[BETWEEN_PROMPTS] = float(y.mean()), y
            paired = np.concatenate([pairs.first, pairs.second])
            chosen = chosen.taken(paired)
            if chosen.texts is not None:
                if counts is not None and counts.coded is not None:
                    words = counts.coded.words_in(answers.directed()[paired])
                else:
                    alone = NgramCounts.of(chosen.texts, tokenizer=self.tokenizer, longest=1)
                    words = alone.numbers_of(1)
        vectors = chosen.with_direction().vectors
        if sizes.answers is not None and vectors is not None and vectors.any(axis=1).all():
            effective = effective_answers(vectors, size=sizes.answers, rng=rng)
            values |= defined({"effective_answers": effective})
        if sizes.words is not None and words is not None:
            entropy = rarefied_entropy(words, size=sizes.words)
            values |= defined({"effective_words": entropy and float(np.exp(entropy))})

    def _of_texts(
        self,
        texts: Sequence[str],
        counts: NgramCounts,
        baseline: NgramCounts | None,
        found: Callable[[], dict[str, float]],
    ) -> dict[str, float]:
        against: dict[str, float | None] = {}
        if baseline is not None:
            against["vocabulary_kept"] = vocabulary_kept(counts, baseline)
            against["tail_mass"] = tail_mass(counts, baseline)
        if self.must_keep:
            against["retention"] = retention(counts, must_keep=self.must_keep)
        # In the order in which a page shows them.
        values = counts.numbers() | defined({"duplicate_rate": duplicate_rate(texts)})
        return values | found() | defined(against)

    def _of_all(
        self, answers: RoundAnswers, parts: Mapping[str, RoundAnswers], rng: np.random.Generator
    ) -> dict[str, float]:
        """Return the metrics that are measured only on all answers together."""
        directed = answers.with_direction()
        if directed.vectors is None or not directed.size:
            return {}
        values = spectrum_numbers(directed.vectors)
        if parts:
            found = ((name, part.with_direction().vectors) for name, part in parts.items())
            whole = {name: rows for name, rows in found if rows is not None and len(rows)}
            values |= Groups.of(whole).numbers()
        if "near_duplicate_rate" in self.slow:
            rows = directed.vectors
            squares = np.mean(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
            threshold = np.sqrt(2.0 - 2.0 * _NEAR_COSINE) * float(np.sqrt(squares))
            rate = near_duplicate_rate(rows, threshold=threshold, rng=rng)
            values |= defined({"near_duplicate_rate": rate})
        if "drift" in self.slow and self.baseline_vectors is not None:
            moved = drift(directed.vectors, baseline=self.baseline_vectors, rng=rng)
            values |= {} if moved is None else moved.numbers()
        return values


RoundCounts: TypeAlias = tuple[NgramCounts | None, Mapping[str, NgramCounts]]
"""The counts of all texts of a round, None without texts, and those of each group."""


def count_words(answers: RoundAnswers, *, tokenizer: str) -> RoundCounts:
    """Return the counts of a round's texts.

    Parameters
    ----------
    answers
        The answers; their vectors are not used.
    tokenizer
        Name of the tokenizer that splits the texts.

    Examples
    --------
    >>> answers = RoundAnswers(round=1, texts=["a cat", "a dog"], groups=["m", "n"])
    >>> together, by_group = count_words(answers, tokenizer="words")
    >>> together.types(), sorted(by_group)
    (3, ['m', 'n'])
    """
    if answers.texts is None:
        return None, {}
    if answers.groups is None or not answers.size:
        return NgramCounts.of(answers.texts, tokenizer=tokenizer), {}
    return NgramCounts.by_group(answers.texts, answers.groups, tokenizer=tokenizer)


def count_rounds(rounds: Sequence[RoundAnswers], *, tokenizer: str) -> list[RoundCounts]:
    """Return the counts of the texts of several rounds: small ones without groups in one go.

    Parameters
    ----------
    rounds
        The answers of each round; their vectors are not used.
    tokenizer
        Name of the tokenizer that splits the texts.

    Examples
    --------
    >>> rounds = [RoundAnswers(round=number, texts=["a cat"] * number) for number in (1, 2)]
    >>> [together.total() for together, _ in count_rounds(rounds, tokenizer="words")]
    [2, 4]
    """
    texts = [one.texts for one in rounds if one.texts is not None and one.groups is None]
    if len(texts) < max(1, len(rounds)) or sum(map(len, texts)) > _COUNTED_TOGETHER * len(rounds):
        return [count_words(one, tokenizer=tokenizer) for one in rounds]
    return [(counts, {}) for counts in NgramCounts.of_each(texts, tokenizer=tokenizer)]


def _picked(column: Sequence[str] | None, places: Integers) -> list[str] | None:
    return None if column is None else [column[place] for place in places]
