"""A stream of answers that may collapse, and what `watch` finds in it."""

from __future__ import annotations

import random
from collections.abc import Sequence

import hayflick as hf

ROUNDS, CHANGE = 30, 20


def rows_of_answers(*, words: int = 400, groups: Sequence[str] = ("",)) -> list[dict[str, object]]:
    """Return 30 answers in each round and group, from round 21 on of so many words."""
    rng = random.Random(1)
    return [
        {
            "round": number + 1,
            "answer": " ".join(
                f"w{rng.randrange(words if number >= CHANGE else 400)}" for _ in "123"
            ),
            **({"model": group} if group else {}),
        }
        for number in range(ROUNDS)
        for group in groups
        for _ in range(30)
    ]


def watched_answers(*, words: int = 400, groups: Sequence[str] = ("",)) -> hf.WatchResult:
    """Return what is found in such answers: an alarm for a few words, else nothing."""
    rows = rows_of_answers(words=words, groups=groups)
    grouped = None if tuple(groups) == ("",) else "model"
    return hf.watch(rows, by="round", text="answer", group=grouped)
