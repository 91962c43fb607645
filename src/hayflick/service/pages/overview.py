"""The overview: every stream of a project with its state, its line, and what fell."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from statistics import median
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from hayflick.report.language import Language, metric_label
from hayflick.report.rendering import shortened, significant
from hayflick.report.sparklines import sparkline
from hayflick.service.pages.rendering import language_of, page_router, principal_of, service_of
from hayflick.service.pages.shared import SharedPages
from hayflick.service.streams import settings_of
from hayflick.storage.readings import Headline
from hayflick.storage.streams import StreamRow, streams_of

_MOST_KEPT = 4000
_ORDER = ("alarm", "falling", "silent", "no reading", "baseline", "healthy")


@dataclass(frozen=True)
class OverviewRow:
    """A stream in a line of the overview.

    Parameters
    ----------
    stream
        The stream.
    state
        Its state; ``silent`` where nothing comes any more and it does not alarm.
    fell
        What has changed most, as a phrase; may be empty.
    line
        The last readings of that number, as a picture.
    """

    stream: StreamRow
    state: str
    fell: str
    line: str


def router() -> APIRouter:
    """Return the route of the overview."""
    routes = page_router()
    shared = SharedPages()

    @routes.get("/")
    def overview(request: Request) -> HTMLResponse:
        return shared.render(request, "overview.html.jinja", lambda: _values(request))

    return routes


def _values(request: Request) -> dict[str, Any]:
    language = language_of(request)
    with service_of(request).database.connect() as connection:
        streams = streams_of(connection, principal_of(request).project)
    rows = [overview_row(stream, language) for stream in streams]
    rows.sort(key=lambda row: (_ORDER.index(row.state), row.stream.name))
    counts = Counter(row.state for row in rows)
    summary = [(state, counts[state]) for state in _ORDER if counts[state]]
    return {"rows": rows, "summary": summary, "base": str(request.base_url).rstrip("/")}


def overview_row(stream: StreamRow, language: Language) -> OverviewRow:
    """Return a stream as the overview shows it."""
    silent = stream.silent_since is not None and stream.state != "alarm"
    if stream.headline is None:
        fell, line = _waits(stream, language), ""
    else:
        fell, line = _told(stream.headline, language)
    return OverviewRow(stream, "silent" if silent else stream.state, fell, line)


def _waits(stream: StreamRow, language: Language) -> str:
    """Say how far a stream is that has no reading yet."""
    complete = max(stream.measured_round, stream.open_round - 1)
    if stream.state != "baseline":
        return language.text("complete rounds: {number}", number=language.number(complete))
    needed = settings_of(stream).baseline
    return language.text(
        "{complete} of {needed} rounds of the baseline",
        complete=language.number(min(complete, needed)),
        needed=language.number(needed),
    )


@lru_cache(_MOST_KEPT)
def _told(headline: str, language: Language) -> tuple[str, str]:
    """Return what a headline says, and its line; kept, for most streams change now and then."""
    found = Headline.of(headline)
    return _fell(found, language), sparkline(found.line, baseline=found.baseline)


def _fell(headline: Headline, language: Language) -> str:
    text, number = language.text, metric_label(headline.metric, language)
    if headline.group:
        number = text("{metric} of {group}", metric=number, group=shortened(headline.group))
    known = [one for one in headline.line if one is not None]
    if headline.loss is None:
        return number if not known else f"{number}: {significant(median(known))}"
    sign = "−" if headline.loss > 0.0 else "+"
    change = f"{number} {sign}{language.percent(abs(headline.loss))}"
    if headline.since is None:
        return change
    since = text("since round {since}", since=shortened(headline.since))
    return f"{change}, {since}"
