"""What all charts share: the rendered chart, colours, axes, and Vega-Lite to SVG and PNG.

A chart is drawn for white paper. On a dark page its colours are exchanged by the page's style, so
that one drawing serves both, and a picture that is saved is the one for paper.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from hayflick.core.display_text import distinct_names
from hayflick.core.errors import ArgumentError
from hayflick.core.output import check_not_input, check_writable, write_file, write_text

if TYPE_CHECKING:
    import altair

PICTURES = (".html", ".svg", ".png")
"""What the name of a picture ends in."""

WIDTH, HEIGHT = 640, 300
LAW, SIMULATED, REAL, LIMIT = "#0b3d75", "#5aa2e0", "#4c8a2f", "#b3261e"
IDEAL = "#b86e00"
GREY = "#9aa4ae"
FONT = (
    "system-ui, 'Noto Sans', 'Noto Sans JP', 'Noto Sans CJK JP', 'Hiragino Sans', "
    "'Yu Gothic', sans-serif"
)
_MEASURED = "sans-serif"
"""The font that labels are measured in; the renderer looks up every name of a list each time."""
_LABEL = re.compile(rf'(<text [^<>]*?font-family="){_MEASURED}"')
_LONGEST_LABEL = 16
INK, PAPER = "#24292f", "white"
_GRID, _AXIS, _FRAME = "#e4e7eb", "#888", "#ddd"
HUES = (*(LAW, "#c77700", REAL, "#7a3e9d", LIMIT), *("#2a9d8f", "#8d6e63", SIMULATED))
"""Colours of curves that are alike, told apart well in this order."""

RAMP = ("#440154", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#7fb92f", "#c9a20a", "#e07b00")
"""Colours of lines from low to high."""

DARK: Mapping[str, str] = {
    PAPER: "#12161b",
    INK: "#e6edf3",
    "#57606a": "#a4adb8",
    _AXIS: "#8b949e",
    _FRAME: "#4b535d",
    _GRID: "#30363d",
    GREY: "#7d8792",
    "#c3cad1": "#4b535d",
    "#eef1f4": "#2a3038",
    "#e3edf7": "#22384f",
    LAW: "#79b8ff",
    SIMULATED: "#3d7fc4",
    REAL: "#7ac76a",
    LIMIT: "#ff8a80",
    IDEAL: "#f0a54a",
    "#c77700": "#f0a54a",
    "#9a5b00": "#e3b35a",
    "#8a5a00": "#b98a3c",
    "#7a3e9d": "#c792ea",
    "#2a9d8f": "#4fc3b5",
    "#8d6e63": "#c4a094",
    "#0a7d8c": "#45b8c8",
    "#5fb3bf": "#2f8593",
    "#e8b96a": "#8f5f20",
    "#9cc888": "#3f7a33",
    "#b990d0": "#8557a5",
    "#e29a95": "#b04a44",
    "#3b528b": "#8ea4e8",
    "#440154": "#c58ad6",
    "#2c728e": "#5fb0d3",
    "#21918c": "#3fb8b2",
    "#28ae80": "#4fc99b",
    "#7fb92f": "#a5d65a",
    "#c9a20a": "#e5c54a",
    "#e07b00": "#ff9d3f",
}
"""Colours of charts on white, and those that take their places on a dark page."""


@dataclass(frozen=True)
class Slider:
    """A picture at several times, with a slider between them.

    Parameters
    ----------
    label, note
        Label of the slider, and a note on the steps.
    steps
        Label and picture of every step, in order; the last is shown first.
    colours
        The legend: colours by label.
    """

    label: str
    note: str
    steps: Sequence[tuple[str, str]]
    colours: Mapping[str, str]


@dataclass(frozen=True)
class RenderedChart:
    """A picture with the numbers behind it.

    Parameters
    ----------
    name
        Identifier, and file name of the numbers.
    title, caption
        Heading, and how to read the picture.
    svg
        The picture.
    numbers
        The numbers that it was drawn from.
    slider
        Shown on a screen in place of the picture, which is for paper; None for the picture.
    """

    name: str
    title: str
    caption: str
    svg: str
    numbers: pl.DataFrame
    slider: Slider | None = None


def thinned(numbers: pl.DataFrame, *, most: int = 1000) -> pl.DataFrame:
    """Return about `most` rows at most, evenly spaced and including the last.

    Examples
    --------
    >>> thinned(pl.DataFrame({"x": range(10)}), most=3)["x"].to_list()
    [0, 4, 8, 9]
    """
    step = -(-numbers.height // most)
    if step <= 1:
        return numbers
    rows = range(0, numbers.height, step)
    return numbers[[*rows, numbers.height - 1] if rows[-1] < numbers.height - 1 else [*rows]]


def colour_legend(
    colours: Mapping[str, str],
    *,
    direction: Literal["horizontal", "vertical"] = "horizontal",
    symbol: Literal["stroke", "circle"] = "stroke",
    columns: int = 0,
) -> altair.Color:
    """Return the encoding of a column ``series`` with one colour per label, in that order.

    The legend has `columns` columns; with 0, it is a single row or column.
    """
    import altair as alt

    labels = list(colours)
    scale = alt.Scale(domain=labels, range=list(colours.values()))
    legend = alt.Legend(
        orient="top",
        direction=direction,
        labelLimit=0,
        columns=columns or alt.Undefined,
        symbolType=symbol,
        symbolStrokeWidth=3 if symbol == "stroke" else 0,
        symbolOpacity=1,
    )
    return alt.Color("series:N", title=None, scale=scale, sort=labels, legend=legend)


def rounds_axis() -> altair.Axis:
    """Return an axis of generations with about ten ticks at whole numbers."""
    import altair as alt

    # With few rounds there are ticks at halves, which get no label.
    named = "datum.value % 1 ? '' : format(datum.value, ',d')"
    return alt.Axis(tickMinStep=1, tickCount=10, grid=False, labelOverlap=True, labelExpr=named)


def named_rounds_axis(names: Sequence[str]) -> altair.Axis:
    """Return an axis of rounds with their names, or numbers if they are only numbered."""
    import altair as alt

    if list(names) == [str(number) for number in range(1, len(names) + 1)]:
        return rounds_axis()
    short = distinct_names(names, longest=_LONGEST_LABEL)
    spelled = f"{json.dumps(short)}[datum.value - 1] || ''"
    return alt.Axis(tickMinStep=1, tickCount=6, grid=False, labelOverlap=True, labelExpr=spelled)


def start_renderer() -> None:
    """Start the renderer's engine in the background, while numbers are being computed.

    Its first picture takes a third of a second longer than the others.
    """
    Thread(target=_draw_nothing, name="hayflick-renderer").start()


def _draw_nothing() -> None:
    import vl_convert

    vl_convert.vegalite_to_svg({"data": {"values": []}, "mark": "point"})


def to_svg(chart: Any, *, font_size: int = 12) -> str:
    """Return a chart as an SVG element, without any style that a page's policy would refuse.

    Labels remain text, drawn with the reader's fonts; every text in the chart is shown as
    `display_text` returns it, and different ones stay different.
    """
    import altair as alt

    axis = alt.AxisConfig(
        labelColor=INK,
        titleColor=INK,
        gridColor=_GRID,
        titleFontWeight=500,
        labelFontSize=font_size,
        titleFontSize=font_size + 1,
    )
    # All at once, as altair copies the chart each time.
    styled = chart.configure(
        font=_MEASURED,
        axis=axis,
        legend=alt.LegendConfig(labelFontSize=12, titleFontSize=12, labelColor=INK, titleColor=INK),
        header=alt.HeaderConfig(labelColor=INK, titleColor=INK),
        title=alt.TitleConfig(color=INK),
        text=alt.MarkConfig(color=INK),
        view=alt.ViewConfig(stroke=None),
        range=alt.RangeConfig(category=list(HUES)),
    )
    # Charts are thinned out where they are made; the limit of altair is for notebooks.
    with alt.data_transformers.enable("default", max_rows=None):
        drawing = styled.to_dict()
    return _drawn(json.dumps(_with_display_text(drawing)))


def dark_style() -> str:
    """Return the style that exchanges the colours of charts where a reader prefers dark pages."""
    rules = _colour_rules(DARK, lambda light: DARK[light])
    return f"@media screen and (prefers-color-scheme: dark) {{\n{rules}\n}}\n"


def scheme_style(scope: str, *, pictures: str) -> str:
    """Return the style that gives charts the colours of the scheme of the place they stand in.

    Parameters
    ----------
    scope
        Selector of the place.
    pictures
        The charts; colours that are not in them have no rule.
    """
    used = [light for light in DARK if f'"{light}"' in pictures]
    return _colour_rules(used, lambda light: f"light-dark({light},{DARK[light]})", scope=scope)


def _colour_rules(colours: Iterable[str], shown: Callable[[str], str], *, scope: str = "") -> str:
    rules = [
        f'{scope}svg [{what}="{light}"]{{{what}:{shown(light)}}}'
        for light in colours
        for what in ("fill", "stroke")
        if (light, what) != (PAPER, "fill")
    ]
    # The ground of a picture is a rectangle; what is written on a coloured cell stays white.
    return "\n".join([*rules, f'{scope}svg rect[fill="{PAPER}"]{{fill:none}}'])


@lru_cache(maxsize=32)
def _drawn(drawing: str) -> str:
    """Return a Vega-Lite drawing as SVG; a page, its brief and a notebook show the same ones."""
    import vl_convert

    svg: str = vl_convert.vegalite_to_svg(json.loads(drawing))
    return _LABEL.sub(rf'\1{FONT}"', svg)


def axis_names(names: Sequence[str], *, pixels: int) -> list[str]:
    """Return names short enough for an axis whose labels have this width; they stay different.

    Examples
    --------
    >>> axis_names(["x" * 30, "x" * 31], pixels=70)
    ['xxxxx…xxxx', '(2) xxxxx…xxxx']
    """
    wide = any(unicodedata.east_asian_width(sign) in "WF" for name in names for sign in name[:80])
    return distinct_names(names, longest=pixels // (_WIDE if wide else _NARROW))


_NARROW, _WIDE = 7, 13
"""Pixels of a letter at an axis, about."""
_EXPRESSIONS = ("labelExpr", "expr", "test", "calculate", "filter")
_OF_USERS = ("datasets", "values", "domain", "sort", "title", "labelExpr")
_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"')


def _with_display_text(drawing: dict[str, Any]) -> dict[str, Any]:
    """Return a Vega-Lite drawing with its texts safe to show: the renderer aborts at some."""
    found = list(_texts(drawing))
    # Words of Vega-Lite come first, so that no name of a user takes their place.
    texts = [text for text, ours in sorted(found, key=lambda one: not one[1])]
    shown = dict(zip(texts, distinct_names(texts), strict=True))

    def clean(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: clean(one, key) for key, one in value.items()}
        if isinstance(value, list):
            return [clean(one, name) for one in value]
        if not isinstance(value, str):
            return value
        if name in _EXPRESSIONS:
            return _LITERAL.sub(lambda found: json.dumps(shown[json.loads(found[0])]), value)
        return shown[value]

    return {key: clean(value, key) for key, value in drawing.items()}


def _texts(value: Any, name: str = "", *, ours: bool = True) -> Iterator[tuple[str, bool]]:
    """Iterate over the texts in a drawing, and whether they can be no user's."""
    ours = ours and name not in _OF_USERS
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _texts(one, key, ours=ours)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one, name, ours=ours)
    elif isinstance(value, str) and name in _EXPRESSIONS:
        yield from ((json.loads(literal), False) for literal in _LITERAL.findall(value))
    elif isinstance(value, str):
        yield value, ours


