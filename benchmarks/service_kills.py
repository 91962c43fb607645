"""A service that is killed at random moments under load: every answer is counted exactly once.

``python benchmarks/service_kills.py 20`` kills it so many times with SIGKILL on each engine. What
was not acknowledged is sent again with the same keys. In the end each answer is stored once, every
round is full, and the readings and the states of charts are those of a service that took the same
answers without being killed. Returns 1 where they are not.
"""

from __future__ import annotations

import json
import math
import os
import queue
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from hayflick.service.ingest import ingest
from hayflick.service.round_keeper import RoundKeeper
from hayflick.service.service import Service
from hayflick.service.settings import ServiceSettings
from hayflick.service.stream_settings import StreamSettings
from hayflick.storage.accounts import Principal, project_named
from hayflick.storage.database import Database
from hayflick.storage.service_tables import (
    answers,
    chart_states,
    readings,
    rounds,
    streams,
    unpack,
    verdicts,
)

TOKEN = "hf_benchmark_of_the_service_kills"
STREAM, EVERY, BATCH, BASELINE = "kills", 40, 15, 4
SENDERS = 3
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/x-ndjson"}
CONFIG = f"[defaults]\nevery = {EVERY}\nbaseline = {BASELINE}\n"

Item = dict[str, str]


def main() -> int:
    """Return 1 where an answer was lost, or counted twice, or a chart is in another state."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    wrong = 0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for engine in sys.argv[2:] or ["sqlite", "postgresql"]:
            with store(folder, engine) as database:
                workers = 1 if engine == "sqlite" else 2
                found = campaign(database, folder, kills=kills, seed=kills, workers=workers)
            print(f"{engine}: {found or 'every answer counted once, charts as replayed'}")
            wrong += bool(found)
    return int(wrong > 0)


def campaign(
    place: str, folder: Path, *, kills: int, seed: int = 1, longest: float = 1.5, workers: int = 1
) -> str:
    """Return what is wrong after so many kills; empty if nothing is.

    Parameters
    ----------
    place
        The store: a path, or the URL of a database.
    folder
        Where the store of the replay goes.
    kills
        How often the service is killed.
    seed
        Seed of the moments.
    longest
        Seconds of load before a kill, at most.
    workers
        Processes of the service.
    """
    rng = random.Random(seed)
    load = Load()
    for _ in range(kills):
        with Server(place, workers) as server, load.sent_to(server.url):
            server.wait()
            before = len(load.acknowledged)
            time.sleep(rng.uniform(0.0, longest))
            server.kill()
        print(f"killed after {len(load.acknowledged) - before} answers more", flush=True)
    with Server(place, workers) as server:
        server.wait()
        load.finish(server.url)
        _wait_for_readings(place)
        server.stop()
    order = _stored_items(place)
    fault = _miscounted(place, load, [item["key"] for item in order])
    if fault:
        return fault
    replay = str(folder / f"replay-{time.monotonic_ns()}.db")
    _replay(replay, order)
    return _difference(_measured(place), _measured(replay), "the store")


def _replay(place: str, items: list[Item]) -> None:
    """Give the same answers to a service in this process, which nobody kills."""
    settings = ServiceSettings(defaults=StreamSettings(every=EVERY, baseline=BASELINE))
    with Database(place) as database:
        with database.transaction() as connection:
            project = project_named(connection, "default", now=0.0)
        principal = Principal(project, "replay", frozenset({"ingest"}))
        service = Service(database, settings)
        service.start([RoundKeeper(service)])
        for first in range(0, len(items), BATCH):
            batch = items[first : first + BATCH]
            ingest(service, principal, STREAM, "answers", batch).result()
        _wait_for_readings(place)
        service.stop()


class Load:
    """Senders that send batches until each is acknowledged, with the same keys each time."""

    def __init__(self) -> None:
        self.acknowledged: set[str] = set()
        self._unsent: queue.SimpleQueue[list[Item]] = queue.SimpleQueue()
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._number = 0

    @contextmanager
    def sent_to(self, url: str) -> Iterator[None]:
        """Send new batches, and those that were not acknowledged, as long as the block lasts."""
        self._ended.clear()
        threads = [threading.Thread(target=self._send, args=(url,)) for _ in range(SENDERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()

    def finish(self, url: str) -> None:
        """Send what was not acknowledged, and what fills the baseline and the last round."""
        while not self._unsent.empty():
            self._deliver(url, self._unsent.get())
        while len(self.acknowledged) % EVERY or len(self.acknowledged) < 2 * BASELINE * EVERY:
            self._deliver(url, self._batch())

    def _send(self, url: str) -> None:
        with httpx.Client(timeout=30.0) as client:
            while not self._ended.is_set():
                try:
                    batch = self._unsent.get_nowait()
                except queue.Empty:
                    batch = self._batch()
                if not self._deliver(url, batch, client):
                    time.sleep(0.05)

    def _deliver(self, url: str, batch: list[Item], client: httpx.Client | None = None) -> bool:
        try:
            answer = _post(url, batch, client)
        except httpx.TransportError:
            answer = None
        if answer is None or answer.status_code in (429, 503):
            self._unsent.put(batch)
            return False
        answer.raise_for_status()
        with self._lock:
            self.acknowledged |= {item["key"] for item in batch}
        return True

    def _batch(self) -> list[Item]:
        with self._lock:
            numbers = range(self._number, self._number + BATCH)
            self._number += BATCH
        return [_item(number) for number in numbers]


def _item(number: int) -> Item:
    rng = random.Random(number)
    # Later answers have fewer words, so that charts have something to say.
    vocabulary = max(20, 400 - number // 10)
    text = " ".join(f"word{rng.randrange(vocabulary)}" for _ in range(20))
    return {"key": f"answer {number}", "text": text, "group": f"model {number % 2}"}


def _post(url: str, batch: list[Item], client: httpx.Client | None = None) -> httpx.Response:
    body = "\n".join(map(json.dumps, batch)).encode()
    post = httpx.post if client is None else client.post
    return post(f"{url}/v1/streams/{STREAM}/answers", content=body, headers=HEADERS, timeout=30.0)


class Server:
    """The service in a process of its own, with a group of processes that can be killed."""

    def __init__(self, place: str, workers: int) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._folder = tempfile.TemporaryDirectory()
        config = Path(self._folder.name) / "service.toml"
        config.write_text(CONFIG)
        command = [sys.executable, "-m", "hayflick", "serve", "--port", str(port)]
        command += ["--database", place, "--config", str(config)]
        command += ["--workers", str(workers)]
        environment = {**os.environ, "HAYFLICK_ADMIN_TOKEN": TOKEN}
        self._process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
        )

    def wait(self) -> None:
        """Wait until it takes answers."""
        give_up = time.monotonic() + 60
        while self._process.poll() is None and time.monotonic() < give_up:
            try:
                if httpx.get(f"{self.url}/ready", timeout=5.0).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.02)
        raise RuntimeError("the service did not start")

    def kill(self) -> None:
        """End all its processes at once, whatever they do."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Ask it to end."""
        self._process.terminate()
        if self._process.wait(30) != 0:
            raise RuntimeError("the service did not end as it was asked to")

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.kill()
        self._folder.cleanup()


