"""The sentences about a watched stream, in the reader's language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from hayflick.core.records import State
from hayflick.detection.early_warning import Projection
from hayflick.detection.power import LONGER
from hayflick.diversity.phrases import Template
from hayflick.monitor.grouping import GroupsApart, grouping_delay, groups_apart
from hayflick.monitor.panel import FALLING_SHARE
from hayflick.monitor.watch_result import ChartHistory, MetricChange, WatchResult
from hayflick.report import drawing
from hayflick.report.language import Language, metric_label
from hayflick.report.rendering import shortened, significant
from hayflick.report.watched_baseline import dependence_sentences, other_warnings, short_rounds
from hayflick.report.watched_input import joined_names, mix_sentences, watched_input
from hayflick.report.watched_numbers import (
    Tile,
    WatchedGroup,
    WatchedNumber,
    watched_groups,
    watched_numbers,
)

_NAMED = 10
_SENTENCES = 10
_WARNINGS = 20
_PHRASES, _NEARLY = 8, 0.75


def _is_part(phrase: Template, longer: Template) -> bool:
    """Return whether a phrase is said almost only as a part of a longer one."""
    spaced = f" {phrase.phrase} ".lower() in f" {longer.phrase} ".lower()
    unspaced = " " not in longer.phrase and phrase.phrase in longer.phrase
    if not spaced and not unspaced:
        return False
    most = max(phrase.present_rate, phrase.baseline_rate)
    return max(longer.present_rate, longer.baseline_rate) > _NEARLY * most


@dataclass(frozen=True)
class WatchFindings:
    """The sentences about a watch result, in one language."""

    result: WatchResult
    language: Language

    def data(self) -> str:
        """Return what was read, and what is missing."""
        return watched_input(self.result, self.language)

    def verdict(self) -> str:
        """Return the verdict in one line, with what was asked for and is not charted."""
        verdict, missing = self._verdict(), self._uncharted()
        if not missing or self.result.verdict is State.ALARM:
            return verdict
        return self.language.text(
            "{verdict}; not charted: {missing}", verdict=verdict, missing=missing
        )

    def verdict_class(self) -> str:
        """Return the name of the verdict's style."""
        return self.result.verdict.value.replace(" ", "-")

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
        if result.falling:
            names = [self._fallen(chart) for chart in result.falling]
            return text("Falling, without an alarm: {metrics}", metrics=", ".join(names[:_NAMED]))
        if result.rules is not None:
            return text("Healthy: the rules have decided nothing")
        if not result.charts:
            return text("Nothing could be watched")
        if result.silent_since is not None:
            since = self.round_in_words(result.silent_since)
            if any(chart.group and chart.silent_since is None for chart in result.charts):
                return text("No reading of all answers since round {since}", since=since)
            return text("No reading since round {since}", since=since)
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
        return self.named(chart.metric, chart.group)

    def named(self, metric: str, group: str) -> str:
        """Return the name of a metric, and a group if it is one's."""
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

    def story(self) -> list[str]:
        """Return what has fallen, by how much and since when, a sentence for each number."""
        told = [one for one in self.numbers if one.state in (State.ALARM, State.FALLING)]
        sentences = [self.number_sentence(one) for one in told[:_SENTENCES]]
        if len(told) > _SENTENCES:
            more = self.language.number(len(told) - _SENTENCES)
            sentences.append(
                self.language.text("Further numbers that have moved: {more}.", more=more)
            )
        return [*sentences, *self.story_of_groups(), *self._steady()]

    def story_of_groups(self) -> list[str]:
        """Return which groups have fallen silent, alarmed and fallen, a sentence each."""
        messages = {
            State.ALARM: self.language.text(
                "Groups that have alarmed, {number} of {all}: {groups}.",
                **self._groups_in(State.ALARM),
            ),
            State.FALLING: self.language.text(
                "Groups that have fallen without an alarm, {number} of {all}: {groups}.",
                **self._groups_in(State.FALLING),
            ),
        }
        states = {group.state for group in self.groups}
        moved = [message for state, message in messages.items() if state in states]
        return [*mix_sentences(self.result, self.language), *moved]

    def advice(self) -> list[str]:
        """Return what tells a loss without an alarm from chance; nothing for another verdict."""
        if self.result.verdict is not State.FALLING:
            return []
        return [
            self.language.text(
                "hayflick compare of the answers before and after tells a sudden loss from chance."
            )
        ]

    def _groups_in(self, state: State) -> dict[str, str]:
        """Return the number and the names of groups in a state, with what they lost."""
        chosen = [group for group in self.groups if group.state is state]
        named = []
        for group in chosen[:_NAMED]:
            tile = self.tile(group.worst)
            chart = group.worst.alarmed
            when = "" if chart is None or chart.since is None else self._since(chart.since)
            named.append(f"{shortened(group.name)} ({tile.change}{when})")
        more = f" (+{len(chosen) - _NAMED})" if len(chosen) > _NAMED else ""
        number = self.language.number
        return {
            "number": number(len(chosen)),
            "all": number(len(self.groups)),
            "groups": ", ".join(named) + more,
        }

    def _since(self, since: int) -> str:
        found = self.language.text("since round {since}", since=self.round_in_words(since))
        return f", {found}"

    def _steady(self) -> list[str]:
        """Return what is said where nothing has alarmed or fallen."""
        result = self.result
        if result.verdict is not State.HEALTHY or result.panel is None:
            return []
        return [
            self.language.text(
                "No number has lost more than {share} beyond the scatter of its baseline.",
                share=self.language.percent(FALLING_SHARE, digits=0),
            )
        ]

    def summary(self) -> list[str]:
        """Return what has fallen, the rate of false alarms and what was left out."""
        told = [*self.story(), *self.advice()]
        return [*told, *self.promises(), *self.movements(), *self.omissions()]

    @cached_property
    def numbers(self) -> list[WatchedNumber]:
        """The numbers of all answers together that are charted, the alarmed ones first."""
        return watched_numbers(self.result)

    @cached_property
    def groups(self) -> list[WatchedGroup]:
        """The groups that are charted, the alarmed ones first, then by loss."""
        return watched_groups(self.result)

    def number_subject(self, number: WatchedNumber) -> str:
        """Return the name of a number, and its group."""
        return self.named(number.metric, number.group)

    def title(self, number: WatchedNumber) -> str:
        """Return the name of a number as a heading; a column of the user's keeps its letters."""
        return self._capitalised(self.number_subject(number), number)

    def _capitalised(self, text: str, number: WatchedNumber) -> str:
        # In other languages a sentence may begin with the name of a group.
        english = self.language.code == "en"
        ours = english and metric_label(number.metric, self.language) != number.metric
        return text[:1].upper() + text[1:] if ours else text

    def number_sentence(self, number: WatchedNumber) -> str:
        """Return how a number has changed, and since when."""
        return self._capitalised(self._number_sentence(number), number)

    def _number_sentence(self, number: WatchedNumber) -> str:
        change, loss, chart = number.change, number.loss, number.alarmed
        if chart is None:
            assert change is not None
            assert loss is not None
            return self._moved(number, change, loss)
        if change is None or loss is None or loss <= 0.0:
            return self.alarm_sentence(chart)
        return self.language.text(
            "{metric} has fallen by {share}, from {before} to {now}: first alarm in round {alarm}; "
            "the change began about round {since}.",
            share=self.language.percent(loss),
            before=significant(change.before),
            now=significant(change.now),
            **self._change(chart),
        )

    def tile(self, number: WatchedNumber) -> Tile:
        """Return a number in a few words: its state, its change, and since when."""
        change, loss = number.change, number.loss
        share = "–"
        if loss is not None:
            sign = "−" if loss > 0.0 else "+"
            share = f"{sign}{self.language.percent(abs(loss))}"
        values = (
            "–" if change is None else f"{significant(change.before)} → {significant(change.now)}"
        )
        return Tile(
            subject=self.title(number),
            state=number.state.value.replace(" ", "-"),
            state_name=self.state_name(number.state),
            change=share,
            values=values,
            when=self._when(number),
        )

    def _when(self, number: WatchedNumber) -> str:
        """Return since when a number has been in its state, or how near an alarm is."""
        text = self.language.text
        if number.alarmed is not None:
            return text("since round {since}, alarm in round {alarm}", **self._when_of(number))
        silent = [chart.silent_since for chart in number.charts]
        if number.state is State.NO_READING and silent[0] is not None:
            return text("since round {since}", since=self.round_in_words(silent[0]))
        evidence, limit = self.evidence(number)
        if limit == "–":
            return ""
        return text("evidence {evidence}, an alarm at {limit}", evidence=evidence, limit=limit)

    def _when_of(self, number: WatchedNumber) -> dict[str, str]:
        assert number.alarmed is not None
        found = self._change(number.alarmed)
        return {"since": found["since"], "alarm": found["alarm"]}

    def promises(self) -> list[str]:
        """Return the rates of false alarms: of the panel, and of guaranteed charts beside it."""
        text, number, panel = self.language.text, self.language.number, self.result.panel
        found = []
        charts = sum(chart.weight is not None for chart in self.result.charts)
        if panel is not None and charts and panel.form == "sum":
            found.append(
                text(
                    "Charts of the panel: {charts}; together, a healthy stream gives at most one "
                    "false alarm in {rounds} rounds on average, if its rounds do not depend on one "
                    "another.",
                    charts=number(charts),
                    rounds=number(round(1.0 / panel.false_alarms)),
                )
            )
        elif panel is not None and charts:
            found.append(
                text(
                    "Charts of the panel: {charts}; together, a healthy stream ever gives a false "
                    "alarm with a probability of at most {chance}, if its rounds do not depend on "
                    "one another.",
                    charts=number(charts),
                    chance=self.language.percent(panel.false_alarms),
                )
            )
        rates = [chart.rate for chart in self.result.charts if chart.rate is not None]
        if rates:
            found.append(
                text(
                    "Guaranteed charts: {charts}; together, a healthy stream gives at most one "
                    "false alarm in {rounds} rounds on average.",
                    charts=number(len(rates)),
                    rounds=number(round(1.0 / sum(rates))),
                )
            )
        return found

    def movements(self, *, groups: bool = True) -> list[str]:
        """Return what has moved without an alarm or a clear loss, and where losses lead to.

        What is said of the groups comes last, if it is wanted.
        """
        found = []
        for one in self.numbers:
            change, loss = one.change, one.loss
            is_panel = any(chart.weight is not None for chart in one.charts)
            if is_panel and change is not None and loss is not None:
                moved = abs(loss) > FALLING_SHARE and one.state is not State.FALLING
                found += [self.number_sentence(one)] if moved and not one.alarmed else []
            if one.alarmed is None and one.state is not State.NO_READING:
                found += [said for chart in one.charts for said in self._projection(chart)][:1]
        return [*found, *self.of_groups()] if groups else found

    def of_groups(self) -> list[str]:
        """Return how far apart the groups are, and what grouping costs."""
        if not self.result.groups:
            return []
        return [*self.separation(), *self._delay()]

    def separation(self, found: GroupsApart | None = None) -> list[str]:
        """Return how far apart the groups are, in words; nothing where it is unknown."""
        apart, text = found or groups_apart(self.result), self.language.text
        if apart.now is None:
            return []
        now = f"{apart.now.ratio:.2f}"
        meaning = text("1.00 would mean that they cannot be told apart.")
        if apart.before is None:
            said = text("The groups are {now} times as far apart as chance alone makes.", now=now)
            return [self.language.joined(said, meaning)]
        said = text(
            "The groups are {now} times as far apart as chance alone makes ({before} times in the "
            "baseline).",
            now=now,
            before=f"{apart.before.ratio:.2f}",
        )
        if apart.merged:
            meaning = text("They can no longer be told apart: 1.00 is what chance alone gives.")
        elif apart.alike:
            meaning = text("They cannot be told apart: 1.00 is what chance alone gives.")
        return [self.language.joined(said, meaning)]

    def _delay(self) -> list[str]:
        delay, number = grouping_delay(self.result), self.language.number
        if delay is None:
            return []
        return [
            self.language.text(
                "Grouping by {groups} costs time: a steady fall of all answers that would be found "
                "within {without} rounds is found within {of_all}; a fall of one group, as large "
                "against its own scatter, within {of_group}.",
                groups=number(delay.groups),
                without=number(delay.without),
                of_all=self._within(delay.of_all, delay.without),
                of_group=self._within(delay.of_group, delay.without),
            )
        ]

    def _within(self, rounds: int | None, without: int) -> str:
        number = self.language.number
        return number(rounds) if rounds is not None else f"> {number(LONGER * without)}"

    def _moved(self, number: WatchedNumber, change: MetricChange, loss: float) -> str:
        """Return how a number has moved without an alarm."""
        text, percent = self.language.text, self.language.percent
        values = {
            "metric": self.number_subject(number),
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
        evidence, limit = self.evidence(number)
        if limit == "–":
            return text("{metric} has fallen by {share}: from {before} to {now}.", **values)
        return text(
            "{metric} has fallen by {share}: from {before} to {now}; evidence {evidence} of the "
            "{limit} that alarm.",
            **values,
            evidence=evidence,
            limit=limit,
        )

    def evidence(self, number: WatchedNumber) -> tuple[str, str]:
        """Return the evidence that is nearest to its limit, and that limit; dashes for none."""
        chart = number.nearest
        if chart is None or chart.evidence is None or chart.limit is None:
            return "–", "–"
        return significant(max(1.0, chart.evidence)), significant(chart.limit)

    def lead(self) -> str:
        """Return what the verdict means, for the line below it; empty where the verdict says it."""
        result = self.result
        if result.alarms:
            return self.number_sentence(self._number_of(result.alarms[0]))
        if result.falling:
            return self.number_sentence(self._number_of(result.falling[0]))
        return self.language.joined(*self._steady())

    def headline(self) -> str:
        """Return the verdict alone."""
        return self._verdict()

    def not_watched(self) -> str:
        """Return what was asked for and is not charted, as a sentence; empty for nothing."""
        missing = self._uncharted()
        if not missing:
            return ""
        return self.language.text(
            "Not charted, for reasons given below: {missing}.", missing=missing
        )

    def largest_share(self) -> float:
        """Return the largest share of a phrase, which the bars are drawn against."""
        found = self.result.templates
        return max((max(one.present_rate, one.baseline_rate) for one in found), default=1.0)

    def bar_colour(self) -> str:
        """Return the colour of phrases that became more frequent: red where something fell."""
        fell = self.result.verdict in (State.ALARM, State.FALLING)
        return drawing.LIMIT if fell else drawing.SIMULATED

    @property
    def watched(self) -> set[str]:
        """The metrics that are charted."""
        return {chart.metric for chart in self.result.charts}

    def _number_of(self, chart: ChartHistory) -> WatchedNumber:
        everything = [*self.numbers, *(one for group in self.groups for one in group.numbers)]
        return next(one for one in everything if chart in one.charts)

    def phrases(self) -> tuple[list[Template], list[Template]]:
        """Return the phrases that have become frequent, and those that were lost.

        Of phrases that are parts of one another at nearly the same rates, the longest is shown.
        """
        found: list[Template] = []
        for one in sorted(self.result.templates, key=lambda one: -len(one.phrase)):
            if not any(_is_part(one, longer) for longer in found):
                found.append(one)
        found.sort(key=lambda one: -abs(one.present_rate - one.baseline_rate))
        gained = [one for one in found if not one.lost][:_PHRASES]
        return gained, [one for one in found if one.lost][:_PHRASES]

    def alarm_sentence(self, chart: ChartHistory) -> str:
        """Return when a chart has alarmed, and at what mean."""
        sentence = self.language.text(
            "{metric}: first alarm in round {alarm}; the change began about round {since}.",
            **self._change(chart),
        )
        alarm = chart.first_alarm
        if alarm is None or alarm.value is None:
            return sentence
        if chart.threshold is None:
            if alarm.statistic is None or alarm.limit is None or alarm.evidence is not None:
                return sentence
            deviations = self.language.text(
                "Its value was {value} then; its chart stood at {statistic} standard deviations, "
                "{limit} is the limit.",
                value=significant(alarm.value),
                statistic=significant(alarm.statistic),
                limit=significant(alarm.limit),
            )
            return self.language.joined(sentence, deviations)
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

    def omissions(self) -> list[str]:
        """Return what was left out."""
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
        sentences += short_rounds(result, self.language)
        if empty := result.total("empty_answers"):
            sentences.append(text("Empty answers, left out: {empty}.", empty=number(empty)))
        if unpaired := result.total("unpaired_answers"):
            shown = number(unpaired)
            sentences.append(text("Answers that could not be paired: {unpaired}.", unpaired=shown))
        return sentences

    def state(self, chart: ChartHistory) -> str:
        """Return the state of a chart: alarm, falling, healthy or no reading."""
        if chart.first_alarm is not None and chart.cleared is None:
            return self.state_name(State.ALARM)
        if chart.cleared is not None:
            over = self.round_in_words(chart.cleared.round)
            return self.language.text("alarm, over in round {round}", round=over)
        if chart.silent_since is not None:
            return self.state_name(State.NO_READING)
        return self.state_name(State.FALLING if chart.has_fallen else State.HEALTHY)

    def state_name(self, state: State) -> str:
        """Return a state in the reader's language."""
        text = self.language.text
        names = {
            State.ALARM: text("alarm"),
            State.FALLING: text("falling"),
            State.HEALTHY: text("healthy"),
            State.NO_READING: text("no reading"),
        }
        return names[state]

    def warnings(self) -> list[str]:
        """Return why a guarantee may not hold: what the baseline shows, and what charts say.

        What charts say is technical, and in English as the commands' errors are.
        """
        charts = self.result.alarmed_first
        said = dict.fromkeys(warning for chart in charts for warning in other_warnings(chart))
        found = [*dependence_sentences(self.result, self.language), *said]
        if len(found) <= _WARNINGS:
            return found
        more = self.language.number(len(found) - _WARNINGS)
        further = self.language.text("Further warnings, in the JSON: {more}.", more=more)
        return [*found[:_WARNINGS], further]
