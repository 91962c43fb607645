"""What is said of the baseline of a watched stream: whether its rounds depend on one another."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from hayflick.detection.dependence import CHANCE, DependenceTests, share_seen
from hayflick.monitor.watch_result import ChartHistory, WatchResult
from hayflick.report.language import Language, metric_label
from hayflick.report.rendering import shortened

_NAMED, _CLEAR = 10, 30


def dependence_record(tests: DependenceTests | None) -> dict[str, Any] | None:
    """Return the tests of a baseline, ready for JSON; what is undefined is None."""
    if tests is None:
        return None
    numbers = {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in asdict(tests).items()
    }
    trend = "falls" if tests.falls else "rises" if tests.rises else None
    return {**numbers, "trends": trend, "is_autocorrelated": tests.is_autocorrelated}


def dependence_sentences(result: WatchResult, language: Language) -> list[str]:
    """Return what the tests of the baselines found, and what they could have found."""
    text = language.text
    tested = _tested(result)
    whole = [one for one in tested if not one.group]
    found = [one for one in whole if _tests(one).found]
    groups = list(dict.fromkeys(one.group for one in tested if one.group and _tests(one).found))
    if not tested:
        return []
    if not found and not groups:
        return _unseen(whole or tested, language)
    sentences = [
        _capitalised(text(note.message, **note.values), one.metric, language)
        for one in found
        for note in _tests(one).notes(metric_label(one.metric, language))
    ]
    if groups:
        message = text(
            "Groups with a trend or autocorrelation in a baseline, {number} of {all}: {groups}",
            number=language.number(len(groups)),
            all=language.number(len({one.group for one in tested if one.group})),
            groups=_names(groups),
        )
        sentences.append(message)
    by_chance = text(
        "Tested for trend and autocorrelation: {numbers} baselines. Each of the two tests finds "
        "something by chance in {chance} of healthy ones.",
        numbers=language.number(len(tested)),
        chance=language.percent(CHANCE, digits=0),
    )
    return [*sentences, by_chance]


def _capitalised(sentence: str, metric: str, language: Language) -> str:
    """Return a sentence that begins with a name; a column of the user's keeps its letters."""
    ours = metric_label(metric, language) != metric
    return sentence[:1].upper() + sentence[1:] if ours else sentence


def _unseen(tested: list[ChartHistory], language: Language) -> list[str]:
    """Return how much the silence of the tests means, where that is little."""
    readings = min(_tests(one).readings for one in tested)
    if readings >= _CLEAR:
        return []
    return [
        language.text(
            "The baseline shows no trend and no autocorrelation. That proves little: of baselines "
            "of {readings} rounds that depend on one another (coefficient .5), {share} are found.",
            readings=language.number(readings),
            share=language.percent(share_seen(readings), digits=0),
        )
    ]


def _tested(result: WatchResult) -> list[ChartHistory]:
    """Return a chart of each number whose baseline could be tested."""
    charts: dict[tuple[str, str], ChartHistory] = {}
    for chart in result.charts:
        if chart.dependence is not None and chart.dependence.was_possible:
            charts.setdefault((chart.metric, chart.group), chart)
    return list(charts.values())


def _tests(chart: ChartHistory) -> DependenceTests:
    assert chart.dependence is not None
    return chart.dependence


def other_warnings(chart: ChartHistory) -> list[str]:
    """Return the warnings of a chart that are not those of the tests of its baseline."""
    said = [] if chart.dependence is None else map(str, chart.dependence.notes(chart.metric))
    known = set(said)
    return [warning for warning in chart.warnings if warning not in known]


def short_rounds(result: WatchResult, language: Language) -> list[str]:
    """Return which rounds are too short for a number, a sentence for each set of rounds."""
    numbers: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for one in sorted(result.short_rounds, key=lambda one: bool(one.group)):
        numbers.setdefault((one.group, one.rounds), []).append(one.metric)
    return [_short(*one, named, language) for one, named in list(numbers.items())[:_NAMED]]


def _short(group: str, rounds: tuple[str, ...], metrics: list[str], language: Language) -> str:
    name = ", ".join(metric_label(metric, language) for metric in metrics)
    if group:
        name = language.text("{metric} of {group}", metric=name, group=shortened(group))
    return language.text(
        "Rounds with less than half of the smallest baseline round, without a reading of "
        "{metric}, {number} of them: {rounds}.",
        metric=name,
        number=language.number(len(rounds)),
        rounds=_names(rounds),
    )


def _names(names: list[str] | tuple[str, ...]) -> str:
    more = f" (+{len(names) - _NAMED})" if len(names) > _NAMED else ""
    return ", ".join(map(shortened, names[:_NAMED])) + more
