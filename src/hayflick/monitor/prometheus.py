"""A watch result in the text format of Prometheus, for the textfile collector of node_exporter."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from hayflick.core.output import write_text
from hayflick.core.records import State
from hayflick.monitor.alarms import stands
from hayflick.monitor.watch_result import ChartHistory, WatchResult

_Sample: TypeAlias = tuple[Mapping[str, str], float | None]


def prometheus_text(result: WatchResult) -> str:
    """Return the verdict, every chart and the last readings as gauges.

    What has no value is absent.
    """
    parts = []
    for name, (meaning, samples) in _gauges(result).items():
        lines = [
            f"{name}{_labels({'input': result.name, **labels})} {_number(value)}"
            for labels, value in samples
            if value is not None
        ]
        if lines:
            parts += [f"# HELP {name} {meaning}", f"# TYPE {name} gauge", *lines]
    return "\n".join(parts) + "\n"


def write_prometheus(result: WatchResult, path: Path) -> Path:
    """Write `prometheus_text` to a file, whole or not at all; an older one is replaced.

    Raises
    ------
    OutputError
        If the operating system refuses.
    """
    return write_text(path, prometheus_text(result), force=True)


def _gauges(result: WatchResult) -> dict[str, tuple[str, list[_Sample]]]:
    news = result.news
    counts = {"new": news.new, "standing": news.standing, "cleared": news.cleared}
    charts = [(_names(chart), chart) for chart in result.charts]
    return {
        "hayflick_watch_verdict": (
            "1 for the verdict of the stream, 0 for the others.",
            [({"verdict": one.value}, float(one is result.verdict)) for one in State],
        ),
        "hayflick_watch_alarms": (
            "Charts whose alarm is new, standing or cleared since the call before.",
            [({"news": name}, float(len(found))) for name, found in counts.items()],
        ),
        "hayflick_watch_rounds": ("Rounds of answers.", [({}, float(len(result.rounds)))]),
        "hayflick_watch_answers": ("Answers.", [({}, float(result.answers))]),
        "hayflick_watch_missing_files": (
            "Files that could not be read.",
            [({}, float(len(result.failed)))],
        ),
        "hayflick_chart_alarm": (
            "Whether the last reading of a chart is an alarm.",
            [(names, float(stands(chart))) for names, chart in charts],
        ),
        "hayflick_chart_evidence": (
            "Odds against a healthy stream, where a chart gives them.",
            [(names, chart.evidence) for names, chart in charts],
        ),
        "hayflick_chart_limit": (
            "Limit of the statistic of a chart, which is its evidence where it gives that.",
            [(names, chart.limit) for names, chart in charts],
        ),
        "hayflick_reading": ("Last reading of a metric.", list(_readings(result))),
    }


def _names(chart: ChartHistory) -> dict[str, str]:
    return {"metric": chart.metric, "group": chart.group, "chart": chart.text}


def _readings(result: WatchResult) -> Iterator[_Sample]:
    for group, readings in result.readings.items():
        last: dict[str, float] = {}
        for reading in readings:
            last |= reading.values
        for metric, value in last.items():
            yield {"metric": metric, "group": group}, value


def _labels(labels: Mapping[str, str]) -> str:
    inside = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{inside}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0.0 else "-Inf"
    return "NaN" if math.isnan(value) else repr(value)
