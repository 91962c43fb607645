"""What has changed, told to all who listen, as server-sent events.

One thread of the process reads the store for everyone. A listener who loses the connection states
the last event that came, and is told what it missed.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from hayflick.core.errors import HayflickError
from hayflick.service.access import still_may_read
from hayflick.service.problems import Problem
from hayflick.service.service import Service
from hayflick.service.times import iso_time
from hayflick.storage.changes import RecordedChange, changes_after, last_change

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


_SECONDS_BETWEEN = 0.5
"""Between two looks at the store; `wake` makes it a fifth of that."""

_COME_AGAIN = "retry: 2000\n\n"
"""Milliseconds until a listener whose connection has ended comes again."""

_MOST_AT_ONCE = 1000
_MOST_UNREAD = 2000
_SILENCE_S = 15.0
_LONGEST_S = 600.0
"""After which a listener must come again."""

_SECONDS_UNASKED = 20.0
"""After which it is looked whether a listener's token was revoked, or the session has ended."""

_IN_FLIGHT = 200
"""On PostgreSQL a change may appear after others that have a greater number by less than this."""


def event_stream(
    service: Service, project: int, after: int | None, *, still: Callable[[], bool] | None = None
) -> AsyncIterator[str]:
    """Return the events of a project as text, as they come; ends when the service does.

    Parameters
    ----------
    service
        The service, started.
    project
        Number of the project.
    after
        Number of the last event that the listener knows; later ones that are stored come first.
        None for new ones only.
    still
        Returns whether the listener may still listen; asked now and then, in a thread.

    Raises
    ------
    Problem
        503 if too many listen.
    """
    found = _broadcasts(service)
    if not found or found[0].ended:
        # An error would keep a browser from coming again once the service is back.
        return _no_events()
    full = found[0].listeners >= service.settings.limits.viewers
    if full and not found[0].make_room(project):
        detail = "there are too many listeners: try again later"
        raise Problem(503, detail, headers={"Retry-After": "10"})
    return found[0].events(project, after, still)


async def _no_events() -> AsyncIterator[str]:
    yield _COME_AGAIN


def end_events(service: Service) -> None:
    """Send all listeners away, and let no more in; returns at once."""
    for broadcast in _broadcasts(service):
        broadcast.end()


def listeners_of(service: Service) -> int:
    """Return how many listen to events of this process."""
    return sum(broadcast.listeners for broadcast in _broadcasts(service))


def _broadcasts(service: Service) -> list[Broadcast]:
    return [worker for worker in service.workers if isinstance(worker, Broadcast)]


@dataclass(eq=False)
class _Listener:
    project: int
    loop: asyncio.AbstractEventLoop
    waiting: asyncio.Queue[tuple[int, str] | None] = field(
        default_factory=lambda: asyncio.Queue(_MOST_UNREAD)
    )

    def put(self, events: Sequence[tuple[int, str]]) -> None:
        """Take events; one who does not read them is sent away, and comes again."""
        try:
            for event in events:
                self.waiting.put_nowait(event)
        except asyncio.QueueFull:
            self.end()

    def call(self, method: Callable[..., None], *arguments: Any) -> None:
        """Call a method from another thread, unless the loop has ended."""
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(method, *arguments)

    def end(self) -> None:
        """Send the listener away."""
        if self.waiting.full():
            self.waiting.get_nowait()
        self.waiting.put_nowait(None)


