"""Which alarms are new, which stand and which are over since the state was written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hayflick.monitor.watch_result import ChartHistory, WatchResult

if TYPE_CHECKING:
    from hayflick.report.watch_findings import WatchFindings

_NAMED = 5


def news_record(result: WatchResult) -> dict[str, list[dict[str, str | None]]]:
    """Return the alarms by what was known of them, as plain values."""
    news = result.news
    return {
        name: [
            {"metric": chart.metric, "group": chart.group or None, "chart": chart.text}
            for chart in charts
        ]
        for name, charts in (
            ("new", news.new),
            ("standing", news.standing),
            ("cleared", news.cleared),
        )
    }


def news_sentences(findings: WatchFindings) -> list[str]:
    """Return what has changed since the last call; nothing without a state."""
    result, text = findings.result, findings.language.text
    known = result.known_alarms
    if known is None:
        return []
    news = result.news
    found: list[tuple[Sequence[ChartHistory], Any]] = [
        (news.new, text("New since the last call: {alarms}.", alarms=_named(news.new, findings))),
        (
            news.standing,
            text("Known before, and standing: {alarms}.", alarms=_named(news.standing, findings)),
        ),
        (
            news.cleared,
            text("Over since the last call: {alarms}.", alarms=_named(news.cleared, findings)),
        ),
    ]
    said = [sentence for charts, sentence in found if charts]
    return said or [text("Since the last call there is no new alarm.")]


def _named(charts: Sequence[ChartHistory], findings: WatchFindings) -> str:
    """Return the numbers of charts, each once."""
    names = list(dict.fromkeys(findings.subject(chart) for chart in charts))
    more = f" (+{len(names) - _NAMED})" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
