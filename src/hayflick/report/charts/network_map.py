"""Agents as points in one perspective space for all rounds: a slider, and panels for paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from hayflick.core.arrays import Integers
from hayflick.network.perspective import perspective_over_time
from hayflick.report.charts import drawing
from hayflick.report.charts.places import place_pictures
from hayflick.report.network_findings import NetworkFindings

_PANELS, _COLUMNS, _SIZE = 6, 3, 190
_STEPS = 40
_MOST_AGENTS = 1000
_MOST_POINTS = 2000
"""Of agents in rounds: scaling takes the cube of their number, and every step draws its own."""
_COLOURS = (
    *("#0b3d75", "#c77700", "#4c8a2f", "#7a3e9d", "#b3261e"),
    *("#2a9d8f", "#8d6e63", "#5aa2e0"),
)
_MARGIN = 1.1


def perspective_chart(findings: NetworkFindings) -> drawing.RenderedChart | None:
    """Return the picture of the agents' places; None where two agents did not answer always."""
    text, numbers = findings.language.text, _places(findings)
    if numbers is None:
        return None
    names = numbers["series"].unique(maintain_order=True).to_list()
    few = len(names) <= len(_COLOURS)
    colours = dict(zip(names, _COLOURS, strict=False)) if few else {}
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
    """Return how far the axes go: equally far, or a distance would depend on its direction."""
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
    names = [run.agents[place] for place in np.flatnonzero(spoke)]
    rows = [
        (int(chosen[step]) + 1, name, *map(float, found[step, agent]))
        for step in range(len(chosen))
        for agent, name in enumerate(names)
    ]
    columns = ["generation", "series", "first_axis", "second_axis"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def _even(count: int, *, most: int) -> Integers:
    """Return at most so many of the first numbers, evenly chosen, both ends among them.

    Examples
    --------
    >>> _even(10, most=4).tolist()
    [0, 3, 6, 9]
    """
    return np.unique(np.linspace(0, count - 1, most).round().astype(np.int64))
