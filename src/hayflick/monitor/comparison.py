"""How two sets of answers differ: diversity at a common size, with simultaneous intervals.

Every number is compared as the logarithm of new over old, at sizes that both sets have: words are
rarefied to .4 of the smaller number of words, answers to half of the smaller number of answers.

The intervals come from half-samples: in each of 400 rounds a random half of the answers to every
prompt is kept, without replacement, in both sets. A half-sample differs from the whole as the whole
differs from the population, with the same variance to first order, and no answer is doubled, which
would count as a loss of diversity. With s the standard deviation over half-samples and q the
quantile, at the stated confidence, of the largest |deviation| / s over all numbers,

    log ratio ± q s

holds for all numbers together. It is asymptotic, and about these prompts: the answers within a
prompt are taken for independent, the prompts for fixed. Answers to prompts that were asked once
are taken together as answers to one prompt.

References
----------
McCarthy, *Pseudo-replication: half samples*, Review of the International Statistical Institute 37
(1969); Politis, Romano & Wolf, *Subsampling* (1999), section 2.2; Hothorn, Bretz & Westfall,
*Simultaneous inference in general parametric models*, Biometrical Journal 50 (2008), for the
largest deviation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from hayflick.core.arrays import Floats, Integers
from hayflick.core.reproducibility import stream
from hayflick.diversity.hill import hill_number, rarefied_entropy
from hayflick.diversity.metrics import defined
from hayflick.diversity.scatter import unit_rows
from hayflick.diversity.spectrum import positive_spectrum

HALF_SAMPLES = 400
MOST_ANSWERS = 2000
"""Answers of a set that distances are measured on; more are sampled evenly over the prompts."""

_SHARE_OF_WORDS = 0.4
_MOST_IN_KERNEL = 150


@dataclass(frozen=True, eq=False, kw_only=True)
class AnswerSet:
    """Answers that are compared with others.

    Parameters
    ----------
    words
        Number of times that each answer has each word, shape ``(answers, words)``; None without
        texts.
    vectors
        Shape ``(answers, dimensions)``; None without vectors.
    prompts
        Number of the prompt of each answer, the same in both sets; zeros for one prompt.
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


