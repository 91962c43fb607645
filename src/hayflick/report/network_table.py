"""A run of a network on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayflick.network.run_results import NetworkRun
from hayflick.report.language import Language
from hayflick.report.network_findings import NetworkFindings

if TYPE_CHECKING:
    from rich.console import RenderableType


def network_tables(run: NetworkRun, *, lang: str = "en") -> list[RenderableType]:
    """Return what the terminal shows of a run."""
    from rich.table import Table

    language = Language(lang)
    findings = NetworkFindings(run, language)
    parts: list[RenderableType] = list(findings.sentences())
    if run.rounds:
        table = Table()
        table.add_column(language.text("measured"))
        for heading in (language.text("first round"), language.text("last round")):
            table.add_column(heading, justify="right")
        for row in findings.rows():
            table.add_row(*row)
        parts.append(table)
    return [*parts, *findings.decisions()]
