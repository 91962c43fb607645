"""Zipf plot: counts by rank, before and after."""

from __future__ import annotations

import numpy as np
import polars as pl
import xarray

from hayflick.planning.forecast_result import Forecast
from hayflick.report.charts import drawing
from hayflick.report.language import Language


def rank_frequency_chart(
    forecast: Forecast, simulated: xarray.Dataset, language: Language
) -> drawing.RenderedChart:
    """Return the Zipf plot of the real data and of the last round's training sets."""
    import altair as alt

    text = language.text
    before, after = text("real data"), text("last round, simulated")
    numbers = _numbers(forecast, simulated)
    tall = pl.concat(
        numbers.select("rank", count=pl.col(column), series=pl.lit(label))
        for column, label in (("before", before), ("after", after))
    ).filter(pl.col("count") > 0)
    log = alt.Scale(type="log", nice=False)
    axis = alt.Axis(format="~s", tickCount=6, labelOverlap=True)
    colours = {before: drawing.REAL, after: drawing.LAW}
    chart = (
        alt.Chart(tall, width=drawing.WIDTH, height=drawing.HEIGHT)
        .mark_line(strokeWidth=2.5)
        .encode(
            x=alt.X("rank:Q", title=text("rank"), scale=log, axis=axis),
            y=alt.Y("count:Q", title=text("count"), scale=log, axis=axis),
            color=drawing.colour_legend(colours),
        )
    )
    return drawing.RenderedChart(
        name="rank-frequency",
        title=text("The long tail, before and after"),
        caption=text(
            "Counts by rank on logarithmic axes: the real data, scaled to the size of a training "
            "set, and the median of the simulated runs after the last round."
        ),
        svg=drawing.to_svg(chart),
        numbers=numbers,
    )


def _numbers(forecast: Forecast, simulated: xarray.Dataset) -> pl.DataFrame:
    ranks = simulated["rank"].to_numpy()
    law = np.sort(forecast.model.probabilities)[::-1]
    after = simulated["count_by_rank"].median("replicate").to_numpy()
    return pl.DataFrame(
        {"rank": ranks, "before": np.round(law[ranks - 1] * forecast.samples, 6), "after": after}
    )
