"""A forecast as plain values, ready for JSON."""

from __future__ import annotations

import math
from typing import Any

from hayflick.planning.forecast_result import FRESH_SHARES, AtRisk, Forecast

FORMAT_VERSION = 1


def forecast_record(forecast: Forecast) -> dict[str, Any]:
    """Return a forecast as a dictionary of plain values.

    What is undefined or infinite is None. Lists named by a generation begin with 0.

    Examples
    --------
    >>> from hayflick.chains.discrete import Discrete
    >>> from hayflick.planning.forecast import forecast_law
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> record = forecast_record(forecast_law(words, generations=3, replicates=0))
    >>> record["law"], record["generations"], record["simulated"]
    ('exact', [0, 1, 2, 3], None)
    """
    model, source = forecast.model, forecast.model.source
    return {
        "format_version": FORMAT_VERSION,
        "input": source.name,
        "tokenizer": source.tokenizer,
        "column": source.column,
        "encoding": source.encoding,
        "missing": source.missing,
        "delta": model.smoothing.delta,
        "tokens": model.total,
        "types": model.types,
        "samples": forecast.samples,
        "regime": forecast.regime.describe(),
        "law": forecast.law.name,
        "law_error": forecast.law.error,
        "generations": list(range(forecast.generations + 1)),
        "surviving_fraction": forecast.law.surviving_fraction.tolist(),
        "real_data_alone": forecast.law.baseline.tolist(),
        "excess_loss": forecast.law.excess_loss.tolist(),
        "simulated": _simulated(forecast),
        "diversity": forecast.diversity.expected.tolist(),
        "diversity_half_life": forecast.diversity.half_life,
        "limit": forecast.limit,
        "first_below_limit": forecast.first_below,
        "runs_below_limit": forecast.runs_below,
        "fresh_shares": [
            {"share": share, "surviving_fraction": kept}
            for share, kept in zip(FRESH_SHARES, forecast.fresh_shares, strict=True)
        ],
        "most_at_risk": [_at_risk(risk) for risk in forecast.most_at_risk],
        "interrupted": forecast.interrupted,
        "provenance": forecast.provenance(),
    }


def _simulated(forecast: Forecast) -> dict[str, Any] | None:
    band = forecast.simulated_band()
    if band is None or forecast.simulated is None:
        return None
    lists = {name: [_finite(value) for value in values.tolist()] for name, values in band.items()}
    return {"replicates": forecast.simulated.sizes["replicate"], **lists}


def _at_risk(risk: AtRisk) -> dict[str, Any]:
    return {
        "symbol": risk.symbol,
        "count": risk.count,
        "survival": risk.survival,
        "real_data_alone": risk.baseline,
        "median_loss_round": risk.median_loss,
        "mean_loss_round": None if risk.mean_loss is None else _finite(risk.mean_loss),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
