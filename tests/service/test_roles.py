"""Processes with roles over one store: some answer requests, others close and measure rounds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient
from watched_stream import answers

from hayflick.cli.main import main
from hayflick.core.errors import DataError
from hayflick.service.app import create_app, workers_of
from hayflick.service.round_keeper import RoundKeeper
from hayflick.service.serve import read_settings, take_token
from hayflick.service.service import Service
from hayflick.service.settings import ServiceSettings
from hayflick.storage.database import Database
from hayflick.storage.rounds import measuring_lock
from hayflick.storage.streams import stream_named

TOKEN = "chosen-by-the-operator"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
STREAM = "/v1/streams/s"
on_postgresql = pytest.mark.parametrize("place", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("place", ["sqlite"], indirect=True)


@contextmanager
def running(place, role):
    """Yield a client of a process with a role, which runs in this one."""
    with Database(place, durable=True) as database:
        take_token(database, TOKEN, now=1.0)
        app = create_app(Service(database, ServiceSettings(role=role)))
        with TestClient(app, base_url="http://127.0.0.1", headers=HEADERS) as client:
            yield client


@contextmanager
def rounds_process(place):
    """Yield the process of a service that closes rounds, which is killed at the end."""
    command = [sys.executable, "-m", "hayflick", "serve", "--port", "0", "--role", "rounds"]
    environment = {**os.environ, "HAYFLICK_DATABASE": place, "HAYFLICK_ADMIN_TOKEN": TOKEN}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout.readline().startswith("listening at ")
            yield process
        finally:
            process.send_signal(signal.SIGKILL)


def measured(client, number):
    """Wait until a round of the stream is measured."""
    give_up = time.monotonic() + 60
    while client.get(STREAM).json()["measured_round"] < number:
        assert time.monotonic() < give_up
        time.sleep(0.05)


def send(client, seed, number=20):
    items = [{"key": f"{seed}-{at}", **one} for at, one in enumerate(answers(seed, number))]
    reply = client.post(f"{STREAM}/answers", json=items)
    assert reply.json()["accepted"] == number, reply.text


def numbers(client):
    rounds = client.get(f"{STREAM}/rounds?limit=100").json()["items"]
    return [(one["number"], one["answers"], one["status"]) for one in rounds]


@on_postgresql
def test_one_takes_answers_others_close_rounds_and_a_killed_one_is_replaced(place):
    with rounds_process(place), running(place, "ingest") as client:
        client.put(STREAM, json={"every": 20, "baseline": 3})
        for seed in range(4):
            send(client, seed)
        measured(client, 4)
        readings = client.get(f"{STREAM}/readings").json()
    # It was killed, and nobody closes rounds: answers are taken, and none is lost.
    with running(place, "ingest") as client:
        for seed in range(4, 6):
            send(client, seed)
        time.sleep(1.0)
        assert client.get(STREAM).json()["measured_round"] == 4
        assert "hayflick_rounds_waiting 2.0" in client.get("/metrics").text
        with running(place, "rounds"):
            measured(client, 6)
        assert numbers(client) == [(number, 20, "measured") for number in range(1, 7)]
        before = client.get(f"{STREAM}/readings?limit=100").json()["items"]
        assert all(one in before for one in readings["items"])


@on_postgresql
def test_of_two_that_close_rounds_one_waits_for_a_stream_until_the_other_has_ended(place):
    with (
        running(place, "ingest") as client,
        Database(place, durable=True) as database,
        Database(place, durable=True) as other,
    ):
        client.put(STREAM, json={"every": 20, "baseline": 2})
        client.put("/v1/streams/t", json={"every": 20, "baseline": 2})
        with other.connect() as connection:
            number = stream_named(connection, 1, "s").id
        service = Service(database, ServiceSettings(role="rounds"))
        service.start()
        keeper = RoundKeeper(service)
        with measuring_lock(other, number) as held:
            assert held
            for seed in range(2):
                send(client, seed, 20)
                client.post("/v1/streams/t/answers", json=answers(seed, 20))
            # The other one is at work on this stream, and not on that one.
            assert keeper.work() == 2
            assert client.get(STREAM).json()["measured_round"] == 0
            assert client.get("/v1/streams/t").json()["measured_round"] == 2
        assert keeper.work() == 2
        assert client.get(STREAM).json()["measured_round"] == 2
        service.stop()


@on_postgresql
def test_a_process_that_closes_rounds_answers_supervisors_alone(place):
    with running(place, "rounds") as client:
        assert client.get("/health").json()["role"] == "rounds"
        assert client.get("/ready").json()["status"] == "ready"
        assert "hayflick_rounds_waiting" in client.get("/metrics").text
        for path in ("/", "/login", "/v1/streams", "/static/style.css", "/nowhere"):
            reply = client.get(path, follow_redirects=False)
            assert reply.status_code == 404
            assert "send requests to one with --role ingest or all" in reply.text
        assert client.post(f"{STREAM}/answers", json={"text": "a"}).status_code == 404


@on_sqlite
def test_what_each_role_does(database):
    names = {
        role: [
            type(one).__name__ for one in workers_of(Service(database, ServiceSettings(role=role)))
        ]
        for role in ("all", "ingest", "rounds")
    }
    assert names["ingest"] == ["Broadcast"]
    assert names["rounds"] == ["AlertWorker", "RoundKeeper", "Housekeeper"]
    assert sorted(names["all"]) == sorted(names["ingest"] + names["rounds"])


@pytest.mark.parametrize("role", ["ingest", "rounds"])
@pytest.mark.parametrize("how", ["option", "settings"])
def test_a_file_takes_one_process_that_does_all(role, how, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "service.toml").write_text(f'role = "{role}"\n')
    given = ["--role", role] if how == "option" else ["--config", "service.toml"]
    assert main(["serve", "--port", "0", *given]) == 2
    told = capsys.readouterr().err
    assert f"role: got {role}, takes all where the store is a file" in told
    assert "postgresql://HOST/NAME" in told


def test_an_unknown_role_is_named(tmp_path, capsys):
    assert main(["serve", "--role", "closer"]) == 2
    assert "ingest" in capsys.readouterr().err
    path = tmp_path / "service.toml"
    path.write_text('role = "closer"\n')
    with pytest.raises(DataError, match=r"role: .*'ingest'"):
        read_settings(path)
