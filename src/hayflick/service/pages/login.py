"""The pages for signing in and out, and for the first user of a new store."""

from __future__ import annotations

import threading
from functools import cache

from fastapi import APIRouter, Request
from fastapi.responses import Response

from hayflick.report.drawing import start_renderer
from hayflick.report.language import Language
from hayflick.service.access import (
    check_csrf,
    clear_session,
    local_target,
    session_cookie,
    set_session,
)
from hayflick.service.logins import log_in, log_out, set_up
from hayflick.service.pages.forms import Form, check_fields, see
from hayflick.service.pages.rendering import (
    LANGUAGES,
    language_of,
    page_environment,
    render,
    service_of,
)
from hayflick.service.problems import Problem
from hayflick.storage.accounts import has_user


def router() -> APIRouter:
    """Return the routes of the pages that need no session."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/login")
    def login_page(request: Request) -> Response:
        if not _has_user(request):
            return see("/setup")
        _prepare()
        return render(request, "login.html.jinja", name="", problem="")

    @routes.post("/login")
    def login(request: Request, form: Form) -> Response:
        name, password = form.get("name", ""), form.get("password", "")
        try:
            check_fields(form)
            cookie, _ = log_in(service_of(request), name, password, address=_address(request))
        except Problem as problem:
            return _once_more(request, "login.html.jinja", problem, name=name)
        return _signed_in(request, cookie, local_target(request.query_params.get("next")))

    @routes.get("/setup")
    def setup_page(request: Request) -> Response:
        if _has_user(request):
            return see("/login")
        _prepare()
        return render(request, "setup.html.jinja", name="", token="", problem="")

    @routes.post("/setup")
    def setup(request: Request, form: Form) -> Response:
        name, token = form.get("name", ""), form.get("token", "")
        try:
            check_fields(form)
            if form.get("password") != form.get("again"):
                raise Problem(422, "the two passwords differ")
            cookie, _ = set_up(
                service_of(request),
                token,
                name,
                form.get("password", ""),
                address=_address(request),
            )
        except Problem as problem:
            if problem.status == 409:
                return see("/login")
            return _once_more(request, "setup.html.jinja", problem, name=name, token=token)
        return _signed_in(request, cookie, "/")

    @routes.post("/logout")
    def logout(request: Request, form: Form) -> Response:
        check_csrf(request, form)
        log_out(service_of(request), session_cookie(request))
        response = see("/login")
        clear_session(request, response)
        return response

    return routes


@cache
def _prepare() -> None:
    """Begin to make ready what the first page takes, while somebody types a password; once."""
    threading.Thread(target=_prepare_pages, name="hayflick pages", daemon=True).start()


def _prepare_pages() -> None:
    start_renderer()
    for code in LANGUAGES:
        environment = page_environment(Language(code))
        for name in environment.list_templates(filter_func=_is_of_streams):
            environment.get_template(name)


def _is_of_streams(name: str) -> bool:
    return name.startswith(("overview", "stream", "watch_", "macros", "plot", "layout"))


def _has_user(request: Request) -> bool:
    with service_of(request).database.connect() as connection:
        return has_user(connection)


def _signed_in(request: Request, cookie: str, target: str) -> Response:
    response = see(target)
    set_session(request, response, cookie)
    return response


def _address(request: Request) -> str:
    return "" if request.client is None else request.client.host


def _once_more(request: Request, template: str, problem: Problem, **values: str) -> Response:
    """Show a form again, with what was wrong."""
    said = _said(problem, language_of(request))
    page = render(request, template, status=problem.status, problem=said, **values)
    page.headers.update(problem.headers)
    return page


def _said(problem: Problem, language: Language) -> str:
    """Return what is wrong in the reader's language, where it is one of the usual things."""
    text = language.text
    usual = {
        "the name and the password do not belong together": text(
            "The name and the password do not belong together."
        ),
        "this is no token of the scope admin": text("This is no token of the scope admin."),
        "the two passwords differ": text("The two passwords differ."),
    }
    if problem.status == 429:
        return text(
            "Too many wrong passwords: try again in {seconds} seconds.",
            seconds=problem.headers.get("Retry-After", "60"),
        )
    return usual.get(problem.detail, problem.detail)
