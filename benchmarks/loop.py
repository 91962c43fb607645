"""What `hayflick loop` takes beside the trainer's own time, and a loop that is killed.

``python benchmarks/loop.py 10`` kills a loop so many times at random moments, goes on each time,
and returns 1 where its record differs from that of a loop that nobody killed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import hayflick as hf
from pairs import Result

ROUNDS, PAIRS, TOKENS, SECONDS = 4, 3, 50_000, 2.0
_KILLED_ROUNDS, _TYPES = 6, 4000
_TRAIN = """
import shutil, sys, time
time.sleep(float(sys.argv[3]))
shutil.copy(sys.argv[1], sys.argv[2])
"""
_GENERATE = """
import random, sys, time
model, n, out, seed, seconds = sys.argv[1:]
time.sleep(float(seconds) / 2)
drawn = random.Random(int(seed)).choices(open(model).read().split(), k=int(n))
lines = [" ".join(drawn[at : at + 25]) + "\\n" for at in range(0, len(drawn), 25)]
with open(out, "w") as file:
    file.writelines(lines[: len(lines) // 2])
    file.flush()
    time.sleep(float(seconds) / 2)
    file.writelines(lines[len(lines) // 2 :])
"""


def results() -> Iterator[Result]:
    for regime in ("replace", "fresh:0.1"):
        yield _overhead(regime)


def _trainer(folder: Path, *, rounds: int, seconds: float, regime: str, tokens: int) -> Path:
    """Write a trainer that takes some seconds, and its real text; return its settings."""
    rng = random.Random(1)
    words = rng.choices(
        [f"w{rank}" for rank in range(_TYPES)], [1 / (rank + 3) for rank in range(_TYPES)], k=tokens
    )
    lines = (" ".join(words[at : at + 25]) for at in range(0, tokens, 25))
    (folder / "real.txt").write_text("\n".join(lines) + "\n")
    (folder / "train.py").write_text(_TRAIN)
    (folder / "generate.py").write_text(_GENERATE)
    settings = {
        "data": "real.txt",
        "rounds": rounds,
        "regime": regime,
        "calibrate": False,
        "train": f"'{sys.executable}' train.py {{data}} {{model}} {seconds}",
        "generate": f"'{sys.executable}' generate.py {{model}} {{n}} {{out}} {{seed}} {seconds}",
    }
    file = folder / "trainer.toml"
    file.write_text("".join(f"{key} = {json.dumps(one)}\n" for key, one in settings.items()))
    return file


def _overhead(regime: str) -> Result:
    """Return what a loop takes above the same commands, run one after another."""
    shares = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        file = _trainer(folder, rounds=ROUNDS, seconds=SECONDS, regime=regime, tokens=TOKENS)
        for number in range(PAIRS + 1):
            alone = _alone(folder)
            start = time.perf_counter()
            hf.loop(file, out=folder / f"run{number}")
            shares.append((time.perf_counter() - start) / alone - 1.0)
    # The first one loads the libraries.
    median = statistics.median(shares[1:])
    return Result(
        name=f"{ROUNDS} rounds of a trainer of {2 * SECONDS:g} s a round, {TOKENS:,} tokens, "
        f"{regime}: time beside its own",
        ours="`hf.loop`",
        alternative="the same commands, one after another",
        figure=f"{median:.1%} ({min(shares[1:]):.1%} to {max(shares[1:]):.1%})",
        target="< 2%",
        met=median < 0.02,
    )


def _alone(folder: Path) -> float:
    start = time.perf_counter()
    data, model, out = folder / "real.txt", folder / "alone.model", folder / "alone.txt"
    python = sys.executable
    for number in range(ROUNDS):
        train = [python, "train.py", data, model, str(SECONDS)]
        subprocess.run(train, cwd=folder, check=True)
        generate = [python, "generate.py", model, str(TOKENS), out, str(number), str(SECONDS)]
        subprocess.run(generate, cwd=folder, check=True)
        data = out
    return time.perf_counter() - start


def main() -> int:
    """Return 1 where a loop that was killed differs from one that was not."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        file = _trainer(
            folder, rounds=_KILLED_ROUNDS, seconds=0.2, regime="fresh:0.1", tokens=20_000
        )
        start = time.monotonic()
        hf.loop(file, out=folder / "whole")
        seconds = (time.monotonic() - start) / _KILLED_ROUNDS
        whole = _record(folder / "whole")
        done = [_killed(file, rng, 1.5 * seconds) for _ in range(kills)]
        hf.loop(file, out=folder / "killed")
        same = _record(folder / "killed") == whole
    print(f"killed {kills} times, after rounds {done}: {'the same' if same else 'DIFFERENT'}")
    return int(not same)


def _killed(file: Path, rng: random.Random, longest: float) -> int:
    """Kill a loop some time after it began to work, and return how many rounds are done."""
    out = file.parent / "killed"
    before = _places(out)
    code = "import sys, hayflick as hf; hf.loop(sys.argv[1], out=sys.argv[2])"
    process = subprocess.Popen([sys.executable, "-c", code, str(file), str(out)])
    while process.poll() is None and _places(out) <= before:
        time.sleep(0.005)
    time.sleep(rng.uniform(0.0, longest))
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return len(list(out.glob("round*.json"))) - 1


def _places(out: Path) -> set[str]:
    return {one.name for one in (out / "work").glob("*-*")}


def _record(out: Path) -> object:
    """Return what is recorded but for the times, and the files that there are."""
    run = hf.LoopRun.read(out)
    rounds = [(one.items, one.types, one.kept, one.fresh) for one in run.rounds]
    counts = [(out / f"round{one.round}.json").read_bytes() for one in run.rounds]
    return rounds, counts, sorted(one.name for one in out.rglob("*"))


if __name__ == "__main__":
    sys.exit(main())
