"""The log of the example in docs/logs.md: thirty days of an export of Langfuse."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

_STEMS = ("parcel", "order", "refund", "delivery", "courier", "address", "account", "invoice")
_WORDS = [stem + end for stem in _STEMS for end in ("", "s", "ing", "ed", "ly", "er", "ful")]
_BEGIN = datetime(2026, 10, 1, tzinfo=UTC)


def write_example_log(path: Path) -> Path:
    """Write observations whose answers use fewer and fewer words from the 19th day on."""
    lines = (json.dumps(one) for one in _observations())
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def _observations() -> Iterator[dict[str, Any]]:
    draw = random.Random(3)
    for day in range(30):
        known = _WORDS if day < 18 else _WORDS[: 56 - 4 * (day - 17)]
        for place in range(40):
            words = " ".join(draw.choices(known, k=12))
            failed = place % 20 == 0
            yield {
                "id": f"{day}-{place}",
                "trace_id": f"t{day}-{place}",
                "type": "SPAN" if place % 10 == 5 else "GENERATION",
                "level": "ERROR" if failed else "DEFAULT",
                "start_time": (_BEGIN + timedelta(days=day, minutes=30 * place)).isoformat(),
                "provided_model_name": "gpt-5-mini",
                "input": [{"role": "user", "content": f"Where is order {day}-{place}?"}],
                "output": None if failed else {"role": "assistant", "content": f"Your {words}."},
            }
