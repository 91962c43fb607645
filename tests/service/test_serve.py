"""`hayflick serve`: how it starts, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError
from hayflick.service.serve import make_first_token, take_token
from hayflick.storage.accounts import principal_of_token
from hayflick.storage.database import Database

COMMAND = [sys.executable, "-m", "hayflick", "serve", "--port", "0"]


@contextmanager
def serving(*arguments, **environment):
    """Yield the process of a service, its lines until it listens, and its address."""
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        lines = []
        while not lines or not lines[-1].startswith("listening at "):
            line = process.stdout.readline()
            assert line, process.stderr.read()
            lines.append(line.strip())
        yield process, lines, lines[-1].removeprefix("listening at ")
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        with process.stdout, process.stderr:
            assert process.wait(timeout=60) == 0, process.stderr.read()


def test_the_first_start_prints_a_token_once(tmp_path):
    place = ["--database", str(tmp_path / "kept.db")]
    with serving(*place) as (process, lines, url):
        token = lines[0].removeprefix("admin token, shown only this once: ")
        assert token.startswith("hf_")
        assert f"{url}/setup" in lines[1]
        assert httpx.get(f"{url}/health", timeout=30).json()["status"] == "ok"
        assert httpx.get(f"{url}/ready", timeout=30).json()["status"] == "ready"
        # Those who listen do not hold up the end.
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.stream("GET", f"{url}/v1/events", headers=headers, timeout=30) as events:
            begun = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert events.read().startswith(b"retry:")
        process.wait(timeout=60)
        assert time.monotonic() - begun < 9.0
    with Database(tmp_path / "kept.db") as database:
        assert make_first_token(database, now=5.0) is None
        with database.connect() as connection:
            assert principal_of_token(connection, token).may("admin")


def test_it_asks_for_the_first_user_until_there_is_one(tmp_path):
    place = ("--database", str(tmp_path / "kept.db"))
    token = {"HAYFLICK_ADMIN_TOKEN": "chosen-by-the-operator"}
    headers = {"Authorization": f"Bearer {token['HAYFLICK_ADMIN_TOKEN']}"}
    with serving(*place, **token) as (_, lines, url):
        assert len(lines) == 2
        assert f"{url}/setup" in lines[0]
        user = {"name": "ann", "password": "correct horse battery", "scopes": ["admin"]}
        assert httpx.post(f"{url}/v1/users", json=user, headers=headers, timeout=30).is_success
    with serving(*place) as (_, lines, url):
        assert lines == [f"listening at {url}"]
        assert httpx.get(f"{url}/ready", timeout=30).is_success


def test_several_processes_share_a_server(request):
    place = request.getfixturevalue("postgres")
    arguments = ("--database", place, "--workers", "2")
    token = {"HAYFLICK_ADMIN_TOKEN": "chosen-by-the-operator"}
    with serving(*arguments, **token) as (process, lines, url):
        assert [line for line in lines if "shown only this once" in line] == []
        assert httpx.get(f"{url}/ready", timeout=60).status_code == 200
        path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        if not path.exists():
            return
        # One of them dies, and another takes its place.
        children = path.read_text().split()
        assert len(children) >= 2
        os.kill(int(children[-1]), signal.SIGKILL)
        give_up = time.monotonic() + 60
        while len(set(path.read_text().split()) - {children[-1]}) < len(children):
            assert time.monotonic() < give_up
            time.sleep(0.1)
        assert httpx.get(f"{url}/ready", timeout=60).status_code == 200


def test_a_token_that_the_operator_chose(tmp_path):
    with Database(tmp_path / "kept.db") as database:
        for _ in range(2):
            take_token(database, "chosen-by-the-operator", now=5.0)
        with database.transaction() as connection:
            principal = principal_of_token(connection, "chosen-by-the-operator")
            assert principal.may("admin")
            connection.exec_driver_sql("UPDATE tokens SET revoked = 6.0")
        assert make_first_token(database, now=7.0) is None
        with pytest.raises(ArgumentError, match="was revoked"):
            take_token(database, "chosen-by-the-operator", now=7.0)
        with pytest.raises(ArgumentError, match="at least 20 letters"):
            take_token(database, "short", now=7.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "70000"], "port: got 70000"),
        (["--workers", "2"], "workers: got 2, takes 1 where the store is a file"),
        (["--workers", "0"], "workers: got 0"),
        (["--host", "0.0.0.0"], "0.0.0.0"),
        (["--config", "absent.toml"], "absent.toml"),
    ],
)
def test_mistakes_are_named(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["serve", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_port_in_use_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 2
    assert f"port: got {port}, takes one that no other program" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_it_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for library in ("fastapi", "uvicorn", "apprise", "httpx", "prometheus_client"):
        monkeypatch.setitem(sys.modules, library, None)
    assert main(["serve", "--port", "0"]) == 2
    assert 'pip install "hayflick[server]"' in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
