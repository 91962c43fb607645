"""The Shewhart, EWMA and CUSUM charts: a reference, a recursion, a limit for a run length.

Readings are standardised with the baseline's mean and standard deviation and go through the
chart's recursion (`hayflick.detection.limits`), upwards, downwards or both.

**Guarantee.** For independent, normal readings and a frozen reference, the mean
number of readings between false alarms is at least `run_length`, given the baseline, for a
share `confidence` of all baselines. Readings that are not normal or not independent are
outside of it; `warnings` says what the baseline shows. So is an adaptive reference.

A *frozen* reference is the baseline's mean and deviation for ever; an *adaptive* one takes up
every reading that is no alarm.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, final

import numpy as np
from typing_extensions import override

from hayflick.core.checks import number_between
from hayflick.core.errors import DataError
from hayflick.core.records import Reading
from hayflick.detection.baseline import Baseline, value_of
from hayflick.detection.control_chart import ControlChart, one_of
from hayflick.detection.limits import Recursion, adjusted_limit, readings_needed

KINDS = ("frozen", "adaptive")


@dataclass(frozen=True, slots=True)
class ReferenceLevel:
    """The mean and the standard deviation that readings are compared with.

    Parameters
    ----------
    mean, deviation
        Mean and standard deviation of healthy readings.
    readings
        Number of readings in the baseline.

    Examples
    --------
    >>> start = ReferenceLevel(10.0, 2.0, readings=99)
    >>> start.standardised(7.0), round(start.with_reading(7.0).mean, 2)
    (-1.5, 9.97)
    """

    mean: float
    deviation: float
    readings: int

    def standardised(self, value: float) -> float:
        """Return a reading in standard deviations from the mean."""
        return (value - self.mean) / self.deviation

    def with_reading(self, value: float) -> ReferenceLevel:
        """Return the reference with one more reading, which counts as one of the baseline's."""
        weight = 1.0 / (self.readings + 1)
        gap = value - self.mean
        variance = (1.0 - weight) * (self.deviation**2 + weight * gap**2)
        return replace(self, mean=self.mean + weight * gap, deviation=math.sqrt(variance))


DIRECTIONS = ("falls", "rises", "both")

RUN_LENGTH = 500.0
"""Default mean number of readings between false alarms."""

_LONGEST_RUN = 1e6
_CHANCE_OF_A_WARNING = 0.001
_LEAST_READINGS_OF_NORMALITY_TEST = 20


@dataclass(frozen=True, slots=True)
class ClassicalParameters:
    """The settings of a classical chart, fixed when it is made.

    Parameters
    ----------
    metric
        Name of the metric.
    recursion
        Recursion of the statistic.
    direction
        ``falls``, ``rises`` or ``both``.
    kind
        ``frozen`` or ``adaptive``.
    baseline
        The reference at the start.
    limit
        Limit of the statistic, in standard deviations.
    """

    metric: str
    recursion: Recursion
    direction: str
    kind: str
    baseline: ReferenceLevel
    limit: float

    @property
    def signs(self) -> tuple[float, ...]:
        """Directions that need a statistic each: 1 up, -1 down."""
        return self.recursion.signs(self.direction)

    @property
    def origin(self) -> float:
        """Value of the statistic up to which no change has begun."""
        # Without memory, only readings beyond the limit show a change.
        return self.limit if self.recursion.keep == 0.0 else 0.0


@dataclass(frozen=True, slots=True)
class _Level:
    """The statistic of one side, and the first round since it was last at its origin."""

    statistic: float = 0.0
    since: int | None = None


