"""Where a stream's numbers lead: when they are projected to reach their limits."""

from __future__ import annotations

from collections.abc import Sequence

from hayflick.report.rendering import significant
from hayflick.report.watch_findings import WatchFindings
from hayflick.service.pages.rendering import page_time
from hayflick.storage.rounds import RoundRow


def outlook_rows(
    findings: WatchFindings, last: RoundRow | None, *, zone: str
) -> Sequence[tuple[str, str, str, str, str]]:
    """Return, of every number that falls towards a limit, when it is projected to be there.

    Parameters
    ----------
    findings
        What is known of the stream.
    last
        The last round that was measured; with windows of time, rounds have dates.
    zone
        Of the dates.

    Returns
    -------
    Rows of name, value now, limit, round with its interval, and date; a dash for what is unknown.
    """
    result, number = findings.result, findings.language.number
    found = []
    for chart in result.charts:
        projection = chart.projection
        if projection is None or projection.round is None or chart.first_alarm is not None:
            continue
        if projection.round <= len(result.rounds):
            continue
        ends = [
            "–" if one is None else number(round(one)) for one in (projection.low, projection.high)
        ]
        found.append(
            (
                findings.subject(chart),
                "–" if chart.change is None else significant(chart.change.now),
                "–" if chart.threshold is None else significant(chart.threshold),
                f"{number(round(projection.round))} ({' … '.join(ends)})",
                _date(projection.round - len(result.rounds), last, zone),
            )
        )
    return found


def _date(rounds: float, last: RoundRow | None, zone: str) -> str:
    if last is None or last.begins is None or last.ends is None:
        return "–"
    return page_time(last.ends + rounds * (last.ends - last.begins), zone)
