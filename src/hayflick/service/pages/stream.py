"""The page of a stream: its charts with limits and evidence, phrases, groups and actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from markupsafe import Markup

from hayflick.monitor.watch_result import WatchResult
from hayflick.report.language import Language
from hayflick.report.rendering import csv_text, significant
from hayflick.report.watch import page_values, pictured_numbers
from hayflick.report.watch_charts import chart_legend
from hayflick.report.watch_findings import WatchFindings
from hayflick.service.pages.overview import overview_row
from hayflick.service.pages.rendering import (
    language_of,
    page_environment,
    page_router,
    page_time,
    principal_of,
    service_of,
)
from hayflick.service.pages.shared import SharedPages
from hayflick.service.pages.watched import (
    SEPARATION,
    Plot,
    Watched,
    WatchedStreams,
    chart_id,
    has_separation,
    plot_of,
)
from hayflick.service.problems import Problem
from hayflick.service.stream_settings import StreamSettings
from hayflick.storage.actions import ActionRow, actions_of
from hayflick.storage.alerts import alerts_of
from hayflick.storage.rounds import RoundRow, latest_rounds
from hayflick.storage.streams import StreamRow, stream_named


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


_ROUNDS = 5
_MOST_NUMBERS = 3


@dataclass(frozen=True)
class ActionEffect:
    """An action with numbers before and after it.

    Parameters
    ----------
    action
        The action.
    after
        Name of the round after which it takes effect: the last one closed when it was done, or
        the one that called for it.
    rows
        Of some numbers: name, median of up to five rounds before, of up to five rounds after, and
        the change.
    """

    action: ActionRow
    after: str
    rows: Sequence[tuple[str, str, str, str]]


def action_effects(
    actions: Sequence[ActionRow], closed: Mapping[int, float], findings: WatchFindings
) -> list[ActionEffect]:
    """Return what followed each action.

    Parameters
    ----------
    actions
        Actions of the stream.
    closed
        When its rounds were closed, by number.
    findings
        What is known of the stream.
    """
    found = []
    for action in actions:
        last = action.round
        if action.done is not None:
            done = [number for number, at in closed.items() if at <= action.done]
            last = max([action.round, *done])
        last = min(last, len(findings.result.rounds))
        rows = [
            (findings.title(number), *_around(findings, number.metric, number.group, last))
            for number in findings.numbers[:_MOST_NUMBERS]
        ]
        found.append(ActionEffect(action, findings.round_name(last), rows))
    return found


def _around(findings: WatchFindings, metric: str, group: str, last: int) -> tuple[str, str, str]:
    values = findings.result.series(metric, group=group)
    before = _median(values[max(0, last - _ROUNDS) : last])
    after = _median(values[last : last + _ROUNDS])
    if before is None or after is None:
        return _shown(before), _shown(after), "–"
    change = "–" if before == 0.0 else findings.language.difference(after / before - 1.0)
    return _shown(before), _shown(after), change if change.startswith(("-", "–")) else f"+{change}"


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _shown(value: float | None) -> str:
    return "–" if value is None else significant(value)


_MOST_ROUNDS, _MOST_ACTIONS = 60, 10
_YEAR_S = 365 * 86_400


def router() -> APIRouter:
    """Return the routes of a stream's page and of its charts."""
    routes = page_router()
    kept, shared = WatchedStreams(), SharedPages()

    @routes.get("/streams/{name}")
    def stream_page(request: Request, name: str) -> HTMLResponse:
        return shared.render(request, "stream.html.jinja", lambda: _values(request, kept, name))

    @routes.get("/streams/{name}/charts/{chart}.svg")
    def picture(request: Request, name: str, chart: str, theme: str = "light") -> Response:
        _, plot = _plot(request, kept, name, chart)
        svg = plot.svg(dark=theme == "dark")
        return Response(svg, media_type="image/svg+xml", headers=_for_good(request))

    @routes.get("/streams/{name}/charts/{chart}.json")
    def numbers(request: Request, name: str, chart: str) -> Response:
        result, plot = _plot(request, kept, name, chart)
        values = plot.values(language_of(request), result.baseline)
        return JSONResponse(values, headers=_for_good(request))

    @routes.get("/streams/{name}/charts/{chart}.csv")
    def table(request: Request, name: str, chart: str) -> Response:
        _, plot = _plot(request, kept, name, chart)
        headers = {"Content-Disposition": f'attachment; filename="{chart_file(chart)}.csv"'}
        return Response(csv_text(plot.chart.numbers), media_type="text/csv", headers=headers)

    return routes


