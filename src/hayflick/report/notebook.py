"""A forecast as a notebook shows it: verdict, summary and charts, no page around them."""

from __future__ import annotations

from markupsafe import Markup

from hayflick.planning.forecast import Forecast
from hayflick.report.findings import Findings
from hayflick.report.forecast_charts import forecast_charts
from hayflick.report.language import Language


def forecast_html(forecast: Forecast) -> str:
    """Return a forecast as an HTML fragment."""
    language = Language("en")
    findings = Findings(forecast, language)
    parts = [Markup("<h3>{}</h3>").format(findings.verdict())]
    parts += [Markup("<p>{}</p>").format(sentence) for sentence in findings.summary()]
    for chart in forecast_charts(forecast, language):
        # The picture is our own drawing, its labels escaped by the renderer.
        parts.append(Markup("<h4>{}</h4>{}").format(chart.title, Markup(chart.svg)))
    return str(Markup("<div>{}</div>").format(Markup("").join(parts)))
