"""``hayflick summarise``: the rate of a processor and the memory, of 1, 2 and 4 GB; processes."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from pairs import Result
from watching import watch

FOLDER = Path(__file__).parents[1] / "build" / "bench"
BYTES, DAYS, CAPACITY, WORDS = 500_000_000, 50, 2000, 3000
MOST_SLOWER, MOST_MEMORY, LEAST_FASTER = 1.1, 1.2, 1.7


def make_partition(path: Path, *, seed: int) -> None:
    """Write answers of 40 words by three models on 50 days until the file is long enough."""
    rng = random.Random(seed)
    words = [f"word{place}" for place in range(WORDS)]
    texts = [" ".join(rng.choices(words, k=40)) for _ in range(20_000)]
    size = 0
    with path.open("w", encoding="utf-8") as file:
        for number in itertools.count():
            record = {"day": number % DAYS + 1, "model": "abc"[number % 3]}
            record["answer"] = f"{number} {rng.choice(texts)}"
            size += file.write(json.dumps(record) + "\n")
            if size >= BYTES:
                return


def on_processes(paths: Sequence[Path], options: Sequence[str]) -> Result:
    """Measure the same files on one process and on two, with the time that these take to start."""
    command = ["summarise", *map(str, paths), *options, "--scheduler", "processes", "--workers"]
    one, two = (watch([*command, str(number)]) for number in (1, 2))
    return Result(
        name="summarise 4 partitions on processes, and the memory of the command that merges",
        ours=f"2 processes: {two.seconds:.0f} s, {two.megabytes:,} MB",
        alternative=f"1 process: {one.seconds:.0f} s, {one.megabytes:,} MB",
        figure=f"{one.seconds / two.seconds:.2f} ×",
        target=f"≥ {LEAST_FASTER:g} ×",
        met=one.seconds >= LEAST_FASTER * two.seconds,
    )


def results() -> Iterator[Result]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    paths = [FOLDER / f"partition-{place}.jsonl" for place in range(8)]
    for seed, path in enumerate(paths):
        make_partition(path, seed=seed)
    options = ["--by", "day", "--text", "answer", "--group", "model", "--force", "--yes"]
    options += ["--capacity", str(CAPACITY), "--out", str(FOLDER / "partitions.summary")]
    rates, memory = [], []
    for number in (2, 4, 8):
        spent = watch(["summarise", *map(str, paths[:number]), *options])
        rates.append(number * BYTES / 1e6 / spent.processor)
        memory.append(spent.megabytes)
    yield Result(
        name="summarise 2, 4 and 8 partitions of 500 MB of JSON lines: rate of a processor",
        ours=f"`hayflick summarise`: {', '.join(f'{rate:.0f}' for rate in rates)} MB/s",
        alternative="",
        figure=f"{max(rates) / min(rates):.2f} ×",
        target=f"≤ {MOST_SLOWER:g} ×",
        met=max(rates) <= MOST_SLOWER * min(rates),
    )
    yield Result(
        name="the same, memory of 4 partitions, then of 8",
        ours=f"`hayflick summarise`: {', '.join(f'{one:,}' for one in memory)} MB",
        alternative="",
        figure=f"{memory[2] / memory[1]:.2f} ×",
        target=f"≤ {MOST_MEMORY:g} ×",
        met=memory[2] <= MOST_MEMORY * memory[1],
    )
    yield on_processes(paths[:4], options)
    hours = 100_000 / rates[-1] / 3600
    yield Result(
        name="100 GB of them: extrapolated from the rate of 4 GB",
        ours=f"{hours:.2f} hours of a processor; {60 * hours / 16:.1f} min on 16",
        alternative="",
        figure=f"{rates[-1]:.0f} MB/s",
        target="none",
        met=True,
    )
