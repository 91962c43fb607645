"""A trial's design: plain values, sentences and a table, a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hayflick.monitor.pilot_design import PilotDesign, plan_fields
from hayflick.report.language import Language
from hayflick.report.pilot_findings import DesignFindings
from hayflick.report.rendering import notebook, tables_page
from hayflick.report.tables import printable, significant, table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table


def record(design: PilotDesign) -> dict[str, Any]:
    """Return a design as plain values: its plan file, and what follows from it."""
    return {
        **plan_fields(design),
        "level_per_comparison": design.level,
        "power": design.power,
        "detectable": design.detectable,
        "answers_per_arm": design.answers_per_arm,
        "cost_per_arm": design.cost_per_arm,
        "design_effect": None
        if design.variation.correlation is None or design.answers is None
        else design.variation.design_effect(design.answers),
    }


def tables(design: PilotDesign, *, lang: str = "en") -> list[RenderableType]:
    """Return what the terminal shows of a design."""
    findings = DesignFindings(design, Language(lang))
    return [findings.verdict(), *findings.summary(), _arms(findings)]


def page(design: PilotDesign, *, lang: str = "en") -> str:
    """Return a design as one self-contained HTML page."""
    language = Language(lang)
    title = language.text("Design of a trial")
    parts = tables(design, lang=lang)
    return tables_page(title, parts, language, provenance=design.provenance())


def fragment(design: PilotDesign) -> str:
    """Return what a notebook shows of a design."""
    findings = DesignFindings(design, Language("en"))
    return notebook(findings.verdict(), findings.summary())


def _arms(findings: DesignFindings) -> Table:
    design, text, number = findings.trial, findings.language.text, findings.language.number
    headings = [text("arm"), text("rounds"), text("answers")]
    if design.cost_per_arm is not None:
        headings.append(design.currency)
    shown = table(*headings)
    answers = "–" if design.answers_per_arm is None else number(design.answers_per_arm)
    for name in design.arms:
        label = printable(name)
        if name == design.control:
            label = text("{arm} (control)", arm=label)
        cells = [label, number(design.rounds), answers]
        if design.cost_per_arm is not None:
            cells.append(significant(design.cost_per_arm))
        shown.add_row(*cells)
    return shown
