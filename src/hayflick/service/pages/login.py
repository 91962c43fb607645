"""The pages for signing in and out, and for the first user of a new store."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import sqlalchemy as sa
from fastapi import APIRouter, Request
from fastapi.responses import Response

from hayflick.core.errors import ArgumentError
from hayflick.report.drawing import start_renderer
from hayflick.report.language import Language
from hayflick.service.access import (
    check_csrf,
    clear_session,
    local_target,
    session_cookie,
    set_session,
)
from hayflick.service.pages.rendering import (
    LANGUAGES,
    Form,
    check_fields,
    language_of,
    page_environment,
    render,
    see,
    service_of,
)
from hayflick.service.problems import Problem
from hayflick.service.service import Service
from hayflick.storage.accounts import (
    SCOPES,
    User,
    check_password,
    create_session,
    create_user,
    end_session,
    has_user,
    hash_password,
    principal_of_token,
)
from hayflick.storage.audit import record_audit


def log_in(service: Service, name: str, password: str, *, address: str) -> tuple[str, str]:
    """Return the cookie of a new session, and what its forms must hold.

    Parameters
    ----------
    service
        The service.
    name, password
        What was typed.
    address
        Where the request comes from.

    Raises
    ------
    Problem
        401 if they do not belong together, 429 after too many failures.
    """
    now = service.clock.now()
    name = name[:200]
    _check_wait(service, name, address, now=now)
    with _turn(service):
        # Those that were sent at the same moment have failed by now.
        _check_wait(service, name, address, now=now)
        with service.database.connect() as connection:
            user = check_password(connection, name, password)
        if user is None:
            service.throttle.failed(name, address, now=now)
            raise Problem(401, "the name and the password do not belong together")
    service.throttle.succeeded(name, address)
    return _begin_session(service, user, "logged in")


def set_up(
    service: Service, token: str, name: str, password: str, *, address: str
) -> tuple[str, str]:
    """Return the session of the first user, who is made with a token of the scope admin.

    Raises
    ------
    Problem
        401 if the token is none, 409 if there is a user already, 422 if the name or the password
        cannot be one, 429 after too many failures.
    """
    now = service.clock.now()
    _check_wait(service, "", address, now=now)
    with service.database.connect() as connection:
        principal = principal_of_token(connection, token.strip())
        done = has_user(connection)
    if done:
        raise Problem(409, "the dashboard has a user already: log in")
    if principal is None or not principal.may("admin"):
        service.throttle.failed("", address, now=now)
        raise Problem(401, "this is no token of the scope admin")
    try:
        with _turn(service):
            hashed = hash_password(password)
        user = service.writer.write(
            lambda connection: create_user(
                connection, principal.project, name=name, hashed=hashed, scopes=SCOPES, now=now
            )
        )
    except ArgumentError as fault:
        raise Problem(422, str(fault)) from None
    return _begin_session(service, user, "set up the dashboard")


def log_out(service: Service, cookie: str) -> None:
    """End a session."""
    service.writer.write(lambda connection: end_session(connection, cookie))


@contextmanager
def _turn(service: Service) -> Iterator[None]:
    """Wait for a turn, for every password takes time and memory; refuse where many wait."""
    throttle = service.throttle
    if not throttle.places.acquire(blocking=False):
        detail = "many are logging in at this moment: try again in a second"
        raise Problem(429, detail, headers={"Retry-After": "1"})
    try:
        with throttle.slots:
            yield
    finally:
        throttle.places.release()


def _check_wait(service: Service, name: str, address: str, *, now: float) -> None:
    wait = service.throttle.wait_s(name, address, now=now)
    if wait > 0:
        seconds = int(wait) + 1
        detail = f"too many wrong passwords: try again in {seconds} seconds"
        raise Problem(429, detail, headers={"Retry-After": str(seconds)})


def _begin_session(service: Service, user: User, action: str) -> tuple[str, str]:
    now = service.clock.now()

    def job(connection: sa.Connection) -> tuple[str, str]:
        record_audit(connection, user.project, user.name, action, "", now=now)
        return create_session(connection, user, now=now)

    return service.writer.write(job)


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
