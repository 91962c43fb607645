"""How an audit of a data set is presented: plain values, tables, page, notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hayflick.report.audit_charts import audit_charts
from hayflick.report.audit_findings import AuditFindings
from hayflick.report.audit_record import audit_record
from hayflick.report.audit_tables import audit_tables, headline
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, render, shown_record

if TYPE_CHECKING:
    from rich.console import RenderableType

    from hayflick.auditing.audit_result import AuditResult

_CLUSTERS, _PHRASES = 12, 12


def record(result: AuditResult) -> dict[str, Any]:
    """Return the result as plain values, ready for JSON; what was not measured is None."""
    return audit_record(result)


def tables(result: AuditResult, *, lang: str = "en") -> Sequence[RenderableType]:
    """Return what the terminal shows: sentences, then numbers, clusters, phrases and classes."""
    return audit_tables(result, Language(lang))


def page(result: AuditResult, *, lang: str = "en") -> str:
    """Return the result as one self-contained HTML page."""
    findings = AuditFindings(result, Language(lang))
    return render(
        "audit.html.jinja",
        "style.css",
        findings.language,
        sources=result.sources,
        findings=findings,
        result=result,
        most_clusters=_CLUSTERS,
        most_phrases=_PHRASES,
        charts=audit_charts(findings),
        provenance=shown_record(result.provenance()),
    )


def fragment(result: AuditResult) -> str:
    """Return what a notebook shows, as HTML."""
    findings = AuditFindings(result, Language("en"))
    first, *rest = headline(result, findings.language)
    return notebook(first, rest, audit_charts(findings), sources=result.sources)
