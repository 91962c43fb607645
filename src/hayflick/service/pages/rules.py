"""The pages of rule files: what they say, their versions, and what they would have decided."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from hayflick.core.errors import ArgumentError, DataError, HayflickError
from hayflick.core.toml import parse_toml
from hayflick.monitor.check_rules import check_rules
from hayflick.report.language import Language
from hayflick.report.rendering import sentences
from hayflick.report.rules_check import watch_rows
from hayflick.report.rules_decisions import decisions_rows
from hayflick.rules.rule_set import RuleSet
from hayflick.service.access import check_csrf
from hayflick.service.pages.rendering import (
    Form,
    caller_of_form,
    check_fields,
    language_of,
    page_router,
    principal_of,
    render,
    see,
)
from hayflick.service.problems import Problem
from hayflick.service.requests import Asking, Caller, existing
from hayflick.service.rule_files import (
    RuleTrial,
    put_rules,
    put_rules_off,
    rules_of_text,
    strip,
    try_rules,
)
from hayflick.service.streams import settings_of
from hayflick.storage.rules import (
    RuleVersion,
    check_rules_name,
    rule_version,
    rule_versions,
    rules_of,
)
from hayflick.storage.streams import StreamRow, streams_of

_TEMPLATE = "rules_check.jinja"
_MOST_VERSIONS, _MOST_ROWS, _MOST_TRIED = 50, 100, 20
_MOST_LINES = 2000
"""Lines of which it is shown what has changed."""
_SECONDS_TO_WAIT = 2.0

EXAMPLE = """\
# What is decided about the readings of a stream. observe: decisions are listed; warn: someone is
# told; act: everything is done.
format_version = 1
mode = "warn"
baseline = 10

[[watch]]
name = "variety falls"
metric = "spread"
chart = "guaranteed:tolerance=0.05"
actions = ["tell the team"]

[[watch]]
name = "answers repeat"
metric = "duplicate_rate"
above = 0.2
confirm = { needed = 2, of = 3 }
cool_down = 5
actions = ["tell the team"]

[[action]]
name = "tell the team"
kind = "notify"
message = "Look at the last answers."
"""
"""What a new rule file begins with."""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What a rule file says.

    Parameters
    ----------
    introduction, actions, warnings
        Sentences.
    watches
        What is watched, its limit, by how many readings an alarm is confirmed, and what is done.
    """

    introduction: Sequence[str]
    watches: Sequence[tuple[str, str, str, str]]
    actions: Sequence[str]
    warnings: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class ShownTrial:
    """What rules would have decided about a stream, as the page shows it.

    Parameters
    ----------
    trial
        What was tried; None if the stream has no readings yet.
    stream
        Name of the stream.
    rows
        Round, what is done, and the reason, of the last decisions.
    more
        Number of the earlier ones.
    strip
        The rounds as parts of a strip.
    warnings
        Sentences.
    """

    stream: str
    trial: RuleTrial | None = None
    rows: Sequence[tuple[str, str, str]] = ()
    more: int = 0
    strip: Sequence[str] = ()
    warnings: Sequence[str] = ()


def router() -> APIRouter:
    """Return the routes of the pages of rules."""
    routes = page_router()
    # It takes the processor, which answers wait for too.
    trying = threading.BoundedSemaphore(1)

    @routes.get("/rules", response_model=None)
    def rules_page(
        request: Request, asking: Asking, name: str | None = None
    ) -> HTMLResponse | RedirectResponse:
        if name is not None:
            try:
                check_rules_name(name)
            except ArgumentError as fault:
                return _listed(request, asking, name=name, problem=str(fault), status=422)
            return see(f"/rules/{quote(name, safe='')}?new=1")
        return _listed(request, asking)

    @routes.get("/rules/{name}")
    def one(
        request: Request, asking: Asking, name: str, version: int | None = None
    ) -> HTMLResponse:
        return _page(request, asking, name, version=version, new="new" in request.query_params)

    @routes.post("/rules/{name}", response_model=None)
    def tried_or_stored(
        request: Request, asking: Asking, name: str, form: Form
    ) -> HTMLResponse | RedirectResponse:
        check_csrf(request, form)
        check_fields(form)
        text = form.get("text", "").replace("\r\n", "\n")
        if not trying.acquire(timeout=_SECONDS_TO_WAIT):
            detail = "somebody else's rules are being tried: send them again in a moment"
            raise Problem(429, detail, headers={"Retry-After": "10"})
        try:
            return _answer(request, asking, name, text, form)
        finally:
            trying.release()

    @routes.post("/rules/{name}/off")
    def off(request: Request, name: str, form: Form) -> RedirectResponse:
        caller = caller_of_form(request, form, "admin")
        _check_name(name)
        by = caller.principal.name
        caller.write(
            lambda connection, now: put_rules_off(connection, caller.project, name, by=by, now=now)
        )
        return see(_url(name))

    return routes


