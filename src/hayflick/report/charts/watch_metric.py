"""A metric of a watched stream over the rounds, all answers and the groups side by side."""

from __future__ import annotations

import polars as pl

from hayflick.report.charts import drawing
from hayflick.report.metric_labels import metric_label
from hayflick.report.watch_findings import WatchFindings

_COLOURS = (
    *("#0b3d75", "#c77700", "#4c8a2f", "#7a3e9d", "#b3261e"),
    *("#2a9d8f", "#8d6e63", "#5aa2e0", "#9aa4ae"),
)
_GROUPS = len(_COLOURS) - 1
_HEIGHT = 180


def watch_metric_chart(metric: str, findings: WatchFindings) -> drawing.RenderedChart:
    """Return the picture of a metric; the first groups of many, in order of their names."""
    import altair as alt

    language, watched = findings.language, findings.watched
    text, label = language.text, metric_label(metric, language)
    everyone = text("all answers")
    groups = [group for group in watched.groups if metric in watched.metrics(group=group)]
    named = {everyone: "", **{group: group for group in groups[:_GROUPS]}}
    numbers = pl.concat(
        pl.DataFrame(
            {
                "generation": range(1, len(watched.rounds) + 1),
                "series": [name] * len(watched.rounds),
                "value": watched.series(metric, group=group),
            },
            schema_overrides={"value": pl.Float64},
        )
        for name, group in named.items()
    )
    shown = numbers.filter(pl.col("value").is_not_null())
    axis = drawing.named_rounds_axis(watched.rounds)
    x = alt.X("generation:Q", title=text("round of answers"), axis=axis)
    y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(format="~g"))
    colour = drawing.colour_legend(dict(zip(named, _COLOURS, strict=False)))
    base = alt.Chart(drawing.thinned(shown), width=drawing.WIDTH, height=_HEIGHT)
    lines = base.mark_line(strokeWidth=2, point=shown.height < 200)
    return drawing.RenderedChart(
        name=metric,
        title=label,
        caption="",
        svg=drawing.to_svg(lines.encode(x=x, y=y, color=colour)),
        numbers=numbers,
    )
