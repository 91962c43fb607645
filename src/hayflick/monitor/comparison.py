"""How two sets of answers differ: numbers at a common size, with simultaneous intervals.

Both sets are measured on equally many answers to every prompt, half of what the smaller one has,
and on equally many words: sizes and mixes of prompts make no difference. Numbers that depend on the
size are means over 400 half-samples, the others are those of the whole sets; the intervals come
from how all of them differ between half-samples.

A half-sample keeps a random half of the answers to every prompt, without replacement; in the
larger set, several subsets of the common size are measured in it and averaged. Of prompts with
fewer than four answers on a side, a random half of the prompts is kept, the same in both sets. A
half-sample differs from the whole as the whole differs from the population, with the same variance
to first order. A bootstrap draws with replacement, and answers that are drawn twice count as a loss
of diversity, in the smaller set more than in the larger one; half-samples double none.

With d the logarithm of new over old, s its standard deviation over half-samples and q the quantile,
at the stated confidence, of the largest |deviation| / s over all numbers,

    d ± q s

holds for all numbers together. It is asymptotic: the answers to a prompt are taken for independent,
prompts with four answers or more for fixed, the others for a sample of such prompts.

References
----------
McCarthy, *Pseudo-replication: half samples*, Review of the International Statistical Institute 37
(1969); Politis, Romano & Wolf, *Subsampling* (1999), section 2.2; Hothorn, Bretz & Westfall,
*Simultaneous inference in general parametric models*, Biometrical Journal 50 (2008), for the
largest deviation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import xlogy
from threadpoolctl import threadpool_limits

from hayflick.core.arrays import Floats, Integers
from hayflick.core.notes import translatable
from hayflick.core.progress import Progress, silent
from hayflick.core.reproducibility import stream
from hayflick.diversity.hill import rarefied_entropies
from hayflick.diversity.scatter import unit_rows

HALF_SAMPLES = 400
FEWEST_WITHIN = 4
"""Answers to a prompt of which halves are drawn; of prompts with fewer, half are left out."""

_MOST_SUBSETS = 6
_MOST_IN_KERNEL, _MOST_KERNELS = 60, 12
_AT_ONCE = 25

Marks = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class AnswerSet:
    """Answers that are compared with others.

    Parameters
    ----------
    prompts
        Number of the prompt of each answer, in rising order, the same in both sets; zeros for one
        prompt. Each prompt has an answer in both.
    words
        Number of times that each answer has each word, shape ``(answers, words)``; None without
        texts.
    vectors
        Shape ``(answers, dimensions)``, finite and none of them zero; None without vectors.
    values
        Further numbers by name, one per answer, NaN where there is none.
    """

    prompts: Integers
    words: sparse.csr_array | None = None
    vectors: Floats | None = None
    values: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of answers."""
        return self.prompts.size

    @cached_property
    def by_prompt(self) -> Integers:
        """Number of answers to each prompt."""
        return np.bincount(self.prompts)


