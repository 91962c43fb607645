"""The share of generated texts by the words that stand in them: maximum likelihood.

A word stands in a share p of human and in a share q of a model's texts, both known from
references. The likelihood of a mixture takes words for independent, which they are not. It is
therefore only the score of a text here: what scores mean is measured on texts of the references
whose words had no part in the score. Whether the words are those of a mixture at all is tested.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import bdtr, bdtrc, expit, gammaincc, ndtri, stdtrit

from hayflick.auditing.dataset import text_series
from hayflick.auditing.synthetic_share import (
    SampleMean,
    SyntheticShare,
    WordGap,
    deviations,
    share_limits,
)
from hayflick.auditing.word_counts import FEWEST_TEXTS, WordTable, word_table
from hayflick.core.arrays import Floats, Integers
from hayflick.core.errors import DataError
from hayflick.core.notes import Note
from hayflick.core.progress import Progress, silent
from hayflick.corpus.tokenizers import tokenizer_named

FEWEST_REFERENCES = 100
"""Different texts that each reference needs."""

MOST_BEYOND = 0.05
"""Where a larger part of the words is beyond both references, no share is told."""

_PARTS = 5
_GROUPS = 8
_EXTREME = 30.0
_LEAST_PILOT = 0.1
# The scores of one part of a reference come from its other parts, so that the parts' means are
# not independent: by Nadeau and Bengio (2003), held-out over training texts.
_TRAINED = 1.0 + 1.0 / (_PARTS - 1)
_FALSE_ALARM = 0.01
_FREQUENT = 25
_LISTED = 20
_DRAWS = 100


def word_share(
    texts: Sequence[str | None] | pl.Series,
    *,
    human: Sequence[str | None] | pl.Series,
    model: Sequence[str | None] | pl.Series,
    tokenizer: str = "mixed",
    confidence: float = 0.95,
    progress: Progress = silent,
) -> SyntheticShare:
    r"""Return the share of generated texts by the words that stand in them.

    The estimate by maximum likelihood of Liang et al. is in `SyntheticShare.uncorrected`. It is
    biased where words depend on one another. The `value` solves the likelihood's equation, in
    which the ratio of likelihoods and the mean of the score are taken from texts of the
    references that had no part in estimating p and q (five-fold). The interval carries the
    sampling errors of the data set and of both references; it is asymptotic.

    Words that stand in more, or in fewer, of the texts than the mixture says show that the texts
    are about something else, or by another model (`find_misfits`). Then a note says
    so, and the interval also holds what eight random parts of the vocabulary tell. If more than
    5 % of what stands in the texts is beyond both references, there is no value.

    Parameters
    ----------
    texts
        The data set; blank rows do not count.
    human, model
        References: texts of people and texts of the model, about the same things as the data
        set; at least 100 different ones each.
    tokenizer
        Splits them into words.
    confidence
        Of the interval.
    progress
        Is told how far the work is.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.
    DataError
        If there is no text, or a reference is too small.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> def written(number, words):
    ...     return [" ".join(rng.choice(words, 8)) for _ in range(number)]
    >>> plain, ornate = "so it was and is to be".split(), "so it was a vivid rich tapestry".split()
    >>> mixed = written(700, plain) + written(300, ornate)
    >>> share = word_share(mixed, human=written(500, plain), model=written(500, ornate))
    >>> share.low < 0.3 < share.high
    True

    References
    ----------
    Liang et al. (2024), Monitoring AI-modified content at scale, arXiv:2403.07183, equation 2.
    """
    z = deviations(confidence)
    splitter = tokenizer_named(tokenizer)
    samples = (_present("texts", texts), _reference("human", human), _reference("model", model))
    table = word_table(samples, tokenizer=splitter, parts=_PARTS, progress=progress)
    if not table.known.size:
        raise DataError("human, model: no word stands in 5 texts of both references together")
    fitted = _fit(table, np.arange(table.known.size), z)
    misfits = find_misfits(table, share=fitted.value, error=fitted.width / (2.0 * z))
    limits, note = _told(table, fitted, misfits, confidence)
    value, (low, high) = (None, (0.0, 1.0)) if limits is None else (fitted.value, limits)
    if value is not None:
        low, high = min(low, value), max(high, value)
    return SyntheticShare(
        value,
        low,
        high,
        confidence,
        texts=int(table.sizes[0]),
        method="words",
        uncorrected=fitted.uncorrected,
        misfits=misfits.gaps,
        notes=() if note is None else (note,),
    )


def _told(
    table: WordTable, fitted: _Fit, misfits: Misfits, confidence: float
) -> tuple[tuple[float, float] | None, Note | None]:
    """Return the interval, None where no share can be told, and what there is to say about it."""
    if fitted.limits is None:
        return None, Note("the references do not differ in their words by more than chance")
    if misfits.beyond > MOST_BEYOND:
        return None, _refusal(misfits)
    if fitted.limits[0] == fitted.limits[1]:
        return None, Note(
            "no share can be told: the words of these texts are not between those of people and "
            "those of the model; take references about the same things"
        )
    if misfits.number or not misfits.fits:
        return _widened(table, fitted.limits, confidence), _caution(misfits)
    return fitted.limits, None


def _present(name: str, texts: Sequence[str | None] | pl.Series) -> pl.Series:
    """Return the texts that are not blank, in an order that is always the same."""
    rows = text_series(texts, name=name)
    present = rows.filter(rows.is_not_null() & (rows.str.strip_chars() != "")).sort()
    if not len(present):
        raise DataError(f"{name}: every row is blank")
    return present


def _reference(name: str, texts: Sequence[str | None] | pl.Series) -> pl.Series:
    present = _present(name, texts)
    different = present.n_unique()
    if different < FEWEST_REFERENCES:
        raise DataError(
            f"{name}: the reference has {different} different texts; take at least "
            f"{FEWEST_REFERENCES}"
        )
    return present


@dataclass(frozen=True)
class _Fit:
    """The share by some of the words."""

    uncorrected: float
    value: float
    limits: tuple[float, float] | None

    @property
    def width(self) -> float:
        return 1.0 if self.limits is None else self.limits[1] - self.limits[0]


def _fit(table: WordTable, columns: Integers, z: float) -> _Fit:
    """Estimate the share by some of the known words."""
    target, human, model = (
        sample if columns.size == table.known.size else sample[:, columns]
        for sample in table.samples
    )
    plain = _weights(human, model)
    uncorrected = _likelihood_share(_scores(target, plain))
    weights = _held_out_weights(human, model, table.parts)
    of_human, of_model = (
        np.take_along_axis(_scores(sample, weights), part[:, np.newaxis], axis=1)
        for sample, part in zip((human, model), table.parts, strict=True)
    )
    of_target = _scores(target, weights)
    start, slope = _calibrated(of_human.ravel(), of_model.ravel())
    pilot = _likelihood_share((start + slope * of_target).mean(axis=1))
    pilot = min(max(pilot, _LEAST_PILOT), 1.0 - _LEAST_PILOT)
    means = [
        _mean(_gradients(start + slope * scores, pilot).mean(axis=1), factor=factor)
        for scores, factor in ((of_target, 1.0), (of_human, _TRAINED), (of_model, _TRAINED))
    ]
    gap = means[2].mean - means[1].mean
    value = (means[0].mean - means[1].mean) / gap if gap > 0.0 else math.nan
    limits = None
    if gap > 0.0:
        limits = share_limits(_with_pseudo_texts(means, of_target.shape[0], z), *means[1:], z=z)
    return _Fit(uncorrected, min(max(value, 0.0), 1.0), limits)


def _weights(human: csr_array, model: csr_array) -> Floats:
    """Return the log-likelihood ratio of each word, and last that of a text without any.

    Rare words are left out by these texts alone: if those held out had a say, their words would
    be too frequent.
    """
    counts = [sample.sum(axis=0, dtype=np.float64) for sample in (human, model)]
    p, q = (
        (count + 0.5) / (sample.shape[0] + 1.0)
        for count, sample in zip(counts, (human, model), strict=True)
    )
    is_used = counts[0] + counts[1] >= FEWEST_TEXTS
    absent = np.where(is_used, np.log1p(-q) - np.log1p(-p), 0.0)
    present = np.where(is_used, np.log(q) - np.log(p), 0.0)
    return np.append(present - absent, absent.sum())


def _held_out_weights(
    human: csr_array, model: csr_array, parts: tuple[Integers, Integers]
) -> Floats:
    """Return the weights without each part of the references, in a column per part."""
    return np.stack(
        [_weights(human[parts[0] != part], model[parts[1] != part]) for part in range(_PARTS)],
        axis=1,
    )


def _scores(sample: csr_array, weights: Floats) -> Floats:
    return np.asarray(sample @ weights[:-1] + weights[-1])


def _likelihood_share(scores: Floats) -> float:
    """Return the share with the largest likelihood, given log-likelihood ratios; by bisection."""
    low, high = 0.0, 1.0
    if _gradients(scores, low).sum() <= 0.0:
        return low
    if _gradients(scores, high).sum() >= 0.0:
        return high
    for _ in range(40):
        middle = (low + high) / 2.0
        if _gradients(scores, middle).sum() > 0.0:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def _gradients(scores: Floats, share: float) -> Floats:
    """Return the derivatives of each text's log-likelihood by the share."""
    excess = np.expm1(np.clip(scores, -_EXTREME, _EXTREME))
    return np.asarray(excess / (1.0 + share * excess))


