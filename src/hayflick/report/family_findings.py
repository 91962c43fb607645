"""Which sentences belong to which forecast."""

from __future__ import annotations

from hayflick.planning.series_forecast import SeriesForecast
from hayflick.report.chance_findings import ChanceFindings
from hayflick.report.language import Language
from hayflick.report.series_findings import SeriesFindings
from hayflick.report.spread_findings import SpreadFindings
from hayflick.report.text_findings import TextFindings

_OF_FAMILY: dict[str, type[SeriesFindings]] = {
    "gaussian": SpreadFindings,
    "multivariate-gaussian": SpreadFindings,
    "poisson": ChanceFindings,
    "ngram": TextFindings,
}


def series_findings(forecast: SeriesForecast, language: Language) -> SeriesFindings:
    """Return the sentences of a forecast of numbers or running text."""
    return _OF_FAMILY[forecast.family](forecast, language)
