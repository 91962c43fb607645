"""The share of texts that a model wrote, with an interval that holds its references' errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from hayflick.core.checks import finite_number, number_between, whole_number
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.notes import Note

_CERTAIN = 0.999999
_BEYOND = 3.3
"""A target so many standard errors beyond both samples is of another kind: no share fits it."""


@final
@dataclass(frozen=True)
class WordGap:
    """A word that stands in more, or in fewer, texts than a mixture of the references says.

    Parameters
    ----------
    word
        The word, in lower case.
    target, human, model
        Shares of the texts in which it occurs.
    """

    word: str
    target: float
    human: float
    model: float


@final
@dataclass(frozen=True)
class SyntheticShare:
    """The share of generated texts in a data set.

    Parameters
    ----------
    value
        The estimate; None where the data do not allow one, and `notes` say why.
    low, high
        The interval. It is from 0 to 1 where the data say nothing.
    confidence
        The probability with which such intervals hold the share.
    texts
        Number of texts in the data set; blank ones do not count.
    method
        ``detector`` (Rogan and Gladen) or ``words`` (maximum likelihood).
    uncorrected
        The estimate before it is corrected by the references.
    misfits
        Words whose frequency the share does not explain, the largest gap first; only of method
        ``words``.
    notes
        What a reader has to know, as sentences.
    """

    value: float | None
    low: float
    high: float
    confidence: float
    texts: int
    method: str
    uncorrected: float | None = None
    misfits: tuple[WordGap, ...] = ()
    notes: tuple[Note, ...] = ()


@final
@dataclass(frozen=True)
class SampleMean:
    """The mean of a score over the texts of a sample, and the variance of that mean."""

    mean: float
    variance: float

    @classmethod
    def of_proportion(cls, successes: float, number: float) -> SampleMean:
        """Return a proportion, of numbers that need not be whole."""
        mean = successes / number
        return cls(mean, mean * (1.0 - mean) / number)


def deviations(confidence: float) -> float:
    """Return how many standard errors an interval reaches to either side.

    Raises
    ------
    ArgumentError
        If `confidence` is not a number from 0.5 to 0.999999.
    """
    confidence = number_between("confidence", confidence, low=0.5, high=_CERTAIN)
    return NormalDist().inv_cdf(0.5 + confidence / 2.0)


def mixture_interval(
    target: SampleMean, human: SampleMean, model: SampleMean, *, z: float
) -> tuple[float, float] | None:
    r"""Return the shares that the means of three independent samples do not contradict.

    A share :math:`\alpha` is in the interval if the target's mean is within `z` standard errors
    of :math:`(1 - \alpha) h + \alpha m`. The errors of all three means count, so that the interval
    holds its coverage where the references are small or hardly differ (Fieller's argument).

    Returns
    -------
    The limits, from 0 to 1; both are 0 or 1 where no share fits. None where the references do
    not differ by more than chance: every share fits.

    Examples
    --------
    >>> rates = [SampleMean.of_proportion(hits, 1000) for hits in (300, 50, 800)]
    >>> low, high = mixture_interval(*rates, z=1.96)
    >>> round(low, 3), round(high, 3)
    (0.292, 0.375)
    """
    gap, moved, square = model.mean - human.mean, target.mean - human.mean, z * z
    leading = gap * gap - square * (human.variance + model.variance)
    if leading <= 0.0:
        return None
    half = moved * gap - square * human.variance
    constant = moved * moved - square * (target.variance + human.variance)
    root = math.sqrt(max(half * half - leading * constant, 0.0))
    low, high = (half - root) / leading, (half + root) / leading
    return min(max(low, 0.0), 1.0), min(max(high, 0.0), 1.0)


def share_limits(
    target: SampleMean, human: SampleMean, model: SampleMean, *, z: float
) -> tuple[float, float] | None:
    """Return the limits of `mixture_interval`, of positive width where the target is near them.

    A target that is beyond one of the samples by chance has the shares that are at most 3.3
    standard errors from it. Both limits are equal where there is none: the samples are not what
    the target is a mixture of.

    Examples
    --------
    >>> rates = [SampleMean.of_proportion(hits, 1000) for hits in (30, 50, 800)]
    >>> mixture_interval(*rates, z=1.96)
    (0.0, 0.0)
    >>> round(share_limits(*rates, z=1.96)[1], 3)
    0.012
    """
    limits = mixture_interval(target, human, model, z=z)
    if limits is None or limits[0] < limits[1]:
        return limits
    return mixture_interval(target, human, model, z=max(z, _BEYOND))


@final
@dataclass(frozen=True)
class ConfusionCounts:
    """How often a detector was right about texts whose origin is known.

    Parameters
    ----------
    true_positives, false_negatives
        Generated texts that it called generated, and those that it did not.
    false_positives, true_negatives
        Human texts that it called generated, and those that it did not.

    Raises
    ------
    ArgumentError
        If a number is negative or not whole, or a kind of text is missing.
    """

    true_positives: int
    false_negatives: int
    false_positives: int
    true_negatives: int

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            whole_number(name, getattr(self, name), at_least=0)
        if not self.generated:
            raise ArgumentError(
                "true_positives and false_negatives", got=0, takes="at least 1 generated text"
            )
        if not self.human:
            raise ArgumentError(
                "false_positives and true_negatives", got=0, takes="at least 1 human text"
            )

    @property
    def generated(self) -> int:
        """The number of generated texts."""
        return self.true_positives + self.false_negatives

    @property
    def human(self) -> int:
        """The number of human texts."""
        return self.false_positives + self.true_negatives


def rogan_gladen(
    positives: int, texts: int, *, confusion: ConfusionCounts, confidence: float = 0.95
) -> SyntheticShare:
    """Return the share of generated texts from how many a detector calls generated.

    The detector's rates of error are taken from texts whose origin is known, and are assumed to
    be the same in these texts. The interval carries the sampling error of those rates; it is
    approximate, by the normal law, with the pseudo-counts of Agresti and Coull for the texts and
    of Laplace for the rates.

    Parameters
    ----------
    positives
        Texts that the detector calls generated.
    texts
        All texts.
    confusion
        The detector's answers about texts of known origin.
    confidence
        Of the interval.

    Raises
    ------
    ArgumentError
        If a number is out of its range.

    Examples
    --------
    >>> known = ConfusionCounts(900, 100, 50, 950)
    >>> share = rogan_gladen(300, 1000, confusion=known)
    >>> round(share.value, 3), round(share.low, 3), round(share.high, 3)
    (0.294, 0.259, 0.33)

    References
    ----------
    Rogan and Gladen (1978), Estimating prevalence from the results of a screening test. Lang and
    Reiczigel (2014), Confidence limits for prevalence of disease adjusted for estimated
    sensitivity and specificity.
    """
    texts = whole_number("texts", texts, at_least=1)
    positives = whole_number("positives", positives, at_least=0, at_most=texts)
    z = deviations(confidence)
    limits = share_limits(
        SampleMean.of_proportion(positives + z * z / 2.0, texts + z * z),
        SampleMean.of_proportion(confusion.false_positives + 1, confusion.human + 2),
        SampleMean.of_proportion(confusion.true_positives + 1, confusion.generated + 2),
        z=z,
    )
    apparent = positives / texts
    false_rate = confusion.false_positives / confusion.human
    gap = confusion.true_positives / confusion.generated - false_rate
    if limits is None or gap == 0.0:
        note = Note(
            "the detector calls {human:.1%} of the human and {model:.1%} of the generated texts "
            "generated: too alike to tell a share",
            human=false_rate,
            model=false_rate + gap,
        )
        return SyntheticShare(
            None, 0.0, 1.0, confidence, texts, "detector", apparent, notes=(note,)
        )
    if limits[0] == limits[1]:
        note = Note(
            "the detector calls {apparent:.1%} generated, which is not between its rates of "
            "{human:.1%} for human and {model:.1%} for generated texts: they do not hold here",
            apparent=apparent,
            human=false_rate,
            model=false_rate + gap,
        )
        return SyntheticShare(
            None, 0.0, 1.0, confidence, texts, "detector", apparent, notes=(note,)
        )
    value = min(max((apparent - false_rate) / gap, 0.0), 1.0)
    low, high = min(limits[0], value), max(limits[1], value)
    return SyntheticShare(value, low, high, confidence, texts, "detector", apparent)


def detector_share(
    scores: ArrayLike | Sequence[float | None],
    *,
    threshold: float,
    confusion: ConfusionCounts,
    confidence: float = 0.95,
) -> SyntheticShare:
    """Return the share of generated texts from a detector's scores, see `rogan_gladen`.

    Parameters
    ----------
    scores
        A score per text, higher for generated ones; missing ones (None, NaN) do not count.
    threshold
        Texts with at least this score are called generated, as when `confusion` was counted.
    confusion
        The detector's answers about texts of known origin, at the same threshold.
    confidence
        Of the interval.

    Raises
    ------
    ArgumentError
        If a number is out of its range.
    DataError
        If there is no score, or one that is not a number.

    Examples
    --------
    >>> known = ConfusionCounts(90, 10, 5, 95)
    >>> detector_share([0.1, 0.9, 0.2, None], threshold=0.5, confusion=known).texts
    3
    """
    threshold = finite_number("threshold", threshold)
    try:
        numbers = np.asarray(scores, dtype=np.float64).ravel()
    except (TypeError, ValueError):
        raise DataError("scores: not every one is a number") from None
    present = numbers[~np.isnan(numbers)]
    if not present.size:
        raise DataError("scores: there is none, so no share of synthetic texts can be told")
    positives = int(np.count_nonzero(present >= threshold))
    found = rogan_gladen(positives, present.size, confusion=confusion, confidence=confidence)
    missing = numbers.size - present.size
    if not missing:
        return found
    note = Note("{missing:,} texts without a score do not count", missing=missing)
    return replace(found, notes=(*found.notes, note))
