"""The figures of a paper as pictures, numbers and one gallery page."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from hayflick.core.output import write_netcdf, write_text
from hayflick.core.source import sources_of
from hayflick.papers.figure import Figure
from hayflick.papers.reproduce import Gallery
from hayflick.report import drawing
from hayflick.report.drawing import RenderedChart, save_picture
from hayflick.report.language import Language, metric_label
from hayflick.report.mitigation import mitigation_chart
from hayflick.report.rendering import notebook, render, shown_record, table, wording

if TYPE_CHECKING:
    from rich.table import Table

_TEXTS = "figures.jinja"


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
        shown.add_row(wording(_TEXTS, "figures", language)[figure.name][0], agreement)
    return [shown]


def page(gallery: Gallery, *, lang: str) -> str:
    """Return all figures on one self-contained HTML page."""
    return _page(gallery.paper, gallery.figures, Language(lang))


def fragment(gallery: Gallery) -> str:
    """Return all figures as HTML for a notebook."""
    language = Language("en")
    charts = [figure_chart(figure, language) for figure in gallery.figures]
    title, note = wording(_TEXTS, "papers", language)[gallery.paper]
    return notebook(title, [note], charts, sources=gallery.sources)


def figure_chart(figure: Figure, language: Language) -> RenderedChart:
    """Return a figure's picture with its title and caption."""
    title, shows = wording(_TEXTS, "figures", language)[figure.name]
    shows = language.joined(shows, _agreement_text(figure, language))
    if figure.quantity == "frontier":
        return mitigation_chart(
            figure.curves, name=figure.name, title=title, caption=shows, language=language
        )
    return _curves_chart(figure, title=title, caption=shows, language=language)


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
        "nc": lambda path: write_netcdf(path, figure.runs, force=True),
    }
    written: list[Path] = []
    try:
        for suffix, write in writers.items():
            written.append(folder / f"{figure.name}.{suffix}")
            write(written[-1])
    except BaseException:
        # A figure is written completely or not at all.
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return tuple(written)


def _page(paper: str, figures: Sequence[Figure], language: Language) -> str:
    charts = [figure_chart(figure, language) for figure in figures]
    title, note = wording(_TEXTS, "papers", language)[paper]
    records = [json.loads(figure.runs.attrs["provenance"]) for figure in figures]
    return render(
        "gallery.html.jinja",
        "style.css",
        language,
        sources=sources_of(*figures),
        title=charts[0].title if len(charts) == 1 else title,
        note=note,
        charts=charts,
        provenance=shown_record(records),
    )


def _agreement_text(figure: Figure, language: Language) -> str:
    """Return how well simulation and law agree, and the text or models that were used."""
    text = language.text
    if figure.measured_on is not None:
        return text(
            "Measured on {models}: this is what that endpoint answered, not the paper's run.",
            models=figure.measured_on,
        )
    if figure.agreement is None:
        measured = text("There is no exact law to hold it against.")
    else:
        measured = text(
            "Largest distance of the simulation from the law over all rounds, in standard "
            "errors: {errors}.",
            errors=language.number(round(figure.agreement, 1)),
        )
    if figure.text is None:
        return measured
    return language.joined(measured, text("Text: {name}.", name=figure.text))


_COLOURS = {
    "simulated": drawing.SIMULATED,
    "exact": drawing.LAW,
    "branching": drawing.LAW,
    "unigrams": drawing.LAW,
    "median": drawing.LAW,
    "low": drawing.SIMULATED,
    "high": drawing.SIMULATED,
    "lower": drawing.REAL,
    "upper": drawing.LIMIT,
    "sharp": "#c77700",
    "chernoff": "#7a3e9d",
    "joint": drawing.REAL,
    "floor": drawing.LAW,
    "measured": drawing.LAW,
    "noise": drawing.GREY,
    "synthetic_share": drawing.LIMIT,
    "vocabulary_kept": drawing.REAL,
    "nearest_1": drawing.LIMIT,
    "nearest_2": "#c77700",
    "nearest_5": drawing.REAL,
    "nearest_10": drawing.SIMULATED,
    "nearest_20": drawing.LAW,
}
_MOST_POINTS = 500


def _curves_chart(
    figure: Figure, *, title: str, caption: str, language: Language
) -> drawing.RenderedChart:
    """Return curves over the generations: simulation, law, bounds and single runs."""
    import altair as alt

    numbers = _thinned(figure)
    single = pl.col("series").str.starts_with("run ")
    scale = alt.Scale(type="log" if figure.logarithmic else "linear")
    spelled = "," if figure.quantity == "surviving_types" else "~g"
    axis = alt.Axis(format=spelled, labelOverlap=True, tickCount=6)
    x = alt.X("generation:Q", title=language.text("round"), axis=drawing.rounds_axis())
    y = alt.Y(
        "value:Q",
        title=wording(_TEXTS, "quantities", language)[figure.quantity],
        scale=scale,
        axis=axis,
    )
    base = alt.Chart(width=drawing.WIDTH, height=drawing.HEIGHT)
    paths = numbers.filter(single)
    layers: list[Any] = []
    if paths.height:
        lines = base.properties(data=paths).mark_line(
            strokeWidth=0.9, opacity=0.7, color=drawing.GREY
        )
        layers.append(lines.encode(x=x, y=y, detail="series:N"))
    named = [n for n in _COLOURS if n in set(numbers["series"].to_list())]
    if named:
        labels = {name: _series_label(name, language) for name in named}
        colour = drawing.colour_legend({labels[name]: _COLOURS[name] for name in named})
        shown = numbers.filter(~single).with_columns(pl.col("series").replace(labels))
        lines = base.properties(data=shown).mark_line(strokeWidth=2)
        layers.append(lines.encode(x=x, y=y, color=colour))
    return drawing.RenderedChart(
        name=figure.name,
        title=title,
        caption=caption,
        svg=drawing.to_svg(alt.layer(*layers)),
        numbers=figure.curves,
    )


def _series_label(name: str, language: Language) -> str:
    if name.startswith("nearest_"):
        number = name.removeprefix("nearest_")
        return language.text("one of the {number} nearest", number=number)
    return str(wording(_TEXTS, "series", language).get(name) or metric_label(name, language))


def _thinned(figure: Figure) -> pl.DataFrame:
    last = int(figure.curves["generation"].max())  # type: ignore[arg-type]
    step = -(-last // _MOST_POINTS)
    shown = figure.curves.filter(
        (pl.col("generation") % step == 0) | (pl.col("generation") == last)
    )
    return shown.filter(pl.col("value") > 0.0) if figure.logarithmic else shown
