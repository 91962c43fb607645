"""The quick cases of build_tools/golden.py give what was recorded.

After a change that is meant: python build_tools/golden.py update-tests
"""

import importlib
import io
import os
import shlex
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from hayflick.cli.main import main

TOOLS = Path(__file__).parents[2] / "build_tools"
TOLERANCE = 1e-6  # processors and versions of libraries add up in other orders
APART = "forecast-words-json"  # the case that has a process of its own; all are recorded in one


def load_tool():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TOOLS)
        return importlib.import_module("golden")


golden = load_tool()
CASES = {case.name: case for case in golden.read_cases() if case.in_tests}


def run_here(title, command, folder, source):
    """Run in this process, which has loaded the package, what the tool starts a process for."""
    if command[0] == "-m":
        with as_if_alone(folder):
            return run_main(title)
    out, err = io.StringIO(), io.StringIO()
    with as_if_alone(folder), redirect_stdout(out), redirect_stderr(err):
        golden.run_inside(CASES[title])
    return golden.outcome(title, 0, out.getvalue(), err.getvalue())


def run_main(step):
    """Run a command line and return its exit code and output as text."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(shlex.split(step))
    return golden.outcome(step, code, out.getvalue(), err.getvalue())


@contextmanager
def as_if_alone(folder):
    """Give this process the folder and the environment of a case."""
    with pytest.MonkeyPatch.context() as patch, open(os.devnull) as nothing:
        for name in golden.DROPPED:
            patch.delenv(name, raising=False)
        for name, value in golden.SET.items():
            patch.setenv(name, value)
        patch.setattr(golden, "run_as_main", run_main)
        patch.setattr(sys, "stdin", nothing)
        patch.chdir(folder)
        yield


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # as where they are recorded
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_was_recorded_comes_again(case):
    recorded = golden.read_recording(golden.TESTS / case.name)
    assert recorded, "not recorded: python build_tools/golden.py update-tests"
    start = golden.run_process if case.name == APART else run_here
    found = golden.slim(golden.run_case(case, start=start))
    different = golden.differences(recorded, found, tolerance=TOLERANCE)
    assert not different, "\n".join(different)
