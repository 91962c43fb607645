"""What keeps a network diverse, as a page or as a picture of its frontiers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from hayflick.core.errors import ArgumentError
from hayflick.core.output import check_not_input, check_writable, write_text
from hayflick.network.mitigation import MitigationStudy, cases_table
from hayflick.report.charts.drawing import RenderedChart
from hayflick.report.charts.mitigation_frontier import mitigation_chart
from hayflick.report.figure_texts import mitigation_texts
from hayflick.report.language import Language
from hayflick.report.rendering import render
from hayflick.report.saving import PICTURES, save_picture


def mitigation_page(study: MitigationStudy, *, lang: str = "en") -> str:
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
        charts=mitigation_charts(study, language),
        provenance=json.dumps(study.provenance(), indent=2, ensure_ascii=False),
    )


def mitigation_charts(study: MitigationStudy, language: Language) -> tuple[RenderedChart, ...]:
    """Return the frontier of the agents and that of the mixtures."""
    texts = mitigation_texts(language)
    return tuple(
        mitigation_chart(
            cases_table(cases),
            name=name,
            title=texts[name][0],
            caption=texts[name][1],
            language=language,
        )
        for name, cases in (
            ("mitigation", study.agents),
            ("mitigation-surrogate", study.surrogate),
        )
    )


def check_mitigation_file(
    path: Path | None, *, inputs: Iterable[Path] = (), force: bool = False
) -> None:
    """Refuse a file that cannot be written, before any work starts.

    Raises
    ------
    ArgumentError
        If its name ends in none of `hayflick.report.saving.PICTURES`.
    OutputError
        If it is an input, exists and `force` is not set, or cannot be written.
    """
    if path is None:
        return
    check_not_input(path, inputs)
    check_writable(path, force=force)
    if path.suffix.lower() not in PICTURES:
        raise ArgumentError("out", got=str(path), takes=f"a name ending in {', '.join(PICTURES)}")


def write_mitigation(
    study: MitigationStudy, path: Path, *, lang: str = "en", force: bool = False
) -> None:
    """Write the page, or both pictures as one, as the name's ending says.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    if path.suffix.lower() == ".html":
        write_text(path, mitigation_page(study, lang=lang), force=force)
    else:
        save_picture(path, mitigation_charts(study, Language(lang)), force=force)
