"""How an item is written: what the application hands in, as the JSON that the service takes."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

Moment = datetime | float
"""A time: with a zone, or in seconds since 1970 in UTC."""


def answer_item(text: object, **more: Any) -> bytes:
    """Return an answer as JSON."""
    if not isinstance(text, str):
        raise TypeError(f"text: got {type(text).__name__}, takes a string")
    return _item({"text": text}, **more)


def vector_item(vector: Iterable[float], **more: Any) -> bytes:
    """Return a vector as JSON."""
    return _item({"vector": [float(number) for number in vector]}, **more)


def counts_item(counts: Mapping[str, int], **more: Any) -> bytes:
    """Return counts of labels as JSON."""
    return _item({"counts": {str(label): int(number) for label, number in counts.items()}}, **more)


def values_item(values: Mapping[str, float], **more: Any) -> bytes:
    """Return numbers by name as JSON."""
    return _item({"values": _numbers(values)}, **more)


def _numbers(values: Mapping[str, float]) -> dict[str, float]:
    return {str(name): float(number) for name, number in values.items()}


def _item(
    record: dict[str, Any],
    *,
    group: object = None,
    prompt: object = None,
    text: str | None = None,
    values: Mapping[str, float] | None = None,
    at: Moment | None = None,
    key: str | None = None,
) -> bytes:
    if isinstance(at, datetime):
        at = at.timestamp()
    record["key"] = uuid.uuid4().hex if key is None else str(key)
    record["time"] = time.time() if at is None else float(at)
    if text is not None:
        record["text"] = str(text)
    if group is not None:
        record["group"] = str(group)
    if prompt is not None:
        record["prompt"] = str(prompt)
    if values is not None:
        record["values"] = _numbers(values)
    written = json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        return written.encode()
    except UnicodeEncodeError:
        # Halves of signs, which are no text: two that belong together are joined.
        return written.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
