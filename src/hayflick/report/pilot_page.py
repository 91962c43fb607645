"""What came of a trial as one self-contained page, and as a notebook shows it."""

from __future__ import annotations

import json

import polars as pl
from markupsafe import Markup

from hayflick.monitor.pilot_analysis import PilotResult
from hayflick.report.charts.pilot_effects import pilot_effects_chart
from hayflick.report.language import Language
from hayflick.report.pilot_findings import ResultFindings, p_value
from hayflick.report.rendering import render
from hayflick.report.tables import significant


def pilot_page(result: PilotResult, *, lang: str = "en") -> str:
    """Return what came of a trial as one self-contained HTML page.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    findings = ResultFindings(result, language)
    return render(
        "pilot.html.jinja",
        "style.css",
        language,
        result=result,
        findings=findings,
        p_value=p_value,
        significant=significant,
        pairs=list(zip(result.arms[1:], result.comparisons, strict=True)),
        charts=(pilot_effects_chart(findings),),
        arms=arms_table(result),
        provenance=json.dumps(result.provenance(), indent=2, ensure_ascii=False),
    )


def arms_table(result: PilotResult) -> pl.DataFrame:
    """Return the rounds of all arms as numbers, to look at them by other means."""
    rows = [
        {"arm": arm.name, "rounds": arm.rounds, "values": arm.values, "mean": arm.mean}
        for arm in result.arms
    ]
    return pl.DataFrame(rows)


def pilot_html(result: PilotResult) -> str:
    """Return what came of a trial as an HTML fragment for a notebook."""
    findings = ResultFindings(result, Language("en"))
    chart = pilot_effects_chart(findings)
    shown = [Markup("<h3>{}</h3>").format(findings.verdict())]
    shown += [Markup("<p>{}</p>").format(sentence) for sentence in findings.summary()]
    # The picture is our own drawing, its labels escaped by the renderer.
    shown.append(Markup("<h4>{}</h4>{}").format(chart.title, Markup(chart.svg)))
    return str(Markup("<div>{}</div>").format(Markup("").join(shown)))
