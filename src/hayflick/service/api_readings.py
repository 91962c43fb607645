"""What was measured of a stream: readings, verdicts of its charts, and its hours and days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from hayflick.monitor.round_summary import RoundSummary
from hayflick.service.requests import (
    Asking,
    Cursor,
    Limit,
    Listing,
    Name,
    cursor_of,
    listing,
    number_of,
)
from hayflick.service.times import iso_time
from hayflick.storage.readings import (
    RollupRow,
    readings_of_stream,
    rollups_of_stream,
    verdicts_of_stream,
)
from hayflick.storage.rounds import RoundRow, rounds_of
from hayflick.storage.streams import StreamRow


class ReadingView(BaseModel):
    """The numbers of a round and a group; one that could not be measured is absent."""

    round: int
    round_name: str
    group: str = Field(description="Empty for all answers together.")
    values: dict[str, float]


class VerdictView(BaseModel):
    """What a chart says of a round."""

    round: int
    round_name: str
    metric: str
    group: str
    chart: str
    state: str = Field(description="healthy or alarm")
    value: float | None
    statistic: float | None
    limit: float | None
    evidence: float | None = Field(description="Odds against a healthy stream.")
    since: int | None = Field(description="The round in which the change began.")


class RollupView(BaseModel):
    """An hour or a day of a stream, merged from its rounds."""

    begins: str
    rounds: int
    answers: int
    values: dict[str, float] = Field(description="Numbers of all its answers together.")


Group = Annotated[
    str | None,
    Query(max_length=1000, description="Only this group; empty for all answers together."),
]
Rounds = Annotated[int, Query(ge=1, le=1000, description="How many rounds at most.")]


def router() -> APIRouter:
    """Return this part of the interface."""
    routes = APIRouter(prefix="/v1/streams", tags=["streams"])

    @routes.get("/{name}/readings", summary="List the readings of a stream by round and group")
    def readings(
        asking: Asking, name: Name, group: Group = None, cursor: Cursor = None, limit: Rounds = 100
    ) -> Listing[ReadingView]:
        with asking.reading() as connection:
            stream = asking.stream(connection, name)
            names, after, last, following = _rounds(connection, stream, cursor, limit)
            found = readings_of_stream(
                connection, stream.id, after=after, last=last, group=_known(group)
            )
        items = [
            ReadingView(
                round=one.round,
                round_name=names.get(one.round, str(one.round)),
                group=one.group,
                values=one.content["values"],
            )
            for one in found
        ]
        return Listing(items=items, next=following)

    @routes.get("/{name}/verdicts", summary="List what the charts of a stream say by round")
    def verdicts(
        asking: Asking, name: Name, group: Group = None, cursor: Cursor = None, limit: Rounds = 100
    ) -> Listing[VerdictView]:
        with asking.reading() as connection:
            stream = asking.stream(connection, name)
            names, after, last, following = _rounds(connection, stream, cursor, limit)
            found = verdicts_of_stream(connection, stream.id, after=after, last=last)
        items = [
            VerdictView(round_name=names.get(one.round, str(one.round)), **one._asdict())
            for one in found
            if group is None or one.group == group
        ]
        return Listing(items=items, next=following)

    @routes.get("/{name}/rollups", summary="List the hours or days of a stream")
    def rollups(
        asking: Asking,
        name: Name,
        period: Annotated[Literal["hour", "day"], Query()] = "hour",
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> Listing[RollupView]:
        with asking.reading() as connection:
            number = asking.stream(connection, name).id
            place = number_of(cursor)
            after = -1.0 if place is None else float(place)
            found = rollups_of_stream(connection, number, period, after=after, most=limit + 1)
        return listing(found, limit, place=lambda one: int(one.begins), show=_rollup)

    return routes


def _rollup(row: RollupRow) -> RollupView:
    return RollupView(
        begins=iso_time(row.begins),
        rounds=row.rounds,
        answers=row.answers,
        values=RoundSummary.of_record(row.summary).numbers(),
    )


def _rounds(
    connection: sa.Connection, stream: StreamRow, cursor: str | None, limit: int
) -> tuple[dict[int, str], int, int, str | None]:
    """Return the rounds' names, the limits of their numbers, and the next page."""
    after = number_of(cursor) or 0
    found: Sequence[RoundRow] = rounds_of(connection, stream.id, after=after, most=limit + 1)
    shown = found[:limit]
    last = shown[-1].number if shown else after
    following = cursor_of(last) if len(found) > limit else None
    return {one.number: one.name for one in shown}, after, last, following


def _known(group: str | None) -> str | None:
    """Return a group as a store can hold it: no store holds NUL."""
    return None if group is None else group.replace("\x00", "\ufffd")
