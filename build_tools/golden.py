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
import base64
import contextlib
import csv
import dataclasses
import difflib
import enum
import io
import json
import math
import os
import pkgutil
import random
import re
import runpy
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import tomllib
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src"
CASES = Path(__file__).with_name("golden_cases.toml")
TESTS = ROOT / "tests" / "contracts" / "golden"
TIMEOUT_S = 300
TOLERANCE = 1e-9
LONGEST_ARRAY = 60
LONGEST_TEXT = 2000
MOST_DIFFERENCES = 12

Recording = dict[str, str]  # name of a part, "output.txt" or "files/...": its text


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


def run_case(case: Case, source: Path = SOURCE) -> Recording:
    """Run a case against the package in `source` and return what came of it."""
    with tempfile.TemporaryDirectory(prefix="golden-") as place:
        folder = Path(place).resolve() / "case"
        folder.mkdir()
        write_inputs(folder, case.files)
        before = contents(folder)

        def run(step: str) -> str:
            return run_process(step, ["-m", "hayflick", *shlex.split(step)], folder, source)

        if case.python or case.together:
            parts = [run_process(case.name, [__file__, "inside", case.name], folder, source)]
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
    dropped = ("FORCE_COLOR", "HAYFLICK_TRACEBACK", "PYTHONHOME", "PYTHONWARNINGS")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    more = {"COLUMNS": "100", "NO_COLOR": "1", "PYTHONPATH": str(source), "TZ": "UTC"}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**kept, **more, "PYTHONIOENCODING": "utf-8"},
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
# Inputs

SENTENCES = (
    "The cat sat on the mat. A dog saw the cat run! Did it sing? Nobody in the harbour heard it. "
    "The old bridge was closed in May. Rain came over the hills, and the river rose again. "
)
JAPANESE = "雨が降る。古い橋は五月に閉じた。猫が橋の上で眠る。川の水は冷たい。雪が山に降る。"


def write_inputs(folder: Path, files: Mapping[str, str]) -> None:
    """Write the inputs of all cases, and those of one case, into its folder."""
    for name, content in {**generated_inputs(), **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))


