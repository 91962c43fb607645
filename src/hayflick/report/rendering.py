"""Templates to pages: the environment of Jinja, its filters, and what pages share.

Whatever a template, a table or a fragment shows passes through `display_text` on its way.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

import polars as pl
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from typing_extensions import override

from hayflick.core.command_line import command_line
from hayflick.core.display_text import LONGEST_NAME, LONGEST_TEXT, LONGEST_VALUE, display_text
from hayflick.core.reproducibility import time_of_writing
from hayflick.core.source import Source
from hayflick.core.spreadsheets import guarded, is_formula
from hayflick.core.version import __version__
from hayflick.report import drawing
from hayflick.report.inputs import fit_lines, input_lines, input_name, input_rows
from hayflick.report.language import Language

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from hayflick.report.drawing import RenderedChart


_LANDMARKS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


def table(*headings: str) -> Table:
    """Return an empty table; the first column is for names, the others are for numbers.

    Its cells are shown as `display_text` returns them.
    """
    from rich import box
    from rich.table import Table

    class DisplayTable(Table):
        @override
        def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
            super().add_row(*itertools.starmap(_table_cell, enumerate(cells)), **options)

    empty = DisplayTable(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, heading in enumerate(headings):
        justify: Literal["left", "right"] = "left" if place == 0 else "right"
        empty.add_column(display_text(heading), justify=justify, overflow="fold")
    return empty


def _table_cell(place: int, cell: RenderableType | None) -> RenderableType | None:
    if not isinstance(cell, str):
        return cell
    return display_text(cell) if place == 0 else display_text(cell, longest=LONGEST_VALUE)


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


_ROWS_SHOWN = 200
_MOST_ROUNDS = 1e6
_LONGEST_FILE_NAME = 60


@cache
def template_environment(language: Language, *packages: str) -> Environment:
    """Return what templates are rendered in: those of reports, and of further packages."""
    places = [PackageLoader(package) for package in (*packages, "hayflick.report")]
    environment = Environment(
        loader=ChoiceLoader(places),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters.update(
        csv_link=csv_link,
        file_name=file_name,
        html_table=lambda numbers: html_table(
            numbers, wording("columns.jinja", "columns", language)
        ),
        is_thinned=lambda numbers: numbers.height > _ROWS_SHOWN,
        options=_with_options,
        rounds=lambda expected: _rounds(expected, language),
        shortened=shortened,
    )
    environment.globals.update(
        language=language,
        text=language.text,
        number=language.number,
        percent=language.percent,
        significant=significant,
        version=__version__,
        dark_colours=drawing.DARK,
    )
    return environment


def _shown(value: object) -> object:
    """Return what a template shows of a value; markup of our own is left alone."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return display_text(value, longest=LONGEST_TEXT)
    return value


_OPTION = re.compile(r"--[a-z]+ [a-z][a-z-]*")


def _with_options(sentence: str) -> Markup:
    """Return a sentence in which options of the command line are marked as code."""
    shown = str(escape(display_text(sentence, longest=LONGEST_TEXT)))
    return Markup(_OPTION.sub(r"<code>\g<0></code>", shown))


def render(
    template: str, style: str, language: Language, *, sources: Sequence[Source], **values: Any
) -> str:
    """Return a template rendered to a page, with its stylesheet and what was read.

    The page's policy lets it load and run nothing, and apply no style but its own.
    """
    environment = template_environment(language)
    page: str = environment.get_template(template).render(
        **values,
        style=Markup(_style_sheet(style) + drawing.dark_style()),
        inputs=[(input_name(one, language), input_rows(one, language)) for one in sources],
        input_lines=input_lines(sources, language),
        fit_lines=fit_lines(sources, language),
        command=command_line(),
        written=time_of_writing(),
    )
    return _STYLE.sub(_with_policy, page, count=1)


@cache
def _style_sheet(name: str) -> str:
    return (files("hayflick.report") / "templates" / name).read_text(encoding="utf-8")


_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def _with_policy(style: re.Match[str]) -> str:
    """Return the first style element of a page behind the policy that names it by its hash."""
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )
    return f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n{style[0]}'


@cache
def wording(template: str, name: str, language: Language) -> Mapping[str, Any]:
    """Return the texts that a template sets under a name, in the reader's language.

    Examples
    --------
    >>> wording("columns.jinja", "columns", Language("en"))["generation"]
    'round'
    """
    texts: Mapping[str, Any] = getattr(
        template_environment(language).get_template(template).module, name
    )
    return texts


def sentences(template: str, name: str, language: Language, **values: Any) -> list[str]:
    """Return what a macro of a template says, one sentence a line, as plain text."""
    macro = getattr(template_environment(language).get_template(template).module, name)
    return [line.strip() for line in str(macro(**values)).split("\n") if line.strip()]


def tables_page(
    title: str,
    parts: Iterable[RenderableType],
    language: Language,
    *,
    charts: Sequence[RenderedChart] = (),
    sources: Sequence[Source],
    provenance: Mapping[str, Any],
) -> str:
    """Return a page of what the terminal shows: sentences and tables, then charts."""
    return render(
        "tables.html.jinja",
        "style.css",
        language,
        sources=sources,
        title=title,
        parts=[_html_part(part) for part in parts],
        charts=charts,
        provenance=shown_record(provenance),
    )