def _answer(
    request: Request, asking: Caller, name: str, text: str, form: Mapping[str, str]
) -> HTMLResponse | RedirectResponse:
    """Answer with what is wrong with a text, what it would have decided, or that it is stored."""
    _check_name(name)
    try:
        rule_set = rules_of_text(text, name=name)
        if form.get("do") == "store":
            return _stored(request, form, name, text)
    except (ArgumentError, DataError) as fault:
        return _page(request, asking, name, text=text, problem=str(fault), new=True)
    trials = None
    if form.get("do") == "try":
        trials = _tried(request, asking, rule_set, form.get("stream", ""))
    return _page(request, asking, name, text=text, rule_set=rule_set, trials=trials, new=True)


def _listed(
    request: Request, asking: Caller, *, name: str = "", problem: str = "", status: int = 200
) -> HTMLResponse:
    with asking.reading() as connection:
        found = rules_of(connection, asking.project)
        users = _users_of_rules(streams_of(connection, asking.project))
    rows = [(one, _mode(one.text), users.get(one.name, [])) for one in found]
    return render(request, "rules.html.jinja", status=status, rows=rows, name=name, problem=problem)


def _page(
    request: Request,
    asking: Caller,
    name: str,
    *,
    version: int | None = None,
    new: bool = False,
    text: str | None = None,
    rule_set: RuleSet | None = None,
    trials: Sequence[ShownTrial] | None = None,
    problem: str = "",
) -> HTMLResponse:
    """Answer with a rule file: what is typed, or a version of it."""
    language = language_of(request)
    _check_name(name)
    with asking.reading() as connection:
        versions, shown = _versions(connection, asking.project, name, version)
        streams = streams_of(connection, asking.project)
        before = None
        if shown is not None and shown.version > 1:
            before = rule_version(connection, asking.project, name, shown.version - 1)
    if shown is None and not new:
        raise Problem(404, f"there is no rule file {name!r}")
    typed = text is not None
    if text is None:
        text = EXAMPLE if shown is None else shown.text
    if not typed and shown is not None:
        rule_set, problem = _read(name, shown.text)
    return render(
        request,
        "rule_file.html.jinja",
        status=422 if problem and typed else 200,
        name=name,
        shown=shown,
        versions=versions,
        typed=typed,
        file_text=text,
        problem=problem,
        explained=None if rule_set is None else explained(rule_set, language),
        trials=trials,
        difference=[] if shown is None or before is None else difference(before.text, shown.text),
        streams=[one.name for one in streams],
        users=_users_of_rules(streams).get(name, []),
        may_store=principal_of(request).may("admin"),
    )


def _check_name(name: str) -> None:
    try:
        check_rules_name(name)
    except ArgumentError:
        raise Problem(404, f"there is no rule file {name!r}") from None


def _versions(
    connection: sa.Connection, project: int, name: str, version: int | None
) -> tuple[list[RuleVersion], RuleVersion | None]:
    """Return the last versions, and the one to be shown; None if there is no such file."""
    versions = rule_versions(connection, project, name, most=_MOST_VERSIONS)
    if version is None:
        return versions, next((one for one in versions if one.active), (*versions, None)[0])
    found = None
    if 0 < version < 2**63:
        found = rule_version(connection, project, name, version)
    return versions, existing(found, f"version {version} of the rule file {name!r}")


