"""What a request is answered that cannot be served: a problem (RFC 9457)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from http import HTTPStatus
from typing import Any

from hayflick.core.display_text import display_text

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


def without_address(fault: BaseException, name: str) -> str:
    """Return what is wrong with a store of some name, and not where it is: that is for the log."""
    return str(fault).replace(name, "the store")


def first_fault(errors: Sequence[Mapping[str, Any]], *, known: Iterable[str] = ()) -> str:
    """Return what is wrong first, of pydantic's errors, and the key that it is about.

    No value is repeated: it may be a secret. Of the keys that are known, the nearest is offered
    for one that is not.

    Examples
    --------
    >>> first_fault([{"loc": ("body", "every"), "msg": "Value error, takes a number", "type": ""}])
    'every: takes a number'
    >>> first_fault([{"loc": ("body", "every"), "msg": "Value error, every: got 3", "type": ""}])
    'every: got 3'
    """
    first = errors[0]
    kept = [str(part) for part in first["loc"] if not _is_branch(part)]
    where = ".".join(kept[1:] if kept[:1] == ["body"] and len(kept) > 1 else kept)
    message = first["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    # A check of ours names the key itself.
    message = message.removeprefix(f"{kept[-1]}: ") if kept else message
    if first["type"] == "extra_forbidden":
        near = get_close_matches(kept[-1], list(known), n=1) if kept else []
        message = "there is no such key" + (f"; did you mean {near[0]}?" if near else "")
    return f"{display_text(where)}: {message}" if where else message


def _is_branch(part: object) -> bool:
    """Return whether a part of a place is no key: pydantic names the kinds of a union."""
    names = ("int", "str", "constrained-int", "constrained-str")
    return isinstance(part, str) and ("[" in part or part in names)
