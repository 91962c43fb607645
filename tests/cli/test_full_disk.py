"""Where a disk is full, a command says so, and leaves nothing behind."""

import json
import os
import subprocess
import sys

import pytest

resource = pytest.importorskip("resource", reason="the limit on files is one of POSIX")
CODE = (
    "import resource, sys; from hayflick.cli.main import run;"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); run()"
)
COMMANDS = {
    "NetCDF": "simulate poisson:3 --samples 9 --generations 40 --out written.nc",
    "picture": "simulate poisson:3 --samples 9 --generations 4 --plot written.svg",
    "page": "forecast words.txt --generations 4 --replicates 0 --out written.html",
    "answers": "watch answers.jsonl --by round --text answer --baseline 9 --out written.html",
    "plan": "plan words.txt --keep 0.5 --generations 4 --replicates 0 --out written.html",
    "figures": "reproduce suresh2024 --figure theorem-1-common --out written",
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "words.txt").write_text("the cat sat on the mat and the dog by the cat\n" * 20)
    records = [{"round": row // 12, "answer": f"it is {row} of {row % 7}"} for row in range(180)]
    lines = "".join(f"{json.dumps(record)}\n" for record in records)
    (tmp_path / "answers.jsonl").write_text(lines)
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_files_that_do_not_fit_are_refused_and_removed(command, folder):
    """A limit on the size of files fails at the same place as a full disk."""
    before = set(os.listdir(folder))
    # Python would leave half of a module's compiled code behind, for every later test to fail on.
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", CODE, *command.split()],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "too large" in done.stderr.lower()
    left = {name for name in set(os.listdir(folder)) - before if os.path.isfile(folder / name)}
    assert not left
