"""A service whose stream collapses before one's eyes: three agents that begin to read themselves.

The agents write n-grams of the docstrings of Python's standard library, without a model. After
twenty rounds they are trained again in each round, on nothing but their own last answers:

    python examples/demo_service.py build/demo/service

starts the service on a free port, prints where to look and how to log in, and sends the answers.
"""

from __future__ import annotations

import argparse
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from hayflick.client import Watcher
from hayflick.network.agents.ngram import NGramAgent
from hayflick.network.agents.protocol import AnswerSeed
from hayflick.papers.suresh2024.figures import write_docstrings

STREAM, AGENTS = "demo", ("anna", "ben", "chen")
HEALTHY, COLLAPSING, ANSWERS = 20, 20, 15
CONFIG = f"""[streams.{STREAM}]
every = {ANSWERS * len(AGENTS)}
baseline = 10
review = 3
"""


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description="A service whose stream collapses.")
    parser.add_argument("folder", type=Path, help="where its store goes; an older one is replaced")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--pause", type=float, default=2.0, help="seconds between two rounds")
    parser.add_argument("--stop", action="store_true", help="stop after the last round")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _stop)
    options.folder.mkdir(parents=True, exist_ok=True)
    token, password = secrets.token_urlsafe(24), secrets.token_urlsafe(9)
    with _serving(options.folder, options.port, token) as url:
        _add_user(url, token, password)
        print(f"\n  open {url}\n\n  sign in as demo with the password {password}\n", flush=True)
        with Watcher(STREAM, url=url, token=token) as watcher:
            for number, answers in enumerate(_rounds(options.folder), 1):
                for group, text in answers:
                    watcher.record(text, group=group)
                watcher.flush()
                what = "healthy" if number <= HEALTHY else "trained on its own answers"
                print(f"round {number} of {HEALTHY + COLLAPSING}: {what}", flush=True)
                # The healthy rounds are history; what comes then can be watched.
                time.sleep(options.pause / 8 if number <= HEALTHY else options.pause)
        if not options.stop:
            print("all rounds are sent; Ctrl-C stops the service", flush=True)
            signal.pause()


def _stop(*_: object) -> None:
    """End as with Ctrl-C, so that the service does not outlive this process."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


@contextmanager
def _serving(folder: Path, port: int, token: str) -> Iterator[str]:
    for part in folder.glob("service.db*"):
        part.unlink()
    config = folder / "service.toml"
    config.write_text(CONFIG)
    if not port:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
    command = [sys.executable, "-m", "hayflick", "serve", "--port", str(port)]
    command += ["--database", str(folder / "service.db"), "--config", str(config)]
    environment = {**os.environ, "HAYFLICK_ADMIN_TOKEN": token}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            if process.poll() is not None:
                sys.exit("error: the service did not start")
            try:
                if httpx.get(f"{url}/ready").status_code == 200:
                    break
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        yield url
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _add_user(url: str, token: str, password: str) -> None:
    user = {"name": "demo", "password": password, "scopes": ["read", "review", "admin"]}
    headers = {"Authorization": f"Bearer {token}"}
    httpx.post(f"{url}/v1/users", json=user, headers=headers).raise_for_status()


def _rounds(folder: Path) -> Iterator[list[tuple[str, str]]]:
    """Yield the answers of every round, with who gave them."""
    text = folder / "docstrings.txt"
    if not text.exists():
        write_docstrings(text)
    real = [one for one in text.read_text(encoding="utf-8").splitlines() if len(one) > 40]
    random.Random(7).shuffle(real)
    part = len(real) // len(AGENTS)
    agents = [_agent(name, real[k * part :][:part]) for k, name in enumerate(AGENTS)]
    for number in range(1, HEALTHY + COLLAPSING + 1):
        answers = [
            (agent.name, _answer(agent, number, k)) for agent in agents for k in range(ANSWERS)
        ]
        yield answers
        if number >= HEALTHY:
            agents = [_agent(name, [answer for _, answer in answers]) for name in AGENTS]


def _answer(agent: NGramAgent, number: int, index: int) -> str:
    seed = AnswerSeed(7, agent=agent.name, round=number, index=index)
    return agent.write("", [], seed=seed).text


def _agent(name: str, texts: list[str]) -> NGramAgent:
    return NGramAgent.of_texts(name, texts, trust=0.0, most_tokens=40)


if __name__ == "__main__":
    main()
