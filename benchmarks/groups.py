"""``hayflick watch --group`` with its page: time by the number of groups."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from pairs import Result

FOLDER = Path(__file__).parents[1] / "build" / "bench"
ROUNDS, EACH = 12, 4
FEW, MANY = 250, 1000
# Four times the groups may take a little more than four times as long.
LARGEST_RATIO, LONGEST = 4.6, 25.0


def make_answers(path: Path, *, groups: int) -> None:
    """Write four answers of eight words per group and round."""
    rng = random.Random(1)
    words = [f"word{number}" for number in range(300)]
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        for number in range(1, ROUNDS + 1):
            for place in range(EACH * groups):
                row = {"round": number, "model": f"model {place % groups}"}
                row["answer"] = " ".join(rng.choices(words, k=8))
                file.write(json.dumps(row) + "\n")


def seconds(groups: int) -> float:
    """Return how long `watch` with its page takes."""
    answers, page = FOLDER / f"groups-{groups}.jsonl", FOLDER / "groups.html"
    make_answers(answers, groups=groups)
    columns = ["--text", "answer", "--by", "round", "--group", "model", "--baseline", "6"]
    command = ["-m", "hayflick", "watch", str(answers), *columns, "--out", str(page), "--force"]
    start = time.perf_counter()
    subprocess.run([sys.executable, *command], capture_output=True, check=True)
    return time.perf_counter() - start


def results() -> Iterator[Result]:
    few, many = seconds(FEW), seconds(MANY)
    ratio = many / few
    yield Result(
        name=f"watch, {MANY:,} groups in {ROUNDS} rounds, with its page",
        ours="`hayflick watch --group`",
        alternative=f"{FEW} groups: {few:.3g} s",
        figure=f"{many:.3g} s, {ratio:.2g} times",
        target=f"< {LONGEST:g} s, at most {LARGEST_RATIO} times",
        met=many < LONGEST and ratio <= LARGEST_RATIO,
    )
