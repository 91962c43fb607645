"""How a watch result is presented: plain values, tables, page, notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import polars as pl

from hayflick.monitor.watch_result import ChartHistory, WatchResult
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, render, shown_record, significant, table
from hayflick.report.rules_decisions import decisions_record, decisions_rows, decisions_tables
from hayflick.report.watch_charts import history_chart, metric_chart
from hayflick.report.watch_findings import WatchFindings

if TYPE_CHECKING:
    from rich.console import RenderableType

FORMAT_VERSION = 1
_MOST_ROWS, _MOST_MISSING, _MOST_PHRASES = 20, 8, 8
_MOST_PICTURES, _MOST_LINES = 24, 100


def record(result: WatchResult) -> dict[str, Any]:
    """Return the result as plain values, ready for JSON; what is undefined is None."""
    return {
        "format_version": FORMAT_VERSION,
        "input": result.name,
        "answers": result.answers,
        "empty_answers": result.total("empty_answers"),
        "unpaired_answers": result.total("unpaired_answers"),
        "bad_rows": {
            "total": result.bad.total,
            "first": [{"row": row, "reason": reason} for row, reason in result.bad.first],
        },
        "rounds": list(result.rounds),
        "baseline": result.baseline,
        "healthy": result.healthy,
        "verdict": result.verdict.value,
        "panel": None if result.panel is None else asdict(result.panel),
        "falling": [
            {"metric": chart.metric, "group": chart.group or None} for chart in result.falling
        ],
        "charts": [_chart(chart, result.rounds) for chart in result.charts],
        "rules": None
        if result.rules is None
        else {
            **decisions_record(result.rules, result.decisions, rounds=result.rounds),
            "idle": [asdict(one) for one in result.idle_watches],
        },
        "not_charted": [asdict(one) for one in result.missing_charts],
        "not_measured": [asdict(one) for one in result.unread],
        "readings": {
            group: [dict(reading.values) for reading in readings]
            for group, readings in result.readings.items()
        },
        "templates": [{**asdict(one), "lost": one.lost} for one in result.templates],
        "typical": {"first": list(result.typical_first), "last": list(result.typical_last)},
        "provenance": result.provenance(),
    }


def _chart(chart: ChartHistory, rounds: Sequence[str]) -> dict[str, Any]:
    alarm = chart.first_alarm
    return {
        "metric": chart.metric,
        "group": chart.group or None,
        "chart": chart.text,
        "state": "alarm" if alarm else "healthy" if chart.read else "no reading",
        "since": rounds[chart.since - 1] if chart.since else None,
        "first_alarm": rounds[alarm.round - 1] if alarm else None,
        "threshold": chart.threshold,
        "baseline_readings": chart.baseline,
        "weight": chart.weight,
        "evidence": chart.evidence,
        "change": None
        if chart.change is None
        else {**asdict(chart.change), "loss": chart.change.loss},
        "detectable": [asdict(one) for one in chart.power],
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
    """Return what the terminal shows: verdict, charts, phrases."""
    language = Language(lang)
    text, percent = language.text, language.percent
    findings = WatchFindings(result, language)
    parts: list[RenderableType] = [findings.data(), findings.verdict(), *findings.summary()]
    parts += findings.warnings()
    if result.charts:
        charts = table(
            text("watched"), text("chart"), text("state"), text("since"), text("now"), text("limit")
        )
        for chart in result.alarmed_first[:_MOST_ROWS]:
            charts.add_row(*_cells(chart, findings))
        parts.append(charts)
    if len(result.charts) > _MOST_ROWS:
        more = language.number(len(result.charts) - _MOST_ROWS)
        parts.append(text("Further charts, in the page and the JSON: {more}.", more=more))
    parts += _not_charted(findings)
    parts += _power(findings)
    if result.templates:
        phrases = table(text("phrase"), text("baseline"), text("now"))
        for one in result.templates[:_MOST_PHRASES]:
            shares = percent(one.baseline_rate), percent(one.present_rate)
            phrases.add_row(one.phrase, *shares)
        parts.append(phrases)
    if result.rules is not None:
        rules, decisions = result.rules, result.decisions
        parts += decisions_tables(rules, decisions, rounds=result.rounds, lang=lang)
    return parts


def _not_charted(findings: WatchFindings) -> list[RenderableType]:
    """Return what was asked for and is not charted, as a table."""
    text, rows = findings.language.text, findings.not_charted()
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
    rows, text = findings.power(), findings.language.text
    if not rows:
        return []
    found = table(*findings.power_headings())
    for row in rows:
        found.add_row(*row)
    return [text("What this baseline can find, with a probability of 80 %:"), found]


def _cells(chart: ChartHistory, findings: WatchFindings) -> tuple[str, ...]:
    """Return a chart as a row: subject, chart, state, since, value now, limit."""
    since = "" if chart.since is None else findings.round_name(chart.since)
    known = [verdict.value for verdict in chart.verdicts if verdict.value is not None]
    return (
        findings.subject(chart),
        chart.text.partition("=")[2] if chart.text.startswith(chart.metric) else chart.text,
        findings.state(chart),
        since,
        significant(known[-1]) if known and chart.silent_since is None else "–",
        "–" if chart.threshold is None else significant(chart.threshold),
    )


def page(result: WatchResult, *, lang: str = "en") -> str:
    """Return the result as one self-contained HTML page."""
    language = Language(lang)
    findings = WatchFindings(result, language)
    decided = result.decisions[:_MOST_LINES]
    return render(
        "watch.html.jinja",
        "style.css",
        language,
        sources=result.sources,
        result=result,
        findings=findings,
        rows=[_cells(chart, findings) for chart in result.alarmed_first[:_MOST_LINES]],
        further=max(0, len(result.charts) - _MOST_LINES),
        missing=findings.not_charted()[:_MOST_LINES],
        further_missing=max(0, len(findings.not_charted()) - _MOST_LINES),
        states=_states(result),
        power=findings.power(),
        charts=[history_chart(chart, findings) for chart in result.alarmed_first[:_MOST_PICTURES]],
        metrics=[metric_chart(name, findings) for name in result.metrics()],
        decisions=decisions_rows(decided, rounds=result.rounds, language=language),
        further_decisions=len(result.decisions) - len(decided),
        provenance=shown_record(result.provenance()),
    )


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
    charts = [history_chart(chart, findings) for chart in result.alarmed_first[:1]]
    return notebook(findings.verdict(), findings.summary(), charts, sources=result.sources)
