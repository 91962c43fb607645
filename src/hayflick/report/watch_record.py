"""A watched stream as plain values."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from hayflick.core.records import Verdict
from hayflick.monitor.watch_result import ChartHistory, WatchResult
from hayflick.report.rules_decisions import decisions_record

FORMAT_VERSION = 1


def watch_record(watched: WatchResult) -> dict[str, Any]:
    """Return a watched stream as a dictionary, ready for JSON; what is undefined is None."""
    return {
        "format_version": FORMAT_VERSION,
        "input": watched.name,
        "answers": watched.answers,
        "empty_answers": watched.total("empty_answers"),
        "unpaired_answers": watched.total("unpaired_answers"),
        "bad_rows": {
            "total": watched.bad.total,
            "first": [{"row": row, "reason": reason} for row, reason in watched.bad.first],
        },
        "rounds": list(watched.rounds),
        "baseline": watched.baseline,
        "healthy": watched.healthy,
        "charts": [_chart(chart, watched) for chart in watched.charts],
        "rules": None
        if watched.rules is None
        else decisions_record(watched.rules, watched.decided, rounds=watched.rounds),
        "not_charted": [asdict(one) for one in watched.unwatched],
        "readings": {
            group: [dict(reading.values) for reading in readings]
            for group, readings in watched.readings.items()
        },
        "templates": [{**asdict(one), "lost": one.lost} for one in watched.templates],
        "typical": {"first": list(watched.typical_before), "last": list(watched.typical_now)},
        "provenance": watched.provenance(),
    }


def _chart(chart: ChartHistory, watched: WatchResult) -> dict[str, Any]:
    alarm = chart.first_alarm
    return {
        "metric": chart.metric,
        "group": chart.group or None,
        "chart": chart.text,
        "state": "alarm" if alarm else "healthy" if chart.read else "no reading",
        "since": _name(watched, alarm.since or alarm.round) if alarm else None,
        "first_alarm": _name(watched, alarm.round) if alarm else None,
        "threshold": chart.threshold,
        "baseline_readings": chart.baseline,
        "warnings": list(chart.warnings),
        "projection": None if chart.projection is None else asdict(chart.projection),
        "verdicts": [_verdict(verdict, watched) for verdict in chart.verdicts],
    }


def _verdict(verdict: Verdict, watched: WatchResult) -> dict[str, Any]:
    return {
        "round": _name(watched, verdict.round),
        "state": verdict.state.value,
        "value": verdict.value,
        "statistic": verdict.statistic,
        "limit": verdict.limit,
        "evidence": verdict.evidence,
    }


def _name(watched: WatchResult, number: int) -> str:
    return watched.rounds[number - 1]
