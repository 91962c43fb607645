"""Golden results: what the commands and public functions gave, to compare after a refactoring.

The cases stand in ``golden_cases.toml`` beside this file. A case is a list of command lines, or a
piece of Python, that runs in a fresh folder with small generated inputs. Its recording holds every
command's exit code, standard output and standard error, and every file that was written, as text::

    python build_tools/golden.py record DIR [--source SRC]    # SRC: the src folder of a checkout
    python build_tools/golden.py compare DIR [--source SRC]   # exit code 1 if anything differs
    python build_tools/golden.py check --base COMMIT          # record COMMIT, compare the present
    python build_tools/golden.py update-tests                 # rewrite tests/contracts/golden
    python build_tools/golden.py list                         # names of the cases

``-k TEXT`` selects the cases with the text in their name, ``--jobs N`` says how many run at once.
Versions, dates, times, durations, absolute paths and hashes are masked; text and whole numbers
must be equal, other numbers to a relative 1e-9.

What a change means to alter is recorded anew; everything else that differs is a mistake.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import dataclasses
import difflib
import io
import math
import os
import pkgutil
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from golden_inputs import write_inputs
from golden_text import as_json, as_text, plain

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src"
CASES = Path(__file__).with_name("golden_cases.toml")
TESTS = ROOT / "tests" / "contracts" / "golden"
TIMEOUT_S = 300
TOLERANCE = 1e-9
MOST_DIFFERENCES = 12

DROPPED = (
    "FORCE_COLOR",
    "HAYFLICK_TRACEBACK",
    "PYTHONHOME",
    "PYTHONWARNINGS",
)  # of the environment
# Where the documentation lies depends on what was built here.
SET = {"COLUMNS": "100", "HAYFLICK_DOCS": "", "NO_COLOR": "1", "TZ": "UTC"}

Recording = dict[str, str]  # name of a part, "output.txt" or "files/...": its text


def run_inside(case: Case) -> None:
    """Run a case in this process, in the folder where it is, and print what came of it."""
    if case.together:
        for step in steps_of(case):
            print(run_step(step, Path.cwd(), run_as_main), end="")
        return
    shown: dict[str, Any] = {}
    exec(case.python, {"show": shown.update, "find": find})
    print(as_json(plain(shown)), end="")


def run_as_main(step: str) -> str:
    """Run a command line in this process as ``python -m hayflick`` does."""
    out, err, code = io.StringIO(), io.StringIO(), None
    before, sys.argv = sys.argv, ["hayflick", *shlex.split(step)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            runpy.run_module("hayflick", run_name="__main__")
    except SystemExit as end:
        code = end.code
    finally:
        sys.argv = before
    return outcome(step, code or 0, out.getvalue(), err.getvalue())


def find(name: str, *having: str) -> Any:
    """Return a class or function of the package with some attributes, wherever it is defined.

    Where a name has changed, both are given: ``find("Old|New")``.
    """
    import importlib

    import hayflick

    pattern = re.compile(rf"^(?:class|def|async def) ({name})\b", re.MULTILINE)
    for module in pkgutil.walk_packages(hayflick.__path__, "hayflick."):
        file = Path(hayflick.__path__[0], *module.name.split(".")[1:])
        path = file / "__init__.py" if module.ispkg else file.with_suffix(".py")
        for match in pattern.finditer(path.read_text(encoding="utf-8")):
            found = getattr(importlib.import_module(module.name), match[1])
            if all(hasattr(found, attribute) for attribute in having):
                return found
    raise LookupError(f"no module of hayflick defines {name}")


# ---------------------------------------------------------------------------------------------
# Cases


@dataclasses.dataclass(frozen=True)
class Case:
    """Command lines, or a piece of Python, and what else lies in the folder.

    Parameters
    ----------
    name
        What the case is called.
    run
        A command line per line, without ``hayflick``; lines with ``@`` are steps of `STEPS`.
    python
        Python that calls ``show(name=value, ...)``.
    files
        Inputs beside the generated ones: name and text.
    together
        Whether the command lines run in one process; they start faster then.
    in_tests
        Whether it is one of the cases that ``tests/contracts/test_golden.py`` runs.
    """

    name: str
    run: str = ""
    python: str = ""
    files: dict[str, str] = dataclasses.field(default_factory=dict)
    together: bool = False
    in_tests: bool = False


def read_cases(pattern: str = "") -> list[Case]:
    """Return the cases with the pattern in their names."""
    entries = tomllib.loads(CASES.read_text(encoding="utf-8"))
    cases = [Case(name=name, **fields) for name, fields in entries.items()]
    return [case for case in cases if pattern in case.name]


def run_case(
    case: Case, source: Path = SOURCE, start: Callable[..., str] | None = None
) -> Recording:
    """Run a case against the package in `source` and return what came of it.

    What `start` is given in place of `run_process` can run it without a process of its own.
    """
    start = start or run_process
    with tempfile.TemporaryDirectory(prefix="golden-") as place:
        folder = Path(place).resolve() / "case"
        folder.mkdir()
        write_inputs(folder, case.files)
        before = contents(folder)

        def run(step: str) -> str:
            return start(step, ["-m", "hayflick", *shlex.split(step)], folder, source)

        if case.python or case.together:
            parts = [start(case.name, [__file__, "inside", case.name], folder, source)]
        else:
            parts = [run_step(step, folder, run) for step in steps_of(case)]
        mask = masking(folder, source)
        recording = {"output.txt": mask("".join(parts))}
        for name, content in sorted(contents(folder).items()):
            if content != before.get(name):
                recording[f"files/{name}"] = mask(as_text(folder / name))
        return recording


def steps_of(case: Case) -> list[str]:
    """Return the command lines of a case."""
    return [step for line in case.run.splitlines() if (step := line.strip())]


def run_step(step: str, folder: Path, run: Callable[[str], str]) -> str:
    """Run one line of a case and return its exit code and output as text."""
    if not step.startswith("@"):
        return run(step)
    name, *words = shlex.split(step)
    STEPS[name](folder, *words)
    return ""


def run_process(title: str, command: list[str], folder: Path, source: Path) -> str:
    """Run Python in the folder of a case and return its exit code and output as text."""
    kept = {name: value for name, value in os.environ.items() if name not in DROPPED}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**kept, **SET, "PYTHONPATH": str(source), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    out, err = (stream.decode("utf-8", "backslashreplace") for stream in (done.stdout, done.stderr))
    return outcome(title, done.returncode, out, err)


def outcome(title: str, code: object, out: str, err: str) -> str:
    """Return what came of a command as text."""
    return f"$ {title}\nexit code {code}\n--- stdout\n{out}--- stderr\n{err}\n"


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of all files below a folder, by name."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def fill_review(folder: Path, name: str, *verdicts: str) -> None:
    """Write verdicts, ``ok*20`` or ``bad``, into the first rows of a review."""
    given = [word for one in verdicts for word in repeated(one)]
    path = folder / name
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row, verdict in zip(rows, given, strict=False):
        row["verdict"] = verdict
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def repeated(verdict: str) -> list[str]:
    """Return a verdict as often as it says."""
    word, _, times = verdict.partition("*")
    return [word] * int(times or 1)


def append_line(folder: Path, name: str, *words: str) -> None:
    """Append a line to a file."""
    with (folder / name).open("a", encoding="utf-8") as file:
        file.write(" ".join(words) + "\n")


STEPS: dict[str, Callable[..., None]] = {"@fill": fill_review, "@append": append_line}


# ---------------------------------------------------------------------------------------------
# Masks

QUOTE = r'("|&#34;|\\\\?")'
LIBRARIES = r"version|python|platform|numpy|numba|scipy|polars|xarray|sudachipy|sudachidict-core"
MASKS = [
    (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?", "<time>"),
    (r"\babout [\d.,]+ (ms|s|min|h)\b", "about <duration>"),
    (r"(?<![\w.])[0-9a-f]{16,}(?!\w|\.\d)", "<hash>"),
    (r"hayflick \d+\.\d+(\.\d+)?(\.?(dev|rc|a|b)\d+)?\b", "hayflick <version>"),
    (rf"{QUOTE}({LIBRARIES}){QUOTE}: (?:{QUOTE}[^\"&]*{QUOTE}|null)", r"\1\2\1: <version>"),
]
KEPT_TIME = "2026-03-"  # of the inputs


def masking(folder: Path, source: Path) -> Callable[[str], str]:
    """Return a function that masks what differs from run to run."""
    patterns = [(re.compile(pattern), shown) for pattern, shown in MASKS]
    places = {str(folder): "<case>", str(source): "<source>", str(Path(__file__).parent): "<tools>"}

    def mask(text: str) -> str:
        text = text.replace("\r\n", "\n")
        for place, shown in places.items():
            text = text.replace(place, shown)
        for pattern, shown in patterns:
            text = pattern.sub(
                lambda found, shown=shown: (
                    found[0] if found[0].startswith(KEPT_TIME) else found.expand(shown)
                ),
                text,
            )
        return text

    return mask


# ---------------------------------------------------------------------------------------------
# Comparing

NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


def differences(old: Recording, new: Recording, *, tolerance: float = TOLERANCE) -> list[str]:
    """Return what differs between two recordings of a case, as lines to read."""
    lines = []
    for name in sorted({*old, *new}):
        if name not in new:
            lines.append(f"{name}: is written no more")
        elif name not in old:
            lines.append(f"{name}: is new")
        elif found := text_differences(old[name], new[name], tolerance=tolerance):
            lines += [f"{name}:", *found]
    return lines


def text_differences(old: str, new: str, *, tolerance: float) -> list[str]:
    """Return the lines that differ, or none."""
    if old == new:
        return []
    before, after = old.splitlines(), new.splitlines()
    if len(before) != len(after):
        changes = difflib.unified_diff(before, after, "before", "now", n=1, lineterm="")
        return shortened([f"  {line}" for line in changes][2:])
    pairs = enumerate(zip(before, after, strict=True), start=1)
    changed = [(at, pair) for at, pair in pairs if not close(*pair, tolerance=tolerance)]
    return shortened(
        [f"  line {at}\n  - {one[:300]}\n  + {other[:300]}" for at, (one, other) in changed]
    )


def shortened(lines: list[str]) -> list[str]:
    """Return the first lines, and how many are left out."""
    left = len(lines) - MOST_DIFFERENCES
    shown = [line[:700] for line in lines[:MOST_DIFFERENCES]]
    return [*shown, f"  ... {left} more"] if left > 0 else shown


def close(one: str, other: str, *, tolerance: float) -> bool:
    """Return whether two lines are equal but for small differences of broken numbers."""
    if one == other:
        return True
    if NUMBER.split(one) != NUMBER.split(other):
        return False
    pairs = zip(NUMBER.findall(one), NUMBER.findall(other), strict=True)
    return all(same_number(*pair, tolerance=tolerance) for pair in pairs)


def same_number(one: str, other: str, *, tolerance: float) -> bool:
    """Return whether two numbers are the same; whole numbers as they are written."""
    if one == other:
        return True
    if one.lstrip("+-").isdigit() and other.lstrip("+-").isdigit():
        return False
    return math.isclose(float(one), float(other), rel_tol=tolerance, abs_tol=1e-3 * tolerance)


def slim(recording: Recording) -> Recording:
    """Return a recording for the tests: pages without styles and with drawings counted."""
    return {name: slim_text(text) for name, text in recording.items() if not name.endswith(".png")}


def slim_text(text: str) -> str:
    """Return a text with every drawing and style as its number of elements or lines."""
    text = re.sub(r"<style.*?</style>", "<style/>", text, flags=re.DOTALL)
    return re.sub(r"<svg.*?</svg>", drawing, text, flags=re.DOTALL)


def drawing(found: re.Match[str]) -> str:
    """Return the number of elements and the words of a drawing."""
    words = re.findall(r"<text[^>]*>([^<]+)</text>", found[0])
    return f"<svg of {found[0].count('<')} elements: {'|'.join(words)}>"


# ---------------------------------------------------------------------------------------------
# Recordings on disk, and the commands


def write_recording(folder: Path, recording: Recording) -> None:
    """Write a recording in place of what the folder has."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in recording.items():
        path = folder / name
        path = path.with_name(f"{path.name}.txt") if name != "output.txt" else path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")


