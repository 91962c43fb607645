"""Times of the service as its answers state them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import overload


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
