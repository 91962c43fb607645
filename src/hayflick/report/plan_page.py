"""A plan as one self-contained page, and as a notebook shows it."""

from __future__ import annotations

import json

import polars as pl
from markupsafe import Markup

from hayflick.planning.plan_result import Plan
from hayflick.report.charts.drawing import RenderedChart
from hayflick.report.charts.plan_frontier import plan_frontier_chart
from hayflick.report.charts.plan_retention import plan_retention_chart
from hayflick.report.charts.plan_sensitivity import plan_sensitivity_chart
from hayflick.report.language import Language
from hayflick.report.plan_findings import PlanFindings
from hayflick.report.rendering import render


def plan_page(plan: Plan, *, lang: str = "en") -> str:
    """Return a plan as one self-contained HTML page.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    findings = PlanFindings(plan, language)
    return render(
        "plan.html.jinja",
        "style.css",
        language,
        plan=plan,
        findings=findings,
        charts=plan_charts(findings),
        slide=slide_table(findings),
        provenance=json.dumps(plan.provenance(), indent=2, ensure_ascii=False),
    )


def plan_charts(findings: PlanFindings) -> tuple[RenderedChart, ...]:
    """Return the charts of a plan."""
    charts = [plan_frontier_chart(findings), plan_retention_chart(findings)]
    if findings.plan.knobs:
        charts.append(plan_sensitivity_chart(findings))
    return tuple(charts)


def slide_table(findings: PlanFindings) -> pl.DataFrame:
    """Return the designs as a table to paste into a slide, numbers unrounded."""
    plan = findings.plan
    rows = [
        {
            "design": findings.label(design),
            "regime": design.regime.describe(),
            "kept": design.lowest,
            "real_per_round": design.real_per_round,
            "samples": design.samples,
            "forgotten": plan.forgotten(design),
            "cost_per_round": design.cost_per_round,
        }
        for design in plan.designs
    ]
    numbers = pl.DataFrame(rows, schema_overrides={"cost_per_round": pl.Float64})
    return numbers if plan.costs is not None else numbers.drop("cost_per_round")


def plan_html(plan: Plan) -> str:
    """Return a plan as an HTML fragment for a notebook."""
    findings = PlanFindings(plan, Language("en"))
    shown = [Markup("<h3>{}</h3>").format(findings.verdict())]
    shown += [Markup("<p>{}</p>").format(sentence) for sentence in findings.summary()]
    for chart in plan_charts(findings):
        # The picture is our own drawing, its labels escaped by the renderer.
        shown.append(Markup("<h4>{}</h4>{}").format(chart.title, Markup(chart.svg)))
    return str(Markup("<div>{}</div>").format(Markup("").join(shown)))
