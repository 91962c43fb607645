"""The share of symbols that is left, round by round: law, simulation and baseline."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from hayflick.planning.forecast_result import Forecast
from hayflick.report.charts import drawing
from hayflick.report.findings import Findings
from hayflick.report.language import Language

_MOST_MEANS = 11


def surviving_chart(forecast: Forecast, language: Language) -> drawing.RenderedChart:
    """Return the chart of the surviving share over generations."""
    text, nouns = language.text, Findings(forecast, language).nouns
    numbers = _numbers(forecast)
    return drawing.RenderedChart(
        name="surviving",
        title=text("How many {nouns} are left, round by round", nouns=nouns),
        caption=text(
            "The expected share by the law, mean and spread of the simulated runs, and what one "
            "training on real data alone would keep."
        ),
        svg=drawing.to_svg(_layers(drawing.thinned(numbers), forecast, language, nouns)),
        numbers=numbers,
    )


def _numbers(forecast: Forecast) -> pl.DataFrame:
    band = forecast.simulated_band() or {}
    return pl.DataFrame(
        {
            "generation": np.arange(forecast.generations + 1),
            "law": forecast.law.surviving_fraction,
            "real_data_alone": forecast.law.baseline,
            **{f"simulated_{name}": values for name, values in band.items()},
        }
    )


def _layers(numbers: pl.DataFrame, forecast: Forecast, language: Language, nouns: str) -> Any:
    import altair as alt

    text, exact = language.text, forecast.law.name == "exact"
    law = text("exact law") if exact else text("branching law")
    real, limit = text("real data alone"), text("limit")
    spread = text("simulated: mean, 5 to 95%")
    colours = {law: drawing.LAW, real: drawing.REAL, limit: drawing.LIMIT}
    simulated = "simulated_mean" in numbers.columns
    if simulated:
        colours = {**colours, spread: drawing.SIMULATED}
    colour = drawing.colour_legend(colours)
    axis = alt.Axis(format="%")
    title = text("share of {nouns} left", nouns=nouns)
    x = alt.X("generation:Q", title=text("round"), axis=drawing.rounds_axis())
    y = alt.Y("share:Q", title=title, axis=axis, scale=alt.Scale(domain=[0, 1]))
    lines = pl.concat(
        numbers.select("generation", share=pl.col(column), series=pl.lit(label))
        for column, label in (("law", law), ("real_data_alone", real))
    )
    rule = pl.DataFrame({"share": [forecast.limit], "series": [limit]})
    base = alt.Chart(width=drawing.WIDTH, height=drawing.HEIGHT)
    layers = [
        base.properties(data=rule).mark_rule(strokeDash=[5, 4]).encode(y=y, color=colour),
        base.properties(data=lines).mark_line(strokeWidth=2.5).encode(x=x, y=y, color=colour),
    ]
    if simulated:
        area = numbers.with_columns(share=pl.col("simulated_low"), series=pl.lit(spread))
        band = base.properties(data=area).mark_area(opacity=0.45)
        layers.insert(0, band.encode(x=x, y=y, y2="simulated_high:Q", color=colour))
        # Where the band is narrower than the line, its means still show.
        step = -(-area.height // _MOST_MEANS)
        means = area.gather_every(step).with_columns(share=pl.col("simulated_mean"))
        dots = base.properties(data=means).mark_circle(size=60, opacity=1)
        layers.append(dots.encode(x=x, y=y, color=colour))
    return alt.layer(*layers)
