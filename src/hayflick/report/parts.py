"""The parts that pages and notebooks are put together from, for every kind of forecast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hayflick.planning.forecast_result import Forecast
from hayflick.planning.series_forecast import SeriesForecast
from hayflick.report.charts.drawing import RenderedChart
from hayflick.report.charts.series import series_chart
from hayflick.report.charts.surviving import surviving_chart
from hayflick.report.family_findings import series_findings
from hayflick.report.findings import Findings
from hayflick.report.forecast_charts import forecast_charts
from hayflick.report.glossary import forecast_glossary
from hayflick.report.language import Language
from hayflick.report.outlook_findings import OutlookFindings
from hayflick.report.series_charts import series_charts
from hayflick.report.series_glossary import series_glossary


@dataclass(frozen=True)
class Parts:
    """What a forecast says, draws and explains; drawn only when asked for.

    Parameters
    ----------
    findings
        Its sentences.
    charts, leading_chart
        Make all charts, and the first one alone.
    glossary
        Makes the terms and their meanings.
    """

    findings: OutlookFindings
    charts: Callable[[], tuple[RenderedChart, ...]]
    leading_chart: Callable[[], RenderedChart]
    glossary: Callable[[], tuple[tuple[str, str], ...]]


def parts_of(forecast: Forecast | SeriesForecast, language: Language) -> Parts:
    """Return the parts of a forecast's pages, in one language."""
    if isinstance(forecast, SeriesForecast):
        findings = series_findings(forecast, language)
        return Parts(
            findings,
            charts=lambda: series_charts(forecast, findings),
            leading_chart=lambda: series_chart(forecast.main, findings),
            glossary=lambda: series_glossary(findings),
        )
    return Parts(
        Findings(forecast, language),
        charts=lambda: forecast_charts(forecast, language),
        leading_chart=lambda: surviving_chart(forecast, language),
        glossary=lambda: forecast_glossary(language),
    )
