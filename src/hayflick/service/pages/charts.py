"""The charts of a stream as files: the report's own, in light and dark, and their values."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from hayflick.core.records import State
from hayflick.monitor.grouping import NORM
from hayflick.monitor.watch_result import WatchResult
from hayflick.report.drawing import RenderedChart
from hayflick.report.language import Language
from hayflick.report.rendering import shortened, significant
from hayflick.report.watch_charts import number_chart, separation_chart
from hayflick.report.watch_findings import WatchFindings
from hayflick.report.watched_numbers import WatchedNumber

SEPARATION = "separation"
"""Identifier of the chart of the groups' distance."""

_WIDTH = 340.0
_DARK = {
    "white": "#181d23",
    "#24292f": "#e6edf3",
    "#e4e7eb": "#30363d",
    "#888": "#8b949e",
    "#0b3d75": "#6cb0f5",
    "#b3261e": "#ff8a80",
    "#e3edf7": "#22384f",
    "#c77700": "#f0a54a",
    "#57606a": "#a4adb8",
}
"""Colours of charts, and those that take their places in the dark."""

_COLOUR = re.compile(r'\b(fill|stroke)="(white|#[0-9a-f]{3,6})"')
_FONT = re.compile(r'font-family="[^"]*"')
_PLOT = re.compile(r'viewBox="0 0 ([\d.]+) [\d.]+".*?transform="translate\(([\d.]+),')


def chart_id(number: WatchedNumber) -> str:
    """Return the part of an address that stands for the chart of a number.

    Examples
    --------
    >>> chart_id(WatchedNumber("spread", "", ()))
    'spread-4f4209d2'
    """
    digest = hashlib.sha256(json.dumps([number.metric, number.group]).encode()).hexdigest()
    name = re.sub(r"[^a-z0-9]+", "-", number.metric.lower()).strip("-")[:40]
    return f"{name or 'number'}-{digest[:8]}"


@dataclass(frozen=True)
class Plot:
    """A chart of a stream.

    Parameters
    ----------
    chart
        The report's chart.
    """

    chart: RenderedChart

    def svg(self, *, dark: bool) -> str:
        """Return the picture on its own, for a light page or a dark one."""
        # A picture of its own does not inherit the page's font.
        svg = _FONT.sub('font-family="system-ui, sans-serif"', self.chart.svg)
        if not dark:
            return svg
        return _COLOUR.sub(lambda found: f'{found[1]}="{_DARK.get(found[2], found[2])}"', svg)

    def values(self, language: Language, baseline: int) -> dict[str, Any]:
        """Return where the plot lies in its picture, and the reading of every round."""
        found = _PLOT.search(self.chart.svg)
        width, left = (float(found[1]), float(found[2])) if found else (_WIDTH, 0.0)
        rows = self.chart.numbers.select("label", "value", "state").iter_rows()
        names = {State.ALARM: language.text("alarm"), "baseline": language.text("baseline")}
        return {
            "left": left / width,
            "right": (left + _WIDTH) / width,
            "baseline": baseline,
            "rounds": [
                {
                    "name": shortened(label),
                    "value": None if value is None else significant(value),
                    "note": names.get(state, ""),
                }
                for label, value, state in rows
            ],
        }


def plot_of(result: WatchResult, chart: str) -> Plot | None:
    """Return a chart of a stream, drawn; None if no chart has this identifier."""
    # No words of a chart's picture are in a language.
    findings = WatchFindings(result, Language("en"))
    if chart == SEPARATION:
        drawn = separation_chart(findings)
        return None if drawn is None else Plot(drawn)
    numbers = [*findings.numbers, *(one for group in findings.groups for one in group.numbers)]
    found = next((one for one in numbers if chart_id(one) == chart), None)
    return None if found is None else Plot(number_chart(found, findings))


def has_separation(result: WatchResult) -> bool:
    """Return whether the distance of the groups was measured."""
    return bool(result.groups) and any(one is not None for one in result.series(NORM))
