"""How an audit of a data set is presented: plain values, tables, page, notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hayflick.report.audit_record import audit_record
from hayflick.report.audit_tables import audit_tables, headline
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, tables_page

if TYPE_CHECKING:
    from rich.console import RenderableType

    from hayflick.audit.audit_result import AuditResult


def record(result: AuditResult) -> dict[str, Any]:
    """Return the result as plain values, ready for JSON; what was not measured is None."""
    return audit_record(result)


def tables(result: AuditResult, *, lang: str = "en") -> Sequence[RenderableType]:
    """Return what the terminal shows: sentences, then numbers, clusters, phrases and classes."""
    return audit_tables(result, Language(lang))


def page(result: AuditResult, *, lang: str = "en") -> str:
    """Return the result as one self-contained HTML page."""
    language = Language(lang)
    return tables_page(
        language.text("Audit: {name}", name=result.name),
        audit_tables(result, language),
        language,
        sources=result.sources,
        provenance=result.provenance(),
    )


def fragment(result: AuditResult) -> str:
    """Return what a notebook shows, as HTML."""
    first, *rest = headline(result, Language("en"))
    return notebook(first, rest, sources=result.sources)
