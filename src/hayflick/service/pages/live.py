"""What tells the viewers of pages that something has changed."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from hayflick.service.access import still_may_read
from hayflick.service.events import event_stream
from hayflick.service.pages.rendering import principal_of, service_of


def router() -> APIRouter:
    """Return the route of the live events, the same ones as those of ``/v1/events``."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/live")
    async def live(request: Request, after: str = "") -> StreamingResponse:
        last = request.headers.get("last-event-id", after)
        known = int(last) if last.isascii() and last.isdigit() and len(last) < 19 else None
        project, still = principal_of(request).project, still_may_read(request)
        events = event_stream(service_of(request), project, known, still=still)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    return routes
