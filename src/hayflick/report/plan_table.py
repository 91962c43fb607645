"""A plan as the terminal shows it: on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayflick.planning.plan import Plan
from hayflick.report.language import Language
from hayflick.report.plan_findings import PlanFindings
from hayflick.report.plan_labels import knob_label
from hayflick.report.tables import significant, table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_SHOWN_DESIGNS = 5


def plan_tables(plan: Plan, *, lang: str = "en") -> tuple[RenderableType, ...]:
    """Return what the terminal shows: recommendation, designs, knobs.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    findings = PlanFindings(plan, language)
    parts: list[RenderableType] = [findings.data(), findings.verdict(), *findings.summary()]
    parts.append(designs_table(findings))
    more = len(plan.designs) - _SHOWN_DESIGNS
    if more > 0:
        text = language.text("{more} more in the page and in JSON.", more=language.number(more))
        parts.append(text)
    if plan.knobs:
        parts.append(_knobs(findings))
    return tuple(parts)


def designs_table(findings: PlanFindings) -> Table:
    """Return the first designs, the recommended one at the top."""
    plan, text = findings.plan, findings.language.text
    number = findings.language.number
    headings = [text("design"), text("kept"), text("real items a round")]
    if plan.costs is not None:
        headings.append(text("{currency} a round", currency=plan.costs.currency))
    shown = table(*headings)
    for design in plan.designs[:_SHOWN_DESIGNS]:
        cells = [findings.share(design), number(design.real_per_round)]
        if design.cost_per_round is not None:
            cells.append(significant(design.cost_per_round))
        shown.add_row(findings.label(design), *cells)
    return shown


def _knobs(findings: PlanFindings) -> Table:
    plan, language, text = findings.plan, findings.language, findings.language.text
    shown = table(
        text("if this changes"), text("to"), text("then kept"), text("elasticity of collapse")
    )
    for knob in plan.knobs:
        elasticity = "–" if knob.elasticity is None else f"{knob.elasticity:.1f}"
        kept = language.percent(knob.left_moved)
        if knob.method == "simulation":
            kept += f" ± {language.percent(knob.standard_error, digits=2)}"
        shown.add_row(
            knob_label(knob.name, language), _moved(knob.value, knob.moved), kept, elasticity
        )
    return shown


def _moved(value: float | None, moved: float) -> str:
    return f"{moved:.4g}" if value is None or moved < 1000 else f"{moved:,.0f}"
