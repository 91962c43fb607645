"""What the terminal shows of every forecast: how it opens, and what fresh data changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayflick.planning.forecast_result import FRESH_SHARES
from hayflick.report.outlook_findings import OutlookFindings
from hayflick.report.tables import table

if TYPE_CHECKING:
    from rich.table import Table


def opening(findings: OutlookFindings) -> tuple[str, ...]:
    """Return data, verdict, limit and action, a line each."""
    text = findings.language.text
    return (
        findings.data(),
        findings.verdict(),
        f"{text('The limit')}: {findings.limit()}",
        f"{text('Action')}: {findings.action()}",
    )


def fresh_shares_table(findings: OutlookFindings) -> Table:
    """Return what is left after the last round, by fresh share."""
    forecast, language = findings.forecast, findings.language
    shown = table(findings.fresh_heading(), findings.figure())
    for share, kept in zip(FRESH_SHARES, forecast.fresh_shares, strict=True):
        shown.add_row(language.percent(share, digits=0), language.percent(kept))
    return shown