def chart_file(chart: str) -> str:
    """Return an identifier of a chart as a part of a header: letters, digits and hyphens."""
    return "".join(sign for sign in chart if sign.isascii() and (sign.isalnum() or sign == "-"))


def _for_good(request: Request) -> dict[str, str]:
    # An address with its round always shows the same.
    if "round" not in request.query_params:
        return {}
    return {"Cache-Control": f"private, max-age={_YEAR_S}, immutable"}


def _stream(connection: sa.Connection, request: Request, name: str) -> StreamRow:
    project = principal_of(request).project
    stream = None if "\x00" in name else stream_named(connection, project, name)
    if stream is None:
        raise Problem(404, f"there is no stream {name[:200]!r}")
    return stream


def _plot(
    request: Request, kept: WatchedStreams, name: str, chart: str
) -> tuple[WatchResult, Plot]:
    with service_of(request).database.connect() as connection:
        stream = _stream(connection, request, name)
    watched = kept.of(service_of(request), stream)
    result = watched.result
    plot = (
        None if result is None else watched.once(("chart", chart), lambda: plot_of(result, chart))
    )
    if result is None or plot is None:
        raise Problem(404, f"the stream {name[:200]!r} has no chart {chart[:80]!r}")
    return result, plot


def _values(request: Request, kept: WatchedStreams, name: str) -> dict[str, Any]:
    with service_of(request).database.connect() as connection:
        stream = _stream(connection, request, name)
        values = _stored(connection, stream)
    watched, language = kept.of(service_of(request), stream), language_of(request)
    return {
        "stream": stream,
        "row": overview_row(stream, language),
        "watched": watched,
        "sections": _sections(watched, stream, language),
        **values,
        **_with_result(watched.result, values, language),
    }


def _stored(connection: sa.Connection, stream: StreamRow) -> dict[str, Any]:
    """Return what the page shows as it is stored."""
    settings = StreamSettings.model_validate_json(stream.settings)
    return {
        "settings": settings,
        "rounds": latest_rounds(connection, stream.id, most=_MOST_ROUNDS),
        "open_alerts": alerts_of(connection, stream.project, state="open", stream=stream.id),
        "actions": actions_of(connection, stream.project, stream=stream.id, most=_MOST_ACTIONS),
    }


def _with_result(
    result: WatchResult | None, stored: dict[str, Any], language: Language
) -> dict[str, Any]:
    """Return what is said of a result together with what is stored."""
    if result is None:
        return {"effects": (), "outlook": ()}
    findings = WatchFindings(result, language)
    rounds: Sequence[RoundRow] = stored["rounds"]
    closed = {one.number: one.closed for one in rounds if one.closed is not None}
    last = next((one for one in rounds if one.status == "measured"), None)
    return {
        "effects": action_effects(stored["actions"], closed, findings),
        "outlook": outlook_rows(findings, last, zone=stored["settings"].time_zone),
    }


@dataclass(frozen=True)
class Sections:
    """The parts of the page that change with a result alone, rendered."""

    numbers: Markup
    evidence: Markup


def _sections(watched: Watched, stream: StreamRow, language: Language) -> Sections:
    if watched.result is None:
        return Sections(Markup(), Markup())
    result, number = watched.result, watched.round
    return watched.once(language.code, lambda: _rendered(result, number, stream.name, language))


def _rendered(result: WatchResult, number: int, name: str, language: Language) -> Sections:
    findings = WatchFindings(result, language)
    pictured = pictured_numbers(findings)
    environment = page_environment(language)
    values = {
        **page_values(findings),
        "stream_name": name,
        "round_number": number,
        "panel": [(findings.tile(one), chart_id(one), findings.title(one)) for one in pictured],
        "legend": chart_legend(pictured, findings),
        "separation": SEPARATION if has_separation(result) else None,
    }
    parts = ("stream_numbers.jinja", "stream_evidence.jinja")
    return Sections(*(Markup(environment.get_template(part).render(values)) for part in parts))