def shown_record(record: object) -> Markup:
    """Return a record as JSON for a page, long texts cut."""
    return escape(json.dumps(_record_shown(record), indent=2, ensure_ascii=False, default=str))


def _record_shown(value: object) -> object:
    if isinstance(value, str):
        return display_text(value, longest=LONGEST_TEXT)
    if isinstance(value, Mapping):
        return {_record_shown(str(key)): _record_shown(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_record_shown(one) for one in value]
    return value


def notebook(
    heading: str,
    sentences: Iterable[str],
    charts: Iterable[RenderedChart] = (),
    *,
    sources: Sequence[Source],
) -> str:
    """Return what a notebook shows of a result: its verdict, summary, charts and inputs."""
    shown = [Markup("<h3>{}</h3>").format(_shown(heading))]
    shown += [
        Markup("<p><b>{}</b> {}</p>").format(_shown(line.meaning), _shown(line.remedy))
        for line in fit_lines(sources, Language("en"))
    ]
    shown += [Markup("<p>{}</p>").format(_shown(sentence)) for sentence in sentences]
    for chart in charts:
        # The picture is our own drawing, its labels escaped by the renderer.
        shown.append(Markup("<h4>{}</h4>{}").format(_shown(chart.title), Markup(chart.svg)))
    lines = input_lines(sources, Language("en"))
    shown += [Markup("<p><small>{}</small></p>").format(_shown(line)) for line in lines]
    content = Markup("").join(shown)
    style = _style_sheet("fragment.css") + drawing.scheme_style(".hayflick ", pictures=content)
    return f'<div class="hayflick"><style>{style}</style>{content}</div>'


def _html_part(part: RenderableType) -> Markup:
    """Return a sentence or a table of the terminal as HTML."""
    from rich.table import Table

    if not isinstance(part, Table):
        return Markup("<p>{}</p>").format(_shown(str(part)))
    classes = ["name" if column.justify == "left" else "" for column in part.columns]
    head = _row("th", classes, [str(column.header) for column in part.columns])
    rows = zip(*([str(cell) for cell in column.cells] for column in part.columns), strict=True)
    body = Markup("").join(_row("td", classes, row) for row in rows)
    whole = Markup("<table><thead>{}</thead><tbody>{}</tbody></table>").format(head, body)
    return Markup('<div class="scroll whole" tabindex="0">{}</div>').format(whole)


def csv_link(numbers: pl.DataFrame) -> Markup:
    """Return a table as a link to itself, as `csv_text` writes it."""
    encoded = base64.b64encode(csv_text(numbers).encode()).decode()
    return Markup("data:text/csv;charset=utf-8;base64,") + encoded


def csv_text(numbers: pl.DataFrame) -> str:
    """Return a table as CSV; the byte-order mark tells Excel that it is UTF-8.

    No text in it is taken for a formula.
    """
    texts = pl.col(pl.String).map_elements(_csv_cell, return_dtype=pl.String)
    named = numbers.with_columns(texts).rename({name: _csv_cell(name) for name in numbers.columns})
    return "\ufeff" + named.write_csv(None)


def _csv_cell(cell: str) -> str:
    shown = display_text(cell, longest=LONGEST_TEXT, isolated=False)
    return f"'{shown}" if is_formula(cell) else guarded(shown)


def html_table(numbers: pl.DataFrame, labels: Mapping[str, str]) -> Markup:
    """Return a table of about 200 rows at most, evenly spread, under translated headings."""
    shown = drawing.thinned(numbers, most=_ROWS_SHOWN)
    classes = ["name" if kind == pl.String else "" for kind in numbers.dtypes]
    # Columns that a reader has named, such as the key of a file, stand as they are.
    headings = [labels.get(column, column) for column in numbers.columns]
    rows = [_row("td", classes, map(_cell, row)) for row in shown.iter_rows()]
    head = _row("th", classes, headings)
    table = Markup("<table><thead>{}</thead><tbody>{}</tbody></table>")
    whole = table.format(head, Markup("").join(rows))
    return Markup('<div class="scroll" tabindex="0">{}</div>').format(whole)


def _row(tag: str, classes: Sequence[str], cells: Iterable[str]) -> Markup:
    # A heading that says nothing is a cell.
    return Markup("<tr>{}</tr>").format(
        Markup("").join(
            Markup('<{0} class="{1}">{2}</{0}>').format(tag if cell else "td", name, cell)
            for name, cell in zip(classes, cells, strict=True)
        )
    )


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else "–"
    return display_text(str(value))


def _rounds(expected: float | None, language: Language) -> str:
    if expected is None:
        return "–"
    if expected > _MOST_ROUNDS:
        return f">{language.number(_MOST_ROUNDS)}"
    return language.number(expected)


def shortened(name: str) -> str:
    """Return a name as it is shown, of at most 80 characters, cut in the middle.

    Examples
    --------
    >>> len(shortened("x" * 1000))
    80
    """
    return display_text(name, longest=LONGEST_NAME)


def file_name(name: str) -> str:
    """Return a name as a part of a file name, or of an identifier, on any system.

    Examples
    --------
    >>> file_name("spread-a/b:c"), file_name("返品"), file_name("../")
    ('spread-a-b-c', '返品', 'table')
    """
    plain = re.sub(r"[^\w]+", "-", display_text(name, longest=_LONGEST_FILE_NAME, isolated=False))
    return plain.strip("-") or "table"
