"""What the endpoints of the interface share: who asks, the store, and lists in pages."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Annotated, Generic, TypeVar

import sqlalchemy as sa
from fastapi import Depends, Path, Query, Request
from pydantic import BaseModel, Field

from hayflick.core.errors import ArgumentError
from hayflick.service.problems import Problem
from hayflick.service.service import Service
from hayflick.storage.accounts import Principal
from hayflick.storage.streams import StreamRow, check_stream_name, stream_named

T = TypeVar("T")
U = TypeVar("U")

GREATEST = 2**63 - 1
"""The greatest number that a row can have."""

Number = Annotated[int, Path(ge=1, le=GREATEST, description="Its number.")]
Name = Annotated[str, Path(min_length=1, max_length=200, description="Its name.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
Cursor = Annotated[
    str | None,
    Query(max_length=2000, description="`next` of the page before, for the one that follows it."),
]


class Listing(BaseModel, Generic[T]):
    """A page of a list."""

    items: list[T]
    next: str | None = Field(
        description="Give it as `cursor` for the next page; null where there is none."
    )


class Caller:
    """Who makes a request, and the store that they see.

    Attributes
    ----------
    service : Service
        The service.
    principal : Principal
        Who makes the request.
    """

    def __init__(self, request: Request) -> None:
        self.service: Service = request.app.state.service
        self.principal: Principal = request.state.principal

    @property
    def project(self) -> int:
        """Number of the project."""
        return self.principal.project

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Yield a connection for reading."""
        with self.service.database.connect() as connection:
            yield connection

    def write(self, job: Callable[[sa.Connection, float], T]) -> T:
        """Return what a job returns that is given the time, once it is committed.

        Raises
        ------
        WriterBusy
            If too many jobs wait.
        """

        def run(connection: sa.Connection) -> T:
            return job(connection, self.service.clock.now())

        written = self.service.writer.submit(run).result()
        self.service.wake()
        return written

    def stream(self, connection: sa.Connection, name: str) -> StreamRow:
        """Return a stream of the project.

        Raises
        ------
        Problem
            404, if there is no such stream.
        """
        found = None
        # What can be no name is no stream either.
        with suppress(ArgumentError):
            check_stream_name(name)
            found = stream_named(connection, self.project, name)
        return existing(found, f"stream {name!r}")

    def stream_number(self, connection: sa.Connection, name: str | None) -> int | None:
        """Return the number of a stream by which a list is narrowed; None for none."""
        return None if name is None else self.stream(connection, name).id


Asking = Annotated[Caller, Depends(Caller)]
"""The parameter of an endpoint that holds its `Caller`."""


def listing(
    rows: Sequence[T], limit: int, *, place: Callable[[T], str | int], show: Callable[[T], U]
) -> Listing[U]:
    """Return a page of a list.

    Parameters
    ----------
    rows
        What belongs to it, and one more where there is a next page.
    limit
        How many it holds at most.
    place
        Where a row is in the list: the next page begins behind it.
    show
        Returns an item as it is shown.
    """
    shown = rows[:limit]
    following = cursor_of(place(shown[-1])) if len(rows) > limit else None
    return Listing(items=[show(row) for row in shown], next=following)


def existing(found: T | None, what: str) -> T:
    """Return what was found.

    Raises
    ------
    Problem
        404, if nothing was.
    """
    if found is None:
        raise Problem(404, f"there is no {what}")
    return found


def number_of(cursor: str | None) -> int | None:
    """Return the number that a cursor stands for; None for none.

    Raises
    ------
    Problem
        422, if it is no cursor of a list.
    """
    text = text_of(cursor)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > GREATEST:
        raise _refused()
    return int(text)


def text_of(cursor: str | None) -> str | None:
    """Return the text that a cursor stands for; None for none.

    Raises
    ------
    Problem
        422, if it is no cursor of a list.
    """
    if cursor is None:
        return None
    try:
        padding = "=" * (-len(cursor) % 4)
        text = base64.urlsafe_b64decode(cursor.encode("ascii") + padding.encode()).decode()
    except (UnicodeError, binascii.Error, ValueError):
        raise _refused() from None
    if cursor_of(text) != cursor or "\x00" in text:
        raise _refused()
    return text


def cursor_of(place: str | int) -> str:
    """Return the cursor that stands for a place in a list.

    Examples
    --------
    >>> number_of(cursor_of(17))
    17
    """
    return base64.urlsafe_b64encode(str(place).encode()).decode().rstrip("=")


def _refused() -> Problem:
    return Problem(422, "cursor: takes what `next` of the page before holds, or leave it out")
