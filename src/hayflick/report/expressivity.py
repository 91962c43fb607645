"""Estimators compared: numbers, table, chart and page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from hayflick.chains.gaussian import Gaussian
from hayflick.planning.expressivity import (
    COLLAPSED,
    LIFETIME,
    LONGEST,
    EstimatorLifetime,
    Expressivity,
)
from hayflick.report import drawing
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, render, shown_record, table

if TYPE_CHECKING:
    from rich.console import RenderableType

FORMAT_VERSION = 1


def record(result: Expressivity) -> dict[str, Any]:
    """Return a comparison as plain values, ready for JSON."""
    return {
        "format_version": FORMAT_VERSION,
        "samples": result.samples,
        "generations": result.generations,
        "horizon": result.horizon,
        "replicates": result.replicates,
        "real_data_alone": result.baseline,
        "threshold": result.threshold,
        "interrupted": result.interrupted,
        "estimators": [
            {
                "estimator": row.estimator,
                "bits": row.bits,
                "collapse_round": row.collapse,
                "collapse_standard_error": row.collapse_error,
                "earliest_collapse": row.earliest,
                "latest_collapse": row.latest,
                "left": row.left,
                "left_standard_error": row.left_error,
                "method": row.method,
            }
            for row in result.rows
        ],
        "provenance": result.provenance(),
    }


def sentences(result: Expressivity, language: Language) -> tuple[str, ...]:
    """Return which estimators collapse first and last, what that means, and how sure it is."""
    text, number = language.text, language.number
    what = text("standard deviation") if isinstance(result.model, Gaussian) else text("symbols")
    meaning = text(
        "Collapse: {share} or less is left of the {what} that one training on real data alone "
        "would keep. Each round is trained on {samples} items; rounds looked at: {generations}.",
        share=language.percent(COLLAPSED, digits=0),
        what=what,
        samples=number(result.samples),
        generations=number(result.generations),
    )
    if result.horizon == LIFETIME:
        chosen = text(
            "These are twice as many rounds as a line of models with {estimator} lasts.",
            estimator=result.rows[0].estimator,
        )
        meaning = language.joined(meaning, chosen)
    elif result.horizon == LONGEST:
        chosen = text(
            "A line of models with {estimator} outlives them; more rounds would take more than a "
            "few seconds, and can be asked for.",
            estimator=result.rows[0].estimator,
        )
        meaning = language.joined(meaning, chosen)
    errors = text(
        "± is one standard error of {runs} simulated runs; numbers without it come from a law.",
        runs=number(result.replicates),
    )
    return _extremes(result, language), meaning, errors


def _extremes(result: Expressivity, language: Language) -> str:
    def time(row: EstimatorLifetime) -> float:
        return float("inf") if row.collapse is None else row.collapse

    first, last = (
        min(result.rows, key=time),
        max(result.rows, key=lambda row: (time(row), row.left)),
    )
    if first.collapse is None:
        return language.text("No estimator collapses within these rounds.")
    return language.text(
        "The first to collapse is {first} ({bits}), {when}; the last is {last} ({last_bits}), "
        "{last_when}.",
        first=first.estimator,
        bits=bits_label(first.bits, language),
        when=collapse_label(first, language),
        last=last.estimator,
        last_bits=bits_label(last.bits, language),
        last_when=collapse_label(last, language),
    )


def bits_label(bits: int | None, language: Language) -> str:
    """Return how parameters are rounded."""
    return (
        language.text("not rounded")
        if bits is None
        else language.text("{bits}-bit grid", bits=bits)
    )


def collapse_label(row: EstimatorLifetime, language: Language) -> str:
    """Return when a line of models collapses."""
    text, number = language.text, language.number
    never = text("not within these rounds")
    if row.earliest is row.latest is None:
        return never
    if row.collapse is not None and row.collapse_error is not None:
        error = f" ± {number(row.collapse_error)}" if row.collapse_error else ""
        return text("in round {round}", round=number(row.collapse) + error)
    ends = (never if end is None else number(end) for end in (row.earliest, row.latest))
    between = dict(zip(("first", "last"), ends, strict=True))
    if row.collapse is None:
        return text("not within these rounds ({first} to {last})", **between)
    return text("in round {round} ({first} to {last})", round=number(row.collapse), **between)


def left_label(row: EstimatorLifetime, language: Language) -> str:
    """Return what is left after the last round."""
    left = language.percent(row.left)
    return left if row.method != "simulation" else f"{left} ± {language.percent(row.left_error)}"


def heads(result: Expressivity, language: Language) -> tuple[str, ...]:
    """Return the heads of the table's columns."""
    text = language.text
    last = text("left after round {round}", round=language.number(result.generations))
    return text("estimator"), text("rounding"), text("collapse"), last


