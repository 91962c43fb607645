"""The baseline: readings of a healthy stream, and their statistics.

The guarantee of a chart holds for readings that are independent given the past. Signs of
dependence give a warning: a trend or an autocorrelation of the readings (the tests of
`hayflick.detection.dependence`), and *round effects*, scores of one round that are alike by a
one-way analysis of variance at 1 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from hayflick.core.arrays import Floats
from hayflick.core.errors import DataError
from hayflick.core.records import Reading
from hayflick.detection.dependence import DependenceTests, dependence_tests, lag_one

_CHANCE_OF_ROUND_EFFECTS = 0.01


@dataclass(frozen=True, eq=False)
class Baseline:
    """A metric in healthy readings; readings without it are left out.

    Parameters
    ----------
    metric
        Name of the metric.
    series
        The metric in every reading, shape ``(readings,)``; for scores, their mean.
    scores
        The scores of every reading; empty for a metric without scores.

    Examples
    --------
    >>> readings = [Reading(t, {"diversity": 0.8 + 0.01 * (t % 3)}) for t in range(1, 7)]
    >>> healthy = Baseline.of_values(readings, metric="diversity")
    >>> healthy.readings, round(healthy.mean, 3), healthy.warnings
    (6, 0.81, ())
    """

    metric: str
    series: Floats
    scores: tuple[Floats, ...] = ()

    @classmethod
    def of_values(cls, readings: Sequence[Reading], *, metric: str) -> Baseline:
        """Return the baseline of a metric's numbers."""
        values = (value_of(reading, metric=metric) for reading in readings)
        return cls(metric, np.array([value for value in values if value is not None]))

    @classmethod
    def of_scores(cls, readings: Sequence[Reading], *, metric: str) -> Baseline:
        """Return the baseline of a metric's scores."""
        found = (scores_of(reading, metric=metric) for reading in readings)
        scores = tuple(one for one in found if one is not None)
        return cls(metric, np.array([one.mean() for one in scores]), scores)

    @property
    def readings(self) -> int:
        """Number of readings with the metric."""
        return self.series.size

    @property
    def mean(self) -> float:
        """Mean over the readings; NaN without any."""
        return float(self.series.mean()) if self.readings else math.nan

    @property
    def deviation(self) -> float:
        """Standard deviation over the readings, n - 1 in its divisor; NaN below two."""
        return float(self.series.std(ddof=1)) if self.readings > 1 else math.nan

    @property
    def autocorrelation(self) -> float:
        """Lag-1 autocorrelation of the readings; NaN if they do not vary."""
        return lag_one(self.series)

    @cached_property
    def dependence(self) -> DependenceTests:
        """The tests for a trend and for autocorrelation."""
        return dependence_tests(self.series)

    @property
    def round_effect(self) -> float:
        """The p-value of a one-way analysis of variance of the rounds; NaN if untestable."""
        groups = [one for one in self.scores if one.size > 1]
        if len(groups) < 2 or not any(np.ptp(one) > 0.0 for one in groups):
            return math.nan
        numbers = np.concatenate(groups)
        means = np.repeat([one.mean() for one in groups], [one.size for one in groups])
        between = float(((means - numbers.mean()) ** 2).sum()) / (len(groups) - 1)
        within = float(((numbers - means) ** 2).sum()) / (numbers.size - len(groups))
        if within == 0.0:
            return 0.0
        freedom = len(groups) - 1, numbers.size - len(groups)
        return float(special.fdtrc(*freedom, between / within))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Signs that the readings are not independent, in sentences."""
        return (*map(str, self.dependence.notes(self.metric)), *self.round_effects)

    @property
    def round_effects(self) -> tuple[str, ...]:
        """The warning that scores of one round are alike; empty if they are not."""
        if not self.round_effect < _CHANCE_OF_ROUND_EFFECTS:
            return ()
        warning = (
            f"{self.metric}: scores of one round are alike (p = {self.round_effect:.2g});"
            " false alarms can be more frequent than stated, a larger tolerance makes up"
        )
        return (warning,)


def value_of(reading: Reading, *, metric: str) -> float | None:
    """Return a metric of a reading; None if it is missing or not finite.

    Examples
    --------
    >>> value_of(Reading(1, {"diversity": float("nan")}), metric="diversity") is None
    True
    """
    value = reading.values.get(metric)
    return float(value) if value is not None and math.isfinite(value) else None


def scores_of(reading: Reading, *, metric: str) -> Floats | None:
    """Return the scores of a reading; None without scores.

    Raises
    ------
    DataError
        If a score is no number from 0 to 1.

    Examples
    --------
    >>> scores_of(Reading(1, scores={"spread": np.empty(0)}), metric="spread") is None
    True
    """
    found = reading.scores.get(metric)
    if found is None or np.size(found) == 0:
        return None
    scores = np.asarray(found, dtype=np.float64).ravel()
    outside = scores[~((scores >= 0.0) & (scores <= 1.0))]
    if outside.size:
        raise DataError(
            f"round {reading.name}: {metric} has a score of {outside[0]:g}, takes numbers from"
            " 0 to 1; a kernel such as 1 - exp(-squared distance / scale) gives them"
        )
    return scores
