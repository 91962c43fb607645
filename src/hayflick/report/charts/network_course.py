"""A run of a network over its rounds: distance, scatter, and what the pool is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import polars as pl

from hayflick.report.charts import drawing
from hayflick.report.metric_labels import metric_label
from hayflick.report.network_findings import FLOOR, NORM, NetworkFindings

_STACK_HEIGHT = 220
_COLUMNS = 2
_MARKS = (drawing.LIMIT, "#c77700", drawing.REAL, "#7a3e9d")
_TOP, _ROW = 6.0, 11.0
"""Where the first row of marks is below the top, and how far apart rows are."""


def distance_chart(findings: NetworkFindings) -> drawing.RenderedChart:
    """Return the picture of ‖D‖ with its noise floor, marked where something happened."""
    import altair as alt

    text, marks = findings.language.text, findings.marks
    colours = {NORM: drawing.LAW, FLOOR: drawing.GREY}
    numbers, marked = _tall(findings, colours), _marked(marks.rounds)
    named = {metric_label(name, findings.language): one for name, one in colours.items()}
    named |= dict(zip(marks.rounds, _MARKS, strict=False))
    legend = drawing.colour_legend(named, columns=_COLUMNS)
    pictures = _lines(numbers, findings, colours, title="‖D‖").encode(color=legend)
    if marked.height:
        lines, triangles = _signs(marked, legend)
        together = alt.layer(alt.layer(lines, pictures), triangles)
        pictures = together.resolve_scale(y="independent")
    caption = text(
        "‖D‖ is the norm of all distances between the agents' mean answers. Agents that are "
        "alike still differ by chance: the grey line."
    )
    return drawing.RenderedChart(
        name="distance",
        title=text("How far apart the agents are"),
        caption=findings.language.joined(caption, marks.meaning),
        svg=drawing.to_svg(pictures),
        numbers=pl.concat([numbers, marked.select(numbers.columns)]),
    )


def _marked(rounds: Mapping[str, Sequence[int]]) -> pl.DataFrame:
    """Return the marks, a row each: their height in the picture, and whether they begin there."""
    rows = [
        (number, None, label, _TOP + _ROW * row, number - 1 not in numbers)
        for row, (label, numbers) in enumerate(rounds.items())
        for number in numbers
    ]
    columns = {"generation": pl.Int64, "value": pl.Float64, "series": pl.String}
    more = {"height": pl.Float64, "begins": pl.Boolean}
    return pl.DataFrame(rows, schema={**columns, **more}, orient="row")


def _signs(marked: pl.DataFrame, legend: Any) -> tuple[Any, Any]:
    """Return a line down the picture where a mark begins, and a triangle for every mark."""
    import altair as alt

    down = alt.Scale(domain=[0, drawing.HEIGHT], reverse=True, nice=False)
    points = alt.Chart(marked).mark_point(shape="triangle-down", filled=True, size=70, opacity=1)
    height = alt.Y("height:Q", scale=down, axis=None)
    lines = alt.Chart(marked.filter(pl.col("begins"))).mark_rule(opacity=0.5)
    x = alt.X("generation:Q")
    return lines.encode(x=x, color=legend), points.encode(x=x, y=height, color=legend)


def scatter_chart(findings: NetworkFindings) -> drawing.RenderedChart:
    """Return the picture of the scatter within agents and between them, stacked."""
    import altair as alt

    text = findings.language.text
    colours = {"within": drawing.SIMULATED, "between": drawing.LAW}
    numbers = _tall(findings, colours)
    x, y = _axes(findings, title=text("mean squared distance"), stack="zero")
    chart = alt.Chart(drawing.thinned(numbers), width=drawing.WIDTH, height=_STACK_HEIGHT)
    areas = chart.mark_area(opacity=0.85).encode(
        x=x, y=y, color=_legend(findings, colours, symbol="circle")
    )
    return drawing.RenderedChart(
        name="scatter",
        title=text("Scatter within agents and between them"),
        caption=text(
            "The two add up to the scatter of all answers: agents that become alike lose the "
            "part between, agents that each narrow down lose the part within."
        ),
        svg=drawing.to_svg(areas),
        numbers=numbers,
    )


def pool_chart(findings: NetworkFindings) -> drawing.RenderedChart:
    """Return the picture of the pool's synthetic share, and of the real words still in use."""
    text = findings.language.text
    colours = {"synthetic_share": drawing.LIMIT, "vocabulary_kept": drawing.REAL}
    numbers = _tall(findings, colours)
    return drawing.RenderedChart(
        name="pool",
        title=text("What the pool is made of, and what is left of the real words"),
        caption=text(
            "The share of the pool that models wrote, and the share of the real texts' words that "
            "a round's answers still use."
        ),
        svg=drawing.to_svg(_lines(numbers, findings, colours, title=text("share"))),
        numbers=numbers,
    )


def _tall(findings: NetworkFindings, names: dict[str, str]) -> pl.DataFrame:
    """Return metrics of all answers by round; rounds in which one is undefined lack it."""
    parts = [
        pl.DataFrame(
            {
                "generation": range(1, findings.run.rounds + 1),
                "value": findings.run.series(name),
                "series": [metric_label(name, findings.language)] * findings.run.rounds,
            },
            schema_overrides={"value": pl.Float64},
        )
        for name in names
    ]
    return pl.concat(parts).filter(pl.col("value").is_not_null())


def _lines(
    numbers: pl.DataFrame, findings: NetworkFindings, colours: dict[str, str], *, title: str
) -> Any:
    import altair as alt

    x, y = _axes(findings, title=title, stack=None)
    chart = alt.Chart(drawing.thinned(numbers), width=drawing.WIDTH, height=drawing.HEIGHT)
    return chart.mark_line(strokeWidth=2).encode(x=x, y=y, color=_legend(findings, colours))


def _axes(findings: NetworkFindings, *, title: str, stack: Any) -> tuple[Any, Any]:
    import altair as alt

    x = alt.X(
        "generation:Q", title=findings.language.text("round of answers"), axis=drawing.rounds_axis()
    )
    return x, alt.Y("value:Q", title=title, stack=stack, axis=alt.Axis(format="~g"))


def _legend(
    findings: NetworkFindings,
    colours: dict[str, str],
    *,
    symbol: Literal["stroke", "circle"] = "stroke",
) -> Any:
    named = {metric_label(name, findings.language): one for name, one in colours.items()}
    return drawing.colour_legend(named, symbol=symbol)
