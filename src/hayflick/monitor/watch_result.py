"""The result of watching a stream of answers: readings, charts and the verdict."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from hayflick.core.display import Result
from hayflick.core.records import Reading, State, Verdict
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.corpus.answer_rows import BadRows
from hayflick.detection.dependence import DependenceTests
from hayflick.detection.early_warning import Projection
from hayflick.detection.power import DetectableLoss
from hayflick.diversity.phrases import Template

if TYPE_CHECKING:
    from hayflick.auditing.contamination import RetrievalContamination
    from hayflick.rules.rule_set import Decision, RuleSet, StoppedWatch

from hayflick.monitor.alarms import AlarmNews, KnownAlarms
from hayflick.monitor.mix_changes import MixChange, is_unread, mix_changes
from hayflick.monitor.panel import FALLING_SHARE, ChartPanel


@dataclass(frozen=True, slots=True)
class MetricChange:
    """How the last readings of a number compare with its baseline.

    Parameters
    ----------
    before, now
        Median of the baseline, and of the last five readings.
    error
        Standard error of their difference, from the baseline's scatter.
    clear_at
        Number of standard errors from which on the difference is clear: two, and more for one of
        many groups, some of which differ by as much by chance.

    Examples
    --------
    >>> change = MetricChange(500.0, 400.0, error=10.0)
    >>> round(change.loss, 3), change.is_clear
    (0.2, True)
    """

    before: float
    now: float
    error: float
    clear_at: float = 2.0

    @property
    def loss(self) -> float | None:
        """Share of the baseline that is lost, negative for a gain; None for a baseline of 0."""
        return 1.0 - self.now / self.before if self.before > 0.0 else None

    @property
    def is_clear(self) -> bool:
        """Whether the difference is more than scatter alone gives."""
        return abs(self.now - self.before) > self.clear_at * self.error


def has_fallen(change: MetricChange | None, direction: str) -> bool:
    """Return whether a number lost more than a twentieth, beyond its scatter.

    A chart that alarms for a rise alone (`direction` ``rises``) has no loss: a fall is healthy.
    """
    if direction == "rises" or change is None or change.loss is None:
        return False
    return change.loss > FALLING_SHARE and change.is_clear


@dataclass(frozen=True, eq=False, kw_only=True)
class ChartHistory:
    """A control chart and its verdicts on a stream.

    Parameters
    ----------
    text
        The chart in the grammar of the command line.
    metric, group
        The metric and the group that it reads; an empty group is all answers together.
    baseline
        Number of rounds that the chart was made from.
    verdicts
        One per round after the baseline.
    threshold
        The limit in the metric's own units; None if the chart has none.
    warnings
        Signs in the baseline that the guarantee may not hold, those of `dependence` first.
    rate
        Upper bound of the false alarms per healthy reading; None if the chart has another
        guarantee.
    projection
        When the metric is expected to reach its limit; None if it has no limit to fall to.
    weight
        The chart's share of the panel's rate; None for a chart outside of the panel.
    change
        How the last readings compare with the baseline; None without either.
    power
        The losses that it can find, by kind and horizon; empty where they were not computed.
    dependence
        Tests of the baseline for a trend and for autocorrelation.
    direction
        What alarms: ``falls``, ``rises`` or ``both``.
    """

    text: str
    metric: str
    group: str
    baseline: int
    verdicts: tuple[Verdict, ...]
    threshold: float | None
    warnings: tuple[str, ...] = ()
    rate: float | None = None
    projection: Projection | None = None
    weight: float | None = None
    change: MetricChange | None = None
    power: tuple[DetectableLoss, ...] = ()
    dependence: DependenceTests | None = None
    direction: str = "falls"

    @cached_property
    def evidence(self) -> float | None:
        """The last odds against a healthy stream; None where the chart gives none."""
        known = [one.evidence for one in self.verdicts if one.evidence is not None]
        return known[-1] if known else None

    @cached_property
    def limit(self) -> float | None:
        """The limit of the statistic; None before the first reading."""
        known = [one.limit for one in self.verdicts if one.limit is not None]
        return known[-1] if known else None

    @cached_property
    def alarms(self) -> tuple[Verdict, ...]:
        """The verdicts that are alarms."""
        return tuple(verdict for verdict in self.verdicts if verdict.alarm)

    @property
    def first_alarm(self) -> Verdict | None:
        """The first alarm; None without one."""
        return next(iter(self.alarms), None)

    @property
    def since(self) -> int | None:
        """Number of the estimated first round of the change; None without an alarm."""
        alarm = self.first_alarm
        return None if alarm is None else alarm.since or alarm.round

    @property
    def since_name(self) -> str | None:
        """Name of the estimated first round of the change; None without an alarm."""
        alarm = self.first_alarm
        return None if alarm is None else alarm.since_name or alarm.name

    @cached_property
    def cleared(self) -> Verdict | None:
        """The first verdict after the last alarm; None without an alarm, or while it stands."""
        last = max((place for place, one in enumerate(self.verdicts) if one.alarm), default=None)
        if last is None:
            return None
        later = self.verdicts[last + 1 :]
        return next((one for one in later if one.state is State.HEALTHY), None)

    @property
    def has_fallen(self) -> bool:
        """Whether the number lost more than a twentieth, beyond its scatter."""
        return has_fallen(self.change, self.direction)

    @property
    def silent_since_name(self) -> str | None:
        """Name of the round `silent_since`."""
        names = {verdict.round: verdict.name for verdict in self.verdicts}
        return None if self.silent_since is None else names[self.silent_since]

    @cached_property
    def silent_since(self) -> int | None:
        """Number of the round since which there is no reading; None if the last one has one."""
        silent = [one.state is State.NO_READING for one in self.verdicts]
        if not silent or not silent[-1]:
            return None
        last = max((place for place, gap in enumerate(silent) if not gap), default=-1)
        return self.verdicts[last + 1].round

    @cached_property
    def read(self) -> int:
        """Number of rounds with a reading."""
        return sum(verdict.state is not State.NO_READING for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class MissingChart:
    """A chart that could not be made, and why."""

    text: str
    metric: str
    group: str
    reason: str


@dataclass(frozen=True, slots=True)
class UnreadMetric:
    """A metric that was asked for and lacks readings of all answers together.

    Parameters
    ----------
    metric
        Its name.
    rounds
        Number of rounds without a reading.
    reason
        Why.
    """

    metric: str
    rounds: int
    reason: str


RAREFIED = ("effective_words", "effective_answers")
"""Numbers that are measured at one size of all rounds, half of the smallest of the baseline."""


@dataclass(frozen=True, slots=True)
class ShortRounds:
    """Rounds that have answers, and too few of them for a number that is measured at one size.

    Parameters
    ----------
    metric, group
        The number, and the group; an empty group is all answers together.
    rounds
        Names of the rounds.
    """

    metric: str
    group: str
    rounds: tuple[str, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class WatchResult(Result):
    """What `hayflick.watch` returns: a stream of answers, measured and charted.

    Parameters
    ----------
    name
        Name of the input.
    rounds
        Names of the rounds, in order.
    baseline
        Number of rounds in the baseline.
    readings
        One per round, by group; the empty name stands for all answers together.
    charts
        All charts, those of all answers first.
    missing_charts
        Charts that could not be made.
    unread
        Metrics that were asked for and lack readings.
    templates
        Phrases that are newly frequent or lost since the baseline.
    typical_first, typical_last
        Answers nearest to the mean of the first round and of the last.
    answers, bad
        Number of answers that were read, and the rows that were left out.
    measured_answers
        Number of those that were measured, where a summary keeps a sample; None for all of them.
    failed
        Why files could not be read and are missing, by their names.
    rules, decisions
        The rules, and what they decided; None and empty without rules.
    panel
        The rate that the charts with a weight share; None without such charts.
    idle_watches
        Watches of the rules that could not judge any reading, or cannot any more.
    settings
        Parameters that make the result again.
    seed
        Seed of every random draw.
    sources
        What was read: the answers, the rules, the must-keep list, the state.
    baseline_from
        Name of the reference whose rounds are the baseline; None for the stream's own first ones.
    known_alarms
        What the state knew of the alarms; None without a state, or with a new one.
    contamination
        How far generated texts go in what was retrieved; None where that was not given.
    """

    name: str
    rounds: tuple[str, ...]
    baseline: int
    readings: Mapping[str, tuple[Reading, ...]]
    charts: tuple[ChartHistory, ...]
    missing_charts: tuple[MissingChart, ...] = ()
    unread: tuple[UnreadMetric, ...] = ()
    templates: tuple[Template, ...] = ()
    typical_first: Sequence[str] = ()
    typical_last: Sequence[str] = ()
    answers: int = 0
    bad: BadRows = field(default_factory=BadRows)
    rules: RuleSet | None = None
    decisions: tuple[Decision, ...] = ()
    idle_watches: tuple[StoppedWatch, ...] = ()
    panel: ChartPanel | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 1
    sources: tuple[Source, ...] = ()
    known_alarms: KnownAlarms | None = None
    baseline_from: str | None = None
    measured_answers: int | None = None
    failed: Mapping[str, str] = field(default_factory=dict)
    contamination: RetrievalContamination | None = None

    @property
    def alarms(self) -> tuple[ChartHistory, ...]:
        """The charts that have alarmed, the earliest first."""
        alarmed = [(chart.first_alarm.round, chart) for chart in self.charts if chart.first_alarm]
        return tuple(chart for _, chart in sorted(alarmed, key=lambda pair: pair[0]))

    @property
    def news(self) -> AlarmNews[ChartHistory]:
        """The alarms that are new, that stand and that are over since the state was written.

        Without a state, all alarms are new.
        """
        return AlarmNews.of(self.charts, self.known_alarms)

    @property
    def new_alarms(self) -> tuple[ChartHistory, ...]:
        """The charts with an alarm that the state did not know."""
        return self.news.new

    @property
    def standing(self) -> tuple[ChartHistory, ...]:
        """The charts whose alarm the state knew and that still stands."""
        return self.news.standing

    @property
    def cleared(self) -> tuple[ChartHistory, ...]:
        """The charts whose alarm stood when the state was written and does no longer."""
        return self.news.cleared

    @property
    def has_news(self) -> bool:
        """Whether there is an alarm, or a decision of rules that may act, that is new."""
        if self.new_alarms:
            return True
        known = 0 if self.known_alarms is None else self.known_alarms.rounds
        return self.calls_for_action and any(one.round > known for one in self.decisions)

    @property
    def alarmed_first(self) -> tuple[ChartHistory, ...]:
        """All charts, those that have alarmed first."""
        return (*self.alarms, *(chart for chart in self.charts if chart.first_alarm is None))

    @property
    def falling(self) -> tuple[ChartHistory, ...]:
        """The numbers that lost more than a twentieth, beyond their scatter, whatever their chart.

        Those of charts that have alarmed are not among them, and each number is named once.
        """
        if self.alarms:
            return ()
        found: dict[tuple[str, str], ChartHistory] = {}
        for chart in self.charts:
            if chart.has_fallen:
                found.setdefault((chart.group, chart.metric), chart)
        return tuple(found.values())

    @property
    def healthy(self) -> bool:
        """Whether no chart has alarmed, and no rule that may act has decided anything."""
        return not self.alarms and not self.calls_for_action

    @property
    def calls_for_action(self) -> bool:
        """Whether rules that may act have decided something."""
        if self.rules is None or not self.decisions:
            return False
        from hayflick.rules.rule_set import calls_for_action

        return calls_for_action(self.rules, self.decisions)

    @property
    def silent_since(self) -> int | None:
        """Number of the round since which no chart of all answers has a reading, or None."""
        since = [chart.silent_since for chart in self.charts if not chart.group]
        known = [number for number in since if number is not None]
        return max(known) if known and len(known) == len(since) else None

    @property
    def silent_since_name(self) -> str | None:
        """Name of the round `silent_since`."""
        return None if self.silent_since is None else self.rounds[self.silent_since - 1]

    @property
    def short_rounds(self) -> tuple[ShortRounds, ...]:
        """Rounds that are too short for a number that is charted."""
        charted = dict.fromkeys(
            (chart.metric, chart.group) for chart in self.charts if chart.metric in RAREFIED
        )
        found = []
        for metric, group in charted:
            short = [
                reading.name
                for reading in self.readings[group]
                if metric not in reading.values
                and reading.values.get("answers", 0.0) > reading.values.get("empty_answers", 0.0)
                and not is_unread(reading)
            ]
            found += [ShortRounds(metric, group, tuple(short))] if short else []
        return tuple(found)

    @property
    def mix_changes(self) -> tuple[MixChange, ...]:
        """How the groups that all answers together are made of have changed."""
        return mix_changes(self.readings, baseline=self.baseline)

    @property
    def verdict(self) -> State:
        """``alarm``, ``healthy``, or ``no reading`` if nothing is charted or has a reading.

        Rules that may act alarm when they decide something, as charts do. It is about what is
        charted: `uncharted` and `uncharted_groups` name what is not.
        """
        if not self.healthy:
            return State.ALARM
        if self.falling:
            return State.FALLING
        charted = bool(self.charts) or self.rules is not None
        return State.HEALTHY if charted and self.silent_since is None else State.NO_READING

    @property
    def uncharted(self) -> tuple[str, ...]:
        """Metrics that were asked for and could not be charted, or read, of all answers."""
        names = [one.metric for one in self.missing_charts if not one.group]
        names += [one.metric for one in self.unread if one.rounds == len(self.rounds)]
        return tuple(dict.fromkeys(names))

    @property
    def uncharted_groups(self) -> tuple[str, ...]:
        """Groups of which a chart that was asked for could not be made."""
        return tuple(dict.fromkeys(one.group for one in self.missing_charts if one.group))

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups."""
        return tuple(group for group in self.readings if group)

    def total(self, metric: str) -> int:
        """Return the sum of a count of answers over all rounds."""
        return int(sum(reading.values.get(metric, 0.0) for reading in self.readings[""]))

    def series(self, metric: str, *, group: str = "") -> list[float | None]:
        """Return a metric round by round; None for a round without a reading."""
        return [reading.values.get(metric) for reading in self.readings[group]]

    def metrics(self, *, group: str = "") -> list[str]:
        """Return the names of the metrics that were measured, in order."""
        readings = self.readings[group]
        return list(dict.fromkeys(name for reading in readings for name in reading.values))

    def to_frame(self) -> pl.DataFrame:
        """Return the readings as a table, one row per group and round.

        Returns
        -------
        Columns ``round`` (from 1), ``label``, ``group`` (empty for all answers together) and
        one per metric; null if there is no reading.
        """
        rows = [
            {"round": one.round, "label": one.name, "group": group, **one.values}
            for group, readings in self.readings.items()
            for one in readings
        ]
        names = dict.fromkeys(itertools.chain.from_iterable(rows))
        kinds = {"round": pl.Int64, "label": pl.String, "group": pl.String}
        return pl.DataFrame(rows, schema={name: kinds.get(name, pl.Float64) for name in names})

    def provenance(self) -> dict[str, Any]:
        """Return the record that makes the result again."""
        return provenance(dict(self.settings), seed=self.seed)
