"""The results of a trial: plain values, sentences and a table, a page with a chart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

from hayflick.core.display_text import LONGEST_TEXT, distinct_names
from hayflick.monitor.pilot_analysis import Arm, Outcome, PilotResult
from hayflick.monitor.pilot_variation import Scale
from hayflick.report import drawing
from hayflick.report.language import Language
from hayflick.report.pilot_design import signed_change
from hayflick.report.rendering import (
    notebook,
    render,
    sentences,
    shortened,
    shown_record,
    significant,
    table,
    wording,
)

if TYPE_CHECKING:
    from rich.console import RenderableType

FORMAT_VERSION = 1
_TEMPLATE = "pilot_result.jinja"

_LABEL_PIXELS = 200
_COLOURS = {
    Outcome.GO: drawing.REAL,
    Outcome.NO_GO: drawing.LIMIT,
    Outcome.INCONCLUSIVE: drawing.GREY,
}


def record(result: PilotResult) -> dict[str, Any]:
    """Return a result as plain values; changes are shares on the relative scale."""
    return {
        "format_version": FORMAT_VERSION,
        "source": result.source,
        "scale": result.design.aim.scale,
        "control": result.design.control,
        "confidence": result.confidence,
        "smallest": result.design.aim.matters,
        "arms": [_arm(arm) for arm in result.arms],
        "comparisons": [
            {**asdict(compared), "outcome": compared.outcome.value}
            for compared in result.comparisons
        ],
        "succession": result.autocorrelation,
        "passed_over": result.skipped,
        "provenance": result.provenance(),
    }


def _arm(arm: Arm) -> dict[str, Any]:
    return {
        "name": arm.name,
        "rounds": arm.rounds,
        "values": arm.values,
        "mean": arm.mean,
        "sd_of_rounds": arm.variance**0.5,
    }


def tables(result: PilotResult, *, lang: str = "en") -> list[RenderableType]:
    """Return what the terminal shows of a result."""
    headings, rows = _arms(result, Language(lang))
    # The page has the column of values too.
    shown = table(*headings[:2], *headings[3:])
    for row in rows:
        shown.add_row(*row[:2], *row[3:])
    return [*_sentences(result, Language(lang)), shown]


def page(result: PilotResult, *, lang: str = "en") -> str:
    """Return a result as one self-contained HTML page."""
    language = Language(lang)
    headings, rows = _arms(result, language)
    data, verdict, *summary = _sentences(result, language)
    names = distinct_names([arm.name for arm in result.arms], longest=LONGEST_TEXT)
    numbers = [
        {"arm": name, "rounds": arm.rounds, "values": arm.values, "mean": arm.mean}
        for name, arm in zip(names, result.arms, strict=True)
    ]
    return render(
        "pilot.html.jinja",
        "style.css",
        language,
        sources=result.sources,
        result=result,
        data=data,
        verdict=verdict,
        summary=summary,
        headings=headings,
        rows=rows,
        arms=pl.DataFrame(numbers),
        charts=(_chart(result, language),),
        provenance=shown_record(result.provenance()),
    )


def fragment(result: PilotResult) -> str:
    """Return what a notebook shows of a result."""
    language = Language("en")
    _, verdict, *summary = _sentences(result, language)
    return notebook(verdict, summary, (_chart(result, language),), sources=result.sources)


def _sentences(result: PilotResult, language: Language) -> list[str]:
    """Return what was analysed, the decisions, the effect of each treatment and notes."""
    say = partial(sentences, _TEMPLATE, language=language, result=result)
    return [
        *say("data"),
        *say("verdict"),
        *say("summary", change=_change(result), p_value=_p_value),
    ]


def _outcomes(language: Language) -> Mapping[str, str]:
    return wording(_TEMPLATE, "outcomes", language)


def _change(result: PilotResult) -> Callable[[float], str]:
    return partial(signed_change, scale=result.design.aim.scale)


def _p_value(p: float) -> str:
    return "<0.0001" if p < 0.0001 else f"{p:.3g}"


def _arms(result: PilotResult, language: Language) -> tuple[list[str], list[list[str]]]:
    """Return the headings and the rows of the table of arms."""
    number, change, outcomes = language.number, _change(result), _outcomes(language)
    rows = [
        [shortened(arm.name), number(arm.rounds), number(arm.values), significant(arm.mean)]
        for arm in result.arms
    ]
    rows[0][0] = language.text("{arm} (control)", arm=rows[0][0])
    rows[0] += [""] * 4
    for row, compared in zip(rows[1:], result.comparisons, strict=True):
        row += [
            change(compared.effect),
            f"{change(compared.low)} … {change(compared.high)}",
            _p_value(compared.adjusted),
            outcomes[compared.outcome],
        ]
    return list(wording(_TEMPLATE, "headings", language)), rows


def _chart(result: PilotResult, language: Language) -> drawing.RenderedChart:
    """Return the chart of effects, one treatment a line."""
    text, outcomes = language.text, _outcomes(language)
    arms = distinct_names([one.arm for one in result.comparisons], longest=LONGEST_TEXT)
    rows = [
        {
            "arm": arm,
            "effect": compared.effect,
            "interval_low": compared.low,
            "interval_high": compared.high,
            "p": compared.p,
            "p_adjusted": compared.adjusted,
            "decision": outcomes[compared.outcome],
        }
        for arm, compared in zip(arms, result.comparisons, strict=True)
    ]
    numbers = pl.DataFrame(rows)
    return drawing.RenderedChart(
        name="effects",
        title=text("What each arm changed"),
        caption=text(
            "Dots are estimates and bars their intervals. The solid line is no change, the dashed "
            "one the smallest change that would matter."
        ),
        svg=drawing.to_svg(_layers(numbers, result, language)),
        numbers=numbers,
    )


def _layers(numbers: pl.DataFrame, result: PilotResult, language: Language) -> Any:
    import altair as alt

    aim, outcomes = result.design.aim, _outcomes(language)
    seen = {one.outcome for one in result.comparisons}
    colours = {outcomes[one]: _COLOURS[one] for one in Outcome if one in seen}
    axis_format = "+.0%" if aim.scale == Scale.RELATIVE else "+~g"
    axis = alt.Axis(format=axis_format, tickCount=8, labelOverlap=True)
    title = language.text("change against {control}", control=shortened(result.design.control))
    x = alt.X("value:Q", title=title, axis=axis)
    names = alt.Axis(labelLimit=_LABEL_PIXELS, title=None)
    arms = drawing.axis_names(numbers["arm"].to_list(), pixels=_LABEL_PIXELS)
    y = alt.Y("arm:N", sort=arms, axis=names)
    colour = drawing.colour_legend(colours)
    shown = numbers.rename({"decision": "series"}).with_columns(pl.Series("arm", arms))
    base = alt.Chart(width=drawing.WIDTH - _LABEL_PIXELS, height=40 * numbers.height + 20)
    bars = base.properties(data=shown.rename({"interval_low": "value"})).mark_rule(strokeWidth=3)
    dots = base.properties(data=shown.rename({"effect": "value"})).mark_circle(size=120, opacity=1)
    return alt.layer(
        _line(base, 0.0, dash=[1, 0]).encode(x=x),
        _line(base, aim.matters, dash=[5, 4]).encode(x=x),
        bars.encode(x=x, x2="interval_high:Q", y=y, color=colour),
        dots.encode(x=x, y=y, color=colour),
    )


def _line(base: Any, value: float, *, dash: list[int]) -> Any:
    data = pl.DataFrame({"value": [value]})
    return base.properties(data=data).mark_rule(color=drawing.INK, strokeDash=dash)
