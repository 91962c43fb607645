"""The change that each treatment of a trial made, with its interval."""

from __future__ import annotations

from typing import Any

import polars as pl

from hayflick.monitor.pilot_analysis import Outcome
from hayflick.monitor.pilot_variation import Scale
from hayflick.report.charts import drawing
from hayflick.report.pilot_findings import ResultFindings

_LABEL_PIXELS = 200
_COLOURS = {
    Outcome.GO: drawing.REAL,
    Outcome.NO_GO: drawing.LIMIT,
    Outcome.INCONCLUSIVE: drawing.GREY,
}


def pilot_effects_chart(findings: ResultFindings) -> drawing.RenderedChart:
    """Return the chart of effects, one treatment a line."""
    text, numbers = findings.language.text, _numbers(findings)
    return drawing.RenderedChart(
        name="effects",
        title=text("What each arm changed"),
        caption=text(
            "Dots are estimates and bars their intervals. The solid line is no change, the dashed "
            "one the smallest change that would matter."
        ),
        svg=drawing.to_svg(_layers(numbers, findings)),
        numbers=numbers,
    )


def _numbers(findings: ResultFindings) -> pl.DataFrame:
    rows = [
        {
            "arm": compared.arm,
            "effect": compared.effect,
            "interval_low": compared.low,
            "interval_high": compared.high,
            "p": compared.p,
            "p_adjusted": compared.adjusted,
            "decision": findings.outcome(compared),
        }
        for compared in findings.result.comparisons
    ]
    return pl.DataFrame(rows)


def _layers(numbers: pl.DataFrame, findings: ResultFindings) -> Any:
    import altair as alt

    aim, text = findings.result.trial.aim, findings.language.text
    form = "+.0%" if aim.scale == Scale.RELATIVE else "+~g"
    colours = {
        findings.outcome(one): _COLOURS[one.outcome]
        for one in sorted(
            findings.result.comparisons, key=lambda one: list(Outcome).index(one.outcome)
        )
    }
    axis = alt.Axis(format=form, tickCount=8, labelOverlap=True)
    title = text("change against {control}", control=findings.result.trial.control)
    x = alt.X("value:Q", title=title, axis=axis)
    names = alt.Axis(labelLimit=_LABEL_PIXELS, title=None)
    y = alt.Y("arm:N", sort=numbers["arm"].to_list(), axis=names)
    colour = drawing.colour_legend(colours)
    shown = numbers.rename({"decision": "series"})
    width = drawing.WIDTH - _LABEL_PIXELS
    base = alt.Chart(width=width, height=40 * numbers.height + 20)
    bars = base.properties(data=shown.rename({"interval_low": "value"})).mark_rule(strokeWidth=3)
    dots = base.properties(data=shown.rename({"effect": "value"})).mark_circle(size=120, opacity=1)
    return alt.layer(
        _line(base, 0.0, dashed=False).encode(x=x),
        _line(base, aim.matters, dashed=True).encode(x=x),
        bars.encode(x=x, x2="interval_high:Q", y=y, color=colour),
        dots.encode(x=x, y=y, color=colour),
    )


def _line(base: Any, value: float, *, dashed: bool) -> Any:
    rule = base.properties(data=pl.DataFrame({"value": [value]}))
    return rule.mark_rule(color="#24292f", strokeDash=[5, 4] if dashed else [1, 0])
