"""The guaranteed chart: a bounded rate of false alarms, however often one looks.

The scores y of a round, in [0, 1], come from disjoint pairs of answers. Healthy means

    H0: E[y | all that came before] ≥ θ

the pairs of the same round included: rounds with an effect of their own violate it. One reading
is one round. For every fraction f of the largest bet, with λ = f / (1 - θ),

    L_t = Π over the round's pairs of (1 + λ (θ - y))

has a conditional mean of at most 1 under H0. The evidence M over all fractions, and what its forms
promise, are those of `hayflick.detection.evidence`.

M moves once per reading: moved once per pair, 1/α would count pairs. A verdict's `evidence` is
M; the sum form's adds up the evidence for every round in which a change may have begun.

The threshold θ comes from a baseline, its error within the stated rate: it is `lower_bound` of
the baseline's scores, less the tolerance. The bound is found by betting against a claim about the
mean. Against E[y_i | past] ≤ m, with any fixed fraction f in (0, 1) of the largest bet 1/m,

    K_f(m) = Π_i (1 + f (y_i / m - 1))

is a nonnegative supermartingale that starts at 1, and so is its mean K(m) over a grid of
fractions. Hence Pr(K(m) ever reaches 1/δ) ≤ δ (Ville), and the smallest m with K(m) < 1/δ lies
above the true mean with a probability of at most δ, for any law of the numbers: K falls in m.
Capital does not depend on the order of the numbers. The claim E[y_i | past] ≥ θ is the same
claim about 1 - y and 1 - θ.

References
----------
Shin, Ramdas & Rinaldo, *E-detectors*, arXiv:2203.03532, section 2 (the sum form and its run
length). Waudby-Smith & Ramdas, *Estimating means of bounded random variables by betting*,
arXiv:2010.09686, section 4.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Self, final

import numpy as np
from typing_extensions import override

from hayflick.core.arrays import Floats
from hayflick.core.checks import number_between
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.records import Reading
from hayflick.core.roots import root_between
from hayflick.detection.baseline import Baseline, scores_of
from hayflick.detection.control_chart import ControlChart, one_of, open_probability
from hayflick.detection.evidence import DIRECTIONS, FALSE_ALARMS, FORMS, Evidence, mean_of_logs

FRACTIONS: Floats = 1.0 / (1.0 + np.exp(-np.linspace(-7.0, 3.0, 20)))
"""Fractions of the largest bet, 0.0009 to 0.95, evenly spaced in their log-odds."""

_SMALLEST_LOG = -600.0


def log_capital(scores: Floats, *, claimed: float) -> Floats:
    """Return the logarithm of the capital of every fraction.

    Parameters
    ----------
    scores
        Numbers in [0, 1], shape ``(pairs,)``.
    claimed
        The largest mean m that is claimed, above 0.

    Returns
    -------
    ln K_f(m), shape ``(fractions,)``. Memory grows with the pairs alone.

    Examples
    --------
    >>> gains = log_capital(np.array([0.8, 0.9, 0.7]), claimed=0.5)
    >>> bool((np.diff(gains) > 0).all()), round(float(gains[-1]), 3)
    (True, 1.341)
    """
    returns = scores / claimed - 1.0
    return np.array([np.log1p(fraction * returns).sum() for fraction in FRACTIONS])


def lower_bound(scores: Floats, *, error: float, copies: float = 1.0) -> float:
    """Return a lower confidence bound of the mean.

    Parameters
    ----------
    scores
        Numbers in [0, 1], shape ``(pairs,)``, each with the same mean given those before it.
    error
        Probability δ that the bound lies above the mean, above 0 and below 1.
    copies
        The bound is that of so many copies of the numbers.

    Returns
    -------
    The bound; 0 if the numbers are too few.

    Examples
    --------
    >>> scores = np.tile([0.5, 0.7], 1000)
    >>> round(lower_bound(scores, error=0.001), 4)
    0.5906
    """
    mean = float(scores.mean()) if scores.size else 0.0
    if mean <= 0.0:
        return 0.0

    def lead(log_share: float) -> float:
        logs = log_capital(scores, claimed=mean * math.exp(log_share))
        return mean_of_logs(copies * logs) + math.log(error)

    if lead(_SMALLEST_LOG) <= 0.0:
        return 0.0
    # At the mean itself no capital is above 1.
    return mean * math.exp(root_between(lead, _SMALLEST_LOG, 0.0))


def copies_required(scores: Floats, *, share: float, error: float) -> float:
    """Return how many copies of the numbers put the bound at `share` of their mean.

    Parameters
    ----------
    scores
        Numbers in [0, 1] with a mean above 0.
    share
        Above 0 and below 1.
    error
        δ, above 0 and below 1.

    Returns
    -------
    The factor; inf if no number of copies is enough.

    Examples
    --------
    >>> round(copies_required(np.array([0.5, 0.7]), share=0.5, error=0.001), 2)
    6.7
    """
    logs = log_capital(scores, claimed=share * float(scores.mean()))

    def lead(log_copies: float) -> float:
        return mean_of_logs(math.exp(log_copies) * logs) + math.log(error)

    fastest = float(logs.max())
    if fastest <= 0.0:
        return math.inf
    enough = math.log(FRACTIONS.size / error) / fastest
    return math.exp(root_between(lead, math.log(enough) - 50.0, math.log(enough)))


_LEAST_SHARE_OF_MEAN = 0.5
"""With a bound below half of the mean, a loss of half the diversity could go unnoticed."""


@dataclass(frozen=True, slots=True)
class Guarantee:
    """The null hypothesis and the error rate of a guaranteed chart.

    Parameters
    ----------
    metric
        Name of the scores.
    threshold
        θ: of y if healthy scores are high (`direction` ``falls``), of 1 - y if they are low.
    alpha
        α: the alarm is at M ≥ 1/α.
    form, direction
        As of `GuaranteedChart`.
    baseline_error
        δ of the bound that the threshold comes from; 0 if it is known.
    """

    metric: str
    threshold: float
    alpha: float
    form: str
    direction: str
    baseline_error: float = 0.0

    def __post_init__(self) -> None:
        one_of("form", self.form, names=FORMS)
        one_of("direction", self.direction, names=DIRECTIONS)

    def oriented(self, scores: Floats) -> Floats:
        """Return scores that are high in a healthy stream."""
        return scores if self.direction == "falls" else 1.0 - scores


def _bound(healthy: Baseline, guarantee: Guarantee, *, error: float) -> float:
    """Return the lower bound of the baseline's mean; the error says how many readings it takes."""
    metric = guarantee.metric
    if healthy.readings == 0:
        raise DataError(
            f"baseline: no reading has scores of {metric}; takes readings of the healthy stream"
        )
    scores = guarantee.oriented(np.concatenate(healthy.scores))
    mean = float(scores.mean())
    if mean <= 0.0:
        raise DataError(f"baseline: every score of {metric} is at its worst; nothing can be lost")
    bound = lower_bound(scores, error=error)
    if bound < _LEAST_SHARE_OF_MEAN * mean:
        copies = copies_required(scores, share=_LEAST_SHARE_OF_MEAN, error=error)
        needed = f"about {math.ceil(copies * healthy.readings)}" if copies < math.inf else "more"
        raise DataError(
            f"baseline: {healthy.readings} reading{'s'[: healthy.readings != 1]} with"
            f" {scores.size} scores of {metric} put its mean, {mean:.3g}, only above {bound:.3g}"
            f" with an error of {error:g}; takes {needed} such readings, more pairs in each, or a"
            " larger rate of false alarms"
        )
    return bound


