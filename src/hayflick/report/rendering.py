"""Templates to pages: the environment of Jinja, its filters, and what pages share."""

from __future__ import annotations

import base64
import json
import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hayflick.core.version import __version__
from hayflick.report import drawing
from hayflick.report.language import Language

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from hayflick.report.drawing import RenderedChart


_LANDMARKS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


def table(*headings: str) -> Table:
    """Return an empty table; the first column is for names, the others are for numbers."""
    from rich import box
    from rich.table import Table

    empty = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, heading in enumerate(headings):
        empty.add_column(heading, justify="left" if place == 0 else "right", overflow="fold")
    return empty


def landmarks(last: int) -> list[int]:
    """Return the generations of a short table, including 0 and the last.

    Examples
    --------
    >>> landmarks(7)
    [0, 1, 2, 5, 7]
    """
    return sorted({*(mark for mark in _LANDMARKS if mark < last), last})


def significant(value: float) -> str:
    """Return a number with four significant digits, or rounded to a whole number from 1000 on.

    Examples
    --------
    >>> significant(0.123456), significant(12345.6)
    ('0.1235', '12,346')
    """
    return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:.4g}"


def printable(symbol: str) -> str:
    r"""Return a symbol with control characters replaced, which would affect the terminal.

    Examples
    --------
    >>> printable("a\x1b[31mb\nc")
    'a�[31mb�c'
    """
    unsafe = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return "".join("�" if unicodedata.category(c) in unsafe else c for c in symbol)


_ROWS_SHOWN = 200
_MOST_ROUNDS = 1e6
_LONGEST_NAME = 80


@cache
def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=PackageLoader("hayflick.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters.update(
        csv_link=csv_link,
        html_table=lambda numbers: html_table(
            numbers, wording("columns.jinja", "columns", language)
        ),
        is_thinned=lambda numbers: numbers.height > _ROWS_SHOWN,
        rounds=lambda expected: _rounds(expected, language),
        shortened=shortened,
    )
    environment.globals.update(
        language=language,
        text=language.text,
        number=language.number,
        percent=language.percent,
        printable=printable,
        significant=significant,
        version=__version__,
    )
    return environment


def render(template: str, style: str, language: Language, **values: Any) -> str:
    """Return a template rendered to a page, with its stylesheet."""
    environment = _environment(language)
    assert environment.loader is not None
    css = Markup(environment.loader.get_source(environment, style)[0])
    page: str = environment.get_template(template).render(**values, style=css)
    return page


@cache
def wording(template: str, name: str, language: Language) -> Mapping[str, Any]:
    """Return the texts that a template sets under a name, in the reader's language.

    Examples
    --------
    >>> wording("columns.jinja", "columns", Language("en"))["generation"]
    'round'
    """
    texts: Mapping[str, Any] = getattr(_environment(language).get_template(template).module, name)
    return texts


def sentences(template: str, name: str, language: Language, **values: Any) -> list[str]:
    """Return what a macro of a template says, one sentence a line, as plain text."""
    macro = getattr(_environment(language).get_template(template).module, name)
    return [line.strip() for line in str(macro(**values)).split("\n") if line.strip()]


def tables_page(
    title: str,
    parts: Iterable[RenderableType],
    language: Language,
    *,
    charts: Sequence[RenderedChart] = (),
    provenance: Mapping[str, Any],
) -> str:
    """Return a page of what the terminal shows: sentences and tables, then charts."""
    return render(
        "tables.html.jinja",
        "style.css",
        language,
        title=title,
        parts=[_html_part(part) for part in parts],
        charts=charts,
        provenance=json.dumps(provenance, indent=2, ensure_ascii=False),
    )


def notebook(heading: str, sentences: Iterable[str], charts: Iterable[RenderedChart] = ()) -> str:
    """Return what a notebook shows of a result: its verdict, its summary and its charts."""
    shown = [Markup("<h3>{}</h3>").format(heading)]
    shown += [Markup("<p>{}</p>").format(sentence) for sentence in sentences]
    for chart in charts:
        # The picture is our own drawing, its labels escaped by the renderer.
        shown.append(Markup("<h4>{}</h4>{}").format(chart.title, Markup(chart.svg)))
    return str(Markup("<div>{}</div>").format(Markup("").join(shown)))


def _html_part(part: RenderableType) -> Markup:
    """Return a sentence or a table of the terminal as HTML."""
    from rich.table import Table

    if not isinstance(part, Table):
        return Markup("<p>{}</p>").format(str(part))
    classes = ["name" if column.justify == "left" else "" for column in part.columns]
    head = _row("th", classes, [str(column.header) for column in part.columns])
    rows = zip(*([str(cell) for cell in column.cells] for column in part.columns), strict=True)
    body = Markup("").join(_row("td", classes, row) for row in rows)
    whole = Markup("<table><thead>{}</thead><tbody>{}</tbody></table>").format(head, body)
    return Markup('<div class="scroll whole">{}</div>').format(whole)


def csv_link(numbers: pl.DataFrame) -> str:
    """Return a table as a link to itself; the byte-order mark tells Excel that it is UTF-8."""
    text = "\ufeff" + numbers.write_csv(None)
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(text.encode()).decode()


def html_table(numbers: pl.DataFrame, labels: Mapping[str, str]) -> Markup:
    """Return a table of about 200 rows at most, evenly spread, under translated headings."""
    shown = drawing.thinned(numbers, most=_ROWS_SHOWN)
    classes = ["name" if kind == pl.String else "" for kind in numbers.dtypes]
    headings = [labels[column] for column in numbers.columns]
    rows = [_row("td", classes, map(_cell, row)) for row in shown.iter_rows()]
    head = _row("th", classes, headings)
    table = Markup("<table><thead>{}</thead><tbody>{}</tbody></table>")
    whole = table.format(head, Markup("").join(rows))
    return Markup('<div class="scroll">{}</div>').format(whole)


def _row(tag: str, classes: Sequence[str], cells: Iterable[str]) -> Markup:
    cell = Markup(f'<{tag} class="{{}}">{{}}</{tag}>')
    return Markup("<tr>{}</tr>").format(
        Markup("").join(cell.format(*pair) for pair in zip(classes, cells, strict=True))
    )


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else "–"
    return str(value)


def _rounds(expected: float | None, language: Language) -> str:
    if expected is None:
        return "–"
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
