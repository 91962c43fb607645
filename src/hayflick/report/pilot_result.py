"""The results of a trial: plain values, sentences and a table, a page with a chart."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import polars as pl

from hayflick.monitor.pilot_analysis import Arm, Outcome, PilotResult, TreatmentEffect
from hayflick.monitor.pilot_variation import Scale
from hayflick.report.charts import drawing
from hayflick.report.language import Language
from hayflick.report.pilot_design import signed_change
from hayflick.report.rendering import notebook, render
from hayflick.report.tables import printable, significant, table

if TYPE_CHECKING:
    from rich.console import RenderableType

FORMAT_VERSION = 1

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
    language = Language(lang)
    headings, rows = _arms(result, language)
    # The page has the column of values too.
    shown = table(*headings[:2], *headings[3:])
    for row in rows:
        shown.add_row(*row[:2], *row[3:])
    return [
        _data(result, language),
        _verdict(result, language),
        *_summary(result, language),
        shown,
    ]


def page(result: PilotResult, *, lang: str = "en") -> str:
    """Return a result as one self-contained HTML page."""
    language = Language(lang)
    headings, rows = _arms(result, language)
    numbers = [
        {"arm": arm.name, "rounds": arm.rounds, "values": arm.values, "mean": arm.mean}
        for arm in result.arms
    ]
    return render(
        "pilot.html.jinja",
        "style.css",
        language,
        result=result,
        data=_data(result, language),
        verdict=_verdict(result, language),
        summary=_summary(result, language),
        headings=headings,
        rows=rows,
        arms=pl.DataFrame(numbers),
        charts=(_chart(result, language),),
        provenance=json.dumps(result.provenance(), indent=2, ensure_ascii=False),
    )


def fragment(result: PilotResult) -> str:
    """Return what a notebook shows of a result."""
    language = Language("en")
    charts = (_chart(result, language),)
    return notebook(_verdict(result, language), _summary(result, language), charts)


def _data(result: PilotResult, language: Language) -> str:
    number = language.number
    return language.text(
        "{name}: {arms} arms with {rounds} rounds and {values} values.",
        name=printable(result.source),
        arms=number(len(result.arms)),
        rounds=number(sum(arm.rounds for arm in result.arms)),
        values=number(sum(arm.values for arm in result.arms)),
    )


def _verdict(result: PilotResult, language: Language) -> str:
    outcomes = _outcomes(language)
    return "; ".join(
        language.text("{arm}: {outcome}", arm=printable(one.arm), outcome=outcomes[one.outcome])
        for one in result.comparisons
    )


def _outcomes(language: Language) -> dict[Outcome, str]:
    text = language.text
    return {
        Outcome.GO: text("go"),
        Outcome.NO_GO: text("no go"),
        Outcome.INCONCLUSIVE: text("inconclusive"),
    }


def _change(result: PilotResult) -> Callable[[float], str]:
    return lambda value: signed_change(value, scale=result.design.aim.scale)


def _summary(result: PilotResult, language: Language) -> list[str]:
    """Return the effect of each treatment, and notes on the data."""
    text, number = language.text, language.number
    sentences = [_effect(one, result, language) for one in result.comparisons]
    sentences.append(
        text(
            "A change matters from {matters} on. Each interval has a confidence of {confidence}; "
            "rounds are the units, so values of one round may depend on one another.",
            matters=_change(result)(result.design.aim.matters),
            confidence=language.percent(result.confidence),
        )
    )
    if result.autocorrelated and result.autocorrelation is not None:
        sentences.append(
            text(
                "Successive rounds are alike (correlation {correlation}): if rounds of an arm "
                "follow on one another, intervals are too narrow and p-values too small.",
                correlation=significant(result.autocorrelation),
            )
        )
    short = [arm for arm in result.arms if arm.rounds < result.design.rounds]
    if short:
        sentences.append(
            text(
                "Fewer rounds than the {planned} that were planned: {arms}. The power is lower "
                "for that; intervals and p-values hold.",
                planned=number(result.design.rounds),
                arms=", ".join(f"{printable(arm.name)} ({arm.rounds})" for arm in short),
            )
        )
    if result.skipped:
        sentences.append(text("Rows passed over: {rows}.", rows=number(result.skipped)))
    return sentences


def _effect(compared: TreatmentEffect, result: PilotResult, language: Language) -> str:
    text, change = language.text, _change(result)
    reasons = {
        Outcome.GO: text(
            "There is a change in the direction that was hoped for, and one that matters is not "
            "ruled out."
        ),
        Outcome.NO_GO: text("A change that would matter is ruled out."),
        Outcome.INCONCLUSIVE: text(
            "Neither is a change found nor one that would matter ruled out: more rounds tell."
        ),
    }
    effect = text(
        "{arm} against {control}: {effect} (from {low} to {high}, p = {p}).",
        arm=printable(compared.arm),
        control=printable(result.design.control),
        effect=change(compared.effect),
        low=change(compared.low),
        high=change(compared.high),
        p=_p_value(compared.adjusted),
    )
    return language.joined(effect, reasons[compared.outcome])


def _p_value(p: float) -> str:
    return "<0.0001" if p < 0.0001 else f"{p:.3g}"


def _arms(result: PilotResult, language: Language) -> tuple[list[str], list[list[str]]]:
    """Return the headings and the rows of the table of arms."""
    text, number, change = language.text, language.number, _change(result)
    headings = [
        text("arm"),
        text("rounds"),
        text("values"),
        text("mean"),
        text("change"),
        text("interval"),
        text("p, adjusted"),
        text("decision"),
    ]
    rows = [
        [printable(arm.name), number(arm.rounds), number(arm.values), significant(arm.mean)]
        for arm in result.arms
    ]
    rows[0][0] = text("{arm} (control)", arm=rows[0][0])
    rows[0] += [""] * 4
    for row, compared in zip(rows[1:], result.comparisons, strict=True):
        row += [
            change(compared.effect),
            f"{change(compared.low)} … {change(compared.high)}",
            _p_value(compared.adjusted),
            _outcomes(language)[compared.outcome],
        ]
    return headings, rows


def _chart(result: PilotResult, language: Language) -> drawing.RenderedChart:
    """Return the chart of effects, one treatment a line."""
    text, outcomes = language.text, _outcomes(language)
    rows = [
        {
            "arm": compared.arm,
            "effect": compared.effect,
            "interval_low": compared.low,
            "interval_high": compared.high,
            "p": compared.p,
            "p_adjusted": compared.adjusted,
            "decision": outcomes[compared.outcome],
        }
        for compared in result.comparisons
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
    colours = {outcomes[outcome]: _COLOURS[outcome] for outcome in Outcome if outcome in seen}
    axis_format = "+.0%" if aim.scale == Scale.RELATIVE else "+~g"
    axis = alt.Axis(format=axis_format, tickCount=8, labelOverlap=True)
    title = language.text("change against {control}", control=result.design.control)
    x = alt.X("value:Q", title=title, axis=axis)
    names = alt.Axis(labelLimit=_LABEL_PIXELS, title=None)
    y = alt.Y("arm:N", sort=numbers["arm"].to_list(), axis=names)
    colour = drawing.colour_legend(colours)
    shown = numbers.rename({"decision": "series"})
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
    return base.properties(data=data).mark_rule(color="#24292f", strokeDash=dash)
