"""A watched stream as the terminal shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayflick.monitor.watch_result import ChartHistory, WatchResult
from hayflick.report.language import Language
from hayflick.report.rules_decisions import decisions_tables
from hayflick.report.tables import printable, significant, table
from hayflick.report.watch_findings import WatchFindings

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_CHARTS, _TEMPLATES = 20, 8


def watch_tables(watched: WatchResult, *, lang: str = "en") -> tuple[RenderableType, ...]:
    """Return what the terminal shows: verdict, charts, phrases.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    findings = WatchFindings(watched, Language(lang))
    parts: list[RenderableType] = [findings.data(), findings.verdict(), *findings.summary()]
    parts += [printable(warning) for warning in findings.warnings()]
    if watched.charts:
        parts.append(_charts(findings))
    if len(watched.charts) > _CHARTS:
        more = findings.language.number(len(watched.charts) - _CHARTS)
        parts.append(
            findings.language.text("Further charts, in the page and the JSON: {more}.", more=more)
        )
    if watched.templates:
        parts.append(_templates(findings))
    if watched.rules is not None:
        rules, decided = watched.rules, watched.decided
        parts += decisions_tables(rules, decided, rounds=watched.rounds, lang=lang)
    return tuple(parts)


def _charts(findings: WatchFindings) -> Table:
    """Return the charts, those that have alarmed first."""
    text, watched = findings.language.text, findings.watched
    shown = table(
        text("watched"), text("chart"), text("state"), text("since"), text("now"), text("limit")
    )
    rest = [chart for chart in watched.charts if chart.first_alarm is None]
    for chart in [*watched.alarms, *rest][:_CHARTS]:
        shown.add_row(*cells(chart, findings))
    return shown


def cells(chart: ChartHistory, findings: WatchFindings) -> tuple[str, ...]:
    """Return a chart as a row: subject, chart, state, since, value now, limit."""
    alarm = chart.first_alarm
    since = "" if alarm is None else findings.round_name(alarm.since or alarm.round)
    known = [verdict.value for verdict in chart.verdicts if verdict.value is not None]
    return (
        printable(findings.subject(chart)),
        chart.text.partition("=")[2] if chart.text.startswith(chart.metric) else chart.text,
        findings.state(chart),
        printable(since),
        significant(known[-1]) if known and chart.silent_since is None else "–",
        "–" if chart.threshold is None else significant(chart.threshold),
    )


def _templates(findings: WatchFindings) -> Table:
    text, percent = findings.language.text, findings.language.percent
    shown = table(text("phrase"), text("baseline"), text("now"))
    for one in findings.watched.templates[:_TEMPLATES]:
        shown.add_row(printable(one.phrase), percent(one.baseline_rate), percent(one.present_rate))
    return shown
