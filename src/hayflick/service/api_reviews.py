"""Answers that people check: the queue, and their decisions."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from hayflick.monitor.acceptance import Stratum, acceptance
from hayflick.service.api_actions import Stream
from hayflick.service.problems import Problem
from hayflick.service.requests import (
    Asking,
    Cursor,
    Limit,
    Listing,
    Name,
    Number,
    existing,
    listing,
    number_of,
)
from hayflick.service.review_evidence import LIMIT, ReviewEvidence, review_evidence
from hayflick.service.times import iso_time
from hayflick.storage.reviews import (
    StoredReview,
    decide_review,
    review_numbered,
    reviewed_rounds,
    reviews_of,
)


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


class DecisionBody(BaseModel):
    """What somebody has decided about an answer."""

    decision: Literal["accepted", "rejected", "unsure", "pending"] = Field(
        description="`pending` takes a decision back."
    )


class ReviewEvidenceView(BaseModel):
    """What the decisions about a stream's answers prove."""

    limit: float = Field(description="Share of bad answers that is acceptable.")
    decision: Literal["accept", "reject", "go on"] = Field(
        description="accept: at most `limit` are bad; reject: more are; go on: neither is proven."
    )
    high: float = Field(
        description="Upper bound of the share of bad answers, which holds at every look; "
        "unsure counts as bad."
    )
    low: float = Field(description="Lower bound; unsure counts as good.")
    share: float | None = Field(description="Share of the answers that were rejected.")
    checked: int
    rejected: int
    unsure: int
    more_if_none_bad: int | None = Field(
        description="Checks still needed for `accept` if none is bad; null if more than 300."
    )
    more_as_so_far: int | None = Field(description="The same if as many are bad as so far.")
    rounds: int = Field(description="Rounds that are judged: the last ones that were checked.")
    first: str | None = Field(description="Name of the first of them.")
    last: str | None
    answers: int = Field(description="Answers in them.")


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
    def decide(asking: Asking, number: Number, body: DecisionBody) -> ReviewView:
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

    @routes.get(
        "/streams/{name}/review", summary="Say what the decisions about a stream's answers prove"
    )
    def evidence(
        asking: Asking,
        name: Name,
        limit: Annotated[
            float, Query(ge=0.001, le=0.5, description="Share of bad answers that is acceptable.")
        ] = LIMIT,
    ) -> ReviewEvidenceView:
        with asking.reading() as connection:
            rounds = reviewed_rounds(connection, asking.stream(connection, name).id)
        return _evidence(review_evidence(rounds, limit=limit), limit)

    return routes


def _evidence(found: ReviewEvidence | None, limit: float) -> ReviewEvidenceView:
    # Before the first decision, everything is possible.
    state = acceptance([Stratum([])], limit=limit, most=0) if found is None else found.acceptance
    return ReviewEvidenceView(
        limit=limit,
        decision=state.decision.value,
        high=state.high,
        low=state.low,
        share=state.share,
        checked=state.checked,
        rejected=state.bad,
        unsure=0 if found is None else found.unsure,
        more_if_none_bad=state.more_if_none_bad,
        more_as_so_far=state.more_as_so_far,
        rounds=0 if found is None else found.rounds,
        first=None if found is None else found.first,
        last=None if found is None else found.last,
        answers=0 if found is None else found.answers,
    )


def _view(review: StoredReview) -> ReviewView:
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
