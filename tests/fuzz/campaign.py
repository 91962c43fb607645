"""Run random commands on damaged inputs: no crash, no traceback, nothing that takes for ever.

``python tests/fuzz/campaign.py --cases 2000 --seed 7``; a case that fails is kept in
``build/fuzz`` with the command that shows it again.
"""

from __future__ import annotations

import argparse
import json
import queue
import select
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1]
if str(TESTS) not in sys.path:
    sys.path.insert(0, str(TESTS))

from fuzz.cases import Case, make_case  # noqa: E402
from fuzz.inputs import make_inputs  # noqa: E402

ENDS = (0, 1, 2, 3, 130)
LONGEST_S = 20.0
MOST_MEMORY = 4.5e9
KEPT = TESTS.parent / "build" / "fuzz"


@dataclass(frozen=True)
class Failure:
    """A case that ended as none may."""

    case: Case
    reason: str
    error: str

    def __str__(self) -> str:
        folder = KEPT / str(self.case.number)
        words = [sys.executable, "-m", "hayflick", *self.case.arguments]
        shown = f"cd {folder} && {shlex.join(words)}"
        if any("\0" in word or not _encodable(word) for word in words):
            call = f"import sys; from hayflick.cli.main import main; sys.exit(main({words[3:]!r}))"
            shown = f"cd {folder} && {sys.executable} -c {shlex.quote(call)}"
        if len(shown) > 3000:
            (folder / "arguments.json").write_text(json.dumps(self.case.arguments))
            shown = f"cd {folder}  # the arguments are in arguments.json"
        last = [line for line in self.error.splitlines() if line.strip()][-2:]
        return f"case {self.case.number}: {self.reason}\n  {shown}\n  " + "\n  ".join(last)


def _encodable(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


class Worker:
    """A process that runs cases, started again after a crash."""

    def __init__(self, log: Path) -> None:
        self._log, self._process = log, None

    def run(self, case: Case) -> tuple[str, str, int | None]:
        """Return why a case failed (or nothing), its standard error, and its exit code."""
        process: Any = self._started()
        request = {"folder": str(case.folder), "arguments": list(case.arguments)}
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        started = time.monotonic()
        readable, _, _ = select.select([process.stdout], [], [], LONGEST_S)
        answer = process.stdout.readline() if readable else b""
        if not answer:
            self.stop()
            if not readable:
                return f"took over {LONGEST_S:.0f} s", "", None
            return f"ended by signal {-process.wait()}", self._log.read_text(errors="replace"), None
        done = json.loads(answer)
        error, code = done["error"], done["code"]
        if code not in ENDS:
            return f"exit code {code}", error, code
        if "Traceback (most recent call last)" in error or "internal error" in error:
            return "a traceback", error, code
        if done["memory"] > MOST_MEMORY and "--yes" not in case.arguments:
            self.stop()
            return (
                f"{done['memory'] / 1e9:.1f} GB of memory in {time.monotonic() - started:.0f} s",
                "",
                code,
            )
        return "", error, code

    def _started(self) -> Any:
        if self._process is None or self._process.poll() is not None:
            command = [sys.executable, str(Path(__file__).with_name("worker.py")), str(self._log)]
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
            )
            self._process.stdout.readline()
        return self._process

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            self._process.stdout.close()
            self._process = None


def prepare(folder: Path) -> None:
    """Write the inputs, among them those that commands write."""
    import polars as pl

    folder.mkdir()
    make_inputs(folder)
    table = pl.read_csv(folder / "answers.csv")
    table.write_parquet(folder / "answers.parquet")
    table.write_excel(folder / "answers.xlsx")
    table.select("label", "number").write_excel(folder / "words.xlsx")
    commands = (
        "simulate discrete --corpus corpus.txt --samples 40 --generations 5 --out runs.nc",
        "pilot --effect 0.2 --sd 0.3 --rounds 6 --answers 4 --out pilot.json",
        "review draw answers.csv --by round --text answer --number 8 --out review.csv",
        "network run village.toml --out run",
    )
    program = (
        "import sys; from hayflick.cli.main import main\n"
        "sys.exit(any(main(command.split()) for command in sys.argv[1:]))"
    )
    words = [sys.executable, "-c", program, *commands]
    subprocess.run(words, cwd=folder, check=True, capture_output=True)


def failures(cases: Sequence[int], *, seed: int, workers: int = 2) -> Iterator[Failure]:
    """Run cases by number and yield those that fail."""
    with tempfile.TemporaryDirectory(prefix="hayflick-fuzz-") as made:
        root = Path(made)
        prepare(root / "inputs")
        waiting: queue.Queue[int] = queue.Queue()
        for number in cases:
            waiting.put(number)
        found: queue.Queue[Failure | None] = queue.Queue()

        def work(place: int) -> None:
            worker = Worker(root / f"crash-{place}")
            try:
                while True:
                    number = waiting.get_nowait()
                    failure = _failure(number, seed, root, worker)
                    if failure is not None:
                        found.put(failure)
            except queue.Empty:
                pass
            finally:
                worker.stop()
                found.put(None)

        threads = [threading.Thread(target=work, args=(place,)) for place in range(workers)]
        for thread in threads:
            thread.start()
        ended = 0
        while ended < workers:
            failure = found.get()
            ended += failure is None
            if failure is not None:
                yield failure
        for thread in threads:
            thread.join()


def _failure(number: int, seed: int, root: Path, worker: Worker) -> Failure | None:
    folder = root / f"case-{seed}-{number}"
    case = make_case(number, seed=seed, inputs=root / "inputs", folder=folder)
    reason, error, _ = worker.run(case)
    if "took over" in reason:
        # Others may have had the processor: it gets a second chance.
        shutil.rmtree(folder)
        case = make_case(number, seed=seed, inputs=root / "inputs", folder=folder)
        reason, error, _ = worker.run(case)
    if not reason:
        shutil.rmtree(folder)
        return None
    KEPT.mkdir(parents=True, exist_ok=True)
    kept = KEPT / str(number)
    shutil.rmtree(kept, ignore_errors=True)
    shutil.rmtree(folder)
    make_case(number, seed=seed, inputs=root / "inputs", folder=kept)
    return Failure(case, reason, error)


def main() -> int:
    """Run a campaign and print its failures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=20261128)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    numbers = range(given.first, given.first + given.cases)
    kinds: Counter[str] = Counter()
    for failure in failures(numbers, seed=given.seed, workers=given.workers):
        print(failure, flush=True)
        kinds[failure.reason] += 1
    print(f"{given.cases} cases, {kinds.total()} failures {dict(kinds)}")
    return 1 if kinds else 0


if __name__ == "__main__":
    sys.exit(main())
