"""What the first three designs of a plan leave, round by round."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from hayflick.report.charts import drawing
from hayflick.report.plan_findings import PlanFindings

_COLOURS = (drawing.LAW, drawing.REAL, "#c77700")
_DESIGNS = 3
_MOST_DOTS = 11


def plan_retention_chart(findings: PlanFindings) -> drawing.RenderedChart:
    """Return the chart of retention over rounds, the target as a line."""
    text, numbers = findings.language.text, _numbers(findings)
    return drawing.RenderedChart(
        name="retention",
        title=text("What is left, round by round"),
        caption=text(
            "The recommended design and the next ones. Dots: the recommended design by "
            "simulation. The dashed line is the target."
        ),
        svg=drawing.to_svg(_layers(numbers, findings)),
        numbers=numbers,
    )


def _numbers(findings: PlanFindings) -> pl.DataFrame:
    plan = findings.plan
    rounds = np.arange(plan.setting.generations + 1)
    return pl.concat(
        pl.DataFrame(
            {
                "generation": rounds,
                "series": [findings.label(design)] * rounds.size,
                "kept": design.retention.expected,
            }
        )
        for design in plan.designs[:_DESIGNS]
    )


def _layers(numbers: pl.DataFrame, findings: PlanFindings) -> Any:
    import altair as alt

    plan, text = findings.plan, findings.language.text
    rounds = plan.setting.generations + 1
    labels = numbers["series"].unique(maintain_order=True).to_list()
    colour = drawing.colour_legend(dict(zip(labels, _COLOURS, strict=False)), direction="vertical")
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
