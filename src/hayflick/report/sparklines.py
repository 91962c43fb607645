"""Small line pictures of a series, drawn without an engine: hundreds of them cost nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from hayflick.report import drawing

_INK, _BAND = "#57606a", "#eef1f4"
_EDGE = 3.0
_MOST_POINTS = 200

_OPEN = Markup(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0:g} {1:g}" width="{0:g}" '
    'height="{1:g}" aria-hidden="true">'
)
_RECT = Markup('<rect x="{:g}" y="0" width="{:g}" height="{:g}" fill="{}"/>')
_PATH = Markup('<path d="{}" fill="none" stroke="{}" stroke-width="{:g}"/>')
_DOT = Markup('<circle cx="{:.4g}" cy="{:.4g}" r="2.5" fill="{}"/>')
_TEXT = Markup('<text x="0" y="{:.4g}" font-size="11" fill="{}">{}</text>')


def sparkline(values: Sequence[float | None], *, baseline: int = 0) -> str:
    """Return a series as a small line without labels, on a scale of its own.

    Examples
    --------
    >>> sparkline([1.0, None, 2.0]).count("<path")
    1
    """
    known = [value for value in values if value is not None and math.isfinite(value)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    frame = _Frame(len(values), low, high, width=120.0, height=26.0)
    return frame.picture([(values, drawing.LAW, 1.5)], baseline=baseline)


def small_multiple(
    bold: Sequence[float | None],
    others: Sequence[Sequence[float | None]],
    *,
    colour: str,
    low: float,
    high: float,
    baseline: int,
) -> str:
    """Return shares of a baseline as one of many pictures with the same scale.

    Parameters
    ----------
    bold
        The series in the colour, with a dot at its last value.
    others
        Further series, in grey.
    colour
        Of the bold series.
    low, high
        The scale; 1 lies between them and has a line.
    baseline
        Number of rounds whose ground is shaded.
    """
    frame = _Frame(len(bold), low, high, width=200.0, height=84.0, left=34.0)
    lines = [(series, "#c3cad1", 1.0) for series in others]
    marks = sorted({low, 1.0, high} if high - 1.0 > 0.25 * (high - low) else {low, 1.0})
    return frame.picture([*lines, (bold, colour, 2.0)], baseline=baseline, marks=marks)


class _Frame:
    """The scales of a picture."""

    def __init__(
        self, rounds: int, low: float, high: float, *, width: float, height: float, left: float = 0
    ) -> None:
        self._low, self._span = low, (high - low) or 1.0
        self._flat = high == low
        self._width, self._height, self._left = width, height, left
        self._step = (width - left - 2.0 * _EDGE) / max(1, rounds - 1)

    def _x(self, place: int) -> float:
        return self._left + _EDGE + place * self._step

    def _y(self, value: float) -> float:
        share = 0.5 if self._flat else (value - self._low) / self._span
        return self._height - _EDGE - (self._height - 2.0 * _EDGE) * min(1.0, max(0.0, share))

    def picture(
        self,
        lines: Sequence[tuple[Sequence[float | None], str, float]],
        *,
        baseline: int,
        marks: Sequence[float] = (),
    ) -> str:
        """Return the picture of series with their colours and widths, the last one with a dot."""
        parts = [_OPEN.format(self._width, self._height)]
        if baseline > 1:
            width = (baseline - 1) * self._step + _EDGE
            parts.append(_RECT.format(self._left, width, self._height, _BAND))
        for mark in marks:
            across = f"M{self._left:g} {self._y(mark):.4g}H{self._width:g}"
            parts.append(_PATH.format(across, drawing.GREY if mark == 1.0 else _BAND, 1.0))
            height = min(self._height - 2.0, max(10.0, self._y(mark) + 4.0))
            parts.append(_TEXT.format(height, _INK, f"{mark:.0%}"))
        for series, colour, width in lines:
            parts.append(_PATH.format(self._path(series), colour, width))
        series, colour, _ = lines[-1]
        last = [(place, one) for place, one in enumerate(series) if one is not None]
        if last:
            place, value = last[-1]
            parts.append(_DOT.format(self._x(place), self._y(value), colour))
        return str(Markup("").join([*parts, Markup("</svg>")]))

    def _path(self, series: Sequence[float | None]) -> str:
        """Return the way through the known values; it breaks where one is missing."""
        every = -(-len(series) // _MOST_POINTS)
        steps, broken = [], True
        for place, value in enumerate(series):
            if value is None or not math.isfinite(value):
                broken = True
            elif place % every == 0 or place == len(series) - 1:
                sign = "M" if broken else "L"
                steps.append(f"{sign}{self._x(place):.4g} {self._y(value):.4g}")
                broken = False
        return "".join(steps)
