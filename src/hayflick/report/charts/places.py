"""Points that move in a plane: a small picture for each time, on the same axes.

A page may hold forty of them, so they are written here, a few bytes a point, and not by the
library that draws the charts.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
from markupsafe import Markup

from hayflick.report.charts import drawing

_SIDE = 400
_RADIUS = 7
_LONGEST_NAME = 80
_FRAME = Markup(
    '<rect width="{side}" height="{side}" fill="none" stroke="{line}" stroke-width="2"/>'
    '<path d="M0 {half}H{side}M{half} 0V{side}" fill="none" stroke="{line}"/>'
).format(side=_SIDE, half=_SIDE // 2, line="#e4e7eb")
_PATH = Markup(
    '<path d="M{}" fill="none" stroke="{}" stroke-width="2" stroke-opacity="0.35"'
    ' stroke-linejoin="round"/>'
)
_POINT = Markup(
    '<circle cx="{}" cy="{}" r="{}" fill="{}" fill-opacity="0.9"><title>{}</title></circle>'
)


def place_pictures(
    numbers: pl.DataFrame, *, colours: Mapping[str, str], reach: float
) -> dict[int, str]:
    """Return an SVG element for each time: every point, and behind it the way that it came.

    Parameters
    ----------
    numbers
        Columns ``generation``, ``series`` (whose place it is), ``first_axis`` and
        ``second_axis``, in the order of the times.
    colours
        By name; points without one have the colour of all.
    reach
        How far both axes go from 0, either way; above 0.

    Examples
    --------
    >>> moved = {"generation": [1, 2], "series": ["a", "a"], "first_axis": [0.0, 1.0]}
    >>> numbers = pl.DataFrame({**moved, "second_axis": [0.0, 0.0]})
    >>> pictures = place_pictures(numbers, colours={}, reach=2.0)
    >>> ["M200 200 300 200" in picture for picture in pictures.values()]
    [False, True]
    """
    ways: dict[str, list[str]] = {}
    pictures = {}
    for (number,), part in numbers.group_by("generation", maintain_order=True):
        for name, *place in part.select("series", "first_axis", "second_axis").iter_rows():
            ways.setdefault(name, []).append(_place(*place, reach=reach))
        pictures[int(str(number))] = _picture(ways, colours)
    return pictures


def _place(across: float, up: float, *, reach: float) -> str:
    half = _SIDE / 2
    return f"{half + half * across / reach:.4g} {half - half * up / reach:.4g}"


def _picture(ways: Mapping[str, list[str]], colours: Mapping[str, str]) -> str:
    parts = [Markup('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {0}">').format(_SIDE)]
    named = [(name, way, colours.get(name, drawing.LAW)) for name, way in ways.items()]
    parts += [_FRAME]
    parts += [_PATH.format(" ".join(way), colour) for _, way, colour in named if len(way) > 1]
    parts += [
        _POINT.format(*way[-1].split(), _RADIUS, colour, name[:_LONGEST_NAME])
        for name, way, colour in named
    ]
    return str(Markup("").join([*parts, Markup("</svg>")]))