def cells(result: Expressivity, language: Language) -> list[tuple[str, ...]]:
    """Return the table's rows."""
    return [
        (
            row.estimator,
            bits_label(row.bits, language),
            collapse_label(row, language),
            left_label(row, language),
        )
        for row in result.rows
    ]


def tables(result: Expressivity, *, lang: str = "en") -> tuple[RenderableType, ...]:
    """Return what the terminal shows."""
    language = Language(lang)
    shown = table(*heads(result, language))
    for row in cells(result, language):
        shown.add_row(*row)
    return (*sentences(result, language), shown)


def expressivity_chart(result: Expressivity, language: Language) -> drawing.RenderedChart:
    """Return the chart of collapse times by estimator and rounding."""
    import altair as alt

    text = language.text
    numbers = result.to_frame()
    names = [bits_label(bits, language) for bits in _ordered([row.bits for row in result.rows])]
    never = text("not within these rounds")
    shown = numbers.with_columns(
        grid=pl.Series([bits_label(row.bits, language) for row in result.rows]),
        height=pl.col("collapse").fill_null(result.generations),
        low=pl.col("earliest").fill_null(result.generations),
        high=pl.col("latest").fill_null(result.generations),
        outcome=pl.when(pl.col("collapse").is_null()).then(pl.lit(never)).otherwise(pl.lit("")),
    )
    x = alt.X("grid:O", sort=names, title=text("rounding"), axis=alt.Axis(labelAngle=0))
    y = alt.Y("height:Q", title=text("round of the collapse"))
    colour = alt.Color("estimator:N", title=None, legend=alt.Legend(orient="top"))
    base = alt.Chart(shown, width=drawing.WIDTH, height=drawing.HEIGHT)
    shape = alt.Shape(
        "outcome:N",
        legend=None,
        scale=alt.Scale(domain=["", never], range=["circle", "triangle-up"]),
    )
    points = base.mark_point(filled=True, size=110, opacity=0.9).encode(
        x=x, y=y, color=colour, shape=shape, xOffset="estimator:N"
    )
    lines = base.mark_rule(strokeWidth=2, opacity=0.5, clip=True).encode(
        x=x,
        y=alt.Y("low:Q", title=text("round of the collapse")),
        y2="high:Q",
        color=colour,
        xOffset="estimator:N",
    )
    return drawing.RenderedChart(
        name="expressivity",
        title=text("How long a line of models lasts"),
        caption=language.joined(
            text("Triangles: no collapse within the rounds looked at."),
            text("Lines: two standard errors on either side."),
        ),
        svg=drawing.to_svg(lines + points),
        numbers=numbers,
    )


def _ordered(grids: Sequence[int | None]) -> list[int | None]:
    """Return the grids from fine to coarse, none first."""
    return sorted(set(grids), key=lambda bits: -1000 if bits is None else -bits)


def page(result: Expressivity, *, lang: str = "en") -> str:
    """Return a comparison as one self-contained HTML page.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    return render(
        "expressivity.html.jinja",
        "style.css",
        language,
        sources=result.sources,
        sentences=sentences(result, language),
        heads=heads(result, language),
        rows=cells(result, language),
        charts=(expressivity_chart(result, language),),
        provenance=shown_record(result.provenance()),
    )


def fragment(result: Expressivity) -> str:
    """Return a comparison as a notebook shows it."""
    language = Language("en")
    verdict, *others = sentences(result, language)
    return notebook(
        verdict, others, (expressivity_chart(result, language),), sources=result.sources
    )
