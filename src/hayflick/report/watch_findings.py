"""What watching a stream says, sentence by sentence."""

from __future__ import annotations

from dataclasses import dataclass

from hayflick.detection.early_warning import Projection
from hayflick.monitor.watch_result import ChartHistory, WatchResult
from hayflick.report.language import Language
from hayflick.report.metric_labels import metric_label
from hayflick.report.tables import printable, significant

_NAMED = 10


def joined_names(names: list[str]) -> str:
    """Return names as a sentence lists them, ten at most."""
    more = f" (+{len(names) - _NAMED})" if len(names) > _NAMED else ""
    return ", ".join(printable(name) for name in names[:_NAMED]) + more


@dataclass(frozen=True)
class WatchFindings:
    """The words and numbers of a watched stream, in one language."""

    result: WatchResult
    language: Language

    def data(self) -> str:
        """Return what was read."""
        result, number = self.result, self.language.number
        return self.language.text(
            "{name}: {answers} answers in {rounds} rounds, the first {baseline} of them the "
            "baseline.",
            name=result.name,
            answers=number(result.answers),
            rounds=number(len(result.rounds)),
            baseline=number(result.baseline),
        )

    def verdict(self) -> str:
        """Return how the stream stands, in one line."""
        text, alarms = self.language.text, self.result.alarms
        if self.result.rules is not None and not alarms:
            return self._rules_verdict()
        if not self.result.charts:
            return text("Nothing could be watched")
        if not alarms:
            return self._quiet_verdict()
        return text("Alarm: {metric}, since round {since}", **self._change(alarms[0]))

    def _rules_verdict(self) -> str:
        """Return whether the rules have decided anything, in one line."""
        if not self.result.decisions:
            return self.language.text("Healthy: the rules have decided nothing")
        first = self.round_name(self.result.decisions[0].round)
        return self.language.text("The rules have decided, first in round {round}", round=first)

    def _quiet_verdict(self) -> str:
        """Return how a stream stands that has not alarmed: healthy, unless it has gone silent."""
        silent = self.result.silent_since
        if silent is not None:
            since = self.round_name(silent)
            return self.language.text("No reading since round {since}", since=since)
        return self.language.text("Healthy: no chart has alarmed since the baseline")

    def _change(self, chart: ChartHistory) -> dict[str, str]:
        alarm = chart.first_alarm
        assert alarm is not None
        since = alarm.round if alarm.since is None else alarm.since
        return {
            "metric": self.subject(chart),
            "since": self.round_name(since),
            "alarm": self.round_name(alarm.round),
        }

    def subject(self, chart: ChartHistory) -> str:
        """Return what a chart reads, and whose."""
        label = metric_label(chart.metric, self.language)
        if not chart.group:
            return label
        return self.language.text("{metric} of {group}", metric=label, group=chart.group)

    def round_name(self, number: int) -> str:
        """Return what a round is called."""
        return self.result.rounds[number - 1]

    def summary(self) -> list[str]:
        """Return what there is to know, in a few sentences."""
        sentences = [self.alarm_sentence(chart) for chart in self.result.alarms]
        sentences += self._false_alarm_rates()
        sentences += [
            self.projection_sentence(chart) for chart in self.result.charts if not chart.group
        ]
        sentences += self._omissions()
        return [sentence for sentence in sentences if sentence]

    def alarm_sentence(self, chart: ChartHistory) -> str:
        """Return what a chart that has alarmed says."""
        sentence = self.language.text(
            "{metric}: first alarm in round {alarm}; the change began about round {since}.",
            **self._change(chart),
        )
        alarm = chart.first_alarm
        if alarm is None or alarm.value is None or chart.threshold is None:
            return sentence
        return self.language.joined(
            sentence,
            self.language.text(
                "Its mean was {value} then, {limit} is the limit.",
                value=significant(alarm.value),
                limit=significant(chart.threshold),
            ),
        )

    def _false_alarm_rates(self) -> list[str]:
        """Return what is promised of false alarms, once for all guaranteed charts."""
        rates = [chart.rate for chart in self.result.charts if chart.rate is not None]
        if not rates:
            return []
        return [
            self.language.text(
                "Guaranteed charts: {charts}; together, a healthy stream gives at most one false "
                "alarm in {rounds} rounds on average.",
                charts=self.language.number(len(rates)),
                rounds=self.language.number(round(1.0 / sum(rates))),
            )
        ]

    def projection_sentence(self, chart: ChartHistory) -> str:
        """Return when a metric is expected to reach its limit; empty where that is not known."""
        projection = chart.projection
        if projection is None or chart.first_alarm is not None or projection.round is None:
            return ""
        if projection.round <= len(self.result.rounds):
            return ""
        return self.language.text(
            "{metric} falls: at this rate it reaches its limit about round number {round} "
            "({interval}).",
            metric=self.subject(chart),
            round=self.language.number(round(projection.round)),
            interval=self.interval(projection),
        )

    def interval(self, projection: Projection) -> str:
        """Return the interval of a projection."""
        low, high = (
            None if end is None else self.language.number(round(end))
            for end in (projection.low, projection.high)
        )
        if low is None:
            return self.language.text("no interval")
        if high is None:
            return self.language.text("{low} or later", low=low)
        return f"{low} – {high}"

    def _omissions(self) -> list[str]:
        result, text, number = self.result, self.language.text, self.language.number
        sentences = []
        groups = dict.fromkeys(one.group for one in result.missing_charts if one.group)
        if groups:
            sentences.append(
                text(
                    "Groups that are not watched, see below: {groups}.",
                    groups=joined_names(list(groups)),
                )
            )
        if result.bad.total:
            sentences.append(
                text("Rows that were passed over: {bad}.", bad=number(result.bad.total))
            )
        empty = result.total("empty_answers")
        if empty:
            sentences.append(text("Empty answers, left out: {empty}.", empty=number(empty)))
        unpaired = result.total("unpaired_answers")
        if unpaired:
            sentences.append(
                text("Answers that could not be paired: {unpaired}.", unpaired=number(unpaired))
            )
        return sentences

    def state(self, chart: ChartHistory) -> str:
        """Return how a chart stands."""
        text = self.language.text
        if chart.first_alarm is not None:
            return text("alarm")
        return text("healthy") if chart.silent_since is None else text("no reading")

    def warnings(self) -> list[str]:
        """Return what speaks against promises, and what could not be charted.

        These are technical, and in English as the commands' errors are.
        """
        found = [warning for chart in self.result.charts for warning in chart.warnings]
        of_all = {one.text for one in self.result.missing_charts if not one.group}
        missing = [
            f"{one.text}{f' of {one.group}' if one.group else ''}: {one.reason}"
            for one in self.result.missing_charts
            # What all answers together lack, the groups lack too.
            if not one.group or one.text not in of_all
        ]
        return list(dict.fromkeys((*found, *missing)))
