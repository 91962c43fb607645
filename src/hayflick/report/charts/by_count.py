"""Survival by how often the real data hold a symbol, as a heat map over generations."""

from __future__ import annotations

import numpy as np
import polars as pl

from hayflick.planning.forecast_result import Forecast
from hayflick.report.charts import drawing
from hayflick.report.language import Language

_MOST_COLUMNS = 60
# The legend stands beside the map and needs as much.
_LEAST_HEIGHT = 240


def by_count_chart(forecast: Forecast, language: Language) -> drawing.RenderedChart:
    """Return the chart of survival by original count."""
    import altair as alt

    text, counts = language.text, forecast.by_count.counts
    numbers = _numbers(forecast)
    step = -(-(forecast.generations + 1) // _MOST_COLUMNS)
    names = [language.number(count) for count in counts]
    labels = pl.DataFrame({"count": counts, "label": names})
    labelled = numbers.filter(pl.col("generation") % step == 0).join(labels, on="count")
    legend = alt.Legend(format="%", gradientLength=220, orient="right")
    shade = alt.Scale(scheme="viridis", domain=[0, 1])
    every = alt.Axis(tickMinStep=1, labelAngle=0, labelOverlap=True)
    chart = (
        alt.Chart(labelled, width=drawing.WIDTH - 60, height=max(_LEAST_HEIGHT, 20 * counts.size))
        .mark_rect()
        .encode(
            x=alt.X("generation:O", title=text("round"), axis=every),
            y=alt.Y("label:O", title=text("count in the real data"), sort=names[::-1]),
            color=alt.Color("survival:Q", title=text("survival"), scale=shade, legend=legend),
        )
    )
    return drawing.RenderedChart(
        name="by-count",
        title=text("What was rare goes first"),
        caption=text(
            "The probability that a symbol outside of any reserve is still there, by how often "
            "the real data hold it."
        ),
        svg=drawing.to_svg(chart),
        numbers=numbers,
    )


def _numbers(forecast: Forecast) -> pl.DataFrame:
    by_count, generations = forecast.by_count, np.arange(forecast.generations + 1)
    return pl.DataFrame(
        {
            "count": np.repeat(by_count.counts, generations.size),
            "generation": np.tile(generations, by_count.counts.size),
            "survival": by_count.survival.ravel(),
            "real_data_alone": np.repeat(by_count.baseline, generations.size),
        }
    )
