"""A watched stream as one self-contained page, and as a notebook shows it."""

from __future__ import annotations

import json

from markupsafe import Markup

from hayflick.monitor.watch_result import WatchResult
from hayflick.report.charts.drawing import RenderedChart
from hayflick.report.charts.watch_course import watch_course_chart
from hayflick.report.charts.watch_metric import watch_metric_chart
from hayflick.report.language import Language
from hayflick.report.rendering import render
from hayflick.report.rules_decisions import decisions_rows
from hayflick.report.tables import printable
from hayflick.report.watch_findings import WatchFindings
from hayflick.report.watch_table import cells

_COURSES = 24


def watch_page(watched: WatchResult, *, lang: str = "en") -> str:
    """Return a watched stream as one self-contained HTML page.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    findings = WatchFindings(watched, language)
    return render(
        "watch.html.jinja",
        "style.css",
        language,
        watched=watched,
        findings=findings,
        rows=[cells(chart, findings) for chart in watched.charts],
        charts=watch_charts(findings),
        metrics=[watch_metric_chart(name, findings) for name in watched.metrics()],
        printable=printable,
        decisions=decisions_rows(watched.decided, rounds=watched.rounds, language=language),
        provenance=json.dumps(watched.provenance(), indent=2, ensure_ascii=False),
    )


def watch_charts(findings: WatchFindings) -> tuple[RenderedChart, ...]:
    """Return the pictures of the charts, those that have alarmed first."""
    watched = findings.watched
    rest = [chart for chart in watched.charts if chart.first_alarm is None]
    shown = [*watched.alarms, *rest][:_COURSES]
    return tuple(watch_course_chart(chart, findings) for chart in shown)


def watch_html(watched: WatchResult) -> str:
    """Return a watched stream as an HTML fragment for a notebook."""
    findings = WatchFindings(watched, Language("en"))
    shown = [Markup("<h3>{}</h3>").format(findings.verdict())]
    shown += [Markup("<p>{}</p>").format(sentence) for sentence in findings.summary()]
    for chart in watch_charts(findings)[:1]:
        # The picture is our own drawing, its labels escaped by the renderer.
        shown.append(Markup("<h4>{}</h4>{}").format(chart.title, Markup(chart.svg)))
    return str(Markup("<div>{}</div>").format(Markup("").join(shown)))
