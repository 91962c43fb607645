"""A watched stream as its pages show it, with its charts as files.

It is kept for a moment, so that viewers share the work.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hayflick.core.records import State
from hayflick.monitor.grouping import NORM
from hayflick.monitor.watch_result import WatchResult
from hayflick.report.drawing import RenderedChart
from hayflick.report.language import Language
from hayflick.report.rendering import shortened, significant
from hayflick.report.watch_charts import number_chart, separation_chart
from hayflick.report.watch_findings import WatchFindings
from hayflick.report.watched_numbers import WatchedNumber
from hayflick.service.service import Service
from hayflick.service.stored_watch import stored_watch
from hayflick.storage.readings import size_of_texts
from hayflick.storage.streams import StreamRow

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


T = TypeVar("T")

_MOST_KEPT = 8
"""Streams; one of 1,000 rounds takes about ten megabytes."""
_SHARE = 20.0
"""A result may be shown for so many times as long as it took to make."""
_LONGEST_S = 10.0
_LONGEST_UNCHANGED_S = 300.0


@dataclass(frozen=True, eq=False)
class Watched:
    """A stream's result.

    Parameters
    ----------
    result
        What `watch` finds in the rounds that are stored; None during the baseline.
    round
        The last round in it.
    made
        When it was made, and how many seconds that took.
    took
        See `made`.
    texts
        Number and size of the samples of texts in it.
    """

    result: WatchResult | None
    round: int
    made: float
    took: float
    texts: tuple[int, int] = (0, 0)
    _drawn: dict[Hashable, Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def once(self, key: Hashable, draw: Callable[[], T]) -> T:
        """Return what `draw` returned for this key the first time; it goes with the result.

        None is not kept, for there is no end of keys without anything to draw.
        """
        with self._lock:
            found: T = self._drawn.get(key) or draw()
            if found is not None:
                self._drawn[key] = found
            return found


class WatchedStreams:
    """The results of the streams that were looked at last.

    With rounds in quick succession, a result is shown a little longer than it is the newest, so
    that fifty viewers cost the service no more than one does.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[int, Watched] = OrderedDict()
        self._locks: dict[int, threading.Lock] = {}
        self._lock = threading.Lock()

    def of(self, service: Service, stream: StreamRow) -> Watched:
        """Return what is known of a stream, nearly up to date."""
        with self._lock:
            own = self._locks.setdefault(stream.id, threading.Lock())
        with own:
            found = self._kept.get(stream.id)
            texts = _texts(service, stream)
            if found is None or not _will_do(found, stream, texts):
                begun = time.monotonic()
                result = stored_watch(service.database, stream)
                made = time.monotonic()
                found = Watched(result, stream.measured_round, made, made - begun, texts)
        with self._lock:
            self._kept[stream.id] = found
            self._kept.move_to_end(stream.id)
            while len(self._kept) > _MOST_KEPT:
                gone, _ = self._kept.popitem(last=False)
                self._locks.pop(gone, None)
        return found


def _texts(service: Service, stream: StreamRow) -> tuple[int, int]:
    with service.database.connect() as connection:
        return size_of_texts(connection, stream.id)


def _will_do(known: Watched, stream: StreamRow, texts: tuple[int, int]) -> bool:
    if known.round == stream.measured_round:
        # What was erased meanwhile is shown no more.
        same = texts == known.texts
        return same and time.monotonic() - known.made < _LONGEST_UNCHANGED_S
    # A stream whose baseline has just ended, or that begins to alarm, is shown at once.
    if known.result is None or (stream.state == "alarm" and not known.result.alarms):
        return False
    return time.monotonic() - known.made < min(_LONGEST_S, _SHARE * known.took)
