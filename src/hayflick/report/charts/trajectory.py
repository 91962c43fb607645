"""One variable over the generations: median, spread and single runs."""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl
import xarray

from hayflick.report.charts import drawing
from hayflick.report.language import Language

_RUNS_SHOWN = 25
_MOST_POINTS = 400
_DECADES = 3.0


def trajectory_chart(
    runs: xarray.DataArray, numbers: pl.DataFrame, *, label: str, language: Language
) -> drawing.RenderedChart:
    """Return the chart of a variable of shape ``(replicate, generation)``."""
    import altair as alt

    text = language.text
    kind: Literal["log", "linear"] = "log" if _spans_decades(numbers) else "linear"
    single, median = text("single runs"), text("median")
    spread = text("5 to 95%")
    colours = {median: drawing.LAW, spread: drawing.SIMULATED, single: drawing.GREY}
    colour = drawing.colour_legend(colours)
    scale = alt.Scale(type=kind, zero=kind == "linear", nice=kind == "linear")
    axis = alt.Axis(format="~g", labelOverlap=True, tickCount=6)
    x = alt.X("generation:Q", title=text("round"), axis=drawing.rounds_axis())
    y = alt.Y("value:Q", title=label, scale=scale, axis=axis)
    base = alt.Chart(width=drawing.WIDTH, height=drawing.HEIGHT)
    area = _drawable(drawing.thinned(numbers, most=_MOST_POINTS), kind)
    band = area.with_columns(value=pl.col("low"), series=pl.lit(spread))
    line = area.with_columns(value=pl.col("median"), series=pl.lit(median))
    paths = _drawable(_single_runs(runs).with_columns(series=pl.lit(single)), kind)
    layers = [
        base.properties(data=band)
        .mark_area(opacity=0.35)
        .encode(x=x, y=y, y2="high:Q", color=colour),
        base.properties(data=paths)
        .mark_line(strokeWidth=0.8, opacity=0.6)
        .encode(x=x, y=y, color=colour, detail="replicate:N"),
        base.properties(data=line).mark_line(strokeWidth=2.5).encode(x=x, y=y, color=colour),
    ]
    return drawing.RenderedChart(
        name=str(runs.name),
        title=label,
        caption=text("Median and spread over all simulated runs, and some single runs."),
        svg=drawing.to_svg(alt.layer(*layers)),
        numbers=numbers,
    )


def _spans_decades(numbers: pl.DataFrame) -> bool:
    values = numbers.select("low", "high").to_numpy()
    if not (np.isfinite(values).all() and values.min() >= 0.0 and values.max() > 0.0):
        return False
    middle = numbers["median"].to_numpy()
    return bool(middle.min() > 0.0 and np.log10(middle.max() / middle.min()) > _DECADES)


def _drawable(numbers: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Leave out what an axis cannot show: 0 on a logarithmic one, and what is not finite."""
    columns = [name for name in ("low", "median", "high", "value") if name in numbers.columns]
    finite = pl.all_horizontal(pl.col(columns).is_finite())
    positive = pl.all_horizontal(pl.col(columns) > 0.0)
    return numbers.filter(finite & positive if kind == "log" else finite)


def _single_runs(runs: xarray.DataArray) -> pl.DataFrame:
    shown = runs[:_RUNS_SHOWN, :: -(-runs.sizes["generation"] // _MOST_POINTS)]
    generations = shown["generation"].to_numpy()
    return pl.DataFrame(
        {
            "generation": np.tile(generations, shown.sizes["replicate"]),
            "replicate": np.repeat(shown["replicate"].to_numpy(), generations.size),
            "value": shown.to_numpy().astype(np.float64).ravel(),
        }
    )
