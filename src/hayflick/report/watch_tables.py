"""The tables of a watch result: charts, groups, what can be found; which alarms are new."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hayflick.detection.power import HORIZONS, DetectableLoss
from hayflick.monitor.watch_result import ChartHistory, UnreadMetric, WatchResult
from hayflick.report.language import Language, metric_label
from hayflick.report.rendering import shortened, significant
from hayflick.report.watch_findings import WatchFindings
from hayflick.report.watched_numbers import WatchedNumber

if TYPE_CHECKING:
    from hayflick.report.watch_findings import WatchFindings
    from hayflick.rules.rule_set import StoppedWatch


_NAMED = 5


def news_record(result: WatchResult) -> dict[str, list[dict[str, str | None]]]:
    """Return the alarms by what was known of them, as plain values."""
    news = result.news
    return {
        name: [
            {"metric": chart.metric, "group": chart.group or None, "chart": chart.text}
            for chart in charts
        ]
        for name, charts in (
            ("new", news.new),
            ("standing", news.standing),
            ("cleared", news.cleared),
        )
    }


def news_sentences(findings: WatchFindings) -> list[str]:
    """Return what has changed since the last call; nothing without a state."""
    result, text = findings.result, findings.language.text
    known = result.known_alarms
    if known is None:
        return []
    news = result.news
    found: list[tuple[Sequence[ChartHistory], Any]] = [
        (news.new, text("New since the last call: {alarms}.", alarms=_named(news.new, findings))),
        (
            news.standing,
            text("Known before, and standing: {alarms}.", alarms=_named(news.standing, findings)),
        ),
        (
            news.cleared,
            text("Over since the last call: {alarms}.", alarms=_named(news.cleared, findings)),
        ),
    ]
    said = [sentence for charts, sentence in found if charts]
    return said or [text("Since the last call there is no new alarm.")]


def _named(charts: Sequence[ChartHistory], findings: WatchFindings) -> str:
    """Return the numbers of charts, each once."""
    names = list(dict.fromkeys(findings.subject(chart) for chart in charts))
    more = f" (+{len(names) - _NAMED})" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


@dataclass(frozen=True)
class WatchTables:
    """The rows of a watch result's tables, in one language."""

    findings: WatchFindings

    @property
    def language(self) -> Language:
        """The language of the rows."""
        return self.findings.language

    @property
    def result(self) -> WatchResult:
        """What is shown."""
        return self.findings.result

    def chart_headings(self) -> tuple[str, ...]:
        """Return the headings of `chart_row`."""
        text = self.language.text
        first = (text("watched"), text("chart"), text("state"), text("since"))
        return (*first, text("baseline"), text("now"), text("change"), text("limit"))

    def chart_row(self, chart: ChartHistory) -> tuple[str, ...]:
        """Return a chart as a row of a table."""
        since = "" if chart.since is None else self.findings.round_name(chart.since)
        known = [verdict.value for verdict in chart.verdicts if verdict.value is not None]
        number = WatchedNumber(chart.metric, chart.group, (chart,))
        change = chart.change
        return (
            self.findings.subject(chart),
            chart.text.partition("=")[2] if chart.text.startswith(chart.metric) else chart.text,
            self.findings.state(chart),
            since,
            "–" if change is None else significant(change.before),
            significant(known[-1]) if known and chart.silent_since is None else "–",
            self.findings.tile(number).change,
            self._limit(chart),
        )

    def _limit(self, chart: ChartHistory) -> str:
        """Return the limit of a chart: of the number, of the evidence, or in deviations."""
        if chart.threshold is not None:
            return significant(chart.threshold)
        if chart.limit is None:
            return "–"
        limit = significant(chart.limit)
        if chart.evidence is not None:
            return self.language.text("evidence {limit}", limit=limit)
        return self.language.text("{limit} sd", limit=limit)

    def group_rows(self) -> list[tuple[str, str, str, str, str]]:
        """Return the groups as rows: name, state, number that lost most, its change, since."""
        rows = []
        for group in self.findings.groups:
            worst = group.worst
            chart = worst.alarmed
            began = None if chart is None else chart.since
            rows.append(
                (
                    shortened(group.name),
                    self.findings.state_name(group.state),
                    metric_label(worst.metric, self.language),
                    self.findings.tile(worst).change,
                    "" if began is None else self.findings.round_name(began),
                )
            )
        return rows

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

    def not_charted(self) -> list[tuple[str, str]]:
        """Return what was asked for and has no chart or no reading, with the reason.

        Reasons that charts give are technical, and in English as the commands' errors are.
        """
        result, text = self.result, self.language.text
        of_all = {one.text for one in result.missing_charts if not one.group}
        rows = [
            (self.findings.named(one.metric, one.group), text(one.reason))
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
        # Two charts of one number may lack the same.
        return list(dict.fromkeys(rows)) + [self._idle(one) for one in result.idle_watches]

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
