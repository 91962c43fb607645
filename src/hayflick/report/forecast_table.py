"""A forecast as short tables for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayflick.planning.forecast_result import Forecast
from hayflick.report.findings import Findings
from hayflick.report.language import Language
from hayflick.report.outlook_table import fresh_shares_table, opening
from hayflick.report.tables import landmarks, printable, table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_SYMBOLS_SHOWN = 5


def forecast_tables(forecast: Forecast, *, lang: str = "en") -> tuple[RenderableType, ...]:
    """Return what the terminal shows: the verdict, the rounds, what goes first, what helps.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    findings = Findings(forecast, language)
    parts: list[RenderableType] = [
        *opening(findings),
        _rounds(forecast, language, findings),
    ]
    if forecast.most_at_risk:
        parts.append(_at_risk(forecast, language))
    return (*parts, fresh_shares_table(findings), findings.method())


def _rounds(forecast: Forecast, language: Language, findings: Findings) -> Table:
    text, percent = language.text, language.percent
    shown = table(
        text("round"),
        text("{nouns} left", nouns=findings.nouns),
        text("simulated, 5 to 95%"),
        text("real data alone"),
        text("recursion costs"),
    )
    band = forecast.simulated_band()
    last = forecast.generations
    for k in landmarks(last):
        spread = f"{percent(band['low'][k])} – {percent(band['high'][k])}" if band else "–"
        baseline = float(forecast.law.baseline[k])
        left = float(forecast.law.surviving_fraction[k])
        cells = percent(left), spread, percent(baseline), language.difference(baseline - left)
        shown.add_row(language.number(k), *cells)
    return shown


def _at_risk(forecast: Forecast, language: Language) -> Table:
    from rich.text import Text

    text, number, percent = language.text, language.number, language.percent
    shown = table(
        text("first to go"),
        text("count"),
        text("chance after round {round}", round=number(forecast.generations)),
        text("real data alone"),
        text("lost by round (median)"),
    )
    for risk in forecast.most_at_risk[:_SYMBOLS_SHOWN]:
        median = "–" if risk.median_loss is None else number(risk.median_loss)
        cells = number(risk.count), percent(risk.survival), percent(risk.baseline), median
        shown.add_row(Text(printable(risk.symbol)), *cells)
    return shown
