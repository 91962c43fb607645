"""A forecast of numbers or running text: record, tables, report and brief."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hayflick.planning.forecast_result import FRESH_SHARES
from hayflick.planning.quantities import Band
from hayflick.planning.series_forecast import Series, SeriesForecast
from hayflick.report.charts.series import series_chart
from hayflick.report.family_findings import series_findings
from hayflick.report.language import Language
from hayflick.report.outlook_table import fresh_shares_table, opening
from hayflick.report.rendering import notebook, render
from hayflick.report.series_charts import series_charts
from hayflick.report.series_findings import SeriesFindings
from hayflick.report.series_glossary import series_glossary
from hayflick.report.tables import landmarks, table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

FORMAT_VERSION = 1


def record(forecast: SeriesForecast) -> dict[str, Any]:
    """Return a forecast as a dictionary of plain values.

    The first of ``series`` decides: ``left``, ``low`` and ``high`` are its law where it is
    known, else the simulation. What is undefined is None. Lists begin with generation 0.

    Examples
    --------
    >>> import hayflick as hf
    >>> numbers = hf.Gaussian(5.0, 2.0, total=10)
    >>> values = record(hf.forecast(numbers, generations=3, replicates=0))
    >>> values["quantity"], values["law"], values["simulated"]
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


def tables(forecast: SeriesForecast, *, lang: str = "en") -> tuple[RenderableType, ...]:
    """Return what the terminal shows: the verdict, the rounds, what helps.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    findings = series_findings(forecast, Language(lang))
    rounds = (_rounds_table(series, findings) for series in forecast.series)
    return (*opening(findings), *rounds, fresh_shares_table(findings), findings.method())


def _rounds_table(series: Series, findings: SeriesFindings) -> Table:
    text, quantity = findings.language.text, series.quantity
    beside = series.simulated if series.law is not None else None
    headings = [text("by the law") if series.law is not None else text("simulated")]
    headings += [text("5 to 95%")] if series.best.low is not None else []
    headings += [text("simulated")] if beside is not None else []
    shown = table(text("round"), *headings, text("real data alone"))
    shown.title, shown.title_justify = findings.label(series.name), "left"
    for k in landmarks(findings.forecast.generations):
        point = series.best.at(k)
        cells = [findings.value(quantity, point.middle)]
        cells += [findings.between(quantity, point)] if point.low is not None else []
        cells += [findings.value(quantity, beside.at(k).middle)] if beside is not None else []
        alone = findings.value(quantity, series.alone.middle)
        shown.add_row(findings.language.number(k), *cells, alone)
    return shown


def page(forecast: SeriesForecast, *, lang: str = "en") -> str:
    """Return a forecast as one self-contained HTML page.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    findings = series_findings(forecast, language)
    return render(
        "outlook.html.jinja",
        "style.css",
        language,
        forecast=forecast,
        findings=findings,
        charts=series_charts(forecast, findings),
        glossary=series_glossary(findings),
        provenance=json.dumps(forecast.provenance(), indent=2, ensure_ascii=False),
    )


def brief(forecast: SeriesForecast, *, lang: str = "en") -> str:
    """Return a forecast as one printable A4 page for a meeting.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    findings = series_findings(forecast, language)
    return render(
        "brief.html.jinja",
        "brief.css",
        language,
        forecast=forecast,
        findings=findings,
        chart=series_chart(forecast.main, findings),
    )


def fragment(forecast: SeriesForecast) -> str:
    """Return a forecast as a notebook shows it."""
    findings = series_findings(forecast, Language("en"))
    return notebook(findings.verdict(), findings.summary(), series_charts(forecast, findings))
