"""What one step of each knob does to the recommended design."""

from __future__ import annotations

from typing import Any

import polars as pl

from hayflick.report.charts import drawing
from hayflick.report.plan_findings import PlanFindings
from hayflick.report.plan_labels import knob_label

_NUMBERS = ("value", "moved", "collapse", "collapse_moved", "elasticity", "standard_error")
_LABEL_PIXELS = 250
_VISIBLE, _LEAST_SCALE = 0.0005, 0.01
_PADDING = {"left": 40, "right": 30, "top": 5, "bottom": 5}


def plan_sensitivity_chart(findings: PlanFindings) -> drawing.RenderedChart:
    """Return the chart of changes, the largest first."""
    text, numbers = findings.language.text, _numbers(findings)
    return drawing.RenderedChart(
        name="sensitivity",
        title=text("Which knob matters"),
        caption=_caption(numbers, findings),
        svg=drawing.to_svg(_bars(numbers, findings)),
        numbers=numbers,
    )


def _caption(numbers: pl.DataFrame, findings: PlanFindings) -> str:
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


def _numbers(findings: PlanFindings) -> pl.DataFrame:
    rows = [
        {
            "knob": knob_label(knob.name, findings.language),
            "value": knob.value,
            "moved": float(knob.moved),
            "change": knob.left_moved - knob.left,
            "standard_error": knob.standard_error,
            "collapse": knob.collapse,
            "collapse_moved": knob.collapse_moved,
            "elasticity": knob.elasticity,
            "method": knob.method,
        }
        for knob in findings.plan.knobs
    ]
    return pl.DataFrame(rows, schema_overrides=dict.fromkeys(_NUMBERS, pl.Float64))


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
