"""The report and the brief of any forecast."""

from __future__ import annotations

import json

from hayflick.planning.forecast_result import Forecast
from hayflick.planning.series_forecast import SeriesForecast
from hayflick.report.language import Language
from hayflick.report.parts import Parts, parts_of
from hayflick.report.rendering import render


def forecast_page(forecast: Forecast | SeriesForecast, *, lang: str = "en") -> str:
    """Return a forecast as one self-contained HTML page.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    parts: Parts = parts_of(forecast, language)
    discrete = isinstance(forecast, Forecast)
    return render(
        "forecast.html.jinja" if discrete else "outlook.html.jinja",
        "style.css",
        language,
        forecast=forecast,
        findings=parts.findings,
        charts=parts.charts(),
        glossary=parts.glossary(),
        provenance=json.dumps(forecast.provenance(), indent=2, ensure_ascii=False),
    )


def brief_page(forecast: Forecast | SeriesForecast, *, lang: str = "en") -> str:
    """Return a forecast as one printable A4 page for a meeting.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    parts = parts_of(forecast, language)
    return render(
        "brief.html.jinja",
        "brief.css",
        language,
        forecast=forecast,
        findings=parts.findings,
        chart=parts.leading_chart(),
    )
