"""The figures of a paper as pictures, numbers and one gallery page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from hayflick.core.output import write_file, write_text
from hayflick.report.charts.curves import curves_chart
from hayflick.report.charts.drawing import Chart
from hayflick.report.figure_texts import agreement_text, figure_texts
from hayflick.report.language import Language
from hayflick.report.rendering import render
from hayflick.report.saving import save_picture
from hayflick.workflows.figure import Figure


def figure_chart(figure: Figure, language: Language) -> Chart:
    """Return a figure's picture, with its title and what it shows."""
    title, shows = figure_texts(language)[figure.name]
    shows = language.joined(shows, agreement_text(figure, language))
    return curves_chart(figure, title=title, caption=shows, language=language)


def save_figure(figure: Figure, folder: Path, *, language: Language) -> tuple[Path, ...]:
    """Write a figure as PNG, SVG, HTML, CSV and NetCDF, and return the paths.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    chart = figure_chart(figure, language)
    paths = {suffix: folder / f"{figure.name}.{suffix}" for suffix in ("png", "svg", "html")}
    for suffix in ("png", "svg"):
        save_picture(paths[suffix], [chart], force=True)
    write_text(paths["html"], gallery_page([figure], language), force=True)
    table, runs = folder / f"{figure.name}.csv", folder / f"{figure.name}.nc"
    write_text(table, figure.curves.write_csv(), force=True)
    write_file(runs, lambda path: figure.runs.to_netcdf(path, engine="h5netcdf"), force=True)
    return (*paths.values(), table, runs)


def gallery_page(figures: Sequence[Figure], language: Language) -> str:
    """Return all figures on one self-contained HTML page."""
    charts = [figure_chart(figure, language) for figure in figures]
    title = (
        charts[0].title
        if len(charts) == 1
        else language.text("Rate of Model Collapse in Recursive Training: the figures")
    )
    records = [json.loads(figure.runs.attrs["provenance"]) for figure in figures]
    return render(
        "gallery.html.jinja",
        "style.css",
        language,
        title=title,
        charts=charts,
        provenance=json.dumps(records, indent=2, ensure_ascii=False),
    )
