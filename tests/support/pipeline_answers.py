"""Answers of some days for a pipeline: healthy ones, or ones that become one voice."""

from __future__ import annotations

import json
import random
from pathlib import Path

WORDS = [f"word{number}" for number in range(200)]


def day_of_answers(day: int, *, words: int = 200, answers: int = 30) -> list[dict[str, str]]:
    """Return the answers of a day, which use so many words; of none, they are empty."""
    rng = random.Random(day)
    length = 8 if words else 0
    texts = [" ".join(rng.choices(WORDS[: max(words, 1)], k=length)) for _ in range(answers)]
    return [{"day": f"2026-10-{day:02}", "answer": text} for text in texts]


def write_answers(path: Path, *, days: int = 20, healthy: int = 31, words: int = 4) -> None:
    """Write the answers of days from the first on; those after the last healthy one have less."""
    rows = [
        row
        for day in range(1, days + 1)
        for row in day_of_answers(day, words=200 if day <= healthy else words)
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
