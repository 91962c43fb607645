"""Survival by how often the real data hold a symbol, as a heat map over generations."""

from __future__ import annotations

import numpy as np
import polars as pl

from hayflick.planning.forecast import Forecast
from hayflick.report.charts import drawing
from hayflick.report.language import Language

_MOST_COLUMNS = 60
# The legend stands beside the map and needs as much.
_LEAST_HEIGHT = 240


def by_count_chart(forecast: Forecast, language: Language) -> drawing.Chart:
    """Return the chart of survival by original count."""
    import altair as alt

    text, counts = language.text, forecast.by_count.counts
    step = -(-(forecast.generations + 1) // _MOST_COLUMNS)
    generations = np.arange(0, forecast.generations + 1, step)
    numbers = pl.DataFrame(
        {
            "count": np.repeat(counts, generations.size),
            "generation": np.tile(generations, counts.size),
            "survival": forecast.by_count.survival[:, generations].ravel(),
        }
    )
    names = [language.number(count) for count in counts]
    labelled = numbers.with_columns(label=pl.Series(np.repeat(names, generations.size)))
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
    return drawing.Chart(
        name="by-count",
        title=text("What was rare goes first"),
        caption=text(
            "The probability that a symbol is still there, by how often the real data hold it."
        ),
        svg=drawing.to_svg(chart),
        numbers=numbers,
    )
