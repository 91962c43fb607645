"""The figures of a paper as pictures, numbers and one gallery page."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hayflick.core.output import write_file, write_text
from hayflick.papers.figure import Figure
from hayflick.papers.reproduce import Gallery
from hayflick.report.charts.curves import curves_chart
from hayflick.report.charts.drawing import RenderedChart, save_picture
from hayflick.report.charts.mitigation_frontier import mitigation_chart
from hayflick.report.figure_texts import (
    agreement_text,
    figure_texts,
    paper_note,
    paper_title,
)
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, render
from hayflick.report.tables import table

if TYPE_CHECKING:
    from rich.table import Table


def record(gallery: Gallery) -> dict[str, Any]:
    """Return the figures as plain values, ready for JSON."""
    figures = [
        {
            "name": figure.name,
            "quantity": figure.quantity,
            "agreement": figure.agreement,
            "text": figure.text,
            "measured_on": figure.measured_on,
            "curves": figure.curves.fill_nan(None).to_dict(as_series=False),
        }
        for figure in gallery.figures
    ]
    return {"paper": gallery.paper, "stopped": gallery.stopped or None, "figures": figures}


def tables(gallery: Gallery, *, lang: str) -> list[Table]:
    """Return the figures with their agreement, in standard errors."""
    language = Language(lang)
    text = language.text
    shown = table(text("figure"), text("largest distance from the law, standard errors"))
    for figure in gallery.figures:
        agreement = "–" if figure.agreement is None else f"{figure.agreement:.1f}"
        shown.add_row(figure_texts(language)[figure.name][0], agreement)
    return [shown]


def page(gallery: Gallery, *, lang: str) -> str:
    """Return all figures on one self-contained HTML page."""
    return _page(gallery.paper, gallery.figures, Language(lang))


def fragment(gallery: Gallery) -> str:
    """Return what a notebook shows: all figures."""
    language = Language("en")
    charts = [figure_chart(figure, language) for figure in gallery.figures]
    return notebook(
        paper_title(gallery.paper, language), [paper_note(gallery.paper, language)], charts
    )


def figure_chart(figure: Figure, language: Language) -> RenderedChart:
    """Return a figure's picture, with its title and what it shows."""
    title, shows = figure_texts(language)[figure.name]
    shows = language.joined(shows, agreement_text(figure, language))
    if figure.quantity == "frontier":
        return mitigation_chart(
            figure.curves,
            name=figure.name,
            title=title,
            caption=shows,
            language=language,
        )
    return curves_chart(figure, title=title, caption=shows, language=language)


def save_figure(figure: Figure, folder: Path, *, lang: str) -> tuple[Path, ...]:
    """Write a figure as PNG, SVG, HTML, CSV and NetCDF, and return the paths.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    language = Language(lang)
    chart = figure_chart(figure, language)
    page = _page(figure.paper, [figure], language)
    writers: dict[str, Callable[[Path], object]] = {
        "png": lambda path: save_picture(path, [chart], force=True),
        "svg": lambda path: save_picture(path, [chart], force=True),
        "html": lambda path: write_text(path, page, force=True),
        "csv": lambda path: write_text(path, figure.curves.write_csv(), force=True),
        "nc": lambda path: write_file(path, _netcdf(figure), force=True),
    }
    written: list[Path] = []
    try:
        for suffix, write in writers.items():
            written.append(folder / f"{figure.name}.{suffix}")
            write(written[-1])
    except BaseException:
        # Of a figure there is all or nothing.
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return tuple(written)


def _netcdf(figure: Figure) -> Callable[[Path], None]:
    return lambda path: figure.runs.to_netcdf(path, engine="h5netcdf")


def _page(paper: str, figures: Sequence[Figure], language: Language) -> str:
    charts = [figure_chart(figure, language) for figure in figures]
    title = charts[0].title if len(charts) == 1 else paper_title(paper, language)
    records = [json.loads(figure.runs.attrs["provenance"]) for figure in figures]
    return render(
        "gallery.html.jinja",
        "style.css",
        language,
        title=title,
        note=paper_note(paper, language),
        charts=charts,
        provenance=json.dumps(records, indent=2, ensure_ascii=False),
    )