def _calibrated(human: Floats, model: Floats) -> tuple[float, float]:
    """Return start and slope of a logistic regression, both references of the same weight."""
    pooled = np.concatenate([human, model])
    centre, scale = float(pooled.mean()), float(pooled.std()) or 1.0
    design = np.column_stack([np.ones(pooled.size), (pooled - centre) / scale])
    is_model = np.repeat([0.0, 1.0], [human.size, model.size])
    weight = np.repeat([0.5 / human.size, 0.5 / model.size], [human.size, model.size])
    fitted = np.zeros(2)
    # A little of a ridge, so that references that do not overlap have a finite slope.
    ridge = np.diag([0.0, 1e-4])
    for _ in range(50):
        chance = expit(design @ fitted)
        gradient = design.T @ (weight * (is_model - chance)) - ridge @ fitted
        curvature = (design.T * (weight * chance * (1.0 - chance))) @ design + ridge
        step = np.linalg.solve(curvature + 1e-12 * np.eye(2), gradient)
        fitted = fitted + step
        if np.abs(step).max() < 1e-9:
            break
    slope = max(float(fitted[1]) / scale, 0.0)
    return float(fitted[0]) - slope * centre, slope


def _mean(values: Floats, *, factor: float = 1.0) -> SampleMean:
    return SampleMean(float(values.mean()), factor * float(values.var(ddof=1)) / values.size)


