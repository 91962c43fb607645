"""The charts of a network's run: distance, scatter and pool by round, and where agents stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import polars as pl
from markupsafe import Markup

from hayflick.core.arrays import Integers
from hayflick.core.display_text import distinct_names
from hayflick.network.perspective import perspective_over_time
from hayflick.report import drawing
from hayflick.report.language import metric_label
from hayflick.report.network_findings import FLOOR, NORM, NetworkFindings

_STACK_HEIGHT = 220
_LEGEND_COLUMNS = 2
_MARKS = (drawing.LIMIT, "#c77700", drawing.REAL, "#7a3e9d")
_TOP, _ROW = 6.0, 11.0
"""Distance of the first row of marks from the top, and of the rows from one another."""


def distance_chart(findings: NetworkFindings) -> drawing.RenderedChart:
    """Return the chart of ‖D‖ and its noise floor, with marks at decisions or alarms."""
    import altair as alt

    text, marks = findings.language.text, findings.marks
    colours = {NORM: drawing.LAW, FLOOR: drawing.GREY}
    numbers, marked = _metrics(findings, colours), _marked(marks.rounds)
    named = {metric_label(name, findings.language): one for name, one in colours.items()}
    named |= dict(zip(marks.rounds, _MARKS, strict=False))
    legend = drawing.colour_legend(named, columns=_LEGEND_COLUMNS)
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
    """Return a row for each mark: its height in the chart, and whether it begins there."""
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
    """Return the chart of the scatter within agents and between them, stacked."""
    import altair as alt

    text = findings.language.text
    colours = {"within": drawing.SIMULATED, "between": drawing.LAW}
    numbers = _metrics(findings, colours)
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
    """Return the chart of the pool's synthetic share, and of the real words still in use."""
    text = findings.language.text
    colours = {"synthetic_share": drawing.LIMIT, "vocabulary_kept": drawing.REAL}
    numbers = _metrics(findings, colours)
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


def _metrics(findings: NetworkFindings, names: dict[str, str]) -> pl.DataFrame:
    """Return metrics of all answers by round, without undefined values."""
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


_PANELS, _COLUMNS, _SIZE = 6, 3, 190
_STEPS = 40
_MOST_AGENTS = 1000
_MOST_POINTS = 2000
"""Of agents in rounds: scaling takes the cube of their number, and every step draws its own."""
_MARGIN = 1.1


def perspective_chart(findings: NetworkFindings) -> drawing.RenderedChart | None:
    """Return the chart of the agents' positions; None unless two agents answered in all rounds."""
    text, numbers = findings.language.text, _places(findings)
    if numbers is None:
        return None
    names = numbers["series"].unique(maintain_order=True).to_list()
    few = len(names) <= len(drawing.HUES)
    colours = dict(zip(names, drawing.HUES, strict=False)) if few else {}
    return drawing.RenderedChart(
        name="perspective",
        title=text("Where the agents stand"),
        caption=text(
            "Every point is an agent, the nearer the more alike its mean answers. All rounds "
            "share one space, so that a point that moves has changed."
        ),
        svg=drawing.to_svg(_panels(numbers, findings, colours)),
        numbers=numbers,
        slider=_slider(numbers, findings, colours),
    )


def _note(drawn: int, findings: NetworkFindings) -> str:
    language, rounds = findings.language, findings.run.rounds
    note = language.text("A faint line shows where an agent has been.")
    if drawn == rounds:
        return note
    some = language.text(
        "{drawn} of {rounds} rounds are drawn.",
        drawn=language.number(drawn),
        rounds=language.number(rounds),
    )
    return language.joined(note, some)


def _slider(
    numbers: pl.DataFrame, findings: NetworkFindings, colours: Mapping[str, str]
) -> drawing.Slider:
    text, rounds = findings.language.text, findings.run.rounds
    pictures = place_pictures(numbers, colours=colours, reach=_reach(numbers))
    steps = [
        (text("Round {round} of {rounds}", round=number, rounds=rounds), picture)
        for number, picture in pictures.items()
    ]
    label = text("Round: choose it on the bar, or go through them with the arrow keys")
    return drawing.Slider(label, _note(len(steps), findings), steps, colours)


def _panels(numbers: pl.DataFrame, findings: NetworkFindings, colours: Mapping[str, str]) -> Any:
    import altair as alt

    rounds = numbers["generation"].unique(maintain_order=True)
    chosen = rounds[_even(len(rounds), most=_PANELS)].to_list()
    shown = numbers.filter(pl.col("generation").is_in(chosen))
    scale = alt.Scale(domain=[-_reach(numbers), _reach(numbers)], nice=False)
    axis = alt.Axis(labels=False, ticks=False)
    x, y = (
        kind(f"{name}:Q", title=None, axis=axis, scale=scale)
        for kind, name in ((alt.X, "first_axis"), (alt.Y, "second_axis"))
    )
    colour = drawing.colour_legend(colours, symbol="circle") if colours else alt.value(drawing.LAW)
    points = alt.Chart(shown, width=_SIZE, height=_SIZE).mark_circle(size=90, opacity=0.9)
    title = findings.language.text("round of answers")
    return points.encode(x, y, color=colour).facet(
        alt.Facet("generation:O", title=title), columns=_COLUMNS
    )


