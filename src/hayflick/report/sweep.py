"""A sweep: as plain values, tables and a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hayflick.report.language import Language
from hayflick.report.rendering import notebook, render, shown_record, table
from hayflick.report.sweep_charts import sweep_charts
from hayflick.report.sweep_findings import SweepFindings
from hayflick.sweeps.results import SweepResult

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

FORMAT_VERSION = 1
_MOST_ROWS, _PAGE_ROWS, _CSV_ROWS = 40, 200, 20_000


def record(result: SweepResult) -> dict[str, Any]:
    """Return a sweep as plain values, ready for JSON."""
    findings = SweepFindings(result, Language("en"))
    keep, least = result.study.keep, findings.least_real
    return {
        "format_version": FORMAT_VERSION,
        "interrupted": result.interrupted,
        "finished": result.finished,
        "imprecise": result.imprecise,
        "varied": list(result.varied),
        "keep": keep,
        "sufficient": None if keep is None else findings.sufficient["cell"].to_list(),
        "undecided": None if keep is None else findings.undecided,
        "least_real_data": None if least is None else least["cell"],
        "least_sufficient": None
        if findings.least_sufficient is None
        else findings.least_sufficient.to_dicts(),
        "over_seeds": None if findings.over_seeds is None else findings.over_seeds.to_dicts(),
        "cells": result.to_frame().to_dicts(),
        "provenance": result.provenance(),
    }


def tables(result: SweepResult, *, lang: str = "en") -> list[RenderableType]:
    """Return what the terminal shows of a sweep."""
    findings = SweepFindings(result, Language(lang))
    shown: list[RenderableType] = [findings.verdict(), *findings.summary()]
    if findings.least_sufficient is not None:
        shown.append(_rows(findings.least_headings(), findings.least_rows(most=_MOST_ROWS)))
    if findings.over_seeds is not None:
        shown.append(_rows(findings.seeds_headings(), findings.seeds_rows(most=_MOST_ROWS)))
    return [*shown, _cells(findings)]


def _rows(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    shown = table(*headings)
    for row in rows:
        shown.add_row(*row)
    return shown


def _cells(findings: SweepFindings) -> Table:
    shown = _rows(findings.headings(), findings.rows(most=_MOST_ROWS))
    more = findings.cells.height - _MOST_ROWS
    if more > 0:
        number = findings.language.number(more)
        shown.caption = findings.language.text("Further cells: {number}", number=number)
    return shown


def page(result: SweepResult, *, lang: str = "en") -> str:
    """Return a sweep as one self-contained HTML page.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    findings = SweepFindings(result, language)
    return render(
        "sweep.html.jinja",
        "style.css",
        language,
        sources=result.sources,
        findings=findings,
        rows=findings.rows(most=_PAGE_ROWS),
        most_rows=_PAGE_ROWS,
        cells=findings.cells.head(_CSV_ROWS),
        charts=sweep_charts(findings),
        provenance=shown_record(result.provenance()),
    )


def fragment(result: SweepResult) -> str:
    """Return what a notebook shows of a sweep."""
    findings = SweepFindings(result, Language("en"))
    return notebook(
        findings.verdict(), findings.summary(), sweep_charts(findings), sources=result.sources
    )
