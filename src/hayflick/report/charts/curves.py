"""Curves of a figure over the generations: simulation, law, bounds and single runs."""

from __future__ import annotations

from typing import Any

import polars as pl

from hayflick.papers.figure import Figure
from hayflick.report.charts import drawing
from hayflick.report.figure_texts import quantity_label, series_label
from hayflick.report.language import Language

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


def curves_chart(
    figure: Figure, *, title: str, caption: str, language: Language
) -> drawing.RenderedChart:
    """Return the picture of a figure."""
    import altair as alt

    numbers = _thinned(figure)
    single = pl.col("series").str.starts_with("run ")
    scale = alt.Scale(type="log" if figure.logarithmic else "linear")
    spelled = "," if figure.quantity == "surviving_types" else "~g"
    axis = alt.Axis(format=spelled, labelOverlap=True, tickCount=6)
    x = alt.X("generation:Q", title=language.text("round"), axis=drawing.rounds_axis())
    y = alt.Y("value:Q", title=quantity_label(figure.quantity, language), scale=scale, axis=axis)
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
        labels = {name: series_label(name, language) for name in named}
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


def _thinned(figure: Figure) -> pl.DataFrame:
    last = int(figure.curves["generation"].max())  # type: ignore[arg-type]
    step = -(-last // _MOST_POINTS)
    shown = figure.curves.filter(
        (pl.col("generation") % step == 0) | (pl.col("generation") == last)
    )
    return shown.filter(pl.col("value") > 0.0) if figure.logarithmic else shown
