"""What watching a stream gives: plain values, tables, the page, the notebook's fragment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hayflick.monitor.watch_result import WatchResult
from hayflick.report.charts.drawing import RenderedChart
from hayflick.report.charts.watch_course import watch_course_chart
from hayflick.report.charts.watch_metric import watch_metric_chart
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, render
from hayflick.report.rules_decisions import decisions_rows
from hayflick.report.tables import printable
from hayflick.report.watch_findings import WatchFindings
from hayflick.report.watch_record import watch_record
from hayflick.report.watch_table import cells, watch_tables

if TYPE_CHECKING:
    from rich.console import RenderableType

_COURSES = 24


def record(result: WatchResult) -> dict[str, Any]:
    """Return the result as plain values, ready for JSON."""
    return watch_record(result)


def tables(result: WatchResult, *, lang: str = "en") -> Sequence[RenderableType]:
    """Return what the terminal shows: verdict, charts, phrases."""
    return watch_tables(result, lang=lang)


def page(result: WatchResult, *, lang: str = "en") -> str:
    """Return the result as one self-contained HTML page."""
    language = Language(lang)
    findings = WatchFindings(result, language)
    return render(
        "watch.html.jinja",
        "style.css",
        language,
        watched=result,
        findings=findings,
        rows=[cells(chart, findings) for chart in result.charts],
        charts=watch_charts(findings),
        metrics=[watch_metric_chart(name, findings) for name in result.metrics()],
        printable=printable,
        decisions=decisions_rows(result.decided, rounds=result.rounds, language=language),
        provenance=json.dumps(result.provenance(), indent=2, ensure_ascii=False),
    )


def watch_charts(findings: WatchFindings) -> tuple[RenderedChart, ...]:
    """Return the pictures of the charts, those that have alarmed first."""
    watched = findings.watched
    rest = [chart for chart in watched.charts if chart.first_alarm is None]
    shown = [*watched.alarms, *rest][:_COURSES]
    return tuple(watch_course_chart(chart, findings) for chart in shown)


def fragment(result: WatchResult) -> str:
    """Return what a notebook shows, as HTML."""
    findings = WatchFindings(result, Language("en"))
    return notebook(findings.verdict(), findings.summary(), watch_charts(findings)[:1])
