"""Price against retention of all designs that were looked at."""

from __future__ import annotations

import polars as pl

from hayflick.planning.design import Point
from hayflick.report.charts import drawing
from hayflick.report.plan_findings import PlanFindings
from hayflick.report.plan_labels import kind_label

_COLOURS = {
    "replace": drawing.GREY,
    "fresh": drawing.LAW,
    "periodic": drawing.SIMULATED,
    "anchor": drawing.REAL,
    "accumulate": "#0a7d8c",
    "accumulate-subsample": "#5fb3bf",
    "larger": "#c77700",
    "growing": "#8a5a00",
    "larger and fresh": "#7a3e9d",
}
_DECADES = 1e5


def plan_frontier_chart(findings: PlanFindings) -> drawing.Chart:
    """Return the chart of the frontier, the target as a line."""
    import altair as alt

    plan, text = findings.plan, findings.language.text
    numbers = _numbers(findings)
    colours = {
        kind_label(kind, findings.language): colour
        for kind, colour in _COLOURS.items()
        if any(point.way.kind == kind for point in plan.frontier.points)
    }
    unit = text("real items a round") if plan.costs is None else plan.costs.currency
    title = unit if plan.costs is None else text("{currency} a round", currency=unit)
    # What is free stands at the edge of a logarithmic scale.
    shown = numbers.with_columns(x=pl.max_horizontal("price", pl.lit(_least(numbers))))
    x = alt.X("x:Q", title=title, scale=alt.Scale(type="log"), axis=alt.Axis(format="~s"))
    y = alt.Y(
        "kept:Q",
        title=text("kept in every round"),
        axis=alt.Axis(format="%"),
        # A median variance may be above the real one.
        scale=alt.Scale(domain=[0, max(1.0, *numbers["kept"])]),
    )
    base = alt.Chart(shown, width=drawing.WIDTH, height=drawing.HEIGHT)
    legend = drawing.colour_legend(colours, direction="vertical")
    dots = base.mark_point(size=45, strokeWidth=2).encode(x=x, y=y, color=legend)
    best = base.transform_filter(alt.datum.on_frontier)
    line = best.mark_line(color=drawing.GREY, interpolate="step-after").encode(x=x, y=y)
    rule = pl.DataFrame({"kept": [plan.keep]})
    target = alt.Chart(rule).mark_rule(strokeDash=[5, 4], color=drawing.LIMIT).encode(y=y)
    return drawing.Chart(
        name="frontier",
        title=text("What more money or real data buys"),
        caption=text(
            "Every point is a design; nothing beats those on the grey line. The dashed line is "
            "the target."
        ),
        svg=drawing.to_svg(alt.layer(line, target, dots)),
        numbers=numbers,
    )


def _numbers(findings: PlanFindings) -> pl.DataFrame:
    plan = findings.plan
    best = {id(point) for point in plan.frontier.best}

    def row(point: Point) -> dict[str, object]:
        return {
            "series": kind_label(point.way.kind, findings.language),
            "samples": point.samples,
            "real_per_round": point.real_per_round,
            "price": point.price,
            "kept": point.retention.lowest,
            "on_frontier": id(point) in best,
        }

    return pl.DataFrame([row(point) for point in plan.frontier.points])


def _least(numbers: pl.DataFrame) -> float:
    """Return the left edge of the scale: what is cheaper still stands there."""
    positive = numbers.filter(pl.col("price") > 0.0)["price"].to_list()
    return max(min(positive) / 2.0, max(positive) / _DECADES) if positive else 1.0
