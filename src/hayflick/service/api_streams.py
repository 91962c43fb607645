"""The streams of a project, their settings and their rounds."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from hayflick.core.errors import ArgumentError
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
    text_of,
)
from hayflick.service.settings import DeclaredStream
from hayflick.service.stream_settings import Kind, StreamSettings
from hayflick.service.streams import SettingsConflict, put_stream, settings_of
from hayflick.service.times import iso_time
from hayflick.storage.audit import record_audit
from hayflick.storage.readings import Headline
from hayflick.storage.rounds import RoundRow, round_numbered, rounds_of
from hayflick.storage.streams import StreamRow, streams_of


class Fall(BaseModel):
    """The number of a stream that lost most."""

    metric: str
    group: str = Field(description="Empty for all answers together.")
    loss: float | None = Field(description="Share of its baseline that it lost.")
    before: float | None
    now: float | None
    since: str | None = Field(description="Name of the round in which its change began.")


class StreamView(BaseModel):
    """A stream."""

    name: str
    kind: Kind
    created: str
    state: str = Field(description="baseline, healthy, falling, alarm or no reading")
    state_since: str | None
    silent_since: str | None = Field(description="Since when no answer has come; null if one has.")
    answers: int
    late: int = Field(description="Answers that came after their round was closed.")
    last_answer: str | None
    open_round: int
    open_answers: int
    measured_round: int = Field(description="The last round that was measured; 0 for none.")
    fall: Fall | None
    settings: StreamSettings


class RoundView(BaseModel):
    """A round of a stream."""

    number: int
    name: str
    begins: str | None = Field(description="Of a window of time.")
    ends: str | None
    status: str = Field(description="open, closed, measured or failed")
    answers: int
    late: int
    closed: str | None
    note: str | None = Field(description="Why it could not be measured.")


def router() -> APIRouter:
    """Return this part of the interface."""
    routes = APIRouter(prefix="/v1", tags=["streams"])

    @routes.get("/streams", summary="List the streams")
    def streams(asking: Asking, cursor: Cursor = None, limit: Limit = 100) -> Listing[StreamView]:
        with asking.reading() as connection:
            after = text_of(cursor) or ""
            found = streams_of(connection, asking.project, after=after, most=limit + 1)
        return listing(found, limit, place=lambda one: one.name, show=stream_view)

    @routes.get("/streams/{name}", summary="Show a stream")
    def stream(asking: Asking, name: Name) -> StreamView:
        with asking.reading() as connection:
            return stream_view(asking.stream(connection, name))

    @routes.put(
        "/streams/{name}",
        summary="Make a stream, or change its settings",
        description="Settings that are left out have their default. Once a stream has answers, "
        "those that its readings depend on stay as they are.",
        responses={409: {"description": "A setting cannot change any more."}},
    )
    def put(asking: Asking, name: Name, body: DeclaredStream) -> StreamView:
        settings = StreamSettings.model_validate(body.model_dump(exclude={"kind"}))

        def job(connection: sa.Connection, now: float) -> StreamRow:
            stored = put_stream(
                connection,
                asking.project,
                name,
                kind=body.kind,
                settings=settings,
                most=asking.service.settings.limits.streams,
                now=now,
                embedders=asking.service.settings.embedders,
            )
            actor = asking.principal.name
            record_audit(connection, asking.project, actor, "stream changed", name, now=now)
            return stored

        try:
            return stream_view(asking.write(job))
        except SettingsConflict as fault:
            raise Problem(409, str(fault)) from None
        except ArgumentError as fault:
            raise Problem(422, str(fault)) from None

    @routes.get("/streams/{name}/rounds", summary="List the rounds of a stream")
    def rounds(
        asking: Asking,
        name: Name,
        status: Annotated[str | None, Query(pattern="^(open|closed|measured|failed)$")] = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> Listing[RoundView]:
        with asking.reading() as connection:
            number = asking.stream(connection, name).id
            after = number_of(cursor) or 0
            found = rounds_of(connection, number, after=after, most=limit + 1, status=status)
        return listing(found, limit, place=lambda one: one.number, show=round_view)

    @routes.get("/streams/{name}/rounds/{number}", summary="Show a round of a stream")
    def one_round(asking: Asking, name: Name, number: Number) -> RoundView:
        with asking.reading() as connection:
            found = round_numbered(connection, asking.stream(connection, name).id, number)
        return round_view(existing(found, f"round {number} of the stream {name!r}"))

    return routes


def stream_view(stream: StreamRow) -> StreamView:
    """Return a stream as the interface shows it."""
    fall = None
    if stream.headline is not None:
        headline: Any = Headline.of(stream.headline)
        fall = Fall.model_validate(headline, from_attributes=True)
    return StreamView(
        name=stream.name,
        kind=stream.kind,  # type: ignore[arg-type]
        created=iso_time(stream.created),
        state=stream.state,
        state_since=iso_time(stream.state_since),
        silent_since=iso_time(stream.silent_since),
        answers=stream.answers,
        late=stream.late,
        last_answer=iso_time(stream.last_answer),
        open_round=stream.open_round,
        open_answers=stream.open_answers,
        measured_round=stream.measured_round,
        fall=fall,
        settings=settings_of(stream),
    )


def round_view(found: RoundRow) -> RoundView:
    """Return a round as the interface shows it."""
    return RoundView(
        number=found.number,
        name=found.name,
        begins=iso_time(found.begins),
        ends=iso_time(found.ends),
        status=found.status,
        answers=found.answers,
        late=found.late,
        closed=iso_time(found.closed),
        note=found.note,
    )
