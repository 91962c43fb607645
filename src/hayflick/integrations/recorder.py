"""What integrations hand answers to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hayflick_client import AnswerRecorder


def record_item(recorder: AnswerRecorder, item: Mapping[str, Any]) -> None:
    """Hand in an answer that was read as an item of the service."""
    recorder.record(
        item["text"],
        group=item.get("group"),
        prompt=item.get("prompt"),
        at=item.get("time"),
        key=item.get("key"),
    )
