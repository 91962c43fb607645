"""What the charts of a stream say of its readings, all at once or round by round."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
from scipy.special import stdtrit

from hayflick.core.errors import DataError
from hayflick.core.notes import translatable
from hayflick.core.records import Reading, State, Verdict
from hayflick.detection.baseline import Baseline, value_of
from hayflick.detection.control_chart import ControlChart
from hayflick.detection.dependence import DependenceTests
from hayflick.detection.early_warning import Projection, early_warning
from hayflick.detection.evidence import FALSE_ALARMS
from hayflick.detection.guaranteed import GuaranteedChart
from hayflick.detection.parsing import ChartSpec, restore
from hayflick.detection.power import DetectableLoss, detectable_losses
from hayflick.detection.rank import RankChart
from hayflick.diversity.metrics import METRICS
from hayflick.diversity.observing import BETWEEN_PROMPTS, SPREAD
from hayflick.monitor.chart_requests import ChartRequest
from hayflick.monitor.panel import ChartPanel, shares
from hayflick.monitor.watch_result import (
    RAREFIED,
    ChartHistory,
    MetricChange,
    MissingChart,
    has_fallen,
)


@dataclass(eq=False, kw_only=True)
class LiveChart:
    """A chart that takes reading after reading, and what can be told of it at any time.

    Parameters
    ----------
    request
        What it was made from.
    group
        The group that it reads; empty for all answers together.
    chart
        The chart.
    healthy
        The baseline of its metric's numbers.
    made_from
        Number of rounds that the chart was made from.
    settings
        Those of its specification.
    rate, weight, warnings, power
        As of `hayflick.monitor.watch_result.ChartHistory`.
    among
        Number of groups that have the chart, for a chart of one of them.
    latest
        The last readings since the baseline.
    alarms
        Whether its last reading is an alarm.
    silent
        Whether the last round had no reading.
    """

    request: ChartRequest
    group: str
    chart: ControlChart[Any]
    healthy: Baseline
    made_from: int
    settings: Mapping[str, Any]
    rate: float | None
    weight: float | None
    warnings: tuple[str, ...]
    power: tuple[DetectableLoss, ...]
    among: int
    latest: list[float] = field(default_factory=list)
    alarms: bool = False
    silent: bool = True
    _change: MetricChange | None = None

    @classmethod
    def started(
        cls,
        request: ChartRequest,
        group: str,
        spec: ChartSpec,
        series: Sequence[Reading],
        *,
        first: int,
        weight: float | None,
        among: int,
        powers: dict[str, tuple[DetectableLoss, ...]],
    ) -> LiveChart:
        """Return a chart that has learnt from the baseline.

        Parameters
        ----------
        request, group, weight
            See the class.
        spec
            The chart at its share of the rate.
        series
            The readings of the baseline.
        first
            How many of them set the scale of scores, and say nothing about their mean.
        among
            Number of groups that have the chart.
        powers
            As of `run_charts`.

        Raises
        ------
        DataError
            If the baseline is none.
        """
        metric, learnt = request.metric, series[first:]
        _check_can_fall(learnt, metric)
        chart = spec.start(learnt, metric=metric)
        # Before the chart has taken up any reading.
        power: tuple[DetectableLoss, ...] = ()
        if not group and weight is not None:
            settings = f"{request.text} {sorted(spec.settings.items())}"
            power = powers[settings] = powers.get(settings) or _power(chart, learnt)
        healthy = Baseline.of_values(series, metric=metric)
        return cls(
            request=request,
            group=group,
            chart=chart,
            healthy=healthy,
            made_from=len(learnt),
            settings=spec.settings,
            rate=_false_alarm_rate(spec) if weight is None else None,
            weight=weight,
            warnings=_warnings(chart, learnt, healthy.dependence),
            power=power,
            among=among if group else 1,
        )

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies it: metric, group, and the chart in the grammar of the command line."""
        return self.request.metric, self.group, self.request.text

    @property
    def threshold(self) -> float | None:
        """The limit in the metric's own units; None if the chart has none."""
        return self.chart.threshold if isinstance(self.chart, GuaranteedChart) else None

    @property
    def change(self) -> MetricChange | None:
        """How the last readings compare with the baseline; None without either."""
        if self._change is None and self.latest:
            self._change = _change(self.healthy, self.latest, among=self.among)
        return self._change

    @property
    def has_fallen(self) -> bool:
        """Whether the number lost more than a twentieth, beyond its scatter."""
        return has_fallen(self.change, self.direction)

    @property
    def direction(self) -> str:
        """What alarms: ``falls``, ``rises`` or ``both``."""
        return str(self.settings["direction"])

    def take(self, reading: Reading) -> Verdict:
        """Take the next reading and return the verdict."""
        verdict = self.chart.update(reading)
        self.silent = verdict.state is State.NO_READING
        if not self.silent:
            self.alarms = verdict.alarm
        value = value_of(reading, metric=self.request.metric)
        if value is not None:
            self.latest, self._change = [*self.latest, value][-_LATEST:], None
        return verdict

    def state(self) -> dict[str, Any]:
        """Return what the readings since the baseline have left behind, ready for JSON."""
        return {
            "chart": dict(self.chart.state()),
            "latest": list(self.latest),
            "alarms": self.alarms,
            "silent": self.silent,
        }

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` returned."""
        self.chart = restore(state["chart"])
        self.latest, self._change = list(state["latest"]), None
        self.alarms, self.silent = state["alarms"], state["silent"]

    def history(self, verdicts: Sequence[Verdict], series: Sequence[Reading]) -> ChartHistory:
        """Return the chart with its verdicts on all readings, which it has taken.

        Parameters
        ----------
        verdicts
            Those of the rounds after the baseline.
        series
            The readings of all rounds.
        """
        return ChartHistory(
            text=self.request.text,
            metric=self.request.metric,
            group=self.group,
            baseline=self.made_from,
            verdicts=tuple(verdicts),
            threshold=self.threshold,
            warnings=self.warnings,
            dependence=self.healthy.dependence,
            rate=self.rate,
            projection=_projection(self.chart, series, self.threshold, self.settings),
            weight=self.weight,
            change=self.change,
            power=self.power,
            direction=self.direction,
        )


Series: TypeAlias = Mapping[str, Sequence[Reading]]
"""Readings by group, one per round; the empty name stands for all answers together."""


@dataclass(frozen=True, eq=False, kw_only=True)
class LiveCharts:
    """All charts of a stream, which take round after round.

    Parameters
    ----------
    charts
        The charts, in order.
    missing
        The charts that could not be made.
    groups
        The groups that have readings of what a request charts, by its text: they share its rate, so
        that with another one all charts are made anew.
    """

    charts: tuple[LiveChart, ...]
    missing: tuple[MissingChart, ...]
    groups: Mapping[str, frozenset[str]]

    @classmethod
    def started(
        cls,
        readings: Series,
        requests: Sequence[ChartRequest],
        *,
        baseline: int,
        scaling: int,
        panel: ChartPanel | None = None,
        powers: dict[str, tuple[DetectableLoss, ...]] | None = None,
        groups: Mapping[str, Collection[str]] | None = None,
    ) -> LiveCharts:
        """Return charts that have learnt from the baseline, and have taken no other reading.

        Parameters
        ----------
        readings, requests, baseline, scaling, panel, powers
            As of `run_charts`.
        groups
            The `groups` of charts that are to be made again. None to find them in the readings,
            which then are those of all rounds.

        Raises
        ------
        DataError
            If a chart that is required cannot be made of all answers.
        """
        charts: list[LiveChart] = []
        missing: list[MissingChart] = []
        charted: dict[str, frozenset[str]] = {}
        for request in requests:
            found = [
                name
                for name, one in readings.items()
                if (name in groups[request.text] if groups else _has_metric(one, request.metric))
            ]
            charted[request.text] = frozenset(found)
            if not found:
                missing.append(_unread(request, readings[""], baseline=baseline, scaling=scaling))
            elif found != [""]:
                # Some metrics are those of all answers together alone.
                lacking = [name for name in readings if name not in charted[request.text]]
                missing += [
                    MissingChart(request.text, request.metric, name, _NO_READING)
                    for name in lacking
                ]
            # The rounds that set the scale of the scores say nothing about their mean.
            first = scaling if request.spec.kind is GuaranteedChart else 0
            specs = _specs(request, found, panel or ChartPanel())
            for group, (spec, weight) in specs.items():
                try:
                    charts.append(
                        LiveChart.started(
                            request,
                            group,
                            spec,
                            readings[group][:baseline],
                            first=first,
                            weight=weight,
                            among=sum(map(bool, specs)),
                            powers={} if powers is None else powers,
                        )
                    )
                except DataError as fault:
                    if request.required and not group:
                        raise
                    missing.append(MissingChart(request.text, request.metric, group, str(fault)))
        return cls(charts=tuple(charts), missing=tuple(missing), groups=charted)

    def knows(self, found: Mapping[str, Reading], requests: Sequence[ChartRequest]) -> bool:
        """Return whether the readings of a round have no group that changes what is charted."""
        return all(
            group in self.groups.get(request.text, ())
            for request in requests
            for group, reading in found.items()
            if request.metric in reading.values
        )

    def take(self, found: Mapping[str, Reading], *, number: int, label: str) -> list[Verdict]:
        """Take the readings of a round and return the verdicts, in the order of the charts.

        Parameters
        ----------
        found
            By group; a group that is absent has no reading.
        number, label
            Number and name of the round.
        """
        return [
            one.take(found.get(one.group) or Reading(number, group=one.group, label=label))
            for one in self.charts
        ]


def run_charts(
    readings: Series,
    requests: Sequence[ChartRequest],
    *,
    baseline: int,
    scaling: int,
    panel: ChartPanel | None = None,
    powers: dict[str, tuple[DetectableLoss, ...]] | None = None,
) -> tuple[tuple[ChartHistory, ...], tuple[MissingChart, ...]]:
    """Return the histories of all charts, and the charts that could not be made.

    The charts of one request share its rate of false alarms evenly over the groups; requests with
    a weight share the rate of the panel.

    Parameters
    ----------
    readings
        By group, one per round; the empty name stands for all answers together.
    requests
        The charts.
    baseline
        Number of healthy rounds at the beginning.
    scaling
        How many of these set the scale of the scores, and are in no guaranteed chart.
    panel
        The rate that requests with a weight share; the default one for None.
    powers
        What charts were found to detect on this baseline, which takes half a second; what is
        found now is added.

    Raises
    ------
    DataError
        If a chart that is required cannot be made of all answers.
    """
    live = LiveCharts.started(
        readings, requests, baseline=baseline, scaling=scaling, panel=panel, powers=powers
    )
    histories = []
    for one in live.charts:
        series = readings[one.group]
        verdicts = [one.take(later) for later in series[baseline:]]
        histories.append(one.history(verdicts, series))
    return tuple(histories), live.missing


def _specs(
    request: ChartRequest, groups: Sequence[str], panel: ChartPanel
) -> dict[str, tuple[ChartSpec, float | None]]:
    """Return the chart of each group at its share of the rate, and its weight in the panel."""
    if request.weight is None:
        return dict.fromkeys(groups, (request.spec.shared_by(max(1, len(groups))), None))
    specs: dict[str, tuple[ChartSpec, float | None]] = {}
    for group, share in shares(groups).items():
        weight = share * request.weight
        spec = request.spec.with_rate(weight * panel.alpha)
        specs[group] = replace(spec, settings={**spec.settings, "form": panel.form}), weight
    return specs


def _warnings(
    chart: ControlChart[Any], healthy: Sequence[Reading], dependence: DependenceTests
) -> tuple[str, ...]:
    """Return the warnings of a chart; what depends on the order is said of the whole baseline."""
    metric = chart.metric
    scored = isinstance(chart, GuaranteedChart)
    of_chart = (Baseline.of_scores if scored else Baseline.of_values)(healthy, metric=metric)
    said = set(map(str, of_chart.dependence.notes(metric)))
    others = [warning for warning in chart.warnings if warning not in said]
    return (*map(str, dependence.notes(metric)), *others)


def _power(chart: ControlChart[Any], healthy: Sequence[Reading]) -> tuple[DetectableLoss, ...]:
    if isinstance(chart, RankChart):
        return detectable_losses(chart, Baseline.of_values(healthy, metric=chart.metric))
    if isinstance(chart, GuaranteedChart):
        return detectable_losses(chart, Baseline.of_scores(healthy, metric=chart.metric))
    return ()


_LOWEST = {"effective_words": 1.0, "effective_answers": 1.0, SPREAD: 0.0, BETWEEN_PROMPTS: 0.0}
_ROUNDING = 1e-9


def _check_can_fall(healthy: Sequence[Reading], metric: str) -> None:
    """Refuse a baseline in which everything is lost already."""
    found = Baseline.of_values(healthy, metric=metric).series
    lowest = _LOWEST.get(metric)
    if lowest is not None and found.size and float(found.max()) <= lowest + _ROUNDING:
        reason = _without_size(healthy, metric) if metric in RAREFIED else _NO_READING
        if reason != _NO_READING:
            raise DataError(reason)
        raise DataError(
            f"every reading of {metric} is at its lowest, {lowest:g}; nothing can be lost"
        )


_LATEST = 5


def _change(healthy: Baseline, latest: Sequence[float], *, among: int = 1) -> MetricChange | None:
    """Return how the last readings compare with the baseline; None without either."""
    if not healthy.readings or not latest:
        return None
    before, now = float(np.median(healthy.series)), float(np.median(latest))
    # The standard error of a median of normal numbers, for both medians.
    sizes = 1.0 / healthy.readings + 1.0 / len(latest)
    error = math.sqrt(math.pi / 2.0 * sizes) * healthy.deviation if healthy.readings > 1 else 0.0
    return MetricChange(before, now, error, _clear_at(healthy.readings, among))


def _clear_at(readings: int, among: int) -> float:
    """Return the standard errors that one of many groups has to move for a clear change.

    Two, as of all answers, are surpassed by chance in one case of 44; of G groups, each gets a part
    of that chance, by Student's law, as the scatter of few rounds is itself uncertain.
    """
    if among == 1:
        return 2.0
    return min(_MOST_ERRORS, float(stdtrit(max(1, readings - 1), 1.0 - _CHANCE / among)))


_CHANCE, _MOST_ERRORS = 0.02275, 12.0


_NO_READING = translatable("no round has a reading of it")


def _unread(
    request: ChartRequest, readings: Sequence[Reading], *, baseline: int, scaling: int
) -> MissingChart:
    """Return why a chart cannot be made of a metric that no round has a reading of."""
    reason = _NO_READING
    if request.metric == SPREAD:
        reason = _without_spread(readings, scaling)
    elif request.metric == BETWEEN_PROMPTS and _has_metric(readings, "unpaired_answers"):
        reason = translatable("no two prompts are asked in every round of the baseline")
    elif request.metric in RAREFIED and _has_metric(readings, "answers"):
        reason = _without_size(readings[:baseline], request.metric)
    if request.required and reason == _NO_READING:
        raise DataError(f"{request.metric}: {_NO_READING}; {_remedy(request.metric)}")
    return MissingChart(request.text, request.metric, "", reason)


def _remedy(metric: str) -> str:
    """Return what to do about a metric without a reading."""
    if metric in {known.name for known in METRICS}:
        return "see what it is made from: hayflick watch --list-metrics"
    return "its column holds no number"


def _without_spread(readings: Sequence[Reading], scaling: int) -> str:
    """Return why no round has a spread: no pairs at all, none at first, or pairs without one."""
    pairs = [_pairs(reading) for reading in readings]
    if not any(pairs):
        # Without prompts, at most one answer of a round has no partner.
        if any(reading.values.get("unpaired_answers", 0.0) > 1.0 for reading in readings):
            return translatable(
                "no round has two answers to the same prompt, and pairs are within a prompt"
            )
        return translatable("no round has two answers that could be compared")
    if not any(pairs[:scaling]):
        return translatable(
            "the first rounds of the baseline, which set the scale of distances, have no two "
            "answers that could be compared"
        )
    if any(reading.values.get("rms_distance", 0.0) > 0.0 for reading in readings[:scaling]):
        return translatable(
            "at least half of the pairs of answers in the first rounds are exactly alike, so "
            "there is no distance to measure others by"
        )
    return translatable("the first rounds' answers are all alike, so there is no spread to lose")


def _pairs(reading: Reading) -> float:
    """Return the number of answers of a round that have a partner."""
    values = reading.values
    if "unpaired_answers" not in values:
        return 0.0
    left = values.get("empty_answers", 0.0) + values["unpaired_answers"]
    return values.get("answers", 0.0) - left


def _without_size(healthy: Sequence[Reading], metric: str) -> str:
    """Return why a number that is measured at one size cannot be told."""
    answers = [one.values.get("answers", 0.0) - _empty(one) for one in healthy]
    if not any(answers):
        return translatable("the rounds of the baseline have no answer that is not empty")
    if metric == "effective_answers" and min(one for one in answers if one) < _LEAST_ANSWERS:
        return translatable(
            "a round of the baseline has fewer than 4 answers, half of which are too few"
        )
    return _NO_READING


_LEAST_ANSWERS = 4.0


def _empty(reading: Reading) -> float:
    return reading.values.get("empty_answers", 0.0)


def scaling_rounds(baseline: int) -> int:
    """Return how many rounds of a baseline set the scale of distances: a fifth.

    Examples
    --------
    >>> scaling_rounds(10), scaling_rounds(2)
    (2, 1)
    """
    return max(1, baseline // 5)


def _has_metric(readings: Sequence[Reading], metric: str) -> bool:
    return any(metric in reading.values for reading in readings)


def _false_alarm_rate(spec: ChartSpec) -> float | None:
    """Return the false alarms per reading that a chart of the sum form with a rate allows."""
    if not spec.has_rate or spec.settings.get("form", "sum") != "sum":
        return None
    return float(spec.settings.get("false_alarms", FALSE_ALARMS))


def _projection(
    chart: ControlChart[Any],
    readings: Sequence[Reading],
    threshold: float | None,
    settings: Mapping[str, Any],
) -> Projection | None:
    """Return when a falling metric reaches its limit; None without a limit to fall to."""
    if threshold is None or threshold <= 0.0 or settings.get("direction") == "rises":
        return None
    projected = early_warning(readings, metric=chart.metric, limit=threshold)
    if projected.round is not None and projected.round <= len(readings):
        return replace(projected, round=None, reason="the limit is reached already, by the fit")
    return projected