def generated_inputs() -> dict[str, str | bytes]:
    """Return the inputs that every case finds, the same in every call."""
    rng = random.Random(7)
    words = [f"w{rank}" for rank in range(1, 120) for _ in range(1 + 100 // rank)]
    rng.shuffle(words)
    lines = [" ".join(words[start : start + 9]) for start in range(0, len(words), 9)]
    return {
        "corpus.txt": "\n".join(lines) + "\n",
        "story.txt": SENTENCES * 8,
        "folder/one.txt": SENTENCES * 2,
        "folder/two.txt": "A dog ran to the harbour. " * 6,
        "japanese.txt": JAPANESE * 6,
        "japanese-cp932.txt": (JAPANESE * 6).encode("cp932"),
        "latin.txt": "café crème".encode("latin-1"),
        "binary.txt": b"PK\x03\x04\x00\x00",
        "empty.txt": "",
        "counts.json": json.dumps({f"s{rank}": 60 // rank for rank in range(1, 31)}),
        "zero.json": '{"a": 3, "b": 0}',
        "table.csv": table(rng),
        "holes.csv": "x,label\n1.5,a\n,b\n2.5,\n3.5,a\n",
        "schedule.csv": "samples,fresh\n300,0\n250,25\n200,50\n300,100\n",
        "reserve.txt": "w1 w2 w3 w50 w60 w70\n",
        "keep.txt": "w5\nw40\nw100\n",
        "keep.json": '["w7", "w90"]',
        "weights.json": '{"red": 1.0, "green": 2.0, "blue": 0.5}',
        **answers(rng),
        **trial(rng),
    }


def table(rng: random.Random) -> str:
    """Return a table with labels, counts and two columns of numbers."""
    labels = ("red", "red", "red", "green", "green", "blue", "grey", "gold")
    rows = ["id,label,visits,weight,height"]
    for number in range(80):
        weight = rng.gauss(70, 12)
        height = 120 + 0.7 * weight + rng.gauss(0, 5)
        visits = min(9, int(rng.expovariate(0.4)))
        rows.append(f"{number},{rng.choice(labels)},{visits},{weight:.3f},{height:.3f}")
    return "\n".join(rows) + "\n"


def answers(rng: random.Random) -> dict[str, str]:
    """Return tables of answers: healthy ones, and ones that become the same."""
    words = [f"word{rank}" for rank in range(200)]
    rows = [
        {
            "round": number,
            "time": f"2026-03-{number:02d}T10:{place:02d}:00",
            "model": "ab"[place % 2],
            "prompt": f"Question {place % 3}?",
            "answer": " ".join(rng.choices(words, k=8)),
            "accuracy": round(0.7 + 0.01 * rng.gauss(0, 1), 6),
        }
        for number in range(1, 21)
        for place in range(40)
    ]
    same = "as an assistant I can say"
    collapsed = [{**row, "answer": same} if row["round"] > 16 else row for row in rows]
    as_csv = io.StringIO()
    writer = csv.DictWriter(as_csv, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(collapsed)
    return {
        "healthy.jsonl": "".join(json.dumps(row) + "\n" for row in rows),
        "collapsed.jsonl": "".join(json.dumps(row) + "\n" for row in collapsed),
        "collapsed.csv": as_csv.getvalue(),
        **numbers_by_round(rng),
    }


def numbers_by_round(rng: random.Random) -> dict[str, str]:
    """Return readings that fall, and vectors that come together."""
    scores = [0.4 if number > 48 else round(0.7 + rng.gauss(0, 0.01), 4) for number in range(1, 51)]
    rows = ["round,score", *(f"{number},{score}" for number, score in enumerate(scores, 1))]
    vectors = [
        json.dumps({"round": number, "v": [round(rng.gauss(1, width), 4) for _ in range(4)]})
        for number in range(1, 17)
        for width in [1.0 if number < 13 else 0.05] * 40
    ]
    return {"values.csv": "\n".join(rows) + "\n", "vectors.jsonl": "\n".join(vectors) + "\n"}


def trial(rng: random.Random) -> dict[str, str]:
    """Return the readings before a trial, and the results of one."""
    before = [f"{place // 50},{rng.gauss(1, 0.2):.4f}" for place in range(600)]
    results = []
    for arm, mean in (("0", 0.5), ("0.05", 0.5), ("0.2", 0.62)):
        for number in range(1, 7):
            center = mean + rng.gauss(0, 0.03)
            rows = ({"value": round(center + rng.gauss(0, 0.24), 6)} for _ in range(100))
            results += [json.dumps({"arm": arm, "round": number, **row}) for row in rows]
    return {
        "before.csv": "\n".join(["week,score", *before]) + "\n",
        "results.jsonl": "\n".join(results) + "\n",
    }


# ---------------------------------------------------------------------------------------------
# Files and values as text


def as_text(path: Path) -> str:
    """Return a written file as text that can be compared."""
    readers: dict[str, Callable[[Path], str]] = {
        ".nc": netcdf_text,
        ".png": png_text,
        ".db": database_text,
        ".xlsx": workbook_text,
        ".html": page_text,
        ".svg": page_text,
    }
    read = readers.get(path.suffix.lower(), plain_text)
    return read(path)


def plain_text(path: Path) -> str:
    """Return a text, or the size of what is none."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return f"{len(content)} bytes\n"


def page_text(path: Path) -> str:
    """Return a page, or a drawing, as text."""
    return page_lines(path.read_text(encoding="utf-8"))


def page_lines(text: str) -> str:
    """Return a page with a line per element, its embedded files decoded."""
    text = re.sub(r"base64,([A-Za-z0-9+/=]{16,})", embedded_text, text)
    return re.sub(r"> ?<", ">\n<", text)


def embedded_text(found: re.Match[str]) -> str:
    """Return a file in a page as text, or its size."""
    content = base64.b64decode(found[1])
    try:
        return f"\n{content.decode('utf-8-sig')}"
    except UnicodeDecodeError:
        return f"{len(content)} bytes"


def png_text(path: Path) -> str:
    """Return the size of a picture and a checksum of its bytes."""
    content = path.read_bytes()
    width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
    return f"PNG {width} x {height}, checksum {zlib.crc32(content)}\n"


def database_text(path: Path) -> str:
    """Return the rows of a SQLite file in an order of their own, without blobs."""
    if not path.stat().st_size:
        return "empty\n"
    base = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        lines = sorted("\n".join(base.iterdump()).split(";\n"))
    finally:
        base.close()
    text = ";\n".join(lines) + "\n"
    return re.sub(r"X'([0-9A-F]*)'", lambda blob: f"<blob of {len(blob[1]) // 2} bytes>", text)


def workbook_text(path: Path) -> str:
    """Return the parts of a workbook."""
    with zipfile.ZipFile(path) as parts:
        names = sorted(parts.namelist())
        texts = [f"{name}\n{parts.read(name).decode('utf-8')}\n" for name in names]
    return "".join(texts).replace("><", ">\n<")


def netcdf_text(path: Path) -> str:
    """Return what is in a NetCDF file."""
    import xarray

    with xarray.open_dataset(path, engine="h5netcdf") as runs:
        return as_json(plain(runs.load()))


def as_json(value: Any) -> str:
    """Return a plain value as JSON, a line per entry."""
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def plain(value: Any, depth: int = 6) -> Any:
    """Return a value as what JSON has; long arrays become a summary, objects their public fields.

    Names of modules are left out: they may change.
    """
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return page_lines(value).splitlines()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {str(key): plain(one, depth - 1) for key, one in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, list | tuple | Iterator):
        return [plain(one, depth - 1) for one in value]
    return plain_object(value, depth)


def plain_object(value: Any, depth: int) -> Any:
    """Return an array, a data set, a frame, or any object's fields as what JSON has."""
    if hasattr(value, "data_vars"):
        named = {**value.coords, **value.data_vars}
        variables = {str(name): plain_array(one.values, one.dims) for name, one in named.items()}
        return {"variables": variables, "attributes": plain(attributes(value.attrs))}
    if hasattr(value, "dtype"):
        import numpy as np

        return plain_array(np.asarray(value)) if np.ndim(value) else plain(value.item())
    for method in ("to_dicts", "model_dump", "_asdict"):
        if hasattr(value, method):
            return plain(getattr(value, method)(), depth - 1)
    if dataclasses.is_dataclass(value) and depth > 0:
        names = [field.name for field in dataclasses.fields(value)]
        shown = {name: getattr(value, name) for name in names if not name.startswith("_")}
        return plain(shown, depth - 1)
    return re.sub(r" at 0x[0-9a-f]+|(\w+\.)+(?=\w)", "", repr(value))


def attributes(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a data set's attributes, those in JSON read."""
    texts = {name: value for name, value in values.items() if isinstance(value, str)}
    read = {name: json.loads(one) for name, one in texts.items() if one[:1] in ("{", "[")}
    return {**values, **read}


def plain_array(values: Any, dims: Iterable[Any] = ()) -> Any:
    """Return a short array as lists, a long one as numbers that tell most changes."""
    if values.size <= LONGEST_ARRAY or values.dtype.kind not in "iufb":
        return {"dims": list(map(str, dims)), "values": plain(values.tolist())}
    import numpy as np

    flat = values.astype(float).ravel()
    known = np.where(np.isfinite(flat), flat, 0.0)
    return {
        "dims": list(map(str, dims)),
        "shape": list(values.shape),
        "kind": values.dtype.kind,
        "finite": int(np.isfinite(flat).sum()),
        "mean": float(known.mean()),
        "deviation": float(known.std()),
        "lowest": float(known.min()),
        "highest": float(known.max()),
        "by_place": float(known @ np.linspace(0.0, 1.0, len(known))),
        "first": plain(flat[:10].tolist()),
        "last": plain(flat[-10:].tolist()),
    }


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
