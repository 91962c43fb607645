"""A calibrated trainer of numbers: plain values, sentences, tables, a page with the spread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import polars as pl

from hayflick.calibration.calibration_file import resampler_record
from hayflick.calibration.diagnoses import Diagnosis
from hayflick.calibration.numbers import NumbersFit
from hayflick.core.display_text import LONGEST_TEXT, distinct_names
from hayflick.report import drawing
from hayflick.report.language import Language
from hayflick.report.rendering import (
    notebook,
    sentences,
    shortened,
    significant,
    table,
    tables_page,
    wording,
)

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_TEMPLATE = "number_calibration.jinja"
_MOST_DRAWN = 8


def record(fit: NumbersFit) -> dict[str, Any]:
    """Return a calibration as plain values, which is also what a ``calibration.json`` holds.

    Examples
    --------
    >>> import hayflick as hf
    >>> trainer = hf.calibrate_numbers(means=[5, 5.1, 5], variances=[4, 3.9, 4.2], sizes=200)
    >>> values = record(trainer)
    >>> values["family"], sorted(values["parameters"])
    ('gaussian', ['effective_share', 'variance_factor'])
    """
    errors = {name: one.standard_error for name, one in fit.parameters.items()}
    values = resampler_record(fit.resampler, standard_errors=errors)
    for name, one in fit.parameters.items():
        values["parameters"][name] |= {"low": one.low, "high": one.high}
    recorded = fit.record
    return {
        **values,
        "effective_size": {"samples": fit.samples, **asdict(fit.effective_size)},
        "forecast": _rounds(fit),
        "diagnoses": [_diagnosis(one) for one in fit.diagnoses],
        "record": [
            {
                "column": name,
                "means": recorded.means[row].tolist(),
                "variances": recorded.variances[row].tolist(),
                "sizes": recorded.sizes[row].tolist(),
                "fresh": recorded.fresh[row].tolist(),
            }
            for row, name in enumerate(recorded.columns)
        ],
        "notes": [str(note) for note in recorded.notes],
        "provenance": fit.provenance(),
    }


def _diagnosis(one: Diagnosis) -> dict[str, Any]:
    return {
        "name": one.name,
        "found": one.found,
        "statistic": one.statistic,
        "p_value": one.p_value,
        "note": str(one.note),
    }


def _rounds(fit: NumbersFit) -> list[dict[str, Any]]:
    """Return the rounds ahead, column by column."""
    ahead = fit.forecast
    return [
        {
            "column": name,
            "round": int(number),
            "share": float(ahead.share[row, place]),
            "low": float(ahead.low[row, place]),
            "high": float(ahead.high[row, place]),
            "ideal": float(ahead.ideal[row, place]),
            "parts": {part: float(values[row, place]) for part, values in ahead.parts.items()},
        }
        for row, name in enumerate(fit.record.columns)
        for place, number in enumerate(ahead.rounds)
    ]


def tables(fit: NumbersFit, *, lang: str = "en") -> list[RenderableType]:
    """Return what the terminal shows: the trainer, the rounds ahead, and the diagnoses."""
    language = Language(lang)
    return [*_said(fit, language), _ahead(fit, language), _answers(fit, language)]


def page(fit: NumbersFit, *, lang: str = "en") -> str:
    """Return a calibration as one self-contained HTML page."""
    language = Language(lang)
    return tables_page(
        language.text("A calibrated trainer of numbers"),
        tables(fit, lang=lang),
        language,
        charts=(_chart(fit, language),),
        sources=fit.sources,
        provenance=fit.provenance(),
    )


def fragment(fit: NumbersFit) -> str:
    """Return what a notebook shows of a calibration."""
    language = Language("en")
    verdict, *rest = _said(fit, language)
    return notebook(verdict, rest, (_chart(fit, language),), sources=fit.sources)


def _said(fit: NumbersFit, language: Language) -> list[str]:
    found = [one.note for one in fit.diagnoses if one.found]
    notes = [language.text(note.message, **note.values) for note in (*found, *fit.record.notes)]
    return [
        *sentences(_TEMPLATE, "verdict", language, fit=fit),
        *sentences(_TEMPLATE, "outlook", language, fit=fit),
        *notes,
    ]


def _ahead(fit: NumbersFit, language: Language) -> Table:
    shown = table(*wording(_TEMPLATE, "headings", language))
    for one in _rounds(fit):
        low, high = language.percent(one["low"]), language.percent(one["high"])
        shown.add_row(
            shortened(one["column"]),
            language.number(one["round"]),
            language.percent(one["share"]),
            f"{low} … {high}",
            language.percent(one["ideal"]),
        )
    return shown


def _answers(fit: NumbersFit, language: Language) -> Table:
    text = language.text
    names: Mapping[str, str] = wording(_TEMPLATE, "names", language)
    shown = table(text("diagnosis"), text("answer"), text("p-value"))
    for one in fit.diagnoses:
        p_value = "–" if one.p_value is None else significant(one.p_value)
        answer = text("found") if one.found else text("not found")
        if one.statistic is None:
            answer = text("not tested")
        shown.add_row(names[one.name], answer, p_value)
    return shown


def _chart(fit: NumbersFit, language: Language) -> drawing.RenderedChart:
    """Return the chart of the spread: recorded, ahead, and of an ideal trainer."""
    text = language.text
    names = distinct_names(fit.record.columns, longest=LONGEST_TEXT)[:_MOST_DRAWN]
    recorded, ahead, ideal = text("recorded"), text("ahead"), text("ideal trainer")
    rows: list[dict[str, Any]] = []
    for row, name in enumerate(names):
        spread = fit.record.spread[row]
        for number, value in enumerate(spread):
            known = {"low": None, "high": None, "series": recorded}
            rows.append({"column": name, "generation": number, "spread": float(value), **known})
        last = {"column": name, "generation": fit.record.rounds - 1, "spread": float(spread[-1])}
        rows.append({**last, "low": last["spread"], "high": last["spread"], "series": ahead})
        rows.append({**last, "low": None, "high": None, "series": ideal})
    for one in _rounds(fit):
        if one["column"] not in fit.record.columns[:_MOST_DRAWN]:
            continue
        column = names[fit.record.columns.index(one["column"])]
        place = {"column": column, "generation": one["round"]}
        ends = {"low": one["low"], "high": one["high"]}
        rows.append({**place, "spread": one["share"], **ends, "series": ahead})
        none = {"low": None, "high": None, "series": ideal}
        rows.append({**place, "spread": one["ideal"], **none})
    numbers = pl.DataFrame(rows, schema_overrides={"low": pl.Float64, "high": pl.Float64})
    return drawing.RenderedChart(
        name="spread",
        title=text("The spread, recorded and ahead"),
        caption=text(
            "Standard deviation as a share of the real data's. Dots were recorded; the band holds"
            " 90% of runs from the last one on. The grey line is an ideal trainer's median."
        ),
        svg=drawing.to_svg(_layers(numbers, (recorded, ahead, ideal), language)),
        numbers=numbers,
    )


def _layers(numbers: pl.DataFrame, series: tuple[str, str, str], language: Language) -> Any:
    import altair as alt

    recorded, ahead, ideal = series
    colours = {recorded: drawing.REAL, ahead: drawing.LAW, ideal: drawing.GREY}
    colour = drawing.colour_legend(colours)
    text = language.text
    x = alt.X("generation:Q", title=text("round"), axis=drawing.rounds_axis())
    percent = alt.Axis(format="~%")
    y = alt.Y("spread:Q", title=text("spread"), axis=percent, scale=alt.Scale(zero=True))
    base = alt.Chart(width=drawing.WIDTH, height=drawing.HEIGHT)
    parts = {one: numbers.filter(pl.col("series") == one) for one in series}
    detail = alt.Detail("column:N")
    band = base.properties(data=parts[ahead]).mark_area(opacity=0.2, color=drawing.LAW)
    line = base.properties(data=parts[ahead]).mark_line(strokeWidth=2)
    other = base.properties(data=parts[ideal]).mark_line(strokeDash=[5, 4])
    dots = base.properties(data=parts[recorded]).mark_line(point=True)
    return alt.layer(
        band.encode(x=x, y=alt.Y("low:Q", title=text("spread")), y2="high:Q", detail=detail),
        other.encode(x=x, y=y, color=colour, detail=detail),
        line.encode(x=x, y=y, color=colour, detail=detail),
        dots.encode(x=x, y=y, color=colour, detail=detail),
    )
