"""Agents as points in one perspective space for all rounds, a panel for each of some rounds."""

from __future__ import annotations

import numpy as np
import polars as pl

from hayflick.network.perspective import perspective_over_time
from hayflick.report.charts import drawing
from hayflick.report.network_findings import NetworkFindings

_PANELS, _COLUMNS, _SIZE = 6, 3, 190
_MOST_AGENTS = 1000
_COLOURS = (
    *("#0b3d75", "#c77700", "#4c8a2f", "#7a3e9d", "#b3261e"),
    *("#2a9d8f", "#8d6e63", "#5aa2e0"),
)


def perspective_chart(findings: NetworkFindings) -> drawing.Chart | None:
    """Return the picture of the agents' places; None where two agents did not answer always."""
    import altair as alt

    text = findings.language.text
    numbers = _places(findings)
    if numbers is None:
        return None
    names = numbers["series"].unique(maintain_order=True).to_list()
    few = len(names) <= len(_COLOURS)
    colours = dict(zip(names, _COLOURS, strict=False)) if few else {}
    axes = [
        alt.X("first_axis:Q", title=None, axis=alt.Axis(labels=False, ticks=False)),
        alt.Y("second_axis:Q", title=None, axis=alt.Axis(labels=False, ticks=False)),
    ]
    colour = drawing.colour_legend(colours, symbol="circle") if few else alt.value(drawing.LAW)
    points = alt.Chart(numbers, width=_SIZE, height=_SIZE).mark_circle(size=90, opacity=0.9)
    panel = alt.Facet("generation:O", title=text("round"), columns=_COLUMNS)
    return drawing.Chart(
        name="perspective",
        title=text("Where the agents stand"),
        caption=text(
            "Every point is an agent, the nearer the more alike its mean answers. All panels "
            "share one space, so that a point that moves has changed."
        ),
        svg=drawing.to_svg(points.encode(*axes, color=colour, facet=panel)),
        numbers=numbers,
    )


def _places(findings: NetworkFindings) -> pl.DataFrame | None:
    run = findings.run
    if run.rounds == 0 or run.means.shape[-1] == 0:
        return None
    chosen = np.unique(np.linspace(0, run.rounds - 1, _PANELS).round().astype(int))
    means = run.means[chosen][:, :_MOST_AGENTS]
    spoke = np.isfinite(means).all(axis=(0, 2, 3))
    if spoke.sum() < 2:
        return None
    found = perspective_over_time(means[:, spoke], dimensions=2).coordinates
    names = [name for name, there in zip(run.agents, spoke, strict=False) if there]
    rows = [
        (int(chosen[panel]) + 1, name, *map(float, found[panel, agent]))
        for panel in range(len(chosen))
        for agent, name in enumerate(names)
    ]
    columns = ["generation", "series", "first_axis", "second_axis"]
    return pl.DataFrame(rows, schema=columns, orient="row")
