"""A forecast as short tables for the terminal."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from hayflick.planning.forecast import FRESH_SHARES, Forecast
from hayflick.report.findings import Findings
from hayflick.report.language import Language

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_LANDMARKS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
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
        findings.data(),
        findings.verdict(),
        f"{language.text('The limit')}: {findings.limit()}",
        f"{language.text('Action')}: {findings.action()}",
        _rounds(forecast, language, findings),
    ]
    if forecast.most_at_risk:
        parts.append(_at_risk(forecast, language))
    return (*parts, _shares(forecast, language, findings), findings.method())


def printable(symbol: str) -> str:
    r"""Return a symbol without characters that would move or colour the terminal's text.

    Examples
    --------
    >>> printable("a\x1b[31mb\nc")
    'a�[31mb�c'
    """
    unsafe = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return "".join("�" if unicodedata.category(c) in unsafe else c for c in symbol)


def _table(*headings: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place == 0 else "right", overflow="fold")
    return table


def _rounds(forecast: Forecast, language: Language, findings: Findings) -> Table:
    text, percent = language.text, language.percent
    table = _table(
        text("round"),
        text("{nouns} left", nouns=findings.nouns),
        text("simulated, 5 to 95%"),
        text("real data alone"),
        text("recursion costs"),
    )
    band = forecast.simulated_band()
    last = forecast.generations
    for k in sorted({*(mark for mark in _LANDMARKS if mark < last), last}):
        spread = f"{percent(band['low'][k])} – {percent(band['high'][k])}" if band else "–"
        baseline = float(forecast.law.baseline[k])
        left = float(forecast.law.surviving_fraction[k])
        cells = percent(left), spread, percent(baseline), language.difference(baseline - left)
        table.add_row(language.number(k), *cells)
    return table


def _at_risk(forecast: Forecast, language: Language) -> Table:
    from rich.text import Text

    text, number, percent = language.text, language.number, language.percent
    table = _table(
        text("first to go"),
        text("count"),
        text("chance after round {round}", round=number(forecast.generations)),
        text("real data alone"),
        text("lost by round (median)"),
    )
    for risk in forecast.most_at_risk[:_SYMBOLS_SHOWN]:
        median = "–" if risk.median_loss is None else number(risk.median_loss)
        cells = number(risk.count), percent(risk.survival), percent(risk.baseline), median
        table.add_row(Text(printable(risk.symbol)), *cells)
    return table


def _shares(forecast: Forecast, language: Language, findings: Findings) -> Table:
    table = _table(
        findings.fresh_heading(),
        language.text("left after round {round}", round=language.number(forecast.generations)),
    )
    for share, kept in zip(FRESH_SHARES, forecast.fresh_shares, strict=True):
        table.add_row(language.percent(share, digits=0), language.percent(kept))
    return table
