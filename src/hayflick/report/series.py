"""A forecast of numbers or running text: record, tables, charts, report and brief."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from hayflick.planning.forecast_result import FRESH_SHARES
from hayflick.planning.quantities import Band
from hayflick.planning.series_forecast import Series, SeriesForecast
from hayflick.report import drawing
from hayflick.report.base_forecast import fresh_shares_chart, fresh_shares_table, opening
from hayflick.report.language import Language
from hayflick.report.rendering import landmarks, notebook, render, shortened, shown_record, table
from hayflick.report.series_findings import SeriesFindings, series_findings

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

FORMAT_VERSION = 1
_MOST_MARKS = 11


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
    source, main, found = forecast.source, forecast.main, forecast.assurance
    return {
        "format_version": FORMAT_VERSION,
        "family": forecast.family,
        "input": source.name,
        "column": source.column,
        "tokenizer": source.tokenizer,
        "encoding": source.encoding,
        "items": forecast.model.total,
        "samples": forecast.samples,
        "dimensions": forecast.tracked.dimensions,
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
        "confidence": forecast.confidence,
        "within_limit": forecast.within,
        "runs_within_limit": forecast.runs_within,
        "runs_within_limit_error": None if found is None else found.standard_error,
        "runs_within_limit_assured": None if found is None else found.assured,
        "runs_within_limit_runs": 0 if found is None else found.runs,
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
    shown.title, shown.title_justify = shortened(findings.label(series.name)), "left"
    for k in landmarks(findings.forecast.generations):
        point = series.best.at(k)
        cells = [findings.value(quantity, point.middle)]
        cells += [findings.between(quantity, point)] if point.low is not None else []
        cells += [findings.value(quantity, beside.at(k).middle)] if beside is not None else []
        alone = findings.value(quantity, series.alone.middle)
        shown.add_row(findings.language.number(k), *cells, alone)
    return shown


def series_charts(findings: SeriesFindings) -> tuple[drawing.RenderedChart, ...]:
    """Return the charts of a forecast, in the order of the page."""
    first, *others = (series_chart(series, findings) for series in findings.forecast.series)
    return (first, fresh_shares_chart(findings), *others)


def series_chart(series: Series, findings: SeriesFindings) -> drawing.RenderedChart:
    """Return the chart of one of a forecast's quantities over the generations."""
    text, label = findings.language.text, findings.label(series.name)
    numbers = series.to_frame()
    return drawing.RenderedChart(
        name=series.name.replace("_", "-"),
        title=text("{quantity}, round by round", quantity=label[:1].upper() + label[1:]),
        caption=text(
            "The law where it is known, the simulated runs, and what one training on real data "
            "alone gives. Bands and bars reach from 5 to 95%."
        ),
        svg=drawing.to_svg(_layers(drawing.thinned(numbers), series, findings)),
        numbers=numbers,
    )


def _layers(numbers: pl.DataFrame, series: Series, findings: SeriesFindings) -> Any:
    import altair as alt

    text, forecast = findings.language.text, findings.forecast
    names = {"law": text("exact law"), "simulated": text("simulated")}
    real, limit = text("real data alone"), text("limit")
    shades = {"law": drawing.LAW, "simulated": drawing.SIMULATED}
    colours = {names[kind]: shades[kind] for kind in shades if kind in numbers.columns}
    colours[real] = drawing.REAL
    has_limit = series is forecast.main and not forecast.singular
    if has_limit:
        colours[limit] = drawing.LIMIT
    axis = alt.Axis(format="%") if series.quantity.is_share else alt.Axis(format="~g")
    encoding = {
        "x": alt.X("generation:Q", title=text("round"), axis=drawing.rounds_axis()),
        "y": alt.Y("value:Q", title=findings.label(series.name), axis=axis),
        "color": drawing.colour_legend(colours),
    }
    base = alt.Chart(width=drawing.WIDTH, height=drawing.HEIGHT)
    layers = [_line(base, numbers, "real_data_alone", real, encoding)]
    if has_limit:
        rule = pl.DataFrame({"value": [forecast.limit], "series": [limit]})
        dashes = base.properties(data=rule).mark_rule(strokeDash=[5, 4])
        layers.insert(0, dashes.encode(y=encoding["y"], color=encoding["color"]))
    # Beside a law the runs are a check, alone they are the answer.
    leading = "law" if series.law is not None else "simulated"
    layers = [*_area(base, numbers, leading, names, encoding), *layers]
    layers.append(_line(base, numbers, leading, names[leading], encoding))
    if series.law is not None and series.simulated is not None:
        layers += _marks(base, numbers, names["simulated"], encoding)
    return alt.layer(*layers)


def _line(base: Any, numbers: pl.DataFrame, column: str, label: str, encoding: Any) -> Any:
    line = numbers.select("generation", value=pl.col(column), series=pl.lit(label))
    return base.properties(data=line).mark_line(strokeWidth=2.5).encode(**encoding)


def _area(
    base: Any, numbers: pl.DataFrame, kind: str, names: dict[str, str], encoding: Any
) -> list[Any]:
    """Return the area between the quantiles, in a list that is empty without them."""
    if f"{kind}_low" not in numbers.columns:
        return []
    area = numbers.select(
        "generation",
        value=pl.col(f"{kind}_low"),
        high=pl.col(f"{kind}_high"),
        series=pl.lit(names[kind]),
    )
    return [base.properties(data=area).mark_area(opacity=0.2).encode(**encoding, y2="high:Q")]


def _marks(base: Any, numbers: pl.DataFrame, label: str, encoding: Any) -> list[Any]:
    """Return the simulated runs as a few dots, with bars between their quantiles."""
    step = -(-numbers.height // _MOST_MARKS)
    few = numbers.gather_every(step).with_columns(series=pl.lit(label))
    layers = []
    if "simulated_low" in few.columns:
        bars = few.rename({"simulated_low": "value", "simulated_high": "high"})
        layers.append(
            base.properties(data=bars).mark_rule(strokeWidth=1.5).encode(**encoding, y2="high:Q")
        )
    dots = base.properties(data=few.rename({"simulated": "value"})).mark_circle(size=60, opacity=1)
    return [*layers, dots.encode(**encoding)]


def page(forecast: SeriesForecast, *, lang: str = "en") -> str:
    """Return a forecast as one self-contained HTML page.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    findings = series_findings(forecast, Language(lang))
    return render(
        "series.html.jinja",
        "style.css",
        findings.language,
        sources=forecast.sources,
        forecast=forecast,
        findings=findings,
        charts=series_charts(findings),
        provenance=shown_record(forecast.provenance()),
    )


def brief(forecast: SeriesForecast, *, lang: str = "en") -> str:
    """Return a forecast as one printable A4 page for a meeting.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    findings = series_findings(forecast, Language(lang))
    return render(
        "brief.html.jinja",
        "brief.css",
        findings.language,
        sources=forecast.sources,
        forecast=forecast,
        findings=findings,
        chart=series_chart(forecast.main, findings),
    )


def fragment(forecast: SeriesForecast) -> str:
    """Return a forecast as a notebook shows it."""
    findings = series_findings(forecast, Language("en"))
    return notebook(
        findings.verdict(), findings.summary(), series_charts(findings), sources=forecast.sources
    )
