"""The pictures of a watch result: a number with its evidence, and the distance of the groups."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import polars as pl

from hayflick.core.display_text import LONGEST_TEXT, distinct_names
from hayflick.core.records import State
from hayflick.detection.guaranteed import GuaranteedChart
from hayflick.detection.rank import RankChart
from hayflick.monitor.grouping import FLOOR, NORM
from hayflick.monitor.watch_result import ChartHistory, WatchResult
from hayflick.report import drawing
from hayflick.report.rendering import shortened
from hayflick.report.sparklines import small_multiple
from hayflick.report.watch_findings import WatchFindings
from hayflick.report.watched_numbers import Tile, WatchedNumber

WIDTH = 340
"""Width of a picture: a telephone shows it at nearly full size."""

_HEIGHT, _BELOW = 150, 74
_LABELS, _FONT = 46, 13
"""Width of the axis labels in pixels, the same above and below, and the size of their font."""
_NAME = 91
"""Width of the name of a round, which a picture on a telephone has room for."""
_RANGE, _PAIRS = "#e3edf7", "#c77700"
_COLOURS = {"baseline": drawing.GREY, State.HEALTHY: drawing.LAW, State.ALARM: drawing.LIMIT}


def number_chart(number: WatchedNumber, findings: WatchFindings) -> drawing.RenderedChart:
    """Return the picture of a number: readings above, what its charts add up below."""
    import altair as alt

    numbers = _numbers(number, findings.result)
    together = [place for place, chart in enumerate(number.charts) if _is_evidence(chart)]
    draw: list[Callable[..., Any]] = [partial(_readings, number, numbers)]
    draw += [partial(_evidence, together, number, numbers)] if together else []
    draw += [
        partial(_statistic, place, numbers)
        for place in range(len(number.charts))
        if place not in together
    ]
    # Only the lowest picture names the rounds.
    pictures = [one(labels=one is draw[-1]) for one in draw]
    group = f"-{number.group}" if number.group else ""
    svg = drawing.to_svg(alt.vconcat(*pictures, spacing=8), font_size=_FONT)
    return drawing.RenderedChart(
        name=f"{number.metric}{group}".replace("/", "-"),
        title=findings.title(number),
        caption="",
        svg=svg,
        numbers=numbers,
    )


def _is_evidence(chart: ChartHistory) -> bool:
    """Return whether a chart's statistic is evidence: odds that alarm at a limit above 1."""
    return chart.evidence is not None and (chart.limit or 0.0) > 1.0


def _numbers(number: WatchedNumber, result: WatchResult) -> pl.DataFrame:
    """Return readings, and the statistic and limit of every chart, round by round."""
    values = result.series(number.metric, group=number.group)
    later = [{one.round: one for one in chart.verdicts} for chart in number.charts]
    rounds = range(1, len(values) + 1)

    def state(at: int) -> str:
        found = [verdicts[at] for verdicts in later if at in verdicts]
        if not found:
            return "baseline"
        return State.ALARM if any(one.alarm for one in found) else found[0].state.value

    columns: dict[str, Any] = {
        "generation": list(rounds),
        "label": distinct_names(result.rounds, longest=LONGEST_TEXT),
        "value": values,
        "state": [state(at) for at in rounds],
    }
    for place, verdicts in enumerate(later):
        known = [verdicts.get(at) for at in rounds]
        columns[_column("statistic", place)] = [one and one.statistic for one in known]
        columns[_column("limit", place)] = [one and one.limit for one in known]
    texts = ("label", "state")
    floats = {name: pl.Float64 for name in columns if name not in (*texts, "generation")}
    return pl.DataFrame(columns, schema_overrides=floats)


def _column(name: str, place: int) -> str:
    return f"{name}_{place + 1}" if place else name


def _readings(number: WatchedNumber, numbers: pl.DataFrame, *, labels: bool) -> Any:
    """Return the readings with the range of the baseline, and a limit where there is one."""
    import altair as alt

    shown = drawing.thinned(numbers.filter(pl.col("value").is_not_null()))
    healthy = numbers.filter(pl.col("state") == "baseline")["value"].drop_nulls()
    limits = [chart.threshold for chart in number.charts if chart.threshold is not None]
    x, y = _rounds(numbers, labels=labels), _values(shown)
    base = alt.Chart(width=WIDTH, height=_HEIGHT)
    layers = []
    if len(healthy):
        band = pl.DataFrame({"value": [healthy.min()], "high": [healthy.max()]})
        ground = base.properties(data=band).mark_rect(color=_RANGE, opacity=1)
        layers.append(ground.encode(y=y, y2="high:Q"))
    if limits:
        rule = base.properties(data=pl.DataFrame({"value": limits[:1]}))
        layers.append(rule.mark_rule(strokeDash=[5, 4], color=drawing.LIMIT).encode(y=y))
    line = base.properties(data=shown).mark_line(color=drawing.GREY, strokeWidth=1)
    dots = base.properties(data=shown).mark_circle(size=40, opacity=1)
    domain = list(_COLOURS)
    scale = alt.Scale(domain=domain, range=list(_COLOURS.values()))
    colour = alt.Color("state:N", scale=scale, legend=None)
    return alt.layer(*layers, line.encode(x=x, y=y), dots.encode(x=x, y=y, color=colour))


