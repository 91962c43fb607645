"""The sentences about a watched stream, in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass

from hayflick.detection.early_warning import Projection
from hayflick.monitor.watch_result import ChartHistory, WatchResult
from hayflick.report.language import Language, metric_label
from hayflick.report.rendering import shortened, significant

_NAMED = 10


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
        """Return the verdict in one line."""
        result, text = self.result, self.language.text
        if result.alarms:
            return text("Alarm: {metric}, since round {since}", **self._change(result.alarms[0]))
        if result.decisions:
            first = self.round_name(result.decisions[0].round)
            return text("The rules have decided, first in round {round}", round=first)
        if result.rules is not None:
            return text("Healthy: the rules have decided nothing")
        if not result.charts:
            return text("Nothing could be watched")
        if result.silent_since is not None:
            since = self.round_name(result.silent_since)
            return text("No reading since round {since}", since=since)
        return text("Healthy: no chart has alarmed since the baseline")

    def _change(self, chart: ChartHistory) -> dict[str, str]:
        assert chart.first_alarm is not None
        assert chart.since is not None
        return {
            "metric": self.subject(chart),
            "since": self.round_name(chart.since),
            "alarm": self.round_name(chart.first_alarm.round),
        }

    def subject(self, chart: ChartHistory) -> str:
        """Return the metric of a chart, and its group."""
        label = metric_label(chart.metric, self.language)
        if not chart.group:
            return label
        return self.language.text("{metric} of {group}", metric=label, group=shortened(chart.group))

    def round_name(self, number: int) -> str:
        """Return the name of a round."""
        return self.result.rounds[number - 1]

    def summary(self) -> list[str]:
        """Return the alarms, the rate of false alarms, the projections and what was left out."""
        sentences = [self.alarm_sentence(chart) for chart in self.result.alarms]
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
            sentences.append(text("Rows that were passed over: {bad}.", bad=bad))
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
        """Return why a guarantee may not hold, and which charts could not be made.

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
