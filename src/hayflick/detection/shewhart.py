"""The Shewhart chart: every reading by itself, for changes that are large and sudden."""

from __future__ import annotations

from typing import ClassVar, final

from hayflick.detection.classical import ClassicalChart
from hayflick.detection.run_length import Recursion


@final
class ShewhartChart(ClassicalChart):
    """Alarm where a reading is too many standard deviations from the baseline's mean.

    Parameters
    ----------
    baseline, metric, run_length, direction, reference, confidence
        As of `hayflick.detection.classical.ClassicalChart`, which says what is promised.

    Raises
    ------
    ArgumentError, DataError
        As `hayflick.detection.classical.ClassicalChart`.

    Examples
    --------
    >>> from hayflick.core.records import Reading
    >>> baseline = [Reading(t, {"diversity": 0.8 + 0.01 * (t % 5)}) for t in range(1, 41)]
    >>> chart = ShewhartChart(baseline, metric="diversity", run_length=370.4, direction="falls")
    >>> [chart.update(Reading(41, {"diversity": value})).state.value for value in (0.81, 0.71)]
    ['healthy', 'alarm']

    References
    ----------
    Shewhart, *Economic Control of Quality of Manufactured Product* (1931).
    """

    name: ClassVar[str] = "shewhart"

    def _recursion(self, direction: str) -> Recursion:  # noqa: ARG002
        return Recursion(keep=0.0, gain=1.0)
