"""Count the files of hayflick of which a function runs for one command.

    python build_tools/trace_files.py            # the table of the usual commands
    python build_tools/trace_files.py forecast   # the files of one of them, by name

A file counts where at least one function of it was called, in any thread, however late it was
imported; bodies of modules and classes do not count.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "hayflick"
COMMANDS = {
    "forecast": ["forecast", "corpus.txt", "--generations", "5", "--out", "page.html"],
    "plan": ["plan", "corpus.txt", "--generations", "5", "--out", "page.html"],
    "watch": ["watch", "answers.jsonl", "--by", "round", "--text", "answer", "--out", "page.html"],
    "network run": ["network", "run", "village.toml", "--out", "run"],
    "network report": ["network", "report", "run", "--out", "page.html"],
}
"""Each with its page, which a network's run gets from `network report`."""


def functions_run(work: Callable[[], Any], *, package: Path = PACKAGE) -> set[Path]:
    """Return the files below `package` of which a function runs while `work` does."""
    files: set[str] = set()

    def profile(frame: FrameType, event: str, argument: object) -> None:  # noqa: ARG001
        code = frame.f_code
        # A module's or a class's body keeps its names in a dictionary; a function's are optimised.
        if event == "call" and code.co_flags & inspect.CO_OPTIMIZED:
            files.add(code.co_filename)

    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return {Path(name) for name in files if Path(name).is_relative_to(package)}


def run_command(arguments: Sequence[str]) -> None:
    """Run a command of hayflick; raise where it fails."""
    from hayflick.cli.main import main

    code = main(arguments)
    if code not in (0, 1):
        raise SystemExit(f"hayflick {' '.join(arguments)}: exit code {code}")


def write_inputs(folder: Path) -> None:
    """Write the small inputs that the commands read."""
    draw = random.Random(1)
    words = [f"word{number}" for number in range(300)]
    weights = [1.0 / (number + 1) for number in range(300)]
    lines = [" ".join(draw.choices(words, weights, k=12)) for _ in range(80)]
    (folder / "corpus.txt").write_text("\n".join(lines), encoding="utf-8")
    texts = [" ".join(draw.choices(words, weights, k=12)) for _ in range(600)]
    answers = [{"round": number // 30 + 1, "answer": text} for number, text in enumerate(texts)]
    (folder / "answers.jsonl").write_text("\n".join(map(json.dumps, answers)), encoding="utf-8")
    example = (ROOT / "examples" / "village.toml").read_text(encoding="utf-8")
    for long, short in (("rounds = 60", "rounds = 4"), ("answers = 40", "answers = 4")):
        example = example.replace(long, short)
    (folder / "village.toml").write_text(example, encoding="utf-8")
    os.symlink(ROOT / "examples" / "village", folder / "village")


def traced(name: str) -> list[str]:
    """Run a command in a folder of its own and return its files, relative to the package."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        write_inputs(Path(folder))
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            if name == "network report":
                run_command(COMMANDS["network run"])
            files = functions_run(lambda: run_command(COMMANDS[name]))
    return sorted(str(path.relative_to(PACKAGE)) for path in files)


def main() -> None:
    """Print the files of one command, or a table of how many each takes."""
    if len(sys.argv) > 1:
        print(*traced(" ".join(sys.argv[1:])), sep="\n")
        return
    print("files with a function executed")
    for name in COMMANDS:
        # A process each: what one command has loaded, the next one need not.
        done = subprocess.run(
            [sys.executable, __file__, *name.split()], capture_output=True, text=True, check=True
        )
        print(f"  {name:14} {len(done.stdout.split()):3}")


if __name__ == "__main__":
    main()