def read_recording(folder: Path) -> Recording:
    """Return the recording in a folder; empty where there is none."""
    recording = {}
    for path in folder.rglob("*.txt"):
        name = path.relative_to(folder).as_posix()
        with path.open(encoding="utf-8", newline="") as file:
            recording[name if name == "output.txt" else name.removesuffix(".txt")] = file.read()
    return recording


def run_cases(cases: list[Case], source: Path, jobs: int) -> Iterator[tuple[Case, Recording]]:
    """Run cases, some at once, and yield them in their order."""
    with ThreadPoolExecutor(jobs) as pool:
        yield from zip(cases, pool.map(lambda case: run_case(case, source), cases), strict=True)


def record(folder: Path, cases: list[Case], *, source: Path, jobs: int) -> None:
    """Run cases and keep what came of them."""
    for case, recording in run_cases(cases, source, jobs):
        write_recording(folder / case.name, recording)
        print(f"recorded {case.name}", flush=True)


def compare(folder: Path, cases: list[Case], *, source: Path, jobs: int) -> bool:
    """Run cases, print what differs from the recordings, and return whether nothing does."""
    bad = 0
    for case, recording in run_cases(cases, source, jobs):
        old = read_recording(folder / case.name)
        lines = differences(old, recording) if old else ["was not recorded"]
        bad += bool(lines)
        print(f"{case.name}: {'differs' if lines else 'same'}", *lines, sep="\n", flush=True)
    print(f"{len(cases)} cases, {bad} differ")
    return not bad


