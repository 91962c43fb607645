"""The pictures of a watch result: a control chart, and a metric of all groups, over the rounds."""

from __future__ import annotations

from typing import Any

import polars as pl

from hayflick.core.display_text import LONGEST_TEXT, distinct_names
from hayflick.core.records import State
from hayflick.monitor.watch_result import ChartHistory
from hayflick.report import drawing
from hayflick.report.language import metric_label
from hayflick.report.watch_findings import WatchFindings

_BELOW = 140
_LABELS = 44
"""Width of the axis labels in pixels, the same above and below."""


def history_chart(chart: ChartHistory, findings: WatchFindings) -> drawing.RenderedChart:
    """Return the picture of a chart: readings, limit, alarms, and the statistic."""
    import altair as alt

    text, numbers = findings.language.text, _numbers(chart, findings)
    pictures = [_readings(chart, findings, numbers), _statistic(findings, numbers)]
    group = f"-{chart.group}" if chart.group else ""
    return drawing.RenderedChart(
        name=f"{chart.metric}{group}".replace("/", "-"),
        title=f"{findings.subject(chart)} ({chart.text})",
        caption=text(
            "Above: the readings, the baseline in grey, alarms in red; the dashed line is the "
            "limit of the mean. Below: what the chart adds up, and where it alarms."
        ),
        svg=drawing.to_svg(alt.vconcat(*pictures)),
        numbers=numbers,
    )


def _numbers(chart: ChartHistory, findings: WatchFindings) -> pl.DataFrame:
    result = findings.result
    values = result.series(chart.metric, group=chart.group)
    later = {verdict.round: verdict for verdict in chart.verdicts}
    rounds = range(1, len(values) + 1)
    verdicts = [later.get(number) for number in rounds]
    states = ["baseline" if one is None else one.state.value for one in verdicts]
    return pl.DataFrame(
        {
            "generation": list(rounds),
            "label": distinct_names(result.rounds, longest=LONGEST_TEXT),
            "value": values,
            "state": states,
            "statistic": [None if one is None else one.statistic for one in verdicts],
            "limit": [None if one is None else one.limit for one in verdicts],
        },
        schema_overrides=dict.fromkeys(("value", "statistic", "limit"), pl.Float64),
    )


def _readings(chart: ChartHistory, findings: WatchFindings, numbers: pl.DataFrame) -> Any:
    import altair as alt

    text = findings.language.text
    colours = {
        text("baseline"): drawing.GREY,
        text("healthy"): drawing.LAW,
        text("alarm"): drawing.LIMIT,
    }
    names = dict(zip(("baseline", State.HEALTHY, State.ALARM), colours, strict=True))
    shown = drawing.thinned(numbers.filter(pl.col("value").is_not_null()))
    shown = shown.with_columns(series=pl.col("state").replace(names))
    x = _rounds(numbers, title=None)
    label = metric_label(chart.metric, findings.language)
    axis = alt.Axis(minExtent=_LABELS)
    y = alt.Y("value:Q", title=label, scale=alt.Scale(zero=False, nice=True), axis=axis)
    colour = drawing.colour_legend(colours, symbol="circle")
    base = alt.Chart(width=drawing.WIDTH, height=drawing.HEIGHT)
    line = base.properties(data=shown).mark_line(color=drawing.GREY, strokeWidth=1)
    dots = base.properties(data=shown).mark_circle(size=45, opacity=1)
    layers = [line.encode(x=x, y=y), dots.encode(x=x, y=y, color=colour)]
    if chart.threshold is not None:
        rule = base.properties(data=pl.DataFrame({"value": [chart.threshold]}))
        layers.insert(0, rule.mark_rule(strokeDash=[5, 4], color=drawing.LIMIT).encode(y=y))
    return alt.layer(*layers)


def _statistic(findings: WatchFindings, numbers: pl.DataFrame) -> Any:
    import altair as alt

    text = findings.language.text
    known = numbers.filter(pl.col("statistic").is_not_null())
    # Sums of evidence span decades; those of deviations may be 0 or below.
    logarithmic = known.height > 0 and bool((known["statistic"] > 0.0).all())
    decades = logarithmic and bool((known["limit"] >= 20.0).all())
    scale = alt.Scale(type="log" if decades else "linear")
    x = _rounds(numbers, title=text("round of answers"))
    axis = alt.Axis(format=".0e" if decades else "~g", tickCount=4, minExtent=_LABELS)
    y = alt.Y("statistic:Q", title=text("statistic"), scale=scale, axis=axis)
    base = alt.Chart(drawing.thinned(known), width=drawing.WIDTH, height=_BELOW)
    line = base.mark_line(strokeWidth=2, color=drawing.LAW).encode(x=x, y=y)
    limit = base.mark_line(strokeDash=[5, 4], color=drawing.LIMIT)
    return alt.layer(limit.encode(x=x, y=alt.Y("limit:Q", scale=scale)), line)


def _rounds(numbers: pl.DataFrame, *, title: str | None) -> Any:
    """Return the axis of all rounds, the same above and below."""
    import altair as alt

    scale = alt.Scale(domain=[0, numbers.height], nice=False)
    axis = drawing.named_rounds_axis(numbers["label"].to_list())
    return alt.X("generation:Q", title=title, axis=axis, scale=scale)


_COLOURS = (
    *("#0b3d75", "#c77700", "#4c8a2f", "#7a3e9d", "#b3261e"),
    *("#2a9d8f", "#8d6e63", "#5aa2e0", "#9aa4ae"),
)
_GROUPS = len(_COLOURS) - 1
_HEIGHT = 180


def metric_chart(metric: str, findings: WatchFindings) -> drawing.RenderedChart:
    """Return the picture of a metric; the first groups of many, in order of their names."""
    import altair as alt

    language, result = findings.language, findings.result
    text, label = language.text, metric_label(metric, language)
    everyone = text("all answers")
    groups = [group for group in result.groups if metric in result.metrics(group=group)]
    groups = ["", *groups[:_GROUPS]]
    quoted = [f'"{group}"' if group == everyone else group for group in groups[1:]]
    named = dict(zip(distinct_names([everyone, *quoted]), groups, strict=True))
    numbers = pl.concat(
        pl.DataFrame(
            {
                "generation": range(1, len(result.rounds) + 1),
                "series": [name] * len(result.rounds),
                "value": result.series(metric, group=group),
            },
            schema_overrides={"value": pl.Float64},
        )
        for name, group in named.items()
    )
    shown = numbers.filter(pl.col("value").is_not_null())
    axis = drawing.named_rounds_axis(result.rounds)
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
