"""The load that one service bears: answers a second, the slowest batches, memory, viewers, pages.

``python benchmarks/service_load.py --seconds 60`` starts a service on SQLite and sends it 2,000
answers of 60 words a second in batches of 100, from this process. ``--engine postgresql --workers
2`` does so on PostgreSQL, ``--viewers 50`` with so many live viewers.
"""

from __future__ import annotations

import argparse
import json
import os
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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from service_kills import store

TOKEN = "hf_benchmark_of_the_service_load"
SENDERS = 4


@dataclass
class Load:
    """What was sent, and how long every batch took."""

    accepted: int = 0
    refused: int = 0
    seconds: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def main() -> int:
    """Print what was measured, and return 1 where an answer was refused or lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=int, default=2000, help="answers a second")
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--words", type=int, default=60)
    parser.add_argument("--every", type=int, default=2000, help="answers of a round")
    parser.add_argument("--engine", default="sqlite", choices=("sqlite", "postgresql"))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--viewers", type=int, default=0)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        store(Path(folder), options.engine) as database,
        serving(database, workers=options.workers, every=options.every) as (url, process),
    ):
        load = _run(url, process, options)
        counted = _counted(url, load.accepted)
    _report(options, load, counted)
    return int(load.refused > 0 or counted != load.accepted)


@contextmanager
def serving(
    database: str, *, workers: int = 1, every: int = 2000, role: str = "all", token: str = TOKEN
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Yield the URL and the process of a service, which is stopped at the end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "service.toml"
        config.write_text(f"[defaults]\nevery = {every}\n")
        command = [sys.executable, "-m", "hayflick", "serve", "--port", str(port)]
        command += ["--database", database, "--config", str(config)]
        command += ["--workers", str(workers)] if workers > 1 else []
        command += ["--role", role] if role != "all" else []
        environment = {**os.environ, "HAYFLICK_ADMIN_TOKEN": token}
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        url = f"http://127.0.0.1:{port}"
        try:
            _wait(url, process)
            yield url, process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up and process.poll() is None:
        try:
            if httpx.get(f"{url}/ready", timeout=1.0).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError("the service did not start")


def _run(url: str, process: subprocess.Popen[bytes], options: argparse.Namespace) -> Load:
    load, ended = Load(), threading.Event()
    bodies = _bodies(options.batch, options.words)
    between = SENDERS * options.batch / options.rate
    senders = [
        threading.Thread(target=_send, args=(url, bodies, number, between, options.seconds, load))
        for number in range(SENDERS)
    ]
    others = [threading.Thread(target=_remember, args=(process, load, ended))]
    others += [
        threading.Thread(target=_view, args=(url, ended), daemon=True)
        for _ in range(options.viewers)
    ]
    for thread in (*others, *senders):
        thread.start()
    for thread in senders:
        thread.join()
    ended.set()
    others[0].join()
    return load


def _bodies(batch: int, words: int) -> list[list[dict[str, Any]]]:
    """Return batches of texts, whose words are frequent and rare as those of a language are."""
    rng = np.random.default_rng(1)
    vocabulary = [f"word{number}" for number in range(5000)]
    law = 1.0 / np.arange(1.0, 5001.0)
    drawn = rng.choice(5000, size=(50, batch, words), p=law / law.sum())
    return [
        [
            {"text": " ".join(vocabulary[one] for one in text), "group": f"g{place % 4}"}
            for place, text in enumerate(texts)
        ]
        for texts in drawn
    ]


def _send(
    url: str,
    bodies: list[list[dict[str, Any]]],
    number: int,
    between: float,
    seconds: float,
    load: Load,
) -> None:
    """Send a batch in every so many seconds; a late one follows at once."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    rng, begun, sent = random.Random(number), time.monotonic(), 0
    with httpx.Client(base_url=url, headers=headers, timeout=60.0) as client:
        while time.monotonic() - begun < seconds:
            time.sleep(max(0.0, begun + sent * between - time.monotonic()))
            body = json.dumps({"items": rng.choice(bodies)})
            key = {"Idempotency-Key": f"{number}-{sent}"}
            start = time.monotonic()
            answer = client.post("/v1/streams/load/answers", content=body, headers=key)
            with load.lock:
                load.seconds.append(time.monotonic() - start)
                if answer.status_code == 200:
                    load.accepted += answer.json()["accepted"]
                else:
                    load.refused += 1
            sent += 1


def _view(url: str, ended: threading.Event) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with (
        httpx.Client(base_url=url, headers=headers, timeout=None) as client,
        client.stream("GET", "/v1/events") as events,
    ):
        for _ in events.iter_lines():
            if ended.is_set():
                return


def _remember(process: subprocess.Popen[bytes], load: Load, ended: threading.Event) -> None:
    while not ended.wait(2.0):
        load.memory.append(sum(map(_megabytes, [process.pid, *_children(process.pid)])))


def _children(pid: int) -> list[int]:
    try:
        return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    except OSError:
        return []


def _megabytes(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((float(one.split()[1]) / 1024 for one in lines if one.startswith("VmRSS")), 0.0)


def _counted(url: str, accepted: int) -> int:
    """Return the number of answers that the service knows of."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    found = httpx.get(f"{url}/v1/streams/load", headers=headers, timeout=60.0).json()
    print(json.dumps({name: found[name] for name in found if name != "settings"})[:1000])
    return int(found.get("answers", accepted))


def _report(options: argparse.Namespace, load: Load, counted: int) -> None:
    seconds = np.array(load.seconds)
    memory = np.array(load.memory or [0.0])
    third = max(1, memory.size // 3)
    rate = load.accepted / options.seconds
    print(
        f"{load.accepted:,} answers in {options.seconds:g} s ({rate:,.0f} a second), "
        f"{load.refused} batches refused, the store counts {counted:,}"
    )
    print(
        f"a batch of {options.batch}: median {np.median(seconds) * 1000:.0f} ms, "
        f"p99 {np.quantile(seconds, 0.99) * 1000:.0f} ms, most {seconds.max() * 1000:.0f} ms"
    )
    print(
        f"memory: {memory[third]:.0f} MB after a third, {memory[-1]:.0f} MB at the end, "
        f"{memory.max():.0f} MB at most"
    )


if __name__ == "__main__":
    sys.exit(main())
