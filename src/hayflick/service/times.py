"""Times of the service as its answers state them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import overload

from hayflick.core.errors import ArgumentError


@overload
def iso_time(seconds: float) -> str: ...
@overload
def iso_time(seconds: None) -> None: ...
def iso_time(seconds: float | None) -> str | None:
    """Return a time of the store (seconds since 1970) in ISO 8601, in UTC; None stays None.

    Examples
    --------
    >>> iso_time(1_790_000_000.25)
    '2026-09-21T14:13:20.250Z'
    """
    if seconds is None:
        return None
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_of(time: str) -> float:
    """Return a time in ISO 8601 with an offset as the store keeps it: seconds since 1970.

    Raises
    ------
    ArgumentError
        If it is none.

    Examples
    --------
    >>> seconds_of("2026-09-21T14:13:20Z")
    1790000000.0
    """
    # What is no such time is refused below.
    with suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(time)
        if moment.tzinfo is not None:
            return moment.timestamp()
    takes = "ISO 8601 with an offset, such as 2026-11-29T10:00:00Z"
    raise ArgumentError("time", got=ascii(time)[:80], takes=takes)
