"""The charts of an audit: lengths, copies of copies, and items by script, language and class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from hayflick.core.display_text import display_text
from hayflick.report import drawing
from hayflick.report.audit_findings import AuditFindings

if TYPE_CHECKING:
    import altair

    from hayflick.auditing.audit_result import MixPart
    from hayflick.core.arrays import Integers

_MOST_PARTS, _MOST_ROWS = 20, 10_000
_NAME_PIXELS = 150
_BAR_HEIGHT = 22


def audit_charts(findings: AuditFindings) -> list[drawing.RenderedChart]:
    """Return the charts; a mix of a single part has none."""
    text, result = findings.language.text, findings.result
    charts = [_lengths_chart(findings)]
    sizes = cluster_sizes(result.duplicates.sizes)
    if sizes.height > 1:
        charts.append(_sizes_chart(findings, sizes))
    if (classes := result.classes) is not None:
        title = text("Items by class ({column})", column=classes.column)
        charts.append(_mix_chart(findings, "classes", title, classes.classes))
    for name, title, mix in (
        ("languages", text("Items by language"), result.languages or ()),
        ("scripts", text("Items by script"), findings.scripts()),
    ):
        if len(mix) > 1:
            charts.append(_mix_chart(findings, name, title, mix))
    return charts


def _lengths_chart(findings: AuditFindings) -> drawing.RenderedChart:
    text, lengths = findings.language.text, findings.result.lengths
    bins = [(_range(one.low, one.high), one.items) for one in lengths.bins]
    schema = {"item_words": pl.String, "items": pl.Int64}
    numbers = pl.DataFrame(bins, schema=schema, orient="row")
    quantiles = {
        name: findings.language.number(lengths.quantiles[share])
        for name, share in (("low", 0.05), ("median", 0.5), ("high", 0.95))
        if share in lengths.quantiles
    }
    caption = text(
        "Words are counted; two characters without spaces count as one. The mean is {mean}.",
        mean=findings.language.number(lengths.mean),
    )
    if len(quantiles) == 3:
        middle = text(
            "Half of the items have at most {median} words, and 90% have {low} to {high}.",
            **quantiles,
        )
        caption = findings.language.joined(caption, middle)
    return drawing.RenderedChart(
        name="lengths",
        title=text("How long the items are"),
        caption=caption,
        svg=_columns(numbers, "item_words", text("words of an item"), "items", text("items")),
        numbers=numbers,
    )


def _sizes_chart(findings: AuditFindings, numbers: pl.DataFrame) -> drawing.RenderedChart:
    text = findings.language.text
    return drawing.RenderedChart(
        name="clusters",
        title=text("How large the clusters of near copies are"),
        caption=text(
            "The items of all clusters of a size. Of each cluster, one item is enough; many small "
            "clusters are rewritten texts, a few large ones are templates and boilerplate."
        ),
        svg=_columns(
            numbers,
            "cluster_size",
            text("items of a cluster"),
            "items",
            text("items in such clusters"),
        ),
        numbers=numbers,
    )


def cluster_sizes(sizes: Integers) -> pl.DataFrame:
    """Return clusters and the items in them by size, in ranges that double.

    Examples
    --------
    >>> cluster_sizes(np.array([9, 3, 2, 2])).rows()
    [('2–3', 3, 7), ('4–7', 0, 0), ('8–15', 1, 9)]
    """
    levels = np.floor(np.log2(sizes)).astype(np.int64)
    clusters = np.bincount(levels)
    items = np.bincount(levels, weights=sizes).astype(np.int64)
    rows = [
        (_range(2**level, 2 ** (level + 1) - 1), int(clusters[level]), int(items[level]))
        for level in range(1, clusters.size)
    ]
    schema = {"cluster_size": pl.String, "clusters": pl.Int64, "items": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _range(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"


def _columns(numbers: pl.DataFrame, x: str, x_title: str, y: str, y_title: str) -> str:
    """Return a picture of columns over ranges, in their order."""
    import altair as alt

    tilted = -40 if numbers.height > 10 else 0
    axis = alt.Axis(labelAngle=tilted, labelLimit=0, labelOverlap=False)
    order = numbers[x].to_list()
    chart = alt.Chart(numbers, width=drawing.WIDTH, height=drawing.HEIGHT)
    bars = chart.mark_bar(color=drawing.LAW).encode(
        x=alt.X(f"{x}:O", sort=order, title=x_title, axis=axis),
        y=alt.Y(f"{y}:Q", title=y_title, axis=_numbers_axis()),
    )
    return drawing.to_svg(bars)


def _numbers_axis() -> altair.Axis:
    """Return an axis of whole numbers, its title apart from labels in a wider font."""
    import altair as alt

    named = "datum.value % 1 ? '' : format(datum.value, ',d')"
    return alt.Axis(tickMinStep=1, labelExpr=named, titlePadding=14)


def _mix_chart(
    findings: AuditFindings, name: str, title: str, mix: Sequence[MixPart]
) -> drawing.RenderedChart:
    text, number = findings.language.text, findings.language.number
    caption = text(
        "The left part of a bar is what is left if one item of each cluster of near copies is kept."
    )
    if len(mix) > _MOST_PARTS:
        more = text(
            "Smaller ones that are not drawn: {number}.", number=number(len(mix) - _MOST_PARTS)
        )
        caption = findings.language.joined(caption, more)
    mix = mix[:_MOST_ROWS]
    names = [text("none") if one.name is None else display_text(one.name) or "“”" for one in mix]
    numbers = pl.DataFrame(
        {
            "name": names,
            "items": [one.items for one in mix],
            "repeated": [round(one.items * one.redundant) for one in mix],
        },
        schema={"name": pl.String, "items": pl.Int64, "repeated": pl.Int64},
    )
    return drawing.RenderedChart(
        name=name, title=title, caption=caption, svg=_bars(findings, numbers), numbers=numbers
    )


def _bars(findings: AuditFindings, numbers: pl.DataFrame) -> str:
    """Return a picture of bars, a name beside each: first what is kept, then copies."""
    import altair as alt

    text = findings.language.text
    shown = numbers.head(_MOST_PARTS)
    labels = drawing.axis_names(shown["name"].to_list(), pixels=_NAME_PIXELS)
    kept, repeated = text("without copies"), text("copies and near copies")
    parts = (shown["items"] - shown["repeated"]).to_list(), shown["repeated"].to_list()
    rows: list[tuple[Any, ...]] = [
        (label, series, items, place)
        for place, (series, part) in enumerate(zip((kept, repeated), parts, strict=True))
        for label, items in zip(labels, part, strict=True)
    ]
    schema = {"name": pl.String, "series": pl.String, "items": pl.Int64, "place": pl.Int64}
    table = pl.DataFrame(rows, schema=schema, orient="row")
    colours = {kept: drawing.LAW, repeated: drawing.IDEAL}
    # A reader's font can be wider than that of the renderer.
    padding = {"left": 20, "right": 5, "top": 5, "bottom": 5}
    height = _BAR_HEIGHT * len(labels)
    chart = alt.Chart(table, width=drawing.WIDTH - _NAME_PIXELS, height=height, padding=padding)
    legend = drawing.colour_legend(colours, symbol="circle")
    legend["legend"]["columnPadding"] = 26
    bars = chart.mark_bar().encode(
        x=alt.X("items:Q", title=text("items"), axis=_numbers_axis()),
        y=alt.Y("name:N", sort=labels, title=None, axis=alt.Axis(labelLimit=_NAME_PIXELS)),
        color=legend,
        order=alt.Order("place:Q"),
    )
    return drawing.to_svg(bars)