def _with_pseudo_texts(means: Sequence[SampleMean], texts: int, z: float) -> SampleMean:
    """Return the target's mean with the pseudo-texts of Agresti and Coull, of both kinds.

    Where words tell every text, those of a target without generated texts hardly vary, but
    another one of the same source may have some.
    """
    target, human, model = means
    half = z * z / 2.0
    number = texts + 2.0 * half
    mean = (texts * target.mean + half * (human.mean + model.mean)) / number
    square = texts * (texts * target.variance + target.mean**2)
    square += half * (human.mean**2 + model.mean**2)
    variance = (square / number - mean**2) / number
    return SampleMean(mean, max(variance, target.variance))


def _widened(
    table: WordTable, limits: tuple[float, float], confidence: float
) -> tuple[float, float]:
    """Return limits that also hold the mean of the shares by random parts of the vocabulary.

    What changes some words and not others makes those shares differ.
    """
    order = np.random.Generator(np.random.Philox(_GROUPS)).permutation(table.known.size)
    fits = [_fit(table, np.sort(columns), 1.0) for columns in np.array_split(order, _GROUPS)]
    shares = np.array([fit.value for fit in fits if fit.limits is not None])
    if shares.size < 2:
        return 0.0, 1.0
    reach = stdtrit(shares.size - 1, 0.5 + confidence / 2.0)
    reach *= shares.std(ddof=1) / math.sqrt(shares.size)
    low, high = shares.mean() - reach, shares.mean() + reach
    return max(min(limits[0], float(low)), 0.0), min(max(limits[1], float(high)), 1.0)


def _named(misfits: Misfits) -> str:
    return ", ".join(f"“{gap.word}”" for gap in misfits.gaps[:5])


def _caution(misfits: Misfits) -> Note:
    return Note(
        "words such as {words} stand in more, or in fewer, of these texts than a mixture of the "
        "references has: the texts differ from both in topic or model, and the interval is wider "
        "for it",
        words=_named(misfits),
    )


def _refusal(misfits: Misfits) -> Note:
    return Note(
        "no share can be told: {share:.0%} of the words in these texts are beyond what either "
        "reference explains, such as {words}; take references about the same things",
        words=_named(misfits),
        share=misfits.beyond,
    )


@dataclass(frozen=True)
class Misfits:
    """What of a data set's words the mixture does not explain.

    Parameters
    ----------
    gaps
        Words, the largest gap first; empty where all fit.
    number
        Words that are off by themselves.
    beyond
        The part of what stands in the texts that is beyond both references.
    fits
        Whether all words together are as near to the mixture as samples of the references are.
    """

    gaps: tuple[WordGap, ...]
    number: int
    beyond: float
    fits: bool


