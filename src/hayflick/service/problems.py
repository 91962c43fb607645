"""What a request is answered that cannot be served: a problem (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

PROBLEM_TYPE = "application/problem+json"


class Problem(Exception):  # noqa: N818
    """A request that cannot be served.

    Parameters
    ----------
    status
        The HTTP status.
    detail
        What is wrong and what to do, for the person who sent it.
    headers
        Further headers, such as ``Retry-After``.
    more
        Further members of the answer, such as the items that were refused.

    Examples
    --------
    >>> Problem(404, "there is no stream 'talk'").record()["title"]
    'Not Found'
    """

    def __init__(
        self, status: int, detail: str, *, headers: dict[str, str] | None = None, **more: Any
    ) -> None:
        self.status, self.detail = status, detail
        self.headers, self.more = headers or {}, more
        super().__init__(detail)

    def record(self) -> dict[str, Any]:
        """Return the body of the answer."""
        title = HTTPStatus(self.status).phrase
        return {
            "type": "about:blank",
            "title": title,
            "status": self.status,
            # What it repeats of a request may hold half of a character.
            "detail": self.detail.encode(errors="backslashreplace").decode(),
            **self.more,
        }
