"""Which charts a forecast of numbers or running text has, in the order of the page."""

from __future__ import annotations

from hayflick.planning.series_forecast import SeriesForecast
from hayflick.report.charts.drawing import RenderedChart
from hayflick.report.charts.fresh_shares import fresh_shares_chart
from hayflick.report.charts.series import series_chart
from hayflick.report.series_findings import SeriesFindings


def series_charts(forecast: SeriesForecast, findings: SeriesFindings) -> tuple[RenderedChart, ...]:
    """Return the charts of a forecast."""
    charts = [series_chart(series, findings) for series in forecast.series]
    return (charts[0], fresh_shares_chart(forecast, findings), *charts[1:])
