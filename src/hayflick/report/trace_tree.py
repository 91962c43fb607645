"""The tree of who has a phrase from whom: as a picture, and as lines of a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from hayflick.auditing.genealogy import PhraseCarrier, PhraseGenealogy
from hayflick.core.display_text import display_text
from hayflick.report import drawing
from hayflick.report.language import Language

if TYPE_CHECKING:
    from altair import Chart, X, Y

_MOST_NODES, _MOST_NAMES = 80, 40
_ROW, _LONGEST_NAME, _LONGEST_LINE = 15, 18, 60
_PADDING = {"left": 5, "top": 5, "right": 40, "bottom": 5}


def tree_chart(found: PhraseGenealogy, language: Language) -> drawing.RenderedChart | None:
    """Return the tree as a picture; None where no answer has the phrase.

    Of more than 80 texts and answers, those are drawn from which most others have the phrase.
    """
    if not found.carrying:
        return None
    import altair as alt

    shown = _drawn(found.carriers, most=_MOST_NODES)
    drawn = _below_writers(shown)
    x, in_rounds = _steps(found, drawn)
    y = _heights(drawn)
    nodes, links = _nodes(drawn, x, y, language), _links(drawn, x, y)
    height = max(120, _ROW * (1 + len(set(y.values()))))
    size: dict[str, Any] = {"width": drawing.WIDTH, "height": height}
    axis = drawing.named_rounds_axis(found.rounds) if in_rounds else drawing.rounds_axis()
    across = alt.X(
        "x:Q",
        title=language.text("round of answers")
        if in_rounds
        else language.text("copies since the origin"),
        axis=axis,
        scale=alt.Scale(domain=[0.0, max(1.0, *x.values())], nice=False),
    )
    down = alt.Y(
        "y:Q",
        axis=None,
        scale=alt.Scale(reverse=True, nice=False, domain=[-1.0, 1.0 + max(y.values())]),
    )
    paler = alt.Scale(domain=[0, 1], range=[0.3, 1])
    lines = (
        alt.Chart(links, **size)
        .mark_rule(color=drawing.GREY, strokeWidth=1.5)
        .encode(
            x=across,
            y=down,
            x2="x2:Q",
            y2="y2:Q",
            opacity=alt.Opacity("probability:Q", legend=None, scale=paler),
        )
    )
    layers = [lines, *_named_dots(alt.Chart(nodes, **size), nodes, across, down, language)]
    return drawing.RenderedChart(
        name="genealogy",
        title=language.text("Who has it from whom"),
        caption=_caption(found, language, drawn=len(shown)),
        # Readers' fonts may be wider than the one that names are measured in.
        svg=drawing.to_svg(alt.layer(*layers).properties(padding=_PADDING)),
        numbers=_numbers(found, language),
    )


def _nodes(
    drawn: Sequence[PhraseCarrier],
    x: Mapping[int, float],
    y: Mapping[int, float],
    language: Language,
) -> pl.DataFrame:
    """Return a row per dot: where it stands, its kind and its name."""
    kinds = _kinds(language)
    parents = {one.parent for one in drawn}
    rows = [
        (
            x[one.number],
            y[one.number],
            kinds[_kind(one)][0],
            display_text(one.name, longest=_LONGEST_NAME),
            one.number not in parents,
            len(drawn) <= _MOST_NAMES or one.number in parents,
        )
        for one in drawn
    ]
    schema = {"x": pl.Float64, "y": pl.Float64, "series": pl.String, "name": pl.String}
    schema |= {"is_leaf": pl.Boolean, "is_named": pl.Boolean}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _links(
    drawn: Sequence[PhraseCarrier], x: Mapping[int, float], y: Mapping[int, float]
) -> pl.DataFrame:
    """Return a row per line from a parent to a child."""
    rows = [
        (x[one.parent], y[one.parent], x[one.number], y[one.number], one.probability)
        for one in drawn
        if one.parent is not None
    ]
    schema = dict.fromkeys(("x", "y", "x2", "y2", "probability"), pl.Float64)
    return pl.DataFrame(rows, schema=schema, orient="row")


def _named_dots(
    base: Chart, nodes: pl.DataFrame, across: X, down: Y, language: Language
) -> Iterator[Chart]:
    """Yield the dots, then their names: behind a leaf, above the others, whose lines go on."""
    import altair as alt

    present = set(nodes["series"])
    colours = dict(pair for pair in _kinds(language).values() if pair[0] in present)
    colour = drawing.colour_legend(colours, symbol="circle", columns=1)
    yield base.mark_circle(size=60, opacity=1).encode(x=across, y=down, color=colour)
    for is_leaf, right, down_by in ((True, 8, 0), (False, 0, -10)):
        named = base.transform_filter(alt.datum.is_named & (alt.datum.is_leaf == is_leaf))
        names = named.mark_text(align="left", dx=right, dy=down_by, fontSize=11, color="#24292f")
        yield names.encode(x=across, y=down, text="name:N")


def tree_lines(found: PhraseGenealogy, language: Language, *, most: int) -> list[str]:
    """Return the tree as lines of text, each indented below its parent."""
    drawn = _drawn(found.carriers, most=most)
    if not found.carrying:
        return []
    children = _children(drawn)

    def lines(number: int | None, depth: int) -> Iterator[str]:
        for one in children.get(number, ()):
            yield "  " * depth + _line(one, found.rounds, language)
            yield from lines(one.number, depth + 1)

    left_out = len(found.carriers) + found.more_carriers - len(drawn)
    more = language.text("… and {number} more", number=left_out)
    return [*lines(None, 0), *([more] if left_out else [])]


def _line(one: PhraseCarrier, rounds: Sequence[str], language: Language) -> str:
    text = language.text
    name = display_text(one.name or "–", longest=_LONGEST_NAME)
    said = display_text(" ".join(one.text.split()), longest=_LONGEST_LINE)
    if one.round is None and not one.name:
        return text("text: {said}", said=said)
    if one.round is None:
        return text("text of {name}: {said}", name=name, said=said)
    return text("{name}, round {round}: {said}", name=name, round=rounds[one.round - 1], said=said)


def _drawn(carriers: Sequence[PhraseCarrier], *, most: int) -> list[PhraseCarrier]:
    """Return those from which most others have the phrase, each with its parents."""
    ranked = sorted(carriers, key=lambda one: (-one.descendants, one.number))
    return sorted(ranked[:most], key=lambda one: one.number)


def _children(drawn: Sequence[PhraseCarrier]) -> dict[int | None, list[PhraseCarrier]]:
    children: dict[int | None, list[PhraseCarrier]] = {}
    for one in drawn:
        children.setdefault(one.parent, []).append(one)
    return children


def _steps(found: PhraseGenealogy, drawn: Sequence[PhraseCarrier]) -> tuple[dict[int, float], bool]:
    """Return where each stands from left to right, and whether that is its round."""
    if len(found.rounds) > 1:
        return {one.number: float(one.round or 0) for one in drawn}, True
    steps: dict[int, float] = {}
    for one in drawn:
        steps[one.number] = 0.0 if one.parent is None else steps[one.parent] + 1.0
    return steps, False


def _heights(drawn: Sequence[PhraseCarrier]) -> dict[int, float]:
    """Return where each stands from top to bottom: leaves in rows, parents in their middle."""
    children = _children(drawn)
    heights: dict[int, float] = {}
    waiting = [(one, False) for one in reversed(children.get(None, []))]
    row = 0
    while waiting:
        one, opened = waiting.pop()
        below = children.get(one.number, [])
        if below and not opened:
            waiting += [(one, True), *((child, False) for child in reversed(below))]
        elif below:
            heights[one.number] = (heights[below[0].number] + heights[below[-1].number]) / 2
        else:
            heights[one.number] = float(row)
            row += 1
    return heights


def _below_writers(drawn: Sequence[PhraseCarrier]) -> list[PhraseCarrier]:
    """Return the tree with those who wrote the phrase on their own in front of their answers.

    Their numbers are below 0.
    """
    writers: dict[str, int] = {}
    placed = []
    for one in drawn:
        if one.kind == "answer" and one.parent is None:
            parent = writers.setdefault(one.name, -1 - len(writers))
            placed.append(replace(one, parent=parent))
        else:
            placed.append(one)
    return [
        *(
            PhraseCarrier(
                number=number,
                kind="answer",
                name=name,
                round=None,
                text="",
                parent=None,
                probability=1.0,
                descendants=0,
            )
            for name, number in writers.items()
        ),
        *placed,
    ]


def _kind(one: PhraseCarrier) -> str:
    if one.number < 0:
        return "writer"
    is_root = one.parent is None or one.parent < 0
    return one.kind if is_root else "copied"


def _kinds(language: Language) -> Mapping[str, tuple[str, str]]:
    text = language.text
    return {
        "text": (text("a text that is no answer"), drawing.REAL),
        "writer": (text("who wrote it on their own"), drawing.LAW),
        "answer": (text("an answer that did not copy it"), drawing.LIMIT),
        "prompt": (text("an answer to a prompt with it"), drawing.IDEAL),
        "copied": (text("an answer that copied it"), drawing.SIMULATED),
    }


def _caption(found: PhraseGenealogy, language: Language, *, drawn: int) -> str:
    text, whole = language.text, len(found.carriers) + found.more_carriers
    caption = text(
        "A line leads from the text or the answer that was most probably copied; the paler it is, "
        "the less certain. The names are those of who answered."
    )
    if drawn == whole:
        return caption
    part = text(
        "Of {whole} texts and answers, {drawn} are drawn: those from which most others have it.",
        whole=whole,
        drawn=drawn,
    )
    return language.joined(caption, part)


def _numbers(found: PhraseGenealogy, language: Language) -> pl.DataFrame:
    kinds = _kinds(language)
    rows = [
        (
            one.number,
            kinds[_kind(one)][0],
            one.name,
            None if one.round is None else found.rounds[one.round - 1],
            one.parent,
            one.probability,
            one.descendants,
            one.text,
        )
        for one in found.carriers
    ]
    schema = {
        "number": pl.Int64,
        "kind": pl.String,
        "name": pl.String,
        "round": pl.String,
        "parent": pl.Int64,
        "probability": pl.Float64,
        "descendants": pl.Int64,
        "text": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")