class ClassicalChart(ControlChart[float]):
    """A control chart whose statistic follows a recursion on standardised readings.

    Parameters
    ----------
    baseline
        Readings of the healthy stream.
    metric
        Name of the metric.
    run_length
        Smallest mean number of readings between false alarms, from 2 to 1,000,000.
    direction
        Changes that alarm: ``falls``, ``rises`` or ``both``.
    reference
        ``frozen`` or ``adaptive``.
    confidence
        Share of baselines for which the run length holds, from 0.5 to 0.999.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.
    DataError
        If the baseline is too short for the run length, or does not vary.
    """

    keys: ClassVar[tuple[str, ...]] = ("run_length", "direction", "reference", "confidence")

    def __init__(
        self,
        baseline: Sequence[Reading],
        *,
        metric: str,
        run_length: float = RUN_LENGTH,
        direction: str = "both",
        reference: str = "frozen",
        confidence: float = 0.95,
        **own: float,
    ) -> None:
        healthy = Baseline.of_values(baseline, metric=metric)
        one_of("reference", reference, names=KINDS)
        calibration = _calibration(direction, run_length, confidence)
        recursion = self._recursion(direction, **own)
        limit = _limit(healthy, recursion, **calibration)
        start = ReferenceLevel(healthy.mean, healthy.deviation, healthy.readings)
        self._design = ClassicalParameters(metric, recursion, direction, reference, start, limit)
        self.warnings = healthy.warnings + _normality(healthy)
        self.restart()

    @classmethod
    @abstractmethod
    def _recursion(cls, *direction: Any, **own: Any) -> Recursion:
        """Return the recursion of this kind of chart, given its own settings."""

    @classmethod
    def readings_needed(
        cls,
        *,
        direction: str = "both",
        run_length: float = RUN_LENGTH,
        confidence: float = 0.95,
        reference: str = "frozen",
        **own: float,
    ) -> int:
        """Return the number of readings in the shortest baseline, the settings as of the class.

        Examples
        --------
        >>> ShewhartChart.readings_needed(run_length=370.4)
        8
        """
        one_of("reference", reference, names=KINDS)
        calibration = _calibration(direction, run_length, confidence)
        return readings_needed(cls._recursion(direction, **own), **calibration)

    @property
    @override
    def metric(self) -> str:
        return self._design.metric

    @property
    @override
    def limit(self) -> float:
        return self._design.limit

    @property
    def recursion(self) -> Recursion:
        """Recursion of the statistic."""
        return self._design.recursion

    @property
    def reference(self) -> ReferenceLevel:
        """The reference that the next reading is compared with."""
        return self._reference

    @override
    def restart(self) -> None:
        self._reference = self._design.baseline
        self._levels = (_Level(),) * len(self._design.signs)

    @override
    def _observe(self, reading: Reading) -> float | None:
        return value_of(reading, metric=self.metric)

    @override
    def _update_statistic(self, observation: float, round_number: int) -> float:
        gap = self._reference.standardised(observation)
        sides = zip(self._levels, self._design.signs, strict=True)
        self._levels = tuple(
            _next_level(self._design, level, sign * gap, round_number) for level, sign in sides
        )
        statistic = max(abs(level.statistic) for level in self._levels)
        if self._design.kind == "adaptive" and statistic < self.limit:
            self._reference = self._reference.with_reading(observation)
        return statistic

    @override
    def _value(self, observation: float) -> float:
        return observation

    @override
    def _since(self) -> int | None:
        return max(self._levels, key=lambda level: abs(level.statistic)).since

    @override
    def _starts(self) -> set[int]:
        return {level.since for level in self._levels if level.since is not None}

    @override
    def _settings(self) -> dict[str, Any]:
        return asdict(self._design)

    @override
    def _memory(self) -> dict[str, Any]:
        levels = [asdict(level) for level in self._levels]
        return {"reference": asdict(self._reference), "levels": levels}

    @override
    def _resume(self, settings: Mapping[str, Any], memory: Mapping[str, Any]) -> None:
        recursion, baseline = (settings[name] for name in ("recursion", "baseline"))
        self._design = ClassicalParameters(
            **{
                **settings,
                "recursion": Recursion(**recursion),
                "baseline": ReferenceLevel(**baseline),
            }
        )
        self._reference = ReferenceLevel(**memory["reference"])
        self._levels = tuple(_Level(**level) for level in memory["levels"])


def _next_level(
    design: ClassicalParameters, level: _Level, gap: float, round_number: int
) -> _Level:
    """Return the level of a side after a reading `gap` standard deviations towards the alarm."""
    recursion = design.recursion
    moved = recursion.keep * level.statistic + recursion.gain * gap - recursion.drift
    if recursion.reflected and moved <= 0.0:
        return _Level()
    crossed = level.statistic * moved < 0.0
    begun = crossed or abs(level.statistic) <= design.origin
    return _Level(moved, round_number if begun else level.since)


