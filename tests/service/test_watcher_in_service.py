"""The client reports to a service that runs: what it was given is counted there exactly once."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys

import httpx
import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.service.app import create_app
from hayflick_client import Watcher


@pytest.fixture
def place(tmp_path):
    return str(tmp_path / "service.db")


def bare(headers):
    return headers["Authorization"].removeprefix("Bearer ")


@pytest.fixture
def url(service, served):
    return served(create_app(service))


def test_every_kind_of_item_is_taken(service, url, token):
    key = bare(token("ingest", "read"))
    calls = {
        "talk": lambda w, n: w.record(f"answer {n}", group="a", prompt="p", values={"length": n}),
        "vectors": lambda w, n: w.record_vector([0.5, n], text="x", group="a"),
        "labels": lambda w, n: w.record_counts({"cat": 2, "dog": n + 1}, group="a"),
        "numbers": lambda w, n: w.record_values({"score": n}, group="a"),
    }
    for stream, call in calls.items():
        with Watcher(stream, url=url, token=key) as watcher:
            call(watcher, 1)
            call(watcher, 2)
        counts = watcher.counts
        assert counts.delivered == counts.recorded, (stream, counts.reasons)


def test_a_bad_item_is_left_out_by_the_services_own_word(url, token):
    with Watcher("talk", url=url, token=bare(token("ingest")), interval_s=60) as watcher:
        for number in range(20):
            watcher.record(f"answer {number}", group="g" * 300 if number == 7 else "a")
    assert watcher.counts.delivered == 19
    ((reason, number),) = watcher.counts.reasons.items()
    assert reason == "422: group: got 300 characters, takes 0 to 200"
    assert number == 1


def test_a_token_without_the_scope_is_said(url, token):
    with Watcher("talk", url=url, token=bare(token("read"))) as watcher:
        watcher.record("answer")
    assert watcher.counts.reasons == {"403: the token 'test' lacks the scope ingest": 1}


def test_the_gate_asks_the_service(url, token, capsys):
    key = bare(token("ingest", "read"))
    with Watcher("talk", url=url, token=key) as watcher:
        watcher.record("answer")
    assert main(["gate", "talk", "--url", url, "--token", key, "--format", "json"]) == 3
    assert json.loads(capsys.readouterr().out) == hf.gate("talk", url=url, token=key).to_dict()
    assert main(["gate", "other", "--url", url, "--token", key]) == 2
    assert "404: there is no stream 'other'" in capsys.readouterr().err


def start(database, port):
    """Start the service and wait until it listens."""
    command = [sys.executable, "-m", "hayflick", "serve", "--database", database, "--port", port]
    variables = {**os.environ, "HAYFLICK_ADMIN_TOKEN": "chosen-by-the-operator"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=variables)
    for line in process.stdout:
        if line.startswith("listening at"):
            return process
    raise AssertionError("it ended before it listened")


def test_a_service_that_is_killed_counts_every_answer_once(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    database, url = str(tmp_path / "service.db"), f"http://127.0.0.1:{port}"
    process = start(database, port)
    watcher = Watcher("talk", url=url, token="chosen-by-the-operator", batch=10, interval_s=0.01)
    try:
        for number in range(300):
            watcher.record(f"answer {number}")
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        for number in range(300, 400):
            watcher.record(f"answer {number}")
        process = start(database, port)
        assert watcher.flush(30)
        assert watcher.counts.delivered == 400
        headers = {"Authorization": "Bearer chosen-by-the-operator"}
        shown = httpx.get(f"{url}/v1/streams/talk", headers=headers, timeout=30).json()
        assert shown["answers"] == 400
    finally:
        watcher.close(timeout_s=0)
        process.terminate()
        process.wait()
        process.stdout.close()
