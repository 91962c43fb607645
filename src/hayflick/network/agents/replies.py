"""What came back from a chat endpoint: read strictly, and what may be asked again."""

from __future__ import annotations

import email.utils
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_AGAIN = frozenset({408, 409, 425, 429})
_NO_CREDIT = "insufficient_quota"
_LONGEST_MESSAGE = 300
_MOST_TOKENS = 10**12
_MOVED = 3
"""Hundreds of the status of what is to be found elsewhere."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The part of a reply that counts; numbers are None where the endpoint does not say."""

    text: str
    tokens_in: int | None
    tokens_out: int | None
    finish: str
    model: str


class Failure(Exception):  # noqa: N818
    """A request that brought no answer.

    Parameters
    ----------
    reason
        What happened, in words that hold no key.
    passing
        Whether it may go well when it is tried again.
    charged
        Whether the endpoint may charge for it all the same.
    wait_s
        How long the endpoint asks to wait, in seconds; None where it does not.
    """

    def __init__(
        self, reason: str, *, passing: bool, charged: bool, wait_s: float | None = None
    ) -> None:
        self.reason, self.passing, self.charged, self.wait_s = reason, passing, charged, wait_s
        super().__init__(reason)


def read_reply(body: bytes) -> Reply:
    """Return the answer in the body of a reply.

    Raises
    ------
    Failure
        If it is no JSON, or not of the form of a chat completion.

    Examples
    --------
    >>> read_reply(b'{"choices": [{"message": {"content": "Yes."}, "finish_reason": "stop"}]}')
    Reply(text='Yes.', tokens_in=None, tokens_out=None, finish='stop', model='')
    """
    try:
        reply = json.loads(body)
        choice = reply["choices"][0]
        # Null where the model said nothing: that is an answer, an empty one.
        text = choice["message"].get("content") or ""
    except (ValueError, RecursionError):
        raise _malformed("is cut off or no JSON") from None
    except (AttributeError, IndexError, KeyError, TypeError):
        raise _malformed("has no choices with a message") from None
    if not isinstance(text, str):
        raise _malformed("holds a message that is no text")
    usage = reply.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    return Reply(
        _clean(text),
        _count(counts.get("prompt_tokens")),
        _count(counts.get("completion_tokens")),
        _clean(str(choice.get("finish_reason") or "stop")),
        _clean(str(reply.get("model") or "")),
    )


def _malformed(what: str) -> Failure:
    return Failure(f"the reply {what}", passing=True, charged=True)


def _clean(text: str) -> str:
    """Return a text that can be kept: halves of letters are question marks."""
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _count(number: Any) -> int | None:
    whole = isinstance(number, int) and not isinstance(number, bool)
    return number if whole and 0 <= number <= _MOST_TOKENS else None


def refused(
    status: int, headers: Mapping[str, str], body: bytes, *, key: str | None = None
) -> Failure:
    """Return the failure that a status other than success stands for; it does not quote the key."""
    message, code = _error(body)
    place = headers.get("location", "elsewhere")
    if key:
        # Before they are cut, which could leave half of a key.
        message, place = message.replace(key, "…"), place.replace(key, "…")
    reason = f"it answers {status}"
    if status in (401, 403):
        # Endpoints quote the key, in part or in full.
        return Failure(f"{reason}: the key is refused", passing=False, charged=False)
    if status // 100 == _MOVED:
        # Behind a question mark there may be a key.
        reason = f"{reason}: it has moved to {place.partition('?')[0][:_LONGEST_MESSAGE]}"
    if message:
        reason = f"{reason} ({message[:_LONGEST_MESSAGE]})"
    passing = status in _AGAIN or status >= 500
    wait_s = retry_after(headers, now=time.time())
    return Failure(reason, passing=passing and code != _NO_CREDIT, charged=False, wait_s=wait_s)


def _error(body: bytes) -> tuple[str, str]:
    """Return an error's message and code; the message is empty where there is none."""
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    parts = reply if isinstance(reply, dict) else {}
    # FastAPI's applications, such as `transformers serve`, say it under detail.
    said = parts.get("error") or parts.get("detail")
    error = said if isinstance(said, dict) else {"message": said}
    message = error.get("message")
    words = message.split() if isinstance(message, str) else []
    return " ".join(words), str(error.get("code"))


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Return how many seconds a reply asks to wait, by its Retry-After; None where it does not.

    Parameters
    ----------
    headers
        The reply's, by name in lower case.
    now
        Seconds since 1970, for a date.

    Examples
    --------
    >>> retry_after({"retry-after": "2"}, now=0.0)
    2.0
    >>> retry_after({"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT"}, now=15.0)
    45.0
    """
    asked = headers.get("retry-after", "")
    try:
        seconds = float(asked)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(asked).timestamp() - now
        except ValueError:
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None
