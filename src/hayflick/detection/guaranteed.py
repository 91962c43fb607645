"""The guaranteed chart: no more false alarms than stated, however often one looks.

The scores y of a round, in [0, 1], come from disjoint pairs of answers. Healthy means

    H0: E[y | all that came before] ≥ θ

the pairs of the same round included: rounds with an effect of their own are outside of it. One
reading is one round. For every fraction f of the largest bet, with λ = f / (1 - θ),

    L_t = Π over the round's pairs of (1 + λ (θ - y))

has a conditional mean of at most 1 under H0. The two forms, and what each promises where
H0 holds in every round, without a horizon:

- *sum* M_t = (M_{t-1} + 1) L_t, averaged over the fractions (an e-detector of the
  Shiryaev-Roberts kind): the mean number of readings up to a false alarm at M ≥ 1/α is
  at least 1/α;
- *product* M_t = M_{t-1} L_t, averaged likewise: Pr(ever a false alarm) ≤ α (Ville).

M moves once per reading: moved once per pair, 1/α would count pairs. A verdict's `evidence` is
M; the sum form's adds up the evidence for every round in which a change may have begun.

The threshold θ comes from a baseline, its error within the stated rate:
`hayflick.detection.promise` says how.

References
----------
Shin, Ramdas & Rinaldo, *E-detectors*, arXiv:2203.03532, section 2 (the sum form and its run
length). Waudby-Smith & Ramdas, arXiv:2010.09686, section 4 (betting).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self, final

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.records import Reading
from hayflick.detection.baseline import Baseline, scores_of
from hayflick.detection.betting import FRACTIONS, log_capital, mixed
from hayflick.detection.promise import Promise, inside, promise_of
from hayflick.detection.stream_chart import StreamChart

_LARGEST_LOG = 690.0
"""Statistics are shown up to e to this power, about 1e299: a float ends at 1e308."""


@dataclass(frozen=True, slots=True)
class _Wealth:
    """What the readings left behind, for each fraction.

    `carried` is ln(M + 1) in the sum form and ln M in the product form. `best` is the
    largest ln Π L over all first rounds of a change so far, and `since` that first round.
    """

    carried: tuple[float, ...] = (0.0,) * FRACTIONS.size
    best: tuple[float, ...] = (0.0,) * FRACTIONS.size
    since: tuple[int | None, ...] = (None,) * FRACTIONS.size


FALSE_ALARMS = 0.001
"""The rate unless another is stated: one false alarm in 1,000 readings."""


@final
class GuaranteedChart(StreamChart[Floats]):
    """A chart whose rate of false alarms is a theorem; the module states it and its terms.

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
        ``sum`` finds a change at any time as fast as a change at once; ``product`` is for a
        question that is asked of one stretch of readings.
    direction
        ``falls`` where a loss of what the scores measure is the harm, ``rises`` where a gain
        is; then y becomes 1 - y throughout, the tolerance too.
    baseline_error
        δ, above 0 and below `false_alarms`; half of it where None.

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
        self._promise = promise_of(
            healthy,
            tolerance=tolerance,
            false_alarms=false_alarms,
            form=form,
            direction=direction,
            baseline_error=baseline_error,
        )
        self._wealth = _Wealth()
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
        """Return the chart of a threshold that is known; all of the rate is then α.

        Parameters
        ----------
        threshold
            What the mean score must not fall below (where it must not rise: rise above),
            between 0 and 1.
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
        alpha = inside("false_alarms", false_alarms)
        theta = inside("threshold", threshold)
        promise = Promise(
            metric, theta if direction == "falls" else 1.0 - theta, alpha, form, direction
        )
        chart = cls.__new__(cls)
        chart._promise, chart._wealth = promise, _Wealth()
        return chart

    @property
    def metric(self) -> str:
        """Name of the scores."""
        return self._promise.metric

    @property
    def limit(self) -> float:
        """1/α."""
        return 1.0 / self._promise.alpha

    @property
    def threshold(self) -> float:
        """What the mean score must not fall below; where it must not rise, rise above."""
        theta = self._promise.threshold
        return theta if self._promise.direction == "falls" else 1.0 - theta

    def restart(self) -> None:
        """Forget the readings since the baseline, as after something was done about an alarm."""
        self._wealth = _Wealth()

    def _see(self, reading: Reading) -> Floats | None:
        return scores_of(reading, metric=self.metric)

    def _take(self, seen: Floats, round_number: int) -> float:
        # The claim E[y] ≥ θ is the claim E[1 - y] ≤ 1 - θ.
        claimed = 1.0 - self._promise.threshold
        growth = log_capital(1.0 - self._promise.oriented(seen), claimed=claimed)
        logs = np.array(self._wealth.carried) + growth
        carried = np.logaddexp(0.0, logs) if self._promise.form == "sum" else logs
        best = np.array(self._wealth.best)
        starts = zip(best, self._wealth.since, strict=True)
        self._wealth = _Wealth(
            carried=tuple(carried.tolist()),
            best=tuple((np.maximum(best, 0.0) + growth).tolist()),
            since=tuple(round_number if lead <= 0.0 else since for lead, since in starts),
        )
        return math.exp(min(mixed(logs), _LARGEST_LOG))

    def _value(self, seen: Floats) -> float:
        return float(seen.mean())

    def _since(self) -> int | None:
        return self._wealth.since[int(np.argmax(self._wealth.best))]

    def _evidence(self, statistic: float) -> float:
        return statistic

    def _settings(self) -> dict[str, Any]:
        return asdict(self._promise)

    def _memory(self) -> dict[str, Any]:
        return {name: list(numbers) for name, numbers in asdict(self._wealth).items()}

    def _resume(self, settings: Mapping[str, Any], memory: Mapping[str, Any]) -> None:
        self._promise = Promise(**settings)
        self._wealth = _Wealth(**{name: tuple(numbers) for name, numbers in memory.items()})