def _values(shown: pl.DataFrame) -> Any:
    import altair as alt

    largest = max(map(abs, shown["value"].to_list()), default=0.0)
    axis = alt.Axis(minExtent=_LABELS, tickCount=4, format="~s" if largest >= 1e5 else ",~r")
    return alt.Y("value:Q", title=None, scale=alt.Scale(zero=False, nice=True), axis=axis)


def _evidence(
    places: Sequence[int], number: WatchedNumber, numbers: pl.DataFrame, *, labels: bool
) -> Any:
    """Return the evidence of charts with the limit at which they alarm, by powers of ten."""
    import altair as alt

    parts = [
        numbers.select(
            "generation",
            value=pl.col(_column("statistic", place)).clip(1.0, _most_shown(number)),
            limit=pl.col(_column("limit", place)),
            colour=pl.lit(chart_colour(number.charts[place])),
        )
        for place in places
    ]
    known = pl.concat(parts).filter(pl.col("value").is_not_null())
    limits = known.select(value="limit").unique().sort("value")
    most = max([float(one) for one in (*known["value"], *limits["value"])], default=10.0)
    scale = alt.Scale(type="log", domain=[1.0, most * 2.0], nice=False)
    ticks = [10.0**power for power in range(0, round(math.log10(most)) + 1, 1 + int(most > 1e6))]
    axis = alt.Axis(values=ticks[:: -(-len(ticks) // 5)], format="~s", minExtent=_LABELS)
    y = alt.Y("value:Q", title=None, scale=scale, axis=axis)
    base = alt.Chart(width=WIDTH, height=_BELOW)
    rule = base.properties(data=limits).mark_rule(strokeDash=[5, 4], color=drawing.LIMIT)
    lines = [
        base.properties(data=drawing.thinned(part))
        .mark_line(strokeWidth=2, color=colour)
        .encode(x=_rounds(numbers, labels=labels), y=y)
        for (colour,), part in known.group_by("colour", maintain_order=True)
    ]
    return alt.layer(*lines, rule.encode(y=y))


def _most_shown(number: WatchedNumber) -> float:
    """Return where curves of evidence end: 100 times the limit, far beyond doubt."""
    limits = [chart.limit for chart in number.charts if chart.limit is not None]
    return 100.0 * max(limits)


def chart_colour(chart: ChartHistory) -> str:
    """Return the colour of a chart's evidence: blue for slow losses, orange for sudden ones."""
    return _PAIRS if kind_of(chart) == GuaranteedChart.name else drawing.LAW


def kind_of(chart: ChartHistory) -> str:
    """Return the name of a chart's kind."""
    text = chart.text.removeprefix(f"{chart.metric}=")
    return text.partition(":")[0]


SUDDEN, SLOW = GuaranteedChart.name, RankChart.name
"""The kinds of charts that find sudden losses, and slow ones."""


def _statistic(place: int, numbers: pl.DataFrame, *, labels: bool) -> Any:
    """Return the statistic of a classical chart with its limit."""
    import altair as alt

    columns = {"value": _column("statistic", place), "limit": _column("limit", place)}
    known = numbers.select("generation", **columns).filter(pl.col("value").is_not_null())
    axis = alt.Axis(format="~g", tickCount=3, minExtent=_LABELS)
    y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=False), axis=axis)
    base = alt.Chart(drawing.thinned(known), width=WIDTH, height=_BELOW)
    x = _rounds(numbers, labels=labels)
    line = base.mark_line(strokeWidth=2, color=drawing.LAW).encode(x=x, y=y)
    limit = base.mark_line(strokeDash=[5, 4], color=drawing.LIMIT)
    return alt.layer(limit.encode(x=x, y=alt.Y("limit:Q", title=None, axis=axis)), line)


def _rounds(numbers: pl.DataFrame, *, labels: bool) -> Any:
    """Return the axis of all rounds, the same above and below; only the lowest has labels."""
    import altair as alt

    last = numbers.height
    scale = alt.Scale(domain=[0.5, last + 0.5], nice=False)
    names = drawing.axis_names(numbers["label"].to_list(), pixels=_NAME)
    axis = drawing.named_rounds_axis(names)
    axis.labels, axis.tickCount, axis.labelFlush = labels, 5, 8
    return alt.X("generation:Q", title=None, axis=axis, scale=scale)


def separation_chart(findings: WatchFindings) -> drawing.RenderedChart | None:
    """Return the distance of the groups over what chance gives; None where there is none."""
    import altair as alt

    result = findings.result
    pairs = zip(result.series(NORM), result.series(FLOOR), strict=True)
    ratios = [norm / floor if norm is not None and floor else None for norm, floor in pairs]
    if not any(one is not None for one in ratios):
        return None
    rounds = range(1, len(ratios) + 1)
    numbers = pl.DataFrame(
        {
            "generation": rounds,
            "label": distinct_names(result.rounds, longest=LONGEST_TEXT),
            "value": ratios,
            "state": ["baseline" if one <= result.baseline else State.HEALTHY for one in rounds],
        },
        schema_overrides={"value": pl.Float64},
    )
    chance = alt.Chart(pl.DataFrame({"value": [1.0]})).mark_rule(
        strokeDash=[5, 4], color=drawing.LIMIT
    )
    readings = _readings(WatchedNumber("", "", ()), numbers, labels=True)
    drawn = alt.layer(readings, chance.encode(y="value:Q"))
    return drawing.RenderedChart(
        name="separation",
        title=findings.language.text("Distance of the groups, ‖D‖, over chance"),
        caption="",
        svg=drawing.to_svg(drawn, font_size=_FONT),
        numbers=numbers,
    )


def chart_legend(
    numbers: Sequence[WatchedNumber], findings: WatchFindings
) -> list[tuple[str, str]]:
    """Return what the pictures show: a kind of mark, and what it means."""
    text, charts = findings.language.text, [chart for one in numbers for chart in one.charts]
    kinds = {kind_of(chart) for chart in charts if _is_evidence(chart)}
    found = [("dot grey", text("baseline")), ("dot blue", text("after the baseline"))]
    if any(chart.first_alarm for chart in charts):
        found.append(("dot red", text("alarm")))
    found.append(("band", text("range of the baseline")))
    if charts:
        found.append(("dash", text("limit")))
    if SLOW in kinds:
        found.append(("line blue", text("evidence of a slow loss")))
    if SUDDEN in kinds:
        found.append(("line orange", text("evidence of a sudden loss")))
    return found


_MOST_GROUPS = 40
_STATES = {
    State.ALARM: drawing.LIMIT,
    State.FALLING: "#9a5b00",
    State.HEALTHY: drawing.LAW,
    State.NO_READING: drawing.GREY,
}
_MOST_GAIN = 2.0
"""Shares above are drawn at the edge, so that one group flattens no other."""


def group_pictures(findings: WatchFindings) -> list[tuple[str, Tile, str]]:
    """Return name, change and picture of the first groups, on one scale: shares of baselines."""
    groups = findings.groups[:_MOST_GROUPS]
    found = {
        group.name: [_shares(one, findings.result) for one in group.numbers] for group in groups
    }
    bold = {group.name: found[group.name][group.numbers.index(group.worst)] for group in groups}
    known = [value for line in bold.values() for value in line if value is not None]
    if not known:
        return []
    low = min(0.9, math.floor(min(known) * 10.0) / 10.0)
    high = min(_MOST_GAIN, max(1.1, math.ceil(max(known) * 10.0) / 10.0))
    pictures = []
    for group in groups:
        lines = found[group.name]
        picture = small_multiple(
            bold[group.name],
            [line for line in lines if line is not bold[group.name]],
            colour=_STATES[group.state],
            low=low,
            high=high,
            baseline=findings.result.baseline,
        )
        pictures.append(
            (shortened(group.name), findings.tile(replace(group.worst, group="")), picture)
        )
    return pictures


def _shares(number: WatchedNumber, result: WatchResult) -> list[float | None]:
    """Return a number as shares of the median of its baseline; empty readings without one."""
    values = result.series(number.metric, group=number.group)
    before = None if number.change is None else number.change.before
    if before is None or before <= 0.0:
        return [None] * len(values)
    return [None if value is None else value / before for value in values]