def find_misfits(table: WordTable, *, share: float, error: float) -> Misfits:
    """Compare the frequencies of words with those of a mixture.

    Three tests, each of which errs in about 1 % of data sets: every word against the range of both
    references (exact), every frequent word against the mixture (normal), and the sum of squares
    of the latter, whose law under dependent words is that of resampled references.

    Parameters
    ----------
    table
        Of the words.
    share, error
        The estimated share of generated texts, and its standard error.
    """
    rates = table.counts / table.sizes[:, np.newaxis]
    mixed = _mixed(rates, share)
    over, under = _beyond_range(table, rates)
    sizes = table.sizes.astype(np.float64)
    frequent = np.minimum(table.counts[0], mixed * sizes[0]) >= _FREQUENT
    frequent &= table.counts[1:].sum(axis=0) >= _FREQUENT
    deviation = _deviations(rates, sizes, share, error)
    limit = -ndtri(_FALSE_ALARM / (2.0 * max(int(np.count_nonzero(frequent)), 1)))
    off = over | under | (frequent & (deviation > limit))
    fits = _fits_together(table, deviation, frequent, share, error)
    number = int(np.count_nonzero(off))
    # Where only all words together do not fit, those that are off most are named.
    gap = np.where(off | (not fits and number == 0), np.abs(rates[0] - mixed), 0.0)
    order = np.argsort(-gap, kind="stable")[:_LISTED]
    gaps = tuple(
        WordGap(table.words[int(word)], *(float(rate) for rate in rates[:, word]))
        for word in order
        if gap[word] > 0.0
    )
    beyond = (rates[0] - rates[1:].max(axis=0))[over].sum()
    beyond += (rates[1:].min(axis=0) - rates[0])[under].sum()
    return Misfits(gaps, number, float(beyond / max(rates[0].sum(), 1e-300)), fits)


def _mixed(rates: Floats, share: float) -> Floats:
    return np.asarray((1.0 - share) * rates[1] + share * rates[2])


def _beyond_range(table: WordTable, rates: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which words are in more texts than in those of either reference, and in fewer."""
    found, columns = table.counts[0], np.arange(len(table.words))

    def chance(reference: Integers, tail: Callable[..., Floats], limit: Integers) -> Floats:
        # Given the sum of two counts with the same rate, one of them is binomial.
        together = found + table.counts[reference, columns]
        expected = table.sizes[0] / (table.sizes[0] + table.sizes[reference])
        return np.where(limit < 0, 1.0, tail(np.maximum(limit, 0), together, expected))

    more = chance(1 + np.argmax(rates[1:], axis=0), bdtrc, found - 1)
    fewer = chance(1 + np.argmin(rates[1:], axis=0), bdtr, found)
    level = _FALSE_ALARM / (2.0 * max(columns.size, 1))
    return more < level, fewer < level


def _deviations(rates: Floats, sizes: Floats, share: float, error: float) -> Floats:
    """Return how many standard errors each rate is off the mixture, by arcsines of roots."""
    mixed = np.minimum(_mixed(rates, share), 1.0)
    spread = (1.0 - share) ** 2 * rates[1] * (1.0 - rates[1]) / sizes[1]
    spread += share**2 * rates[2] * (1.0 - rates[2]) / sizes[2]
    spread += ((rates[2] - rates[1]) * error) ** 2
    scale = np.maximum(mixed * (1.0 - mixed), 1e-12)
    moved = 2.0 * (np.arcsin(np.sqrt(rates[0])) - np.arcsin(np.sqrt(mixed)))
    return np.asarray(np.abs(moved) / np.sqrt(1.0 / sizes[0] + spread / scale))


def _fits_together(
    table: WordTable, deviation: Floats, frequent: NDArray[np.bool_], share: float, error: float
) -> bool:
    """Return whether the sum of squared deviations is like that of resampled references."""
    used = frequent[table.known]
    if not used.any():
        return True
    rng = np.random.Generator(np.random.Philox(_DRAWS))
    sizes = table.sizes
    human, model = (sample.T.tocsr() for sample in table.samples[1:])
    likely = np.repeat([(1.0 - share) / sizes[1], share / sizes[2]], sizes[1:])
    sums = []
    for _ in range(_DRAWS):
        drawn = rng.multinomial(sizes[0], likely / likely.sum())
        again = [rng.multinomial(size, np.full(size, 1.0 / size)) for size in sizes[1:]]
        counts = (
            human @ drawn[: sizes[1]] + model @ drawn[sizes[1] :],
            human @ again[0],
            model @ again[1],
        )
        rates = np.stack(counts)[:, used] / sizes[:, np.newaxis]
        sums.append(float((_deviations(rates, sizes.astype(np.float64), share, error) ** 2).sum()))
    mean, variance = float(np.mean(sums)), float(np.var(sums, ddof=1))
    found = float((deviation[table.known][used] ** 2).sum())
    # A multiple of χ² with the same mean and variance (Satterthwaite).
    chance = gammaincc(mean**2 / variance, found * mean / variance) if variance else 1.0
    return bool(chance >= _FALSE_ALARM)
