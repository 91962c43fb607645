"""What becomes of every class, as a table and as a chart over the rounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from hayflick.core.display_text import LONGEST_TEXT, distinct_names
from hayflick.planning.classes import ACCUMULATED_RUNS, ClassOutlook
from hayflick.report import drawing
from hayflick.report.language import Language
from hayflick.report.rendering import table

if TYPE_CHECKING:
    from rich.table import Table

_ROWS_SHOWN = 10
_CLASSES_DRAWN = 25
_MOST_COLUMNS = 60
_LABEL_PIXELS = 200
_ROW_PIXELS, _LEAST_HEIGHT = 26, 120
_WORTH_A_NAME = 0.05


def at_risk(
    classes: Sequence[ClassOutlook], *, chance: float = _WORTH_A_NAME
) -> list[ClassOutlook]:
    """Return the classes that a round is likely to lack examples of, the likeliest first.

    Parameters
    ----------
    classes
        What becomes of every class.
    chance
        The least chance of too few examples that is worth a name.
    """
    named = [one for one in classes if one.below_least >= chance]
    return by_risk(named)


def by_risk(classes: Sequence[ClassOutlook]) -> list[ClassOutlook]:
    """Return classes in order of their chance to be gone, then of having too few examples."""
    return sorted(classes, key=lambda one: (-one.gone, -one.below_least, one.count))


def record(one: ClassOutlook) -> dict[str, Any]:
    """Return a class for a JSON object."""
    return {
        "symbol": one.symbol,
        "count": one.count,
        "chance_gone": one.gone,
        "expected_examples": one.expected,
        "at_least": one.least,
        "chance_below_at_least": one.below_least,
        "chance_below_half": one.below_half,
        "law": one.law,
    }


def headings(language: Language, noun: str) -> tuple[str, ...]:
    """Return the headings of the table of classes."""
    text = language.text
    return (
        noun,
        text("count"),
        text("chance to be gone"),
        text("examples on average"),
        text("examples needed"),
        text("chance of fewer"),
        text("chance of fewer than half of today's"),
    )


def cells(one: ClassOutlook, language: Language) -> tuple[str, ...]:
    """Return a row of the table of classes."""
    number, percent = language.number, language.percent
    return (
        one.symbol,
        number(one.count),
        percent(one.gone),
        number(one.expected),
        number(one.least),
        percent(one.below_least),
        percent(one.below_half),
    )


def classes_table(classes: Sequence[ClassOutlook], language: Language, *, noun: str) -> Table:
    """Return the table of the classes most at risk, for a terminal."""
    shown = table(*headings(language, noun))
    for one in by_risk(classes)[:_ROWS_SHOWN]:
        shown.add_row(*cells(one, language))
    left = len(classes) - _ROWS_SHOWN
    if left > 0:
        shown.caption = language.text("less at risk: {number} more", number=language.number(left))
    return shown


def classes_chart(
    classes: Sequence[ClassOutlook], language: Language, *, most: int = _CLASSES_DRAWN
) -> drawing.RenderedChart:
    """Return the chart of classes over rounds: the chance that each has enough examples.

    Parameters
    ----------
    classes
        What becomes of every class, at least one.
    language
        The reader's.
    most
        How many classes to draw, the likeliest to be gone first.
    """
    import altair as alt

    text = language.text
    chosen = by_risk(classes)[:most]
    names = distinct_names([one.symbol for one in chosen], longest=LONGEST_TEXT)
    rounds = range(len(chosen[0].enough))
    numbers = pl.DataFrame(
        {
            "label": [name for name in names for _ in rounds],
            "count": [one.count for one in chosen for _ in rounds],
            "examples": [one.least for one in chosen for _ in rounds],
            "generation": [k for _ in chosen for k in rounds],
            "enough": [chance for one in chosen for chance in one.enough],
        }
    )
    symbols = drawing.axis_names(names, pixels=_LABEL_PIXELS)
    step = -(-len(rounds) // _MOST_COLUMNS)
    labelled = numbers.with_columns(
        pl.col("label").replace_strict(names, symbols).alias("name")
    ).filter(pl.col("generation") % step == 0)
    marks = [k for k in rounds if k % step == 0 and k % max(1, len(rounds) // 10) == 0]
    every = alt.Axis(values=marks, labelAngle=0, labelOverlap=True)
    legend = alt.Legend(format="%", gradientLength=100, orient="right")
    chart = (
        alt.Chart(
            labelled,
            width=drawing.WIDTH - _LABEL_PIXELS,
            height=max(_LEAST_HEIGHT, _ROW_PIXELS * len(chosen)),
        )
        .mark_rect()
        .encode(
            x=alt.X("generation:O", title=text("round"), axis=every),
            y=alt.Y("name:N", sort=symbols, axis=alt.Axis(labelLimit=_LABEL_PIXELS, title=None)),
            color=alt.Color(
                "enough:Q",
                title=text("chance"),
                scale=alt.Scale(scheme="viridis", domain=[0, 1]),
                legend=legend,
            ),
        )
    )
    return drawing.RenderedChart(
        name="by-class",
        title=text("Each class, round by round"),
        caption=text(
            "The chance that a round's training set holds enough examples of the class: the "
            "{shown} most at risk, at most.",
            shown=most,
        ),
        svg=drawing.to_svg(chart),
        numbers=numbers,
    )


def accumulated(language: Language, *, sampled: bool) -> str:
    """Return where the figures of labels come from in rounds that accumulate."""
    runs = language.number(ACCUMULATED_RUNS)
    if not sampled:
        return language.text(
            "The figures of each label are its counts in all that is kept, in {runs} "
            "simulated runs.",
            runs=runs,
        )
    return language.text(
        "The figures of each label are its counts in the sample of all that is kept, in "
        "{runs} simulated runs.",
        runs=runs,
    )
