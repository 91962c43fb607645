"""A request to the service, and what its answer means for the items that it holds."""

from __future__ import annotations

import enum
import gzip
import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from hayflick_client.version import __version__

MOST_BYTES = 4_000_000
"""Bytes of a request's body, before it is compressed; a larger item goes alone."""

_WORTH_COMPRESSING = 4_000
_LONGEST_REASON = 300
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 60.0
_LONGEST_RETRY_AFTER_S = 600.0
_TRY_AGAIN = frozenset({408, 425, 429})
_ONE_MAY_BE_BAD = frozenset({400, 413, 422})


class DeliveryOutcome(enum.Enum):
    """What an answer means for a batch."""

    DELIVERED = "delivered"
    RETRY = "to be sent again"
    SPLIT = "one of its items may be bad"
    REFUSED = "refused for good"


@dataclass(frozen=True)
class ServiceReply:
    """What a request was answered.

    Parameters
    ----------
    status
        Its HTTP status; None if there was no answer.
    headers
        Its headers, their names in small letters.
    body
        Its body.
    fault
        Why there was no answer.
    """

    status: int | None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    fault: str = ""

    def outcome(self) -> DeliveryOutcome:
        """Return what it means for the batch.

        Examples
        --------
        >>> [ServiceReply(status).outcome().name for status in (202, 503, 401)]
        ['DELIVERED', 'RETRY', 'REFUSED']
        """
        if self.status is None or self.status >= 500 or self.status in _TRY_AGAIN:
            return DeliveryOutcome.RETRY
        if 200 <= self.status < 300:
            return DeliveryOutcome.DELIVERED
        return DeliveryOutcome.SPLIT if self.status in _ONE_MAY_BE_BAD else DeliveryOutcome.REFUSED

    def record(self) -> dict[str, Any]:
        """Return its body as a JSON object; empty where it is none."""
        try:
            record = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return record if isinstance(record, dict) else {}

    def counts(self) -> tuple[int, int]:
        """Return how many items the service had already, and how many came late."""
        record = self.record()
        duplicates, late = record.get("duplicates"), record.get("late")
        return (
            duplicates if isinstance(duplicates, int) else 0,
            late if isinstance(late, int) else 0,
        )

    def refused_items(self, number: int) -> dict[int, str]:
        """Return the places of items that were refused, of a batch of some number, and why.

        Empty where the service does not say which it were.
        """
        named = self.record().get("items")
        found: dict[int, str] = {}
        for one in named if isinstance(named, list) else ():
            place = one.get("item") if isinstance(one, dict) else None
            if isinstance(place, int) and 0 <= place < number:
                detail = " ".join(str(one.get("detail", "")).split())
                found[place] = f"{self.status}: {detail}"[:_LONGEST_REASON]
        return found

    def reason(self) -> str:
        """Return why it is no success, in the service's words where it has some.

        Examples
        --------
        >>> ServiceReply(404, body=b'{"detail": "there is no such stream"}').reason()
        '404: there is no such stream'
        >>> ServiceReply(None, fault="ConnectError: connection refused").reason()
        'ConnectError: connection refused'
        """
        if self.status is None:
            return self.fault[:_LONGEST_REASON]
        if 300 <= self.status < 400:
            detail = f"the address redirects to {self.headers.get('location', 'another one')}"
        else:
            detail = str(self.record().get("detail", "")) or "no reason given"
        return f"{self.status}: {' '.join(detail.split())}"[:_LONGEST_REASON]

    def retry_after_s(self) -> float | None:
        """Return the seconds that the service asks to wait; None if it says nothing.

        Examples
        --------
        >>> ServiceReply(429, {"retry-after": "2"}).retry_after_s()
        2.0
        """
        told = self.headers.get("retry-after", "").strip()
        try:
            seconds = float(told)
        except ValueError:
            try:
                seconds = parsedate_to_datetime(told).timestamp() - time.time()
            except (TypeError, ValueError, OverflowError):
                return None
        # Also NaN, which is no number to wait for.
        return min(seconds, _LONGEST_RETRY_AFTER_S) if seconds > 0.0 else 0.0


class Backoff:
    """How long to wait before a request is made again: twice as long each time, with chance in it.

    Many applications that lost the service together do not all come back together.
    """

    def __init__(self) -> None:
        self._failures = 0

    @property
    def failures(self) -> int:
        """How many failures there were in a row."""
        return self._failures

    def reset(self) -> None:
        """Take up that a request was answered."""
        self._failures = 0

    def wait_s(self, reply: ServiceReply) -> float:
        """Return the seconds to wait after another failure."""
        longest = min(_FIRST_WAIT_S * 2.0 ** min(self._failures, 10), _LONGEST_WAIT_S)
        self._failures += 1
        told = reply.retry_after_s()
        if told is None:
            return longest * random.uniform(0.5, 1.0)
        return told + random.uniform(0.0, 0.1 * _FIRST_WAIT_S)


def request_headers(token: str) -> dict[str, str]:
    """Return the headers of every request."""
    return {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "User-Agent": f"hayflick-client/{__version__}",
    }


def encoded(body: bytes) -> tuple[bytes, dict[str, str]]:
    """Return a body as it is sent, and its headers; one worth the while is compressed."""
    if len(body) < _WORTH_COMPRESSING:
        return body, {}
    return gzip.compress(body, compresslevel=1, mtime=0), {"Content-Encoding": "gzip"}
