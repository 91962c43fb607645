"""A forecast of numbers or running text as short tables for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hayflick.planning.series_forecast import Series, SeriesForecast
from hayflick.report.family_findings import series_findings
from hayflick.report.language import Language
from hayflick.report.outlook_table import fresh_shares_table, opening
from hayflick.report.series_findings import SeriesFindings
from hayflick.report.tables import landmarks, table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table


def series_tables(forecast: SeriesForecast, *, lang: str = "en") -> tuple[RenderableType, ...]:
    """Return what the terminal shows: the verdict, the rounds, what helps.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    findings = series_findings(forecast, language)
    rounds = (_rounds(series, findings, language) for series in forecast.series)
    return (*opening(findings), *rounds, fresh_shares_table(findings), findings.method())


def _rounds(series: Series, findings: SeriesFindings, language: Language) -> Table:
    text, quantity = language.text, series.quantity
    beside = series.simulated if series.law is not None else None
    headings = [text("by the law") if series.law is not None else text("simulated")]
    headings += [text("5 to 95%")] if series.best.low is not None else []
    headings += [text("simulated")] if beside is not None else []
    shown = table(text("round"), *headings, text("real data alone"))
    shown.title, shown.title_justify = findings.label(series.name), "left"
    for k in landmarks(findings.forecast.generations):
        spot = series.best.at(k)
        cells = [findings.value(quantity, spot.middle)]
        cells += [findings.between(quantity, spot)] if spot.low is not None else []
        cells += [findings.value(quantity, beside.at(k).middle)] if beside is not None else []
        shown.add_row(language.number(k), *cells, findings.value(quantity, series.alone.middle))
    return shown
