"""What the forms of pages share: their fields, and who may send them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse

from hayflick.service.access import check_csrf, check_scope
from hayflick.service.pages.rendering import form_of
from hayflick.service.problems import Problem
from hayflick.service.requests import Caller

_LONGEST_NUMBER = 18

Form: TypeAlias = Annotated[dict[str, str], Depends(form_of)]
"""The parameter of what handles a form that holds its fields."""


def caller_of_form(request: Request, form: Mapping[str, str], scope: str) -> Caller:
    """Return who sends a form of one of our pages, and may do what it is for.

    Raises
    ------
    Problem
        403, if the form is of another page, or who sends it lacks the scope.
    """
    check_csrf(request, form)
    check_scope(request, scope)
    return Caller(request)


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
