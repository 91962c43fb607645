"""What all charts share: the record, the colours, and Vega-Lite to SVG."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    import altair

WIDTH, HEIGHT = 640, 300
LAW, SIMULATED, REAL, LIMIT = "#0b3d75", "#5aa2e0", "#4c8a2f", "#b3261e"
_FONT = (
    "system-ui, 'Noto Sans', 'Noto Sans JP', 'Noto Sans CJK JP', 'Hiragino Sans', "
    "'Yu Gothic', sans-serif"
)
_INK, _GRID = "#24292f", "#e4e7eb"


@dataclass(frozen=True)
class Chart:
    """A picture with the numbers behind it.

    Parameters
    ----------
    name
        Identifier, and file name of the numbers.
    title, caption
        What it is, and how to read it.
    svg
        The picture.
    numbers
        What it was drawn from.
    """

    name: str
    title: str
    caption: str
    svg: str
    numbers: pl.DataFrame


def thinned(numbers: pl.DataFrame, *, most: int = 1000) -> pl.DataFrame:
    """Return at most about `most` rows, evenly spread, the last one among them.

    Examples
    --------
    >>> thinned(pl.DataFrame({"x": range(10)}), most=3)["x"].to_list()
    [0, 4, 8, 9]
    """
    step = -(-numbers.height // most)
    if step == 1:
        return numbers
    rows = range(0, numbers.height, step)
    return numbers[[*rows, numbers.height - 1] if rows[-1] < numbers.height - 1 else [*rows]]


def colour_legend(colours: Mapping[str, str]) -> altair.Color:
    """Return the encoding of a column ``series`` with one colour per label, in that order."""
    import altair as alt

    labels = list(colours)
    scale = alt.Scale(domain=labels, range=list(colours.values()))
    legend = alt.Legend(
        orient="top",
        direction="horizontal",
        labelLimit=0,
        symbolType="stroke",
        symbolStrokeWidth=3,
        symbolOpacity=1,
    )
    return alt.Color("series:N", title=None, scale=scale, sort=labels, legend=legend)


def to_svg(chart: Any) -> str:
    """Return a chart as an SVG element that scales with the page.

    A label keeps its letters as text, so that the reader's own fonts draw it.
    """
    import vl_convert

    axis = {"labelColor": _INK, "titleColor": _INK, "gridColor": _GRID, "titleFontWeight": 500}
    styled = chart.configure(font=_FONT).configure_axis(**axis, labelFontSize=12, titleFontSize=13)
    styled = styled.configure_legend(labelFontSize=12, titleFontSize=12)
    svg: str = vl_convert.vegalite_to_svg(styled.configure_view(stroke=None).to_dict())
    # The view box alone lets the picture shrink on a narrow screen.
    return re.sub(r'(<svg[^>]*?) width="([\d.]+)" height="[\d.]+"', _scaled, svg, count=1)


def _scaled(opening: re.Match[str]) -> str:
    return f'{opening[1]} style="width:100%;max-width:{opening[2]}px;height:auto"'
