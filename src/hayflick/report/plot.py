"""The charts of a result as one picture, for places that show no page."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from html import escape
from pathlib import Path

from hayflick.core.errors import ArgumentError, DataError
from hayflick.monitor.compare_result import Comparison
from hayflick.monitor.watch_result import WatchResult
from hayflick.report.compare import interval_chart
from hayflick.report.compare_findings import CompareFindings
from hayflick.report.drawing import FONT, RenderedChart, check_picture, save_picture
from hayflick.report.language import Language
from hayflick.report.watch import pictured_numbers
from hayflick.report.watch_charts import number_chart
from hayflick.report.watch_findings import WatchFindings

_TITLE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 28" width="400" height="28">'
    f'<text x="4" y="20" font-family="{FONT}" font-size="15" font-weight="600" '
    'fill="#24292f">{}</text></svg>'
)


def check_plot(
    path: Path, *, inputs: Iterable[str | Path | None] = (), force: bool = False
) -> None:
    """Refuse a file that no plot can be written to, before any work starts.

    Raises
    ------
    ArgumentError
        If the name ends in neither ``.svg`` nor ``.png``.
    OutputError
        If it is an input, exists and `force` is not set, or cannot be written.
    """
    if path.suffix.lower() not in (".svg", ".png"):
        takes = "a name ending in .svg or .png; --out writes a page"
        raise ArgumentError("plot", got=str(path), takes=takes)
    check_picture(path, name="plot", inputs=inputs, force=force)


def save_plot(
    result: WatchResult | Comparison,
    path: str | os.PathLike[str],
    *,
    lang: str = "en",
    force: bool = False,
) -> None:
    """Write the charts of a result, one under the other, as one SVG or PNG picture.

    Parameters
    ----------
    result
        What `hayflick.watch` or `hayflick.compare` returns.
    path
        A name that ends in ``.svg`` or ``.png``.
    lang
        Language, ``en`` or ``ja``.
    force
        Whether a file that exists is replaced.

    Raises
    ------
    ArgumentError
        If there is no such language, or the name has another ending.
    DataError
        If the result has no chart.
    OutputError
        If the file exists and `force` is not set, or it cannot be written.
    """
    language, picture = Language(lang), Path(path)
    check_plot(picture, force=force)
    charts = _charts(result, language)
    if not charts:
        raise DataError(f"{picture}: there is nothing to draw: no number has a chart")
    parts = [part for chart in charts for part in (_title(chart), chart)]
    save_picture(picture, parts, force=force)


def _charts(result: WatchResult | Comparison, language: Language) -> list[RenderedChart]:
    if isinstance(result, Comparison):
        chart = interval_chart(CompareFindings(result, language))
        return [] if chart is None else [chart]
    findings = WatchFindings(result, language)
    return [number_chart(one, findings) for one in pictured_numbers(findings)]


def _title(chart: RenderedChart) -> RenderedChart:
    return replace(chart, svg=_TITLE.format(escape(chart.title)))
