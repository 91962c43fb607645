"""The body of a request that holds items: read, unpacked and parsed, each within its limit."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from hayflick.core.decompression import zstd_module
from hayflick.core.documents import parse_json
from hayflick.core.errors import DataError
from hayflick.service.guard import RequestRefusal, read_body
from hayflick.service.problems import Problem

if TYPE_CHECKING:
    from anyio import CapacityLimiter
    from fastapi import Request

T = TypeVar("T")

JSON_TYPES = ("application/json",)
LINES_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
"""Media types of one JSON document, and of a JSON document on every line."""

_ENCODINGS = ("identity", "gzip", "x-gzip", "zstd")
_MOST_PARTS = 100
"""Members of gzip, or frames of zstd, one behind the other."""

# Memory that a frame of zstd may ask for: 2 to this power bytes.
_LARGEST_WINDOW = 25
# Every object and list takes memory, however small; a body below so many bytes has few of them.
_SMALL = 1_000_000
_MOST_BRACKETS, _MOST_COMMAS = 1_000_000, 5_000_000
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_GZIP = 16 + zlib.MAX_WBITS


async def packed_body(request: Request, taken: Callable[[int], None]) -> bytes:
    """Return the body of a request as it was sent.

    Parameters
    ----------
    request
        The request.
    taken
        See `hayflick.service.guard.read_body`.

    Raises
    ------
    Problem
        413 if it is too large, 408 if it is too slow, 400 if the connection is closed within it.
    """
    headers = {name.lower(): value for name, value in request.headers.raw}
    most = request.app.state.service.settings.limits.body
    try:
        return await read_body(headers, request.receive, at_most=most, taken=taken)
    except RequestRefusal as refusal:
        closing = {"Connection": "close"}
        raise Problem(refusal.status, refusal.message, headers=closing) from None


def media_type(request: Request) -> str:
    """Return the media type of a request, in small letters; empty if it states none.

    Raises
    ------
    Problem
        415 if it states another encoding than UTF-8.
    """
    kind, *parameters = request.headers.get("content-type", "").lower().split(";")
    for parameter in parameters:
        name, _, value = parameter.strip().partition("=")
        if name == "charset" and value.strip('" ') not in ("utf-8", "utf8", "us-ascii"):
            raise Problem(415, f"the body must be UTF-8; got the charset {value[:40]}")
    return kind.strip()


def unpacked(body: bytes, encoding: str, *, at_most: int) -> bytes:
    """Return a body without its compression.

    Parameters
    ----------
    body
        The body as it was sent.
    encoding
        What the header ``Content-Encoding`` holds; empty for none.
    at_most
        Bytes that it may have then; no more are ever made of it.

    Raises
    ------
    Problem
        415 for another compression than gzip and zstd, 413 if it is too large, 400 if it is
        damaged.
    """
    name = encoding.strip().lower() or "identity"
    if name not in _ENCODINGS:
        accepted = {"Accept-Encoding": "gzip, zstd"}
        detail = f"Content-Encoding: got {name[:40]!r}, takes gzip or zstd"
        raise Problem(415, detail, headers=accepted)
    try:
        if name == "identity":
            found = body
        elif name == "zstd":
            found = _unpacked_zstd(body, at_most)
        else:
            found = _unpacked_gzip(body, at_most)
    except (zlib.error, EOFError, ValueError) as fault:
        raise Problem(400, f"the body is no {name}: {fault}") from None
    if len(found) > at_most:
        raise Problem(413, f"the body takes at most {at_most:,} bytes without its compression")
    return found


def _unpacked_gzip(body: bytes, at_most: int) -> bytes:
    found, rest = b"", body
    for _ in range(_MOST_PARTS):
        member = zlib.decompressobj(_GZIP)
        # One byte more than is taken tells that it is too large.
        found += member.decompress(rest, at_most + 1 - len(found))
        rest = member.unused_data
        if len(found) > at_most or (member.eof and not rest):
            return found
        if not member.eof:
            raise EOFError("it ends too early")
    raise ValueError(f"it has more than {_MOST_PARTS} members")


def _unpacked_zstd(body: bytes, at_most: int) -> bytes:
    zstd = zstd_module()
    found, rest = b"", body
    options = {int(zstd.DecompressionParameter.window_log_max): _LARGEST_WINDOW}
    try:
        for _ in range(_MOST_PARTS):
            frame = zstd.ZstdDecompressor(options=options)
            found += bytes(frame.decompress(rest, at_most + 1 - len(found)))
            rest = frame.unused_data
            if len(found) > at_most or (frame.eof and not rest):
                return found
            if not frame.eof:
                raise EOFError("it ends too early")
    except zstd.ZstdError as fault:
        raise ValueError(str(fault)) from None
    raise ValueError(f"it has more than {_MOST_PARTS} frames")


def parsed_items(body: bytes, kind: str, *, at_most: int) -> list[Any]:
    """Return the items of a body: one, a list of them, ``{"items": [...]}``, or one on every line.

    Parameters
    ----------
    body
        The body without compression.
    kind
        Its media type.
    at_most
        Items that it may have; more lines are not read.

    Raises
    ------
    Problem
        415 for another media type than those of JSON, 400 if the body is no JSON of UTF-8, 413 if
        it holds too many items or values.
    """
    if kind not in JSON_TYPES + LINES_TYPES:
        takes = f"{JSON_TYPES[0]} or {LINES_TYPES[0]}"
        got = repr(kind[:80]) if kind else "none"
        raise Problem(415, f"Content-Type: got {got}, takes {takes}")
    check_values(body)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise Problem(400, f"the body is not UTF-8 (byte {fault.start})") from None
    if kind in LINES_TYPES:
        return _parsed_lines(text, at_most)
    try:
        found = _parsed(text, "the body")
    except Problem:
        if _is_lines(text):
            return _parsed_lines(text, at_most)
        raise
    if isinstance(found, dict) and isinstance(found.get("items"), list):
        if len(found) > 1:
            raise Problem(422, "beside items, the body holds something else; send items alone")
        found = found["items"]
    return found if isinstance(found, list) else [found]


def _parsed_lines(text: str, at_most: int) -> list[Any]:
    lines = text.count("\n")
    if lines > 2 * at_most:
        raise Problem(413, f"got {lines:,} lines, takes {at_most:,} items at once")
    numbered = enumerate(text.split("\n"), 1)
    return [_parsed(line, f"line {number}") for number, line in numbered if line.strip()]


def _is_lines(text: str) -> bool:
    """Return whether a text is an object on every line, which LiteLLM sends as plain JSON."""
    first, _, rest = text.lstrip().partition("\n")
    return bool(rest.strip()) and first.startswith("{") and first.rstrip().endswith("}")


def check_values(body: bytes) -> None:
    """Refuse a body of JSON with so many values that they would fill the memory.

    Raises
    ------
    Problem
        413 if it has.
    """
    if len(body) <= _SMALL:
        return
    outside = _STRING.sub(b"", body)
    brackets = outside.count(b"{") + outside.count(b"[")
    if brackets > _MOST_BRACKETS or outside.count(b",") > _MOST_COMMAS:
        raise Problem(
            413, f"the body holds more than {_MOST_BRACKETS:,} values; send fewer at once"
        )


def _parsed(text: str, name: str) -> Any:
    try:
        return parse_json(text, name=name)
    except DataError as fault:
        raise Problem(400, str(fault)) from None
    except RecursionError:
        raise Problem(400, f"{name}: is nested too deep") from None


async def in_thread(work: Callable[[], T], limiter: CapacityLimiter) -> T:
    """Return what work that takes long returns, while others are served."""
    from anyio import to_thread

    return await to_thread.run_sync(work, limiter=limiter)
