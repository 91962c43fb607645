"""The rule files of a project, and their versions."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from hayflick.core.errors import ArgumentError, DataError
from hayflick.service.problems import Problem
from hayflick.service.requests import (
    GREATEST,
    Asking,
    Caller,
    Cursor,
    Limit,
    Listing,
    Name,
    existing,
    listing,
    number_of,
)
from hayflick.service.rule_files import LONGEST_RULES, put_rules, put_rules_off, rules_of_text
from hayflick.service.times import iso_time
from hayflick.storage.rules import (
    RuleVersion,
    check_rules_name,
    rule_version,
    rule_versions,
    rules_of,
)


class RulesView(BaseModel):
    """A version of a rule file."""

    name: str
    version: int
    active: bool = Field(description="Whether it decides now.")
    author: str
    created: str


class RulesText(RulesView):
    """A version of a rule file, with its text."""

    text: str


class RulesBody(BaseModel):
    """A rule file."""

    text: str = Field(max_length=LONGEST_RULES, description="The rule file, as TOML.")


def router() -> APIRouter:
    """Return this part of the interface."""
    routes = APIRouter(prefix="/v1", tags=["rules"])

    @routes.get("/rules", summary="List the rule files")
    def rules(asking: Asking) -> list[RulesView]:
        with asking.reading() as connection:
            return [_view(one) for one in rules_of(connection, asking.project)]

    @routes.get("/rules/{name}", summary="Show a rule file")
    def one(
        asking: Asking,
        name: Name,
        version: Annotated[
            int | None,
            Query(ge=1, le=GREATEST, description="A version; the last one where it is left out."),
        ] = None,
    ) -> RulesText:
        with asking.reading() as connection:
            if version is None:
                found = next(iter(_versions(asking, connection, name, None, 1)))
            else:
                _check_name(name)
                held = rule_version(connection, asking.project, name, version)
                found = existing(held, f"version {version} of the rule file {name!r}")
        return _with_text(found)

    @routes.get("/rules/{name}/versions", summary="List the versions of a rule file, newest first")
    def versions(
        asking: Asking, name: Name, cursor: Cursor = None, limit: Limit = 100
    ) -> Listing[RulesView]:
        with asking.reading() as connection:
            found = _versions(asking, connection, name, number_of(cursor), limit + 1)
        return listing(found, limit, place=lambda one: one.version, show=_view)

    @routes.put(
        "/rules/{name}",
        summary="Store a rule file, which decides from now on",
        description="The text is read first, and refused with a reason if it is no rule file. "
        "No file that it names is opened.",
    )
    def put(asking: Asking, name: Name, body: RulesBody) -> RulesText:
        try:
            check_rules_name(name)
            rules_of_text(body.text, name=name)
        except (ArgumentError, DataError) as fault:
            raise Problem(422, str(fault)) from None
        by = asking.principal.name
        stored = asking.write(
            lambda connection, now: put_rules(
                connection, asking.project, name, body.text, by=by, now=now
            )
        )
        return _with_text(stored)

    @routes.delete(
        "/rules/{name}",
        summary="Let a rule file decide nothing any more",
        description="Its versions stay.",
    )
    def switch_off(asking: Asking, name: Name) -> RulesText:
        def job(connection: sa.Connection, now: float) -> RuleVersion:
            by = asking.principal.name
            _versions(asking, connection, name, None, 1)
            put_rules_off(connection, asking.project, name, by=by, now=now)
            return _versions(asking, connection, name, None, 1)[0]

        return _with_text(asking.write(job))

    return routes


def _versions(
    asking: Caller, connection: sa.Connection, name: str, before: int | None, most: int
) -> list[RuleVersion]:
    """Return versions of a rule file that is there."""
    _check_name(name)
    found = rule_versions(connection, asking.project, name, before=before, most=most)
    return existing(found or None, f"rule file {name!r}") if before is None else found


def _check_name(name: str) -> None:
    try:
        check_rules_name(name)
    except ArgumentError:
        raise Problem(404, f"there is no rule file {name!r}") from None


def _view(found: RuleVersion) -> RulesView:
    return RulesView(
        name=found.name,
        version=found.version,
        active=found.active,
        author=found.author,
        created=iso_time(found.created),
    )


def _with_text(found: RuleVersion) -> RulesText:
    return RulesText(**_view(found).model_dump(), text=found.text)
