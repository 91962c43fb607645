"""The labels least likely to be left, by name."""

from __future__ import annotations

import numpy as np
import polars as pl

from hayflick.planning.forecast_result import Forecast
from hayflick.report.charts import drawing
from hayflick.report.language import Language

_SHOWN = 25
_LABEL_PIXELS = 200
# The reader's font may be wider than the one that the drawing was laid out with.
_PADDING = {"left": 50, "right": 20, "top": 5, "bottom": 5}


def by_label_chart(forecast: Forecast, language: Language) -> drawing.RenderedChart:
    """Return the chart of survival after the last round for the rarest labels."""
    import altair as alt

    text, numbers = language.text, _numbers(forecast)
    symbols, survival = numbers["label"].to_list(), numbers["survival"].to_list()
    shown = numbers.with_columns(pl.Series("left", [language.percent(share) for share in survival]))
    x = alt.X(
        "survival:Q",
        title=text("probability of being left after the last round"),
        axis=alt.Axis(format="%"),
        scale=alt.Scale(domain=[0, 1]),
    )
    names = alt.Axis(labelLimit=_LABEL_PIXELS, title=None)
    y = alt.Y("label:N", sort=symbols, axis=names)
    width = drawing.WIDTH - _LABEL_PIXELS - _PADDING["left"]
    base = alt.Chart(shown, width=width, height=22 * len(symbols) + 10)
    bars = base.mark_bar(color=drawing.LAW).encode(x=x, y=y)
    figures = base.mark_text(align="left", dx=5).encode(x=x, y=y, text="left:N")
    return drawing.RenderedChart(
        name="by-label",
        title=text("Which labels go first"),
        caption=text("The labels least likely to be left, at most {shown} of them.", shown=_SHOWN),
        svg=drawing.to_svg((bars + figures).properties(padding=_PADDING)),
        numbers=numbers,
    )


def _numbers(forecast: Forecast) -> pl.DataFrame:
    """Return the labels least likely to be left: those in a reserve come last."""
    model, reserve = forecast.model, forecast.law.rounds.reserve
    order = np.lexsort((model.weights, reserve > 0))[:_SHOWN]
    symbols = [model.symbols[place] for place in order]
    return pl.DataFrame(
        {
            "label": symbols,
            "count": model.weights[order],
            "survival": forecast.law.of_symbols(symbols)[:, -1],
            "real_data_alone": forecast.law.baseline_of(model.probabilities[order]),
        }
    )
