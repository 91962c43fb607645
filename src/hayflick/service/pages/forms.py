"""What the forms of pages share: their fields, and who may send them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from fastapi import Depends, Query, Request
from fastapi.responses import RedirectResponse

from hayflick.service.access import check_csrf, check_scope
from hayflick.service.pages.rendering import form_of
from hayflick.service.problems import Problem
from hayflick.service.requests import GREATEST, Caller

_LONGEST_NUMBER = 18

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