@dataclass(frozen=True, slots=True)
class Difference:
    """A number of two sets of answers.

    Parameters
    ----------
    metric
        Its name.
    old, new
        The number in each set.
    ratio, low, high
        New over old, and the simultaneous interval; for numbers that are not above 0, and for the
        values of users, `ratio` is None and the interval is that of the difference new - old.
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


def differences(
    old: AnswerSet, new: AnswerSet, *, confidence: float = 0.95, seed: int = 1
) -> tuple[Difference, ...]:
    """Return how two sets of answers differ, with intervals that hold for all numbers together.

    Parameters
    ----------
    old, new
        The two sets.
    confidence
        Probability with which all intervals hold, above 0 and below 1.
    seed
        Seed of the half-samples.

    Returns
    -------
    One `Difference` per number that both sets have; numbers that cannot be measured in a half of
    the answers are left out.
    """
    rng = stream(seed, block=0)
    sizes = _CommonSizes.of(old, new)
    sides = [_Measured(part, sizes, rng) for part in (old, new)]
    whole = [side.numbers(np.ones(side.size, bool)) for side in sides]
    names = [name for name in whole[0] if name in whole[1]]
    is_ratio = {name: _is_ratio(name, whole) for name in names}

    def difference(numbers: Sequence[Mapping[str, float]]) -> Floats:
        pairs = (
            (name, numbers[0].get(name, math.nan), numbers[1].get(name, math.nan)) for name in names
        )
        return np.array([math.log(b / a) if is_ratio[name] else b - a for name, a, b in pairs])

    centre = difference(whole)
    halves = np.array(
        [difference([side.numbers(side.half(rng)) for side in sides]) for _ in range(HALF_SAMPLES)]
    )
    measured = np.isfinite(halves).all(axis=0)
    gaps = halves - centre
    spread = np.sqrt((gaps**2).mean(axis=0))
    varies = measured & (spread > 0.0)
    largest = np.abs(gaps[:, varies] / spread[varies]).max(axis=1, initial=0.0)
    reach = float(np.quantile(largest, confidence)) * spread
    return tuple(
        _difference(name, whole, is_ratio=is_ratio[name], centre=centre[place], reach=reach[place])
        for place, name in enumerate(names)
        if measured[place]
    )


def _is_ratio(name: str, whole: Sequence[Mapping[str, float]]) -> bool:
    return not name.startswith(_VALUE) and all(side[name] > 0.0 for side in whole)


def _difference(
    name: str, whole: Sequence[Mapping[str, float]], *, is_ratio: bool, centre: float, reach: float
) -> Difference:
    low, high = centre - reach, centre + reach
    metric, old, new = name.removeprefix(_VALUE), whole[0][name], whole[1][name]
    if not is_ratio:
        return Difference(metric, old, new, None, low, high)
    return Difference(metric, old, new, math.exp(centre), math.exp(low), math.exp(high))


_VALUE = "value "


@dataclass(frozen=True, slots=True)
class _CommonSizes:
    """The numbers of words and of answers that both sets are rarefied to, and the scales h."""

    words: int
    answers: int
    within: float
    between: float

    @classmethod
    def of(cls, old: AnswerSet, new: AnswerSet) -> _CommonSizes:
        totals = [int(part.words.sum()) for part in (old, new) if part.words is not None]
        answers = min(_half_size(part.prompts) for part in (old, new))
        scales = (math.nan, math.nan)
        if old.vectors is not None:
            scales = _median_squares(old.vectors, old.prompts)
        words = int(_SHARE_OF_WORDS * min(totals)) if totals else 0
        return cls(words, min(answers, _MOST_IN_KERNEL), *scales)


class _Measured:
    """The numbers of a set and of its subsets."""

    def __init__(self, answers: AnswerSet, sizes: _CommonSizes, rng: np.random.Generator) -> None:
        self.answers, self.sizes, self.rng = answers, sizes, rng
        self.size = answers.size
        self.strata = _strata(answers.prompts)
        self.of_prompt = np.equal.outer(np.arange(answers.prompts.max() + 1), answers.prompts)
        if answers.vectors is not None:
            self.directions = unit_rows("vectors", answers.vectors)
            squares = _squares(answers.vectors)
            same = np.equal.outer(answers.prompts, answers.prompts)
            scales = np.where(same, sizes.within, sizes.between)
            self.scores = -np.expm1(-squares / scales)

    def half(self, rng: np.random.Generator) -> NDArray[np.bool_]:
        """Return a random half of the answers to every prompt."""
        kept = np.zeros(self.size, bool)
        for stratum in self.strata:
            number = (stratum.size + int(rng.integers(2))) // 2
            kept[rng.permutation(stratum)[:number]] = True
        return kept

    def numbers(self, kept: NDArray[np.bool_]) -> dict[str, float]:
        """Return the numbers of the answers that are kept; what is undefined is left out."""
        found: dict[str, float | None] = {}
        if self.answers.words is not None and self.sizes.words:
            counts = self.answers.words[kept].sum(axis=0)
            entropy = rarefied_entropy(counts, size=self.sizes.words)
            found["effective_words"] = None if entropy is None else math.exp(entropy)
        if self.answers.vectors is not None:
            found["effective_answers"] = self._effective_answers(kept)
            found |= self._distances(kept)
        for name, values in self.answers.values.items():
            known = values[kept & np.isfinite(values)]
            found[_VALUE + name] = float(known.mean()) if known.size else None
        return defined(found)

    def _effective_answers(self, kept: NDArray[np.bool_]) -> float | None:
        size = self.sizes.answers
        order = self.rng.permutation(np.flatnonzero(kept))
        scores = []
        for first in range(0, min(order.size, 2 * size) - size + 1, size):
            rows = self.directions[order[first : first + size]]
            scores.append(hill_number(positive_spectrum(rows @ rows.T / size), order=1))
        known = [score for score in scores if score is not None]
        return float(np.mean(known)) if known else None

    def _distances(self, kept: NDArray[np.bool_]) -> dict[str, float | None]:
        """Return the mean scores of pairs within a prompt and between prompts."""
        chosen = (self.of_prompt & kept).astype(np.float64)
        sums = chosen @ self.scores @ chosen.T
        sizes = chosen.sum(axis=1)
        pairs = float((sizes * (sizes - 1.0)).sum())
        spread = float(np.trace(sums)) / pairs if pairs else None
        if len(sizes) < 2 or not sizes.all():
            return {"spread": spread}
        means = sums / np.outer(sizes, sizes)
        apart = ~np.eye(len(sizes), dtype=bool)
        return {"spread": spread, "between_prompts": float(means[apart].mean())}


def _strata(prompts: Integers) -> list[Integers]:
    """Return the answers by prompt; prompts that were asked once are one stratum."""
    sizes = np.bincount(prompts)
    several = [np.flatnonzero(prompts == prompt) for prompt in np.flatnonzero(sizes > 1)]
    once = np.flatnonzero(sizes[prompts] == 1)
    return [*several, once] if once.size else several


def _half_size(prompts: Integers) -> int:
    return sum(stratum.size // 2 for stratum in _strata(prompts))


def _squares(vectors: Floats) -> Floats:
    lengths = np.einsum("ij,ij->i", vectors, vectors)
    squares: Floats = np.maximum(lengths[:, None] + lengths - 2.0 * vectors @ vectors.T, 0.0)
    np.fill_diagonal(squares, 0.0)
    return squares


def _median_squares(vectors: Floats, prompts: Integers) -> tuple[float, float]:
    """Return the median squared distances within and between prompts; NaN without such a pair."""
    upper = np.triu_indices(len(vectors), 1)
    squares = _squares(vectors)[upper]
    same = np.equal.outer(prompts, prompts)[upper]
    within, between = (squares[part] for part in (same, ~same))
    medians = [float(np.median(part)) if part.size else math.nan for part in (within, between)]
    return medians[0], medians[1]