def check(commit: str, cases: list[Case], *, jobs: int) -> bool:
    """Record a commit in a work tree of its own and compare the present tree with it."""
    with tempfile.TemporaryDirectory(prefix="golden-base-") as place:
        tree, kept = Path(place) / "tree", Path(place) / "recording"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--detach", "--quiet", str(tree), commit], check=True)
        try:
            record(kept, cases, source=tree / "src", jobs=jobs)
            return compare(kept, cases, source=SOURCE, jobs=jobs)
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)


def update_tests(cases: list[Case], *, source: Path, jobs: int) -> None:
    """Write the recordings that the tests compare with."""
    chosen = [case for case in cases if case.in_tests]
    known = {case.name for case in read_cases() if case.in_tests}
    for folder in TESTS.glob("*"):
        if folder.name not in known:
            shutil.rmtree(folder)
    for case, recording in run_cases(chosen, source, jobs):
        write_recording(TESTS / case.name, slim(recording))
        print(f"recorded {case.name}", flush=True)


def main() -> int:
    """Do what the command line says and return the exit code."""
    parser = argparse.ArgumentParser(description="Record and compare golden results.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("record", "compare", "check", "update-tests", "list", "inside"):
        command = commands.add_parser(name)
        if name in ("record", "compare"):
            command.add_argument("folder", type=Path, metavar="DIR")
        if name in ("record", "compare", "update-tests"):
            command.add_argument("--source", type=Path, default=SOURCE, metavar="SRC")
        if name == "check":
            command.add_argument("--base", required=True, metavar="COMMIT")
        if name == "inside":
            command.add_argument("case")
        command.add_argument("-k", dest="pattern", default="", metavar="TEXT")
        command.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    return done(chosen, read_cases(chosen.pattern))


def done(chosen: argparse.Namespace, cases: list[Case]) -> int:
    """Carry out a command and return the exit code."""
    jobs = chosen.jobs
    if chosen.command == "record":
        record(chosen.folder, cases, source=chosen.source.resolve(), jobs=jobs)
    elif chosen.command == "compare":
        return not compare(chosen.folder, cases, source=chosen.source.resolve(), jobs=jobs)
    elif chosen.command == "check":
        return not check(chosen.base, cases, jobs=jobs)
    elif chosen.command == "update-tests":
        update_tests(cases, source=chosen.source.resolve(), jobs=jobs)
    elif chosen.command == "inside":
        run_inside(next(case for case in cases if case.name == chosen.case))
    else:
        print(*(case.name for case in cases), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
