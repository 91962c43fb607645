"""How a watch result is presented: plain values, tables, page, notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from statistics import median
from typing import TYPE_CHECKING, Any

import polars as pl

from hayflick.core.display_text import LONGEST_TEXT, distinct_names
from hayflick.core.records import State
from hayflick.monitor.grouping import grouping_delay, groups_apart
from hayflick.monitor.watch_result import ChartHistory, WatchResult
from hayflick.report.contamination import ContaminationFindings, contamination_record, terminal
from hayflick.report.contamination_charts import contamination_charts
from hayflick.report.language import Language, metric_label
from hayflick.report.rendering import notebook, render, shown_record, significant, table
from hayflick.report.rules_decisions import decisions_record, decisions_rows, decisions_tables
from hayflick.report.sparklines import sparkline
from hayflick.report.watch_charts import (
    chart_legend,
    group_pictures,
    number_chart,
    separation_chart,
)
from hayflick.report.watch_findings import WatchFindings
from hayflick.report.watch_tables import WatchTables, news_record, news_sentences
from hayflick.report.watched_baseline import dependence_record
from hayflick.report.watched_input import mix_record
from hayflick.report.watched_numbers import WatchedNumber, ordered

if TYPE_CHECKING:
    from rich.console import RenderableType

FORMAT_VERSION = 1
_MOST_ROWS, _MOST_MISSING, _MOST_LOST = 20, 8, 4
_MOST_TILES, _MOST_PICTURES, _MOST_GROUPS, _MOST_LINES = 8, 20, 2, 100
_MOST_CELLS = 20_000
"""Readings that a page carries; those of many groups would make most of it."""


def record(result: WatchResult) -> dict[str, Any]:
    """Return the result as plain values, ready for JSON; what is undefined is None."""
    return {
        "format_version": FORMAT_VERSION,
        "input": result.name,
        "answers": result.answers,
        "measured_answers": (
            result.answers if result.measured_answers is None else result.measured_answers
        ),
        "failed": dict(result.failed),
        "empty_answers": result.total("empty_answers"),
        "unpaired_answers": result.total("unpaired_answers"),
        "bad_rows": {
            "total": result.bad.total,
            "first": [{"row": row, "reason": reason} for row, reason in result.bad.first],
        },
        "rounds": list(result.rounds),
        "baseline": result.baseline,
        "baseline_from": result.baseline_from,
        "healthy": result.healthy,
        "verdict": result.verdict.value,
        "panel": None if result.panel is None else asdict(result.panel),
        "falling": [
            {"metric": chart.metric, "group": chart.group or None} for chart in result.falling
        ],
        "alarms": news_record(result),
        "charts": [_chart(chart, result.rounds) for chart in result.charts],
        "rules": None
        if result.rules is None
        else {
            **decisions_record(result.rules, result.decisions, rounds=result.rounds),
            "idle": [asdict(one) for one in result.idle_watches],
        },
        "not_charted": [asdict(one) for one in result.missing_charts],
        "short_rounds": [
            {**asdict(one), "rounds": list(one.rounds)} for one in result.short_rounds
        ],
        "mix_changes": mix_record(result),
        "not_measured": [asdict(one) for one in result.unread],
        "readings": {
            group: [dict(reading.values) for reading in readings]
            for group, readings in result.readings.items()
        },
        "groups": _groups(result),
        "templates": [{**asdict(one), "lost": one.lost} for one in result.templates],
        "typical": {"first": list(result.typical_first), "last": list(result.typical_last)},
        "contamination": contamination_record(result.contamination),
        "provenance": result.provenance(),
    }


def _groups(result: WatchResult) -> dict[str, Any] | None:
    """Return how far apart the groups are, and what grouping costs; None without groups."""
    if not result.groups:
        return None
    apart, delay = groups_apart(result), grouping_delay(result)
    return {
        "separation": {
            name: None if found is None else {**asdict(found), "is_clear": found.is_clear}
            for name, found in (("before", apart.before), ("now", apart.now))
        },
        "delay": None if delay is None else asdict(delay),
    }


def _state(chart: ChartHistory) -> State:
    if chart.first_alarm is not None:
        return State.ALARM
    if not chart.read:
        return State.NO_READING
    return State.FALLING if chart.has_fallen else State.HEALTHY


def _chart(chart: ChartHistory, rounds: Sequence[str]) -> dict[str, Any]:
    alarm = chart.first_alarm
    return {
        "metric": chart.metric,
        "group": chart.group or None,
        "chart": chart.text,
        "state": _state(chart).value,
        "since": rounds[chart.since - 1] if chart.since else None,
        "first_alarm": rounds[alarm.round - 1] if alarm else None,
        "cleared": None if chart.cleared is None else chart.cleared.name,
        "threshold": chart.threshold,
        "baseline_readings": chart.baseline,
        "weight": chart.weight,
        "evidence": chart.evidence,
        "change": None
        if chart.change is None
        else {**asdict(chart.change), "loss": chart.change.loss},
        "detectable": [asdict(one) for one in chart.power],
        "dependence": dependence_record(chart.dependence),
        "warnings": list(chart.warnings),
        "projection": None if chart.projection is None else asdict(chart.projection),
        "verdicts": [
            {
                "round": rounds[verdict.round - 1],
                "state": verdict.state.value,
                "value": verdict.value,
                "statistic": verdict.statistic,
                "limit": verdict.limit,
                "evidence": verdict.evidence,
            }
            for verdict in chart.verdicts
        ],
    }


def tables(result: WatchResult, *, lang: str = "en") -> Sequence[RenderableType]:
    """Return what the terminal shows: verdict, what fell, charts, phrases."""
    language = Language(lang)
    text, percent = language.text, language.percent
    findings = WatchFindings(result, language)
    parts: list[RenderableType] = [findings.verdict(), *findings.story(), *findings.advice()]
    parts += [*news_sentences(findings), findings.data()]
    parts += [*findings.promises(), *findings.movements(), *findings.omissions()]
    parts += findings.warnings()
    gained, lost = findings.phrases()
    if gained or lost:
        phrases = table(text("phrase"), text("baseline"), text("now"))
        for one in (*gained, *lost[:_MOST_LOST]):
            shares = percent(one.baseline_rate), percent(one.present_rate)
            phrases.add_row(one.phrase, *shares)
        parts.append(phrases)
    if result.charts:
        shown = WatchTables(findings)
        charts = table(*_narrow(shown.chart_headings()))
        for chart in result.alarmed_first[:_MOST_ROWS]:
            charts.add_row(*_narrow(shown.chart_row(chart)))
        parts.append(charts)
    if len(result.charts) > _MOST_ROWS:
        more = language.number(len(result.charts) - _MOST_ROWS)
        parts.append(text("Further charts, in the page and the JSON: {more}.", more=more))
    parts += _not_charted(findings)
    parts += _power(findings)
    if result.rules is not None:
        rules, decisions = result.rules, result.decisions
        parts += decisions_tables(rules, decisions, rounds=result.rounds, lang=lang)
    return [*parts, *terminal(result.contamination, language)]


def _narrow(row: Sequence[str]) -> tuple[str, ...]:
    """Return a row of the charts without what the terminal has no room for: the baseline."""
    return (*row[:4], *row[5:])


def _not_charted(findings: WatchFindings) -> list[RenderableType]:
    """Return what was asked for and is not charted, as a table."""
    text, rows = findings.language.text, WatchTables(findings).not_charted()
    if not rows:
        return []
    missing = table(text("not charted"), text("reason"))
    missing.columns[1].justify = "left"
    for row in rows[:_MOST_MISSING]:
        missing.add_row(*row)
    if len(rows) <= _MOST_MISSING:
        return [missing]
    more = findings.language.number(len(rows) - _MOST_MISSING)
    return [missing, text("And {number} more.", number=more)]


def _power(findings: WatchFindings) -> list[RenderableType]:
    """Return the losses that the panel can find, as a table."""
    shown, text = WatchTables(findings), findings.language.text
    rows = shown.power()
    if not rows:
        return []
    found = table(*shown.power_headings())
    for row in rows:
        found.add_row(*row)
    return [text("What this baseline can find, with a probability of 80 %:"), found]


def page(result: WatchResult, *, lang: str = "en") -> str:
    """Return the result as one self-contained HTML page."""
    language = Language(lang)
    findings = WatchFindings(result, language)
    pictured = pictured_numbers(findings)
    found = result.contamination
    followed = None if found is None else ContaminationFindings(found, language)
    return render(
        "watch.html.jinja",
        "style.css",
        language,
        sources=result.sources,
        **page_values(findings),
        states=_states(result),
        contamination=followed,
        charts=() if followed is None else contamination_charts(followed),
        panel=[(findings.tile(one), number_chart(one, findings)) for one in pictured],
        legend=chart_legend(pictured, findings),
        separation=separation_chart(findings) if result.groups else None,
        readings=_readings(result),
        provenance=shown_record(result.provenance()),
    )


def page_values(findings: WatchFindings) -> dict[str, Any]:
    """Return what the parts of the page show, the charts and the tables for files apart."""
    result, shown = findings.result, WatchTables(findings)
    missing, decided = shown.not_charted(), result.decisions[:_MOST_LINES]
    return {
        "result": result,
        "findings": findings,
        "news": news_sentences(findings),
        "shown": shown,
        "rows": [shown.chart_row(chart) for chart in result.alarmed_first[:_MOST_LINES]],
        "further": max(0, len(result.charts) - _MOST_LINES),
        "missing": missing[:_MOST_LINES],
        "further_missing": max(0, len(missing) - _MOST_LINES),
        "power": shown.power(),
        "tiles": [findings.tile(one) for one in findings.numbers[:_MOST_TILES]],
        "phrases": findings.phrases(),
        "groups": group_pictures(findings),
        "group_rows": shown.group_rows()[:_MOST_LINES],
        "lines": _lines(findings),
        "decisions": decisions_rows(decided, rounds=result.rounds, language=findings.language),
        "further_decisions": len(result.decisions) - len(decided),
    }


def pictured_numbers(findings: WatchFindings) -> list[WatchedNumber]:
    """Return the numbers that have a picture: those of all answers, and groups that alarmed."""
    of_groups = [group.numbers[0] for group in findings.groups if group.state is State.ALARM]
    return ordered([*findings.numbers[:_MOST_PICTURES], *of_groups[:_MOST_GROUPS]])


def _lines(findings: WatchFindings) -> list[tuple[str, str, str, str]]:
    """Return every metric of all answers: name, median of the baseline, last value, line."""
    result, rows = findings.result, []
    for metric in result.metrics():
        values = result.series(metric)
        healthy = [one for one in values[: result.baseline] if one is not None]
        last = next((one for one in reversed(values) if one is not None), None)
        rows.append(
            (
                metric_label(metric, findings.language),
                significant(median(healthy)) if healthy else "–",
                "–" if last is None else significant(last),
                sparkline(values, baseline=result.baseline),
            )
        )
    return rows


def _readings(result: WatchResult) -> pl.DataFrame:
    """Return the readings for a file; of many groups, only those of all answers together."""
    labels = distinct_names(result.rounds, longest=LONGEST_TEXT)
    metrics = result.metrics()
    cells = len(result.readings) * len(labels) * len(metrics)
    groups = list(result.readings) if cells <= _MOST_CELLS else [""]
    parts = [
        pl.DataFrame(
            {
                "round": range(1, len(labels) + 1),
                "label": labels,
                "group": [group] * len(labels),
                **{name: result.series(name, group=group) for name in metrics},
            },
            schema_overrides=dict.fromkeys(metrics, pl.Float64),
        )
        for group in groups
    ]
    return pl.concat(parts)


def _states(result: WatchResult) -> pl.DataFrame:
    """Return the state of every chart, and the reason of each that could not be made."""
    rows: list[dict[str, Any]] = []
    for chart in result.alarmed_first:
        one = _chart(chart, result.rounds)
        rows.append({name: one[name] for name in _STATES[:-1]})
    for missing in result.missing_charts:
        named = {"metric": missing.metric, "group": missing.group or None, "chart": missing.text}
        rows.append({**named, "state": "not charted", "reason": missing.reason})
    kinds = {name: pl.Float64 if name == "threshold" else pl.String for name in _STATES}
    return pl.DataFrame(rows, schema=kinds)


_STATES = ("metric", "group", "chart", "state", "since", "first_alarm", "threshold", "reason")


def fragment(result: WatchResult) -> str:
    """Return what a notebook shows, as HTML."""
    findings = WatchFindings(result, Language("en"))
    charts = [number_chart(one, findings) for one in pictured_numbers(findings)[:1]]
    return notebook(findings.verdict(), findings.summary(), charts, sources=result.sources)
