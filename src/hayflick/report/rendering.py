"""Templates to pages: one environment, with the filters that pages need."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from hayflick.core.version import __version__
from hayflick.planning.forecast import Forecast
from hayflick.report.charts import drawing
from hayflick.report.charts.surviving import surviving_chart
from hayflick.report.findings import Findings
from hayflick.report.forecast_charts import forecast_charts
from hayflick.report.glossary import forecast_glossary
from hayflick.report.language import Language

_ROWS_SHOWN = 200
_MOST_ROUNDS = 1e6
_LONGEST_NAME = 80


def forecast_page(forecast: Forecast, *, lang: str = "en") -> str:
    """Return a forecast as one self-contained HTML page.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    return _render(
        "forecast.html.jinja",
        "style.css",
        language,
        forecast=forecast,
        findings=Findings(forecast, language),
        charts=forecast_charts(forecast, language),
        glossary=forecast_glossary(language),
        provenance=json.dumps(forecast.provenance(), indent=2, ensure_ascii=False),
    )


def brief_page(forecast: Forecast, *, lang: str = "en") -> str:
    """Return a forecast as one printable A4 page for a meeting.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    return _render(
        "brief.html.jinja",
        "brief.css",
        language,
        forecast=forecast,
        findings=Findings(forecast, language),
        chart=surviving_chart(forecast, language),
    )


def _render(template: str, style: str, language: Language, **values: Any) -> str:
    loader = PackageLoader("hayflick.report")
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters.update(
        csv_link=csv_link,
        html_table=html_table,
        rounds=lambda expected: _rounds(expected, language),
        shortened=shortened,
    )
    page: str = environment.get_template(template).render(
        **values,
        language=language,
        text=language.text,
        number=language.number,
        percent=language.percent,
        style=Markup(loader.get_source(environment, style)[0]),
        version=__version__,
    )
    return page


def csv_link(numbers: pl.DataFrame) -> str:
    """Return a table as a link to itself; the byte-order mark tells Excel that it is UTF-8."""
    text = "\ufeff" + numbers.write_csv(None)
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(text.encode()).decode()


def html_table(numbers: pl.DataFrame) -> Markup:
    """Return a table of about 200 rows at most, evenly spread, names to the left."""
    shown = drawing.thinned(numbers, most=_ROWS_SHOWN)
    classes = [' class="name"' if kind == pl.String else "" for kind in numbers.dtypes]
    head = "".join(
        f"<th{name}>{escape(column)}</th>"
        for name, column in zip(classes, numbers.columns, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(f"<td{name}>{_cell(cell)}</td>" for name, cell in zip(classes, row, strict=True))
        + "</tr>"
        for row in shown.iter_rows()
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return Markup(f'<div class="scroll">{table}</div>')


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else "–"
    return str(escape(value))


def _rounds(expected: float, language: Language) -> str:
    if expected > _MOST_ROUNDS:
        return f">{language.number(_MOST_ROUNDS)}"
    return language.number(expected)


def shortened(name: str) -> str:
    """Return a name of at most 80 characters, cut in the middle.

    Examples
    --------
    >>> len(shortened("x" * 1000))
    80
    """
    if len(name) <= _LONGEST_NAME:
        return name
    half = _LONGEST_NAME // 2
    return f"{name[:half]}…{name[-(half - 1) :]}"