def _reach(numbers: pl.DataFrame) -> float:
    """Return the reach of both axes: one scale, so that direction does not change a distance."""
    axes = numbers.select("first_axis", "second_axis").to_numpy()
    return _MARGIN * float(np.abs(axes).max()) or 1.0


def _places(findings: NetworkFindings) -> pl.DataFrame | None:
    run = findings.run
    if run.rounds == 0 or run.means.shape[-1] == 0:
        return None
    agents = min(len(run.agents), _MOST_AGENTS)
    chosen = _even(run.rounds, most=min(_STEPS, max(_PANELS, _MOST_POINTS // agents)))
    means = run.means[chosen][:, :_MOST_AGENTS]
    spoke = np.isfinite(means).all(axis=(0, 2, 3))
    if spoke.sum() < 2:
        return None
    found = perspective_over_time(means[:, spoke], dimensions=2).coordinates
    names = distinct_names([run.agents[place] for place in np.flatnonzero(spoke)])
    rows = [
        (int(chosen[step]) + 1, name, *map(float, found[step, agent]))
        for step in range(len(chosen))
        for agent, name in enumerate(names)
    ]
    columns = ["generation", "series", "first_axis", "second_axis"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def _even(count: int, *, most: int) -> Integers:
    """Return at most `most` of the numbers below `count`, evenly spaced, both ends among them.

    Examples
    --------
    >>> _even(10, most=4).tolist()
    [0, 3, 6, 9]
    """
    return np.unique(np.linspace(0, count - 1, most).round().astype(np.int64))


_SIDE = 400
_RADIUS = 7
_FRAME = Markup(
    '<rect width="{side}" height="{side}" fill="none" stroke="{line}" stroke-width="2"/>'
    '<path d="M0 {half}H{side}M{half} 0V{side}" fill="none" stroke="{line}"/>'
).format(side=_SIDE, half=_SIDE // 2, line="#e4e7eb")
_PATH = Markup(
    '<path d="M{}" fill="none" stroke="{}" stroke-width="2" stroke-opacity="0.35"'
    ' stroke-linejoin="round"/>'
)
_POINT = Markup(
    '<circle cx="{}" cy="{}" r="{}" fill="{}" fill-opacity="0.9"><title>{}</title></circle>'
)


def place_pictures(
    numbers: pl.DataFrame, *, colours: Mapping[str, str], reach: float
) -> dict[int, str]:
    """Return an SVG element for each round: every point with the path that it has taken.

    A page may hold forty of them, so they are written here, in a few bytes a point.

    Parameters
    ----------
    numbers
        Columns ``generation``, ``series`` (the name of a point), ``first_axis`` and
        ``second_axis``, by round.
    colours
        By name; points without a colour of their own share one.
    reach
        Largest absolute coordinate on both axes, above 0.

    Examples
    --------
    >>> moved = {"generation": [1, 2], "series": ["a", "a"], "first_axis": [0.0, 1.0]}
    >>> numbers = pl.DataFrame({**moved, "second_axis": [0.0, 0.0]})
    >>> pictures = place_pictures(numbers, colours={}, reach=2.0)
    >>> ["M200 200 300 200" in picture for picture in pictures.values()]
    [False, True]
    """
    paths: dict[str, list[str]] = {}
    pictures = {}
    for (number,), part in numbers.group_by("generation", maintain_order=True):
        for name, *place in part.select("series", "first_axis", "second_axis").iter_rows():
            paths.setdefault(name, []).append(_place(*place, reach=reach))
        pictures[int(str(number))] = _picture(paths, colours)
    return pictures


def _place(across: float, up: float, *, reach: float) -> str:
    half = _SIDE / 2
    return f"{half + half * across / reach:.4g} {half - half * up / reach:.4g}"


def _picture(paths: Mapping[str, list[str]], colours: Mapping[str, str]) -> str:
    parts = [Markup('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {0}">').format(_SIDE)]
    named = [(name, path, colours.get(name, drawing.LAW)) for name, path in paths.items()]
    parts += [_FRAME]
    parts += [_PATH.format(" ".join(path), colour) for _, path, colour in named if len(path) > 1]
    parts += [
        _POINT.format(*path[-1].split(), _RADIUS, colour, name) for name, path, colour in named
    ]
    return str(Markup("").join([*parts, Markup("</svg>")]))
