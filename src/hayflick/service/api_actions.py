"""What rules have decided on, until someone has carried it out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from hayflick.service.requests import (
    Asking,
    Cursor,
    Limit,
    Listing,
    Number,
    existing,
    listing,
    number_of,
)
from hayflick.service.times import iso_time
from hayflick.storage.actions import ActionRow, action_numbered, actions_of, finish_action


class ActionView(BaseModel):
    """An action that a rule has decided on."""

    number: int
    stream: str
    round: int
    group: str = Field(description="Empty for all answers together.")
    kind: str = Field(description="inject, vary_prompts, review or notify")
    state: str = Field(description="open or done")
    content: dict[str, Any] = Field(description="Reason, items, rounds and texts.")
    created: str
    done: str | None
    done_by: str | None


State = Annotated[Literal["open", "done"] | None, Query(description="Only those in this state.")]
Stream = Annotated[
    str | None, Query(min_length=1, max_length=200, description="Only those of this stream.")
]


def router() -> APIRouter:
    """Return this part of the interface."""
    routes = APIRouter(prefix="/v1", tags=["actions"])

    @routes.get("/actions", summary="List the actions, the newest first")
    def actions(
        asking: Asking,
        state: State = None,
        stream: Stream = None,
        kind: Annotated[
            Literal["inject", "vary_prompts", "review", "notify"] | None, Query()
        ] = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> Listing[ActionView]:
        with asking.reading() as connection:
            found = actions_of(
                connection,
                asking.project,
                state=state,
                stream=asking.stream_number(connection, stream),
                kind=kind,
                before=number_of(cursor),
                most=limit + 1,
            )
        return listing(found, limit, place=lambda one: one.id, show=_view)

    @routes.get("/actions/{number}", summary="Show an action")
    def action(asking: Asking, number: Number) -> ActionView:
        with asking.reading() as connection:
            found = action_numbered(connection, asking.project, number)
        return _view(existing(found, f"action {number}"))

    @routes.post(
        "/actions/{number}/done",
        summary="Say that an action was carried out",
        description="Who says so first stays; to say it again changes nothing.",
    )
    def done(asking: Asking, number: Number) -> ActionView:
        found = asking.write(
            lambda connection, now: finish_action(
                connection, asking.project, number, by=asking.principal.name, now=now
            )
        )
        return _view(existing(found, f"action {number}"))

    return routes


def _view(action: ActionRow) -> ActionView:
    return ActionView(
        number=action.id,
        stream=action.stream_name,
        round=action.round,
        group=action.group,
        kind=action.kind,
        state=action.state,
        content=dict(action.content),
        created=iso_time(action.created),
        done=iso_time(action.done),
        done_by=action.done_by,
    )
