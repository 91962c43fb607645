"""The page of the answers to check: one after the other, and what the decisions prove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from hayflick.core.display_text import display_text
from hayflick.service.pages.rendering import (
    Form,
    caller_of_form,
    number_of_form,
    page_router,
    render,
    see,
)
from hayflick.service.problems import Problem
from hayflick.service.requests import Asking, Caller, existing
from hayflick.service.review_evidence import LIMIT, MOST_CHECKS, review_evidence
from hayflick.storage.reviews import (
    STATES,
    ReviewCounts,
    StoredReview,
    decide_review,
    last_decisions,
    review_counts,
    review_numbered,
    reviewed_rounds,
    reviews_of,
    undo_review,
)

LIMITS = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Shares of bad answers that a reader may choose as acceptable."""

_LONGEST_LINE, _MOST_LINES = 20_000, 2_000
_LAST_DECISIONS = 8


@dataclass(frozen=True, kw_only=True)
class ReviewSelection:
    """What of the queue is looked at; the addresses of the page carry it.

    Parameters
    ----------
    stream
        Name of the stream; empty for all.
    limit
        Share of bad answers that is acceptable.
    decided
        Number of the answer that was decided last, and by someone else; 0 for none.
    """

    stream: str = ""
    limit: float = LIMIT
    decided: int = 0

    @classmethod
    def of(cls, values: Mapping[str, str]) -> ReviewSelection:
        """Return the view that an address or a form names; what cannot be is left out."""
        known = {f"{limit:g}": limit for limit in LIMITS}
        number = values.get("decided", "")
        return cls(
            stream=values.get("stream", ""),
            limit=known.get(values.get("limit", ""), LIMIT),
            decided=int(number)
            if number.isascii() and number.isdigit() and len(number) < 19
            else 0,
        )

    def url(self, **changes: str | float) -> str:
        """Return the address of this view, but for some changes."""
        view = replace(self, **changes)  # type: ignore[arg-type]
        values = {"stream": view.stream, "decided": str(view.decided or "")}
        values["limit"] = "" if view.limit == LIMIT else f"{view.limit:g}"
        query = urlencode({name: value for name, value in values.items() if value})
        return f"/reviews?{query}" if query else "/reviews"


def router() -> APIRouter:
    """Return the routes of the review page."""
    routes = page_router()

    @routes.get("/reviews")
    def reviews_page(request: Request, asking: Asking) -> HTMLResponse:
        view = ReviewSelection.of(request.query_params)
        with asking.reading() as connection:
            asking.stream_number(connection, view.stream or None)
            counts = review_counts(connection, asking.project)
            values = _values(connection, asking, counts, view)
        return render(request, "reviews.html.jinja", counts=counts, view=view, **values)

    @routes.post("/reviews")
    def decide(request: Request, form: Form) -> RedirectResponse:
        caller, view = caller_of_form(request, form, "review"), ReviewSelection.of(form)
        number, state = number_of_form(form), form.get("state", "")
        if state not in STATES:
            raise Problem(422, f"state: takes one of {', '.join(STATES)}")
        decided = caller.write(
            lambda connection, now: decide_review(
                connection, caller.project, number, state, by=caller.principal.name, now=now
            )
        )
        row = existing(decided, f"answer {number} to check")
        return see(view.url(decided=0 if row.state == state else row.id))

    @routes.post("/reviews/undo")
    def undo(request: Request, form: Form) -> RedirectResponse:
        caller, view = caller_of_form(request, form, "review"), ReviewSelection.of(form)

        def job(connection: sa.Connection, now: float) -> StoredReview | None:
            stream = caller.stream_number(connection, view.stream or None)
            by = caller.principal.name
            return undo_review(connection, caller.project, by=by, now=now, stream=stream)

        caller.write(job)
        return see(view.url(decided=0))

    return routes


def _values(
    connection: sa.Connection, asking: Caller, counts: Sequence[ReviewCounts], view: ReviewSelection
) -> dict[str, Any]:
    """Return the next answer, what was decided, and what that proves."""
    project = asking.project
    number = next((one.stream.id for one in counts if one.stream.name == view.stream), None)
    if view.stream and number is None:
        waiting: list[StoredReview] = []
    else:
        waiting = reviews_of(connection, project, state="pending", stream=number, most=1)
    row = waiting[0] if waiting else None
    last = last_decisions(connection, project, stream=number, most=_LAST_DECISIONS)
    shown = row or (last[0] if last else None)
    evidence = None
    if shown is not None:
        evidence = review_evidence(reviewed_rounds(connection, shown.stream), limit=view.limit)
    other = review_numbered(connection, project, view.decided) if view.decided else None
    mine = [one for one in last if one.decided_by == asking.principal.name]
    return {
        "row": row,
        "lines": [] if row is None else shown_lines(row.text),
        "prompt_lines": [] if row is None or not row.prompt else shown_lines(row.prompt),
        "last": last,
        "undoable": bool(mine),
        "judged": "" if shown is None else shown.stream_name,
        "found": evidence,
        "other": other if other is not None and other.state != "pending" else None,
        "limits": LIMITS,
        "most_checks": MOST_CHECKS,
    }


def shown_lines(text: str) -> list[str]:
    r"""Return the lines of a text that a person is to read whole, each safe to show.

    Examples
    --------
    >>> shown_lines("It rains.\r\n\x1b[31mIt snows.\n")
    ['It rains.', '�[31mIt snows.', '']
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [display_text(line, longest=_LONGEST_LINE) for line in lines[:_MOST_LINES]]