@contextmanager
def store(folder: Path, engine: str) -> Iterator[str]:
    """Yield a new store: the path of a file, or the URL of a server that runs meanwhile."""
    if engine == "sqlite":
        yield str(folder / "service.db")
        return
    import pgserver

    # Paths of sockets are short.
    with tempfile.TemporaryDirectory(prefix="hf") as data:
        server = pgserver.get_server(data)
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def _wait_for_readings(place: str) -> None:
    give_up = time.monotonic() + 120
    with Database(place) as database:
        while time.monotonic() < give_up:
            with database.connect() as connection:
                row = connection.execute(sa.select(streams)).one()
            if row.measured_round == row.answers // EVERY:
                return
            time.sleep(0.05)
    raise RuntimeError(f"only {row.measured_round} of {row.answers // EVERY} rounds were measured")


def _stored_items(place: str) -> list[Item]:
    columns = (answers.c.key, answers.c.text, answers.c.group)
    with Database(place) as database, database.connect() as connection:
        rows = connection.execute(sa.select(*columns).order_by(answers.c.round, answers.c.id))
        return [{"key": row.key, "text": row.text, "group": row.group} for row in rows]


def _miscounted(place: str, load: Load, keys: list[str]) -> str:
    """Return what is wrong with the numbers of answers; empty if nothing is."""
    if len(set(keys)) < len(keys):
        return f"{len(keys) - len(set(keys))} answers are stored twice"
    if set(keys) != load.acknowledged:
        lost, more = load.acknowledged - set(keys), set(keys) - load.acknowledged
        return f"{len(lost)} answers are lost, {len(more)} are stored that were not acknowledged"
    with Database(place) as database, database.connect() as connection:
        counted = connection.scalar(sa.select(streams.c.answers))
        held = connection.execute(sa.select(rounds.c.number, rounds.c.answers, rounds.c.status))
        odd = [tuple(one) for one in held if one.answers != EVERY or one.status != "measured"]
        per_round = sa.select(sa.func.count(answers.c.id)).group_by(answers.c.round)
        sizes = set(connection.scalars(per_round))
    if counted != len(keys) or odd or sizes != {EVERY}:
        return f"{counted} of {len(keys)} answers are counted; rounds {odd[:5]}, sizes {sizes}"
    return ""


def _measured(place: str) -> dict[str, Any]:
    """Return readings, verdicts and states of charts."""
    with Database(place) as database, database.connect() as connection:
        found: dict[str, Any] = {
            f"reading {row.round} {row.group!r}": unpack(row.content)
            for row in connection.execute(sa.select(readings))
        }
        for row in connection.execute(sa.select(verdicts)):
            name = f"verdict {row.round} {row.metric} {row.group!r} {row.chart}"
            found[name] = [row.state, row.value, row.statistic, row.limit, row.evidence, row.since]
        for row in connection.execute(sa.select(chart_states)):
            name = f"chart {row.metric} {row.group!r} {row.chart}"
            found[name] = [row.round, unpack(row.content)]
    return found


def _difference(one: Any, other: Any, name: str) -> str:
    """Return where two records differ; empty if they are the same to 1e-9."""
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return f"{name}: only one of the two has {sorted(one.keys() ^ other.keys())[:5]}"
        found = (_difference(one[key], other[key], f"{name}, {key}") for key in one)
        return next(filter(None, found), "")
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        found = (
            _difference(a, b, f"{name}, {place}")
            for place, (a, b) in enumerate(zip(one, other, strict=True))
        )
        return next(filter(None, found), "")
    if isinstance(one, float) and isinstance(other, float):
        same = math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
        return "" if same else f"{name}: {one!r} and {other!r}"
    return "" if one == other else f"{name}: {one!r} and {other!r}"


if __name__ == "__main__":
    sys.exit(main())
