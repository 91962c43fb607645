"""A forecast as a notebook shows it: verdict, summary and charts, no page around them."""

from __future__ import annotations

from markupsafe import Markup

from hayflick.planning.forecast_result import Forecast
from hayflick.planning.series_forecast import SeriesForecast
from hayflick.report.language import Language
from hayflick.report.parts import parts_of


def forecast_html(forecast: Forecast | SeriesForecast) -> str:
    """Return a forecast as an HTML fragment."""
    parts = parts_of(forecast, Language("en"))
    shown = [Markup("<h3>{}</h3>").format(parts.findings.verdict())]
    shown += [Markup("<p>{}</p>").format(sentence) for sentence in parts.findings.summary()]
    for chart in parts.charts():
        # The picture is our own drawing, its labels escaped by the renderer.
        shown.append(Markup("<h4>{}</h4>{}").format(chart.title, Markup(chart.svg)))
    return str(Markup("<div>{}</div>").format(Markup("").join(shown)))
