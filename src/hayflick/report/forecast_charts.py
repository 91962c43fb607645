"""Which charts a forecast has, in the order of the page."""

from __future__ import annotations

from hayflick.planning.forecast_result import Forecast
from hayflick.report.charts.by_count import by_count_chart
from hayflick.report.charts.by_label import by_label_chart
from hayflick.report.charts.drawing import RenderedChart
from hayflick.report.charts.fresh_shares import fresh_shares_chart
from hayflick.report.charts.rank_frequency import rank_frequency_chart
from hayflick.report.charts.surviving import surviving_chart
from hayflick.report.findings import Findings
from hayflick.report.language import Language


def forecast_charts(forecast: Forecast, language: Language) -> tuple[RenderedChart, ...]:
    """Return the charts of a forecast."""
    charts = [surviving_chart(forecast, language), by_count_chart(forecast, language)]
    # Labels are few and have names that mean something to the reader.
    if forecast.model.source.holds_labels:
        charts.insert(1, by_label_chart(forecast, language))
    if forecast.simulated is not None:
        charts.append(rank_frequency_chart(forecast, forecast.simulated, language))
    charts.append(fresh_shares_chart(forecast, Findings(forecast, language)))
    return tuple(charts)