def _stored(request: Request, form: Mapping[str, str], name: str, text: str) -> RedirectResponse:
    caller = caller_of_form(request, form, "admin")
    by = caller.principal.name
    caller.write(
        lambda connection, now: put_rules(connection, caller.project, name, text, by=by, now=now)
    )
    return see(_url(name))


def _url(name: str) -> str:
    return f"/rules/{quote(name, safe='')}"


@lru_cache(maxsize=64)
def _read(name: str, text: str) -> tuple[RuleSet | None, str]:
    """Return the rules of a stored text, or why an earlier version's cannot be read any more."""
    try:
        return rules_of_text(text, name=name), ""
    except DataError as fault:
        return None, str(fault)


def _mode(text: str) -> str:
    # What the limits of charts are takes longer, and does not matter here.
    return str(parse_toml(text, name="rules").get("mode", ""))


def _users_of_rules(streams: Sequence[StreamRow]) -> dict[str, list[str]]:
    """Return the names of the streams that each rule file decides about."""
    users: dict[str, list[str]] = {}
    for stream in streams:
        name = settings_of(stream).rules
        if name is not None:
            users.setdefault(name, []).append(stream.name)
    return users


@lru_cache(maxsize=64)
def explained(rule_set: RuleSet, language: Language) -> Explanation:
    """Return what rules say, in the words of the reports."""
    rules, prompts = rule_set.rules, rule_set.resources.prompts
    checked = check_rules(rule_set)
    return Explanation(
        introduction=sentences(_TEMPLATE, "introduction", language, rules=rules),
        watches=watch_rows(rules.watch, language),
        actions=sentences(_TEMPLATE, "actions", language, rules=rules, prompts=prompts),
        warnings=[
            *sentences(_TEMPLATE, "warnings", language, found=checked.warnings),
            *checked.problems,
        ],
    )


def difference(before: str, after: str) -> list[tuple[str, str]]:
    r"""Return what has changed between the first lines of two texts, and what each line is.

    Examples
    --------
    >>> difference("a\nb\n", "a\nc\n")[1:]
    [('same', ' a'), ('removed', '-b'), ('added', '+c')]
    """
    kinds = {"+": "added", "-": "removed", "@": "place"}
    # The time that it takes grows with the square of the lines.
    old, new = (text.splitlines()[:_MOST_LINES] for text in (before, after))
    lines = difflib.unified_diff(old, new, lineterm="", n=3)
    return [(kinds.get(line[:1], "same"), line) for line in list(lines)[2:]]


def _tried(request: Request, asking: Caller, rule_set: RuleSet, stream: str) -> list[ShownTrial]:
    """Return what rules would have decided about one stream, or about all that they are for."""
    language = language_of(request)
    with asking.reading() as connection:
        if stream:
            chosen = [asking.stream(connection, stream)]
        else:
            chosen = [
                one
                for one in streams_of(connection, asking.project)
                if settings_of(one).rules == rule_set.name
            ]
    return [_trial(asking, rule_set, one, language) for one in chosen[:_MOST_TRIED]]


def _trial(asking: Caller, rule_set: RuleSet, stream: StreamRow, language: Language) -> ShownTrial:
    from hayflick.service.stored_watch import stored_watch

    result = stored_watch(asking.service.database, stream)
    if result is None:
        return ShownTrial(stream=stream.name)
    try:
        trial = try_rules(rule_set, result, stream=stream.name)
    except HayflickError as fault:
        return ShownTrial(stream=stream.name, warnings=[str(fault)])
    rows = decisions_rows(trial.decisions, rounds=trial.rounds, language=language)
    named: dict[str, Any] = {"found": trial.warnings}
    return ShownTrial(
        stream=stream.name,
        trial=trial,
        rows=rows[-_MOST_ROWS:],
        more=max(0, len(rows) - _MOST_ROWS),
        strip=strip(trial),
        warnings=sentences(_TEMPLATE, "warnings", language, **named),
    )
