"""A plan as plain values, as tables, as a page and as a notebook shows it."""

from __future__ import annotations

import json

import polars as pl

from hayflick.planning.plan import Plan
from hayflick.report.charts.drawing import RenderedChart
from hayflick.report.charts.plan_frontier import plan_frontier_chart
from hayflick.report.charts.plan_retention import plan_retention_chart
from hayflick.report.charts.plan_sensitivity import plan_sensitivity_chart
from hayflick.report.language import Language
from hayflick.report.plan_findings import PlanFindings
from hayflick.report.plan_record import plan_record as record
from hayflick.report.plan_table import plan_tables as tables
from hayflick.report.rendering import notebook, render

__all__ = ["fragment", "page", "record", "tables"]


def page(plan: Plan, *, lang: str = "en") -> str:
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
    """Return the designs as a table to paste into a slide, named in the reader's language."""
    labels = pl.Series("design", [findings.label(design) for design in findings.plan.designs])
    return findings.plan.to_frame().with_columns(labels)


def fragment(plan: Plan) -> str:
    """Return a plan as an HTML fragment for a notebook."""
    findings = PlanFindings(plan, Language("en"))
    return notebook(findings.verdict(), findings.summary(), plan_charts(findings))
