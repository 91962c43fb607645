"""A forecast of numbers or running text as plain values, ready for JSON."""

from __future__ import annotations

from typing import Any

from hayflick.planning.forecast_result import FRESH_SHARES
from hayflick.planning.quantities import Band
from hayflick.planning.series_forecast import Series, SeriesForecast

FORMAT_VERSION = 1


def series_record(forecast: SeriesForecast) -> dict[str, Any]:
    """Return a forecast as a dictionary of plain values.

    The first of ``series`` decides: ``left``, ``low`` and ``high`` are its law where it is
    known, else the simulation. What is undefined is None. Lists begin with generation 0.

    Examples
    --------
    >>> from hayflick.chains.gaussian import Gaussian
    >>> from hayflick.planning.series_forecast import forecast_series
    >>> law = forecast_series(Gaussian(5.0, 2.0), samples=10, generations=3, replicates=0)
    >>> record = series_record(law)
    >>> record["quantity"], record["law"], record["simulated"]
    ('spread', 'exact', None)
    """
    source, main = forecast.source, forecast.main
    return {
        "format_version": FORMAT_VERSION,
        "family": forecast.family,
        "input": source.name,
        "column": source.column,
        "tokenizer": source.tokenizer,
        "encoding": source.encoding,
        "items": forecast.model.total,
        "samples": forecast.samples,
        "dimensions": forecast.subject.dimensions,
        "rank_collapses": forecast.singular,
        "regime": forecast.regime.describe(),
        "law": forecast.law_name,
        "generations": list(range(forecast.generations + 1)),
        "quantity": main.name,
        "left": _list(main.best.middle),
        "low": _list(main.best.low),
        "high": _list(main.best.high),
        "simulated": _simulated(main, forecast.runs),
        "baseline": forecast.baseline,
        "limit": None if forecast.singular else forecast.limit,
        "first_below_limit": forecast.first_below,
        "runs_below_limit": forecast.runs_below,
        "fresh_shares": [
            {"share": share, "left": left}
            for share, left in zip(FRESH_SHARES, forecast.fresh_shares, strict=True)
        ],
        "fresh_shares_law": "exact" if forecast.shares_by_law else "simulation",
        "series": [_series(series, forecast.runs) for series in forecast.series],
        "interrupted": forecast.interrupted,
        "provenance": forecast.provenance(),
    }


def _series(series: Series, runs: int) -> dict[str, Any]:
    return {
        "quantity": series.name,
        "law": None if series.law is None else _band(series.law),
        "simulated": _simulated(series, runs),
        "real_data_alone": series.alone._asdict(),
    }


def _simulated(series: Series, runs: int) -> dict[str, Any] | None:
    return None if series.simulated is None else {"replicates": runs, **_band(series.simulated)}


def _band(band: Band) -> dict[str, Any]:
    return {"middle": _list(band.middle), "low": _list(band.low), "high": _list(band.high)}


def _list(values: Any) -> list[float] | None:
    return None if values is None else values.tolist()
