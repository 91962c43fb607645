"""Blocks of a simulation give the same numbers wherever they run."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError, ExecutorError
from hayflick.simulation.executors import process_executor

CASES = [
    ("zipf:100", {"samples": 60}),
    ("gaussian:deviation=2", {"samples": 20, "regime": "fresh:0.1"}),
    ("zipf:50", {"samples": 60, "regime": "accumulate"}),
]


@pytest.fixture(scope="module")
def processes():
    with process_executor(2) as executor:
        yield executor


@pytest.mark.parametrize(("family", "how"), CASES)
def test_processes_give_the_numbers_of_threads(processes, family, how):
    runs = [
        hf.simulate(family, generations=6, replicates=100, seed=3, **how, **where)
        for where in ({}, {"executor": processes}, {"executor": processes, "block_size": 64})
    ]
    plain = [one.drop_attrs() for one in runs]
    assert plain[0].identical(plain[1])
    assert plain[0].identical(plain[2])
    assert runs[0].attrs["provenance"][:40] == runs[1].attrs["provenance"][:40]


def test_a_number_of_workers_that_is_none_is_refused():
    with pytest.raises(ArgumentError, match="workers: got 0"), process_executor(0):
        pass


def test_no_process_is_left_however_threads_take_turns():
    before, interval = set(multiprocessing.active_children()), sys.getswitchinterval()
    # The thread of a pool reads that a process has ended, and waits for its turn to note it.
    sys.setswitchinterval(0.05)
    try:
        for _ in range(6):
            with process_executor(1) as executor:
                executor.submit(time.sleep, 0.0)
            assert set(multiprocessing.active_children()) <= before
    finally:
        sys.setswitchinterval(interval)


def test_a_process_that_is_killed_is_told():
    with process_executor(1) as executor:
        os.kill(executor.submit(os.getpid).result(), signal.SIGKILL)
        with pytest.raises(ExecutorError, match="was killed"):
            hf.simulate("zipf:9", samples=9, generations=2, seed=1, executor=executor)


_KILLED = """
import os
from hayflick.simulation.executors import process_executor
with process_executor(1) as executor:
    print(executor.submit(int, 7).result(), flush=True)
    os.kill(os.getpid(), 9)
"""


def test_processes_end_with_the_one_that_started_them_even_if_it_is_killed():
    # They hold its standard output open, so that only their end is the end of what it says.
    done = subprocess.run(
        [sys.executable, "-c", _KILLED], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.returncode) == ("7\n", -9)
