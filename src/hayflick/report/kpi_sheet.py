"""The sheet beside a rules file: each number to watch, who acts how, and what it costs."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, astuple, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from hayflick.core.spreadsheets import guarded
from hayflick.planning.targets import DIVERSITY
from hayflick.report.language import Language
from hayflick.report.plan_findings import subject_label
from hayflick.report.rendering import notebook, render, sentences, significant, table, wording
from hayflick.rules.from_plan import PlannedRules
from hayflick.rules.planned_text import COOL_DOWN, REVIEWED

if TYPE_CHECKING:
    from rich.console import RenderableType

FORMAT_VERSION = 1
_TEMPLATE = "kpi.jinja"


@dataclass(frozen=True, slots=True)
class Indicator:
    """A row of the sheet, in the reader's language."""

    number: str
    meaning: str
    limit: str
    who: str
    action: str
    cost_of_acting: str
    cost_of_waiting: str


def indicators(planned: PlannedRules, language: Language) -> tuple[Indicator, ...]:
    """Return the rows of the sheet."""

    def limit(share: float) -> str:
        if planned.target.kind == DIVERSITY:
            return significant(share * planned.initial_reading)
        return language.percent(share)

    row = partial(sentences, _TEMPLATE, language=language, planned=planned)
    recoveries = [one for one in planned.plan.recoveries if one.items]
    watched: dict[str, Any] = {"limit": limit, "recovery": recoveries[-1] if recoveries else None}
    missed = Indicator(*row("missed", reviewed=REVIEWED, cool_down=COOL_DOWN, **watched))
    if planned.kind == "replace":
        return (missed,)
    if planned.policy is None:
        return Indicator(*row("due", recovery=watched["recovery"])), missed
    subject = subject_label(planned.target, language)
    return Indicator(*row("kept", subject=subject, **watched)), missed, Indicator(*row("used"))


def record(planned: PlannedRules) -> dict[str, Any]:
    """Return planned rules as plain values: the file, what it does and keeps, and the sheet."""
    policy, carried, tried = planned.policy, planned.carried, planned.tried
    return {
        "format_version": FORMAT_VERSION,
        "kind": planned.kind,
        "metric": planned.metric,
        "keep": planned.plan.keep,
        "confidence": planned.confidence,
        "dose": carried.items,
        "every": carried.every or None,
        "limit": None if policy is None else policy.limit * planned.initial_reading,
        "false_alarms": None if policy is None else policy.false_alarms,
        "tried": {
            "runs": tried.runs,
            "held": planned.success_rate,
            "standard_error": planned.standard_error,
            "real_items_in_all": tried.real_in_all,
        },
        "rules": planned.text,
        "sheet": [asdict(row) for row in indicators(planned, Language("en"))],
        "provenance": planned.provenance(),
    }


def _rows(planned: PlannedRules, language: Language) -> list[tuple[str, ...]]:
    """Return the headings and the rows below them."""
    headings = tuple(wording(_TEMPLATE, "headings", language))
    return [headings, *map(astuple, indicators(planned, language))]


def tables(planned: PlannedRules, *, lang: str = "en") -> list[RenderableType]:
    """Return the sheet as a table."""
    headings, *rows = _rows(planned, Language(lang))
    shown = table(*headings)
    for row in rows:
        shown.add_row(*row)
    return [shown]


def page(planned: PlannedRules, *, lang: str = "en") -> str:
    """Return the sheet as one self-contained HTML page."""
    language = Language(lang)
    headings, *rows = _rows(planned, language)
    values = {"planned": planned, "headings": headings, "rows": rows}
    sources = planned.sources
    return render("kpi.html.jinja", "brief.css", language, sources=sources, **values)


def fragment(planned: PlannedRules) -> str:
    """Return what a notebook shows of the sheet."""
    rows = indicators(planned, Language("en"))
    return notebook(
        "Numbers to watch",
        (f"{row.number} {row.limit}: {row.action}" for row in rows),
        sources=planned.sources,
    )


def sheet(planned: PlannedRules, *, lang: str = "en") -> str:
    """Return the sheet as CSV without formulas; the byte-order mark tells Excel it is UTF-8."""
    written = io.StringIO()
    rows = [map(guarded, row) for row in _rows(planned, Language(lang))]
    csv.writer(written, lineterminator="\n").writerows(rows)
    return "\ufeff" + written.getvalue()
