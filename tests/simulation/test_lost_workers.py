"""Workers and schedulers of a Dask cluster that are killed while they simulate."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import ExecutorError
from hayflick.simulation.executors import open_executor

pytest.importorskip("distributed", reason="the extra cluster is not installed")
HOW = {"samples": 4000, "generations": 100, "replicates": 640, "seed": 2}
PATIENCE_S = 60


@pytest.fixture
def cluster(tmp_path):
    """Start a scheduler and a worker as a user does; return the scheduler and its address."""
    file = tmp_path / "scheduler.json"
    where = ["--scheduler-file", str(file), "--no-dashboard"]
    started = [
        start("scheduler", "--host", "127.0.0.1", "--port", "0", *where),
        start("worker", "--nthreads", "1", "--local-directory", str(tmp_path), *where),
    ]
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not file.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield started[0], json.loads(file.read_text())["address"], deadline
    finally:
        for process in reversed(started):
            process.terminate()
        for process in reversed(started):
            process.communicate(timeout=PATIENCE_S)


def start(*command):
    return subprocess.Popen(
        [sys.executable, "-m", "dask", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_a_worker_that_is_killed_changes_nothing_and_a_lost_scheduler_is_told(
    cluster, monkeypatch, capfd
):
    scheduler, address, deadline = cluster
    killed = []

    def kill_worker(what, done, total):
        if not killed:
            os.kill(worker, signal.SIGKILL)
            killed.append(done / total)

    with connected(address, deadline) as executor:
        worker = executor.submit(os.getpid).result()
        there = hf.simulate("zipf:500", **HOW, executor=executor, progress=kill_worker)
        assert executor.submit(os.getpid).result() != worker
    assert killed[0] < 1
    assert there.drop_attrs().identical(hf.simulate("zipf:500", **HOW).drop_attrs())

    @contextmanager
    def killing_progress(**_):
        yield lambda *_: scheduler.kill()

    monkeypatch.setattr("hayflick.cli.simulate.progress_bar", killing_progress)
    options = [f"--{name}={value}" for name, value in HOW.items()]
    capfd.readouterr()
    assert main(["simulate", "zipf:500", *options, "--scheduler", address]) == 3
    said = capfd.readouterr()
    lost = "the scheduler is lost, or has cancelled the work; see its log, and run it again"
    assert said.err == f"error: {lost}\n"
    assert not said.out


@contextmanager
def connected(address, deadline):
    """Connect once the worker is there."""
    while True:
        try:
            with open_executor(address) as executor:
                yield executor
                return
        except ExecutorError as fault:
            if "has no worker" not in str(fault) or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
