"""Price against retention of all designs that were looked at."""

from __future__ import annotations

import math

import polars as pl

from hayflick.planning.designs import DesignPoint
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
_DEAREST, _CHEAPEST = 100.0, 1e-6
"""Of the recommended design's price: what is dearer is left out, what is cheaper at the edge."""


def plan_frontier_chart(findings: PlanFindings) -> drawing.RenderedChart:
    """Return the chart of the frontier, the target as a line."""
    import altair as alt

    plan, text = findings.plan, findings.language.text
    numbers = _numbers(findings)
    unit = text("real items a round") if plan.costs is None else plan.costs.currency
    title = unit if plan.costs is None else text("{currency} a round", currency=unit)
    shown, dear = _within_reach(numbers, findings)
    kinds = {kind_label(kind, findings.language): colour for kind, colour in _COLOURS.items()}
    colours = {label: colour for label, colour in kinds.items() if label in set(shown["series"])}
    left, right = _ends(shown)
    # What is free stands at the edge of a logarithmic scale.
    shown = shown.with_columns(x=pl.max_horizontal("price", pl.lit(left)))
    axis = alt.Axis(format=",~r", values=_ticks(left, right), labelOverlap=True)
    scale = alt.Scale(type="log", domain=[left, right], nice=False)
    x = alt.X("x:Q", title=title, scale=scale, axis=axis)
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
    return drawing.RenderedChart(
        name="frontier",
        title=text("What more money or real data buys"),
        caption=_caption(dear, findings),
        svg=drawing.to_svg(alt.layer(line, target, dots)),
        numbers=numbers,
    )


def _numbers(findings: PlanFindings) -> pl.DataFrame:
    plan = findings.plan
    best = {id(point) for point in plan.frontier.best}

    def row(point: DesignPoint) -> dict[str, object]:
        return {
            "series": kind_label(point.way.kind, findings.language),
            "samples": point.samples,
            "real_per_round": point.real_per_round,
            "price": point.price,
            "kept": point.retention.lowest,
            "on_frontier": id(point) in best,
        }

    return pl.DataFrame([row(point) for point in plan.frontier.points])


def _caption(dear: int, findings: PlanFindings) -> str:
    language = findings.language
    caption = language.text(
        "Every point is a design; nothing beats those on the grey line. The dashed line is the "
        "target."
    )
    if not dear:
        return caption
    left_out = language.text(
        "Designs more than {times} times as dear as the recommended one are left out: {dear} of "
        "them, all in the numbers.",
        times=language.number(_DEAREST),
        dear=language.number(dear),
    )
    return language.joined(caption, left_out)


def _within_reach(numbers: pl.DataFrame, findings: PlanFindings) -> tuple[pl.DataFrame, int]:
    """Return the designs that are drawn, and how many are too dear for that."""
    plan = findings.plan
    price = plan.price(plan.designs[0])
    if price <= 0.0:
        return numbers, 0
    shown = numbers.filter(pl.col("price") <= _DEAREST * price)
    far = pl.max_horizontal("price", pl.lit(_CHEAPEST * price))
    shown = shown.with_columns(price=pl.when(pl.col("price") > 0.0).then(far).otherwise(0.0))
    return shown, numbers.height - shown.height


def _ends(shown: pl.DataFrame) -> tuple[float, float]:
    """Return the ends of the scale: half the lowest price that is not nothing, and the highest."""
    positive = shown.filter(pl.col("price") > 0.0)["price"].to_list()
    return (min(positive) / 2.0, 1.1 * max(positive)) if positive else (1.0, 10.0)


def _ticks(left: float, right: float) -> list[float]:
    """Return powers of ten on a long scale, with their doubles and halves on a short one.

    Examples
    --------
    >>> _ticks(3.0, 70.0), _ticks(0.5, 2e5)
    ([5.0, 10.0, 20.0, 50.0], [1.0, 10.0, 100.0, 1000.0, 10000.0, 100000.0])
    """
    steps = (1, 2, 5) if right < 1000.0 * left else (1,)
    powers = range(math.floor(math.log10(left)), math.ceil(math.log10(right)) + 1)
    ticks = [float(f"{step}e{power}") for power in powers for step in steps]
    return [tick for tick in ticks if left <= tick <= right]
