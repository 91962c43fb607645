"""What a guaranteed chart holds a stream to, and how a baseline and a rate become that.

**The baseline's error is part of the promise.** θ is (1 - tolerance) times a lower bound of
the baseline's mean by betting, wrong with a probability of at most δ. Of the stated rate r,
half is δ (`baseline_error` sets another), and

- product: α = r - δ, so that Pr(ever a false alarm) ≤ α + δ = r, the baseline's draw included;
- sum: α = r (1 - δ), so that the mean run length, over baselines too, is at least
  (1 - δ) / α = 1/r; given a baseline whose bound holds it is at least 1/α > 1/r.

Half costs little: the bound, like the alarm, moves with the logarithm of its error alone.

References
----------
Waudby-Smith & Ramdas, arXiv:2010.09686, section 4 (the bound of the mean).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.checks import number_between
from hayflick.core.errors import ArgumentError, DataError
from hayflick.detection.baseline import Baseline
from hayflick.detection.betting import copies_needed, lower_bound
from hayflick.detection.stream_chart import one_of

FORMS = ("sum", "product")
DIRECTIONS = ("falls", "rises")

_LEAST_SHARE_OF_MEAN = 0.5
"""A bound below half of the mean would let half of the diversity go unnoticed."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a guaranteed chart holds a stream to.

    Parameters
    ----------
    metric
        Name of the scores.
    threshold
        θ, of y where healthy scores are high (`direction` ``falls``), of 1 - y elsewhere.
    alpha
        α: the alarm is at M ≥ 1/α.
    form, direction
        As of `GuaranteedChart`.
    """

    metric: str
    threshold: float
    alpha: float
    form: str
    direction: str

    def __post_init__(self) -> None:
        one_of("form", self.form, names=FORMS)
        one_of("direction", self.direction, names=DIRECTIONS)

    def oriented(self, scores: Floats) -> Floats:
        """Return scores that are high in a healthy stream."""
        return scores if self.direction == "falls" else 1.0 - scores


def promise_of(
    healthy: Baseline,
    *,
    tolerance: float,
    false_alarms: float,
    form: str,
    direction: str,
    baseline_error: float | None,
) -> Promise:
    """Return the promise for a baseline of scores; the arguments are those of the chart.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.
    DataError
        If the baseline is too short for the rate.
    """
    rate = inside("false_alarms", false_alarms)
    error = rate / 2.0 if baseline_error is None else inside("baseline_error", baseline_error)
    if error >= rate:
        takes = f"a number below false_alarms, {rate:g}: it is part of it"
        raise ArgumentError("baseline_error", got=baseline_error, takes=takes)
    kept = 1.0 - number_between("tolerance", tolerance, low=0.0)
    if kept <= 0.0:
        raise ArgumentError("tolerance", got=tolerance, takes="a number below 1")
    alpha = rate - error if form == "product" else rate * (1.0 - error)
    promise = Promise(healthy.metric, math.nan, alpha, form, direction)
    return replace(promise, threshold=kept * _bound(healthy, promise, error=error))


def _bound(healthy: Baseline, promise: Promise, *, error: float) -> float:
    """Return the lower bound of the baseline's mean, or say how many readings it takes."""
    metric = promise.metric
    if healthy.readings == 0:
        raise DataError(
            f"baseline: no reading has scores of {metric}; takes readings of the healthy stream"
        )
    scores = promise.oriented(np.concatenate(healthy.scores))
    mean = float(scores.mean())
    if mean <= 0.0:
        raise DataError(f"baseline: every score of {metric} is at its worst; nothing can be lost")
    bound = lower_bound(scores, error=error)
    if bound < _LEAST_SHARE_OF_MEAN * mean:
        copies = copies_needed(scores, share=_LEAST_SHARE_OF_MEAN, error=error)
        needed = f"about {math.ceil(copies * healthy.readings)}" if copies < math.inf else "more"
        raise DataError(
            f"baseline: {healthy.readings} readings with {scores.size} scores of {metric} put its"
            f" mean, {mean:.3g}, only above {bound:.3g} with an error of {error:g}; takes {needed}"
            " such readings, more pairs in each, or a larger rate of false alarms"
        )
    return bound


def inside(argument: str, value: float) -> float:
    """Return `value` as a float above 0 and below 1.

    Raises
    ------
    ArgumentError
        If it is no such number.

    Examples
    --------
    >>> inside("false_alarms", 0.001)
    0.001
    """
    number = number_between(argument, value, low=0.0, high=1.0)
    if not 0.0 < number < 1.0:
        raise ArgumentError(argument, got=value, takes="a number above 0 and below 1")
    return number
