"""The changes of a project as server-sent events."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from hayflick.service.access import still_may_read
from hayflick.service.events import event_stream

_GREATEST = 2**63 - 1


def router() -> APIRouter:
    """Return this part of the interface."""
    routes = APIRouter(prefix="/v1", tags=["events"])

    @routes.get(
        "/events",
        summary="Listen to changes",
        description="Server-sent events: `round`, `state`, `alert`, `action`, `review`, `rules`. "
        "The connection ends after some minutes; come again with the last event's number, and you "
        "are told what you have missed.",
        response_class=EventStreamResponse,
    )
    async def events(
        request: Request,
        after: Annotated[
            int | None,
            Query(ge=0, le=_GREATEST, description="The last event that you know, by its number."),
        ] = None,
        last_event_id: Annotated[
            str, Header(description="The same; browsers send it by themselves.")
        ] = "",
    ) -> StreamingResponse:
        if last_event_id.isascii() and last_event_id.isdigit():
            after = min(int(last_event_id[:19]), _GREATEST)
        project, still = request.state.principal.project, still_may_read(request)
        stream = event_stream(request.app.state.service, project, after, still=still)
        # Nothing on the way may keep them.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return EventStreamResponse(stream, headers=headers)

    return routes


class EventStreamResponse(StreamingResponse):
    """Server-sent events."""

    media_type = "text/event-stream"
