"""The CUSUM chart: what the readings add up to, for small changes that stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, final

from hayflick.core.checks import number_between
from hayflick.core.records import Reading
from hayflick.detection.classical import ClassicalChart
from hayflick.detection.run_length import Recursion

_SMALLEST_SHIFT, _LARGEST_SHIFT = 0.1, 6.0


@final
class CusumChart(ClassicalChart):
    """Alarm where the sum of the readings' distances beyond half a shift is too large.

    Parameters
    ----------
    baseline, metric, run_length, direction, reference, confidence
        As of `hayflick.detection.classical.ClassicalChart`, which says what is promised.
    shift
        The change that is to be found fastest, in standard deviations, from 0.1 to 6.

    Raises
    ------
    ArgumentError, DataError
        As `hayflick.detection.classical.ClassicalChart`.

    Examples
    --------
    >>> baseline = [Reading(t, {"diversity": 0.8 + 0.01 * (t % 5)}) for t in range(1, 101)]
    >>> chart = CusumChart(baseline, metric="diversity", direction="falls")
    >>> verdicts = [chart.update(Reading(t, {"diversity": 0.8})) for t in range(101, 109)]
    >>> [verdict.alarm for verdict in verdicts].index(True), verdicts[-1].since
    (7, 101)

    References
    ----------
    Page, *Continuous inspection schemes*, Biometrika 41 (1954).
    """

    name: ClassVar[str] = "cusum"

    def __init__(
        self,
        baseline: Sequence[Reading],
        *,
        metric: str,
        shift: float = 1.0,
        **settings: Any,
    ) -> None:
        self._shift = number_between("shift", shift, low=_SMALLEST_SHIFT, high=_LARGEST_SHIFT)
        super().__init__(baseline, metric=metric, **settings)

    def _recursion(self, direction: str) -> Recursion:  # noqa: ARG002
        return Recursion(keep=1.0, gain=1.0, drift=self._shift / 2.0)
