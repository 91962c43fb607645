"""The settings of streams: their rounds, their rules, reviews, and how long answers are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args
from urllib.parse import quote

import sqlalchemy as sa
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError

from hayflick.core.errors import ArgumentError
from hayflick.service.housekeeping import Erased, erase
from hayflick.service.pages.rendering import (
    Before,
    Form,
    caller_of_form,
    page_router,
    principal_of,
    render,
    see,
    service_of,
)
from hayflick.service.problems import Problem, first_fault
from hayflick.service.requests import Asking, Caller, existing
from hayflick.service.stream_settings import Kind, StreamSettings
from hayflick.service.streams import CHANGEABLE, put_stream, settings_of
from hayflick.service.times import seconds_of
from hayflick.storage.audit import audit_of, record_audit
from hayflick.storage.retention import Erasure
from hayflick.storage.rules import rules_of
from hayflick.storage.streams import StreamRow, check_stream_name, stream_named, streams_of

_ROUNDS = ("every", "time_zone", "baseline", "false_alarms", "capacity")
"""Settings of the readings that the page changes, as long as there are no answers."""

_SHOWN = ("charts", "form", "embedder", "tokenizer", "values", "metrics", "must_keep", "seed")
"""Those that it only shows: they are set through the API, or in the settings file."""

_MOST_ENTRIES = 100


def router() -> APIRouter:
    """Return the routes of the settings of streams, and of the log."""
    routes = page_router()

    @routes.get("/settings", response_model=None)
    def settings_page(
        request: Request, asking: Asking, name: str | None = None
    ) -> HTMLResponse | RedirectResponse:
        problem = ""
        if name is not None:
            try:
                check_stream_name(name)
                return see(f"{_url(name)}?new=1")
            except ArgumentError as fault:
                problem = str(fault)
        with asking.reading() as connection:
            found = streams_of(connection, asking.project)
        rows = [(stream, settings_of(stream)) for stream in found]
        values = {"rows": rows, "name": name or "", "problem": problem}
        return render(request, "settings.html.jinja", status=422 if problem else 200, **values)

    @routes.get("/settings/streams/{name}")
    def stream_page(request: Request, asking: Asking, name: str) -> HTMLResponse:
        stream = _stream(asking, name)
        if stream is None and "new" not in request.query_params:
            raise Problem(404, f"there is no stream {name!r}")
        defaults = service_of(request).settings.defaults
        settings = defaults if stream is None else settings_of(stream)
        return _page(request, asking, name, stream, typed(settings))

    @routes.post("/settings/streams/{name}", response_model=None)
    def change(
        request: Request, asking: Asking, name: str, form: Form
    ) -> HTMLResponse | RedirectResponse:
        caller = caller_of_form(request, form, "admin")
        stream = _stream(asking, name)
        defaults = service_of(request).settings.defaults
        before = defaults if stream is None else settings_of(stream)
        kind = form.get("kind", "answers") if stream is None else stream.kind
        try:
            settings = changed(before, form, measured=stream is not None and stream.answers > 0)
            _store(caller, name, kind, settings)
        except ValidationError as fault:
            problem = first_fault(fault.errors())
        except ArgumentError as fault:
            problem = str(fault)
        else:
            return see(f"{_url(name)}?stored=1")
        return _page(request, asking, name, stream, {**typed(before), **form}, problem=problem)

    @routes.post("/settings/streams/{name}/erase")
    def erase_some(request: Request, asking: Asking, name: str, form: Form) -> HTMLResponse:
        caller = caller_of_form(request, form, "admin")
        stream = existing(_stream(asking, name), f"stream {name!r}")
        values = typed(settings_of(stream))
        try:
            erased = _erase(caller, stream, form)
        except ArgumentError as fault:
            return _page(request, asking, name, stream, values, problem=str(fault))
        return _page(request, asking, name, stream, values, erased=erased)

    @routes.get("/settings/log")
    def log_page(request: Request, asking: Asking, before: Before = None) -> HTMLResponse:
        check_admin(request)
        with asking.reading() as connection:
            found = audit_of(connection, asking.project, before=before, most=_MOST_ENTRIES)
        further = found[-1].id if len(found) == _MOST_ENTRIES else None
        return render(request, "log.html.jinja", entries=found, further=further)

    return routes


def check_admin(request: Request) -> None:
    """Refuse a page that only admins see.

    Raises
    ------
    Problem
        403, if the user is none.
    """
    principal = principal_of(request)
    if not principal.may("admin"):
        raise Problem(403, f"{principal.name} lacks the scope admin: ask an admin for it")


def typed(settings: StreamSettings) -> dict[str, str]:
    """Return settings as the fields of their form.

    Examples
    --------
    >>> typed(StreamSettings(every=200, keep_sample=0.25))["keep_sample"]
    '25'
    """
    fields = {name: _field(getattr(settings, name)) for name in (*CHANGEABLE, *_ROUNDS)}
    return {**fields, "keep_sample": f"{100.0 * settings.keep_sample:g}"}


def changed(before: StreamSettings, form: Mapping[str, str], *, measured: bool) -> StreamSettings:
    """Return settings with what a form changes.

    Parameters
    ----------
    before
        The settings as they are.
    form
        The fields; what is missing stays as it is, but for the check box of ``keep_text``.
    measured
        Whether there are answers, so that only what changes no reading can change.

    Raises
    ------
    ValidationError
        If a field holds something else than it takes.
    """
    names = CHANGEABLE if measured else (*CHANGEABLE, *_ROUNDS)
    fields: dict[str, Any] = {name: form[name].strip() for name in names if name in form}
    fields["keep_text"] = form.get("keep_text", "") == "True"
    fields["rules"] = form.get("rules") or None
    if "capacity" in fields:
        fields["capacity"] = fields["capacity"] or None
    if "keep_sample" in fields:
        fields["keep_sample"] = _share(fields["keep_sample"])
    return StreamSettings.model_validate({**before.model_dump(), **fields})


def _share(percent: str) -> float | str:
    try:
        return float(percent) / 100.0
    except ValueError:
        return percent


def _field(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} = {number:g}" for name, number in value.items())
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _stream(asking: Caller, name: str) -> StreamRow | None:
    try:
        check_stream_name(name)
    except ArgumentError:
        raise Problem(404, f"there is no stream {name!r}") from None
    with asking.reading() as connection:
        return stream_named(connection, asking.project, name)


def _store(caller: Caller, name: str, kind: str, settings: StreamSettings) -> None:
    def job(connection: sa.Connection, now: float) -> None:
        of_service = caller.service.settings
        put_stream(
            connection,
            caller.project,
            name,
            kind=kind,
            settings=settings,
            most=of_service.limits.streams,
            now=now,
            embedders=of_service.embedders,
        )
        by = caller.principal.name
        record_audit(connection, caller.project, by, "stream changed", name, now=now)

    caller.write(job)


def _erase(caller: Caller, stream: StreamRow, form: Mapping[str, str]) -> Erased:
    """Erase the answers that a form is about.

    Raises
    ------
    ArgumentError
        If it has no condition, or a time that cannot be read.
    """
    key, group = (form.get(name, "").strip() or None for name in ("key", "group"))
    begins, ends = (
        seconds_of(form[name]) if form.get(name) else None for name in ("begins", "ends")
    )
    service = caller.service
    return erase(
        service.database,
        service.writer.write,
        stream,
        Erasure(key=key, group=group, begins=begins, ends=ends),
        actor=caller.principal.name,
        now=service.clock.now(),
    )


def _page(
    request: Request,
    asking: Caller,
    name: str,
    stream: StreamRow | None,
    fields: Mapping[str, str],
    *,
    problem: str = "",
    erased: Erased | None = None,
) -> HTMLResponse:
    with asking.reading() as connection:
        names = [one.name for one in rules_of(connection, asking.project) if one.active]
    service = service_of(request)
    settings = service.settings.defaults if stream is None else settings_of(stream)
    others = [(one, _field(getattr(settings, one))) for one in _SHOWN]
    return render(
        request,
        "stream_settings.html.jinja",
        status=422 if problem else 200,
        name=name,
        stream=stream,
        settings=settings,
        fields=fields,
        rule_names=names,
        kinds=get_args(Kind),
        others=others,
        declared=name in service.settings.streams,
        stored="stored" in request.query_params,
        problem=problem,
        erased=erased,
    )


def _url(name: str) -> str:
    return f"/settings/streams/{quote(name, safe='')}"
