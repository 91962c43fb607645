"""The page of the actions that rules have decided on, until someone says that they are done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from hayflick.core.records import ActionKind
from hayflick.report.language import Language
from hayflick.report.rules_decisions import action_text
from hayflick.service.access import local_target
from hayflick.service.pages.rendering import (
    Before,
    Form,
    caller_of_form,
    language_of,
    page_router,
    render,
    see,
)
from hayflick.service.problems import Problem
from hayflick.service.requests import Asking, Number, existing
from hayflick.storage.actions import ActionRow, actions_of, finish_action

_MOST_SHOWN = 50
_MOST_TEXTS = 20

State = Literal["open", "done", "all"]


@dataclass(frozen=True)
class ShownAction:
    """An action as the page shows it.

    Parameters
    ----------
    row
        The action.
    what
        What it is, in words.
    texts
        The first of its texts or prompts.
    more
        Number of its further texts.
    """

    row: ActionRow
    what: str
    texts: tuple[str, ...]
    more: int


def router() -> APIRouter:
    """Return the routes of the page of actions."""
    routes = page_router()

    @routes.get("/actions")
    def actions_page(
        request: Request,
        asking: Asking,
        state: State = "open",
        stream: str | None = None,
        before: Before = None,
    ) -> HTMLResponse:
        language = language_of(request)
        with asking.reading() as connection:
            found = actions_of(
                connection,
                asking.project,
                state=None if state == "all" else state,
                stream=asking.stream_number(connection, stream or None),
                before=before,
                most=_MOST_SHOWN,
            )
        shown = [_shown(row, language) for row in found]
        further = found[-1].id if len(found) == _MOST_SHOWN else None
        return render(
            request,
            "actions.html.jinja",
            actions=shown,
            state=state,
            stream=stream or "",
            further=further,
        )

    @routes.post("/actions/{number}/done")
    def done(request: Request, number: Number, form: Form) -> RedirectResponse:
        caller = caller_of_form(request, form, "review")
        changed = caller.write(
            lambda connection, now: finish_action(
                connection, caller.project, number, by=caller.principal.name, now=now
            )
        )
        existing(changed, f"action {number}")
        return see(local_target(form.get("back") or "/actions"))

    @routes.post("/actions/done")
    def all_done(request: Request, form: Form) -> RedirectResponse:
        caller = caller_of_form(request, form, "review")
        numbers = form.get("ids", "").split()[:_MOST_SHOWN]
        if not all(one.isascii() and one.isdigit() and len(one) < 19 for one in numbers):
            raise Problem(422, "ids: takes numbers of actions with blanks between them")

        def job(connection: sa.Connection, now: float) -> None:
            for number in numbers:
                by = caller.principal.name
                finish_action(connection, caller.project, int(number), by=by, now=now)

        caller.write(job)
        return see(local_target(form.get("back") or "/actions"))

    return routes


def _shown(row: ActionRow, language: Language) -> ShownAction:
    items = row.content.get("items")
    number = items if isinstance(items, int) else 0
    what = action_text(ActionKind(row.kind), items=number, language=language)
    texts = [str(one) for one in row.content.get("texts") or ()]
    return ShownAction(row, what, tuple(texts[:_MOST_TEXTS]), max(0, len(texts) - _MOST_TEXTS))
