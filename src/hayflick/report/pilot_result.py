"""The results of a trial: plain values, sentences and a table, a page with a chart."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import polars as pl

from hayflick.monitor.pilot_analysis import Arm, PilotResult
from hayflick.report.charts.pilot_effects import pilot_effects_chart
from hayflick.report.language import Language
from hayflick.report.pilot_findings import ResultFindings, p_value
from hayflick.report.rendering import notebook, render
from hayflick.report.tables import printable, significant, table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

FORMAT_VERSION = 1


def record(result: PilotResult) -> dict[str, Any]:
    """Return a result as plain values; changes are shares on the relative scale."""
    return {
        "format_version": FORMAT_VERSION,
        "source": result.source,
        "scale": result.trial.aim.scale,
        "control": result.trial.control,
        "confidence": result.confidence,
        "smallest": result.trial.aim.matters,
        "arms": [_arm(arm) for arm in result.arms],
        "comparisons": [
            {**asdict(compared), "outcome": compared.outcome.value}
            for compared in result.comparisons
        ],
        "succession": result.succession,
        "passed_over": result.passed_over,
        "provenance": result.provenance(),
    }


def _arm(arm: Arm) -> dict[str, Any]:
    return {
        "name": arm.name,
        "rounds": arm.rounds,
        "values": arm.values,
        "mean": arm.mean,
        "sd_of_rounds": arm.variance**0.5,
    }


def tables(result: PilotResult, *, lang: str = "en") -> list[RenderableType]:
    """Return what the terminal shows of a result."""
    findings = ResultFindings(result, Language(lang))
    return [findings.data(), findings.verdict(), *findings.summary(), _effects(findings)]


def page(result: PilotResult, *, lang: str = "en") -> str:
    """Return a result as one self-contained HTML page."""
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
        arms=_arms_frame(result),
        provenance=json.dumps(result.provenance(), indent=2, ensure_ascii=False),
    )


def fragment(result: PilotResult) -> str:
    """Return what a notebook shows of a result."""
    findings = ResultFindings(result, Language("en"))
    return notebook(findings.verdict(), findings.summary(), (pilot_effects_chart(findings),))


def _arms_frame(result: PilotResult) -> pl.DataFrame:
    rows = [
        {"arm": arm.name, "rounds": arm.rounds, "values": arm.values, "mean": arm.mean}
        for arm in result.arms
    ]
    return pl.DataFrame(rows)


def _effects(findings: ResultFindings) -> Table:
    text, number = findings.language.text, findings.language.number
    shown = table(
        text("arm"),
        text("rounds"),
        text("mean"),
        text("change"),
        text("interval"),
        text("p, adjusted"),
        text("decision"),
    )
    control, *treated = findings.result.arms
    label = text("{arm} (control)", arm=printable(control.name))
    shown.add_row(label, number(control.rounds), significant(control.mean), "", "", "", "")
    for arm, compared in zip(treated, findings.result.comparisons, strict=True):
        shown.add_row(
            printable(arm.name),
            number(arm.rounds),
            significant(arm.mean),
            findings.change(compared.effect),
            findings.interval(compared),
            p_value(compared.adjusted),
            findings.outcome(compared),
        )
    return shown