@dataclass(frozen=True, slots=True)
class Difference:
    """A number of two sets of answers.

    Parameters
    ----------
    metric
        Its name.
    old, new
        The number in each set.
    ratio
        New over old; None for a value that can be negative, or is 0 in the old set.
    low, high
        The simultaneous interval of the ratio; without one, that of the difference new - old.
    """

    metric: str
    old: float
    new: float
    ratio: float | None
    low: float
    high: float

    @property
    def differs(self) -> bool:
        """Whether the interval excludes that both are the same."""
        same = 0.0 if self.ratio is None else 1.0
        return not self.low <= same <= self.high

    @property
    def fell(self) -> bool:
        """Whether it is lower in the new set, beyond chance."""
        return self.differs and self.new < self.old


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A number that cannot be compared, and why; reports translate the reason."""

    metric: str
    reason: str


@dataclass(frozen=True, slots=True)
class MeasuredDifferences:
    """How two sets differ.

    Parameters
    ----------
    differences
        A `Difference` per number that both sets have.
    unmeasured
        The numbers that cannot be measured.
    answers, words
        The common size: answers and words on which each set is measured; None without words.
    draws_prompts
        Whether prompts are taken for a sample of such prompts, not for fixed.
    """

    differences: tuple[Difference, ...]
    unmeasured: tuple[Unmeasured, ...]
    answers: int
    words: int | None
    draws_prompts: bool


def differences(
    old: AnswerSet,
    new: AnswerSet,
    *,
    confidence: float = 0.95,
    seed: int = 1,
    progress: Progress = silent,
) -> MeasuredDifferences:
    """Return how two sets of answers differ, with intervals that hold for all numbers together.

    Parameters
    ----------
    old, new
        The two sets, with answers to the same prompts.
    confidence
        Probability with which all intervals hold, above 0 and below 1.
    seed
        Seed of the half-samples.
    progress
        Called with the number of measurements done.
    """
    common = np.minimum(old.by_prompt, new.by_prompt)
    halves = [
        _Halves(part, common, stream(seed, block=1 + at)) for at, part in enumerate((old, new))
    ]
    present = _present_prompts(common, stream(seed, block=0))
    for one in halves:
        one.draw(present)
    series = _Series(old, new, halves, common, present, progress)
    # The threads of a small matrix wait for one another longer than one alone takes.
    with threadpool_limits(1, "blas"):
        found = series.numbers()
    logs, centres, kept = [], [], []
    for name, (before, now) in found.items():
        pair = np.stack([before, now])
        whole = series.whole.get(name, pair.mean(axis=1))
        scale = _scale(name, pair, old, new)
        centre = _gap(whole[:, None], scale)[0]
        logs.append(_gap(pair, scale) - centre)
        centres.append(centre)
        kept.append((name, scale, float(whole[0]), float(whole[1])))
    gaps = np.array(logs).reshape(len(logs), HALF_SAMPLES)
    spread = np.sqrt((gaps**2).mean(axis=1))
    varies = spread > 1e-12 * (1.0 + np.abs(np.array(centres)))
    largest = np.abs(gaps[varies] / spread[varies, None]).max(axis=0, initial=0.0)
    reach = float(np.quantile(largest, confidence)) * np.where(varies, spread, 0.0)
    return MeasuredDifferences(
        tuple(
            _difference(*one, float(c), float(r))
            for one, c, r in zip(kept, centres, reach, strict=True)
        ),
        tuple(Unmeasured(name, reason) for name, reason in series.missing.items()),
        answers=int(series.subset.sum()),
        words=series.words,
        draws_prompts=bool((common < FEWEST_WITHIN).any()),
    )


_VALUE = "value "
_LARGEST_LOG = 700.0


def _scale(name: str, pair: Floats, old: AnswerSet, new: AnswerSet) -> str:
    """Return how a number is compared: by its logarithm, as a share of the old, or as it is."""
    if name.startswith(_VALUE):
        cells = [part.values[name.removeprefix(_VALUE)] for part in (old, new)]
        if any(np.nanmin(one) < 0.0 for one in cells):
            return "difference"
    if (pair > 0.0).all():
        return "logarithm"
    return "share" if pair[0].mean() > 0.0 else "difference"


def _gap(pair: Floats, scale: str) -> Floats:
    old, new = np.log(pair) if scale == "logarithm" else pair
    gaps: Floats = new - old
    return gaps


def _difference(
    name: str, scale: str, old: float, new: float, centre: float, reach: float
) -> Difference:
    low, high = centre - reach, centre + reach
    metric = name.removeprefix(_VALUE)
    if scale == "logarithm":
        ends = (math.exp(min(end, _LARGEST_LOG)) for end in (centre, low, high))
        return Difference(metric, old, new, *ends)
    if scale == "share":
        # A logarithm of 0 is none: the interval of the difference, over the old number.
        share = (max(0.0, 1.0 + end / old) for end in (centre, low, high))
        return Difference(metric, old, new, *share)
    return Difference(metric, old, new, None, low, high)


def _present_prompts(common: Integers, rng: np.random.Generator) -> Marks:
    """Return which prompts each half-sample has: half of those with few answers, all others."""
    few = np.flatnonzero(common < FEWEST_WITHIN)
    present = np.ones((HALF_SAMPLES, common.size), bool)
    if few.size:
        order = np.argsort(rng.random((HALF_SAMPLES, few.size)), axis=1)
        number = (few.size + rng.integers(2, size=(HALF_SAMPLES, 1))) // 2
        present[:, few] = order < np.maximum(1, number)
    return present


class _Halves:
    """The half-samples of a set, and the subsets of the common size in each."""

    def __init__(self, answers: AnswerSet, common: Integers, rng: np.random.Generator) -> None:
        self.answers, self.common, self.rng = answers, common, rng
        self.within = common >= FEWEST_WITHIN
        self.subset = np.where(self.within, common // 2, common)
        self.subsets = min(_MOST_SUBSETS, max(1, round(answers.size / int(common.sum()))))

    def draw(self, present: Marks) -> None:
        """Draw all half-samples; `present` says which prompts each has."""
        prompts, sizes = self.answers.prompts, self.answers.by_prompt
        keys = self.rng.random((HALF_SAMPLES, prompts.size)) + prompts
        ranks = np.empty(keys.shape, np.int64)
        first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        inside = np.arange(prompts.size) - first[prompts]
        np.put_along_axis(ranks, np.argsort(keys, axis=1), inside[None, :], axis=1)
        odd = self.rng.integers(2, size=present.shape)
        half = np.where(self.within, (sizes + odd) // 2, sizes)
        self.kept = (ranks < half[:, prompts]) & present[:, prompts]
        self._ranks, self._half = ranks, half[:, prompts]

    @property
    def and_whole(self) -> Marks:
        """The half-samples, and all answers as the last row."""
        return np.vstack([self.kept, np.ones((1, self.answers.size), bool)])

    def of_subset(self, number: int) -> Marks:
        """Return the answers of one of the subsets of the common size, in each half-sample."""
        size = self.subset[self.answers.prompts]
        marks: Marks = self.kept & (
            (self._ranks - number * size) % np.maximum(1, self._half) < size
        )
        return marks


class _Series:
    """The numbers of both sets in every half-sample, and why those that lack are missing."""

    def __init__(
        self,
        old: AnswerSet,
        new: AnswerSet,
        halves: list[_Halves],
        common: Integers,
        present: Marks,
        progress: Progress,
    ) -> None:
        self.sides, self.halves, self.common, self.present = (old, new), halves, common, present
        self.progress = progress
        self.subset = np.where(common >= FEWEST_WITHIN, common // 2, common)
        self.words: int | None = None
        self.missing: dict[str, str] = {}
        self.whole: dict[str, Floats] = {}
        """Numbers of the whole sets, where they depend neither on size nor on a draw."""

    def numbers(self) -> dict[str, tuple[Floats, Floats]]:
        """Return the numbers by name."""
        found: dict[str, tuple[Floats, Floats] | None] = {}
        if self.sides[0].words is not None:
            found["effective_words"] = self._effective_words()
        if self.sides[0].vectors is not None:
            found["effective_answers"] = self._effective_answers()
            found |= self._distances()
        for name in self.sides[0].values:
            found[_VALUE + name] = self._means(name)
        return {name: pair for name, pair in found.items() if pair is not None}

    def _effective_words(self) -> tuple[Floats, Floats] | None:
        marks = [[one.of_subset(k) for k in range(one.subsets)] for one in self.halves]
        lengths = [np.asarray(side.words.sum(axis=1)).ravel() for side in self.sides]  # type: ignore[union-attr]
        size = min(
            int((subset @ length).min())
            for subsets, length in zip(marks, lengths, strict=True)
            for subset in subsets
        )
        if size < 2:
            self.missing["effective_words"] = translatable("too few words")
            return None
        self.words = size
        pair = []
        for side, subsets in zip(self.sides, marks, strict=True):
            assert side.words is not None
            rows = [_entropies(side.words, subset, size) for subset in subsets]
            pair.append(np.exp(np.mean(rows, axis=0)))
            self.progress("comparing words", len(pair), 2)
        return pair[0], pair[1]

    def _effective_answers(self) -> tuple[Floats, Floats] | None:
        sizes = [int(one.of_subset(0).sum(axis=1).min()) for one in self.halves]
        size = min(*sizes, _MOST_IN_KERNEL)
        pair = []
        for side, half in zip(self.sides, self.halves, strict=True):
            assert side.vectors is not None
            rows = unit_rows("vectors", side.vectors)
            # One large product: many small ones wait for threads on a busy machine.
            cosines = rows @ rows.T
            number = max(1, _MOST_KERNELS // half.subsets)
            scores = []
            for k in range(half.subsets):
                marks = half.of_subset(k)
                scores.append([_scores(cosines, one, size, number, half.rng) for one in marks])
            pair.append(np.mean(scores, axis=0))
            self.progress("comparing answers", len(pair), 2)
        return pair[0], pair[1]

    def _distances(self) -> dict[str, tuple[Floats, Floats] | None]:
        """Return the mean scores of pairs within a prompt and between prompts."""
        old = self.sides[0]
        assert old.vectors is not None
        within, between = _median_squares(old.vectors, old.prompts)
        new = self.sides[1]
        if new.vectors is not None and (math.isnan(within) or math.isnan(between)):
            others = _median_squares(new.vectors, new.prompts)
            within = others[0] if math.isnan(within) else within
            between = others[1] if math.isnan(between) else between
        weights = self.common * (self.common > 1)
        found: dict[str, tuple[Floats, Floats] | None] = {"spread": None}
        alike = translatable("all answers are alike")
        if not (weights > 0).any():
            self.missing["spread"] = translatable("no prompt has two answers on both sides")
        elif math.isnan(within):
            self.missing["spread"] = alike
        else:
            sides = zip(self.sides, self.halves, strict=True)
            spread = [_within(part, half.and_whole, weights, within) for part, half in sides]
            if np.isfinite(spread).all():
                found["spread"] = self._split("spread", spread)
            else:
                self.missing["spread"] = translatable(
                    "too few prompts have two answers on both sides"
                )
        if self.common.size < 2 or (self.present.sum(axis=1) < 2).any():
            return found
        if math.isnan(between):
            self.missing["between_prompts"] = alike
            return found
        sides = zip(self.sides, self.halves, strict=True)
        apart = [_between(part, half.and_whole, between) for part, half in sides]
        return {**found, "between_prompts": self._split("between_prompts", apart)}

    def _split(self, name: str, pair: list[Floats]) -> tuple[Floats, Floats]:
        """Return the half-samples' numbers, and keep those of the whole sets, which come last."""
        self.whole[name] = np.array([one[-1] for one in pair])
        return pair[0][:-1], pair[1][:-1]

    def _means(self, name: str) -> tuple[Floats, Floats] | None:
        pair = []
        for side, half in zip(self.sides, self.halves, strict=True):
            values = side.values[name]
            known = np.isfinite(values)
            sums, sizes = (
                _by_prompt(half.and_whole * part, side)
                for part in (np.where(known, values, 0.0), known)
            )
            weights = np.where(sizes > 0, self.common, 0)
            with np.errstate(invalid="ignore", divide="ignore"):
                pair.append(
                    (weights * sums / np.maximum(1, sizes)).sum(axis=1) / weights.sum(axis=1)
                )
        if not all(np.isfinite(one).all() for one in pair):
            self.missing[name] = translatable("its column has too few numbers")
            return None
        return self._split(_VALUE + name, pair)