def stacked(pictures: Sequence[str]) -> str:
    """Return SVG elements stacked vertically, as one file.

    Examples
    --------
    >>> one = '<svg viewBox="0 0 10 20"></svg>'
    >>> stacked([one, one])[:76]
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 40" width="10" heigh'
    """
    boxes = [re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', picture) for picture in pictures]
    sizes = [(float(box[1]), float(box[2])) for box in boxes if box]
    width, height = max(size[0] for size in sizes), sum(size[1] for size in sizes)
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    parts, top = [f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'], 0.0
    for picture, (own_width, own_height) in zip(pictures, sizes, strict=True):
        place = f'y="{top:g}" width="{own_width:g}" height="{own_height:g}"'
        opening, rest = picture.split(">", 1)
        opening = re.sub(r' (?:width|height)="[\d.]+"', "", opening)
        parts.append(f"{opening} {place}>{rest}")
        top += own_height
    return "".join([*parts, "</svg>\n"])


def to_png(svg: str) -> bytes:
    """Return an SVG file as a PNG picture on white, two pixels per unit."""
    import vl_convert

    background = '<rect width="100%" height="100%" fill="white"/>'
    opening, rest = svg.split(">", 1)
    png: bytes = vl_convert.svg_to_png(f"{opening}>{background}{rest}", scale=2)
    return png


def check_picture(
    path: Path, *, name: str = "out", inputs: Iterable[str | Path | None] = (), force: bool = False
) -> None:
    """Refuse a file that no picture can be written to, before any work starts.

    Raises
    ------
    ArgumentError
        If the name ends in none of `PICTURES`; `name` is the argument that it is reported for.
    OutputError
        If it is an input, exists and `force` is not set, or cannot be written.
    """
    check_not_input(path, inputs)
    check_writable(path, force=force)
    if path.suffix.lower() not in PICTURES:
        raise ArgumentError(name, got=str(path), takes=f"a name ending in {', '.join(PICTURES)}")


def save_picture(path: Path, charts: Sequence[RenderedChart], *, force: bool = False) -> None:
    """Write charts, one under the other, as one SVG or PNG picture.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    svg = stacked([chart.svg for chart in charts])
    if path.suffix.lower() == ".svg":
        write_text(path, svg, force=force)
    else:
        png = to_png(svg)

        def write(temporary: Path) -> None:
            temporary.write_bytes(png)

        write_file(path, write, force=force)
