"""``hayflick watch`` as a whole, on a million short answers: time and memory."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pairs import Result

ANSWERS = Path(__file__).parents[1] / "build" / "bench" / "answers-1m.jsonl"
ROUNDS, EACH, WORDS = 50, 20_000, 30_000
# The kernel's own high-water mark: getrusage's also counts the parent before the fork.
_WATCH = (
    "import re, sys; from hayflick.cli.main import main; code = main(sys.argv[1:]); "
    "print(code, re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1], "
    "file=sys.stderr)"
)


def make_answers(path: Path) -> None:
    """Write answers of 5 to 15 words under a Zipf law, of three models to seven prompts."""
    rng = random.Random(1)
    words = [
        "".join(rng.choices("abcdefghijklmnoprstuvw", k=rng.randint(2, 9))) for _ in range(WORDS)
    ]
    weights = [1.0 / (rank + 2.7) for rank in range(WORDS)]
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        for number in range(1, ROUNDS + 1):
            drawn = iter(rng.choices(words, weights, k=15 * EACH))
            for place in range(EACH):
                answer = " ".join(next(drawn) for _ in range(rng.randint(5, 15)))
                row = {"round": number, "model": "abc"[place % 3], "prompt": place % 7}
                file.write(json.dumps({**row, "answer": answer}) + "\n")


@dataclass(frozen=True)
class Spent:
    """What a process took: time on the clock, time of processors, and memory at its height."""

    seconds: float
    processor: float
    megabytes: int


def watch(command: Sequence[str]) -> Spent:
    """Run a command of hayflick, which must succeed, in a process of its own."""
    start, before = time.perf_counter(), os.times()
    done = subprocess.run(
        [sys.executable, "-c", _WATCH, *command], capture_output=True, text=True, check=True
    )
    seconds, after = time.perf_counter() - start, os.times()
    code, kilobytes = done.stderr.split()[-2:]
    assert code == "0", done.stderr
    processor = sum(after[2:4]) - sum(before[2:4])
    return Spent(seconds, processor, int(kilobytes) // 1024)


def results() -> Iterator[Result]:
    if not ANSWERS.exists():
        make_answers(ANSWERS)
    page = ANSWERS.with_name("watch.html")
    columns = ["--text", "answer", "--by", "round", "--group", "model", "--prompt", "prompt"]
    command = ["watch", str(ANSWERS), *columns, "--out", str(page), "--force", "--format", "json"]
    spent = watch(command)
    yield Result(
        name="watch, 1,000,000 answers of 5 to 15 words, 50 rounds, 3 models, with its page",
        ours="`hayflick watch`, built-in embedder",
        alternative="",
        figure=f"{spent.seconds:.3g} s",
        target="< 120 s",
        met=spent.seconds < 120.0,
    )
    yield Result(
        name="memory of the same",
        ours="`hayflick watch`",
        alternative="",
        figure=f"{spent.megabytes} MB",
        target="< 2,000 MB",
        met=spent.megabytes < 2000,
    )
