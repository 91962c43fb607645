"""What keeps a network diverse, as tables and as a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hayflick.network.mitigation import MitigationCase, MitigationStudy
from hayflick.report.language import Language
from hayflick.report.tables import table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

FORMAT_VERSION = 1


def mitigation_tables(study: MitigationStudy, *, lang: str = "en") -> list[RenderableType]:
    """Return what the terminal shows of both grids; a star marks what nothing beats."""
    language = Language(lang)
    return [_of_agents(study.agents, language), _of_mixtures(study.surrogate, language)]


def _of_agents(cases: Sequence[MitigationCase], language: Language) -> Table:
    text = language.text
    headings = (
        text("topology"),
        text("models"),
        text("prompts"),
        text("irrelevant texts"),
        text("real texts a round"),
        text("real words in use"),
    )
    shown = _empty(text("built-in agents"), headings, language)
    for case in cases:
        middle = (prompts_label(case.prompts, language), language.percent(case.irrelevant))
        shown.add_row(case.topology, str(case.models), *middle, *_last(case, language))
    return shown


def _of_mixtures(cases: Sequence[MitigationCase], language: Language) -> Table:
    text = language.text
    headings = (
        text("topology"),
        text("models"),
        text("real points a round"),
        text("components in use"),
    )
    shown = _empty(text("interacting mixtures"), headings, language)
    for case in cases:
        shown.add_row(case.topology, str(case.models), *_last(case, language))
    return shown


def prompts_label(prompts: str, language: Language) -> str:
    """Return what is said of the prompts of a case."""
    text = language.text
    return {"one": text("one"), "varied": text("varied")}[prompts]


def _empty(title: str, headings: Sequence[str], language: Language) -> Table:
    text = language.text
    made = table(*headings, text("‖D‖ over chance"), text("nothing beats it"))
    made.title = title
    return made


def _last(case: MitigationCase, language: Language) -> tuple[str, ...]:
    return (
        str(case.injected),
        "–" if case.kept is None else language.percent(case.kept),
        "–" if case.apart is None else f"{case.apart:.2f}",
        "*" if case.on_frontier else "",
    )


def mitigation_record(study: MitigationStudy) -> dict[str, Any]:
    """Return both grids ready for JSON."""
    return {
        "format_version": FORMAT_VERSION,
        "cases": [asdict(case) for case in study.agents],
        "surrogate": [asdict(case) for case in study.surrogate],
        "provenance": study.provenance(),
    }
