"""What a run adds to the time that its endpoint takes: 20 agents, 50 ms an answer."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import agents
from hayflick.network.experiment import Experiment
from hayflick.network.run import run_network
from pairs import Result

AGENTS, ANSWERS, ROUNDS, AT_ONCE = 20, 5, 20, 20
IDEAL_S = ROUNDS * AGENTS * ANSWERS / AT_ONCE * agents.LATENCY_S
WORDS = agents.SAID[:14]
LINES = [f"{WORDS[n % 14]} {WORDS[3 * n % 14]} and {WORDS[5 * n % 14]}" for n in range(40)]


def experiment(url: str, *, rounds: int) -> Experiment:
    about = {"kind": "openai", "base_url": f"{url}/v1", "model": "m", "concurrency": AT_ONCE}
    return Experiment.of(
        {
            "format_version": 1,
            "rounds": rounds,
            "answers": ANSWERS,
            "query": "What is new?",
            "concurrency": AT_ONCE,
            "pool": {"texts": LINES},
            "agents": [{"name": f"agent {n}", **about} for n in range(AGENTS)],
        }
    )


def results() -> Iterator[Result]:
    # In a process of its own, as an endpoint is.
    command = [sys.executable, agents.__file__]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        # What is loaded on first use is loaded before.
        _seconds(experiment(url, rounds=1))
        seconds = sorted(_seconds(experiment(url, rounds=ROUNDS)) for _ in range(3))
        process.terminate()
    excess = seconds[1] / IDEAL_S - 1.0
    yield Result(
        name=f"a network's {ROUNDS} rounds, 20 agents, L = 5, endpoint of 50 ms, 20 at once",
        ours=f"`run_network`: {seconds[1]:.3g} s, kept and measured",
        alternative=f"the endpoint alone: {IDEAL_S:.3g} s",
        figure=f"{excess:.1%} above",
        target="≤ 10%",
        met=excess <= 0.10,
    )


def _seconds(made: Experiment) -> float:
    with tempfile.TemporaryDirectory() as place:
        start = time.perf_counter()
        run_network(made, out=Path(place) / "run")
        return time.perf_counter() - start


if __name__ == "__main__":
    for result in results():
        print(f"{result.name}: {result.ours}, {result.alternative}: {result.figure}")