def _calibration(direction: str, run_length: float, confidence: float) -> dict[str, Any]:
    return {
        "direction": one_of("direction", direction, names=DIRECTIONS),
        "run_length": number_between("run_length", run_length, low=2.0, high=_LONGEST_RUN),
        "confidence": number_between("confidence", confidence, low=0.5, high=0.999),
    }


def _limit(healthy: Baseline, recursion: Recursion, **calibration: Any) -> float:
    """Return the limit for a baseline; the error says how many readings it takes."""
    if healthy.readings > 1:
        limit = adjusted_limit(recursion, readings=healthy.readings, **calibration)
        if limit is not None and np.ptp(healthy.series) > 0.0:
            return limit
    needed = readings_needed(recursion, **calibration)
    if healthy.readings >= needed:
        raise DataError(
            f"baseline: all {healthy.readings} readings of {healthy.metric} are"
            f" {healthy.mean:g}, takes readings that differ; nothing can be said of chance"
        )
    raise DataError(
        f"baseline: {healthy.readings} readings of {healthy.metric}, takes at least {needed} for"
        f" a run length of {calibration['run_length']:g} with a confidence of"
        f" {calibration['confidence']:g}; the chart rank takes ten"
    )


def _normality(healthy: Baseline) -> tuple[str, ...]:
    if healthy.readings < _LEAST_READINGS_OF_NORMALITY_TEST:
        return ()
    from scipy import stats

    chance = float(stats.normaltest(healthy.series).pvalue)
    if chance >= _CHANCE_OF_A_WARNING or np.isnan(chance):
        return ()
    warning = (
        f"{healthy.metric}: the baseline's readings are not normal (p = {chance:.2g});"
        " the run length can be shorter than stated"
    )
    return (warning,)


_SMALLEST_SHIFT, _LARGEST_SHIFT = 0.1, 6.0


@final
class CusumChart(ClassicalChart):
    """Alarm where the sum of the readings' distances beyond half a shift is too large.

    Parameters
    ----------
    baseline, metric, run_length, direction, reference, confidence
        As of `hayflick.detection.classical.ClassicalChart`, which states the guarantee.
    shift
        The shift that the chart finds fastest, in standard deviations, from 0.1 to 6.

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
    keys: ClassVar[tuple[str, ...]] = (*ClassicalChart.keys, "shift")

    @classmethod
    @override
    def _recursion(cls, direction: str, shift: float = 1.0) -> Recursion:
        shift = number_between("shift", shift, low=_SMALLEST_SHIFT, high=_LARGEST_SHIFT)
        return Recursion(keep=1.0, gain=1.0, drift=shift / 2.0)


_SMALLEST_WEIGHT = 0.01


@final
class EwmaChart(ClassicalChart):
    """Alarm where the exponentially weighted mean of the readings is too far from the baseline's.

    In one direction, the weighted mean starts again from the baseline's mean whenever it is on
    the healthy side of it.

    Parameters
    ----------
    baseline, metric, run_length, direction, reference, confidence
        As of `hayflick.detection.classical.ClassicalChart`, which states the guarantee.
    weight
        Weight of the newest reading, from 0.01 to 1 (Shewhart): 0.1 remembers about twenty
        readings.

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
    keys: ClassVar[tuple[str, ...]] = (*ClassicalChart.keys, "weight")

    @classmethod
    @override
    def _recursion(cls, direction: str, weight: float = 0.1) -> Recursion:
        weight = number_between("weight", weight, low=_SMALLEST_WEIGHT, high=1.0)
        return Recursion(
            keep=1.0 - weight,
            gain=math.sqrt(weight * (2.0 - weight)),
            reflected=direction != "both",
        )


@final
class ShewhartChart(ClassicalChart):
    """Alarm where a reading is too many standard deviations from the baseline's mean.

    Parameters
    ----------
    baseline, metric, run_length, direction, reference, confidence
        As of `hayflick.detection.classical.ClassicalChart`, which states the guarantee.

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

    @classmethod
    @override
    def _recursion(cls, direction: str) -> Recursion:
        return Recursion(keep=0.0, gain=1.0)
