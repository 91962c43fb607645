"""A trial and its result as the terminal shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayflick.monitor.pilot_analysis import PilotResult
from hayflick.monitor.pilot_design import PilotDesign
from hayflick.report.language import Language
from hayflick.report.pilot_findings import DesignFindings, ResultFindings, p_value
from hayflick.report.tables import printable, significant, table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table


def design_tables(trial: PilotDesign, *, lang: str = "en") -> tuple[RenderableType, ...]:
    """Return what the terminal shows of a trial's design.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    findings = DesignFindings(trial, Language(lang))
    return (findings.verdict(), *findings.summary(), _arms(findings))


def _arms(findings: DesignFindings) -> Table:
    trial, text, number = findings.trial, findings.language.text, findings.language.number
    headings = [text("arm"), text("rounds"), text("answers")]
    if trial.cost_per_arm is not None:
        headings.append(trial.currency)
    shown = table(*headings)
    answers = "–" if trial.answers_per_arm is None else number(trial.answers_per_arm)
    for name in trial.arms:
        label = printable(name)
        if name == trial.control:
            label = text("{arm} (control)", arm=label)
        cells = [label, number(trial.rounds), answers]
        if trial.cost_per_arm is not None:
            cells.append(significant(trial.cost_per_arm))
        shown.add_row(*cells)
    return shown


def result_tables(result: PilotResult, *, lang: str = "en") -> tuple[RenderableType, ...]:
    """Return what the terminal shows of a trial's result.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    findings = ResultFindings(result, Language(lang))
    return (findings.data(), findings.verdict(), *findings.summary(), _effects(findings))


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
