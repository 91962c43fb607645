"""What keeps a network diverse: as plain values, tables, a page and a picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hayflick.network.mitigation import MitigationCase, MitigationStudy, cases_table
from hayflick.report.charts.drawing import RenderedChart, check_picture, save_picture
from hayflick.report.charts.mitigation_frontier import mitigation_chart
from hayflick.report.figure_texts import mitigation_texts
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, render
from hayflick.report.tables import table

if TYPE_CHECKING:
    from rich.table import Table

FORMAT_VERSION = 1


def record(study: MitigationStudy) -> dict[str, Any]:
    """Return both grids as plain values, ready for JSON."""
    return {
        "format_version": FORMAT_VERSION,
        "cases": [asdict(case) for case in study.agents],
        "surrogate": [asdict(case) for case in study.surrogate],
        "provenance": study.provenance(),
    }


def tables(study: MitigationStudy, *, lang: str = "en") -> list[Table]:
    """Return what the terminal shows of both grids; a star marks what nothing beats."""
    language = Language(lang)
    text = language.text
    agents = _empty(
        text("built-in agents"),
        text("topology"),
        text("models"),
        text("prompts"),
        text("irrelevant texts"),
        text("real texts a round"),
        text("real words in use"),
        language=language,
    )
    prompts = {"one": text("one"), "varied": text("varied")}
    for case in study.agents:
        middle = (prompts[case.prompts], language.percent(case.irrelevant))
        agents.add_row(case.topology, str(case.models), *middle, *_results(case, language))
    mixtures = _empty(
        text("interacting mixtures"),
        text("topology"),
        text("models"),
        text("real points a round"),
        text("components in use"),
        language=language,
    )
    for case in study.surrogate:
        mixtures.add_row(case.topology, str(case.models), *_results(case, language))
    return [agents, mixtures]


def _empty(title: str, *headings: str, language: Language) -> Table:
    text = language.text
    made = table(*headings, text("‖D‖ over chance"), text("nothing beats it"))
    made.title = title
    return made


def _results(case: MitigationCase, language: Language) -> tuple[str, ...]:
    return (
        str(case.injected),
        "–" if case.kept is None else language.percent(case.kept),
        "–" if case.apart is None else f"{case.apart:.2f}",
        "*" if case.on_frontier else "",
    )


def page(study: MitigationStudy, *, lang: str = "en") -> str:
    """Return both grids as one self-contained HTML page.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    return render(
        "mitigation.html.jinja",
        "style.css",
        language,
        query=study.experiment.asked[0],
        charts=charts(study, language),
        provenance=json.dumps(study.provenance(), indent=2, ensure_ascii=False),
    )


def fragment(study: MitigationStudy) -> str:
    """Return what a notebook shows of both grids: their frontiers."""
    language = Language("en")
    heading = language.text("What keeps a network diverse, and what it costs")
    return notebook(heading, (), charts(study, language))


def picture(study: MitigationStudy, path: Path, *, lang: str = "en", force: bool = False) -> None:
    """Write both frontiers, one under the other, as one SVG or PNG picture.

    Raises
    ------
    ArgumentError
        If there is no such language, or the name has another ending.
    OutputError
        If it cannot be written.
    """
    language = Language(lang)
    check_picture(path, force=force)
    save_picture(path, charts(study, language), force=force)


def charts(study: MitigationStudy, language: Language) -> tuple[RenderedChart, ...]:
    """Return the frontier of the agents and that of the mixtures."""
    grids: dict[str, Sequence[MitigationCase]] = {
        "mitigation": study.agents,
        "mitigation-surrogate": study.surrogate,
    }
    texts = mitigation_texts(language)
    return tuple(
        mitigation_chart(
            cases_table(cases),
            name=name,
            title=texts[name][0],
            caption=texts[name][1],
            language=language,
        )
        for name, cases in grids.items()
    )
