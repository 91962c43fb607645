"""How a page is answered: its language, its layout, its forms.

Templates live in ``service/templates`` and extend ``layout.html.jinja``; those of reports can be
included in them. A part with an ``id`` and the attribute ``data-live`` is replaced when something
has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias
from urllib.parse import quote
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from markupsafe import Markup, escape

from hayflick.report.language import Language, metric_label
from hayflick.report.rendering import template_environment
from hayflick.service.access import check_csrf, check_scope
from hayflick.service.pages.static import static_url
from hayflick.service.problems import PROBLEM_TYPE, Problem
from hayflick.service.requests import GREATEST, Caller
from hayflick.service.service import Service
from hayflick.storage.accounts import Principal
from hayflick.storage.changes import last_change
from hayflick.storage.service_tables import actions, alerts, reviews

if TYPE_CHECKING:
    from jinja2 import Environment


_LONGEST_NUMBER = 18

LANGUAGES = {"en": "English", "ja": "日本語"}
"""The languages of pages, and what they are called there."""

_COOKIE = "hayflick_language"
_YEAR_S = 365 * 86_400


@dataclass(frozen=True)
class Waiting:
    """What waits for a person in a project: the numbers beside the names of pages.

    `last_change` is the last change that the page can show; later ones are told to it.
    """

    alerts: int = 0
    actions: int = 0
    reviews: int = 0
    last_change: int = 0


def language_of(request: Request) -> Language:
    """Return the language of a page: asked for by ``?lang=``, chosen before, or the browser's."""
    for code in (request.query_params.get("lang"), request.cookies.get(_COOKIE)):
        if code in LANGUAGES:
            return Language(code)
    wanted = request.headers.get("accept-language", "")
    codes = [one.partition(";")[0].strip()[:2].lower() for one in wanted.split(",")]
    return Language(next((code for code in codes if code in LANGUAGES), "en"))


def page_router() -> APIRouter:
    """Return a router of pages that miss no change that comes while they are made."""
    return APIRouter(include_in_schema=False, dependencies=[Depends(_note_last_change)])


def _note_last_change(request: Request) -> None:
    if request.method == "GET":
        with service_of(request).database.connect() as connection:
            request.state.last_change = last_change(connection)


def service_of(request: Request) -> Service:
    """Return the service that a request is made to."""
    service: Service = request.app.state.service
    return service


