"""A forecast of words or labels: record, tables, report and brief."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from hayflick.planning.forecast_result import FRESH_SHARES, AtRisk, Forecast
from hayflick.report.base_forecast import fresh_shares_table, opening
from hayflick.report.forecast_charts import forecast_charts, surviving_chart
from hayflick.report.forecast_findings import DiscreteFindings
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, render
from hayflick.report.tables import landmarks, printable, table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

FORMAT_VERSION = 1
_SYMBOLS_SHOWN = 5


def record(forecast: Forecast) -> dict[str, Any]:
    """Return a forecast as a dictionary of plain values.

    What is undefined or infinite is None. Lists named by a generation begin with 0.

    Examples
    --------
    >>> import hayflick as hf
    >>> words = hf.Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> numbers = record(hf.forecast(words, generations=3, replicates=0))
    >>> numbers["law"], numbers["generations"], numbers["simulated"]
    ('exact', [0, 1, 2, 3], None)
    """
    model, source = forecast.model, forecast.source
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
    if band is None:
        return None
    lists = {name: [_finite(value) for value in values.tolist()] for name, values in band.items()}
    return {"replicates": forecast.runs, **lists}


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


def tables(forecast: Forecast, *, lang: str = "en") -> tuple[RenderableType, ...]:
    """Return what the terminal shows: the verdict, the rounds, what goes first, what helps.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    findings = DiscreteFindings(forecast, language)
    risks = (_risks_table(forecast, language),) if forecast.most_at_risk else ()
    return (
        *opening(findings),
        _rounds_table(forecast, findings),
        *risks,
        fresh_shares_table(findings),
        findings.method(),
    )


def _rounds_table(forecast: Forecast, findings: DiscreteFindings) -> Table:
    language = findings.language
    text, percent = language.text, language.percent
    shown = table(
        text("round"),
        text("{nouns} left", nouns=findings.nouns),
        text("simulated, 5 to 95%"),
        text("real data alone"),
        text("recursion costs"),
    )
    band = forecast.simulated_band()
    for k in landmarks(forecast.generations):
        spread = f"{percent(band['low'][k])} – {percent(band['high'][k])}" if band else "–"
        baseline = float(forecast.law.baseline[k])
        left = float(forecast.law.surviving_fraction[k])
        cells = percent(left), spread, percent(baseline), language.difference(baseline - left)
        shown.add_row(language.number(k), *cells)
    return shown


def _risks_table(forecast: Forecast, language: Language) -> Table:
    from rich.text import Text

    text, number, percent = language.text, language.number, language.percent
    shown = table(
        text("first to go"),
        text("count"),
        text("chance after round {round}", round=number(forecast.generations)),
        text("real data alone"),
        text("lost by round (median)"),
    )
    for risk in forecast.most_at_risk[:_SYMBOLS_SHOWN]:
        median = "–" if risk.median_loss is None else number(risk.median_loss)
        cells = number(risk.count), percent(risk.survival), percent(risk.baseline), median
        shown.add_row(Text(printable(risk.symbol)), *cells)
    return shown


def page(forecast: Forecast, *, lang: str = "en") -> str:
    """Return a forecast as one self-contained HTML page.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    findings = DiscreteFindings(forecast, Language(lang))
    return render(
        "forecast.html.jinja",
        "style.css",
        findings.language,
        forecast=forecast,
        findings=findings,
        charts=forecast_charts(findings),
        provenance=json.dumps(forecast.provenance(), indent=2, ensure_ascii=False),
    )


def brief(forecast: Forecast, *, lang: str = "en") -> str:
    """Return a forecast as one printable A4 page for a meeting.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    findings = DiscreteFindings(forecast, Language(lang))
    return render(
        "brief.html.jinja",
        "brief.css",
        findings.language,
        forecast=forecast,
        findings=findings,
        chart=surviving_chart(findings),
    )


def fragment(forecast: Forecast) -> str:
    """Return a forecast as a notebook shows it."""
    findings = DiscreteFindings(forecast, Language("en"))
    return notebook(findings.verdict(), findings.summary(), forecast_charts(findings))
