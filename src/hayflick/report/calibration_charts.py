"""The charts of a calibration: what comes next, what fits, and how sure it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from hayflick.report import drawing
from hayflick.report.calibration_findings import PARTS, CalibrationFindings

_SHADES = {
    "ideal law": drawing.REAL,
    "power law": "#c77700",
    "exponential": "#7a3e9d",
    "last value": drawing.GREY,
}
_PART_SHADES = dict(zip(PARTS, (drawing.SIMULATED, drawing.GREY, "#c77700"), strict=True))


def calibration_charts(findings: CalibrationFindings) -> tuple[drawing.RenderedChart, ...]:
    """Return the charts of a calibration, in the order of the page."""
    charts = [outlook_chart(findings)]
    if findings.calibration.prediction.within:
        charts.append(_residuals_chart(findings))
    charts.append(_counts_chart(findings))
    if findings.calibration.effective_size[0].low is not None:
        charts.append(_effective_chart(findings))
    return (*charts, _parts_chart(findings))


def outlook_chart(findings: CalibrationFindings) -> drawing.RenderedChart:
    """Return the chart of the recorded shares, the forecast and the naive curves."""
    import altair as alt

    text, numbers = findings.language.text, _outlook_numbers(findings)
    chain, recorded = findings.curve("chain"), text("recorded")
    colours = {recorded: drawing.INK, chain: drawing.LAW}
    colours |= {findings.curve(name): shade for name, shade in _SHADES.items()}
    present = set(numbers["series"])
    colours = {label: shade for label, shade in colours.items() if label in present}
    x = alt.X("generation:Q", title=text("round"), axis=drawing.rounds_axis())
    title = text("share of the {nouns} left", nouns=findings.nouns)
    y = alt.Y(
        "value:Q",
        title=title,
        axis=alt.Axis(format="%"),
        scale=alt.Scale(domain=[0, 1], clamp=True),
    )
    colour = drawing.colour_legend(colours, columns=3)
    base = alt.Chart(width=drawing.WIDTH, height=drawing.HEIGHT)
    own = numbers.filter(pl.col("series") == chain)
    naive = numbers.filter(~pl.col("series").is_in([chain, recorded]))
    layers = [
        base.properties(data=own)
        .mark_area(opacity=0.2)
        .encode(x=x, y=alt.Y("low:Q", title=title), y2="high:Q", color=colour),
        base.properties(data=naive)
        .mark_line(strokeWidth=1.5, strokeDash=[5, 3])
        .encode(x=x, y=y, color=colour),
        base.properties(data=own).mark_line(strokeWidth=2.5).encode(x=x, y=y, color=colour),
        base.properties(data=numbers.filter(pl.col("series") == recorded))
        .mark_circle(size=70, opacity=1)
        .encode(x=x, y=y, color=colour),
    ]
    return drawing.RenderedChart(
        name="outlook",
        title=text("What is left, round by round"),
        caption=text(
            "Dots: recorded rounds. Blue: the calibrated chain; a single run lies in the band with "
            "a chance of 90%. Dashed: what one would draw without a model of this trainer."
        ),
        svg=drawing.to_svg(alt.layer(*layers)),
        numbers=numbers,
    )


def _outlook_numbers(findings: CalibrationFindings) -> pl.DataFrame:
    calibration, text = findings.calibration, findings.language.text
    kept, last = calibration.record.kept.tolist(), calibration.record.transitions
    rows: list[dict[str, Any]] = [
        {"series": text("recorded"), "generation": k, "value": share}
        for k, share in enumerate(kept)
    ]
    # Curves set out from the last recorded round.
    start = {"generation": last, "value": kept[-1]}
    chain = findings.curve("chain")
    rows.append({"series": chain, **start, "low": kept[-1], "high": kept[-1]})
    rows += [
        {
            "series": chain,
            "generation": one.round,
            "value": one.share,
            "low": one.low,
            "high": one.high,
        }
        for one in calibration.forecast
    ]
    for curve in calibration.prediction.naive:
        if curve.share is None:
            continue
        name = findings.curve(curve.name)
        rows += [
            {"series": name, "generation": one.round, "value": float(share)}
            for one, share in zip(calibration.forecast, curve.share, strict=True)
        ]
    schema = {
        "series": pl.String,
        "generation": pl.Int64,
        "value": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema)


def _residuals_chart(findings: CalibrationFindings) -> drawing.RenderedChart:
    """Return the chart of the errors of forecasts within the record."""
    import altair as alt

    text, within = findings.language.text, findings.calibration.prediction.within
    numbers = pl.DataFrame(
        {
            "generation": [one.origin + one.horizon for one in within],
            "series": [
                text("from rounds 0 to {origin}", origin=findings.language.number(one.origin))
                for one in within
            ],
            "predicted": [one.predicted for one in within],
            "recorded": [one.recorded for one in within],
            "error": [one.error for one in within],
        }
    )
    largest = max(0.02, 1.2 * float(np.abs(numbers["error"].to_numpy()).max()))
    rounds = sorted(set(numbers["generation"]))
    x = alt.X("generation:O", title=text("round"), sort=rounds, axis=alt.Axis(labelAngle=0))
    y = alt.Y(
        "error:Q",
        title=text("forecast less recorded"),
        axis=alt.Axis(format="+.1%", titlePadding=12),
        scale=alt.Scale(domain=[-largest, largest]),
    )
    colour = alt.Color(
        "series:N", title=None, legend=alt.Legend(orient="top", labelLimit=0, columnPadding=24)
    )
    base = alt.Chart(numbers, width=drawing.WIDTH, height=200)
    zero = alt.Chart(pl.DataFrame({"error": [0.0]})).mark_rule(color=drawing.GREY).encode(y=y)
    dots = base.mark_circle(size=80, opacity=1).encode(x=x, y=y, color=colour)
    return drawing.RenderedChart(
        name="residuals",
        title=text("Forecasts within the record"),
        caption=text(
            "Each dot is a recorded round, forecast by a fit on the rounds before it alone. How "
            "far they lie from 0 is the model's error in the interval."
        ),
        svg=drawing.to_svg(zero + dots),
        numbers=numbers,
    )


def _counts_chart(findings: CalibrationFindings) -> drawing.RenderedChart:
    """Return the chart of next counts against counts."""
    import altair as alt

    text, numbers = findings.language.text, _counts(findings)
    shown = numbers.filter(pl.col("count") > 0).with_columns(
        observed=pl.col("observed_mean") / pl.col("count"),
        expected=pl.col("expected_mean") / pl.col("count"),
    )
    names = {
        "observed": text("recorded"),
        "expected": findings.curve("chain"),
        "ideal": text("ideal line"),
    }
    colours = dict(zip(names.values(), (drawing.INK, drawing.LAW, drawing.REAL), strict=True))
    x = alt.X(
        "count:Q",
        title=text("count in a round"),
        scale=alt.Scale(type="log", nice=False),
        axis=alt.Axis(format=",~r", tickCount=6, labelOverlap=True),
    )
    y = alt.Y(
        "value:Q",
        title=text("next count for each occurrence"),
        scale=alt.Scale(zero=False),
        axis=alt.Axis(format=".2f", titlePadding=12),
    )
    colour = drawing.colour_legend(colours)
    base = alt.Chart(width=drawing.WIDTH, height=drawing.HEIGHT)

    def named(column: str) -> pl.DataFrame:
        return shown.select("count", value=pl.col(column), series=pl.lit(names[column]))

    ideal = shown.select(
        "count", value=pl.lit(_ideal_ratio(findings)), series=pl.lit(names["ideal"])
    )
    layers = [
        base.properties(data=ideal).mark_line(strokeDash=[5, 4]).encode(x=x, y=y, color=colour),
        base.properties(data=named("expected"))
        .mark_line(strokeWidth=2.5)
        .encode(x=x, y=y, color=colour),
        base.properties(data=named("observed"))
        .mark_circle(size=70, opacity=1)
        .encode(x=x, y=y, color=colour),
    ]
    return drawing.RenderedChart(
        name="next-counts",
        title=text("Next count against count"),
        caption=text(
            "What follows in the next round for each occurrence in this one, by classes of the "
            "count. Above the ideal line a class gains, below it loses. The numbers have the "
            "standardised differences: beyond 3 the chain is off for that class."
        ),
        svg=drawing.to_svg(alt.layer(*layers)),
        numbers=numbers,
    )


def _counts(findings: CalibrationFindings) -> pl.DataFrame:
    """Return what followed each class of counts, and what the chain expects."""
    classes = findings.calibration.classes
    names = (
        *("pairs", "count", "observed_mean", "expected_mean"),
        *("mean_deviation", "variance_deviation"),
    )
    labels = [findings.count_class(one) for one in classes]
    return pl.DataFrame(
        {"label": labels, **{name: [getattr(one, name) for one in classes] for name in names}}
    )


def _ideal_ratio(findings: CalibrationFindings) -> float:
    """Return the next count for each occurrence by an ideal resampler."""
    sizes = findings.calibration.record.sizes
    return float(sizes[1:].sum() / sizes[:-1].sum())


def _effective_chart(findings: CalibrationFindings) -> drawing.RenderedChart:
    """Return the chart of the effective sample size by count."""
    import altair as alt

    text, calibration = findings.language.text, findings.calibration
    largest = int(calibration.record.counts.max())
    counts = sorted({round(count) for count in np.geomspace(1, max(largest, 2), 40)})
    found = [calibration.effective_size_at(count) for count in counts]
    numbers = pl.DataFrame(
        {
            "count": [one.count for one in found],
            "value": [one.share for one in found],
            "low": [one.low for one in found],
            "high": [one.high for one in found],
        }
    )
    x = alt.X(
        "count:Q",
        title=text("count in a round"),
        scale=alt.Scale(type="log", nice=False),
        axis=alt.Axis(format=",~r", tickCount=6, labelOverlap=True),
    )
    title = text("effective sample size")
    scale = alt.Scale(domain=[0, 1])
    y = alt.Y("value:Q", title=title, axis=alt.Axis(format="%"), scale=scale)
    base = alt.Chart(numbers, width=drawing.WIDTH, height=200)
    band = base.mark_area(opacity=0.2, color=drawing.LAW).encode(
        x=x, y=alt.Y("low:Q", title=title), y2="high:Q"
    )
    line = base.mark_line(color=drawing.LAW, strokeWidth=2.5).encode(x=x, y=y)
    return drawing.RenderedChart(
        name="effective-size",
        title=text("Effective sample size by count"),
        caption=text(
            "An ideal resampler has 100% throughout. At half of it the count of a type varies from "
            "round to round as in a training set of half the size."
        ),
        svg=drawing.to_svg(band + line),
        numbers=numbers,
    )


def _parts_chart(findings: CalibrationFindings) -> drawing.RenderedChart:
    """Return the chart of the parts of the interval."""
    import altair as alt

    text, calibration = findings.language.text, findings.calibration
    heading, *_ = findings.parts_table()
    names = dict(zip(PARTS, heading[1:], strict=True))
    rounds = [one.round for one in calibration.forecast]
    numbers = pl.concat(
        pl.DataFrame(
            {
                "generation": rounds,
                "series": [names[part]] * len(rounds),
                "value": calibration.prediction.parts[part].tolist(),
            }
        )
        for part in PARTS
    )
    x = alt.X("generation:Q", title=text("round"), axis=drawing.rounds_axis())
    y = alt.Y("value:Q", title=text("standard deviation"), axis=alt.Axis(format=".1%"))
    colour = drawing.colour_legend({names[part]: _PART_SHADES[part] for part in PARTS})
    base = alt.Chart(numbers, width=drawing.WIDTH, height=200)
    lines = base.mark_line(strokeWidth=2.5, point=True).encode(x=x, y=y, color=colour)
    return drawing.RenderedChart(
        name="parts",
        title=text("What makes the interval wide"),
        caption=text(
            "Errors of the fitted parameters; the chance in every run; and how far forecasts "
            "within the record were off, grown with the root of the rounds."
        ),
        svg=drawing.to_svg(lines),
        numbers=numbers,
    )
