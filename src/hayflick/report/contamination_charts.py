"""The charts of contamination: generated shares by round, and who repeats whom."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from markupsafe import Markup

from hayflick.report import drawing
from hayflick.report.contamination import ContaminationFindings

if TYPE_CHECKING:
    from hayflick.auditing.contamination import EchoLink, RetrievalContamination

_MOST_NODES, _MOST_LINKS, _STEPS = 12, 40, 12
_SIDE, _RADIUS = 400, 140
_NAME_PIXELS = 105


def contamination_charts(findings: ContaminationFindings) -> list[drawing.RenderedChart]:
    """Return the charts; of a single round there is none of the shares, without links no graph."""
    charts = [_shares_chart(findings)] if len(findings.found.rounds) > 1 else []
    echo = findings.found.echo
    return [*charts, *([_echo_chart(findings, echo.links)] if echo and echo.links else [])]


def _shares_chart(findings: ContaminationFindings) -> drawing.RenderedChart:
    import altair as alt

    text, found = findings.language.text, findings.found
    series = {
        text("in the pool"): ("pool", drawing.GREY),
        text("retrieved"): ("retrieved", drawing.LAW),
        text("copied by answers"): ("copied", drawing.LIMIT),
        text("answers that copy an earlier answer"): ("echo", drawing.IDEAL),
    }
    numbers = pl.DataFrame(
        [
            (one.round, getattr(one, field), name)
            for name, (field, _) in series.items()
            for one in found.rounds
            if getattr(one, field) is not None
        ],
        schema={"generation": pl.Int64, "value": pl.Float64, "series": pl.String},
        orient="row",
    )
    drawn = set(numbers["series"])
    colours = {name: colour for name, (_, colour) in series.items() if name in drawn}
    x = alt.X(
        "generation:Q",
        title=text("round of answers"),
        axis=drawing.named_rounds_axis([one.name for one in found.rounds]),
    )
    y = alt.Y("value:Q", title=text("share"), axis=alt.Axis(format="%"))
    chart = alt.Chart(
        drawing.thinned(numbers, most=4000), width=drawing.WIDTH, height=drawing.HEIGHT
    )
    lines = chart.mark_line(strokeWidth=2, point=len(found.rounds) <= 30).encode(
        x=x, y=y, color=drawing.colour_legend(colours, columns=2)
    )
    return drawing.RenderedChart(
        name="contamination",
        title=text("Generated texts in what is retrieved and in what answers copy")
        if found.pool is None
        else text("Generated texts in the pool, in what is retrieved and in what answers copy"),
        caption=text(
            "Where a line lies above the one before it, generated texts are preferred at that "
            "step. A round in which nothing was copied has no point."
        ),
        svg=drawing.to_svg(lines),
        numbers=numbers,
    )


def _echo_chart(
    findings: ContaminationFindings, links: Sequence[EchoLink]
) -> drawing.RenderedChart:
    text, rounds = findings.language.text, findings.found.rounds
    names = _nodes(links)
    shown = [one for one in links if one.reader in names and one.author in names][:_MOST_LINKS]
    labels = dict(zip(names, drawing.axis_names(names, pixels=_NAME_PIXELS), strict=True))
    windows = [part for part in np.array_split(np.arange(len(rounds)), _STEPS) if part.size]
    largest = max(one.copies for one in shown)
    steps = []
    if len(rounds) > 1:
        by_window = [
            {(one.reader, one.author): sum(one.by_round[k] for k in part) for one in shown}
            for part in windows
        ]
        most = max(1, *(max(found.values()) for found in by_window))
        for part, found in zip(windows, by_window, strict=True):
            first, last = rounds[part[0]].name, rounds[part[-1]].name
            label = (
                text("Round {round}", round=first)
                if first == last
                else text("Rounds {first} to {last}", first=first, last=last)
            )
            steps.append((label, echo_picture(found, labels, largest=most)))
    whole = {(one.reader, one.author): one.copies for one in shown}
    picture = echo_picture(whole, labels, largest=largest)
    slider = drawing.Slider(
        label=text("Rounds: choose them on the bar, or go through them with the arrow keys"),
        note=_note(findings, drawn=len(shown), links=links),
        steps=[*steps, (text("All rounds"), picture)],
        colours={},
    )
    return drawing.RenderedChart(
        name="echo",
        title=text("Who repeats whom"),
        caption=text(
            "An arrow goes from an author to a reader whose answers copy from the author's earlier "
            "answers, the wider the more often; a ring is somebody who repeats themselves."
        ),
        svg=picture,
        numbers=_numbers(findings.found, links),
        slider=slider,
    )


def _note(findings: ContaminationFindings, *, drawn: int, links: Sequence[EchoLink]) -> str:
    echo, text = findings.found.echo, findings.language.text
    all_links = len(links) + (0 if echo is None else echo.more_links)
    if drawn == all_links:
        return text("All who copy from an earlier answer are drawn.")
    return text(
        "{drawn} of {links} arrows are drawn: those with the most copies.",
        drawn=findings.language.number(drawn),
        links=findings.language.number(all_links),
    )


def _nodes(links: Sequence[EchoLink]) -> list[str]:
    """Return the readers and authors with the most copies, in order of their names."""
    copies: dict[str, int] = {}
    for link in links:
        for name in {link.reader, link.author}:
            copies[name] = copies.get(name, 0) + link.copies
    return sorted(sorted(copies, key=lambda name: (-copies[name], name))[:_MOST_NODES])


def _numbers(found: RetrievalContamination, links: Sequence[EchoLink]) -> pl.DataFrame:
    """Return the copies by reader, author and round; rounds without any are left out."""
    rows = [
        (one.reader, one.author, found.rounds[place].name, copies)
        for one in links
        for place, copies in enumerate(one.by_round)
        if copies
    ]
    schema = {"reader": pl.String, "author": pl.String, "round": pl.String, "copies": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


_FRAME = Markup('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {:.0f}">')
_ARROW = Markup(
    '<path d="M{:.1f} {:.1f}Q{:.1f} {:.1f} {:.1f} {:.1f}" fill="none" stroke="{}"'
    ' stroke-width="{:.1f}" stroke-opacity="0.75"><title>{}</title></path>'
)
_HEAD = Markup('<path d="M{:.1f} {:.1f}L{:.1f} {:.1f}L{:.1f} {:.1f}Z" fill="{}"/>')
_RING = Markup(
    '<circle cx="{:.1f}" cy="{:.1f}" r="16" fill="none" stroke="{}" stroke-width="{:.1f}"'
    ' stroke-opacity="0.75"><title>{}</title></circle>'
)
_NODE = Markup(
    '<circle cx="{:.1f}" cy="{:.1f}" r="7" fill="{}"/>'
    '<text x="{:.1f}" y="{:.1f}" font-size="13" font-family="{}" text-anchor="{}"'
    f' fill="{drawing.INK}">{{}}</text>'
)
_WIDEST = 9.0


def echo_picture(
    copies: Mapping[tuple[str, str], int], labels: Mapping[str, str], *, largest: int
) -> str:
    """Return a graph as an SVG element: names on a circle, an arrow from author to reader.

    Parameters
    ----------
    copies
        Number of copies by reader and author; those of 0 are not drawn.
    labels
        What is written at each name, in the order of the circle.
    largest
        The number of copies whose arrow is widest.

    Examples
    --------
    >>> picture = echo_picture({("b", "a"): 3, ("b", "b"): 1}, {"a": "a", "b": "b"}, largest=3)
    >>> picture.count("<text"), "a → b: 3" in picture, "b → b: 1" in picture
    (2, True, True)
    """
    places = _places(labels)
    height = max(y for _, y in places.values()) + 50
    parts = [_FRAME.format(_SIDE + 160, height)]
    for (reader, author), number in copies.items():
        if number:
            width = 1.0 + (_WIDEST - 1.0) * number / max(1, largest)
            told = f"{labels[author]} → {labels[reader]}: {number}"
            parts.append(_link(places[author], places[reader], width, told))
    for name, (x, y) in places.items():
        parts.append(_node(x, y, labels[name]))
    return str(Markup("").join([*parts, Markup("</svg>")]))


def _places(labels: Mapping[str, str]) -> dict[str, tuple[float, float]]:
    turns = {name: 2 * math.pi * place / len(labels) for place, name in enumerate(labels)}
    return {
        name: ((_SIDE + 160) / 2 + _RADIUS * math.sin(turn), _SIDE / 2 - _RADIUS * math.cos(turn))
        for name, turn in turns.items()
    }


def _link(
    author: tuple[float, float], reader: tuple[float, float], width: float, told: str
) -> Markup:
    if author == reader:
        return _RING.format(*author, drawing.IDEAL, min(width, 5.0), told)
    (x, y), (to_x, to_y) = author, reader
    # The arrow is bent to its left, so that those of both directions lie apart.
    middle_x = (x + to_x) / 2 + 0.12 * (to_y - y)
    middle_y = (y + to_y) / 2 - 0.12 * (to_x - x)
    length = math.hypot(to_x - middle_x, to_y - middle_y)
    along_x, along_y = (to_x - middle_x) / length, (to_y - middle_y) / length
    tip_x, tip_y = to_x - 11 * along_x, to_y - 11 * along_y
    size = 6.0 + width
    back_x, back_y = tip_x - size * along_x, tip_y - size * along_y
    half = size / 2
    arrow = _ARROW.format(x, y, middle_x, middle_y, back_x, back_y, drawing.LAW, width, told)
    head = _HEAD.format(
        *(tip_x, tip_y),
        *(back_x - half * along_y, back_y + half * along_x),
        *(back_x + half * along_y, back_y - half * along_x),
        drawing.LAW,
    )
    return arrow + head


def _node(x: float, y: float, label: str) -> Markup:
    middle = (_SIDE + 160) / 2
    side = 0 if abs(x - middle) < 1 else math.copysign(1, x - middle)
    anchor = {0: "middle", 1: "start", -1: "end"}[int(side)]
    above = -24 if y < _SIDE / 2 else 34
    return _NODE.format(
        *(x, y, drawing.REAL),
        *(x + 22 * side, y + (5 if side else above)),
        *(Markup(drawing.FONT.replace('"', "'")), anchor, label),
    )