def _by_prompt(rows: NDArray[Any], side: AnswerSet) -> Floats:
    """Return sums over the answers to each prompt, shape ``(half-samples, prompts)``."""
    first = np.concatenate([[0], np.cumsum(side.by_prompt)[:-1]])
    sums: Floats = np.add.reduceat(rows, first, axis=1, dtype=np.float64)
    return sums


def _entropies(words: sparse.csr_array, marks: Marks, size: int) -> Floats:
    """Return the rarefied entropy of the words of each subset."""
    found = []
    for first in range(0, len(marks), _AT_ONCE):
        counts = sparse.csr_array(marks[first : first + _AT_ONCE].astype(np.int64)) @ words
        found.append(rarefied_entropies(counts.data, counts.indptr, size=size))
    return np.concatenate(found)


def _scores(
    cosines: Floats, marks: Marks, size: int, number: int, rng: np.random.Generator
) -> float:
    """Return the mean Vendi score of random subsets of one size, at most `number` of them."""
    order = rng.permutation(np.flatnonzero(marks))
    number = min(number, order.size // size)
    parts = order[: number * size].reshape(number, size)
    values = np.linalg.eigvalsh(cosines[parts[:, :, None], parts[:, None, :]] / size)
    shares = np.where(values > size * np.finfo(np.float64).eps, values, 0.0)
    return float(np.exp(-xlogy(shares, shares).sum(axis=1)).mean())


def _within(side: AnswerSet, kept: Marks, weights: Integers, scale: float) -> Floats:
    """Return the mean score of pairs of answers to one prompt, prompts weighted alike in both."""
    assert side.vectors is not None
    chosen = kept.astype(np.float64)
    scores = -np.expm1(-_squares(side.vectors) / scale)
    scores *= np.equal.outer(side.prompts, side.prompts)
    sums = _by_prompt((chosen @ scores) * chosen, side)
    sizes = _by_prompt(chosen, side)
    counted = np.where(sizes > 1, weights, 0)
    means = sums / np.maximum(1.0, sizes * (sizes - 1.0))
    with np.errstate(invalid="ignore"):
        result: Floats = (counted * means).sum(axis=1) / counted.sum(axis=1)
    return result


def _between(side: AnswerSet, kept: Marks, scale: float) -> Floats:
    """Return the mean score of answers to different prompts, the same for each pair of prompts."""
    assert side.vectors is not None
    sizes = _by_prompt(kept, side)
    shares = np.where(kept, 1.0 / np.maximum(1.0, sizes[:, side.prompts]), 0.0)
    scores = -np.expm1(-_squares(side.vectors) / scale)
    scores *= ~np.equal.outer(side.prompts, side.prompts)
    present = (sizes > 0).sum(axis=1)
    result: Floats = ((shares @ scores) * shares).sum(axis=1) / (present * (present - 1.0))
    return result


def _squares(vectors: Floats) -> Floats:
    lengths = np.einsum("ij,ij->i", vectors, vectors)
    squares: Floats = np.maximum(lengths[:, None] + lengths - 2.0 * vectors @ vectors.T, 0.0)
    # Equal vectors are at distance 0, whatever is lost to rounding.
    squares[squares < 1e-12 * lengths.max(initial=0.0)] = 0.0
    np.fill_diagonal(squares, 0.0)
    return squares


def _median_squares(vectors: Floats, prompts: Integers) -> tuple[float, float]:
    """Return the median positive squared distances within and between prompts; NaN without one."""
    squares = _squares(vectors)
    same = np.equal.outer(prompts, prompts)
    parts = (squares[kind & (squares > 0.0)] for kind in (same, ~same))
    medians = [float(np.median(part)) if part.size else math.nan for part in parts]
    return medians[0], medians[1]
