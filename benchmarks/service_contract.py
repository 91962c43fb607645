"""Streams with random settings: what the service finds is what `watch` finds in their export.

``python benchmarks/service_contract.py 200`` makes so many streams of every kind, with windows and
numbers of answers, gaps, groups and prompts that come and go, late answers and other processes that
go on. Readings are to agree to 1e-9, counts and verdicts exactly. Returns 1 where they do not.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hayflick.core.errors import HayflickError
from hayflick.storage.database import Database

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
from watched_stream import WORDS, Watched

_LENGTHS = {"15m": 900.0, "1h": 3600.0, "1d": 86_400.0}


@dataclass
class RandomStream:
    """A stream with random settings, and its items."""

    seed: int

    def __post_init__(self) -> None:
        self.rng = rng = random.Random(self.seed)
        self.kind = rng.choice(["answers", "answers", "answers", "vectors", "counts", "values"])
        self.every = rng.choice([rng.randint(5, 60), "15m", "1h", "1d"])
        self.baseline = rng.randint(5, 12)
        self.groups = rng.choice([None, None, ["a"], ["a", "b"], ["a", "b", None]])
        self.has_late_group = self.groups is not None and rng.random() < 0.4
        self.prompts = rng.choice([0, 0, 3, 8])
        self.has_values = self.kind in {"answers", "vectors"} and rng.random() < 0.3
        self.rounds = self.baseline + rng.randint(2, 14)
        self.size = self.every if isinstance(self.every, int) else rng.randint(3, 50)

    def settings(self) -> dict[str, Any]:
        """Return its settings."""
        rng = self.rng
        found: dict[str, Any] = {
            "every": self.every,
            "baseline": self.baseline,
            "time_zone": rng.choice(["UTC", "Europe/Berlin", "Asia/Tokyo", "America/New_York"]),
            "grace_s": rng.choice([0.0, 60.0]),
            "form": rng.choice(["sum", "product"]),
            "seed": rng.randint(1, 99),
            "metrics": rng.choice([(), (), ("near_duplicate_rate",), ("drift",)]),
            "values": ("score",) if self.has_values else (),
        }
        if self.kind != "counts" and rng.random() < 0.3:
            found["capacity"] = 100
        if self.kind == "answers" and rng.random() < 0.2:
            found["charts"] = ("rank", "distinct_1=rank")
        if rng.random() < 0.3:
            found["must_keep"] = {"word3": 1.0, "word5 word6": 2.0}
        return found

    def items(self, part: int, now: float) -> list[dict[str, Any]]:
        """Return the items of a round."""
        rng, windows = self.rng, isinstance(self.every, str)
        number = self.size + (rng.randint(-3, 6) if windows else 0)
        if windows and part and rng.random() < 0.1:
            return []
        narrow = part > self.baseline + 2 and rng.random() < 0.6
        found = []
        for _ in range(max(0, number)):
            item = self._item(narrow=narrow)
            groups = self.groups and [*self.groups]
            if groups and self.has_late_group and part > self.baseline + 1:
                groups.append("z")
            if group := groups and rng.choice(groups):
                item["group"] = group
            if self.prompts and self.kind in {"answers", "vectors"} and rng.random() < 0.97:
                item["prompt"] = f"p{rng.randrange(self.prompts)}"
            if windows and rng.random() < 0.1:
                item["time"] = now - rng.random() * _LENGTHS[str(self.every)] * 2.0
            found.append(item)
        return found

    def _item(self, *, narrow: bool) -> dict[str, Any]:
        rng = self.rng
        if self.kind == "counts":
            labels = WORDS[: 3 if narrow else 20]
            return {"counts": {rng.choice(labels): rng.randint(1, 4) for _ in range(3)}}
        if self.kind == "values":
            return {"values": {"score": rng.gauss(1.0, 1.0)}}
        item: dict[str, Any] = {}
        if self.kind == "vectors":
            item["vector"] = [rng.gauss(0.0, 0.1 if narrow else 1.0) for _ in range(5)]
        if self.kind == "answers" or rng.random() < 0.5:
            words = rng.choices(WORDS[: 6 if narrow else 300], k=rng.randint(1, 15))
            item["text"] = "" if rng.random() < 0.03 else " ".join(words)
        if self.has_values and rng.random() < 0.9:
            item["values"] = {"score": rng.gauss(0.0, 1.0)}
        return item


def compare(seed: int) -> str:
    """Return what came of a stream: ``agrees``, or why there is nothing to compare."""
    stream = RandomStream(seed)
    rng, length = stream.rng, _LENGTHS.get(str(stream.every), 100.0)
    with tempfile.TemporaryDirectory() as folder, Database(f"{folder}/s.db") as database:
        watched = Watched(database, kind=stream.kind, **stream.settings())
        try:
            for part in range(stream.rounds):
                items = stream.items(part, watched.now)
                cut = rng.randint(0, len(items))
                for some in filter(None, (items[:cut], items[cut:])):
                    watched.send(some, work=rng.random() < 0.8)
                if rng.random() < 0.15:
                    watched.restart()
                watched.now += length
                watched.work()
            watched.now += 2.0 * length
            watched.work()
            if watched.row.measured_round <= stream.baseline:
                return "too few rounds"
            try:
                watched.watched()
            except HayflickError:
                return "watch refuses it"
            watched.check()
            return "agrees"
        finally:
            watched.stop()


def main() -> int:
    """Compare as many streams as the first argument says."""
    begun, number = time.monotonic(), int(sys.argv[1]) if len(sys.argv) > 1 else 100
    found = Counter[str]()
    for seed in range(number):
        try:
            found[compare(seed)] += 1
        except AssertionError as fault:
            found["differs"] += 1
            print(f"stream {seed} differs: {str(fault)[:500]}")
    told = ", ".join(f"{name}: {count}" for name, count in sorted(found.items()))
    print(f"{number} streams in {time.monotonic() - begun:.0f} s: {told}")
    return 1 if found["differs"] or not found["agrees"] else 0


if __name__ == "__main__":
    sys.exit(main())
