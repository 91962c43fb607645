"""The sentences about a watched stream, in the reader's language."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hayflick.core.records import State
from hayflick.detection.early_warning import Projection
from hayflick.detection.power import HORIZONS, DetectableLoss
from hayflick.monitor.panel import FALLING_SHARE
from hayflick.monitor.watch_result import Change, ChartHistory, UnreadMetric, WatchResult
from hayflick.report.language import Language, metric_label
from hayflick.report.rendering import shortened, significant

if TYPE_CHECKING:
    from hayflick.rules.rule_set import StoppedWatch

_NAMED = 10
_SENTENCES = 10
_WARNINGS = 20


def joined_names(names: list[str]) -> str:
    """Return names as a sentence lists them, ten at most."""
    more = f" (+{len(names) - _NAMED})" if len(names) > _NAMED else ""
    return ", ".join(shortened(name) for name in names[:_NAMED]) + more


@dataclass(frozen=True)
class WatchFindings:
    """The sentences about a watch result, in one language."""

    result: WatchResult
    language: Language

    def data(self) -> str:
        """Return what was read."""
        number = self.language.number
        return self.language.text(
            "{name}: {answers} answers in {rounds} rounds, the first {baseline} of them the "
            "baseline.",
            name=self.result.name,
            answers=number(self.result.answers),
            rounds=number(len(self.result.rounds)),
            baseline=number(self.result.baseline),
        )

    def verdict(self) -> str:
        """Return the verdict in one line, with what was asked for and is not charted."""
        verdict, missing = self._verdict(), self._uncharted()
        if not missing or self.result.verdict is State.ALARM:
            return verdict
        return self.language.text(
            "{verdict}; not charted: {missing}", verdict=verdict, missing=missing
        )

    def _uncharted(self) -> str:
        """Return the metrics, rules and groups without a chart or a reading; empty for none."""
        result, text, number = self.result, self.language.text, self.language.number
        names = [metric_label(metric, self.language) for metric in result.uncharted]
        watches = dict.fromkeys(one.watch for one in result.idle_watches)
        names += [text("rule {rule}", rule=watch) for watch in watches]
        found = [joined_names(names)] if names else []
        if result.uncharted_groups:
            groups = number(len(result.uncharted_groups))
            found.append(text("groups: {number}", number=groups))
        return ", ".join(found)

    def _verdict(self) -> str:
        result, text = self.result, self.language.text
        if result.alarms:
            return text("Alarm: {metric}, since round {since}", **self._change(result.alarms[0]))
        if result.decisions:
            first = self.round_in_words(result.decisions[0].round)
            return text("The rules have decided, first in round {round}", round=first)
        if result.rules is not None:
            return text("Healthy: the rules have decided nothing")
        if not result.charts:
            return text("Nothing could be watched")
        if result.silent_since is not None:
            since = self.round_in_words(result.silent_since)
            return text("No reading since round {since}", since=since)
        if result.falling:
            names = [self._fallen(chart) for chart in result.falling]
            return text("Falling, without an alarm: {metrics}", metrics=", ".join(names[:_NAMED]))
        return text("Healthy: no chart has alarmed since the baseline")

    def _fallen(self, chart: ChartHistory) -> str:
        loss = 0.0 if chart.change is None else chart.change.loss or 0.0
        share = self.language.percent(loss)
        return self.language.text("{metric} −{loss}", metric=self.subject(chart), loss=share)

    def _change(self, chart: ChartHistory) -> dict[str, str]:
        assert chart.first_alarm is not None
        assert chart.since is not None
        return {
            "metric": self.subject(chart),
            "since": self.round_in_words(chart.since),
            "alarm": self.round_in_words(chart.first_alarm.round),
        }

    def subject(self, chart: ChartHistory) -> str:
        """Return the metric of a chart, and its group."""
        return self._subject(chart.metric, chart.group)

    def _subject(self, metric: str, group: str) -> str:
        label = metric_label(metric, self.language)
        if not group:
            return label
        return self.language.text("{metric} of {group}", metric=label, group=shortened(group))

    def round_name(self, number: int) -> str:
        """Return the name of a round."""
        return shortened(self.result.rounds[number - 1])

    def round_in_words(self, number: int) -> str:
        """Return the name of a round for a sentence that says "round" before it."""
        return re.sub(r"(?i)^round[\s_-]*(?=\d)", "", self.round_name(number))

    def summary(self) -> list[str]:
        """Return the alarms, the rate of false alarms, the projections and what was left out."""
        alarms = self.result.alarms
        sentences = [self.alarm_sentence(chart) for chart in alarms[:_SENTENCES]]
        if len(alarms) > _SENTENCES:
            more = self.language.number(len(alarms) - _SENTENCES)
            sentences.append(
                self.language.text("Further charts that have alarmed: {more}.", more=more)
            )
        sentences += self._panel()
        rates = [chart.rate for chart in self.result.charts if chart.rate is not None]
        if rates:
            sentences.append(
                self.language.text(
                    "Guaranteed charts: {charts}; together, a healthy stream gives at most one "
                    "false alarm in {rounds} rounds on average.",
                    charts=self.language.number(len(rates)),
                    rounds=self.language.number(round(1.0 / sum(rates))),
                )
            )
        for chart in self.result.charts:
            sentences += [] if chart.group else self._projection(chart)
        return sentences + self._omissions()

    def _panel(self) -> list[str]:
        """Return what the panel promises, and which of its numbers have moved."""
        panel, text, number = self.result.panel, self.language.text, self.language.number
        charts = [chart for chart in self.result.charts if chart.weight is not None]
        if panel is None or not charts:
            return []
        if panel.form == "sum":
            promise = text(
                "A panel of {charts} charts: together, a healthy stream gives at most one false "
                "alarm in {rounds} rounds on average, if its rounds do not depend on one another.",
                charts=number(len(charts)),
                rounds=number(round(1.0 / panel.false_alarms)),
            )
        else:
            promise = text(
                "A panel of {charts} charts: together, a healthy stream ever gives a false alarm "
                "with a probability of at most {chance}, if its rounds do not depend on one "
                "another.",
                charts=number(len(charts)),
                chance=self.language.percent(panel.false_alarms),
            )
        moved: dict[str, str] = {}
        for chart in charts:
            change = chart.change
            if chart.group or change is None or change.loss is None or chart.first_alarm:
                continue
            if abs(change.loss) > FALLING_SHARE:
                moved.setdefault(chart.metric, self._moved(chart, change, change.loss))
        return [promise, *moved.values()]

    def _moved(self, chart: ChartHistory, change: Change, loss: float) -> str:
        """Return how a number of the panel has moved without an alarm."""
        text, percent = self.language.text, self.language.percent
        values = {
            "metric": self.subject(chart),
            "before": significant(change.before),
            "now": significant(change.now),
            "share": percent(abs(loss)),
        }
        if loss < 0.0:
            return text("{metric} has risen by {share}: from {before} to {now}.", **values)
        if not change.is_clear:
            return text(
                "{metric} is {share} lower, within the scatter of the baseline: from {before} to "
                "{now}.",
                **values,
            )
        evidence = "–" if chart.evidence is None else significant(max(1.0, chart.evidence))
        limit = "–" if chart.limit is None else significant(chart.limit)
        return text(
            "{metric} has fallen by {share}: from {before} to {now}; evidence {evidence} of the "
            "{limit} that alarm.",
            **values,
            evidence=evidence,
            limit=limit,
        )

    def power_headings(self) -> list[str]:
        """Return the headings of the table of `power`."""
        text, number = self.language.text, self.language.number
        within = [text("{rounds} rounds", rounds=number(rounds)) for rounds in HORIZONS]
        return [text("smallest loss found within"), *within, text("answers for 5 %")]

    def power(self) -> list[tuple[str, ...]]:
        """Return, for each number and kind of loss, the smallest loss that is found."""
        text = self.language.text
        kinds = {"step": text("sudden"), "steady": text("steady")}
        rows = []
        for (metric, kind), found in self._detectable().items():
            losses = [self._loss(found[rounds].loss) for rounds in HORIZONS]
            factor = found[HORIZONS[-1]].answers
            label = f"{metric_label(metric, self.language)}, {kinds[kind]}"
            rows.append((label, *losses, self._answers(factor)))
        return rows

    def _detectable(self) -> dict[tuple[str, str], dict[int, DetectableLoss]]:
        """Return the best of a number's charts, by kind of loss and horizon."""
        best: dict[tuple[str, str], dict[int, DetectableLoss]] = {}
        for chart in self.result.charts:
            for one in chart.power:
                known = best.setdefault((chart.metric, one.kind), {})
                now = known.get(one.rounds)
                if now is None or (one.loss is not None and one.loss < (now.loss or math.inf)):
                    known[one.rounds] = one
        return best

    def _loss(self, loss: float | None) -> str:
        return self.language.text("not found") if loss is None else self.language.percent(loss)

    def _answers(self, factor: float | None) -> str:
        """Return how many answers a round would be needed to find a loss of 5 % in 20 rounds."""
        readings = self.result.readings[""][: self.result.baseline]
        sizes = sorted(reading.values.get("answers", 0.0) for reading in readings)
        if factor is None or not sizes:
            return self.language.text("not found")
        return self.language.number(math.ceil(factor * sizes[len(sizes) // 2]))

    def alarm_sentence(self, chart: ChartHistory) -> str:
        """Return when a chart has alarmed, and at what mean."""
        sentence = self.language.text(
            "{metric}: first alarm in round {alarm}; the change began about round {since}.",
            **self._change(chart),
        )
        alarm = chart.first_alarm
        if alarm is None or alarm.value is None or chart.threshold is None:
            return sentence
        mean = self.language.text(
            "Its mean was {value} then, {limit} is the limit.",
            value=significant(alarm.value),
            limit=significant(chart.threshold),
        )
        return self.language.joined(sentence, mean)

    def _projection(self, chart: ChartHistory) -> list[str]:
        """Return when a metric is expected to reach its limit; nothing if that is unknown."""
        found = chart.projection
        if found is None or found.round is None or chart.first_alarm is not None:
            return []
        if found.round <= len(self.result.rounds):
            return []
        sentence = self.language.text(
            "{metric} falls: at this rate it reaches its limit about round number {round} "
            "({interval}).",
            metric=self.subject(chart),
            round=self.language.number(round(found.round)),
            interval=self._interval(found),
        )
        return [sentence]

    def _interval(self, projection: Projection) -> str:
        text, number = self.language.text, self.language.number
        if projection.low is None:
            return text("no interval")
        low = number(round(projection.low))
        if projection.high is None:
            return text("{low} or later", low=low)
        return f"{low} – {number(round(projection.high))}"

    def _omissions(self) -> list[str]:
        result, text, number = self.result, self.language.text, self.language.number
        sentences = []
        groups = dict.fromkeys(one.group for one in result.missing_charts if one.group)
        if groups:
            names = joined_names(list(groups))
            sentences.append(
                text("Groups that are not watched, see below: {groups}.", groups=names)
            )
        if result.bad.total:
            bad = number(result.bad.total)
            sentences.append(text("Rows that were skipped: {bad}.", bad=bad))
        if empty := result.total("empty_answers"):
            sentences.append(text("Empty answers, left out: {empty}.", empty=number(empty)))
        if unpaired := result.total("unpaired_answers"):
            sentences.append(
                text("Answers that could not be paired: {unpaired}.", unpaired=number(unpaired))
            )
        return sentences

    def state(self, chart: ChartHistory) -> str:
        """Return the state of a chart: alarm, healthy or no reading."""
        text = self.language.text
        if chart.first_alarm is not None:
            return text("alarm")
        return text("healthy") if chart.silent_since is None else text("no reading")

    def warnings(self) -> list[str]:
        """Return why a guarantee may not hold.

        These are technical, and in English as the commands' errors are.
        """
        charts = self.result.alarmed_first
        found = list(dict.fromkeys(warning for chart in charts for warning in chart.warnings))
        if len(found) <= _WARNINGS:
            return found
        more = self.language.number(len(found) - _WARNINGS)
        further = self.language.text("Further warnings, in the JSON: {more}.", more=more)
        return [*found[:_WARNINGS], further]

    def not_charted(self) -> list[tuple[str, str]]:
        """Return what was asked for and has no chart or no reading, with the reason.

        Reasons that charts give are technical, and in English as the commands' errors are.
        """
        result, text = self.result, self.language.text
        of_all = {one.text for one in result.missing_charts if not one.group}
        rows = [
            (self._subject(one.metric, one.group), text(one.reason))
            for one in sorted(result.missing_charts, key=lambda one: bool(one.group))
            # What all answers together lack, the groups lack too.
            if not one.group or one.text not in of_all
        ]
        uncharted = {one.metric for one in result.missing_charts if not one.group}
        rows += [
            (metric_label(one.metric, self.language), self._without_reading(one))
            for one in result.unread
            if one.metric not in uncharted
        ]
        return rows + [self._idle(one) for one in result.idle_watches]

    def _without_reading(self, unread: UnreadMetric) -> str:
        text, number = self.language.text, self.language.number
        return text(
            "no reading in {rounds} of {all} rounds: {reason}",
            rounds=number(unread.rounds),
            all=number(len(self.result.rounds)),
            reason=text(unread.reason),
        )

    def _idle(self, idle: StoppedWatch) -> tuple[str, str]:
        text = self.language.text
        rule = text("rule {rule}", rule=idle.watch)
        if idle.group:
            rule = text("{metric} of {group}", metric=rule, group=idle.group)
        return rule, text(idle.reason)
