"""Workers and schedulers of a Dask cluster that are killed in the middle of the work."""

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
HOW = {"samples": 4000, "generations": 30, "replicates": 384, "seed": 2}
STUDY = """
format_version = 1
family = "zipf:300"
samples = [600, 700, 800, 900, 1000, 1100]
generations = 30
regime = "accumulate"
replicates = 32
"""
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
    cluster, tmp_path, monkeypatch, capfd
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
        def kill_scheduler(what, done, total):
            if what == "cells" and 2 <= done < total:
                scheduler.kill()

        yield kill_scheduler

    study = tmp_path / "study.toml"
    study.write_text(STUDY)
    monkeypatch.setattr("hayflick.cli.sweep.progress_bar", killing_progress)
    capfd.readouterr()
    assert main(["sweep", str(study), "--scheduler", address]) == 3
    said = capfd.readouterr()
    lost = "the scheduler is lost, or has cancelled the work; see its log, and run it again"
    assert said.err.splitlines()[-1] == f"error: {lost}"
    assert "--resume" in said.err
    assert not said.out
    resumed = hf.sweep(study, out=study.with_suffix(""), resume=True)
    assert resumed.to_frame().equals(hf.sweep(study).to_frame())


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
