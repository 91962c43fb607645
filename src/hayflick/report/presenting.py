"""Any forecast as a record or as tables, each by the module of its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hayflick.planning.forecast_result import Forecast
from hayflick.planning.series_forecast import SeriesForecast
from hayflick.report.forecast_record import forecast_record
from hayflick.report.forecast_table import forecast_tables
from hayflick.report.series_record import series_record
from hayflick.report.series_table import series_tables

if TYPE_CHECKING:
    from rich.console import RenderableType


def record_of(forecast: Forecast | SeriesForecast) -> dict[str, Any]:
    """Return a forecast as a dictionary of plain values, ready for JSON."""
    if isinstance(forecast, SeriesForecast):
        return series_record(forecast)
    return forecast_record(forecast)


def tables_of(
    forecast: Forecast | SeriesForecast, *, lang: str = "en"
) -> tuple[RenderableType, ...]:
    """Return what the terminal shows of a forecast.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    if isinstance(forecast, SeriesForecast):
        return series_tables(forecast, lang=lang)
    return forecast_tables(forecast, lang=lang)
