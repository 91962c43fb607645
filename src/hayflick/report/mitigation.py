"""What keeps a network diverse: as plain values, tables, a page and a picture."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from hayflick.network.mitigation import MitigationCase, MitigationStudy, cases_table
from hayflick.report import drawing
from hayflick.report.drawing import RenderedChart, check_picture, save_picture
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, render, shown_record, table, wording

if TYPE_CHECKING:
    import altair as alt
    from rich.table import Table

FORMAT_VERSION = 1


def record(study: MitigationStudy) -> dict[str, Any]:
    """Return both grids as plain values, ready for JSON."""
    return {
        "format_version": FORMAT_VERSION,
        "cases": [asdict(case) for case in study.agents],
        "surrogate": [asdict(case) for case in study.surrogate],
        "provenance": study.provenance(),
    }


def tables(study: MitigationStudy, *, lang: str = "en") -> list[Table]:
    """Return what the terminal shows of both grids; a star marks the frontier."""
    language = Language(lang)
    text = language.text
    agents = _empty(
        text("built-in agents"),
        text("topology"),
        text("models"),
        text("prompts"),
        text("irrelevant texts"),
        text("real texts a round"),
        text("real words in use"),
        language=language,
    )
    prompts = {"one": text("one"), "varied": text("varied")}
    for case in study.agents:
        middle = (prompts[case.prompts], language.percent(case.irrelevant))
        agents.add_row(case.topology, str(case.models), *middle, *_results(case, language))
    mixtures = _empty(
        text("interacting mixtures"),
        text("topology"),
        text("models"),
        text("real points a round"),
        text("components in use"),
        language=language,
    )
    for case in study.surrogate:
        mixtures.add_row(case.topology, str(case.models), *_results(case, language))
    return [agents, mixtures]


def _empty(title: str, *headings: str, language: Language) -> Table:
    text = language.text
    made = table(*headings, text("‖D‖ over chance"), text("nothing beats it"))
    made.title = title
    return made


def _results(case: MitigationCase, language: Language) -> tuple[str, ...]:
    return (
        str(case.injected),
        "–" if case.kept is None else language.percent(case.kept),
        "–" if case.apart is None else f"{case.apart:.2f}",
        "*" if case.on_frontier else "",
    )


def page(study: MitigationStudy, *, lang: str = "en") -> str:
    """Return both grids as one self-contained HTML page.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    return render(
        "mitigation.html.jinja",
        "style.css",
        language,
        sources=study.sources,
        query=study.experiment.query_texts[0],
        charts=charts(study, language),
        provenance=shown_record(study.provenance()),
    )


def fragment(study: MitigationStudy) -> str:
    """Return what a notebook shows of both grids: their frontiers."""
    language = Language("en")
    heading = language.text("What keeps a network diverse, and what it costs")
    return notebook(heading, (), charts(study, language), sources=study.sources)


def picture(study: MitigationStudy, path: Path, *, lang: str = "en", force: bool = False) -> None:
    """Write both frontiers, one under the other, as one SVG or PNG picture.

    Raises
    ------
    ArgumentError
        If there is no such language, or the name has another ending.
    OutputError
        If it cannot be written.
    """
    language = Language(lang)
    check_picture(path, force=force)
    save_picture(path, charts(study, language), force=force)


def charts(study: MitigationStudy, language: Language) -> tuple[RenderedChart, ...]:
    """Return the frontier of the agents and that of the mixtures."""
    grids: dict[str, Sequence[MitigationCase]] = {
        "mitigation": study.agents,
        "mitigation-surrogate": study.surrogate,
    }
    texts = wording("figures.jinja", "figures", language)
    return tuple(
        mitigation_chart(
            cases_table(cases),
            name=name,
            title=texts[name][0],
            caption=texts[name][1],
            language=language,
        )
        for name, cases in grids.items()
    )


_HUES = (
    (drawing.LAW, drawing.SIMULATED),
    ("#c77700", "#e8b96a"),
    (drawing.REAL, "#9cc888"),
    ("#7a3e9d", "#b990d0"),
    (drawing.LIMIT, "#e29a95"),
)
"""Of a topology: dark for one prompt, light for varied prompts."""

_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
_GAP = 40
_LEGEND_LETTERS = 60