class Broadcast:
    """A worker that reads changes from the store once, and passes them to every listener."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._listeners: set[_Listener] = set()
        self._lock = threading.Lock()
        self._ended, self._woken = threading.Event(), threading.Event()
        # The greatest number that was told; None while nobody listens.
        self._last: int | None = None
        self._seen: set[int] = set()
        self._thread = threading.Thread(target=self._run, name="hayflick events", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and send all listeners away."""
        self.end()
        self._thread.join()

    def end(self) -> None:
        """Say that it is to end; returns at once."""
        self._ended.set()
        self._woken.set()

    def wake(self) -> None:
        """Say that there may be changes."""
        self._woken.set()

    @property
    def ended(self) -> bool:
        """Whether it is ending."""
        return self._ended.is_set()

    @property
    def listeners(self) -> int:
        """Number of those who listen."""
        return len(self._listeners)

    def make_room(self, project: int) -> bool:
        """Send a listener of the project with the most away, if it has more than this one would.

        So nobody can take all the room; called in the loop of the listeners.
        """
        listeners = Counter(one.project for one in self._listeners)
        busiest, number = listeners.most_common(1)[0] if listeners else (project, 0)
        if number <= listeners[project] + 1:
            return False
        next(one for one in self._listeners if one.project == busiest).end()
        return True

    async def events(
        self, project: int, after: int | None, still: Callable[[], bool] | None = None
    ) -> AsyncIterator[str]:
        """Yield the events of a project; see `event_stream`."""
        listener = _Listener(project, asyncio.get_running_loop())
        self._listeners.add(listener)
        try:
            await asyncio.to_thread(self._begin)
            yield _COME_AGAIN
            told: set[int] = set()
            while after is not None:
                missed = await asyncio.to_thread(self._missed, project, after)
                for change in missed:
                    yield _text(change)
                told.update(change.id for change in missed)
                after = missed[-1].id if len(missed) == _MOST_AT_ONCE else None
            async for event in _waited_for(listener, still):
                if event[0] not in told:
                    yield event[1]
        finally:
            self._listeners.discard(listener)

    def _missed(self, project: int, after: int) -> list[RecordedChange]:
        with self._service.database.connect() as connection:
            return changes_after(connection, after, most=_MOST_AT_ONCE, project=project)

    def _begin(self) -> None:
        """Remember what is stored now, if nobody has listened: what comes after it is told."""
        with self._lock:
            if self._last is None:
                with self._service.database.connect() as connection:
                    self._last = last_change(connection)
                    self._seen = {one.id for one in self._recent(connection)}

    def _recent(self, connection: sa.Connection) -> list[RecordedChange]:
        in_flight = _IN_FLIGHT if connection.dialect.name == "postgresql" else 0
        return changes_after(connection, (self._last or 0) - in_flight, most=_MOST_AT_ONCE)

    def _run(self) -> None:
        while not self._ended.is_set():
            if self._woken.wait(_SECONDS_BETWEEN):
                self._woken.clear()
                self._ended.wait(_SECONDS_BETWEEN / 5)
            # A store that cannot be read now is looked at again.
            with suppress(HayflickError):
                self._tell()
        for listener in list(self._listeners):
            listener.call(listener.end)

    def _tell(self) -> None:
        for project, changes in self._new().items():
            events = [(one.id, _text(one)) for one in changes]
            for listener in list(self._listeners):
                if listener.project == project:
                    listener.call(listener.put, events)

    def _new(self) -> dict[int, list[RecordedChange]]:
        """Return the changes that nobody was told of, by project."""
        with self._lock:
            if not self._listeners:
                self._last = None
            if self._last is None:
                return {}
            with self._service.database.connect() as connection:
                found = [one for one in self._recent(connection) if one.id not in self._seen]
            self._last = max([self._last, *(one.id for one in found)])
            self._seen = {one for one in self._seen if one > self._last - _IN_FLIGHT}
            self._seen.update(one.id for one in found)
        by_project: dict[int, list[RecordedChange]] = {}
        for one in found:
            by_project.setdefault(one.project, []).append(one)
        return by_project


async def _waited_for(
    listener: _Listener, still: Callable[[], bool] | None
) -> AsyncIterator[tuple[int, str]]:
    """Yield events as they come; where none comes, one without a number says that all is well."""
    give_up = time.monotonic() + _LONGEST_S
    asked = time.monotonic()
    while time.monotonic() < give_up:
        if still is not None and time.monotonic() - asked > _SECONDS_UNASKED:
            asked = time.monotonic()
            if not await asyncio.to_thread(still):
                return
        try:
            async with asyncio.timeout(_SILENCE_S):
                event = await listener.waiting.get()
        except TimeoutError:
            yield 0, ": nothing new\n\n"
            continue
        if event is None:
            return
        yield event


def _text(change: RecordedChange) -> str:
    said = {"stream": change.stream, "time": iso_time(change.at), **change.content}
    return f"id: {change.id}\nevent: {change.kind}\ndata: {json.dumps(said)}\n\n"
