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
from hayflick.rules.from_plan import COOL_DOWN, REVIEWED, PlannedRules

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
        if planned.policy.target.kind == DIVERSITY:
            return significant(share * planned.initial_reading)
        return language.percent(share)

    row = partial(sentences, _TEMPLATE, language=language, planned=planned)
    recoveries = [one for one in planned.plan.recoveries if one.items]
    watched: dict[str, Any] = {"limit": limit, "recovery": recoveries[-1] if recoveries else None}
    subject = subject_label(planned.policy.target, language)
    return (
        Indicator(*row("kept", subject=subject, **watched)),
        Indicator(*row("missed", reviewed=REVIEWED, cool_down=COOL_DOWN, **watched)),
        Indicator(*row("used")),
    )


def record(planned: PlannedRules) -> dict[str, Any]:
    """Return planned rules as plain values: the file, limit and dose, and the sheet."""
    policy = planned.policy
    return {
        "format_version": FORMAT_VERSION,
        "metric": planned.metric,
        "keep": policy.keep,
        "limit": policy.limit * planned.initial_reading,
        "dose": policy.dose,
        "false_alarms": policy.false_alarms,
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