@final
class GuaranteedChart(ControlChart[Floats]):
    """A control chart whose rate of false alarms is proved; the module states the theorem.

    Parameters
    ----------
    baseline
        Readings of the healthy stream, with scores.
    metric
        Name of the scores.
    tolerance
        Share of the baseline's mean that may be lost without an alarm, from 0 to below 1.
    false_alarms
        r, above 0 and below 1. Sum form: one false alarm in 1/r readings on average, or
        fewer. Product form: the chance of ever a false alarm, at most.
    form
        ``sum`` finds a late change as fast as an early one; ``product`` is for a question about
        one stretch of readings.
    direction
        ``falls`` if a loss of what the scores measure is harmful, ``rises`` if a gain is; then
        y becomes 1 - y throughout, also for the tolerance.
    baseline_error
        δ, the part of `false_alarms` that is spent on the baseline's error, above 0 and below
        `false_alarms`; half of it if None.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.
    DataError
        If the baseline is too short for the rate (the message says how many readings it
        takes), or a score is no number from 0 to 1.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> baseline = [Reading(t, scores={"spread": rng.beta(9, 6, 100)}) for t in range(1, 21)]
    >>> chart = GuaranteedChart(baseline, tolerance=0.05, false_alarms=0.001)
    >>> chart.update(Reading(21, scores={"spread": rng.beta(9, 6, 100)})).state.value
    'healthy'
    >>> verdict = chart.update(Reading(22, scores={"spread": rng.beta(6, 9, 100)}))
    >>> verdict.state.value, verdict.since, verdict.evidence > 1000.0
    ('alarm', 22, True)
    """

    name: ClassVar[str] = "guaranteed"
    keys: ClassVar[tuple[str, ...]] = (
        "tolerance",
        "false_alarms",
        "form",
        "direction",
        "baseline_error",
    )

    def __init__(
        self,
        baseline: Sequence[Reading],
        *,
        metric: str = "spread",
        tolerance: float = 0.05,
        false_alarms: float = FALSE_ALARMS,
        form: str = "sum",
        direction: str = "falls",
        baseline_error: float | None = None,
    ) -> None:
        healthy = Baseline.of_scores(baseline, metric=metric)
        rate = open_probability("false_alarms", false_alarms)
        error = rate / 2.0
        if baseline_error is not None:
            error = open_probability("baseline_error", baseline_error)
        if error >= rate:
            takes = f"a number below false_alarms, {rate:g}: it is part of it"
            raise ArgumentError("baseline_error", got=baseline_error, takes=takes)
        kept = 1.0 - number_between("tolerance", tolerance, low=0.0)
        if kept <= 0.0:
            raise ArgumentError("tolerance", got=tolerance, takes="a number below 1")
        alpha = rate - error if form == "product" else rate * (1.0 - error)
        unset = Guarantee(metric, math.nan, alpha, form, direction, error)
        self._guarantee = replace(unset, threshold=kept * _bound(healthy, unset, error=error))
        self._evidence = Evidence.none(bets=FRACTIONS.size)
        self.warnings = healthy.warnings

    @classmethod
    def at(
        cls,
        threshold: float,
        *,
        metric: str = "spread",
        false_alarms: float = FALSE_ALARMS,
        form: str = "sum",
        direction: str = "falls",
    ) -> Self:
        """Return a chart with a known threshold: the whole rate of false alarms is then α.

        Parameters
        ----------
        threshold
            Threshold that the mean score must not cross in the given direction, between 0 and 1.
        metric, false_alarms, form, direction
            As of the class.

        Raises
        ------
        ArgumentError
            If an argument is out of its range.

        Examples
        --------
        >>> chart = GuaranteedChart.at(0.5)
        >>> chart.update(Reading(1, scores={"spread": np.full(20, 0.1)})).alarm
        True
        """
        alpha = open_probability("false_alarms", false_alarms)
        theta = open_probability("threshold", threshold)
        guarantee = Guarantee(
            metric, theta if direction == "falls" else 1.0 - theta, alpha, form, direction
        )
        chart = cls.__new__(cls)
        chart._guarantee, chart._evidence = guarantee, Evidence.none(bets=FRACTIONS.size)
        return chart

    @property
    @override
    def metric(self) -> str:
        return self._guarantee.metric

    @property
    @override
    def limit(self) -> float:
        return 1.0 / self._guarantee.alpha

    @property
    def guarantee(self) -> Guarantee:
        """The null hypothesis and the error rate."""
        return self._guarantee

    @property
    def threshold(self) -> float:
        """Threshold that the mean score must not cross, in its own units."""
        theta = self._guarantee.threshold
        return theta if self._guarantee.direction == "falls" else 1.0 - theta

    @override
    def restart(self) -> None:
        self._evidence = Evidence.none(bets=FRACTIONS.size)

    @override
    def _observe(self, reading: Reading) -> Floats | None:
        return scores_of(reading, metric=self.metric)

    @override
    def _update_statistic(self, observation: Floats, round_number: int) -> float:
        # The claim E[y] ≥ θ is the claim E[1 - y] ≤ 1 - θ.
        claimed = 1.0 - self._guarantee.threshold
        growth = log_capital(1.0 - self._guarantee.oriented(observation), claimed=claimed)
        self._evidence, statistic = self._evidence.grown(
            growth, round_number=round_number, form=self._guarantee.form
        )
        return statistic

    @override
    def _value(self, observation: Floats) -> float:
        return float(observation.mean())

    @override
    def _since(self) -> int | None:
        return self._evidence.first_round

    @override
    def _starts(self) -> set[int]:
        return self._evidence.starts

    @override
    def _odds(self, statistic: float) -> float:
        return statistic

    @override
    def _settings(self) -> dict[str, Any]:
        return asdict(self._guarantee)

    @override
    def _memory(self) -> dict[str, Any]:
        return self._evidence.to_dict()

    @override
    def _resume(self, settings: Mapping[str, Any], memory: Mapping[str, Any]) -> None:
        self._guarantee = Guarantee(**settings)
        self._evidence = Evidence.from_dict(memory)