def mitigation_chart(
    numbers: pl.DataFrame, *, name: str, title: str, caption: str, language: Language
) -> drawing.RenderedChart:
    """Return the chart of a grid with its frontier; a panel for each share of irrelevant text.

    Parameters
    ----------
    numbers
        The cases, as `hayflick.network.mitigation.cases_table` returns them.
    name
        ``mitigation`` for agents, or ``mitigation-surrogate``.
    title, caption
        Of the chart.
    language
        Of the axes.
    """
    import altair as alt

    text = language.text
    shown = _labelled(numbers.filter(pl.col("kept").is_not_null()), language)
    titles = (text("real points injected"), text("components in use, last quarter"))
    if name == "mitigation":
        titles = (text("real texts injected"), text("real words in use, last quarter"))
    x = alt.X("texts:Q", title=titles[0], axis=alt.Axis(format=",d", tickCount=5, tickMinStep=1))
    scale = alt.Scale(zero=False, domain=_range(shown))
    y = alt.Y("kept:Q", title=titles[1], axis=alt.Axis(format="%"), scale=scale)
    colours = _colours(shown)
    short = sum(map(len, colours)) <= _LEGEND_LETTERS
    colour = drawing.colour_legend(
        colours, direction="horizontal" if short else "vertical", symbol="circle"
    )
    shape = _shape(shown)
    shares = shown["irrelevant"].unique().sort().to_list() or [0.0]
    width = (drawing.WIDTH - _GAP * (len(shares) - 1)) // len(shares)
    panels = []
    for share in shares:
        cases = shown.filter(pl.col("irrelevant") == share)
        base = alt.Chart(cases, width=width, height=drawing.HEIGHT)
        if len(shares) > 1:
            heading = text("irrelevant texts: {share}", share=f"{100.0 * share:g}%")
            base = base.properties(title=heading)
        dots = base.mark_point(size=70, filled=True, opacity=0.8)
        dots = dots.encode(x=x, y=y, color=colour, shape=shape)
        best = base.transform_filter(alt.datum.on_frontier)
        line = best.mark_line(color=drawing.GREY, interpolate="step-after").encode(x=x, y=y)
        # A frontier of one point has no line.
        rings = best.mark_point(size=220, color=drawing.GREY, strokeWidth=2).encode(x=x, y=y)
        panels.append(alt.layer(line, rings, dots))
    return drawing.RenderedChart(
        name=name,
        title=title,
        caption=caption,
        svg=drawing.to_svg(alt.hconcat(*panels, spacing=_GAP)),
        numbers=numbers,
    )


def _labelled(numbers: pl.DataFrame, language: Language) -> pl.DataFrame:
    """Return cases with the name of their curve (topology and prompts) and of their size."""
    text = language.text
    prompts = {"one": text("one prompt"), "varied": text("varied prompts")}
    series = pl.col("topology")
    if numbers["prompts"].n_unique() > 1:
        series = pl.concat_str(series, pl.lit(", "), pl.col("prompts").replace(prompts))
    sizes = [text("models: {number}", number=language.number(n)) for n in numbers["models"]]
    return numbers.with_columns(series=series, size=pl.Series(sizes, dtype=pl.String))


def _shape(shown: pl.DataFrame) -> alt.Shape:
    """Return the encoding of the number of models as the shape of a point."""
    import altair as alt

    sizes = shown.sort("models")["size"].unique(maintain_order=True).to_list()
    shapes = [shape for shape, _ in zip(itertools.cycle(_SHAPES), sizes, strict=False)]
    return alt.Shape(
        "size:N",
        title=None,
        sort=sizes,
        scale=alt.Scale(domain=sizes, range=shapes),
        legend=alt.Legend(orient="top", labelLimit=0) if len(sizes) > 1 else None,
    )


def _colours(shown: pl.DataFrame) -> dict[str, str]:
    """Return the colour of every curve, those of a topology beside one another."""
    curves: dict[str, str] = {}
    topologies = shown["topology"].unique(maintain_order=True)
    for hues, topology in zip(itertools.cycle(_HUES), topologies, strict=False):
        own = shown.filter(pl.col("topology") == topology)
        for row in own.unique("series", maintain_order=True).iter_rows(named=True):
            curves[row["series"]] = hues[row["prompts"] == "varied"]
    return curves


def _range(shown: pl.DataFrame) -> list[float]:
    """Return the ends of the scale, the same for all panels: whole tenths."""
    kept = shown["kept"].to_list() or [0.0, 1.0]
    return [int(10.0 * min(kept)) / 10.0, min(1.0, (int(10.0 * max(kept)) + 1) / 10.0)]
