"""Answers that people check: the queue, and their decisions."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from hayflick.service.api_actions import Stream
from hayflick.service.problems import Problem
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
from hayflick.storage.reviews import ReviewRow, decide_review, review_numbered, reviews_of


class ReviewView(BaseModel):
    """An answer to check."""

    number: int
    stream: str
    round: int
    round_name: str
    key: str = Field(description="The answer's key.")
    group: str
    prompt: str | None
    text: str
    size: int = Field(description="Answers that it was drawn from.")
    drawn: int = Field(description="How many were drawn.")
    state: str = Field(description="pending, accepted, rejected or unsure")
    created: str
    decided: str | None
    decided_by: str | None


class Decision(BaseModel):
    """What somebody has decided about an answer."""

    decision: Literal["accepted", "rejected", "unsure", "pending"] = Field(
        description="`pending` takes a decision back."
    )


def router() -> APIRouter:
    """Return this part of the interface."""
    routes = APIRouter(prefix="/v1", tags=["reviews"])

    @routes.get("/reviews", summary="List the answers to check, in their order")
    def reviews(
        asking: Asking,
        state: Annotated[
            Literal["pending", "accepted", "rejected", "unsure"] | None, Query()
        ] = None,
        stream: Stream = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> Listing[ReviewView]:
        with asking.reading() as connection:
            found = reviews_of(
                connection,
                asking.project,
                state=state,
                stream=asking.stream_number(connection, stream),
                after=number_of(cursor) or 0,
                most=limit + 1,
            )
        return listing(found, limit, place=lambda one: one.id, show=_view)

    @routes.get("/reviews/{number}", summary="Show an answer to check")
    def review(asking: Asking, number: Number) -> ReviewView:
        with asking.reading() as connection:
            found = review_numbered(connection, asking.project, number)
        return _view(existing(found, f"answer {number} in the queue"))

    @routes.post(
        "/reviews/{number}",
        summary="Decide about an answer",
        responses={409: {"description": "Somebody has decided otherwise before."}},
    )
    def decide(asking: Asking, number: Number, body: Decision) -> ReviewView:
        found = asking.write(
            lambda connection, now: decide_review(
                connection, asking.project, number, body.decision, by=asking.principal.name, now=now
            )
        )
        found = existing(found, f"answer {number} in the queue")
        if found.state != body.decision:
            detail = f"{found.decided_by} has decided: {found.state}; take it back first (pending)"
            raise Problem(409, detail)
        return _view(found)

    return routes


def _view(review: ReviewRow) -> ReviewView:
    return ReviewView(
        number=review.id,
        stream=review.stream_name,
        round=review.round,
        round_name=review.round_name,
        key=review.key,
        group=review.group,
        prompt=review.prompt,
        text=review.text,
        size=review.size,
        drawn=review.drawn,
        state=review.state,
        created=iso_time(review.created),
        decided=iso_time(review.decided),
        decided_by=review.decided_by,
    )
