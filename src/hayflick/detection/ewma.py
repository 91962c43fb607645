"""The EWMA chart: a weighted mean of the latest readings, for changes of middling size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, final

from hayflick.core.checks import number_between
from hayflick.core.records import Reading
from hayflick.detection.classical import ClassicalChart
from hayflick.detection.run_length import Recursion

_SMALLEST_WEIGHT = 0.01


@final
class EwmaChart(ClassicalChart):
    """Alarm where the exponentially weighted mean of the readings is too far from the baseline's.

    Watched in one direction, the weighted mean starts again from the baseline's mean
    whenever it is on the healthy side of it.

    Parameters
    ----------
    baseline, metric, run_length, direction, reference, confidence
        As of `hayflick.detection.classical.ClassicalChart`, which says what is promised.
    weight
        Of the newest reading, from 0.01 to 1 (Shewhart): 0.1 remembers about twenty readings.

    Raises
    ------
    ArgumentError, DataError
        As `hayflick.detection.classical.ClassicalChart`.

    Examples
    --------
    >>> baseline = [Reading(t, {"diversity": 0.8 + 0.01 * (t % 5)}) for t in range(1, 101)]
    >>> chart = EwmaChart(baseline, metric="diversity")
    >>> [chart.update(Reading(t, {"diversity": 0.8})).alarm for t in range(101, 121)].index(True)
    8

    References
    ----------
    Roberts, *Control chart tests based on geometric moving averages*, Technometrics 1 (1959).
    """

    name: ClassVar[str] = "ewma"

    def __init__(
        self,
        baseline: Sequence[Reading],
        *,
        metric: str,
        weight: float = 0.1,
        **settings: Any,
    ) -> None:
        self._weight = number_between("weight", weight, low=_SMALLEST_WEIGHT, high=1.0)
        super().__init__(baseline, metric=metric, **settings)

    def _recursion(self, direction: str) -> Recursion:
        weight = self._weight
        return Recursion(
            keep=1.0 - weight,
            gain=math.sqrt(weight * (2.0 - weight)),
            reflected=direction != "both",
        )
