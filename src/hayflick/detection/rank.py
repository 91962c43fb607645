"""The rank chart: a bounded rate of false alarms for any number per round, from few readings on.

Healthy means that the readings are exchangeable: any order of them is as likely as any other.
Then the rank of a reading among all readings so far is uniform, whatever their law, and no limit,
tolerance or long baseline is needed. Let j and q of the t - 1 earlier readings, the baseline's
included, be below the reading and equal to it. The bet

    b_ε = t [ ((j + 1 + q) / t)^ε - (j / t)^ε ] / (1 + q),   ε = .05, .10, …, .95

is the mean of ε p^(ε - 1) over the randomised rank p: its mean over the ranks is 1, it is large
for low ranks, and nothing in it is random, so the same readings give the same numbers. What the
mean M over all ε promises is in `hayflick.detection.evidence`.

After an alarm M starts again at 0, and later readings are compared with those before the alarm
alone. The alarm stands until the median of ten readings is within the baseline's range again.

The promise does not hold where readings depend on one another: for autoregressive readings with
a coefficient of .5 and α = .001, a third of the streams alarm within 100 readings (sum form). A
sudden large loss gains little: the lowest rank among 20 is worth the same however low it is.

References
----------
Vovk, Gammerman & Shafer, *Algorithmic Learning in a Random World* (2nd ed. 2022), chapter 8.
Volkhonskiy et al., *Inductive conformal martingales for change-point detection*,
arXiv:1706.03415.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from hayflick.core.arrays import Floats
from hayflick.core.errors import DataError
from hayflick.core.records import Reading
from hayflick.detection.baseline import Baseline, value_of
from hayflick.detection.control_chart import ControlChart, one_of, open_probability
from hayflick.detection.evidence import DIRECTIONS, FALSE_ALARMS, FORMS, Evidence

EXPONENTS: Floats = np.linspace(0.05, 0.95, 19)
"""Exponents ε of the bets."""

LEAST_READINGS = 5
"""Smallest number of readings in a baseline."""

_CLEARING = 10


def log_bets(below: NDArray[Any], equal: NDArray[Any], *, earlier: int) -> Floats:
    """Return the logarithms of the bets on low ranks.

    Parameters
    ----------
    below, equal
        Numbers of earlier readings below the reading and equal to it, of any shape.
    earlier
        Number of earlier readings.

    Returns
    -------
    ln b, of that shape with a last axis for the exponents.

    Examples
    --------
    >>> bets = np.exp(log_bets(np.arange(20), np.zeros(20), earlier=19))
    >>> bool(np.allclose(bets.mean(axis=0), 1.0)), bets[0, [0, -1]].round(2).tolist()
    (True, [17.22, 1.16])
    """
    ranks = earlier + 1
    low = np.asarray(below)[..., None] / ranks
    width = (1 + np.asarray(equal))[..., None]
    gain = (low + width / ranks) ** EXPONENTS - low**EXPONENTS
    logs: Floats = np.log(gain * ranks / width)
    return logs


@dataclass(slots=True)
class _Memory:
    """What the readings left behind.

    `reference` holds the readings to compare with, the baseline's first. Of a standing alarm,
    `raised` is the statistic that raised it, `since` the estimated first round of the change, and
    `recent` the last readings since.
    """

    reference: list[float]
    evidence: Evidence
    raised: float | None = None
    since: int | None = None
    recent: tuple[float, ...] = ()


@final
class RankChart(ControlChart[float]):
    """A control chart of any number per round, whose rate of false alarms is proved.

    Parameters
    ----------
    baseline
        Readings of the healthy stream, at least five; ten are enough.
    metric
        Name of the number.
    false_alarms
        α, above 0 and below 1. Sum form: one false alarm in 1/α readings on average, or fewer.
        Product form: the chance of ever a false alarm, at most.
    form
        ``sum`` finds a late change as fast as an early one; ``product`` is for a question about
        one stretch of readings.
    direction
        ``falls`` if a loss is harmful, ``rises`` if a gain is.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.
    DataError
        If the baseline is too short.

    Examples
    --------
    >>> baseline = [Reading(t, {"words": 500.0 + t * t % 7}) for t in range(1, 11)]
    >>> chart = RankChart(baseline, metric="words", false_alarms=0.01)
    >>> verdicts = [chart.update(Reading(t, {"words": 520.0 - 3 * t})) for t in range(11, 31)]
    >>> alarm = next(verdict for verdict in verdicts if verdict.alarm)
    >>> alarm.round, alarm.since
    (13, 11)
    """

    name: ClassVar[str] = "rank"
    keys: ClassVar[tuple[str, ...]] = ("false_alarms", "form", "direction")

    def __init__(
        self,
        baseline: Sequence[Reading],
        *,
        metric: str,
        false_alarms: float = FALSE_ALARMS,
        form: str = "sum",
        direction: str = "falls",
    ) -> None:
        healthy = Baseline.of_values(baseline, metric=metric)
        self._metric = metric
        self._alpha = open_probability("false_alarms", false_alarms)
        self._form = one_of("form", form, names=FORMS)
        self._direction = one_of("direction", direction, names=DIRECTIONS)
        if healthy.readings < LEAST_READINGS:
            raise DataError(
                f"baseline: {healthy.readings} readings of {metric}, takes at least"
                f" {LEAST_READINGS}; ten are enough"
            )
        self._baseline = tuple(healthy.series.tolist())
        self.warnings = healthy.warnings
        self.restart()

    @property
    @override
    def metric(self) -> str:
        return self._metric

    @property
    @override
    def limit(self) -> float:
        return 1.0 / self._alpha

    @property
    def form(self) -> str:
        """``sum`` or ``product``."""
        return self._form

    @override
    def restart(self) -> None:
        self._past = _Memory(list(self._baseline), Evidence.none(bets=EXPONENTS.size))

    @override
    def _observe(self, reading: Reading) -> float | None:
        return value_of(reading, metric=self._metric)

    @override
    def _update_statistic(self, observation: float, round_number: int) -> float:
        past = self._past
        if past.raised is not None:
            past.recent = (*past.recent, observation)[-_CLEARING:]
            if self._is_back(past.recent):
                past.raised = past.since = None
        reference = np.array(past.reference)
        harm = reference - observation if self._direction == "falls" else observation - reference
        growth = log_bets((harm < 0.0).sum(), (harm == 0.0).sum(), earlier=reference.size)
        past.evidence, statistic = past.evidence.grown(
            growth, round_number=round_number, form=self._form
        )
        if past.raised is None:
            past.reference.append(observation)
        if statistic >= self.limit:
            if past.raised is None:
                past.since, past.recent = past.evidence.first_round, ()
            past.raised = max(statistic, past.raised or 0.0)
            past.evidence = Evidence.none(bets=EXPONENTS.size)
        return statistic if past.raised is None else past.raised

    def _is_back(self, recent: Sequence[float]) -> bool:
        """Return whether the median of ten readings is within the baseline's range."""
        if len(recent) < _CLEARING:
            return False
        middle = float(np.median(recent))
        return bool(
            middle >= min(self._baseline)
            if self._direction == "falls"
            else middle <= max(self._baseline)
        )

    @override
    def _alarms(self, statistic: float) -> bool:
        return self._past.raised is not None

    @override
    def _value(self, observation: float) -> float:
        return observation

    @override
    def _since(self) -> int | None:
        return self._past.since

    @override
    def _starts(self) -> set[int]:
        began = self._past.since
        return self._past.evidence.starts | ({began} if began is not None else set())

    @override
    def _odds(self, statistic: float) -> float:
        return statistic

    @override
    def _settings(self) -> dict[str, Any]:
        return {
            "metric": self._metric,
            "alpha": self._alpha,
            "form": self._form,
            "direction": self._direction,
            "baseline": list(self._baseline),
        }

    @override
    def _memory(self) -> dict[str, Any]:
        past = self._past
        return {
            "reference": list(past.reference),
            "evidence": past.evidence.to_dict(),
            "raised": past.raised,
            "since": past.since,
            "recent": list(past.recent),
        }

    @override
    def _resume(self, settings: Mapping[str, Any], memory: Mapping[str, Any]) -> None:
        self._metric, self._alpha = settings["metric"], settings["alpha"]
        self._form, self._direction = settings["form"], settings["direction"]
        self._baseline = tuple(settings["baseline"])
        self._past = _Memory(
            list(memory["reference"]),
            Evidence.from_dict(memory["evidence"]),
            memory["raised"],
            memory["since"],
            tuple(memory["recent"]),
        )
