"""Ctrl-C at any moment ends a command with one line and exit code 130."""

import os
import signal
import subprocess
import sys
import time

import pytest


@pytest.mark.parametrize("module", ["typer", "numpy", "polars", "hayflick.cli.app", "rich.table"])
def test_an_interrupt_while_modules_are_loaded(module, tmp_path):
    """Ctrl-C comes in the middle of the first import of a module."""
    hook = f"""
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
from hayflick.cli.main import run
sys.argv = ["hayflick", "simulate", "poisson:3", "--samples", "5"]
run()
"""
    done = subprocess.run(
        [sys.executable, "-c", hook], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 130, done.stderr
    assert done.stderr.strip() == "error: interrupted; nothing was finished"


@pytest.mark.parametrize("delay", [0.15, 0.3, 0.5, 0.8])
def test_an_interrupt_at_any_time(delay, tmp_path):
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from hayflick.cli.main import run; print('ready', flush=True); run()"
    )
    command = ["simulate", "zipf:2000", "--samples", "200000", "--generations", "90"]
    running = subprocess.Popen(
        [sys.executable, "-c", code, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    assert running.stdout.readline() == "ready\n"
    time.sleep(delay)
    os.kill(running.pid, signal.SIGINT)
    _, error = running.communicate(timeout=30)
    assert running.returncode == 130, error
    assert "Traceback" not in error
    assert "interrupted" in error


@pytest.mark.parametrize("delay", [1, 4])
def test_an_interrupt_of_processes_leaves_none_behind(delay, tmp_path):
    """Ctrl-C reaches all processes of a terminal's command."""
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from hayflick.cli.main import run; print('ready', flush=True); run()"
    )
    command = ["simulate", "zipf:2000", "--samples", "2000000", "--generations", "4000", "--yes"]
    running = subprocess.Popen(
        [sys.executable, "-c", code, *command, "--scheduler", "processes", "--workers", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        start_new_session=True,
    )
    assert running.stdout.readline() == "ready\n"
    time.sleep(delay)
    os.killpg(running.pid, signal.SIGINT)
    _, error = running.communicate(timeout=30)
    assert running.returncode == 130, error
    assert "Traceback" not in error
    assert "interrupted" in error
    deadline = time.monotonic() + 10
    while _runs(running.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(running.pid)


def _runs(group):
    """Return whether a process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
