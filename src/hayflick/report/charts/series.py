"""A quantity round by round: law, simulation, real data alone, limit."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from hayflick.planning.series_forecast import Series
from hayflick.report.charts import drawing
from hayflick.report.series_findings import SeriesFindings

_MOST_MARKS = 11


def series_chart(series: Series, findings: SeriesFindings) -> drawing.RenderedChart:
    """Return the chart of one of a forecast's quantities over the generations."""
    text, label = findings.language.text, findings.label(series.name)
    numbers = _numbers(series)
    return drawing.RenderedChart(
        name=series.name.replace("_", "-"),
        title=text("{quantity}, round by round", quantity=label[:1].upper() + label[1:]),
        caption=text(
            "The law where it is known, the simulated runs, and what one training on real data "
            "alone gives. Bands and bars reach from 5 to 95%."
        ),
        svg=drawing.to_svg(_layers(drawing.thinned(numbers), series, findings)),
        numbers=numbers,
    )


def _numbers(series: Series) -> pl.DataFrame:
    columns: dict[str, Any] = {"generation": np.arange(series.best.middle.size)}
    for name, band in (("law", series.law), ("simulated", series.simulated)):
        if band is not None:
            ends = {f"{name}_low": band.low, f"{name}_high": band.high}
            known = {key: values for key, values in ends.items() if values is not None}
            columns |= {name: band.middle, **known}
    alone = np.full(series.best.middle.size, series.alone.middle)
    return pl.DataFrame({**columns, "real_data_alone": alone})


def _layers(numbers: pl.DataFrame, series: Series, findings: SeriesFindings) -> Any:
    import altair as alt

    text, forecast = findings.language.text, findings.forecast
    names = {"law": text("exact law"), "simulated": text("simulated")}
    real, limit = text("real data alone"), text("limit")
    shades = {"law": drawing.LAW, "simulated": drawing.SIMULATED}
    colours = {names[kind]: shades[kind] for kind in shades if kind in numbers.columns}
    colours[real] = drawing.REAL
    has_limit = series is forecast.main and not forecast.singular
    if has_limit:
        colours[limit] = drawing.LIMIT
    axis = alt.Axis(format="%") if series.quantity.is_share else alt.Axis(format="~g")
    encoding = {
        "x": alt.X("generation:Q", title=text("round"), axis=drawing.rounds_axis()),
        "y": alt.Y("value:Q", title=findings.label(series.name), axis=axis),
        "color": drawing.colour_legend(colours),
    }
    base = alt.Chart(width=drawing.WIDTH, height=drawing.HEIGHT)
    layers = [_line(base, numbers, "real_data_alone", real, encoding)]
    if has_limit:
        rule = pl.DataFrame({"value": [forecast.limit], "series": [limit]})
        dashes = base.properties(data=rule).mark_rule(strokeDash=[5, 4])
        layers.insert(0, dashes.encode(y=encoding["y"], color=encoding["color"]))
    # Beside a law the runs are a check, alone they are the answer.
    leading = "law" if series.law is not None else "simulated"
    layers = [*_band(base, numbers, leading, names, encoding), *layers]
    layers.append(_line(base, numbers, leading, names[leading], encoding))
    if series.law is not None and series.simulated is not None:
        layers += _marks(base, numbers, names["simulated"], encoding)
    return alt.layer(*layers)


def _line(base: Any, numbers: pl.DataFrame, column: str, label: str, encoding: Any) -> Any:
    line = numbers.select("generation", value=pl.col(column), series=pl.lit(label))
    return base.properties(data=line).mark_line(strokeWidth=2.5).encode(**encoding)


def _band(
    base: Any, numbers: pl.DataFrame, kind: str, names: dict[str, str], encoding: Any
) -> list[Any]:
    """Return the area between the quantiles, in a list that is empty without them."""
    if f"{kind}_low" not in numbers.columns:
        return []
    area = numbers.select(
        "generation",
        value=pl.col(f"{kind}_low"),
        high=pl.col(f"{kind}_high"),
        series=pl.lit(names[kind]),
    )
    return [base.properties(data=area).mark_area(opacity=0.2).encode(**encoding, y2="high:Q")]


def _marks(base: Any, numbers: pl.DataFrame, label: str, encoding: Any) -> list[Any]:
    """Return the simulated runs as a few dots, with bars between their quantiles."""
    step = -(-numbers.height // _MOST_MARKS)
    few = numbers.gather_every(step).with_columns(series=pl.lit(label))
    layers = []
    if "simulated_low" in few.columns:
        bars = few.rename({"simulated_low": "value", "simulated_high": "high"})
        layers.append(
            base.properties(data=bars).mark_rule(strokeWidth=1.5).encode(**encoding, y2="high:Q")
        )
    dots = base.properties(data=few.rename({"simulated": "value"})).mark_circle(size=60, opacity=1)
    return [*layers, dots.encode(**encoding)]
