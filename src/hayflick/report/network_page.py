"""A run of a network as one self-contained page."""

from __future__ import annotations

import json

from hayflick.network.run_results import NetworkRun
from hayflick.report.charts.drawing import RenderedChart
from hayflick.report.charts.network_course import (
    distance_chart,
    pool_chart,
    scatter_chart,
)
from hayflick.report.charts.network_map import perspective_chart
from hayflick.report.language import Language
from hayflick.report.network_findings import NetworkFindings
from hayflick.report.rendering import render
from hayflick.report.tables import printable


def network_page(run: NetworkRun, *, lang: str = "en") -> str:
    """Return a run as one self-contained HTML page.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    findings = NetworkFindings(run, language)
    return render(
        "network.html.jinja",
        "style.css",
        language,
        run=run,
        findings=findings,
        charts=network_charts(findings) if run.rounds else (),
        printable=printable,
        provenance=json.dumps(run.provenance(), indent=2, ensure_ascii=False),
    )


def network_charts(findings: NetworkFindings) -> tuple[RenderedChart, ...]:
    """Return the pictures of a run with a finished round."""
    places = perspective_chart(findings)
    charts = (distance_chart(findings), places, scatter_chart(findings), pool_chart(findings))
    return tuple(chart for chart in charts if chart is not None)