def principal_of(request: Request) -> Principal:
    """Return who makes a request; every page but those of signing in has one."""
    principal: Principal = request.state.principal
    return principal


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Answer a request with a page.

    Parameters
    ----------
    request
        The request, whose language and user it is for.
    template
        Its name in ``service/templates``.
    status
        The HTTP status.
    values
        What the template shows, besides what `page_environment` and the layout know.
    """
    principal: Principal | None = getattr(request.state, "principal", None)
    csrf = getattr(request.state, "csrf", "")
    return page_answer(
        request, page_text(request, template, principal, csrf=csrf, **values), status
    )


def page_text(
    request: Request, template: str, principal: Principal | None, *, csrf: str, **values: Any
) -> str:
    """Return a page of a request for somebody, whose forms hold `csrf`; see `render`."""
    shared: dict[str, Any] = {
        "principal": principal,
        "csrf": csrf,
        "path": quote(request.scope["path"]),
        "query": request.query_params,
        "now": service_of(request).clock.now(),
    }
    if "waiting" not in values:
        shared["waiting"] = _waiting(request, principal)
    found = page_environment(language_of(request)).get_template(template)
    return found.render({**shared, **values})


def page_answer(request: Request, text: str, status: int = 200) -> HTMLResponse:
    """Return a page as an answer, which keeps the language that was asked for."""
    response = HTMLResponse(text, status)
    code = request.query_params.get("lang")
    if code in LANGUAGES:
        response.set_cookie(_COOKIE, code, max_age=_YEAR_S, httponly=True, samesite="lax", path="/")
    return response


def problem_page(request: Request, problem: Problem) -> HTMLResponse:
    """Answer a request of a browser that cannot be served."""
    values = {"heading": HTTPStatus(problem.status).phrase, "detail": problem.detail}
    # The store may be what cannot be read.
    page = render(request, "problem.html.jinja", status=problem.status, waiting=Waiting(), **values)
    page.headers.update(problem.headers)
    return page


def _waiting(request: Request, principal: Principal | None) -> Waiting:
    if principal is None:
        return Waiting()

    def number(table: sa.Table, state: str) -> sa.ScalarSelect[int]:
        mine = table.c.project == principal.project
        counted = sa.select(sa.func.count()).select_from(table)
        return counted.where(mine, table.c.state == state).scalar_subquery()

    query = sa.select(number(alerts, "open"), number(actions, "open"), number(reviews, "pending"))
    with service_of(request).database.connect() as connection:
        last = getattr(request.state, "last_change", None)
        last = last_change(connection) if last is None else last
        return Waiting(*connection.execute(query).one(), last_change=last)


@cache
def page_environment(language: Language) -> Environment:
    """Return what the pages of the service are rendered in."""
    environment = template_environment(language, "hayflick.service")
    environment.filters.update(
        ago=lambda at, now: time_span(now - at, language),
        iso=iso_time,
        metric=lambda name: metric_label(name, language),
        path_part=lambda name: quote(name, safe=""),
        time=page_time,
        whole=whole,
    )
    environment.globals.update(languages=LANGUAGES, static_url=static_url)
    return environment


def whole(text: str) -> Markup:
    """Return a text as it is, neither cleaned nor cut, for a field that is sent back."""
    return escape(text)


def iso_time(at: float) -> str:
    """Return a time as ISO 8601 in UTC.

    Examples
    --------
    >>> iso_time(1_790_000_000.0)
    '2026-09-21T14:13:20Z'
    """
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def page_time(at: float | None, zone: str = "UTC") -> str:
    """Return a time to the minute, with its zone; a dash for None.

    Examples
    --------
    >>> page_time(1_790_000_000.0), page_time(1_790_000_000.0, "Asia/Tokyo")
    ('2026-09-21 14:13 UTC', '2026-09-21 23:13 JST')
    """
    if at is None:
        return "–"
    return f"{datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M %Z}"


def time_span(seconds: float, language: Language) -> str:
    """Return a length of time in its largest whole unit.

    Examples
    --------
    >>> time_span(7300.0, Language("en")), time_span(2.0, Language("en"))
    ('2 h', '2 s')
    """
    text = language.text
    units = (
        (86_400.0, text("{number} d")),
        (3600.0, text("{number} h")),
        (60.0, text("{number} min")),
    )
    for length, message in units:
        if seconds >= length:
            return message.format(number=int(seconds // length))
    return text("{number} s").format(number=max(0, int(seconds)))


def answer_problem(request: Request, problem: Problem) -> Response:
    """Return the answer to a request that cannot be served: a page to a person, JSON to others."""
    # A person reads what a browser asks for beyond the interface.
    wanted = request.headers.get("accept", "")
    if "text/html" in wanted and not request.url.path.startswith("/v1"):
        return problem_page(request, problem)
    return JSONResponse(
        problem.record(), problem.status, headers=problem.headers, media_type=PROBLEM_TYPE
    )


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form; of a field that is given several times, with blanks between.

    For ``Depends``, so that what handles a form need not be ``async``.
    """
    async with request.form(max_files=0, max_fields=200) as form:
        names = dict.fromkeys(form.keys())
        return {name: " ".join(str(one) for one in form.getlist(name)) for name in names}


Form: TypeAlias = Annotated[dict[str, str], Depends(form_of)]
"""The parameter of what handles a form that holds its fields."""

Before: TypeAlias = Annotated[int | None, Query(ge=1, le=GREATEST)]
"""The parameter of a page that shows a part of a list: entries with smaller numbers."""


def caller_of_form(request: Request, form: Mapping[str, str], scope: str) -> Caller:
    """Return who sends a form of one of our pages, and may do what it is for.

    Raises
    ------
    Problem
        403, if the form is of another page, or who sends it lacks the scope; 422, if a field holds
        what no store can keep.
    """
    check_csrf(request, form)
    check_scope(request, scope)
    check_fields(form)
    return Caller(request)


def check_fields(form: Mapping[str, str]) -> None:
    """Refuse a form with a NUL, which PostgreSQL cannot store.

    Raises
    ------
    Problem
        422, if there is one.
    """
    for name, value in form.items():
        if "\x00" in value:
            raise Problem(422, f"{name}: takes text without the character U+0000")


def see(url: str) -> RedirectResponse:
    """Answer a form with another page, so that loading that one again sends nothing."""
    return RedirectResponse(url, 303)


def number_of_form(form: Mapping[str, str], name: str = "id") -> int:
    """Return the number that a field holds.

    Raises
    ------
    Problem
        422, if it holds none that a row can have.
    """
    text = form.get(name, "")
    if not (text.isascii() and text.isdigit()) or len(text) > _LONGEST_NUMBER:
        raise Problem(422, f"{name}: takes a number")
    return int(text)
