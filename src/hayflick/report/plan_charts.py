"""The charts of a plan: what more buys, what is left by round, what one step changes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl

from hayflick.planning.designs import Design
from hayflick.report import drawing
from hayflick.report.plan_findings import PlanFindings, kind_label, sensitivity_label

_KIND_COLOURS = {
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


def plan_charts(findings: PlanFindings) -> tuple[drawing.RenderedChart, ...]:
    """Return the charts of a plan."""
    charts = [plan_frontier_chart(findings), plan_retention_chart(findings)]
    if findings.plan.sensitivities:
        charts.append(plan_sensitivity_chart(findings))
    return tuple(charts)


def plan_frontier_chart(findings: PlanFindings) -> drawing.RenderedChart:
    """Return the chart of the frontier, the target as a line."""
    import altair as alt

    plan, text = findings.plan, findings.language.text
    numbers = _frontier_numbers(findings)
    unit = text("new real items a round") if plan.costs is None else plan.costs.currency
    title = unit if plan.costs is None else text("{currency} a round", currency=unit)
    shown, dear = _within_reach(numbers, findings)
    kinds = {kind_label(kind, findings.language): colour for kind, colour in _KIND_COLOURS.items()}
    colours = {label: colour for label, colour in kinds.items() if label in set(shown["series"])}
    left, right = _ends(shown)
    # What is free stands at the edge of a logarithmic scale.
    shown = shown.with_columns(x=pl.max_horizontal("price", pl.lit(left)))
    axis = alt.Axis(format=",~r", values=_ticks(left, right), labelOverlap=True)
    scale = alt.Scale(type="log", domain=[left, right], nice=False)
    x = alt.X("x:Q", title=title, scale=scale, axis=axis)
    y = alt.Y(
        "kept:Q",
        title=text("kept on average in the worst round"),
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
        caption=_frontier_caption(dear, findings),
        svg=drawing.to_svg(alt.layer(line, target, dots)),
        numbers=numbers,
    )


def _frontier_numbers(findings: PlanFindings) -> pl.DataFrame:
    plan = findings.plan
    best = {id(point) for point in plan.frontier.efficient}

    def row(point: Design) -> dict[str, object]:
        return {
            "series": kind_label(point.strategy.kind, findings.language),
            "samples": point.samples,
            "real_per_round": point.real_per_round,
            "price": point.price,
            "kept": point.retention.lowest,
            "on_frontier": id(point) in best,
        }

    return pl.DataFrame([row(point) for point in plan.frontier.points])


def _frontier_caption(dear: int, findings: PlanFindings) -> str:
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
    price = plan.designs[0].price
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


_DESIGN_COLOURS = (drawing.LAW, drawing.REAL, "#c77700")
_DESIGNS_DRAWN = 3
_MOST_DOTS = 11


def plan_retention_chart(findings: PlanFindings) -> drawing.RenderedChart:
    """Return the chart of retention over rounds, the target as a line."""
    text, numbers = findings.language.text, _retention_numbers(findings)
    return drawing.RenderedChart(
        name="retention",
        title=text("What is left, round by round"),
        caption=text(
            "The recommended design and the next ones. Dots: the recommended design by "
            "simulation. The dashed line is the target."
        ),
        svg=drawing.to_svg(_retention_layers(numbers, findings)),
        numbers=numbers,
    )


def _retention_numbers(findings: PlanFindings) -> pl.DataFrame:
    plan = findings.plan
    rounds = np.arange(plan.problem.generations + 1)
    return pl.concat(
        pl.DataFrame(
            {
                "generation": rounds,
                "series": [findings.label(design)] * rounds.size,
                "kept": design.retention.expected,
            }
        )
        for design in plan.designs[:_DESIGNS_DRAWN]
    )


def _retention_layers(numbers: pl.DataFrame, findings: PlanFindings) -> Any:
    import altair as alt

    plan, text = findings.plan, findings.language.text
    rounds = plan.problem.generations + 1
    labels = numbers["series"].unique(maintain_order=True).to_list()
    colour = drawing.colour_legend(
        dict(zip(labels, _DESIGN_COLOURS, strict=False)), direction="vertical"
    )
    title = text("share of {subject} left", subject=findings.subject)
    scale, axis = alt.Scale(zero=False, nice=True), alt.Axis(format="%")
    x = alt.X("generation:Q", title=text("round"), axis=drawing.rounds_axis())
    y = alt.Y("kept:Q", title=title, axis=axis, scale=scale)
    base = alt.Chart(width=drawing.WIDTH, height=drawing.HEIGHT)
    target = base.properties(data=pl.DataFrame({"kept": [plan.keep]}))
    dashed = target.mark_rule(strokeDash=[5, 4], color=drawing.LIMIT).encode(y=y)
    lines = base.properties(data=_thinned(numbers, rounds)).mark_line(strokeWidth=2.5)
    layers = [dashed, lines.encode(x=x, y=y, color=colour)]
    if plan.simulated is not None:
        means = pl.DataFrame({"generation": np.arange(rounds), "kept": plan.simulated.kept})
        few = base.properties(data=means.gather_every(-(-rounds // _MOST_DOTS)))
        dots = few.mark_circle(size=60, opacity=1, color=drawing.SIMULATED)
        layers.append(dots.encode(x=x, y=y))
    return alt.layer(*layers)


def _thinned(numbers: pl.DataFrame, rounds: int) -> pl.DataFrame:
    step = -(-rounds // 400)
    every = pl.col("generation") % step == 0
    return numbers.filter(every | (pl.col("generation") == rounds - 1))


_SENSITIVITY_NUMBERS = (
    "value",
    "moved",
    "collapse",
    "collapse_moved",
    "elasticity",
    "standard_error",
)
_LABEL_PIXELS = 250
_VISIBLE, _LEAST_SCALE = 0.0005, 0.01
_PADDING = {"left": 40, "right": 30, "top": 5, "bottom": 5}


def plan_sensitivity_chart(findings: PlanFindings) -> drawing.RenderedChart:
    """Return the chart of changes, the largest first."""
    text, numbers = findings.language.text, _sensitivity_numbers(findings)
    return drawing.RenderedChart(
        name="sensitivity",
        title=text("Which knob matters"),
        caption=_sensitivity_caption(numbers, findings),
        svg=drawing.to_svg(_bars(numbers, findings)),
        numbers=numbers,
    )


def _sensitivity_caption(numbers: pl.DataFrame, findings: PlanFindings) -> str:
    language = findings.language
    caption = language.text(
        "The lowest share that is left if one thing changes and all else stays: sizes and "
        "shares a tenth lower; temperature, noise and rounding by simulation."
    )
    if _widest(numbers) >= _VISIBLE:
        return caption
    return language.joined(caption, language.text("Here none of them makes a difference."))


def _widest(numbers: pl.DataFrame) -> float:
    return max((abs(change) for change in numbers["change"]), default=0.0)


def _sensitivity_numbers(findings: PlanFindings) -> pl.DataFrame:
    rows = [
        {
            "knob": sensitivity_label(sensitivity.name, findings.language),
            "value": sensitivity.value,
            "moved": float(sensitivity.moved),
            "change": sensitivity.left_moved - sensitivity.left,
            "standard_error": sensitivity.standard_error,
            "collapse": sensitivity.collapse,
            "collapse_moved": sensitivity.collapse_moved,
            "elasticity": sensitivity.elasticity,
            "method": sensitivity.method,
        }
        for sensitivity in findings.plan.sensitivities
    ]
    return pl.DataFrame(rows, schema_overrides=dict.fromkeys(_SENSITIVITY_NUMBERS, pl.Float64))


def _bars(numbers: pl.DataFrame, findings: PlanFindings) -> Any:
    import altair as alt

    pairs = zip(numbers["knob"], numbers["moved"], strict=True)
    labels = [
        f"{name} → {step:,.4g}" if step < 1e3 else f"{name} → {step:,.0f}" for name, step in pairs
    ]
    better = pl.col("change") > 0.0
    shown = numbers.with_columns(pl.Series("label", labels), better=better)
    order = shown.sort(pl.col("change").abs(), descending=True)["label"].to_list()
    title = findings.language.text("change of what is left, percentage points")
    widest = _widest(shown)
    # A scale of its own, however small: without one, no change at all has none.
    aside = alt.Undefined if widest >= _LEAST_SCALE else [-_LEAST_SCALE, _LEAST_SCALE]
    digits = "+%" if widest >= 5 * _LEAST_SCALE else "+.1%"
    x = alt.X(
        "change:Q",
        title=title,
        scale=alt.Scale(domain=aside),
        axis=alt.Axis(format=digits, tickCount=6, labelOverlap=True),
    )
    y = alt.Y("label:N", sort=order, axis=alt.Axis(labelLimit=_LABEL_PIXELS, title=None))
    width = drawing.WIDTH - _LABEL_PIXELS - _PADDING["left"]
    base = alt.Chart(shown, width=width, height=26 * len(order) + 10)
    scale = alt.Scale(domain=[False, True], range=[drawing.LIMIT, drawing.REAL])
    colour = alt.Color("better:N", scale=scale, legend=None)
    return base.mark_bar().encode(x=x, y=y, color=colour).properties(padding=_PADDING)
